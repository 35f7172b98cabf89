//! Log lines: format and level.

use clap::Args;

use crate::fault::Faults;
use crate::value_parser::text;

/// Settings of the log lines, unread.
#[derive(Args, Clone, Debug)]
pub struct RawLogging {
    /// Form of log lines, text or json [default: text on a terminal, else json]
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub log_format: Option<String>,

    /// Least important log line still written: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    #[arg(allow_hyphen_values = true, value_parser = text())]
    pub log_level: String,
}

/// `LOG_FORMAT`: the form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// Lines of text for people.
    Text,
    /// For log collectors: one JSON object a line.
    Json,
}

/// `LOG_LEVEL`: the least important line that is still written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Failures of the node or of a request.
    Error,
    /// Unusual conditions that the node handles itself.
    Warn,
    /// Starts, stops and requests.
    Info,
    /// Decisions inside the node.
    Debug,
    /// Every step, for debugging the node itself.
    Trace,
}

impl LogLevel {
    /// The name of the level in tracing's filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Settings of the log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// `LOG_FORMAT`, the form of a line.
    pub format: LogFormat,
    /// `LOG_LEVEL`, the threshold.
    pub level: LogLevel,
}

impl LogSettings {
    pub(super) fn read(raw: &RawLogging, faults: &mut Faults) -> Self {
        Self { format: format(raw.log_format.as_deref(), faults), level: level(&raw.log_level, faults) }
    }
}

fn format(given: Option<&str>, faults: &mut Faults) -> LogFormat {
    let Some(given) = given else { return LogFormat::Auto };
    match given.trim().to_ascii_lowercase().as_str() {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => {
            faults.add("LOG_FORMAT", given, "text or json");
            LogFormat::Auto
        }
    }
}

fn level(given: &str, faults: &mut Faults) -> LogLevel {
    match given.trim().to_ascii_lowercase().as_str() {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => {
            faults.add("LOG_LEVEL", given, "error, warn, info, debug or trace");
            LogLevel::Info
        }
    }
}
