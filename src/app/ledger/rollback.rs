//! Rollback: after the log has failed, memory returns to the durable state before the next command is decided.
//!
//! The first caller that notices runs it: a command before it decides, a read whose state was rolled back, or the command whose
//! ticket failed. The log accepts no entry meanwhile, so the journal is complete: a command notes its steps while it holds
//! `noting`, and its entry was queued before the log failed. The rollback does not touch the disk, so it works with a dead one.

use super::Ledger;
use crate::ledger::journal::JournalStep;
use crate::ports::Generation;
use onhand_domain::{Key, Sequence, Timestamp, Undo};

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
        self.moved(key, slot, true);
    }
}
