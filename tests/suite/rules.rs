//! The log of a simulated disk read as bytes, past the ledger, and held against what every log owes.

use onhand::adapters::file::archive::list_segments;
use onhand::adapters::file::layout::Layout;
use onhand::adapters::file::segment::{Damage, Scan};
use onhand::app::fold::Fold;
use onhand::domain::stock::StockFact;
use onhand::domain::{After, Entry, Fact, Key, Sequence, Timestamp};
use onhand::sim::disk::SimDisk;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

pub(crate) fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

/// Every durable entry, from the first.
pub(crate) fn entries(disk: &SimDisk) -> Vec<Entry> {
    try_entries(disk).unwrap()
}

/// The same, or the first damage.
pub(crate) fn try_entries(disk: &SimDisk) -> Result<Vec<Entry>, Damage> {
    let mut entries: Vec<Entry> = Vec::new();
    for first in list_segments(&disk.fork(), &layout()).unwrap() {
        let bytes = disk.file(layout().segment(first)).or_else(|| unpacked(disk, first));
        let bytes = bytes.expect("a segment is durable under its name, or in the archive");
        let earliest = entries.last().map_or(Timestamp::from_milliseconds(i64::MIN), |entry| entry.at);
        let (_, mut scan) = Scan::begin(&bytes, earliest)?;
        while let Some(line) = scan.next_line()? {
            entries.push(line.entry);
        }
    }
    Ok(entries)
}

/// A segment of the archive, with any zstd's means.
fn unpacked(disk: &SimDisk, first: Sequence) -> Option<Vec<u8>> {
    zstd::stream::decode_all(&*disk.file(layout().archived(first))?).ok()
}

/// What the entries up to a sequence add up to.
pub(crate) fn fold(entries: &[Entry], upto: Sequence) -> Fold {
    let mut fold = Fold::default();
    for entry in entries.iter().filter(|entry| entry.last() <= upto) {
        fold.add(entry).unwrap();
    }
    fold
}

/// What holds of every log, whatever was asked of the ledger: no gap, no id twice, versions by one, nothing negative,
/// on hand the sum of the movements, reserved the sum of the open holds.
pub(crate) fn check(entries: &[Entry]) {
    let mut ids = BTreeSet::new();
    let mut sums: HashMap<Key, (i64, u64)> = HashMap::new();
    let mut holds: HashMap<Key, BTreeMap<String, i64>> = HashMap::new();
    let mut next = Sequence(1);
    let mut time = i64::MIN;
    for entry in entries {
        assert_eq!(entry.sequence, next);
        assert!(entry.batch <= entry.sequence && entry.at.milliseconds() >= time);
        (next, time) = (entry.last().plus(1), entry.at.milliseconds());
        for event in &entry.events {
            assert!(ids.insert(event.event_id), "event id {} twice", event.event_id);
            let (Fact::Stock(fact), After::Level(after)) = (&event.fact, event.after) else { continue };
            let key = event.fact.key();
            let (on_hand, version) = sums.entry(key.clone()).or_default();
            let holds = holds.entry(key.clone()).or_default();
            *version += 1;
            match fact {
                StockFact::Adjust(fact) => *on_hand += fact.delta.get(),
                StockFact::Count(fact) => *on_hand += fact.delta.get(),
                StockFact::Reserve(fact) => {
                    let open = holds.insert(fact.reservation_id.to_string(), fact.qty.get());
                    assert_eq!(open, None, "reservation {} opened twice", fact.reservation_id);
                }
                StockFact::Release(fact) | StockFact::Commit(fact) | StockFact::Expire(fact) => {
                    if matches!(event.fact, Fact::Stock(StockFact::Commit(_))) {
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
}
