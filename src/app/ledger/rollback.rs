//! Rollback: after the log has failed, memory returns to the durable state before the next command is decided.
//!
//! The first caller that notices runs it: a command before it decides, a read whose state was rolled back, or the command whose
//! ticket failed. The log accepts no entry meanwhile, so the journal is complete: a command notes its steps while it holds
//! `noting`, and its entry was queued before the log failed. The rollback does not touch the disk, so it works with a dead one.

use super::Ledger;
use crate::app::ledger::journal::JournalStep;
use crate::app::ports::Generation;
use crate::domain::{Key, Sequence, Timestamp, Undo};

impl Ledger {
    /// The generation of a read or decision that starts now; a pending rollback runs first.
    pub(super) async fn generation(&self) -> Generation {
        self.roll_back().await;
        self.parts.log.durable().generation()
    }

    /// Rolls memory back to the durable state if the log has failed.
    ///
    /// Cancel safe: the next caller continues a rollback that was dropped half-way. The caller must hold no slot: the rollback locks
    /// every slot it changes.
    pub(super) async fn roll_back(&self) {
        let watch = self.parts.log.durable();
        if watch.must_roll_back().is_none() {
            return;
        }
        let _one_at_a_time = self.rolling_back.lock().await;
        let Some(durable) = watch.must_roll_back() else { return };
        // Every command that appended before the failure has noted its steps once this lock is granted. Without it, a step could enter
        // the journal behind the rollback, and stay in memory.
        drop(self.noting.write());
        loop {
            if let Some(key) = self.journal.next_state() {
                self.roll_back_state(&key, durable).await;
            } else {
                match self.journal.take() {
                    Some((last, JournalStep::Known(id))) if last > durable => {
                        self.idempotency.forget(id, durable);
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        }
        watch.rolled_back();
    }

    /// Rolls back the last step of the journal, which moved the state under `key`.
    ///
    /// The step is removed from the journal only under the slot's lock: a rollback that is dropped while it waits loses no step.
    async fn roll_back_state(&self, key: &Key, durable: Sequence) {
        let entity = self.entities.entity(key);
        let mut state = entity.lock().await;
        let Some((last, JournalStep::Moved(_, undo, log))) = self.journal.take() else { return };
        if last <= durable {
            return;
        }
        state.log = log;
        self.undo(key, &mut state, undo, durable);
        let absent = state.state.version() == 0;
        drop(state);
        if absent {
            self.entities.forget(&entity);
        }
    }

    fn undo(&self, key: &Key, slot: &mut super::Slot, undo: Undo, durable: Sequence) {
        slot.state.undo(undo);
        slot.head = slot.head.min(durable);
        if slot.state.version() == 0 {
            slot.head = Sequence::START;
            self.entities.unlist(key);
        }
        // The rollback may have reopened holds that had expired, so the next due moment is scheduled anew.
        slot.watched = Timestamp::NEVER;
        self.moved(key, slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{CommandError, Meta, Outcome, fingerprint};
    use crate::domain::stock::{Batch, Operation, StockCommand, Verb};
    use crate::domain::{Command, Expected, Idempotency, Quantity, Sku, StoreId};
    use crate::sim::disk::{self, Fault, Injection, SimDisk};
    use crate::sim::node::{SimNode, SimSettings};
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    fn adjust(sku: &str, key: Option<&str>) -> Operation {
        let verb = Verb::Adjust { delta: Quantity::new(1).unwrap(), reason: None, reference: None };
        let store_id = StoreId::new("S").unwrap();
        let command = StockCommand { store_id, sku: Sku::new(sku).unwrap(), expected: Expected::Any, verb };
        let idempotency = key.map(|key| Idempotency {
            key: key.into(),
            scope: "test".into(),
            fingerprint: fingerprint(b"one"),
        });
        Operation { command, idempotency, known: None }
    }

    fn alone(operation: Operation) -> (Command, Meta) {
        let meta = Meta { idempotency: operation.idempotency, ..Meta::default() };
        (Command::Stock(operation.command), meta)
    }

    fn key(sku: &str) -> Key {
        Key::Level(StoreId::new("S").unwrap(), Sku::new(sku).unwrap())
    }

    /// A node with the levels A and B, each of version 1, and a disk whose next sync fails.
    async fn about_to_fail() -> (SimNode, SimDisk) {
        let disk = SimDisk::new(1);
        let node = SimNode::open(&disk, &Arc::default(), &Arc::default(), SimSettings::default()).unwrap();
        for sku in ["A", "B"] {
            let (command, meta) = alone(adjust(sku, None));
            node.execute(command, &meta).await.unwrap();
        }
        disk.inject(Injection::at(1, Fault::Eio).only(disk::DiskOperation::SyncData));
        (node, disk)
    }

    fn is_open(outcome: &Poll<Result<Outcome, CommandError>>) -> bool {
        outcome.is_pending()
    }

    #[tokio::test]
    async fn what_was_decided_on_the_taken_back_does_not_enter_the_log() {
        let (node, _) = about_to_fail().await;
        let mut context = Context::from_waker(Waker::noop());
        let (command, meta) = alone(adjust("B", Some("k")));
        let mut first = pin!(node.ledger.execute(command, &meta));
        assert!(is_open(&first.as_mut().poll(&mut context)));
        // The batch has found the key, and waits for a level before it can decide.
        let entity = node.ledger.entities.entity(&key("A"));
        let held = entity.lock().await;
        let operations = vec![adjust("A", None), adjust("B", Some("k"))];
        let (batch, meta) = (Command::Batch(Batch { atomic: false, operations }), Meta::default());
        let mut second = pin!(node.ledger.execute(batch, &meta));
        assert!(is_open(&second.as_mut().poll(&mut context)));
        node.write_waiting().unwrap_err();
        assert!(matches!(node.drive(first).await, Err(CommandError::OutcomeUnknown)));
        node.probe().unwrap();
        drop(held);
        assert!(matches!(node.drive(second).await, Err(CommandError::ReadOnly)));
        let version = node.ledger.read(&key("A"), crate::domain::State::version).await;
        assert_eq!(version.unwrap(), Some(1));
    }

    /// A write or sync does not return. Whoever only asks is not kept waiting with those whose change is on its way.
    #[tokio::test]
    async fn who_only_asks_does_not_wait_for_a_disk_that_does_not_answer() {
        let disk = SimDisk::new(1);
        let node = SimNode::open(&disk, &Arc::default(), &Arc::default(), SimSettings::default()).unwrap();
        let (command, meta) = alone(adjust("A", None));
        node.execute(command, &meta).await.unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let (command, _) = alone(adjust("A", None));
        let mut change = pin!(node.ledger.execute(command, &meta));
        assert!(is_open(&change.as_mut().poll(&mut context)));
        let delta = Quantity::new(-100).unwrap();
        let mut too_much = adjust("A", None);
        too_much.command.verb = Verb::Adjust { delta, reason: None, reference: None };
        let (command, _) = alone(too_much);
        let mut refused = pin!(node.ledger.execute(command, &meta));
        assert!(is_open(&refused.as_mut().poll(&mut context)));
        let (store_id, sku) = (StoreId::new("S").unwrap(), Sku::new("A").unwrap());
        let mut read = pin!(node.ledger.level(&store_id, &sku));
        assert!(read.as_mut().poll(&mut context).is_pending());
        node.ledger.log().durable().note_silence(true);
        let version = |read: Option<crate::app::stock::LevelView>| read.map(|view| view.numbers.version);
        assert_eq!(version(read.await.unwrap()), Some(1), "what is durable");
        assert!(matches!(refused.await, Err(CommandError::Overloaded)));
        assert!(is_open(&change.as_mut().poll(&mut context)), "it may still happen");
        node.ledger.log().durable().note_silence(false);
        node.drive(change).await.unwrap();
        assert_eq!(version(node.ledger.level(&store_id, &sku).await.unwrap()), Some(2));
    }

    #[tokio::test]
    async fn a_read_that_was_caught_shows_what_is_durable() {
        let (node, _) = about_to_fail().await;
        let mut context = Context::from_waker(Waker::noop());
        let (command, meta) = alone(adjust("B", Some("k")));
        {
            let mut caller = pin!(node.ledger.execute(command, &meta));
            assert!(is_open(&caller.as_mut().poll(&mut context)));
            // The caller goes away, so only the reader can roll memory back.
        }
        let key = key("B");
        let mut reader = pin!(node.ledger.read(&key, crate::domain::State::version));
        assert!(reader.as_mut().poll(&mut context).is_pending(), "a crash could take it back");
        node.write_waiting().unwrap_err();
        assert_eq!(reader.await.unwrap(), Some(1));
        let (command, meta) = alone(adjust("C", None));
        assert!(matches!(node.execute(command, &meta).await, Err(CommandError::ReadOnly)));
        node.probe().unwrap();
        let (command, meta) = alone(adjust("B", Some("k")));
        let outcome = node.execute(command, &meta).await.unwrap();
        assert_eq!((outcome.sequence, outcome.replayed), (Sequence(3), false));
    }
}
