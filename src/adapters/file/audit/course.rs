//! Checks of all logs of a directory together, entry by entry in the order of time: ids and keys happen once, and
//! log time advances plausibly.

use super::once::{EventPlace, IdUse, Ids, Keys, RepeatedKey};
use super::report::Finding;
use onhand_domain::{Entry, Fact, Sequence, Timestamp};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// How long a running node may write nothing: a year. Every start after more than a minute is recorded.
const IDLE_MAX_MS: i64 = 366 * 24 * 3_600_000;

/// The combined course of all logs.
pub(super) struct Course {
    /// The directory of each log.
    logs: Vec<PathBuf>,
    ids: Ids,
    /// The idempotency keys and their lifetime in milliseconds; none when they are not checked.
    keys: Option<(Keys, i64)>,
    last: Option<Timestamp>,
    /// The time to which the last recorded leap led.
    leapt: Timestamp,
    /// Events whose ids are to be searched in the logs, because it is unknown whether an earlier event had them.
    aside: HashMap<Uuid, SuspectEvent>,
}

/// An event whose id is to be searched.
struct SuspectEvent {
    place: EventPlace,
    path: PathBuf,
    offset: u64,
}

/// An entry with its place in a log.
pub(super) struct PlacedEntry<'a> {
    pub(super) log: usize,
    pub(super) path: &'a Path,
    pub(super) offset: u64,
    pub(super) entry: &'a Entry,
}

impl Course {
    pub(super) fn new(logs: Vec<PathBuf>, idempotency_ttl_ms: Option<i64>) -> Self {
        let keys = idempotency_ttl_ms.map(|ttl_ms| (Keys::new(ttl_ms, logs.len()), ttl_ms));
        let (ids, leapt) = (Ids::default(), Timestamp::EPOCH);
        Self { logs, ids, keys, last: None, leapt, aside: HashMap::new() }
    }

    /// The findings about the next entry; to be called in the order of time.
    pub(super) fn check(&mut self, placed: &PlacedEntry<'_>, findings: &mut Vec<Finding>) {
        let mut find = |sequence: Sequence, what: String| {
            let (path, offset) = (placed.path.to_path_buf(), Some(placed.offset));
            findings.push(Finding { path, offset, sequence: Some(sequence), what });
        };
        let entry = placed.entry;
        if let Some(what) = self.gap(entry) {
            find(entry.sequence, what);
        }
        for (sequence, event) in entry.numbered() {
            let (id, place) = (event.event_id, EventPlace { log: placed.log, sequence });
            let first = match self.ids.record(id, place) {
                IdUse::Never => continue,
                IdUse::At(first) => Some(first),
                IdUse::Perhaps => self.aside.remove(&id).map(|kept| kept.place),
            };
            if let Some(first) = first {
                find(sequence, same_id(id, &self.place_text(placed.log, first)));
            } else {
                let (path, offset) = (placed.path.to_path_buf(), placed.offset);
                self.aside.insert(id, SuspectEvent { place, path, offset });
            }
        }
        let Some((keys, ttl_ms)) = &mut self.keys else { return };
        let ttl_ms = *ttl_ms;
        for RepeatedKey { sequence, known_by, first } in keys.seen(placed.log, entry) {
            let first = self.place_text(placed.log, first);
            find(
                sequence,
                format!(
                    "its idempotency key {:?} for {:?} had its effect at {first} already, less than {ttl_ms} ms \
                     before; if the node runs with another IDEMP_TTL_MS, say so",
                    known_by.key, known_by.scope
                ),
            );
        }
    }

    /// A gap between two entries that is too long even for an idle node.
    fn gap(&mut self, entry: &Entry) -> Option<String> {
        let last = self.last.map(|last| last.max(self.leapt));
        for event in &entry.events {
            if let Fact::Clock(leap) = &event.fact {
                self.leapt = self.leapt.max(leap.to);
            }
        }
        self.last = self.last.max(Some(entry.at));
        let last = last.filter(|last| last.plus_milliseconds(IDLE_MAX_MS) < entry.at)?;
        Some(format!("its time is {}, the one before it {last}, and no CLOCK event says why", entry.at))
    }

    /// True when ids must be searched in the logs, from their beginnings on.
    pub(super) fn is_unsure(&self) -> bool {
        !self.aside.is_empty()
    }

    /// Searches for the ids of the events kept aside; to be called for every entry once more.
    pub(super) fn search_ids(&mut self, log: usize, entry: &Entry) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (sequence, event) in entry.numbered() {
            let (id, here) = (event.event_id, EventPlace { log, sequence });
            if self.aside.get(&id).is_some_and(|kept| kept.place != here)
                && let Some(SuspectEvent { place, path, offset }) = self.aside.remove(&id)
            {
                let what = same_id(id, &self.place_text(place.log, here));
                let (offset, sequence) = (Some(offset), Some(place.sequence));
                findings.push(Finding { path, offset, sequence, what });
            }
        }
        findings
    }

    /// The place of an event, worded for a finding in the log `log`.
    fn place_text(&self, log: usize, place: EventPlace) -> String {
        let other = self.logs.get(place.log).filter(|_| place.log != log);
        let other = other.map(|path| format!(" of {}", path.display())).unwrap_or_default();
        format!("sequence {}{other}", place.sequence)
    }
}

fn same_id(id: Uuid, first: &str) -> String {
    format!("its event id {id} is that of {first}, too")
}
