//! `onhand access explain`: whether somebody may do something, and why.

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::grants::shown;
use crate::admin::options::{AdminOptions, Output, with_exit_codes};
use crate::admin::output::{is, text};
use crate::terminal::client::query_value;
use crate::terminal::print::{print, print_line};
use crate::terminal::run_client;
use clap::{Args, Subcommand};
use http::Method;
use onhand_domain::identity::Grant;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Say whether somebody may send a request, and why
#[derive(Args, Debug)]
#[command(after_long_help = with_exit_codes!("\
  onhand access explain ada POST /stores/PARIS/inventory/TEA/adjust
  onhand access explain till-3 GET /stock/current
  onhand access explain till-3 POST /inventory/batch --body batch.json

Exit code 0 is yes, 1 is no."))]
pub struct AccessArgs {
    #[command(flatten)]
    node: AdminOptions,

    #[command(subcommand)]
    verb: AccessVerb,
}

#[derive(Subcommand, Debug)]
enum AccessVerb {
    /// Say which permission a request needs, and which grants give it
    Explain {
        /// Login or id of a person, id of another principal, or id or name of a token
        who: String,
        /// Method
        method: String,
        /// Path
        path: String,
        /// File with the body, in JSON: of a batch or a till it decides what is needed
        #[arg(long, value_name = "FILE")]
        body: Option<PathBuf>,
    },
}

/// Asks, and prints the verdict. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &AccessArgs, open: OpenNode) -> Result<Exit, Failure> {
    let AccessVerb::Explain { who, method, path, body } = &args.verb;
    let body = body.as_deref().map(json_in).transpose()?;
    let [principal, method, path] = [who, method, path].map(|text| query_value(text));
    let address = format!("/auth/explain?principal={principal}&method={method}&path={path}");
    run_client::run(async {
        let connection = Connection::open(&args.node, open).await?;
        let answer = match &body {
            Some(body) => connection.change(Method::POST, &address, Some(body), None).await,
            None => connection.get(&address).await,
        };
        connection.close(answer.and_then(|answer| verdict(&answer.body, args.node.output)))
    })
}

fn json_in(file: &Path) -> Result<Value, Failure> {
    let bytes = std::fs::read(file).or_exit(Exit::NoInput, || format!("cannot read {}", file.display()))?;
    serde_json::from_slice(&bytes).or_exit(Exit::Data, || format!("{} is not JSON", file.display()))
}

fn verdict(body: &Value, output: Output) -> Result<Exit, Failure> {
    if output == Output::Json {
        print_line(body)?;
    } else {
        print(sentences(body))?;
    }
    Ok(if is(body, "allowed") { Exit::Ok } else { Exit::Failed })
}

fn sentences(body: &Value) -> String {
    let answer = if is(body, "allowed") { "yes" } else { "no" };
    let mut lines = vec![format!("{answer}: {}", text(body, "reason"))];
    for (name, member) in [
        ("principal", "principalId"),
        ("route", "route"),
        ("needs", "needs"),
        ("store", "scope"),
        ("mode", "mode"),
    ] {
        let value = text(body, member);
        if !value.is_empty() {
            lines.push(format!("  {name:<9}  {value}"));
        }
    }
    for explained in body.get("grants").and_then(Value::as_array).into_iter().flatten() {
        let grant =
            explained.get("grant").cloned().and_then(|grant| serde_json::from_value::<Grant>(grant).ok());
        let grant = grant.as_ref().map(shown).unwrap_or_default();
        lines.push(format!("  grant      {grant}: {}", text(explained, "why")));
    }
    lines.join("\n") + "\n"
}
