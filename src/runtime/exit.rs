//! How a process ends: the exit codes (those of sysexits.h, so that scripts may rely on them) and the failure that carries
//! one out to `main`.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// The exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command did what was asked.
    Ok = 0,
    /// Ended otherwise than asked: an aborted shutdown, a failed threshold, an interrupt.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Data is damaged or wrong: a corrupt log, a finding of `verify`, a file that is no such CSV.
    Data = 65,
    /// An input file is missing or cannot be read.
    NoInput = 66,
    /// The server cannot be reached, or refused.
    Unavailable = 69,
    /// A broken invariant of the program itself.
    Internal = 70,
    /// A directory or file cannot be created.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// Another process holds the data directory.
    Locked = 75,
    /// The system forbids it.
    Permission = 77,
    /// A setting has a bad value.
    Settings = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The reason why a command did not do what was asked, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The code of the process.
    pub exit: Exit,
    /// The message for a person: what happened, where, what to do.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure with a message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, error: anyhow::Error::msg(message.into()) }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// Turns an error into a failure with the exit code that fits the place where it happened.
pub trait OrExit<T> {
    /// Fails with `exit`; `doing` says what was being done.
    fn or_exit<M: Display>(self, exit: Exit, doing: impl FnOnce() -> M) -> Result<T, Failure>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> OrExit<T> for Result<T, E> {
    fn or_exit<M: Display>(self, exit: Exit, doing: impl FnOnce() -> M) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: anyhow::Error::new(error).context(doing().to_string()) })
    }
}
