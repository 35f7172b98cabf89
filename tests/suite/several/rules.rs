//! The effect of each event of several logs on central, one rule after the other.

use super::merge::{Tale, check, follow};
use super::{NUMBERS, Several, adjust, key, reserve};
use crate::sync::world::{Central, file, level, open_letters};
use onhand_app::central::{LetterState, Worker};
use onhand_app::ports::{Moment, MovementQuery};
use onhand_app::stock::MovementPlace;
use onhand_app::{Ledger, Parts};
use onhand_domain::{Key, Sequence};
use onhand_file::recovery::OpenNode;
use onhand_sim_machine::SimIds;
use std::sync::Arc;

/// A: 1, 2 by the first member, 3 and 4 by the second, 5 by the first again.
///
/// The first log has ADJUST 1, ADJUST 2, TAKE 4, ADJUST 5; the second one TAKE 2, ADJUST 3, ADJUST 4.
fn there_and_back() -> Several {
    let mut several = Several::new();
    for (member, delta) in [(0, 10), (0, -1), (1, -2), (1, -3), (0, 100)] {
        several.act(member, &adjust("A", delta)).unwrap();
    }
    several
}

async fn sync(worker: &Worker) -> [(u64, u64); 2] {
    let report = worker.sync().await;
    [0, 1].map(|log| (report.sources[log].taken, report.sources[log].superseded))
}

#[tokio::test]
async fn one_log_after_the_other_whichever_is_first() {
    let several = there_and_back();
    for (first, taken_and_superseded) in [(0, [(1, 0), (0, 3)]), (1, [(1, 2), (1, 0)])] {
        let tales = Tale::all(&several).await;
        let worker = follow(&tales).start().unwrap();
        tales[first].show(u64::MAX);
        worker.sync().await;
        tales[1 - first].show(u64::MAX);
        assert_eq!(sync(&worker).await, taken_and_superseded, "log {first} first");
        check(&several, &file(&worker));
        assert!(worker.letters().is_empty());
        assert_eq!(level(&worker, "LONDON", "A"), Some((104, 5)));
    }
}

#[tokio::test]
async fn every_log_adds_up_by_itself() {
    let mut several = there_and_back();
    several.act(1, &reserve("A", 3, "r", Some(10))).unwrap();
    several.clock.pass(20_000);
    several.act(2, &adjust("A", 1)).unwrap();
    several.members.clear();
    let versions = NUMBERS.map(|number| {
        let states = several.open(number).restored.states;
        let (_, state) = states.into_iter().find(|(known, _)| *known == key("A")).unwrap();
        if number == 3 {
            assert_eq!(state, several.heads[&key("A")].state);
        }
        state.version()
    });
    assert_eq!(versions, [5, 6, 8]);
}

#[tokio::test]
async fn a_repeat_is_no_old_tale() {
    // The second log has version 4 twice: the log that moved the level last has no older event behind that.
    let several = there_and_back();
    let mut tales = Tale::all(&several).await;
    let second = Arc::get_mut(&mut tales[1]).unwrap();
    second.repeat_last();
    let worker = follow(&tales).start().unwrap();
    tales[1].show(u64::MAX);
    worker.sync().await;
    let letters = open_letters(&worker);
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].reason, "its version is 4, after version 4");
}

#[tokio::test]
async fn two_different_events_of_one_version_are_found() {
    let several = there_and_back();
    let mut tales = Tale::all(&several).await;
    // The TAKE of the first log has a state that the second one has not reached.
    Arc::get_mut(&mut tales[0]).unwrap().change(3, "\"onHand\":4", "\"onHand\":5");
    let worker = follow(&tales).start().unwrap();
    tales[1].show(u64::MAX);
    worker.sync().await;
    tales[0].show(3);
    worker.sync().await;
    let letters = open_letters(&worker);
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].reason.starts_with("it leads to"), "{}", letters[0].reason);
}

/// The first log with a bad second event, and the second one up to `second`.
async fn parked(second: u64) -> (Several, Vec<Arc<Tale>>, Central, Worker) {
    let several = there_and_back();
    let tales = Tale::all(&several).await;
    let central = follow(&tales);
    let worker = central.start().unwrap();
    tales[0].poison(&[2]);
    tales[0].show(2);
    tales[1].show(second);
    worker.sync().await;
    (several, tales, central, worker)
}

#[tokio::test]
async fn an_event_waiting_in_one_log_does_not_block_another_log() {
    let (_several, tales, _central, worker) = parked(u64::MAX).await;
    assert_eq!(level(&worker, "LONDON", "A"), Some((4, 4)), "the other log took it over and went on");
    assert_eq!(open_letters(&worker).len(), 1, "somebody is still to look");
    // The effect of the letter's event is in the level.
    tales[0].poison(&[]);
    let letter = open_letters(&worker).remove(0);
    let redriven = worker.redrive(&letter.id).await.unwrap();
    assert_eq!((redriven.letter.state, redriven.waiting), (LetterState::Redriven, 0));
    assert_eq!(level(&worker, "LONDON", "A"), Some((4, 4)));
    tales[0].show(u64::MAX);
    worker.sync().await;
    assert_eq!(level(&worker, "LONDON", "A"), Some((104, 5)));
}

#[tokio::test]
async fn a_discarded_event_does_not_overwrite_a_newer_one_of_another_log() {
    let (several, tales, _central, worker) = parked(u64::MAX).await;
    let letter = open_letters(&worker).remove(0);
    worker.discard(&letter.id, "nobody knows").await.unwrap();
    assert_eq!(level(&worker, "LONDON", "A"), Some((4, 4)));
    tales[0].show(u64::MAX);
    worker.sync().await;
    check(&several, &file(&worker));
    assert!(file(&worker).sources.values().all(|source| source.loose.is_empty()));
}

#[tokio::test]
async fn events_behind_a_discarded_one_do_not_overwrite_newer_ones() {
    let mut several = Several::new();
    for (member, delta) in [(0, 10), (0, -1), (0, -2), (1, -3), (1, 1)] {
        several.act(member, &adjust("A", delta)).unwrap();
    }
    let tales = Tale::all(&several).await;
    let worker = follow(&tales).start().unwrap();
    tales[0].poison(&[2]);
    for tale in &tales {
        tale.show(u64::MAX);
    }
    worker.sync().await;
    check(&several, &file(&worker));
    let letter = open_letters(&worker).remove(0);
    let discarded = worker.discard(&letter.id, "nobody knows").await.unwrap();
    assert_eq!((discarded.applied, discarded.waiting), (1, 0));
    check(&several, &file(&worker));
}

#[tokio::test]
async fn history_is_of_movements_and_as_of_is_of_all() {
    let mut several = there_and_back();
    several.clock.pass(1_000);
    several.act(1, &adjust("A", 1)).unwrap();
    several.clock.pass(1_000);
    several.members.clear();
    let OpenNode { log, restored, end, lock: _lock, .. } = several.open(1);
    let parts = Parts {
        history: log.history(),
        log: Arc::new(log),
        clock: Arc::clone(&several.clock) as _,
        ids: Arc::new(SimIds::default()),
        idempotency_ttl_ms: 300_000,
    };
    let ledger = Ledger::new(parts, restored, end);
    let Key::Level(store, sku) = key("A") else { unreachable!() };
    // ADJUST, ADJUST, TAKE, ADJUST.
    for (after, limit, owed) in [
        ("0", 1, vec![1]),
        ("0", 2, vec![1, 2]),
        ("0", 3, vec![1, 2, 4]),
        ("1", 2, vec![2, 4]),
        ("2", 9, vec![4]),
    ] {
        let place = MovementPlace::parse(after).unwrap();
        let query = MovementQuery { after: Sequence::START, limit, kind: None, since: None, until: None };
        let found = ledger.movements(&store, &sku, &place, query).await.unwrap();
        let found: Vec<u64> = found.iter().map(|view| view.movement.sequence.0).collect();
        assert_eq!(found, owed, "{limit} after {after}");
    }
    for (sequence, version) in [(2, 2), (3, 4), (4, 5)] {
        let moment = Moment::Sequence(Sequence(sequence));
        let then = ledger.level_as_of(&store, &sku, moment).await.unwrap().unwrap();
        assert_eq!(then.numbers.version, version, "as of {sequence}");
    }
}

#[tokio::test]
async fn a_level_taken_over_anew_waits_no_longer_and_its_letter_is_closed() {
    for other_log_first in [true, false] {
        let (several, tales, central, worker) = parked(if other_log_first { u64::MAX } else { 0 }).await;
        tales[0].show(1);
        let report = worker.sync().await;
        assert_eq!(report.sources[0].parked_levels, 0);
        assert_eq!(report.sources[0].taken, 1);
        assert_eq!(level(&worker, "LONDON", "A"), Some((4, 4)));
        let letters = worker.letters();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].state, LetterState::Redriven);
        assert_eq!(letters[0].note.as_deref(), Some("event 3 of the same log has all of the level"));
        // A model from before that: the letter is open again, and closed again.
        drop(worker);
        let worker = central.start().unwrap();
        for tale in &tales {
            tale.show(u64::MAX);
        }
        worker.sync().await;
        assert!(open_letters(&worker).is_empty());
        check(&several, &file(&worker));
    }
}

#[tokio::test]
async fn a_take_that_cannot_be_read_waits_and_comes_when_it_can() {
    for later in [true, false] {
        let several = there_and_back();
        let tales = Tale::all(&several).await;
        let worker = follow(&tales).start().unwrap();
        tales[1].poison(&[1]);
        tales[1].show(u64::MAX);
        worker.sync().await;
        let letters = open_letters(&worker);
        assert_eq!(letters[0].sku.as_ref().map(onhand_domain::Sku::as_str), Some("A"), "its level is known");
        assert_eq!(level(&worker, "LONDON", "A"), None);
        if later {
            tales[0].show(u64::MAX);
            worker.sync().await;
            assert_eq!(level(&worker, "LONDON", "A"), Some((104, 5)));
        }
        tales[1].poison(&[]);
        let redriven = worker.redrive(&letters[0].id).await.unwrap();
        assert_eq!((redriven.applied, redriven.waiting), (3, 0));
        let owed = if later { (104, 5) } else { (4, 4) };
        assert_eq!(level(&worker, "LONDON", "A"), Some(owed));
    }
}
