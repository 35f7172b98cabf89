//! A mount namespace of its own, in which a story can mount anything without effect on the machine. Needs root.

use super::process::PROGRAM;
use super::skipped;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Keeps the namespace open while it lives.
#[derive(Debug)]
pub(super) struct Room {
    keeper: Child,
    directory: TempDir,
}

impl Room {
    /// Opens a namespace and runs `script` in it, a piece of `sh` with a fresh directory as `$1`, the mount point.
    ///
    /// None, after printing a loud line, when this machine does not allow it.
    pub(super) fn open(story: &str, script: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped(story, "it mounts a file system, which only root may");
            return None;
        }
        let directory = TempDir::new().unwrap();
        let script = format!("set -e; {script}\necho ready; exec cat");
        let keeper = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script, "room"])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut keeper = match keeper {
            Ok(keeper) => keeper,
            Err(error) => {
                skipped(story, &format!("unshare does not start: {error}"));
                return None;
            }
        };
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line != "ready\n" {
            let mut why = String::new();
            keeper.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            keeper.wait().unwrap();
            skipped(story, &format!("this machine does not let it mount: {}", why.trim()));
            return None;
        }
        Some(Self { keeper, directory })
    }

    /// The mount point, as seen from inside.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A program to run inside. It keeps the process id of the spawned child.
    pub(super) fn command(&self, program: &str) -> Command {
        let namespace = PathBuf::from(format!("/proc/{}/ns/mnt", self.keeper.id()));
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount={}", namespace.display())).arg("--").arg(program);
        command
    }

    /// `onhand`, to run inside.
    pub(super) fn onhand(&self) -> Command {
        self.command(PROGRAM)
    }

    /// Runs a piece of `sh` inside, with the mount point as `$1`; returns its output.
    #[track_caller]
    pub(super) fn sh(&self, script: &str) -> String {
        let output =
            self.command("sh").args(["-ec", script, "room"]).arg(self.path()).output().expect("sh starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Both fail only when it has ended already. The mounts go with the last process inside.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
