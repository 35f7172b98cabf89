//! The options of `onhand audit`.

use crate::terminal::client::server_url;
use clap::{Args, ValueEnum};
use onhand_app::ports::Clock as _;
use onhand_disk::clock::SystemClock;
use onhand_domain::Timestamp;

/// Show who did what: changes, logins, refused requests and exports in one table
///
/// Reads the audit table of a running node, which needs the permission audit:read: the changes in its log, and the entries of its
/// audit trail.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  onhand audit                                   the last 24 hours
  onhand audit --kind errors --since 7d          refused requests of the last week
  onhand audit --actor u_0123456789ab --since 2026-11-01T00:00:00Z --output csv > ada.csv
  onhand audit --kind access --follow            logins and exports as they happen

Exit codes:
   0  done
  69  the server could not be reached, or it refused")]
pub struct AuditArgs {
    /// Base URL of the node
    #[arg(long, env = "ONHAND_SERVER", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url)]
    pub(super) server: String,

    /// Only rows of this kind: events, inventory, identity, access or errors
    #[arg(long, value_name = "KIND")]
    pub(super) kind: Option<String>,

    /// Only what this principal did: its id, or local
    #[arg(long, value_name = "ID")]
    pub(super) actor: Option<String>,

    /// Only rows at or after this time: like 2026-11-30T09:00:00Z, or that long ago, like 90m, 24h or 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = moment)]
    pub(super) since: Timestamp,

    /// Only rows before this time
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "follow")]
    pub(super) until: Option<Timestamp>,

    /// Go on with rows as they come, until interrupted
    #[arg(short, long)]
    pub(super) follow: bool,

    /// Form of the rows
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub(super) output: Output,
}

/// The form of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// A table; lines with --follow
    Table,
    /// One JSON object a line
    Json,
    /// CSV with a header line; not with --follow
    Csv,
}

/// A time as RFC 3339, or so many minutes, hours or days ago.
fn moment(text: &str) -> Result<Timestamp, String> {
    ago(text, SystemClock.now()).map_or_else(
        || Timestamp::parse(text).map_err(|error| format!("{error}, or like 90m, 24h or 7d: that long ago")),
        Ok,
    )
}

fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let count = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<i64>().ok())??;
    Some(now.plus_seconds(count.saturating_mul(-seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_so_long_ago() {
        let now = Timestamp::parse("2026-11-30T12:00:00.000Z").unwrap();
        for (text, read) in [
            ("90m", Some("2026-11-30T10:30:00.000Z")),
            ("24h", Some("2026-11-29T12:00:00.000Z")),
            ("7d", Some("2026-11-23T12:00:00.000Z")),
            ("0d", Some("2026-11-30T12:00:00.000Z")),
            ("", None),
            ("d", None),
            ("-1d", None),
            ("7w", None),
            ("7ä", None),
            ("2026-11-30T09:00:00Z", None),
        ] {
            assert_eq!(ago(text, now).map(|time| time.to_string()).as_deref(), read, "{text}");
        }
        assert!(moment("2026-11-30T09:00:00Z").is_ok() && moment("yesterday").is_err());
    }
}
