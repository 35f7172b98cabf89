//! The contract of a source of the worker: `src/app/ports/event_source.rs`.

use crate::ports::file::{FileNode, Setup};
use crate::ports::history::fill;
use crate::ports::memory::{MemoryNode, Mistake};
use crate::ports::movements::Movements;
use crate::ports::{Node, Rule, append, broken, hold, wait};
use onhand_app::ports::{Delivery, EventSource};
use onhand_domain::{Event, Sequence};
use std::time::{Duration, Instant};

/// Longer than any test waits for news that have arrived.
const LONG: Duration = Duration::from_secs(60);

const RULES: &[Rule] = &[
    ("pages in order are all events", pages_are_all_events),
    ("it resumes at any checkpoint, again and again", it_resumes_at_any_checkpoint),
    ("it says where the log ends, and delivers nothing beyond", it_says_where_the_log_ends),
    ("it says whose log it is, the same at every start", it_says_whose_log_it_is),
    ("the events are those that were appended", the_events_are_those_appended),
    ("news end when there is something", news_end_when_there_is_something),
    ("a restored older copy shows that its log ends earlier", a_restored_copy_ends_earlier),
];

#[test]
fn sources_on_disk_keep_the_contract() {
    for setup in Setup::ALL {
        hold(RULES, |rule| rule(&mut FileNode::new(setup)));
    }
}

#[test]
fn a_source_in_memory_keeps_the_contract() {
    hold(RULES, |rule| rule(&mut MemoryNode::new(Mistake::Nothing)));
}

#[test]
fn a_mistake_in_a_source_is_seen() {
    for (mistake, rule) in [
        (Mistake::SkipsAnEvent, "pages in order are all events"),
        (Mistake::RepeatsTheCheckpoint, "it resumes at any checkpoint, again and again"),
        (Mistake::PromisesWhatWaits, "it says where the log ends, and delivers nothing beyond"),
        (Mistake::NewNodeAtEachStart, "it says whose log it is, the same at every start"),
        (Mistake::HidesThatTheLogIsShorter, "a restored older copy shows that its log ends earlier"),
    ] {
        let broken = broken(RULES, |rule| rule(&mut MemoryNode::new(mistake)));
        assert!(broken.contains(&rule), "{mistake:?} breaks only {broken:?}");
    }
}

fn read(source: &dyn EventSource, after: u64, limit: usize) -> Delivery {
    wait(source.read(Sequence(after), limit)).unwrap()
}

fn sequences(delivery: &Delivery) -> Vec<u64> {
    delivery.events.iter().map(|event| event.sequence.0).collect()
}

fn pages_are_all_events(node: &mut dyn Node) {
    let end = fill(node).len() as u64;
    let source = node.source();
    for limit in [1, 3, 8, 1_000] {
        let (mut after, mut all) = (0, Vec::new());
        while after < end {
            let page = sequences(&read(&*source, after, limit));
            let goes_on = page.last().is_some_and(|last| *last > after);
            assert!(goes_on && page.len() <= limit, "after {after}: {page:?}");
            after = *page.last().unwrap();
            all.extend(page);
        }
        assert_eq!(all, (1..=end).collect::<Vec<_>>(), "{limit} a page");
    }
}

fn it_resumes_at_any_checkpoint(node: &mut dyn Node) {
    let end = fill(node).len() as u64;
    let source = node.source();
    // Forwards, backwards, and from somewhere: a checkpoint may be older than the last read.
    let checkpoints = (0..end).chain((0..end).rev()).chain([end / 2, end / 2, 1, end - 1, 0]);
    for after in checkpoints {
        let page = sequences(&read(&*source, after, 3));
        let wanted: Vec<u64> = (after + 1..=end).take(page.len()).collect();
        assert!(!page.is_empty() && page == wanted, "after {after}: {page:?}");
    }
}

fn it_says_where_the_log_ends(node: &mut dyn Node) {
    let mut movements = Movements::default();
    let source = node.source();
    let empty = read(&*source, 0, 10);
    assert_eq!((empty.end, empty.events.len()), (Sequence::START, 0));
    append(node, &[movements.adjust("TEA"), movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    append(node, &[movements.adjust("TEA")]).unwrap();
    for (after, limit, wanted) in [(0, 10, vec![1, 2]), (0, 0, vec![]), (1, 1, vec![2]), (2, 10, vec![])] {
        let delivery = read(&*source, after, limit);
        assert_eq!((delivery.end, sequences(&delivery)), (Sequence(2), wanted), "after {after}");
    }
    assert!(node.write());
    assert_eq!(sequences(&read(&*source, 2, 10)), [3], "as soon as it is durable");
}

fn it_says_whose_log_it_is(node: &mut dyn Node) {
    let end = fill(node).len() as u64;
    let first = read(&*node.source(), 0, 0);
    assert_eq!((first.node, first.ledger), (node.id(), node.id()), "also when nothing is asked for");
    node.restart();
    for after in [0, 5, end] {
        let again = read(&*node.source(), after, 4);
        assert_eq!((again.node, again.ledger), (first.node, first.ledger));
    }
    assert!(!node.source().name().is_empty());
}

fn the_events_are_those_appended(node: &mut dyn Node) {
    let all = fill(node);
    let delivered = read(&*node.source(), 0, 1_000).events;
    for (event, movement) in delivered.iter().zip(&all) {
        assert_eq!((event.sequence, event.at), (movement.sequence, movement.at));
        assert_eq!(Event::decode(&event.json).unwrap(), movement.event);
        let json: serde_json::Value = serde_json::from_str(&event.json).unwrap();
        for member in ["eventId", "type", "payload", "after"] {
            assert!(json.get(member).is_some(), "{member} of {json}");
        }
    }
}

fn news_end_when_there_is_something(node: &mut dyn Node) {
    let end = fill(node).len() as u64;
    let source = node.source();
    let begun = Instant::now();
    wait(source.news(Sequence(end - 1), LONG));
    assert!(begun.elapsed() < LONG, "there is something");
    wait(source.news(Sequence(end), Duration::from_millis(30)));
    assert!(begun.elapsed() < LONG, "there is nothing, and the wait has an end");
}

fn a_restored_copy_ends_earlier(node: &mut dyn Node) {
    let mut movements = Movements::default();
    for _ in 0..5 {
        append(node, &[movements.adjust("TEA")]).unwrap();
        assert!(node.write());
    }
    node.keep_copy();
    let mut copied = movements.clone();
    for _ in 0..5 {
        append(node, &[movements.adjust("TEA")]).unwrap();
        assert!(node.write());
    }
    let before = read(&*node.source(), 9, 10);
    assert_eq!((before.end, sequences(&before)), (Sequence(10), vec![10]));
    node.restore_copy();
    // A reader that has seen more events than there are must learn it, and gets no others in their place.
    let source = node.source();
    let after = read(&*source, 10, 10);
    assert_eq!((after.node, after.end, after.events.len()), (before.node, Sequence(5), 0));
    assert_eq!(sequences(&read(&*source, 0, 10)), [1, 2, 3, 4, 5]);
    append(node, &[copied.adjust("RICE")]).unwrap();
    assert!(node.write());
    let next = read(&*source, 5, 10);
    assert_eq!((next.end, sequences(&next)), (Sequence(6), vec![6]), "and goes on from there");
}
