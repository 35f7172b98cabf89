//! Paths and file names under a data directory.
//!
//! ```text
//! node.json                       node id, format, created
//! LOCK                            advisory lock of the writing process, which locks the directory itself, too; pid and version inside
//! log/00000000000000000001.jsonl  segments, named by the first sequence in them
//! log/00000000000000000001.idx    index of a sealed segment, derived from it
//! log/mark                        last durable sequence, two slots
//! log/ballast                     takes up room, and is removed when the disk is full
//! snapshots/node-<sequence>.json  the states after that sequence; two kept
//! alerts-sent                     up to which sequence alerts were sent by the webhook
//! admin.sock                      socket of a running `serve` for its owner and root
//! archive/<20 digits>.jsonl.zst   segments that a start no longer needs, compressed
//! central/LOCK                    advisory lock of the one worker; pid and version inside
//! central/central-<sequence>.json central model and checkpoints of all sources; two kept
//! dead-letters/dead-letters.jsonl events the worker could not apply
//! audit/                          refused requests, logins, exports of lists; described in the package of the audit trail
//! identity/                       names, verifiers of tokens and passwords; described in the package of the vault
//! ```
//!
//! When several processes share the data directory (`LOCKS_ENABLED`), each has a directory of its own with all of
//! the above but the last three, and `LOCK` is held by all of them together:
//!
//! ```text
//! nodes/<number>/                 node.json, LOCK, log/, snapshots/, archive/, alerts-sent, admin.sock of one process
//! nodes/<number>/term             its term, and where its log ends for good when another process ended the one before
//! nodes/<number>/alive            counts up as long as the process renews its leases, and notes its log time
//! nodes/<number>/wanted           leases of this process that others ask for
//! locks/                          leases; LOCK_DIR may put them elsewhere
//! ```
//! Directories have mode 0700, files 0600. A name ending in `.tmp` is an unfinished file of a process that was
//! killed.

use onhand_domain::Sequence;
use std::path::{Path, PathBuf};

/// All paths under one data directory.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout under `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The data directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path of `node.json`, the node's identity.
    pub fn node(&self) -> PathBuf {
        self.root.join("node.json")
    }

    /// Path of `LOCK`, the lock file of the writing process.
    pub fn lock(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    /// Path of `log/`, the directory of segments.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Path of `log/mark`, the last durable sequence.
    pub fn mark(&self) -> PathBuf {
        self.log().join("mark")
    }

    /// Path of `log/ballast`, the space reserve.
    pub fn ballast(&self) -> PathBuf {
        self.log().join("ballast")
    }

    /// Path of the segment that begins with that sequence.
    pub fn segment(&self, first: Sequence) -> PathBuf {
        self.log().join(format!("{:020}.jsonl", first.0))
    }

    /// Path of the index of the segment that begins with that sequence.
    pub fn index(&self, first: Sequence) -> PathBuf {
        self.log().join(format!("{:020}.idx", first.0))
    }

    /// Path of `archive/`, the directory of compressed segments.
    pub fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// Path of the archived segment that begins with that sequence.
    pub fn archived(&self, first: Sequence) -> PathBuf {
        self.archive().join(format!("{:020}.jsonl.zst", first.0))
    }

    /// Path of `snapshots/`, the directory of snapshots.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// Path of the snapshot after that sequence.
    pub fn snapshot(&self, sequence: Sequence) -> PathBuf {
        self.snapshots().join(format!("node-{}.json", sequence.0))
    }

    /// Path of `alerts-sent`, the webhook's checkpoint.
    pub fn alerts_sent(&self) -> PathBuf {
        self.root.join("alerts-sent")
    }

    /// Path of `admin.sock`, the local socket of a running `serve`.
    pub fn admin_socket(&self) -> PathBuf {
        self.root.join("admin.sock")
    }

    /// Path of `central/`, the directory of the central model.
    pub fn central(&self) -> PathBuf {
        self.root.join("central")
    }

    /// `central/LOCK`: held by the one worker that writes central model and dead letters.
    pub fn central_lock(&self) -> PathBuf {
        self.central().join("LOCK")
    }

    /// Path of the central model that contains that many events.
    pub fn central_file(&self, sequence: Sequence) -> PathBuf {
        self.central().join(format!("central-{}.json", sequence.0))
    }

    /// Path of `nodes/`; it exists when several processes share the data directory.
    pub fn nodes(&self) -> PathBuf {
        self.root.join("nodes")
    }

    /// `nodes/<number>/`, laid out like a data directory.
    #[must_use]
    pub fn member(&self, number: u16) -> Self {
        Self { root: self.nodes().join(number.to_string()) }
    }

    /// Path of `term`, the current term of a member.
    pub fn term(&self) -> PathBuf {
        self.root.join("term")
    }

    /// Path of `alive`, the sign of life of a member.
    pub fn alive(&self) -> PathBuf {
        self.root.join("alive")
    }

    /// Path of `wanted`, the leases that others request from a member.
    pub fn wanted(&self) -> PathBuf {
        self.root.join("wanted")
    }

    /// Path of `audit/`, the directory of the audit trail.
    pub fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// Path of `dead-letters/`, the directory of dead letters.
    pub fn dead_letters(&self) -> PathBuf {
        self.root.join("dead-letters")
    }

    /// Path of `dead-letters/dead-letters.jsonl`, the file of all dead letters.
    pub fn dead_letter_file(&self) -> PathBuf {
        self.dead_letters().join("dead-letters.jsonl")
    }
}

/// The path under which a file is written before it gets its name.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// The first sequence in a segment's file name.
pub fn segment_first(name: &str) -> Option<Sequence> {
    let digits = name.strip_suffix(".jsonl").filter(|digits| digits.len() == 20)?;
    digits.parse().ok().map(Sequence)
}

/// The first sequence in an archived segment's file name.
pub fn archived_first(name: &str) -> Option<Sequence> {
    segment_first(name.strip_suffix(".zst")?)
}

/// The sequence in a snapshot's file name.
pub fn snapshot_sequence(name: &str) -> Option<Sequence> {
    name.strip_prefix("node-")?.strip_suffix(".json")?.parse().ok().map(Sequence)
}

/// The sequence in a central model's file name.
pub fn central_sequence(name: &str) -> Option<Sequence> {
    name.strip_prefix("central-")?.strip_suffix(".json")?.parse().ok().map(Sequence)
}
