//! Log lines of a server process: on stderr, text on a terminal and JSON otherwise.

use onhand_config::{LogFormat, LogSettings};
use std::io::{IsTerminal, stderr};
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process; a second call changes nothing.
pub fn start(settings: &LogSettings) {
    let text = match settings.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr().is_terminal(),
    };
    let filter = EnvFilter::new(settings.level.as_str());
    // A line that cannot be written is dropped. Reporting it on stderr would panic when that is full, and end the
    // writer's thread and with it the process.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
    // Fails only when a logger is installed already, which then stays.
    let _ = if text {
        builder.with_target(false).with_ansi(stderr().is_terminal()).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    };
}
