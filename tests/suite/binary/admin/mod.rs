//! The commands of identity: the same over the local socket, on the files and over HTTP; the file that declares people and tokens.

mod commands;
mod file;
mod people;
mod place;

pub(super) use file::declared_token_revoked;

use super::process::{Ended, onhand, run};
use serde_json::Value;
use std::path::Path;

/// Runs a command on a data directory.
#[track_caller]
fn on(data_dir: &Path, arguments: &[&str]) -> Ended {
    let mut command = onhand(arguments);
    command.arg("--data-dir").arg(data_dir);
    run(command)
}

/// As [`on`]; it must succeed. Returns its stdout.
#[track_caller]
fn done(data_dir: &Path, arguments: &[&str]) -> String {
    let ended = on(data_dir, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// As [`done`], with the result as JSON.
#[track_caller]
fn json_of(data_dir: &Path, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
    serde_json::from_str(&done(data_dir, &arguments)).unwrap()
}

/// The value of `Authorization` for a token.
fn bearer(token: &str) -> String {
    format!("Bearer {}", token.trim())
}
