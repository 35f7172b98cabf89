//! The `onhand` binary: parse, run the command, leave with its exit code.

use std::process::ExitCode;

use clap::Parser;
use onhand::cli::{Cli, leave};

fn main() -> ExitCode {
    leave(Cli::parse().run())
}
