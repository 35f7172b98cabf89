//! When the log has failed: memory goes back to what is durable, before the next command is decided.
//!
//! Whoever notices first does it: a command before it decides, a read that was taken back, the command whose ticket
//! failed. Meanwhile the log takes nothing, so what is found is all there is: a command notes its steps while it holds
//! `noting`, and the entry it noted was queued before the log failed. No disk is needed, so a dead one is no hindrance.

use super::Ledger;
use crate::app::journal::Step;
use crate::app::ports::Generation;
use crate::domain::{Key, Sequence, Undo};

impl Ledger {
    /// The generation in which something is about to be looked at; memory has gone back before.
    pub(super) async fn generation(&self) -> Generation {
        self.go_back().await;
        self.parts.log.durable().generation()
    }

    /// Takes memory back to what is durable, if it has to.
    ///
    /// Cancel safe: dropped half-way, the next one goes on with it. To be called without holding any state.
    pub(super) async fn go_back(&self) {
        let watch = self.parts.log.durable();
        if watch.must_go_back().is_none() {
            return;
        }
        let _one_at_a_time = self.going_back.lock().await;
        let Some(durable) = watch.must_go_back() else { return };
        // Those who were appending when the log failed have noted it once this is had.
        drop(self.noting.write());
        loop {
            if let Some(key) = self.journal.next_state() {
                self.move_back(&key, durable).await;
            } else {
                match self.journal.take() {
                    Some((last, Step::Known(id))) if last > durable => self.idempotency.forget(id, durable),
                    Some(_) => {}
                    None => break,
                }
            }
        }
        watch.went_back();
    }

    /// Takes the last step of the journal, which moved the state under `key`, back.
    async fn move_back(&self, key: &Key, durable: Sequence) {
        let slot = self.entities.slot(key);
        let mut state = slot.lock().await;
        let Some((last, Step::Moved(_, undo))) = self.journal.take() else { return };
        if last <= durable {
            return;
        }
        self.undo(key, &mut state, undo, durable);
        let absent = state.state.version() == 0;
        drop(state);
        if absent {
            self.entities.forget(key, &slot);
        }
    }

    fn undo(&self, key: &Key, slot: &mut super::Slot, undo: Undo, durable: Sequence) {
        slot.state.undo(undo);
        slot.head = slot.head.min(durable);
        if slot.state.version() == 0 {
            slot.head = Sequence::START;
            self.entities.unlist(key);
        }
        // Holds that had expired are open again.
        slot.watched = None;
        self.watch(key, slot);
    }
}
