//! The sources of central, the interval of passes, and the retries.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Uri;

use crate::fault::{Faults, SettingFault};
use crate::tls;
use crate::value_parser::{path, text};

/// An hour: an older central model is useless.
const INTERVAL_MS_MAX: u64 = 3_600_000;
const CONCURRENCY_MAX: u64 = 64;
const RETRY_BASE_MS_MAX: u64 = 60_000;
const RETRY_TIMES_MAX: u64 = 20;
const COOLDOWN_MS_MAX: u64 = 3_600_000;

/// The logs of other nodes, and the access to those over HTTP, unread.
#[derive(Args, Clone, Debug)]
pub struct RawSources {
    /// Log of another node to merge into central as well: its address, http://HOST:PORT, or its data directory.
    /// May be repeated; in the environment separated by commas
    #[arg(long = "source", env = "SYNC_SOURCES", value_name = "URL|DIRECTORY", value_delimiter = ',')]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub sources: Vec<String>,

    /// File with the token that a source over HTTP wants: one line with the token, or one line for each source, its
    /// address as in --source and its token. The file is read again for each request
    #[arg(long, env = "SYNC_TOKEN_FILE", value_name = "FILE", value_parser = path())]
    pub sync_token_file: Option<PathBuf>,

    /// File with the certificates, in PEM, of the authorities that sources and central over https are trusted by, in place
    /// of those of the system
    #[arg(long, env = "SYNC_CA_FILE", value_name = "FILE", value_parser = path())]
    pub sync_ca_file: Option<PathBuf>,
}

/// Settings of the worker, unread.
#[derive(Args, Clone, Debug)]
pub struct RawSync {
    /// The logs.
    #[command(flatten)]
    pub sources: RawSources,

    /// From the end of a pass over all sources to the next one, in milliseconds
    #[arg(long, env = "SYNC_INTERVAL_MS", value_name = "MILLISECONDS", default_value = "1000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub sync_interval_ms: String,

    /// Sources read at the same time, and requests of administration (POST /sync, dead letters) worked on at the same time
    #[arg(long, env = "CONCURRENCY_SYNC", value_name = "SOURCES", default_value = "4")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub concurrency_sync: String,

    /// Longest wait before a source that did not answer, or an event that cannot be applied, is read again, in
    /// milliseconds; it doubles each time, and the wait is drawn from zero to it
    #[arg(long, env = "RETRY_BASE_MS", value_name = "MILLISECONDS", default_value = "100")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub retry_base_ms: String,

    /// How often a source that did not answer is asked again at once, and an event that cannot be applied is read
    /// again before it becomes a dead letter
    #[arg(long, env = "RETRY_TIMES", value_name = "TIMES", default_value = "3")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub retry_times: String,

    /// Share of failures among the last ten answers of a source at which its breaker opens: it is not asked for a while
    #[arg(long, env = "BREAKER_THRESHOLD", value_name = "SHARE", default_value = "0.5")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub breaker_threshold: String,

    /// How long an open breaker, of a source or of the disk below the log, waits before it probes, in milliseconds
    #[arg(long, env = "BREAKER_COOLDOWN_MS", value_name = "MILLISECONDS", default_value = "10000")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub breaker_cooldown_ms: String,
}

/// Settings of the worker.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncWorkerSettings {
    /// Logs besides that of the data directory.
    pub sources: SourceSettings,
    /// `SYNC_INTERVAL_MS`: time from the end of a pass to the next one.
    pub interval: Duration,
    /// `CONCURRENCY_SYNC`: sources read at the same time.
    pub concurrency: usize,
    /// `RETRY_BASE_MS`: the first ceiling of the wait before a retry.
    pub retry_base: Duration,
    /// `RETRY_TIMES`: the number of retries.
    pub retry_times: u32,
    /// `BREAKER_THRESHOLD`: share of failures at which a source's breaker opens.
    pub breaker_threshold: f64,
    /// `BREAKER_COOLDOWN_MS`: how long the breaker stays open.
    pub breaker_cooldown: Duration,
}

/// The logs of other nodes. What is in the files is not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSettings {
    /// `SYNC_SOURCES`: where they are.
    pub addresses: Vec<SourceAddress>,
    /// `SYNC_TOKEN_FILE`: the tokens that are sent to those over HTTP.
    pub token_file: Option<PathBuf>,
    /// `SYNC_CA_FILE`: the authorities that vouch for those over https, in place of those of the system.
    pub ca_file: Option<PathBuf>,
}

/// The address of another node's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceAddress {
    /// A node over HTTP: its base URL, without a slash at the end.
    Url(String),
    /// A node's data directory on this machine.
    Directory(PathBuf),
}

impl RawSources {
    /// Reads the sources alone, for a command that runs one pass.
    ///
    /// # Errors
    /// All faults together, in the order of reading.
    pub fn parse(&self) -> Result<SourceSettings, Vec<SettingFault>> {
        let mut faults = Faults::default();
        let sources = self.read(&mut faults);
        faults.finish(sources)
    }

    fn read(&self, faults: &mut Faults) -> SourceSettings {
        SourceSettings {
            addresses: sources(&self.sources, faults),
            token_file: faults.path("SYNC_TOKEN_FILE", self.sync_token_file.as_ref(), tls::FILE),
            ca_file: faults.path("SYNC_CA_FILE", self.sync_ca_file.as_ref(), tls::FILE),
        }
    }
}

impl SyncWorkerSettings {
    /// The settings of a command that runs one pass: the published defaults.
    pub fn once(sources: SourceSettings) -> Self {
        Self {
            sources,
            interval: Duration::from_secs(1),
            concurrency: 4,
            retry_base: Duration::from_millis(100),
            retry_times: 3,
            breaker_threshold: 0.5,
            breaker_cooldown: Duration::from_secs(10),
        }
    }

    pub(super) fn read(raw: &RawSync, faults: &mut Faults) -> Self {
        let milliseconds = "a whole number of milliseconds";
        let interval_ms =
            faults.whole("SYNC_INTERVAL_MS", &raw.sync_interval_ms, 1, INTERVAL_MS_MAX, milliseconds);
        let concurrency = faults.whole(
            "CONCURRENCY_SYNC",
            &raw.concurrency_sync,
            1,
            CONCURRENCY_MAX,
            "a whole number of sources",
        );
        let retry_base_ms =
            faults.whole("RETRY_BASE_MS", &raw.retry_base_ms, 1, RETRY_BASE_MS_MAX, milliseconds);
        let retry_times =
            faults.whole("RETRY_TIMES", &raw.retry_times, 0, RETRY_TIMES_MAX, "a whole number of times");
        let breaker_threshold = faults.share("BREAKER_THRESHOLD", &raw.breaker_threshold);
        let cooldown_ms =
            faults.whole("BREAKER_COOLDOWN_MS", &raw.breaker_cooldown_ms, 1, COOLDOWN_MS_MAX, milliseconds);
        Self {
            sources: raw.sources.read(faults),
            interval: Duration::from_millis(interval_ms),
            concurrency: usize::try_from(concurrency).expect("the bound above fits any usize"),
            retry_base: Duration::from_millis(retry_base_ms),
            retry_times: u32::try_from(retry_times).expect("the bound above fits"),
            breaker_threshold,
            breaker_cooldown: Duration::from_millis(cooldown_ms),
        }
    }
}

fn sources(given: &[String], faults: &mut Faults) -> Vec<SourceAddress> {
    let mut sources = Vec::new();
    for text in given.iter().map(|text| text.trim()) {
        let Some(source) = source(text) else {
            faults.add(
                "SYNC_SOURCES",
                &without_password(text),
                "http://HOST:PORT, https://HOST:PORT or the path of a directory",
            );
            continue;
        };
        if sources.contains(&source) {
            faults.add("SYNC_SOURCES", text, "each source once");
        } else {
            sources.push(source);
        }
    }
    sources
}

/// Reads one source: a text with a scheme is a URL, anything else a path.
fn source(text: &str) -> Option<SourceAddress> {
    let Some((scheme, _)) = text.split_once("://") else {
        return (!text.is_empty()).then(|| SourceAddress::Directory(PathBuf::from(text)));
    };
    let uri: Uri = text.parse().ok()?;
    let good = matches!(scheme, "http" | "https")
        && uri.host().is_some_and(|host| !host.is_empty())
        // A password here would stand in logs and metrics, and no source would get it; there are tokens.
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.query().is_none();
    good.then(|| SourceAddress::Url(text.trim_end_matches('/').to_owned()))
}

/// The text without the user and the password of an address.
fn without_password(text: &str) -> String {
    match text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://***@{host}"),
        None => text.to_owned(),
    }
}

/// Reads `SYNC`: on or off.
pub(super) fn switch(given: &str, faults: &mut Faults) -> bool {
    match given.trim().to_ascii_lowercase().as_str() {
        "on" => true,
        "off" => false,
        _ => {
            faults.add("SYNC", given, "on or off");
            true
        }
    }
}
