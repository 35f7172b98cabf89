//! `onhand completions` and `onhand man`: made from the same definition as `--help`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::exit::{Exit, Failure, OrExit};
use super::print::print;

/// Options of `onhand completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell to complete for
    pub shell: Shell,
}

/// Options of `onhand man`.
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Command to describe; without it, onhand itself
    pub command: Option<String>,
}

/// Prints the completion script of a shell.
///
/// # Errors
/// [`Exit::Io`] when stdout cannot be written.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "onhand", &mut script);
    print(script)?;
    Ok(Exit::Ok)
}

/// Prints a manual page.
///
/// # Errors
/// [`Exit::Usage`] for a command that does not exist, [`Exit::Io`] when stdout cannot be written.
pub(crate) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut onhand = Cli::command();
    onhand.build();
    let page = match &args.command {
        None => onhand,
        Some(name) => onhand.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::new(Exit::Usage, format!("there is no command {name:?}; see onhand --help"))
        })?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).or_exit(Exit::Io, || "cannot make the manual page")?;
    print(text)?;
    Ok(Exit::Ok)
}
