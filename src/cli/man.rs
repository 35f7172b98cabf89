//! `onhand man`: a manual page, generated from the same definition as `--help`.

use crate::terminal::print::print;
use clap::{Args, Command};
use onhand_runtime::exit::{Exit, Failure, OrExit};

/// Options of `onhand man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// Command to describe; without it, onhand itself
    pub command: Option<String>,
}

/// Prints a manual page; `onhand` is the definition of the command line.
///
/// # Errors
/// [`Exit::Usage`] for a command that does not exist, [`Exit::Io`] when stdout cannot be written.
pub fn run(args: &ManArgs, mut onhand: Command) -> Result<Exit, Failure> {
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
