//! How a command ends: the exit codes (those of sysexits.h, so that scripts may rely on them) and the failure
//! that carries one out to `main`.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// What the exit code of the process says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
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

/// The codes as `--help` lists them.
pub const EXIT_CODES: &str = "\
Exit codes:
   0  done
   1  ended otherwise than asked: shutdown aborted, threshold missed, interrupted
   2  the command line cannot be understood
  65  data damaged or wrong: corrupt log, a finding of verify, not such a CSV file
  66  input file missing or not readable
  69  server not reachable, or it refused
  70  internal error
  73  directory or file cannot be created
  74  reading or writing failed
  75  data directory in use by another process
  77  permission denied
  78  bad settings";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what was asked, and the code to leave with.
#[derive(Debug)]
pub struct Failure {
    /// The code of the process.
    pub exit: Exit,
    /// What a person is told: what happened, where, what to do.
    pub error: anyhow::Error,
}

impl Failure {
    /// A failure told in words.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, error: anyhow::Error::msg(message.into()) }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

/// Gives an error the exit code that fits the place where it happened.
pub trait OrExit<T> {
    /// Leaves with `exit`, after saying what was being done.
    fn or_exit<M: Display>(self, exit: Exit, doing: impl FnOnce() -> M) -> Result<T, Failure>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> OrExit<T> for Result<T, E> {
    fn or_exit<M: Display>(self, exit: Exit, doing: impl FnOnce() -> M) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: anyhow::Error::new(error).context(doing().to_string()) })
    }
}

/// Ends the process: a failure is told on stderr, once.
pub fn leave(outcome: Result<Exit, Failure>) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("onhand: {failure}");
            failure.exit.into()
        }
    }
}
