//! Options that the commands of identity share: which node, and how the result is printed.

use crate::terminal::client::server_url;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The heading of these options in `--help`.
const NODE: &str = "Node and output";

/// The node that a command is about.
#[derive(Args, Debug)]
pub(super) struct AdminOptions {
    /// Base URL of the node, which gets the token in `ONHAND_TOKEN`. Without it: the node of --data-dir
    #[arg(long, env = "ONHAND_SERVER", value_name = "URL", value_parser = server_url, global = true)]
    #[arg(help_heading = NODE)]
    pub(super) server: Option<String>,

    /// Data directory, for its owner and root: over its local socket while a server runs, else on its files
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data", global = true)]
    #[arg(help_heading = NODE)]
    pub(super) data_dir: PathBuf,

    /// Form of the result on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table", global = true)]
    #[arg(help_heading = NODE)]
    pub(super) output: Output,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people; of something new, its secret alone.
    Table,
    /// The answer of the node, on one line.
    Json,
}

/// The exit codes of every command of identity, for `--help`.
macro_rules! with_exit_codes {
    ($examples:literal) => {
        concat!(
            "Examples:\n  ",
            $examples,
            "\n\nExit codes:\n   0  done\n   2  the command line cannot be understood\n  66  there is no such data \
             directory\n  69  the server could not be reached, or refused\n  75  a process has the data directory and does \
             not answer on its local socket\n  77  not allowed: no good token, a permission is missing, or the directory is \
             of another user"
        )
    };
}

pub(super) use with_exit_codes;
