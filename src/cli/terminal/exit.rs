//! The end of a command as the caller of the program sees it: exit code, message on stderr, and the list in `--help`.

use onhand_config::SettingFault;
use onhand_runtime::exit::{Exit, Failure};
use std::fmt::Write as _;
use std::process::ExitCode;

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

/// Prints a failure to stderr, once, and returns the exit code of the process.
pub fn leave(outcome: Result<Exit, Failure>) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprintln!("onhand: {failure}");
            failure.exit.into()
        }
    }
}

/// Lists every fault on its own line, so that one start shows all of them.
pub fn bad_settings(faults: &[SettingFault]) -> Failure {
    let mut message = String::from("not started, because of bad settings");
    for fault in faults {
        // Writing to a String cannot fail.
        let _ = write!(message, "\n  {fault}");
    }
    message.push_str("\nsee --help of the command");
    Failure::new(Exit::Settings, message)
}
