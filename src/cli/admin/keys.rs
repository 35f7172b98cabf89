//! `onhand keys rotate`: other keys for the access tokens of people.

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::options::{AdminOptions, with_exit_codes};
use crate::admin::output::done;
use crate::terminal::run_client;
use clap::{Args, Subcommand};
use http::Method;
use onhand_runtime::exit::{Exit, Failure};
use serde_json::json;

/// Rotate the keys that sign access tokens
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand keys rotate
  onhand keys rotate --revoke        the key is known to others"))]
pub struct KeysArgs {
    #[command(flatten)]
    node: AdminOptions,

    #[command(subcommand)]
    verb: KeysVerb,
}

#[derive(Subcommand, Debug)]
enum KeysVerb {
    /// Sign with another key from now on
    Rotate {
        /// Refuse at once what was signed before, as the key is known to others: persons go on with their refresh tokens or log in
        /// again, and signed tokens of teams have to be issued anew
        #[arg(long)]
        revoke: bool,
    },
}

/// Rotates the keys. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &KeysArgs, open: OpenNode) -> Result<Exit, Failure> {
    let KeysVerb::Rotate { revoke } = args.verb;
    run_client::run(async {
        let connection = Connection::open(&args.node, open).await?;
        let answer = connection
            .change(Method::POST, "/auth/keys/rotate", Some(&json!({ "revoke": revoke })), None)
            .await;
        let printed = answer.and_then(|answer| {
            done(args.node.output, &answer.body, "access tokens are signed with another key")
        });
        connection.close(printed.map(|()| Exit::Ok))
    })
}
