//! The import of orders against files, and against a small node in memory that keeps the contract and can be made to fail.

mod columns;
mod desk;
mod foreseen;
mod grouping;
mod returns;

use std::path::PathBuf;

use clap::{Args, FromArgMatches};
use tempfile::TempDir;

use super::options::ImportOrdersArgs;

/// A file of orders, and the options to import it with.
fn args(directory: &TempDir, text: &str, more: &str) -> ImportOrdersArgs {
    let path = file(directory, text);
    let command =
        ImportOrdersArgs::augment_args(clap::Command::new("import")).mut_args(|argument| argument.env(None));
    let arguments = ["import", path.to_str().unwrap()].into_iter().chain(more.split_whitespace());
    ImportOrdersArgs::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap()
}

fn file(directory: &TempDir, text: &str) -> PathBuf {
    let path = directory.path().join("orders.csv");
    std::fs::write(&path, text).unwrap();
    path
}
