//! A node as a child process: `demo` and `bench` start one for themselves, and so do the tests.
//!
//! The child gets port 0 and a ready file; it writes its address there once it accepts requests, so the parent needs no
//! guess of a free port or of the duration of a start.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use onhand_runtime::exit::{Exit, Failure, OrExit};

const START_MAX: Duration = Duration::from_secs(60);
const POLL_EVERY: Duration = Duration::from_millis(5);
const LOG_TAIL_LINES: usize = 12;

/// A running `onhand serve`. Killed and waited for when dropped.
#[derive(Debug)]
pub struct ChildServer {
    process: Child,
    url: String,
    /// Holds the ready file and the child's output; removed with the child.
    scratch: TempDir,
}

impl ChildServer {
    /// Starts `program serve` on `data_dir` and a free port, and waits until it accepts requests.
    ///
    /// `arguments` are further options of `serve`. Its output is kept, see [`ChildServer::log`].
    ///
    /// # Errors
    /// [`Exit::Unavailable`] with the end of the child's output when it does not start.
    pub fn start<A: AsRef<OsStr>>(program: &Path, data_dir: &Path, arguments: &[A]) -> Result<Self, Failure> {
        Self::start_at(program, data_dir, 0, arguments)
    }

    /// As [`ChildServer::start`], on a given port, such as that of a server that was killed.
    ///
    /// # Errors
    /// As [`ChildServer::start`].
    pub fn start_at<A: AsRef<OsStr>>(
        program: &Path,
        data_dir: &Path,
        port: u16,
        arguments: &[A],
    ) -> Result<Self, Failure> {
        let scratch = TempDir::new().or_exit(Exit::CannotCreate, || "cannot make a scratch directory")?;
        let output = File::create(log_path(&scratch))
            .or_exit(Exit::CannotCreate, || "cannot keep the server's log")?;
        let errors = output.try_clone().or_exit(Exit::Io, || "cannot keep the server's log")?;
        let process = Command::new(program)
            .args(["serve", "--host", "127.0.0.1", "--port"])
            .arg(port.to_string())
            .arg("--ready-file")
            .arg(ready_path(&scratch))
            .arg("--data-dir")
            .arg(data_dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .or_exit(Exit::Unavailable, || format!("cannot start {}", program.display()))?;
        let mut child = Self { process, url: String::new(), scratch };
        child.url = child.wait_until_ready()?;
        Ok(child)
    }

    /// The path of the running program, to be started as a child of itself.
    ///
    /// # Errors
    /// [`Exit::Internal`] when the system does not report it.
    pub fn this_program() -> Result<PathBuf, Failure> {
        std::env::current_exe().or_exit(Exit::Internal, || "cannot find the program's own file")
    }

    /// Base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process id of the child.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The output of the child so far.
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.scratch)).unwrap_or_default()
    }

    /// SIGKILL: the child cannot flush anything. Returns when it has ended.
    ///
    /// # Errors
    /// [`Exit::Io`] when the system refuses.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.process.kill().or_exit(Exit::Io, || "cannot kill the server")?;
        self.process.wait().or_exit(Exit::Io, || "cannot wait for the server")?;
        Ok(())
    }

    /// SIGTERM: the child drains, flushes and ends by itself; after `wait_max` it is killed.
    ///
    /// # Errors
    /// [`Exit::Failed`] when it had to be killed.
    pub fn stop(mut self, wait_max: Duration) -> Result<ExitStatus, Failure> {
        let id =
            i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a child has a process id");
        kill_process(id, Signal::TERM).or_exit(Exit::Io, || "cannot signal the server")?;
        let deadline = Instant::now() + wait_max;
        while Instant::now() < deadline {
            if let Some(status) =
                self.process.try_wait().or_exit(Exit::Io, || "cannot wait for the server")?
            {
                return Ok(status);
            }
            std::thread::sleep(POLL_EVERY);
        }
        Err(Failure::new(Exit::Failed, format!("the server did not stop in {wait_max:?} and was killed")))
    }

    fn wait_until_ready(&mut self) -> Result<String, Failure> {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            if let Ok(url) = fs::read_to_string(ready_path(&self.scratch)) {
                return Ok(url.trim().to_owned());
            }
            if let Some(status) =
                self.process.try_wait().or_exit(Exit::Io, || "cannot wait for the server")?
            {
                return Err(self.not_started(&format!("the server ended at once ({status})")));
            }
            std::thread::sleep(POLL_EVERY);
        }
        Err(self.not_started("the server did not get ready in time"))
    }

    fn not_started(&self, what: &str) -> Failure {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(LOG_TAIL_LINES)..).unwrap_or_default();
        Failure::new(Exit::Unavailable, format!("{what}; it said:\n  {}", tail.join("\n  ")))
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // Both fail only when the child has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ready_path(scratch: &TempDir) -> PathBuf {
    scratch.path().join("ready")
}

fn log_path(scratch: &TempDir) -> PathBuf {
    scratch.path().join("serve.log")
}
