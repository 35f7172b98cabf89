//! The `onhand` binary: parse, run the command, leave with its exit code.

use std::process::ExitCode;

use clap::Parser;
use onhand::Cli;
use onhand_cli::leave;

fn main() -> ExitCode {
    leave(Cli::parse().run())
}
