//! A data directory with a file of identity beside it, and entries for the file.

use super::super::api::Api;
use super::super::process::{Ended, Node, PROGRAM, onhand, run};
use super::bearer;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A token and its entry, as `onhand token new` prints them.
pub(super) struct New {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) entry: String,
}

pub(super) fn token(name: &str, grant: &[&str]) -> New {
    let made = run(onhand(&[&["token", "new", name, "--output", "json"][..], grant].concat()));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    New { id: text("tokenId"), token: bearer(&text("token")), entry: text("entry") }
}

/// The entry of a person, as `onhand user new` prints it.
pub(super) fn person(login: &str, grant: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(["user", "new", login, "--password-stdin"]).args(grant);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let entry = String::from_utf8(output.stdout).unwrap();
    assert!(entry.contains("password_hash = \"$argon2id$") && !entry.contains("horse"), "{entry}");
    entry
}

/// A data directory, and a file of identity beside it.
pub(super) struct Place {
    directory: TempDir,
}

impl Place {
    pub(super) fn new(entries: &[&str]) -> Self {
        let place = Self { directory: TempDir::new().unwrap() };
        place.write(entries);
        place
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("identity.toml")
    }

    pub(super) fn write(&self, entries: &[&str]) {
        fs::write(self.file(), entries.join("\n")).unwrap();
    }

    pub(super) fn start(&self) -> Node {
        Node::start(&self.data(), &["--identity-file", self.file().to_str().unwrap()])
    }

    /// The end of a node that does not start.
    pub(super) fn not_started(&self) -> Ended {
        let file = self.file();
        let options = ["--identity-file", file.to_str().unwrap()];
        let started = Node::try_start_as(Command::new(PROGRAM), &self.data(), &options);
        started.map(drop).expect_err("it does not start")
    }

    /// Writes the file and has the node read it; returns once the log says what became of it.
    pub(super) async fn reload(&self, node: &Node, entries: &[&str], outcome: &str) {
        let said = || node.process.said("stderr").matches(outcome).count();
        let before = said();
        self.write(entries);
        node.process.signal(Signal::HUP);
        let begun = Instant::now();
        while said() == before {
            assert!(begun.elapsed() < WAIT_MAX, "{}", node.process.said("stderr"));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A node that has not read its file by then hangs.
const WAIT_MAX: Duration = Duration::from_secs(60);

pub(super) const APPLIED: &str = "the file of identity is applied";
pub(super) const NOT_APPLIED: &str = "the file of identity was not applied";

/// Every file of log and vault with its bytes, except for those that a start writes anew.
pub(super) fn bytes(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![data.join("identity"), data.join("log")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json" || extension == "jsonl") {
                files.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    files
}

pub(super) async fn status(api: &Api, token: &New) -> u16 {
    api.get_with("/auth/me", &[("authorization", &token.token)]).await.status
}
