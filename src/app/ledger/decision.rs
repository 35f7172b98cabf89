//! The middle of the write path: decide, append, apply to memory. Not async, so that no await can split the three.

use super::{CommandError, Decided, Ledger, Meta};
use crate::KnownEffect;
use crate::ledger::entities::Slot;
use crate::ledger::journal::JournalStep;
use crate::ledger::projection::Moved;
use crate::ports::{AppendError, Appended, Generation, LogNumber, NewEntry};
use onhand_domain::limits::EXPIRIES_PER_ENTRY_MAX;
use onhand_domain::{Command, Draft, Evidence, Finished, Key, Sequence, decide, follow_up};
use onhand_planted::{Bug, planted};
use tokio::sync::MutexGuard;

impl Ledger {
    /// Decides a command on the locked states, appends its entry, and applies it to memory.
    ///
    /// The order matters. The evidence is read under the slots' locks, because a change before them would not be seen. The entry gets its
    /// sequence before memory is applied, because a rejected entry must leave no trace. The idempotency record is inserted before the
    /// caller releases the locks: a retry that came in between would be decided as a new command. A decision that log time has
    /// overtaken ([`AppendError::Stale`]) is made again from the start.
    pub(super) fn decide_and_append(
        &self,
        command: &Command,
        meta: &Meta,
        generation: Generation,
        keys: &[Key],
        slots: &mut [MutexGuard<'_, Slot>],
    ) -> Result<Decided, CommandError> {
        loop {
            let now = self.now();
            let mut new_id = || self.parts.ids.event_id();
            let foreign = self.foreign(keys, slots);
            // Read here and not by the caller: evidence from before the locks may be out of date.
            let mut evidence = Evidence::default();
            self.projections.each().for_each(|projection| projection.evidence(keys, &mut evidence));
            let states = slots.iter_mut().map(|slot| &mut slot.state).collect();
            let mut draft = Draft::new(now, keys, states, &mut new_id).taking(foreign).based_on(&evidence);
            let more_due = !draft.expire_due(EXPIRIES_PER_ENTRY_MAX);
            let expired = draft.mark();
            let refusal = if more_due { None } else { decide(&mut draft, command).err() };
            let effective = !more_due && refusal.is_none() && draft.mark() != expired;
            follow_up(&mut draft);
            if !draft.needs().is_empty() && !planted(Bug::StaleLook) {
                let needs = draft.needs().to_vec();
                draft.abandon();
                return Ok(Decided { needs, ..Decided::default() });
            }
            if draft.is_empty() {
                return Ok(Decided { refusal, finished: draft.finish(), more_due, ..Decided::default() });
            }
            let new_entry = NewEntry {
                generation,
                decided_at: now,
                valid_before: draft.next_due(),
                actor: meta.actor.as_ref(),
                request_id: meta.request_id.as_ref(),
                idempotency: meta.idempotency.as_ref().filter(|_| effective),
                events: draft.events(),
                unapplied: if effective { draft.unapplied() } else { &[] },
            };
            // Held until the journal has the steps. A rollback between the append and the journal would miss them.
            let _noting = self.noting.read();
            let appended = if self.idempotency.is_full() && meta.idempotency.is_some() {
                Err(AppendError::Full)
            } else {
                self.parts.log.append(&new_entry)
            };
            match appended {
                Ok(appended) => {
                    let mut finished = draft.finish();
                    self.apply_to_memory(meta, effective, &mut finished, &appended, keys, slots);
                    let appended = Some(appended);
                    return Ok(Decided { refusal, finished, appended, more_due, needs: Vec::new() });
                }
                Err(error) => {
                    draft.abandon();
                    match error {
                        AppendError::Stale => {}
                        AppendError::Full => return Err(CommandError::Overloaded),
                        AppendError::ReadOnly => return Err(CommandError::ReadOnly),
                        AppendError::Closed => return Err(CommandError::Closed),
                    }
                }
            }
        }
    }

    /// For each key whose state another log moved last: the epoch under which this log takes it over.
    fn foreign(&self, keys: &[Key], slots: &[MutexGuard<'_, Slot>]) -> Vec<Option<u64>> {
        let Some(sharing) = &self.sharing else { return Vec::new() };
        let epoch = |(key, slot): (&Key, &MutexGuard<'_, Slot>)| {
            (slot.log != LogNumber::OWN).then(|| sharing.epoch(key))
        };
        keys.iter().zip(slots).map(epoch).collect()
    }

    /// Applies an appended entry to memory: slots, projections, idempotency records, and the journal for a
    /// rollback.
    ///
    /// The journal comes last, in the order of the events, so that a rollback undoes the events of one state from
    /// the last to the first.
    fn apply_to_memory(
        &self,
        meta: &Meta,
        effective: bool,
        finished: &mut Finished,
        appended: &Appended,
        keys: &[Key],
        slots: &mut [MutexGuard<'_, Slot>],
    ) {
        let last = appended.sequence.plus(finished.events.len() as u64).minus(1);
        let undos = std::mem::take(&mut finished.undos);
        let logs: Vec<LogNumber> = slots.iter().map(|slot| slot.log).collect();
        let mut touched: Vec<usize> = undos.iter().map(|(position, _)| *position).collect();
        touched.sort_unstable();
        touched.dedup();
        for position in touched {
            let Some((key, slot)) = keys.get(position).zip(slots.get_mut(position)) else { continue };
            let fresh = slot.head == Sequence::START;
            slot.head = last;
            slot.log = LogNumber::OWN;
            slot.state.set_updated_at(appended.at);
            if fresh {
                self.entities.list(key);
            }
            self.moved(key, slot, false);
        }
        let actor = meta.actor.as_ref();
        let whole =
            meta.idempotency.iter().filter(|_| effective).map(|known_by| (appended.sequence, known_by));
        let numbered = (appended.sequence.0..).map(Sequence).zip(&finished.events);
        let parts = numbered.filter_map(|(sequence, event)| Some((sequence, event.idempotency.as_ref()?)));
        let known: Vec<KnownEffect> = whole
            .chain(parts)
            .filter_map(|(sequence, known_by)| KnownEffect::new(actor, known_by, sequence, appended.at))
            .collect();
        for effect in &known {
            self.idempotency.insert(*effect, LogNumber::OWN);
        }
        if !known.is_empty() {
            self.idempotency.sweep(appended.at, 2 * known.len());
        }
        let moved = undos.into_iter().filter_map(|(position, undo)| {
            Some(JournalStep::Moved(keys.get(position)?.clone(), undo, logs.get(position).copied()?))
        });
        let steps = moved.chain(known.iter().map(|effect| JournalStep::Known(effect.id)));
        self.journal.note(last, self.parts.log.durable().sequence(), steps);
    }

    /// Notifies every projection of a changed state, and schedules its next due moment. The caller holds the slot.
    pub(super) fn moved(&self, key: &Key, slot: &mut Slot, rolled_back: bool) {
        let own = slot.log == LogNumber::OWN;
        let moved = Moved { key, state: &slot.state, head: slot.head, own, rolled_back };
        for projection in self.projections.each() {
            if let Some(key) = projection.changed(&moved) {
                self.re_evaluate(key);
            }
        }
        self.schedule_due(key, slot);
    }

    /// Schedules the re-evaluation of a state at once: at the time of the last entry, because log time is not known yet while this
    /// process joins others.
    pub(super) fn re_evaluate(&self, key: Key) {
        self.due.note(self.now_of_logs(), key);
    }

    /// Schedules the re-evaluation of the states that are stale because another process moved the state under `key`.
    pub(super) async fn re_evaluate_moved(&self, key: &Key) {
        self.stale_for(key).await.into_iter().for_each(|stale| self.re_evaluate(stale));
    }

    /// The keys of the states that are stale because another process moved the state under `key`.
    pub(super) async fn stale_for(&self, key: &Key) -> Vec<Key> {
        let mut stale = Vec::new();
        for projection in self.projections.each() {
            if let Some(found) = projection.stale(self, key) {
                stale.extend(found.await);
            }
        }
        stale
    }

    /// These keys and the keys that projections add to them, sorted and unique; with `all` every key a projection might add.
    pub(super) fn with_beside(&self, mut keys: Vec<Key>, all: bool) -> Vec<Key> {
        let mut more = Vec::new();
        self.projections.each().for_each(|projection| projection.beside(&keys, all, &mut more));
        if !more.is_empty() {
            keys.append(&mut more);
            keys.sort_unstable();
            keys.dedup();
        }
        keys
    }

    /// Schedules the next due moment of a state, unless an earlier one is scheduled.
    pub(super) fn schedule_due(&self, key: &Key, slot: &mut Slot) {
        let Some(at) = slot.state.next_due() else { return };
        if at < slot.watched {
            slot.watched = at;
            self.due.note(at, key.clone());
        }
    }
}
