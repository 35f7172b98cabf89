//! Equal entries within a minute become one with a count, so that nobody fills the disk by being refused.
//!
//! The first of them is written at once. Those that follow are counted, and written as one line when the minute is over, as long as
//! they come. Only so many different ones are told apart, of unknown callers and of known ones separately: nobody without a
//! credential can crowd out entries of clients with a credential. What is beyond that is counted together, by kind and code.

use onhand_app::ports::{AuditEntry, AuditKind};
use onhand_domain::Timestamp;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// How long equal entries are counted before they are written.
const WINDOW: Duration = Duration::from_secs(60);
/// Different entries of unknown callers that are told apart.
const UNKNOWN_MAX: usize = 256;
/// The same of known callers.
const KNOWN_MAX: usize = 1_024;

/// What entries that are folded have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Common {
    kind: AuditKind,
    actor: Option<SmolStr>,
    credential: Option<SmolStr>,
    network: Option<IpAddr>,
    method: Option<SmolStr>,
    route: Option<SmolStr>,
    status: Option<u16>,
    code: Option<SmolStr>,
}

/// Entries that are being counted.
#[derive(Debug)]
struct Counted {
    /// The first of them.
    entry: AuditEntry,
    count: u64,
    ends: Instant,
}

/// All entries that are being counted.
#[derive(Debug)]
pub(crate) struct Folds {
    unknown: HashMap<Common, Counted>,
    known: HashMap<Common, Counted>,
    /// Beyond those that are told apart.
    others: HashMap<Common, Counted>,
    /// No window ends before.
    due: Option<Instant>,
    unknown_max: usize,
    known_max: usize,
}

impl Default for Folds {
    fn default() -> Self {
        Self::new(UNKNOWN_MAX, KNOWN_MAX)
    }
}

impl Folds {
    fn new(unknown_max: usize, known_max: usize) -> Self {
        let (unknown, known, others) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { unknown, known, others, due: None, unknown_max, known_max }
    }

    /// Takes an entry; returns it when it is the first of its like, and so to be written.
    pub(crate) fn add(&mut self, entry: AuditEntry, now: Instant) -> Option<AuditEntry> {
        let (map, max) = match entry.actor {
            Some(_) => (&mut self.known, self.known_max),
            None => (&mut self.unknown, self.unknown_max),
        };
        let common = Common::of(&entry);
        let is_known = map.contains_key(&common);
        let (map, common, entry) = if is_known || map.len() < max {
            (map, common, entry)
        } else {
            let entry = without_caller(entry);
            (&mut self.others, Common::of(&entry), entry)
        };
        if let Some(counted) = map.get_mut(&common) {
            if counted.count == 0 {
                counted.entry = entry;
                counted.count = counted.entry.count;
            } else {
                counted.count = counted.count.saturating_add(entry.count);
            }
            return None;
        }
        let ends = now + WINDOW;
        map.insert(common, Counted { entry: entry.clone(), count: 0, ends });
        self.due.get_or_insert(ends);
        Some(entry)
    }

    /// When the next window ends, at the earliest.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The entries whose window is over; what has not come again is forgotten.
    pub(crate) fn over(&mut self, now: Instant, time: Timestamp) -> Vec<AuditEntry> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let (mut entries, mut due) = (Vec::new(), None);
        for map in [&mut self.unknown, &mut self.known, &mut self.others] {
            map.retain(|_, counted| {
                if counted.ends <= now {
                    let Some(entry) = counted.take(time) else { return false };
                    entries.push(entry);
                    counted.ends = now + WINDOW;
                }
                due = Some(due.map_or(counted.ends, |due: Instant| due.min(counted.ends)));
                true
            });
        }
        self.due = due;
        entries
    }

    /// All that was counted so far.
    pub(crate) fn drain(&mut self, time: Timestamp) -> Vec<AuditEntry> {
        let maps = [&mut self.unknown, &mut self.known, &mut self.others];
        maps.into_iter().flat_map(HashMap::values_mut).filter_map(|counted| counted.take(time)).collect()
    }
}

impl Counted {
    /// One entry for those that were counted, if there are any.
    fn take(&mut self, time: Timestamp) -> Option<AuditEntry> {
        let count = std::mem::take(&mut self.count);
        let mut entry = (count > 0).then(|| self.entry.clone())?;
        if count > 1 {
            entry.first_time = Some(entry.time);
        }
        (entry.count, entry.time) = (count, time.max(entry.time));
        Some(entry)
    }
}

impl Common {
    fn of(entry: &AuditEntry) -> Self {
        Self {
            kind: entry.kind,
            actor: entry.actor.clone(),
            credential: entry.credential.clone(),
            network: entry.address.map(network),
            method: entry.method.clone(),
            route: entry.route.clone(),
            status: entry.status,
            code: entry.code.clone(),
        }
    }
}

/// The network of an address: in IPv6 of 64 bits, because every host has at least one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn without_caller(entry: AuditEntry) -> AuditEntry {
    AuditEntry {
        status: entry.status,
        code: entry.code,
        count: entry.count,
        detail: Some("more callers than are told apart".to_owned()),
        ..AuditEntry::new(entry.time, entry.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str, at: i64) -> AuditEntry {
        let mut entry = AuditEntry::new(Timestamp::from_milliseconds(at), AuditKind::Refused);
        entry.address = Some(address.parse().unwrap());
        entry.request_id = Some(format!("r-{at}").into());
        entry
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn equal_entries_become_two_lines() {
        let (mut folds, now) = (Folds::default(), Instant::now());
        let written: Vec<_> = (0..1_000).filter_map(|n| folds.add(refused("10.0.0.7", n), now)).collect();
        assert_eq!(written, [refused("10.0.0.7", 0)]);
        assert_eq!(folds.over(now + WINDOW / 2, at(5_000)), []);
        let counted = folds.over(now + WINDOW, at(60_000));
        let [one] = counted.as_slice() else { panic!("{counted:?}") };
        assert_eq!((one.count, one.first_time, one.time), (999, Some(at(1)), at(60_000)));
        assert_eq!(one.request_id.as_deref(), Some("r-1"));
        // Goes on to be counted for another window, and is forgotten after a quiet one.
        assert_eq!(folds.add(refused("10.0.0.7", 61_000), now + WINDOW), None);
        assert_eq!(folds.over(now + 2 * WINDOW, at(120_000)).len(), 1);
        assert_eq!(folds.over(now + 3 * WINDOW, at(180_000)), []);
        assert_eq!((folds.due(), folds.unknown.len()), (None, 0));
    }

    #[test]
    fn a_network_is_one_caller_and_anything_else_tells_entries_apart() {
        let (mut folds, now) = (Folds::default(), Instant::now());
        let with = |change: fn(&mut AuditEntry)| {
            let mut entry = refused("2001:db8::1", 1);
            change(&mut entry);
            entry
        };
        for (entry, is_new) in [
            (refused("2001:db8::1", 0), true),
            (refused("2001:db8::ffff:2", 0), false),
            (refused("2001:db8:0:1::1", 0), true),
            (with(|entry| entry.actor = Some("s_1".into())), true),
            (with(|entry| entry.route = Some("/stores".into())), true),
            (with(|entry| entry.status = Some(403)), true),
            (with(|entry| entry.kind = AuditKind::Export), true),
            (with(|entry| entry.request_id = None), false),
        ] {
            assert_eq!(folds.add(entry.clone(), now).is_some(), is_new, "{entry:?}");
        }
        assert_eq!(folds.drain(at(9)).iter().map(|entry| entry.count).sum::<u64>(), 2);
        assert_eq!(folds.drain(at(9)), []);
    }

    #[test]
    fn a_crowd_of_unknown_callers_is_counted_together_and_hides_no_known_one() {
        let (mut folds, now) = (Folds::new(2, 2), Instant::now());
        let lines = (0..100).filter_map(|n| folds.add(refused(&format!("10.0.0.{n}"), n), now));
        let lines: Vec<_> = lines.collect();
        assert_eq!((lines.len(), lines[2].address), (3, None));
        let mut known = refused("10.9.9.9", 5);
        known.actor = Some("s_1".into());
        assert_eq!(folds.add(known.clone(), now), Some(known));
        assert_eq!(folds.drain(at(100)).iter().map(|entry| entry.count).sum::<u64>(), 97);
    }
}
