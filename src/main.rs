//! The `onhand` binary: parse, run the command, leave with its exit code.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use onhand::cli::{Cli, leave};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    leave(Cli::parse().run())
}
