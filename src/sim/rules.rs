//! The log of a simulated disk read as bytes, past the ledger, and held against what every log owes.

use crate::adapters::file::disk::layout::{Layout, archived_first, segment_first};
use crate::adapters::file::format::segment::{Damage, Scan};
use crate::app::ledger::fold::Fold;
use crate::domain::stock::StockFact;
use crate::domain::{After, Entry, Fact, Key, Sequence, Timestamp};
use crate::sim::disk::SimDisk;
use crate::sim::low_stock::LowStock;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Where simulated nodes keep their data.
pub fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

/// Every durable entry, from the first.
///
/// # Panics
/// When the log is damaged.
pub fn entries(disk: &SimDisk) -> Vec<Entry> {
    try_entries(disk).expect("a log is whole after every crash")
}

/// The same, or the first damage.
///
/// # Errors
/// What is damaged.
pub fn try_entries(disk: &SimDisk) -> Result<Vec<Entry>, Damage> {
    read(disk, segments(disk))
}

/// The durable entries whose events come behind `sequence`, and perhaps some before.
///
/// # Panics
/// When the log is damaged there.
pub fn entries_after(disk: &SimDisk, sequence: Sequence) -> Vec<Entry> {
    let segments = segments(disk);
    let begin = segments.iter().rposition(|(first, _)| *first <= sequence.plus(1)).unwrap_or_default();
    let rest = segments.into_iter().skip(begin).collect();
    read(disk, rest).expect("a log is whole after every crash")
}

fn read(disk: &SimDisk, segments: Vec<(Sequence, PathBuf)>) -> Result<Vec<Entry>, Damage> {
    let mut entries: Vec<Entry> = Vec::new();
    for (_, path) in segments {
        let bytes = disk.file(&path).expect("a segment is durable under its name, or in the archive");
        let bytes = match path.extension() {
            // With any zstd's means.
            Some(name) if name == "zst" => zstd::stream::decode_all(&*bytes).expect("a whole archive"),
            _ => bytes,
        };
        let earliest = entries.last().map_or(Timestamp::from_milliseconds(i64::MIN), |entry| entry.at);
        let (_, mut scan) = Scan::begin(&bytes, earliest)?;
        while let Some(line) = scan.next_line()? {
            entries.push(line.entry);
        }
    }
    Ok(entries)
}

/// The durable segments, each where a reader takes it from: its own file before the archived one.
fn segments(disk: &SimDisk) -> Vec<(Sequence, PathBuf)> {
    let layout = layout();
    let mut segments = BTreeMap::new();
    for path in disk.files() {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.parent() == Some(&*layout.log()) {
            segments.extend(segment_first(name).map(|first| (first, path.clone())));
        } else if path.parent() == Some(&*layout.archive())
            && let Some(first) = archived_first(name)
        {
            segments.entry(first).or_insert(path);
        }
    }
    segments.into_iter().collect()
}

/// What the entries up to a sequence add up to.
///
/// # Panics
/// When they do not add up.
pub fn fold(entries: &[Entry], upto: Sequence) -> Fold {
    let mut fold = Fold::default();
    for entry in entries.iter().filter(|entry| entry.last() <= upto) {
        fold.add(entry).expect("entries add up");
    }
    fold
}

/// Holds a whole log against what every log owes.
///
/// # Panics
/// When it does not fit.
pub fn check(entries: &[Entry]) {
    let mut rules = Rules::default();
    for entry in entries {
        rules.check(entry);
    }
}

/// What holds of every log, whatever was asked of the ledger: no gap, no id twice, versions by one, nothing negative,
/// on hand the sum of the movements, reserved the sum of the open holds; each threshold that is crossed with its alert.
#[derive(Default)]
pub struct Rules {
    ids: BTreeSet<Uuid>,
    sums: HashMap<Key, (i64, u64)>,
    holds: HashMap<Key, BTreeMap<String, i64>>,
    last: Sequence,
    time: Option<Timestamp>,
    low_stock: LowStock,
}

impl Rules {
    /// The next entry of the log.
    ///
    /// # Panics
    /// When it does not fit.
    pub fn check(&mut self, entry: &Entry) {
        assert_eq!(entry.sequence, self.last.plus(1));
        assert!(entry.batch <= entry.sequence && self.time.is_none_or(|time| entry.at >= time));
        (self.last, self.time) = (entry.last(), Some(entry.at));
        self.low_stock.check(entry);
        for event in &entry.events {
            assert!(self.ids.insert(event.event_id), "event id {} twice", event.event_id);
            let (Fact::Level(fact), After::Level(after)) = (&event.fact, event.after) else { continue };
            let key = event.fact.key();
            let (on_hand, version) = self.sums.entry(key.clone()).or_default();
            let holds = self.holds.entry(key.clone()).or_default();
            *version += 1;
            match fact {
                StockFact::Adjust(fact) => *on_hand += fact.delta.get(),
                StockFact::Count(fact) => *on_hand += fact.delta.get(),
                StockFact::Reserve(fact) => {
                    let open = holds.insert(fact.reservation_id.to_string(), fact.qty.get());
                    assert_eq!(open, None, "reservation {} opened twice", fact.reservation_id);
                }
                StockFact::Release(fact) | StockFact::Commit(fact) | StockFact::Expire(fact) => {
                    if matches!(event.fact, Fact::Level(StockFact::Commit(_))) {
                        *on_hand -= fact.qty.get();
                    }
                    *holds.get_mut(fact.reservation_id.as_str()).expect("it was open") -= fact.qty.get();
                    holds.retain(|_, pieces| *pieces != 0);
                }
            }
            let reserved: i64 = holds.values().sum();
            assert!(holds.values().all(|pieces| *pieces > 0) && reserved <= *on_hand, "{key}: {event:?}");
            let told = (after.on_hand.get(), after.reserved.get(), after.version);
            assert_eq!(told, (*on_hand, reserved, *version), "{key}: {event:?}");
        }
    }

    /// How far it has come.
    pub fn end(&self) -> Sequence {
        self.last
    }
}
