//! `onhand completions`: a script for the shell, generated from the same definition as `--help`.

use crate::terminal::print::print;
use clap::{Args, Command};
use clap_complete::Shell;
use onhand_runtime::exit::{Exit, Failure};

/// Options of `onhand completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Shell to complete for
    pub shell: Shell,
}

/// Prints the completion script of a shell; `onhand` is the definition of the command line.
///
/// # Errors
/// [`Exit::Io`] when stdout cannot be written.
pub fn run(args: &CompletionsArgs, mut onhand: Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut onhand, "onhand", &mut script);
    print(script)?;
    Ok(Exit::Ok)
}
