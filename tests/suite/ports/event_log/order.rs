//! Sequences, times, groups and tickets, while only the process fails.

use crate::ports::movements::Movements;
use crate::ports::{Node, append, entry, noon};
use onhand_app::ports::{NewEntry, Ticket};
use onhand_domain::{Idempotency, Rejection, Sequence, Unapplied, UnappliedWhy};
use onhand_resilience::BreakerState;
use smol_str::SmolStr;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tokio::sync::oneshot::error::TryRecvError;

/// True while the outcome of a ticket's entry is open.
fn is_open(ticket: &mut Ticket) -> bool {
    ticket.try_recv() == Err(TryRecvError::Empty)
}

pub(super) fn sequences_have_no_gaps(node: &mut dyn Node) {
    let mut movements = Movements::default();
    let mut next = Sequence(1);
    for events in [1, 3, 2, 1] {
        let events: Vec<_> = (0..events).map(|_| movements.adjust("TEA")).collect();
        assert_eq!(append(node, &events).unwrap().sequence, next);
        next = next.plus(events.len() as u64);
        if events.len() == 3 {
            assert!(node.write(), "whatever is written in between");
        }
    }
    assert!(node.write());
    assert_eq!(node.history().end().unwrap().plus(1), next);
    assert_eq!(node.log().durable().sequence().plus(1), next);
}

pub(super) fn a_group_is_durable_together(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    let events = [movements.adjust("TEA"), movements.adjust("RICE"), movements.adjust("TEA")];
    let mut tickets: Vec<Ticket> =
        events.iter().map(|event| append(node, std::slice::from_ref(event)).unwrap().ticket).collect();
    assert_eq!((node.log().queue_depth(), node.log().durable().sequence()), (3, Sequence(1)));
    assert!(node.write());
    assert_eq!((node.log().queue_depth(), node.log().durable().sequence()), (0, Sequence(4)));
    assert!(tickets.iter_mut().all(|ticket| ticket.try_recv() == Ok(Ok(()))));
    for sequence in 2..=4 {
        let entry = node.history().entry(Sequence(sequence)).unwrap().unwrap();
        assert_eq!(entry.batch, Sequence(2), "the first sequence of the group");
    }
}

pub(super) fn an_entry_reads_back(node: &mut dyn Node) {
    let mut movements = Movements::default();
    let (actor, request_id) = (SmolStr::new("till 7"), SmolStr::new("r-1"));
    let idempotency =
        Idempotency { key: "k".into(), scope: "adjust".into(), fingerprint: "0123456789abcdef".into() };
    let mut events = [movements.adjust("TEA"), movements.reserve("TEA")];
    events[1].op = Some(2);
    let why = UnappliedWhy::Refused(Rejection::IdempotencyKeyReused);
    let unapplied = [Unapplied { op: 1, why }];
    let new = NewEntry {
        actor: Some(&actor),
        request_id: Some(&request_id),
        idempotency: Some(&idempotency),
        unapplied: &unapplied,
        ..entry(node, &events)
    };
    let appended = node.log().append(&new).unwrap();
    assert!(node.write());
    let read = node.history().entry(appended.sequence).unwrap().unwrap();
    assert_eq!((read.sequence, read.at, read.batch), (Sequence(1), noon(0), Sequence(1)));
    assert_eq!((read.actor.as_ref(), read.request_id.as_ref()), (Some(&actor), Some(&request_id)));
    assert_eq!((read.idempotency.as_ref(), &*read.unapplied), (Some(&idempotency), &unapplied[..]));
    assert_eq!(read.events, events);
}

pub(super) fn time_never_goes_back(node: &mut dyn Node) {
    let mut movements = Movements::default();
    for (decided, wanted) in [(0, 0), (5, 5), (3, 5), (-9_000, 5), (6, 6)] {
        let events = [movements.adjust("TEA")];
        let new = NewEntry { decided_at: noon(decided), ..entry(node, &events) };
        let appended = node.log().append(&new).unwrap();
        assert_eq!((appended.at, node.log().last_time()), (noon(wanted), noon(wanted)));
        assert!(node.write());
        let read = node.history().entry(appended.sequence).unwrap().unwrap();
        assert_eq!(read.at, noon(wanted));
    }
    node.restart();
    assert_eq!(node.log().last_time(), noon(6));
    let appended = append(node, &[movements.adjust("TEA")]).unwrap();
    assert_eq!(appended.at, noon(6), "nor over a restart");
}

pub(super) fn a_ticket_is_durable(node: &mut dyn Node) {
    let mut movements = Movements::default();
    let mut appended = append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(is_open(&mut appended.ticket));
    assert_eq!(node.log().durable().sequence(), Sequence::START);
    assert_eq!(node.history().entry(Sequence(1)).unwrap(), None);
    assert_eq!(node.history().end().unwrap(), Sequence::START);
    assert!(node.write());
    assert_eq!(appended.ticket.try_recv(), Ok(Ok(())));
    assert_eq!(node.log().durable().sequence(), Sequence(1));
    node.restart();
    assert!(node.history().entry(Sequence(1)).unwrap().is_some());
}

pub(super) fn the_watch_tells(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA")]).unwrap();
    let watch = node.log().durable();
    let mut reached = pin!(watch.reached(watch.generation(), Sequence(1)));
    let mut passed = pin!(watch.passed(Sequence(1)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(reached.as_mut().poll(&mut context).is_pending());
    assert!(passed.as_mut().poll(&mut context).is_pending());
    assert!(node.write());
    assert_eq!(reached.poll(&mut context), Poll::Ready(Ok(())));
    assert!(passed.poll(&mut context).is_ready());
}

pub(super) fn a_kill_takes_what_waits(node: &mut dyn Node) {
    let mut movements = Movements::default();
    append(node, &[movements.adjust("TEA"), movements.adjust("TEA")]).unwrap();
    append(node, &[movements.adjust("TEA")]).unwrap();
    assert!(node.write());
    let id = node.id();
    let mut durable = movements.clone();
    append(node, &[movements.adjust("TEA")]).unwrap();
    node.restart();
    assert_eq!((node.history().end().unwrap(), node.log().durable().sequence()), (Sequence(3), Sequence(3)));
    assert_eq!((node.log().queue_depth(), node.log().breaker(), node.id()), (0, BreakerState::Closed, id));
    assert_eq!(append(node, &[durable.adjust("TEA")]).unwrap().sequence, Sequence(4));
    assert!(node.write());
    assert_eq!(node.history().entry(Sequence(4)).unwrap().map(|entry| entry.events.len()), Some(1));
}
