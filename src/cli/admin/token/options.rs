//! The options of `onhand token`.

use crate::admin::grants::GrantArgs;
use crate::admin::options::{AdminOptions, with_exit_codes};
use clap::{Args, Subcommand, ValueEnum};
use jiff::{Span, SpanRelativeTo};
use onhand_domain::identity::TokenKind;
use std::time::Duration;

/// Make, list, rotate and revoke the tokens of programs, tills, teams and nodes
///
/// A token is the credential of a principal of its own, with its own grants. Its text is printed on stdout when it is
/// made, and kept nowhere: what is kept is a hash.
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand token create till-3 --kind till --role till --store BERLIN
  TOKEN=$(onhand token create reports --role viewer --expires 30d)
  onhand token create till-3 --kind till --role till --store BERLIN --output json
  onhand token list
  onhand token rotate ID --grace 24h
  onhand token revoke ID
  onhand token new till-3 --kind till --role till --store BERLIN     for IDENTITY_FILE; needs no server"))]
pub struct TokenArgs {
    #[command(flatten)]
    pub(super) node: AdminOptions,

    #[command(subcommand)]
    pub(super) verb: TokenVerb,
}

#[derive(Subcommand, Debug)]
pub(super) enum TokenVerb {
    /// Make a token for a new principal, and print its text
    Create {
        /// Name, for people
        name: String,
        /// Kind of the principal
        #[arg(long, value_name = "KIND", default_value = "service")]
        kind: Kind,
        #[command(flatten)]
        grants: GrantArgs,
        /// How long it is good, such as 30d or 12h; 400d at most [default: 90d]
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires: Option<Duration>,
    },
    /// List the tokens, also those that were revoked or have expired
    List,
    /// Make another token for the principal of a token, and print its text
    Rotate {
        /// Id of the token
        id: String,
        /// How long the old token stays good, such as 24h; 7d at most
        #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
        grace: Duration,
    },
    /// Revoke a token: the next request with it is refused
    Revoke {
        /// Id of the token
        id: String,
    },
    /// Print the text of a new token and its entry for `IDENTITY_FILE`, without a node
    New {
        /// Name, for people
        name: String,
        /// Kind of the principal
        #[arg(long, value_name = "KIND", default_value = "service")]
        kind: Kind,
        #[command(flatten)]
        grants: GrantArgs,
        /// How long it is good, such as 30d [default: until it is taken out of the file]
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires: Option<Duration>,
    },
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    Service,
    Till,
    Team,
    Node,
}

impl From<Kind> for TokenKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Service => Self::Service,
            Kind::Till => Self::Till,
            Kind::Team => Self::Team,
            Kind::Node => Self::Node,
        }
    }
}

/// Reads a duration of whole seconds; a day has 24 hours.
pub(in crate::admin) fn duration(text: &str) -> Result<Duration, String> {
    let read = || {
        let span: Span = text.parse().ok()?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        Duration::try_from(length).ok().filter(|length| length.subsec_nanos() == 0)
    };
    read().ok_or_else(|| "give it as 90d, 24h, 15m or 30s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90d", Some(7_776_000)),
            ("24h", Some(86_400)),
            ("1h30m", Some(5_400)),
            ("0s", Some(0)),
            ("-1h", None),
            ("1.5s", None),
            ("24", None),
            ("1 month", None),
            ("", None),
        ] {
            assert_eq!(duration(text).ok().map(|read| read.as_secs()), seconds, "{text}");
        }
    }
}
