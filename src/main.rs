//! The `onhand` binary: parse, run the command, leave with its exit code.

use std::process::ExitCode;

use onhand::Cli;
use onhand_cli::leave;

fn main() -> ExitCode {
    leave(Cli::run_arguments())
}
