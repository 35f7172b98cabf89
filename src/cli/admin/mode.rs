//! `onhand mode`: the mode of the installation, shown or changed.

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::options::{AdminOptions, with_exit_codes};
use crate::admin::output::{done, text};
use crate::terminal::run_client;
use clap::{Args, ValueEnum};
use http::Method;
use onhand_domain::identity::Mode;
use onhand_runtime::exit::{Exit, Failure};
use serde_json::json;

/// Show or change the mode: while it is judging, teams of an exercise inject nothing
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand mode
  onhand mode judging"))]
pub struct ModeArgs {
    #[command(flatten)]
    node: AdminOptions,

    /// The mode from now on; without it, the present one is shown
    mode: Option<ModeName>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    Development,
    Judging,
}

/// Shows or changes the mode. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &ModeArgs, open: OpenNode) -> Result<Exit, Failure> {
    run_client::run(async {
        let connection = Connection::open(&args.node, open).await?;
        let answer = match args.mode {
            None => connection.get("/mode").await,
            Some(name) => {
                let mode = match name {
                    ModeName::Development => Mode::Development,
                    ModeName::Judging => Mode::Judging,
                };
                connection.change(Method::PUT, "/mode", Some(&json!({ "mode": mode })), None).await
            }
        };
        let printed =
            answer.and_then(|answer| done(args.node.output, &answer.body, text(&answer.body, "mode")));
        connection.close(printed.map(|()| Exit::Ok))
    })
}
