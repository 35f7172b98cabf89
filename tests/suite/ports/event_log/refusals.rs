//! Entries that are rejected, and a log that fails.

use crate::ports::movements::{Movements, level};
use crate::ports::{Node, append, entry, noon, wait};
use onhand_app::ports::{AppendError, NewEntry, Ticket};
use onhand_domain::Sequence;
use onhand_resilience::BreakerState;
use tokio::sync::oneshot::error::TryRecvError;

/// More entries than any queue holds.
const MANY: usize = 100_000;

pub(super) fn a_stale_entry_is_refused(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    let before = movements.clone();
    for (decided, before_it, taken) in [(0, 1, true), (0, 0, false), (-5, 0, false), (-5, -4, false)] {
        let mut movements = before.clone();
        let events = [movements.adjust("RICE")];
        let valid_before = Some(noon(before_it));
        let new = NewEntry { decided_at: noon(decided), valid_before, ..entry(node, &events) };
        let depth = node.log().queue_depth();
        match node.log().append(&new) {
            Ok(appended) => assert!(taken, "at {decided}, valid before {before_it}: {appended:?}"),
            Err(error) => {
                assert_eq!((error, taken), (AppendError::Stale, false));
                assert_eq!(node.log().queue_depth(), depth, "nothing was queued");
            }
        }
    }
    let mut movements = before;
    movements.adjust("RICE");
    assert_eq!(
        append(node, &[movements.adjust("TEA")]).unwrap().sequence,
        Sequence(3),
        "no sequence is lost"
    );
}

pub(super) fn a_full_queue_refuses(node: &mut dyn Node) {
    let mut movements = Movements::default();
    let mut last = None;
    let full = (0..MANY).find_map(|_| {
        let before = movements.clone();
        match append(node, &[movements.adjust("TEA")]) {
            Ok(appended) => {
                last = Some(appended.sequence);
                None
            }
            Err(error) => Some((error, before)),
        }
    });
    let (error, mut movements) = full.expect("every queue has a bound");
    assert_eq!(error, AppendError::Full);
    assert_eq!(node.log().breaker(), BreakerState::Closed, "it is busy, not broken");
    assert!(node.write());
    let appended = append(node, &[movements.adjust("TEA")]).unwrap();
    assert_eq!(Some(appended.sequence), last.map(|last| last.plus(1)), "nothing was queued");
}

pub(super) fn a_closed_log_refuses(node: &mut dyn Node) {
    let mut movements = Movements::default();
    let mut waiting = append(node, &[movements.adjust("TEA")]).unwrap();
    node.close();
    assert_eq!(waiting.ticket.try_recv(), Ok(Ok(())), "what waited is durable");
    assert_eq!(append(node, &[movements.adjust("TEA")]).unwrap_err(), AppendError::Closed);
    node.restart();
    assert_eq!(node.history().end().unwrap(), Sequence(1));
}

pub(super) fn a_failure_is_told(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    assert_eq!((node.log().breaker(), node.log().durable().must_roll_back()), (BreakerState::Closed, None));
    let generation = node.log().durable().generation();
    let mut tickets: Vec<Ticket> =
        (0..3).map(|_| append(node, &[movements.adjust("TEA")]).unwrap().ticket).collect();
    node.fail_writes();
    assert!(!node.write());
    assert_eq!(node.log().breaker(), BreakerState::Open);
    assert_eq!(node.log().durable().must_roll_back(), Some(Sequence(1)), "as far as it is durable");
    assert!(!node.log().durable().is_current(generation));
    for ticket in &mut tickets {
        assert!(matches!(ticket.try_recv(), Ok(Err(_)) | Err(TryRecvError::Closed)), "all of them fail");
    }
    assert_eq!((node.log().queue_depth(), node.log().durable().sequence()), (0, Sequence(1)));
    wait(node.log().durable().reached(generation, Sequence(1))).unwrap();
    wait(node.log().durable().reached(generation, Sequence(2))).unwrap_err();
}

pub(super) fn memory_goes_back_first(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    let durable = movements.clone();
    append(node, &[movements.adjust("TEA")]).unwrap();
    let events = [durable.clone().adjust("RICE")];
    let old = entry(node, &events);
    let refused = |node: &dyn Node, new: &NewEntry<'_>, when: &str| {
        assert_eq!(node.log().append(new).unwrap_err(), AppendError::ReadOnly, "{when}");
    };
    node.fail_writes();
    assert!(!node.write());
    refused(node, &old, "while storage is down");
    node.recover();
    assert_eq!(node.log().breaker(), BreakerState::Closed);
    refused(node, &entry(node, &events), "before memory has gone back");
    node.log().durable().rolled_back();
    refused(node, &old, "decided on what was rolled back");
    assert_eq!(append(node, &events).unwrap().sequence, Sequence(2), "the sequence is given again");
    // The other way round: memory is rolled back before storage is.
    node.fail_writes();
    assert!(!node.write());
    node.log().durable().rolled_back();
    refused(node, &entry(node, &events), "before storage is well");
    node.recover();
    let mut appended = append(node, &events).unwrap();
    assert!(node.write());
    assert_eq!((appended.sequence, appended.ticket.try_recv()), (Sequence(2), Ok(Ok(()))));
}

pub(super) fn what_failed_leaves_no_trace(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    let mut durable = movements.clone();
    append(node, &[movements.adjust("TEA"), movements.adjust("LOST")]).unwrap();
    node.fail_writes();
    assert!(!node.write());
    assert_eq!(node.history().end().unwrap(), Sequence(1));
    node.log().durable().rolled_back();
    node.recover();
    for _ in 0..3 {
        append(node, &[durable.adjust("RICE")]).unwrap();
    }
    assert!(node.write());
    for restarted in [false, true] {
        if restarted {
            node.restart();
        }
        let history = node.history();
        let found = |sequence| history.entry(Sequence(sequence)).unwrap().map(|entry| entry.events);
        assert_eq!(history.end().unwrap(), Sequence(4));
        assert_eq!(found(1).unwrap()[0].fact.key(), level("TEA"));
        for sequence in 2..=4 {
            assert_eq!(found(sequence).unwrap()[0].fact.key(), level("RICE"));
        }
        assert_eq!(found(5), None);
    }
}
