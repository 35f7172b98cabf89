//! `onhand completions`: a script for the shell, generated from the same definition as `--help`.

use crate::cli::terminal::print::print;
use crate::runtime::exit::{Exit, Failure};
use clap::{Args, Command};
use clap_complete::Shell;

/// Options of `onhand completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell to complete for
    pub shell: Shell,
}

/// Prints the completion script of a shell; `onhand` is the definition of the command line.
///
/// # Errors
/// [`Exit::Io`] when stdout cannot be written.
pub(crate) fn run(args: &CompletionsArgs, mut onhand: Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut onhand, "onhand", &mut script);
    print(script)?;
    Ok(Exit::Ok)
}
