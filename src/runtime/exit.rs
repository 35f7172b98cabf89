//! How a process ends: the exit codes (those of sysexits.h, so that scripts may rely on them) and the failure that carries
//! one out to `main`.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// The exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command succeeded.
    Ok = 0,
    /// The command ended with a negative result: an aborted shutdown, a failed threshold, an interrupt.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// Data is damaged or invalid: a corrupt log, a finding of `verify`, a file that is no valid CSV.
    Data = 65,
    /// An input file is missing or cannot be read.
    NoInput = 66,
    /// The server cannot be reached, or rejected the request.
    Unavailable = 69,
    /// A bug: an invariant of the program does not hold.
    Internal = 70,
    /// A directory or file cannot be created.
    CannotCreate = 73,
    /// Reading or writing failed.
    Io = 74,
    /// Another process holds the data directory.
    Locked = 75,
    /// The system denied access.
    Permission = 77,
    /// A setting has a bad value.
    Settings = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The reason why a command failed, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code of the process.
    pub exit: Exit,
    /// The message for a person: the cause, the place, the remedy.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure with a message of its own instead of an underlying error.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, error: anyhow::Error::msg(message.into()) }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// Turns an error into a failure with the exit code of the place where it happened.
pub trait OrExit<T> {
    /// Fails with `exit`; `doing` names the action that failed.
    fn or_exit<M: Display>(self, exit: Exit, doing: impl FnOnce() -> M) -> Result<T, Failure>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> OrExit<T> for Result<T, E> {
    fn or_exit<M: Display>(self, exit: Exit, doing: impl FnOnce() -> M) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: anyhow::Error::new(error).context(doing().to_string()) })
    }
}
