//! The contract of reading back: `src/app/ports/history.rs`.

use crate::ports::file::{FileNode, Setup};
use crate::ports::memory::{MemoryNode, Mistake};
use crate::ports::movements::{Movements, level};
use crate::ports::{Node, Rule, append, broken, entry, hold, noon};
use onhand_app::ports::{EventQuery, Moment, Movement, MovementQuery, NewEntry};
use onhand_domain::{EventKind, Key, Sequence, Topics};
use smol_str::SmolStr;

/// Entries of [`fill`], one a millisecond except every fifth, which shares the time of the one before it.
const ENTRIES: u64 = 60;

const RULES: &[Rule] = &[
    ("an empty log has nothing", an_empty_log_has_nothing),
    ("an entry is found by any of its events", an_entry_is_found_by_any_event),
    ("nothing is shown that is not durable", nothing_undurable_is_shown),
    ("pages of events add up to all of them", pages_add_up),
    ("a page begins after and ends at what was asked for", pages_keep_their_bounds),
    ("what is wanted is in the pages, whatever else is", what_is_wanted_is_there),
    ("movements of a key come in order, with who acted", movements_of_a_key),
    ("movements keep to sequence, limit, kind and time", movements_keep_their_bounds),
    ("the last event at or before a moment", the_last_before_a_moment),
    ("a time leads to the last sequence that is not after it", a_time_leads_to_a_sequence),
];

#[test]
fn the_log_on_disk_keeps_the_contract() {
    for setup in Setup::ALL {
        hold(RULES, |rule| rule(&mut FileNode::new(setup)));
    }
}

#[test]
fn the_log_in_memory_keeps_the_contract() {
    hold(RULES, |rule| rule(&mut MemoryNode::new(Mistake::Nothing)));
}

#[test]
fn a_mistake_in_reading_back_is_seen() {
    for (mistake, rule) in [
        (Mistake::FindsFirstEventsOnly, "an entry is found by any of its events"),
        (Mistake::ShowsWhatWaits, "nothing is shown that is not durable"),
        (Mistake::LosesTheLastRow, "pages of events add up to all of them"),
        (Mistake::IgnoresAfter, "a page begins after and ends at what was asked for"),
        (Mistake::LosesWhatIsWanted, "what is wanted is in the pages, whatever else is"),
        (Mistake::ForgetsWhoActed, "movements of a key come in order, with who acted"),
        (Mistake::IgnoresKind, "movements keep to sequence, limit, kind and time"),
        (Mistake::IncludesUntil, "movements keep to sequence, limit, kind and time"),
        (Mistake::ExcludesTheMoment, "the last event at or before a moment"),
        (Mistake::StopsAtTheFirstOfATime, "a time leads to the last sequence that is not after it"),
    ] {
        let broken = broken(RULES, |rule| rule(&mut MemoryNode::new(mistake)));
        assert!(broken.contains(&rule), "{mistake:?} breaks only {broken:?}");
    }
}

/// A log of entries of one to three events on three levels, in many groups; returns every event of it.
pub(crate) fn fill(node: &mut dyn Node) -> Vec<Movement> {
    let (actor, request_id) = (SmolStr::new("till 7"), SmolStr::new("r-1"));
    let mut movements = Movements::default();
    let mut all = Vec::new();
    for number in 0..ENTRIES {
        let sku = ["TEA", "RICE", "SALT"][(number % 3) as usize];
        let mut events = vec![movements.adjust(sku)];
        if number % 2 == 1 {
            events.push(movements.reserve(sku));
        }
        if number % 7 == 3 {
            events.push(movements.adjust("TEA"));
        }
        let at = noon((number - u64::from(number % 5 == 4)).cast_signed());
        let actor = (number % 2 == 0).then_some(&actor);
        let new = NewEntry { decided_at: at, actor, request_id: Some(&request_id), ..entry(node, &events) };
        let appended = node.log().append(&new).unwrap();
        let sequences = (appended.sequence.0..).map(Sequence);
        all.extend(sequences.zip(events).map(|(sequence, event)| Movement {
            sequence,
            at,
            actor: actor.cloned(),
            request_id: Some(request_id.clone()),
            event,
        }));
        if number % 4 != 0 {
            assert!(node.write());
        }
    }
    assert!(node.write());
    all
}

const EVERYTHING: MovementQuery =
    MovementQuery { after: Sequence::START, limit: usize::MAX, kind: None, since: None, until: None };

/// All events after a sequence and up to another, page by page.
fn read(node: &dyn Node, after: Sequence, upto: Sequence, limit: usize, wanted: Topics) -> Vec<Movement> {
    let (mut read, mut through) = (Vec::new(), after);
    while through < upto {
        let query = EventQuery { after: through, upto, limit, wanted };
        let piece = node.history().events(&query).unwrap();
        assert!(piece.movements.len() <= limit, "{} of {limit}", piece.movements.len());
        assert!(piece.through > through && piece.through <= upto, "from {through} through {}", piece.through);
        assert!(piece.movements.iter().all(|m| m.sequence > through && m.sequence <= piece.through));
        through = piece.through;
        read.extend(piece.movements);
    }
    read
}

fn of_key<'a>(all: &'a [Movement], key: &'a Key) -> impl DoubleEndedIterator<Item = &'a Movement> {
    all.iter().filter(move |movement| movement.event.fact.key() == *key)
}

fn an_empty_log_has_nothing(node: &mut dyn Node) {
    let history = node.history();
    assert_eq!(history.end().unwrap(), Sequence::START);
    assert_eq!(history.entry(Sequence::START).unwrap(), None);
    assert_eq!(history.entry(Sequence(1)).unwrap(), None);
    assert_eq!(history.movements(&level("TEA"), &EVERYTHING).unwrap(), []);
    assert_eq!(history.last_before(&level("TEA"), Moment::Sequence(Sequence(9))).unwrap(), None);
    assert_eq!(history.last_before(&level("TEA"), Moment::Time(noon(0))).unwrap(), None);
    let (after, wanted) = (Sequence::START, Topics::NONE);
    let query = EventQuery { after, upto: Sequence::START, limit: 10, wanted };
    let piece = history.events(&query).unwrap();
    assert_eq!((piece.movements.len(), piece.through), (0, Sequence::START));
}

fn an_entry_is_found_by_any_event(node: &mut dyn Node) {
    let all = fill(node);
    for restarted in [false, true] {
        if restarted {
            node.restart();
        }
        for movement in &all {
            let entry = node.history().entry(movement.sequence).unwrap().unwrap();
            let found = entry.numbered().find(|(sequence, _)| *sequence == movement.sequence);
            assert_eq!(found.map(|(_, event)| event), Some(&movement.event));
            assert_eq!((entry.at, entry.actor.as_ref()), (movement.at, movement.actor.as_ref()));
        }
        let end = Sequence(all.len() as u64);
        assert_eq!(node.history().end().unwrap(), end);
        assert_eq!(node.history().entry(end.plus(1)).unwrap(), None);
        assert_eq!(node.history().entry(Sequence::START).unwrap(), None);
    }
}

fn nothing_undurable_is_shown(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    append(node, &[movements.adjust("TEA")]).unwrap();
    let history = node.history();
    assert_eq!(history.end().unwrap(), Sequence(1));
    assert_eq!(history.entry(Sequence(2)).unwrap(), None);
    assert_eq!(history.movements(&level("TEA"), &EVERYTHING).unwrap().len(), 1);
    let last = history.last_before(&level("TEA"), Moment::Sequence(Sequence(2))).unwrap();
    assert_eq!(last.map(|movement| movement.sequence), Some(Sequence(1)));
    assert!(node.write());
    assert_eq!(history.end().unwrap(), Sequence(2), "it is seen as soon as it is durable");
}

fn pages_add_up(node: &mut dyn Node) {
    let all = fill(node);
    let end = Sequence(all.len() as u64);
    for limit in [1, 2, 7, 1_000] {
        assert_eq!(read(node, Sequence::START, end, limit, Topics::NONE), all, "{limit} a page");
    }
}

fn pages_keep_their_bounds(node: &mut dyn Node) {
    let all = fill(node);
    for (after, upto) in [(0, 1), (1, 2), (3, 50), (40, 41), (17, all.len())] {
        let (from, to) = (Sequence(after as u64), Sequence(upto as u64));
        let query = EventQuery { after: from, upto: to, limit: 3, wanted: Topics::NONE };
        let piece = node.history().events(&query).unwrap();
        assert_eq!(piece.movements[0], all[after], "{after} to {upto}");
        let through = all.iter().find(|movement| movement.sequence == piece.through).unwrap();
        assert_eq!(piece.at, through.at, "the time of the event there");
        assert_eq!(read(node, from, to, 3, Topics::NONE), all[after..upto], "{after} to {upto}");
    }
    let query = EventQuery { after: Sequence(5), upto: Sequence(5), limit: 3, wanted: Topics::NONE };
    let piece = node.history().events(&query).unwrap();
    assert_eq!((piece.movements.len(), piece.through), (0, Sequence(5)));
}

fn what_is_wanted_is_there(node: &mut dyn Node) {
    let all = fill(node);
    let end = Sequence(all.len() as u64);
    let wanted = Topics::kind(EventKind::Reserve);
    for limit in [1, 5, 1_000] {
        let found = read(node, Sequence::START, end, limit, wanted);
        assert!(found.is_sorted_by_key(|movement| movement.sequence));
        let is_wanted = |movement: &&Movement| movement.event.kind == EventKind::Reserve;
        assert!(found.iter().filter(is_wanted).eq(all.iter().filter(is_wanted)), "{limit} a page");
    }
    let nobody = Topics::kind(EventKind::Import);
    assert_eq!(read(node, Sequence::START, end, 5, nobody), [], "or nothing, and it comes to an end");
}

fn movements_of_a_key(node: &mut dyn Node) {
    let all = fill(node);
    for sku in ["TEA", "RICE", "SALT"] {
        let found = node.history().movements(&level(sku), &EVERYTHING).unwrap();
        assert!(found.iter().eq(of_key(&all, &level(sku))), "{sku}: {found:?}");
    }
    assert_eq!(node.history().movements(&level("NONE"), &EVERYTHING).unwrap(), []);
}

fn movements_keep_their_bounds(node: &mut dyn Node) {
    let all = fill(node);
    let tea = level("TEA");
    let queries = [
        MovementQuery { after: Sequence(20), ..EVERYTHING },
        MovementQuery { limit: 0, ..EVERYTHING },
        MovementQuery { limit: 5, ..EVERYTHING },
        MovementQuery { after: Sequence(20), limit: 5, ..EVERYTHING },
        MovementQuery { kind: Some(EventKind::Reserve), ..EVERYTHING },
        MovementQuery { kind: Some(EventKind::Reserve), limit: 2, after: Sequence(9), ..EVERYTHING },
        MovementQuery { kind: Some(EventKind::Count), ..EVERYTHING },
        MovementQuery { since: Some(noon(18)), ..EVERYTHING },
        MovementQuery { until: Some(noon(18)), ..EVERYTHING },
        MovementQuery { since: Some(noon(12)), until: Some(noon(33)), limit: 4, ..EVERYTHING },
        MovementQuery { since: Some(noon(33)), until: Some(noon(33)), ..EVERYTHING },
        MovementQuery { since: Some(noon(10_000)), ..EVERYTHING },
        MovementQuery { until: Some(noon(-1)), ..EVERYTHING },
    ];
    for query in queries {
        let is_wanted = |movement: &&Movement| {
            movement.sequence > query.after
                && query.kind.is_none_or(|kind| kind == movement.event.kind)
                && query.since.is_none_or(|since| movement.at >= since)
                && query.until.is_none_or(|until| movement.at < until)
        };
        let wanted = of_key(&all, &tea).filter(is_wanted).take(query.limit);
        let found = node.history().movements(&tea, &query).unwrap();
        assert!(found.iter().eq(wanted), "{query:?}: {found:?}");
    }
}

fn the_last_before_a_moment(node: &mut dyn Node) {
    let all = fill(node);
    let rice = level("RICE");
    for place in 0..=all.len() as u64 + 1 {
        let wanted = of_key(&all, &rice).rfind(|movement| movement.sequence <= Sequence(place));
        let found = node.history().last_before(&rice, Moment::Sequence(Sequence(place))).unwrap();
        assert_eq!(found.as_ref(), wanted, "sequence {place}");
    }
    for milliseconds in -1..=ENTRIES.cast_signed() {
        let at = noon(milliseconds);
        let wanted = of_key(&all, &rice).rfind(|movement| movement.at <= at);
        let found = node.history().last_before(&rice, Moment::Time(at)).unwrap();
        assert_eq!(found.as_ref(), wanted, "{at}");
    }
}

fn a_time_leads_to_a_sequence(node: &mut dyn Node) {
    let all = fill(node);
    let last = all.last().unwrap().at;
    for milliseconds in -1..=ENTRIES.cast_signed() {
        let at = noon(milliseconds);
        let found = node.history().sequence_at(at).unwrap();
        if at >= last {
            assert!(found >= Sequence(all.len() as u64), "{at}: {found}");
        } else {
            let wanted = all.iter().rfind(|movement| movement.at <= at).map(|movement| movement.sequence);
            assert_eq!(found, wanted.unwrap_or_default(), "{at}");
        }
    }
}
