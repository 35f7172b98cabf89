//! The settings of `serve`, parsed.

use crate::audit::AuditSettings;
use crate::fault::{Faults, SettingFault};
use crate::gates::GateSettings;
use crate::listen::ListenSettings;
use crate::locks::LockSettings;
use crate::logging::LogSettings;
use crate::raw_serve::RawServe;
use crate::storage::{IdempotencySettings, StorageSettings};
use crate::sync::{SyncWorkerSettings, switch};
use crate::tls::FILE;
use crate::webhook::WebhookSettings;
use std::path::PathBuf;

/// Everything that `onhand serve` needs before it does any I/O.
#[derive(Clone, Debug, PartialEq)]
pub struct ServeSettings {
    /// The listener, and the time to drain it.
    pub listen: ListenSettings,
    /// Limits of admission.
    pub gates: GateSettings,
    /// The data directory, and how often a snapshot is made.
    pub storage: StorageSettings,
    /// How long the audit trail is kept.
    pub audit: AuditSettings,
    /// The leases, where several processes share the data directory.
    pub locks: Option<LockSettings>,
    /// How long the record of an idempotency key is kept.
    pub idempotency: IdempotencySettings,
    /// `CATALOG_STRICT`: whether only SKUs of the catalogue can be received and reserved.
    pub catalog_strict: bool,
    /// `SYNC`: whether this process merges its log into central.
    pub sync: bool,
    /// The settings of that worker.
    pub worker: SyncWorkerSettings,
    /// The receiver of low-stock alerts; none where there is no webhook.
    pub webhook: Option<WebhookSettings>,
    /// `CONSOLE_DIR`: the files of the console, where they are not those of the program.
    pub console_dir: Option<PathBuf>,
    /// `IDENTITY_FILE`: the file that declares people and tokens, where there is one.
    pub identity_file: Option<PathBuf>,
    /// The log lines.
    pub logging: LogSettings,
}

impl RawServe {
    /// Reads every setting.
    ///
    /// # Errors
    /// All faults together, in the order of `--help` within each concern.
    pub fn parse(&self) -> Result<ServeSettings, Vec<SettingFault>> {
        let mut faults = Faults::default();
        let settings = ServeSettings {
            listen: ListenSettings::read(self, &mut faults),
            gates: GateSettings::read(&self.gates, &mut faults),
            storage: StorageSettings::read(&self.storage, &mut faults),
            audit: AuditSettings::read(&self.audit, &mut faults),
            locks: LockSettings::read(&self.locks, &self.storage.data_dir, &mut faults),
            idempotency: IdempotencySettings::read(&self.idemp_ttl_ms, &mut faults),
            catalog_strict: faults.truth("CATALOG_STRICT", &self.catalog_strict),
            sync: switch(&self.sync, &mut faults),
            worker: SyncWorkerSettings::read(&self.worker, &mut faults),
            webhook: WebhookSettings::read(&self.webhook, &mut faults),
            console_dir: faults.path("CONSOLE_DIR", self.console_dir.as_ref(), "the path of a directory"),
            identity_file: faults.path("IDENTITY_FILE", self.identity_file.as_ref(), FILE),
            logging: LogSettings::read(&self.logging, &mut faults),
        };
        faults.finish(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogFormat, LogLevel, SourceAddress, SourceSettings, TlsSettings};
    use clap::{CommandFactory, FromArgMatches, Parser};
    use onhand_domain::identity::Role;
    use std::num::NonZeroU32;
    use std::time::Duration;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        serve: RawServe,
    }

    const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn given(arguments: &[&str]) -> Result<ServeSettings, Vec<SettingFault>> {
        // Without the environment: a developer's own PORT must not fail the tests.
        let command = Line::command().mut_args(|argument| argument.env(None));
        let matches = command.try_get_matches_from(std::iter::once(&"serve").chain(arguments)).unwrap();
        Line::from_arg_matches(&matches).unwrap().serve.parse()
    }

    #[test]
    fn the_defaults_are_the_published_ones() {
        let settings = given(&[]).unwrap();
        assert_eq!(settings.listen.address.to_string(), "127.0.0.1:3000");
        assert_eq!(settings.listen.connections_max, 1024);
        assert_eq!(settings.listen.shutdown_timeout, Duration::from_secs(25));
        assert_eq!((settings.listen.ready_file, settings.listen.tls), (None, None));
        assert_eq!((&*settings.listen.trusted_proxies, settings.listen.metrics_open), (&[][..], false));
        assert_eq!((settings.listen.insecure, &*settings.listen.cors_origins), (false, &[][..]));
        assert_eq!(settings.storage.data_dir, PathBuf::from("data"));
        assert_eq!((settings.storage.snapshot_every_events, settings.audit.keep_days), (100, 400));
        assert_eq!(settings.idempotency.ttl, Duration::from_secs(300));
        assert_eq!(settings.logging, LogSettings { format: LogFormat::Auto, level: LogLevel::Info });
        let rate = NonZeroU32::new(100).zip(NonZeroU32::new(200));
        assert_eq!(settings.gates, GateSettings { concurrency: 16, queue_max: 50, rate, role_rates: vec![] });
        assert!(settings.sync);
        assert_eq!((settings.locks, settings.webhook), (None, None));
        let locks = given(&["--locks-enabled"]).unwrap().locks.unwrap();
        assert_eq!((locks.ttl.as_millis(), locks.renew.as_millis()), (2000, 1000));
        assert_eq!((locks.reject_status, locks.retry_after.as_millis()), (503, 300));
        assert_eq!(locks.directory, PathBuf::from("data/locks"));
        assert_eq!(settings.worker, SyncWorkerSettings::once(SourceSettings::default()));
        assert_eq!((settings.worker.interval.as_millis(), settings.worker.concurrency), (1000, 4));
        assert_eq!((settings.worker.retry_base.as_millis(), settings.worker.retry_times), (100, 3));
        assert_eq!(settings.worker.breaker_threshold.to_string(), "0.5");
        assert_eq!(settings.worker.breaker_cooldown, Duration::from_secs(10));
    }

    #[test]
    fn sources_are_addresses_or_directories() {
        let url = |text: &str| SourceAddress::Url(text.to_owned());
        let directory = |text: &str| SourceAddress::Directory(PathBuf::from(text));
        let table: &[(&[&str], Vec<SourceAddress>)] = &[
            (&["--source", "http://10.0.0.7:3000/"], vec![url("http://10.0.0.7:3000")]),
            (&["--source", "https://hub.example/paris"], vec![url("https://hub.example/paris")]),
            (&["--source", "/srv/paris"], vec![directory("/srv/paris")]),
            (&["--source", "localhost:3000"], vec![directory("localhost:3000")]),
            (
                &["--source", "a, http://b:1", "--source", "c"],
                vec![directory("a"), url("http://b:1"), directory("c")],
            ),
        ];
        for (arguments, sources) in table {
            assert_eq!(given(arguments).unwrap().worker.sources.addresses, *sources, "{arguments:?}");
        }
        assert!(!given(&["--sync", "OFF", "--source", "a"]).unwrap().sync);
    }

    #[test]
    fn good_values_are_taken() {
        let table: &[(&[&str], &str)] = &[
            (&["--host", "localhost"], "127.0.0.1:3000"),
            (&["--host", "::1", "--port", "0"], "[::1]:0"),
            (&["--host", "[::1]", "--port", "65535"], "[::1]:65535"),
            (&["--host", "0.0.0.0"], "0.0.0.0:3000"),
            (&["--host", "10.0.0.7", "--insecure=true", "--port", " 80 "], "10.0.0.7:80"),
        ];
        for (arguments, address) in table {
            assert_eq!(given(arguments).unwrap().listen.address.to_string(), *address, "{arguments:?}");
        }
        let origins = given(&["--cors-origins", "https://desk.example, http://[::1]:8080"]).unwrap();
        assert_eq!(origins.listen.cors_origins, ["https://desk.example", "http://[::1]:8080"]);
        let proxies = given(&["--trusted-proxies", "10.0.0.7, fd00::/8"]).unwrap().listen.trusted_proxies;
        assert_eq!(proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.7/32", "fd00::/8"]);
        let tls = given(&["--tls-cert", "c.pem", "--tls-key", "k.pem"]).unwrap().listen.tls;
        assert_eq!(tls, Some(TlsSettings { certificate: "c.pem".into(), key: "k.pem".into() }));
        let declared = given(&["--identity-file", "identity.toml"]).unwrap().identity_file;
        assert_eq!(declared, Some(PathBuf::from("identity.toml")));
        assert_eq!(given(&["--rate-limit-rps", "0"]).unwrap().gates.rate, None);
        let rate = |number| NonZeroU32::new(number).unwrap();
        let roles = given(&["--rate-limit-roles", "till=200:400, backup=0"]).unwrap().gates.role_rates;
        assert_eq!(roles, [(Role::Till, Some((rate(200), rate(400)))), (Role::Backup, None)]);
        for (share, read) in [("1", 1.0), ("0.01", 0.01), (" 0.75 ", 0.75)] {
            let threshold = given(&["--breaker-threshold", share]).unwrap().worker.breaker_threshold;
            assert!((threshold - read).abs() < 1e-9, "{share}");
        }
        let settings = given(&["--log-format", "JSON", "--log-level", "Trace"]).unwrap();
        assert_eq!(settings.logging, LogSettings { format: LogFormat::Json, level: LogLevel::Trace });
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        let table: &[(&[&str], &str, &str)] = &[
            (&["--port", "65536"], "PORT", "0 to 65535"),
            (&["--port", "-1"], "PORT", "0 to 65535"),
            (&["--port", ""], "PORT", "a port"),
            (&["--host", "shop.example"], "HOST", "IPv4 or IPv6"),
            (&["--insecure=perhaps"], "INSECURE", "true or false"),
            (&["--cors-origins", "*"], "CORS_ORIGINS", "no *"),
            (&["--cors-origins", "null"], "CORS_ORIGINS", "origins"),
            (&["--cors-origins", "https://*.example"], "CORS_ORIGINS", "origins"),
            (&["--cors-origins", "https://desk.example/"], "CORS_ORIGINS", "nothing behind it"),
            (&["--cors-origins", "https://Desk.example"], "CORS_ORIGINS", "small letters"),
            (&["--cors-origins", "https://desk.example:443"], "CORS_ORIGINS", "a port unless"),
            (&["--cors-origins", "https://user@desk.example"], "CORS_ORIGINS", "origins"),
            (&["--cors-origins", "desk.example"], "CORS_ORIGINS", "a scheme"),
            (&["--cors-origins", ""], "CORS_ORIGINS", "origins"),
            (&["--trusted-proxies", "10.0.0.0/33"], "TRUSTED_PROXIES", "networks"),
            (&["--trusted-proxies", "10.0.0.7/8"], "TRUSTED_PROXIES", "behind the prefix"),
            (&["--trusted-proxies", "0.0.0.0/0"], "TRUSTED_PROXIES", "everybody"),
            (&["--trusted-proxies", "::/0"], "TRUSTED_PROXIES", "everybody"),
            (&["--trusted-proxies", "proxy.example"], "TRUSTED_PROXIES", "addresses"),
            (&["--trusted-proxies", ""], "TRUSTED_PROXIES", "addresses"),
            (&["--metrics-open=perhaps"], "METRICS_OPEN", "true or false"),
            (&["--data-dir", ""], "DATA_DIR", "directory"),
            (&["--snapshot-every-n-events", "0"], "SNAPSHOT_EVERY_N_EVENTS", "events, 1 to"),
            (&["--idemp-ttl-ms", "5s"], "IDEMP_TTL_MS", "milliseconds"),
            (&["--breaker-cooldown-ms", "0"], "BREAKER_COOLDOWN_MS", "milliseconds, 1 to"),
            (&["--shutdown-timeout-ms", "1e3"], "SHUTDOWN_TIMEOUT_MS", "milliseconds"),
            (&["--connections-max", "0"], "CONNECTIONS_MAX", "connections, 1 to"),
            (&["--locks-enabled=perhaps"], "LOCKS_ENABLED", "true or false"),
            (&["--lock-ttl-ms", "99", "--lock-renew-ms", "9"], "LOCK_TTL_MS", "milliseconds, 100 to"),
            (&["--lock-renew-ms", "1001"], "LOCK_RENEW_MS", "milliseconds, 1 to 1000"),
            (&["--lock-reject-status", "500"], "LOCK_REJECT_STATUS", "503, 423"),
            (&["--lock-retry-after-ms", "0"], "LOCK_RETRY_AFTER_MS", "milliseconds, 1 to"),
            (&["--lock-dir", ""], "LOCK_DIR", "directory"),
            (&["--sync", "maybe"], "SYNC", "on or off"),
            (&["--source", "ftp://paris"], "SYNC_SOURCES", "http://HOST:PORT"),
            (&["--source", "http://"], "SYNC_SOURCES", "http://HOST:PORT"),
            (&["--source", "http://a:b@paris"], "SYNC_SOURCES", "http://HOST:PORT"),
            (&["--source", "http://paris/?a=1"], "SYNC_SOURCES", "http://HOST:PORT"),
            (&["--source", "a", "--source", ""], "SYNC_SOURCES", "directory"),
            (&["--source", "http://a", "--source", "http://a/"], "SYNC_SOURCES", "once"),
            (&["--sync-token-file", ""], "SYNC_TOKEN_FILE", "the path of a file"),
            (&["--sync-ca-file", ""], "SYNC_CA_FILE", "the path of a file"),
            (&["--sync-interval-ms", "0"], "SYNC_INTERVAL_MS", "milliseconds, 1 to"),
            (&["--concurrency-sync", "65"], "CONCURRENCY_SYNC", "sources, 1 to"),
            (&["--retry-base-ms", "100ms"], "RETRY_BASE_MS", "milliseconds"),
            (&["--retry-times", "-1"], "RETRY_TIMES", "times, 0 to"),
            (&["--concurrency-api", "0"], "CONCURRENCY_API", "requests, 1 to"),
            (&["--load-shed-queue-max", "many"], "LOAD_SHED_QUEUE_MAX", "requests, 0 to"),
            (&["--rate-limit-rps", "0.5"], "RATE_LIMIT_RPS", "a second, 0 to"),
            (&["--rate-limit-burst", "0"], "RATE_LIMIT_BURST", "requests, 1 to"),
            (&["--rate-limit-roles", "till"], "RATE_LIMIT_ROLES", "till=200:400"),
            (&["--rate-limit-roles", "till=200"], "RATE_LIMIT_ROLES", "till=200:400"),
            (&["--rate-limit-roles", "till=0:1"], "RATE_LIMIT_ROLES", "till=200:400"),
            (&["--rate-limit-roles", "till=1:4294967296"], "RATE_LIMIT_ROLES", "till=200:400"),
            (&["--rate-limit-roles", "cashier=1:1"], "RATE_LIMIT_ROLES", "warehouse-staff"),
            (&["--rate-limit-roles", "till=1:1,till=0"], "RATE_LIMIT_ROLES", "each role once"),
            (&["--breaker-threshold", "0"], "BREAKER_THRESHOLD", "above 0"),
            (&["--breaker-threshold", "1.1"], "BREAKER_THRESHOLD", "up to 1"),
            (&["--breaker-threshold", "nan"], "BREAKER_THRESHOLD", "0.5"),
            (&["--breaker-cooldown-ms", "-1"], "BREAKER_COOLDOWN_MS", "milliseconds"),
            (&["--catalog-strict=maybe"], "CATALOG_STRICT", "true or false"),
            (&["--alert-webhook-allow-private=perhaps"], "ALERT_WEBHOOK_ALLOW_PRIVATE", "true or false"),
            (&["--alert-webhook-url", "https://a"], "ALERT_WEBHOOK_SECRET", "it is needed"),
            (
                &["--alert-webhook-url", "http://a", "--alert-webhook-secret", WHSEC],
                "ALERT_WEBHOOK_URL",
                "https",
            ),
            (&["--alert-webhook-secret", "whsec_c2hvcnQ="], "ALERT_WEBHOOK_SECRET", "24 to 64 bytes"),
            (&["--alert-webhook-secret", " "], "ALERT_WEBHOOK_SECRET", "24 to 64 bytes"),
            (&["--tls-cert", "c.pem"], "TLS_KEY", "it is needed with TLS_CERT"),
            (&["--tls-key", "k.pem"], "TLS_CERT", "it is needed with TLS_KEY"),
            (&["--tls-cert", "", "--tls-key", "k.pem"], "TLS_CERT", "the path of a file"),
            (&["--identity-file", ""], "IDENTITY_FILE", "the path of a file"),
            (&["--console-dir", ""], "CONSOLE_DIR", "the path of a directory"),
            (&["--log-format", "xml"], "LOG_FORMAT", "text or json"),
            (&["--log-level", "loud"], "LOG_LEVEL", "error, warn"),
        ];
        for (arguments, name, allowed) in table {
            let faults = given(arguments).unwrap_err();
            assert_eq!(faults.len(), 1, "{arguments:?}: {faults:?}");
            assert_eq!(faults[0].name, *name);
            assert!(faults[0].allowed.contains(allowed), "{arguments:?}: {}", faults[0]);
        }
    }

    #[test]
    fn a_webhook_is_taken_and_its_secret_never_shown() {
        let good = ["--alert-webhook-url", "http://hub/x", "--alert-webhook-secret", WHSEC];
        let webhook =
            given(&[&good[..], &["--alert-webhook-allow-private"]].concat()).unwrap().webhook.unwrap();
        assert_eq!((&*webhook.url, webhook.allow_private), ("http://hub/x", true));
        assert_eq!(webhook.secrets.iter().map(|secret| secret.key().len()).collect::<Vec<_>>(), [24]);
        let two = format!(" {WHSEC}  whsec_{} ", "A".repeat(64));
        let changing = ["--alert-webhook-url", "https://hub/x", "--alert-webhook-secret", &two];
        assert_eq!(given(&changing).unwrap().webhook.unwrap().secrets.len(), 2);
        assert!(!format!("{webhook:?}").contains("MfKQ"));
        let bad = ["--alert-webhook-url", "ftp://hub/sesame", "--alert-webhook-secret", "whsec_sesame"];
        let told = format!("{:?}", given(&bad).unwrap_err());
        assert!(told.contains("ALERT_WEBHOOK_URL") && told.contains("ALERT_WEBHOOK_SECRET"), "{told}");
        assert!(!told.contains("sesame"), "{told}");
    }

    #[test]
    fn a_password_in_the_address_of_a_source_is_not_shown() {
        let told = given(&["--source", "http://ada:sesame@paris:3000"]).unwrap_err()[0].to_string();
        assert!(told.contains("http://***@paris:3000") && !told.contains("sesame"), "{told}");
    }

    #[test]
    fn a_fault_names_the_flag_as_it_is_typed() {
        let faults = given(&["--source", "ftp://paris"]).unwrap_err();
        assert!(
            faults[0].to_string().starts_with(r#"SYNC_SOURCES (--source) is "ftp://paris""#),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let faults = given(&["--host", "nowhere", "--port", "many", "--log-level", "loud"]).unwrap_err();
        assert_eq!(faults.iter().map(|fault| fault.name).collect::<Vec<_>>(), ["HOST", "PORT", "LOG_LEVEL"]);
        let port = faults[1].to_string();
        assert_eq!(port, r#"PORT (--port) is "many"; allowed: a port, 0 to 65535"#);
    }
}
