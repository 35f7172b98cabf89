//! `onhand token`: tokens of programs, tills, teams and nodes. The text of a token is printed once, when it is made.

mod entry;
mod options;

use crate::admin::connection::{Connection, OpenNode};
use crate::admin::grants::{GrantArgs, shown, shown_in};
use crate::admin::options::Output;
use crate::admin::output::{done, is, list, secret, text};
use crate::terminal::client::query_value;
use crate::terminal::run_client;
use http::Method;
use onhand_domain::identity::TokenKind;
use onhand_runtime::exit::{Exit, Failure};
pub use options::TokenArgs;
use options::TokenVerb;
pub(super) use options::duration;
use serde_json::{Value, json};
use std::time::Duration;

/// Runs one of the subcommands. `open` opens a data directory without a server.
///
/// # Errors
/// Those of the connection, and what the node refuses.
pub fn run(args: &TokenArgs, open: OpenNode) -> Result<Exit, Failure> {
    if let TokenVerb::New { name, kind, grants, expires } = &args.verb {
        return entry::print(args.node.output, name, (*kind).into(), &grants.grants()?, *expires);
    }
    run_client::run(async {
        let connection = Connection::open(&args.node, open).await?;
        let outcome = act(&connection, &args.verb, args.node.output).await;
        connection.close(outcome.map(|()| Exit::Ok))
    })
}

async fn act(connection: &Connection, verb: &TokenVerb, output: Output) -> Result<(), Failure> {
    match verb {
        TokenVerb::Create { name, kind, grants, expires } => {
            let body = create(connection, name, (*kind).into(), grants, *expires).await?;
            secret(output, &body, text(&body, "token"), &about(&body, &grants_of(grants)?))
        }
        TokenVerb::List => {
            let tokens = connection.list("/tokens").await?;
            let columns = ["id", "name", "kind", "principal", "created", "expires", "state"];
            list(output, &tokens, columns, |token| {
                let state = if is(token, "revoked") { "revoked" } else { "good until it expires" };
                let members = ["tokenId", "name", "kind", "principalId", "createdAt", "expiresAt"];
                let [id, name, kind, principal, created, expires] =
                    members.map(|member| text(token, member).to_owned());
                [id, name, kind, principal, created, expires, state.to_owned()]
            })
        }
        TokenVerb::Rotate { id, grace } => {
            let path = format!("/tokens/{}/rotate", query_value(id));
            let seconds = grace.as_secs();
            let body = json!({ "graceSeconds": seconds });
            let body = connection.change(Method::POST, &path, Some(&body), None).await?.body;
            let old = if seconds == 0 {
                "not good any more".to_owned()
            } else {
                format!("good for {seconds} s more")
            };
            let hint = format!("{}; the old token {id} is {old}", about(&body, ""));
            secret(output, &body, text(&body, "token"), &hint)
        }
        TokenVerb::Revoke { id } => {
            let path = format!("/tokens/{}", query_value(id));
            let body = connection.change(Method::DELETE, &path, None::<&Value>, None).await?.body;
            done(output, &body, &format!("the token {id} is revoked"))
        }
        TokenVerb::New { .. } => unreachable!("it needs no node"),
    }
}

/// Issues a token.
pub(super) async fn create(
    connection: &Connection,
    name: &str,
    kind: TokenKind,
    grants: &GrantArgs,
    expires: Option<Duration>,
) -> Result<Value, Failure> {
    let mut body = json!({ "kind": kind, "name": name, "grants": grants.grants()? });
    if let (Some(expires), Some(members)) = (expires, body.as_object_mut()) {
        members.insert("expiresInSeconds".to_owned(), expires.as_secs().into());
    }
    Ok(connection.change(Method::POST, "/tokens", Some(&body), None).await?.body)
}

/// A new token in a sentence, without its text.
pub(super) fn about(body: &Value, grants: &str) -> String {
    let [id, name, expires] = ["tokenId", "name", "expiresAt"].map(|member| text(body, member));
    let grants = if grants.is_empty() { shown_in(body) } else { grants.to_owned() };
    let may = if grants.is_empty() { String::new() } else { format!(" ({grants})") };
    format!("the token {id} of {name}{may} is good until {expires}; its text is shown only this once")
}

fn grants_of(grants: &GrantArgs) -> Result<String, Failure> {
    Ok(grants.grants()?.iter().map(shown).collect::<Vec<_>>().join(", "))
}
