//! The settings of `serve` as flags and environment give them: text, names and defaults, not parsed yet.
//!
//! clap would stop at the first value it cannot parse. So it accepts every value as text, and [`RawServe::parse`] parses
//! all of them together.

use crate::audit::RawAudit;
use crate::gates::RawGates;
use crate::locks::RawLocks;
use crate::logging::RawLogging;
use crate::storage::RawStorage;
use crate::sync::RawSync;
use crate::tls::RawTls;
use crate::value_parser::{path, text};
use crate::webhook::RawWebhook;
use clap::Args;
use std::path::PathBuf;

/// Settings of `onhand serve`, unread.
#[derive(Args, Clone, Debug)]
pub struct RawServe {
    /// Address to listen on. Beyond loopback, nothing is answered until there is an administrator, or --insecure
    #[arg(long, env = "HOST", value_name = "ADDRESS", default_value = "127.0.0.1")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub host: String,

    /// Port to listen on; 0 lets the system choose a free one
    #[arg(long, env = "PORT", value_name = "PORT", default_value = "3000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub port: String,

    /// The data directory.
    #[command(flatten)]
    pub storage: RawStorage,

    /// The audit trail.
    #[command(flatten)]
    pub audit: RawAudit,

    /// The leases.
    #[command(flatten)]
    pub locks: RawLocks,

    /// How long an Idempotency-Key is remembered, in milliseconds of log time
    #[arg(long, env = "IDEMP_TTL_MS", value_name = "MILLISECONDS", default_value = "300000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub idemp_ttl_ms: String,

    /// Time to drain and flush after SIGTERM before giving up, in milliseconds
    #[arg(long, env = "SHUTDOWN_TIMEOUT_MS", value_name = "MILLISECONDS", default_value = "25000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub shutdown_timeout_ms: String,

    /// Connections open at the same time, at most, beside those that follow the feed (up to 512) and those over the local
    /// socket (up to 16); further ones are answered 503
    #[arg(long, env = "CONNECTIONS_MAX", value_name = "CONNECTIONS", default_value = "1024")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub connections_max: String,

    /// The gates.
    #[command(flatten)]
    pub gates: RawGates,

    /// Take in and promise only SKUs that the catalogue knows; others are answered 404 product-not-found
    #[arg(long, env = "CATALOG_STRICT", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub catalog_strict: String,

    /// Merge the log into central in this process: on or off. Off when `onhand sync-worker` does it, or nobody
    #[arg(long, env = "SYNC", value_name = "ON|OFF", default_value = "on")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub sync: String,

    /// The worker.
    #[command(flatten)]
    pub worker: RawSync,

    /// The webhook.
    #[command(flatten)]
    pub webhook: RawWebhook,

    /// The log lines.
    #[command(flatten)]
    pub logging: RawLogging,

    /// Origins whose pages may call from a browser, each as SCHEME://HOST:PORT; separated by commas
    #[arg(long, env = "CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub cors_origins: Vec<String>,

    /// Answer everybody, by any host name, as long as nobody can log in
    #[arg(long, env = "INSECURE", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub insecure: String,

    /// Take passwords over plain HTTP, also from beyond this machine, where others may read them
    #[arg(long, env = "PLAIN_HTTP", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub plain_http: String,

    /// Let everybody register as a customer
    #[arg(long, env = "SIGNUP", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub signup: String,
    /// Proxies that are believed, in Forwarded or X-Forwarded-For, about whom they forward: addresses or networks, such as
    /// 10.0.0.0/8; separated by commas
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',')]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub trusted_proxies: Vec<String>,

    /// Show metrics to everybody who reaches the port, also once callers must log in
    #[arg(long, env = "METRICS_OPEN", value_name = "BOOLEAN", default_value = "false")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = text())]
    pub metrics_open: String,

    /// TLS.
    #[command(flatten)]
    pub tls: RawTls,

    /// Directory whose files are served as the console in place of those of the program: for editing them
    #[arg(long, env = "CONSOLE_DIR", value_name = "DIRECTORY", value_parser = path())]
    pub console_dir: Option<PathBuf>,

    /// File that declares people and tokens, and how far logins of central are good here, in TOML: applied at every start and
    /// at a SIGHUP. What it names can be changed nowhere else
    #[arg(long, env = "IDENTITY_FILE", value_name = "FILE", value_parser = path())]
    pub identity_file: Option<PathBuf>,

    /// File that gets the base URL, http://ADDRESS:PORT or https://ADDRESS:PORT, once requests are taken
    #[arg(long, env = "READY_FILE", value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}
