//! The audit of a whole data directory: its log, or each of several by itself and all of them as one ledger.
//!
//! Within a log the events of a key run from its creation or from a `TAKE` to the next `TAKE`, or to the end. Such
//! a stretch is a **turn**. Over all logs the turns of a key must lie end to end: no version twice, each `TAKE`
//! with exactly the final state of the turn before it, under an epoch that is not below that turn's.

use super::auditor::Auditor;
use super::report::{Audit, Finding, Take};
use super::run::{IDEMPOTENCY_TTL_MS, run};
use super::{low_stock, orders};
use crate::format::identity::DirectoryLock;
use crate::format::mark::read_mark;
use crate::sources::members::{Arrangement, arrangement, members};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenError};
use onhand_domain::{Key, Sequence, State};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;

/// The result of the audit of a data directory.
#[derive(Debug)]
pub struct DirectoryAudit {
    /// Each log with its layout: one, or several when processes share the directory.
    pub logs: Vec<(Layout, Audit)>,
    /// Contradictions between the logs; empty also when one of them is inconsistent by itself.
    pub between: Vec<Finding>,
    /// Number of alerts that do not agree with thresholds that have just changed: a running node re-evaluates them
    /// in a moment, a killed one at its next start.
    pub alerts_to_look_at: usize,
}

/// A stretch of a key's versions in one log: those above `after` up to that of `state`.
struct Turn<'a> {
    member: usize,
    after: u64,
    state: &'a State,
    /// The `TAKE` that began it; none for the first turn of a key.
    take: Option<&'a Take>,
}

/// Audits a data directory; it may be in use.
///
/// # Errors
/// [`OpenError`] when it is no data directory, or a log is unreadable.
pub fn audit_directory(disk: &dyn Disk, layout: &Layout) -> Result<DirectoryAudit, OpenError> {
    audit_directory_for(disk, layout, Some(IDEMPOTENCY_TTL_MS))
}

/// As [`audit_directory`], for a node that remembers idempotency keys for `idempotency_ttl_ms` milliseconds of log time;
/// without that, keys are not checked.
///
/// # Errors
/// As [`audit_directory`].
pub fn audit_directory_for(
    disk: &dyn Disk,
    layout: &Layout,
    idempotency_ttl_ms: Option<i64>,
) -> Result<DirectoryAudit, OpenError> {
    let found = arrangement(disk, layout).map_err(OpenError::at(&layout.nodes()))?;
    let several = match found {
        Arrangement::Alone => false,
        Arrangement::HalfShared => {
            return Err(OpenError::HalfShared { path: layout.root().to_path_buf() });
        }
        Arrangement::Shared => true,
    };
    let (layouts, marks) = durable(disk, layout)?;
    let members = if several { layouts } else { vec![layout.clone()] };
    let begin = |member| {
        let live = DirectoryLock::holder(disk, member).map_err(OpenError::at(&member.lock()))?;
        Auditor::begin(disk, member, live, several)
    };
    let auditors = members.iter().map(begin).collect::<Result<Vec<_>, _>>()?;
    let audits = run(auditors, idempotency_ttl_ms);
    let logs: Vec<(Layout, Audit)> = members.iter().cloned().zip(audits).collect();
    let gave_up = several && gave_up(disk, &logs).map_err(OpenError::at(&layout.nodes()))?;
    let mut directory = DirectoryAudit { between: strangers(&logs), logs, alerts_to_look_at: 0 };
    if directory.logs.iter().all(|(_, audit)| audit.broken_at.is_none()) {
        let ledger = LedgerLogs { logs: &directory.logs, marks: &marks, gave_up };
        let mut between = if several { ledger.findings() } else { Vec::new() };
        let (to_look_at, wrong) = low_stock::check(&directory.states());
        let place = |what| Finding { path: layout.root().to_path_buf(), offset: None, sequence: None, what };
        if several {
            // Each log is read up to a moment of its own, and a process may have been paused when a threshold was
            // set.
            directory.alerts_to_look_at = to_look_at + wrong.len();
            // The same is true of orders while a process runs.
            if directory.logs.iter().all(|(_, audit)| audit.live.is_none()) {
                between.extend(orders::check(&directory.states()).into_iter().map(place));
            }
        } else {
            between.extend(wrong.into_iter().map(place));
            directory.alerts_to_look_at = to_look_at;
        }
        directory.between.extend(between);
    }
    Ok(directory)
}

/// The members, and the durable end of each log at a moment when there were no further members: states taken over
/// up to these ends come from entries that are durable by now.
fn durable(disk: &dyn Disk, layout: &Layout) -> Result<(Vec<Layout>, Vec<Sequence>), OpenError> {
    loop {
        let found = || members(disk, layout).map_err(OpenError::at(&layout.nodes()));
        let numbers = found()?;
        let layouts: Vec<Layout> = numbers.iter().map(|number| layout.member(*number)).collect();
        let mark = |member: &Layout| read_mark(disk, &member.mark()).map_err(OpenError::at(&member.mark()));
        let marks = layouts.iter().map(mark).collect::<Result<_, _>>()?;
        if found()? == numbers {
            return Ok((layouts, marks));
        }
    }
}

/// True when `onhand repair` has cut one of the logs: others may have taken over states that are gone.
fn gave_up(disk: &dyn Disk, logs: &[(Layout, Audit)]) -> io::Result<bool> {
    for (member, _) in logs {
        let names = disk.list(&member.log())?;
        if names.iter().any(|name| {
            name.starts_with("lost-")
                || Path::new(name).extension().is_some_and(|extension| extension == "lost")
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl DirectoryAudit {
    /// All findings: those of each log, then those between them.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.logs.iter().flat_map(|(_, audit)| &audit.findings).chain(&self.between)
    }

    /// The states of the ledger: for every key that of its highest version.
    pub fn states(&self) -> BTreeMap<&Key, &State> {
        let mut states: BTreeMap<&Key, &State> = BTreeMap::new();
        for (key, state) in self.logs.iter().flat_map(|(_, audit)| &audit.fold.states) {
            let known = states.entry(key).or_insert(state);
            if state.version() > known.version() {
                *known = state;
            }
        }
        states
    }
}

/// Findings about members that belong to another ledger than the first.
fn strangers(logs: &[(Layout, Audit)]) -> Vec<Finding> {
    let Some(ledger) = logs.first().map(|(_, audit)| audit.node.ledger()) else { return Vec::new() };
    let strange = logs.iter().filter(|(_, audit)| audit.node.ledger() != ledger);
    let finding = |(member, audit): &(Layout, Audit)| Finding {
        path: member.node(),
        offset: None,
        sequence: None,
        what: format!("it is of ledger {}, the first one of {ledger}", audit.node.ledger()),
    };
    strange.map(finding).collect()
}

/// All logs together.
struct LedgerLogs<'a> {
    logs: &'a [(Layout, Audit)],
    marks: &'a [Sequence],
    gave_up: bool,
}

impl<'a> LedgerLogs<'a> {
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (key, mut turns) in self.turns().into_iter().filter(|(key, _)| !key.is_of_one_log()) {
            turns.sort_by_key(|turn| (turn.after, turn.state.version()));
            self.check_versions(key, &turns, &mut findings);
            self.check_takes(key, &turns, &mut findings);
        }
        findings
    }

    /// The turns of every key that occurs in more than one log.
    fn turns(&self) -> BTreeMap<&'a Key, Vec<Turn<'a>>> {
        let mut all: BTreeMap<&Key, Vec<Turn<'a>>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for (_, audit) in self.logs {
            let takes = audit.takes.iter().map(|take| &take.key);
            let again = audit.fold.states.keys().filter(|key| !seen.insert(*key));
            all.extend(takes.chain(again).map(|key| (key, Vec::new())));
        }
        for (member, (_, audit)) in self.logs.iter().enumerate() {
            let mut begun: HashMap<&Key, &Take> = HashMap::new();
            let turn = |state, take: Option<&'a Take>| {
                let after = take.map_or(0, |take| take.state.version());
                Turn { member, after, state, take }
            };
            for take in &audit.takes {
                let before = begun.insert(&take.key, take);
                let turns = all.entry(&take.key).or_default();
                turns.extend(take.before.as_ref().map(|state| turn(state, before)));
            }
            for (key, turns) in &mut all {
                let last = audit.fold.states.get(*key);
                turns.extend(last.map(|state| turn(state, begun.get(key).copied())));
            }
        }
        all
    }

    fn place(&self, member: usize) -> &Path {
        self.logs.get(member).map_or(Path::new(""), |(layout, _)| layout.root())
    }

    /// Checks that no version is in two turns.
    fn check_versions(&self, key: &Key, turns: &[Turn<'_>], findings: &mut Vec<Finding>) {
        let moved: Vec<&Turn<'_>> = turns.iter().filter(|turn| turn.state.version() > turn.after).collect();
        for (one, next) in moved.iter().zip(moved.iter().skip(1)) {
            let (first, last) = (next.after + 1, one.state.version().min(next.state.version()));
            if first <= last {
                let what = format!(
                    "{key}: versions {first} to {last} happened twice, here and in {}",
                    self.place(one.member).display()
                );
                let (offset, sequence) = next.take.map(|take| (take.offset, take.sequence)).unzip();
                let path =
                    next.take.map_or_else(|| self.place(next.member).to_path_buf(), |take| take.path.clone());
                findings.push(Finding { path, offset, sequence, what });
            }
        }
    }

    /// Checks that each `TAKE` has the final state of the turn before it, under an epoch that has not fallen.
    fn check_takes(&self, key: &Key, turns: &[Turn<'_>], findings: &mut Vec<Finding>) {
        let mut epoch = 0;
        for turn in turns {
            let Some(take) = turn.take else { continue };
            let version = take.state.version();
            let mut find = |what: String| {
                findings.push(Finding {
                    path: take.path.clone(),
                    offset: Some(take.offset),
                    sequence: Some(take.sequence),
                    what: format!("{key}: {what}"),
                });
            };
            if take.epoch < epoch {
                find(format!(
                    "it is taken over at version {version} under epoch {}, after epoch {epoch}",
                    take.epoch
                ));
            }
            epoch = epoch.max(take.epoch);
            let before = turns.iter().find(|before| {
                before.state.version() == version && (before.after < version || before.take.is_none())
            });
            match before {
                Some(before) if *before.state != take.state => find(format!(
                    "it takes over {:?}, but {} adds up to {:?}, or to other reservations",
                    take.state.after(),
                    self.place(before.member).display(),
                    before.state.after()
                )),
                // Version 0 is the absent state, which no log needs to contain.
                None if version == 0 && take.state == State::absent(key) => {}
                // The entry it took over from may have become durable after that log was read.
                None if self.marks.get(turn.member).is_some_and(|mark| take.sequence > *mark) => {}
                None if self.gave_up => {}
                // The version is in a log, followed by another one: already reported.
                None if turns.iter().any(|turn| turn.after < version && version < turn.state.version()) => {}
                None => find(format!("it takes over version {version}, which no log has come to")),
                Some(_) => {}
            }
        }
    }
}
