//! `onhand node add`: a token for another node, which follows the feed of this one.

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::grants::GrantArgs;
use crate::admin::options::{AdminOptions, with_exit_codes};
use crate::admin::output::secret;
use crate::admin::{output, token};
use crate::terminal::run_client;
use clap::{Args, Subcommand};
use onhand_domain::identity::{Role, TokenKind};
use onhand_runtime::exit::{Exit, Failure};
use std::time::Duration;

/// Let another node follow this one
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand node add centre > token && chmod 600 token      on this node; then, on the other one:
  onhand serve --source http://berlin:3000               with SYNC_TOKEN_FILE=token"))]
pub struct NodeArgs {
    #[command(flatten)]
    node: AdminOptions,

    #[command(subcommand)]
    verb: NodeVerb,
}

#[derive(Subcommand, Debug)]
enum NodeVerb {
    /// Make a token with the role node, and print its text
    Add {
        /// Name of the other node, for people
        name: String,
        /// How long it is good, such as 30d or 12h; 400d at most [default: 90d]
        #[arg(long, value_name = "DURATION", value_parser = token::duration)]
        expires: Option<Duration>,
    },
}

/// Issues the token. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &NodeArgs, open: OpenNode) -> Result<Exit, Failure> {
    let NodeVerb::Add { name, expires } = &args.verb;
    run_client::run(async {
        let connection = Connection::open(&args.node, open).await?;
        let role = GrantArgs::of_role(Role::Node);
        let made = token::create(&connection, name, TokenKind::Node, &role, *expires).await;
        let printed = made.and_then(|body| {
            let hint = format!(
                "{}\nput it into a file on the other node (mode 600), and name that in SYNC_TOKEN_FILE",
                token::about(&body, "node")
            );
            secret(args.node.output, &body, output::text(&body, "token"), &hint)
        });
        connection.close(printed.map(|()| Exit::Ok))
    })
}
