//! `onhand` as a process: started, signalled, killed, waited for.

use onhand_planted::VARIABLE;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_onhand");

/// No step of any story takes this long; a process that does hangs.
const WAIT_MAX: Duration = Duration::from_secs(120);
const POLL_EVERY: Duration = Duration::from_millis(2);

/// A running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    scratch: TempDir,
}

/// The exit of a process and its output.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Process {
    /// Starts a command without the settings in the environment of the test run; its output is kept.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let scratch = TempDir::new().unwrap();
        let file = |name| File::create(scratch.path().join(name)).unwrap();
        let given: Vec<(OsString, OsString)> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command.env_clear().envs(given).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // In a test run with a planted bug, every process has it.
        command.envs(std::env::var_os(VARIABLE).map(|bug| (VARIABLE, bug)));
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, scratch }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Waits until the process ends by itself.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Ended {
        let deadline = Instant::now() + WAIT_MAX;
        while Instant::now() < deadline {
            if let Some(ended) = self.ended() {
                return ended;
            }
            std::thread::sleep(POLL_EVERY);
        }
        panic!("it does not end; it said:\n{}", self.said("stderr"));
    }

    /// Sends SIGKILL, and returns when the process has ended.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        Ended { code: status.code(), stdout: self.said("stdout"), stderr: self.said("stderr") }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn ended(&mut self) -> Option<Ended> {
        let status = self.child.try_wait().unwrap()?;
        Some(Ended { code: status.code(), stdout: self.said("stdout"), stderr: self.said("stderr") })
    }

    /// The output so far, on `stdout` or `stderr`.
    pub(crate) fn said(&self, name: &str) -> String {
        let bytes = fs::read(self.scratch.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with these arguments.
pub(crate) fn onhand(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    command
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn run(command: Command) -> Ended {
    Process::spawn(command).wait()
}

/// Runs `onhand verify` on a data directory that is not in use: it must be sound.
#[track_caller]
pub(crate) fn verify(data_dir: &Path) -> String {
    let mut command = onhand(&["verify", "--data-dir"]);
    command.arg(data_dir);
    let ended = run(command);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// A node that accepts requests.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Process,
    pub(crate) url: String,
}

impl Node {
    /// Starts a node on a data directory and, unless the options name one, a free port.
    #[track_caller]
    pub(crate) fn start(data_dir: &Path, options: &[&str]) -> Self {
        Self::start_as(Command::new(PROGRAM), data_dir, options)
    }

    /// As [`Self::start`], with the program started in another way, such as in a room.
    #[track_caller]
    pub(crate) fn start_as(program: Command, data_dir: &Path, options: &[&str]) -> Self {
        match Self::try_start_as(program, data_dir, options) {
            Ok(node) => node,
            Err(ended) => {
                panic!("the node did not start: {:?}\n{}{}", ended.code, ended.stdout, ended.stderr)
            }
        }
    }

    /// As [`Self::start_as`], for a node that may end instead.
    pub(crate) fn try_start_as(
        mut program: Command,
        data_dir: &Path,
        options: &[&str],
    ) -> Result<Self, Ended> {
        let scratch = TempDir::new().unwrap();
        let ready = scratch.path().join("ready");
        let port: &[&str] = if options.contains(&"--port") { &[] } else { &["--port", "0"] };
        // All clients of a story have one address; where the limit is the subject, the options of the story set it.
        program.env("RATE_LIMIT_RPS", "0").env("LOAD_SHED_QUEUE_MAX", "10000");
        program.arg("serve").args(port).arg("--ready-file").arg(&ready);
        program.arg("--data-dir").arg(data_dir).args(options);
        let mut process = Process::spawn(program);
        let deadline = Instant::now() + WAIT_MAX;
        while Instant::now() < deadline {
            if let Ok(url) = fs::read_to_string(&ready) {
                return Ok(Self { process, url });
            }
            if let Some(ended) = process.ended() {
                return Err(ended);
            }
            std::thread::sleep(POLL_EVERY);
        }
        panic!("the node is neither ready nor gone; it said:\n{}", process.said("stderr"));
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// Sends SIGTERM; the process must end with success.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.process.signal(Signal::TERM);
        let ended = self.process.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}
