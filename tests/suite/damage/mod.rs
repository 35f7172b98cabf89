//! A small log, cut at every byte and with every bit flipped: it opens with all that is provable, or is rejected.
//!
//! Provable is everything up to the mark, everything up to a snapshot, everything in front of a later batch.

mod bytes;

use crate::model_check::ModelCheck;
use crate::oracle::{Act, Expect, LevelRequest, LevelVerb};
use crate::rules;
use onhand_app::KnownEffect;
use onhand_app::ports::{EventIds, History, Moment, MovementQuery};
use onhand_disk::layout::Layout;
use onhand_domain::{Entry, Key, Sequence, State};
use onhand_file::reading::archived::list_segments;
use onhand_file::recovery::{OpenError, OpenNode, OpenOptions, open};
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A log that was closed cleanly, and its contents.
struct Sound {
    disk: SimDisk,
    entries: Vec<Entry>,
    settings: SimSettings,
    /// The last event of the newest snapshot.
    snapshot: Sequence,
}

/// Three logs: with snapshots that do not reach into the last segment, without any, and with one that does.
fn sounds() -> [Sound; 3] {
    sounds_of(0)
}

/// The same with other numbers and longer segments.
fn sounds_of(variant: u8) -> [Sound; 3] {
    [sound_of(7, 5, variant), sound_of(1_000, 5, variant), sound_of(2, 6, variant)]
}

fn sound(snapshot_every: u64, upkeep_until: u8) -> Sound {
    sound_of(snapshot_every, upkeep_until, 0)
}

fn sound_of(snapshot_every: u64, upkeep_until: u8, variant: u8) -> Sound {
    let segment_bytes = 2_600 + 20 * u64::from(variant);
    let settings = SimSettings { segment_bytes, snapshot_every, idempotency_ttl_ms: 8_000, archive: false };
    let mut stage = ModelCheck::new(settings);
    let one = |key, sku, wish| Act::One(LevelRequest { sku, expect: Expect::Any, wish }, Some(key));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut node = stage.world.open();
        for round in 0..6 {
            let reserve = LevelVerb::Reserve { pieces: 2, id: round, ttl_seconds: Some(3) };
            stage.play(&node, &[one(4 * round, "A", LevelVerb::Adjust(5 + i64::from(variant)))]).await;
            let group =
                [one(4 * round + 1, "A", reserve), one(4 * round + 2, "B", LevelVerb::Count(round.into()))];
            stage.play(&node, &group).await;
            if round < u32::from(upkeep_until) {
                node.upkeep().unwrap();
            }
            stage.pass(2_000);
        }
    });
    let disk = stage.world.disk.clone();
    disk.crash(Crash::ProcessKill);
    // Opened and closed again: everything is synced, the mark's last slot included.
    for _ in 0..2 {
        drop(opened(&disk, settings).unwrap());
        disk.crash(Crash::ProcessKill);
    }
    let (entries, mark) = (rules::entries(&disk), rules::layout().mark());
    let bytes = cached(&disk, &mark);
    disk.put(&mark, &bytes);
    let snapshots = onhand_file::upkeep::snapshot::list_snapshots(&disk.fork(), &rules::layout()).unwrap();
    Sound { disk, entries, settings, snapshot: snapshots.first().copied().unwrap_or_default() }
}

fn cached(disk: &SimDisk, path: &Path) -> Vec<u8> {
    use onhand_disk::{Disk, OpenMode, read_all};
    read_all(&*disk.fork().open(path, OpenMode::Read).unwrap()).unwrap()
}

fn opened(disk: &SimDisk, settings: SimSettings) -> Result<OpenNode, OpenError> {
    let options = OpenOptions {
        ballast_bytes: 0,
        disk: Arc::new(disk.clone()),
        layout: Layout::new(Path::new("/data")),
        segment_bytes: settings.segment_bytes,
        idempotency_ttl_ms: settings.idempotency_ttl_ms,
    };
    // A new node would have another id than the owner of this directory.
    let ids = SimIds::default();
    ids.event_id();
    open(&options, &SimClock::default(), &ids)
}

/// A line of the last segment.
struct Line {
    end: usize,
    /// The last event of the log as far as this line.
    last: Sequence,
    in_last_batch: bool,
}

/// The required result of opening a damaged log.
#[derive(Clone, Copy, PartialEq)]
enum Owed {
    /// It opens with everything.
    All,
    /// It is rejected, or opens with at least the entries up to there.
    AtLeast(Sequence),
    /// It opens with exactly the entries up to there: the rest was never acknowledged.
    Torn(Sequence),
}

impl Sound {
    fn end(&self) -> Sequence {
        self.entries.last().unwrap().last()
    }

    /// Opens a damaged copy and checks the result; true when it opened.
    fn judge(&self, disk: &SimDisk, owed: Owed, told: &str) -> bool {
        let node = match opened(disk, self.settings) {
            Ok(node) => node,
            Err(OpenError::Corrupt { .. } | OpenError::Damaged { .. })
                if matches!(owed, Owed::AtLeast(_)) =>
            {
                return false;
            }
            Err(error) => panic!("{told}: {error}"),
        };
        let (least, most) = match owed {
            Owed::All => (self.end(), self.end()),
            Owed::AtLeast(least) => (least, self.end()),
            Owed::Torn(end) => (end, end),
        };
        assert!((least..=most).contains(&node.end), "{told}: opened with {} of {least} to {most}", node.end);
        let kept: Vec<Entry> =
            self.entries.iter().filter(|entry| entry.last() <= node.end).cloned().collect();
        assert_eq!(kept.last().map_or(Sequence::START, Entry::last), node.end, "{told}: half an entry");
        let states: HashMap<Key, State> = node.restored.states.into_iter().collect();
        assert_eq!(states, rules::fold(&kept, node.end).states, "{told}");
        assert_eq!(sorted(node.restored.known), self.known(&kept), "{told}");
        match rules::try_entries(disk) {
            Ok(entries) => {
                assert!(entries == kept, "{told}: the log is not what it was");
                check_history(&*node.log.history(), &kept, told);
            }
            // A start does not read entries that a snapshot covers; a later read of such an entry fails.
            Err(damage) => {
                assert!(damage.sequence <= self.snapshot, "{told}: {damage:?} was overlooked");
                check_rotten_history(&*node.log.history(), &kept, told);
            }
        }
        true
    }

    /// The idempotency records that are still kept.
    fn known(&self, entries: &[Entry]) -> Vec<KnownEffect> {
        let Some(last) = entries.last() else { return Vec::new() };
        let since = last.at.plus_milliseconds(-self.settings.idempotency_ttl_ms);
        let known = entries.iter().filter(|entry| entry.at > since).filter_map(|entry| {
            KnownEffect::new(None, entry.idempotency.as_ref()?, entry.sequence, entry.at)
        });
        sorted(known.collect())
    }

    /// The requirement for damage behind `end` that only a snapshot can prove to be a loss.
    fn torn_at(&self, end: Sequence) -> Owed {
        if self.snapshot > end { Owed::AtLeast(self.snapshot) } else { Owed::Torn(end) }
    }

    fn segments(&self) -> Vec<Sequence> {
        list_segments(&self.disk.fork(), &rules::layout()).unwrap()
    }

    /// The same requirement without the mark.
    fn unmarked(self) -> Self {
        remove(&self.disk, &rules::layout().mark());
        self
    }

    /// The lines of the last segment: where each ends, and the end of the log with it and in front of it.
    fn tail(&self) -> Vec<Line> {
        let first = *self.segments().last().unwrap();
        let bytes = self.disk.file(rules::layout().segment(first)).unwrap();
        let mut lines = Vec::new();
        let mut entries = self.entries.iter().filter(|entry| entry.sequence >= first);
        let last_batch = self.entries.last().unwrap().batch;
        for (end, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            let entry = if lines.is_empty() { None } else { entries.next() };
            lines.push(Line {
                end: end + 1,
                last: entry.map_or(first.minus(1), Entry::last),
                in_last_batch: entry.is_some_and(|entry| entry.batch == last_batch),
            });
        }
        lines
    }

    /// Every file, and the requirement for damage to it when the mark is there.
    fn files(&self) -> BTreeMap<PathBuf, Owed> {
        let owed = |path: &Path| match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => Owed::AtLeast(self.end()),
            _ if path.ends_with("node.json") => Owed::AtLeast(self.end()),
            _ => Owed::All,
        };
        self.disk.files().into_iter().map(|path| (path.clone(), owed(&path))).collect()
    }
}

fn sorted(mut known: Vec<KnownEffect>) -> Vec<KnownEffect> {
    known.sort_by_key(|effect| (effect.sequence, effect.id));
    known
}

/// Checks that the history answers correctly or fails; returns how often it failed.
fn check_rotten_history(history: &dyn History, entries: &[Entry], told: &str) -> usize {
    let mut refused = 0;
    for entry in entries {
        match history.entry(entry.sequence) {
            Ok(read) => assert_eq!(read.as_ref(), Some(entry), "{told}: entry {}", entry.sequence),
            Err(_) => refused += 1,
        }
        for (sequence, event) in entry.numbered() {
            match history.last_before(&event.fact.key(), Moment::Sequence(sequence)) {
                Ok(read) => {
                    let read =
                        read.map(|read| (read.sequence, read.at, read.actor, read.request_id, read.event));
                    let written = (entry.actor.clone(), entry.request_id.clone(), event.clone());
                    let written = (sequence, entry.at, written.0, written.1, written.2);
                    assert_eq!(read, Some(written), "{told}: as of {sequence}");
                }
                Err(_) => refused += 1,
            }
        }
    }
    refused
}

/// Checks that the history has every entry and every movement, and nothing else.
fn check_history(history: &dyn History, entries: &[Entry], told: &str) {
    for entry in entries {
        for sequence in [entry.sequence, entry.last()] {
            assert_eq!(history.entry(sequence).unwrap().as_ref(), Some(entry), "{told}: entry {sequence}");
        }
    }
    let mut keys: BTreeMap<Key, Vec<(Sequence, onhand_domain::Event)>> = BTreeMap::new();
    for (sequence, event) in entries.iter().flat_map(Entry::numbered) {
        keys.entry(event.fact.key()).or_default().push((sequence, event.clone()));
    }
    let everything =
        MovementQuery { after: Sequence::START, limit: 1_000, kind: None, since: None, until: None };
    for (key, events) in keys {
        let found = history.movements(&key, &everything).unwrap();
        let found: Vec<_> = found.into_iter().map(|movement| (movement.sequence, movement.event)).collect();
        assert_eq!(found, events, "{told}: movements of {key}");
        let (middle, _) = events[events.len() / 2];
        let last = history.last_before(&key, Moment::Sequence(middle)).unwrap();
        assert_eq!(last.map(|movement| movement.sequence), Some(middle), "{told}: {key} as of {middle}");
    }
}

pub(crate) fn remove(disk: &SimDisk, path: &Path) {
    use onhand_disk::{Disk, parent};
    disk.remove(path).unwrap();
    disk.sync_dir(&parent(path)).unwrap();
}
