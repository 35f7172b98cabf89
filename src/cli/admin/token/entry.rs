//! `onhand token new`: a fresh token and its entry for `IDENTITY_FILE`, made without a node.

use crate::admin::options::Output;
use crate::terminal::print::print_line;
use onhand_app::ports::Clock;
use onhand_disk::clock::SystemClock;
use onhand_domain::identity::{Grant, TokenId, TokenKind};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_vault::identity_file::token_entry;
use onhand_vault::random_bytes;
use onhand_vault::token::TokenText;
use serde_json::json;
use std::time::Duration;

/// Prints the entry to stdout, to be appended to the file, and the text of the token to stderr, so that no redirection takes it
/// into the file. As JSON, both are on stdout.
pub(super) fn print(
    output: Output,
    name: &str,
    kind: TokenKind,
    grants: &[Grant],
    life: Option<Duration>,
) -> Result<Exit, Failure> {
    let random = || random_bytes().or_exit(Exit::Io, || "cannot make a token");
    let id = TokenId::of_random(&random()?);
    let text = TokenText::issue(kind, &id, random()?);
    let seconds = life.map(|life| i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
    let expires = seconds.map(|seconds| SystemClock.now().plus_seconds(seconds));
    let entry = token_entry(&id, name, kind, &TokenText::sha256(&text), grants, expires);
    if output == Output::Json {
        print_line(json!({ "tokenId": id, "token": text, "entry": entry }))?;
    } else {
        print_line(entry.trim_end())?;
        eprintln!(
            "{text}\nthis is the token, shown only this once; the entry for IDENTITY_FILE has its hash"
        );
    }
    Ok(Exit::Ok)
}
