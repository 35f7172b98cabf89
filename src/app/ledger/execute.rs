//! The write path of one command: recognise a retry, lock the states in key order, decide, and answer, in up to three rounds.

use super::{CommandError, Decided, Ledger, Meta, Outcome, WholeRetry};
use crate::ledger::entities::{Handle, Slot};
use crate::ports::Generation;
use crate::ports::RetryId;
use onhand_domain::{Command, Idempotency, Key, Sequence, Timestamp};
use tokio::sync::MutexGuard;

/// Most rounds of a command. A round that turns out to need further states is followed by another; the last one locks every state that
/// the command may need.
const ROUNDS_MAX: u32 = 3;

/// The parts of a command that do not change from round to round.
struct Request<'a> {
    meta: &'a Meta,
    generation: Generation,
    /// The idempotency of the whole command.
    whole: Option<(RetryId, &'a Idempotency)>,
    /// The idempotency of each operation that has its own, with the operation's index.
    parts: Vec<(usize, RetryId, Idempotency)>,
}

/// The result of a round.
enum Round<'a> {
    /// The command is a retry.
    Known(WholeRetry<'a>),
    /// The command is decided; the decision rests on this log up to the sequence.
    Decided(Decided, Sequence),
    /// The decision needs these states too, and is void.
    NeedsKeys(Vec<Key>),
}

impl Ledger {
    /// Executes a command once and durably.
    ///
    /// Cancel safe: a command that is dropped at any await has happened in full or not at all.
    ///
    /// # Errors
    /// [`CommandError`]; a refusal is returned only once every entry it rests on is durable.
    pub async fn execute(&self, mut command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        let generation = self.generation().await;
        let actor = meta.actor.as_ref();
        let whole = meta.idempotency.as_ref().map(|known_by| (RetryId::new(actor, known_by), known_by));
        let parts: Vec<_> = command
            .operation_idempotency()
            .map(|(op, known_by)| (op, RetryId::new(actor, known_by), known_by.clone()))
            .collect();
        let ids = whole.iter().map(|(id, _)| *id).chain(parts.iter().map(|(_, id, _)| *id));
        // The stripes come before any slot. A retry waits here until the first request has left its record; if it locked the states
        // first, it could hold what the first request needs. The order stripes, leases, slots is the same everywhere.
        let stripes = self.idempotency.lock(ids).await;
        let request = Request { meta, generation, whole, parts };
        let mut keys = self.with_beside(command.keys(), false);
        for round in 1..=ROUNDS_MAX {
            match self.round(&mut command, &request, &keys).await? {
                Round::Known(known) => {
                    drop(stripes);
                    return self.answer_retry(generation, known, &command).await;
                }
                Round::Decided(decided, head) => {
                    drop(stripes);
                    return self.await_outcome(decided, generation, head, &command).await;
                }
                Round::NeedsKeys(more) => {
                    keys.extend(more);
                    keys = self.with_beside(keys, round + 1 == ROUNDS_MAX);
                    keys.sort_unstable();
                    keys.dedup();
                }
            }
        }
        // The last round locks every state that a projection may add, so a well-behaved projection never gets here. A retry is
        // better than a decision on too few states.
        Err(CommandError::Overloaded)
    }

    /// Locks the states under these keys, in key order, and decides once.
    ///
    /// Leases are taken before the slots and checked again under them. A lease takes a round trip to another process, and giving one up
    /// takes the slot, so a caller that waited for a lease with a slot in hand would block both.
    async fn round<'a>(
        &self,
        command: &mut Command,
        request: &Request<'a>,
        keys: &[Key],
    ) -> Result<Round<'a>, CommandError> {
        if self.is_shared() && self.projections.each().any(|projection| projection.is_in_doubt(keys)) {
            self.catch_up().await?;
        }
        if let Some(known) = self.lease_and_find(keys, request.whole).await? {
            return Ok(Round::Known(known));
        }
        let entities: Vec<_> = keys.iter().map(|key| self.entities.entity(key)).collect();
        let mut guards = self.lock_all(&entities).await;
        while !self.may_decide(keys, request.whole) {
            // A lease was released since, or another process has applied the same request. All slots are released
            // before the leases are taken again: the process that releases a lease waits for these slots.
            drop(guards);
            if let Some(known) = self.lease_and_find(keys, request.whole).await? {
                return Ok(Round::Known(known));
            }
            guards = self.lock_all(&entities).await;
        }
        let known_head = self.note_known(command, &request.parts);
        let decided = loop {
            let decided =
                self.decide_and_append(command, request.meta, request.generation, keys, &mut guards)?;
            if !decided.more_due {
                break decided;
            }
        };
        if let Command::Due(_) = command {
            // This execution was the scheduled one, so the slot has none until the next due moment is scheduled.
            for (key, slot) in keys.iter().zip(&mut guards) {
                slot.watched = Timestamp::NEVER;
                self.schedule_due(key, slot);
            }
        }
        let rests_on = self.projections.each().map(|projection| projection.rests_on(keys));
        let rests_on = rests_on.fold(known_head, Sequence::max);
        let head = guards.iter().map(|slot| slot.head).fold(rests_on, Sequence::max);
        let absent: Vec<usize> =
            (0..).zip(&guards).filter(|(_, g)| g.state.version() == 0).map(|(i, _)| i).collect();
        drop(guards);
        for position in absent {
            if let Some(entity) = entities.get(position) {
                self.entities.forget(entity);
            }
        }
        if decided.needs.is_empty() {
            Ok(Round::Decided(decided, head))
        } else {
            Ok(Round::NeedsKeys(decided.needs))
        }
    }

    /// Takes the leases of all keys. Returns the record of the whole command's idempotency key when it is known: a retry is answered
    /// without leases, whichever process holds them.
    async fn lease_and_find<'a>(
        &self,
        keys: &[Key],
        whole: Option<(RetryId, &'a Idempotency)>,
    ) -> Result<Option<WholeRetry<'a>>, CommandError> {
        let mut leased = Ok(());
        if let Some(sharing) = self.sharing.as_ref().filter(|sharing| !sharing.ready(keys)) {
            self.catch_up().await?;
            if self.find_whole(whole).is_none() && !sharing.ready(keys) {
                leased = self.lease(keys).await;
            }
        }
        if !matches!(leased, Ok(()) | Err(CommandError::Contended)) {
            return leased.map(|()| None);
        }
        match self.find_whole(whole) {
            None => leased.map(|()| None),
            known => Ok(known),
        }
    }

    fn find_whole<'a>(&self, whole: Option<(RetryId, &'a Idempotency)>) -> Option<WholeRetry<'a>> {
        let (id, known_by) = whole?;
        self.idempotency.find(id, known_by, self.now()).map(|known| (known, known_by))
    }

    /// True when the command may be decided. The caller holds the slots: without them a lease could be released
    /// after the check. Among several processes the key is looked up again, because the lease may have been
    /// elsewhere meanwhile, with the same request.
    fn may_decide(&self, keys: &[Key], whole: Option<(RetryId, &Idempotency)>) -> bool {
        let Some(sharing) = &self.sharing else { return true };
        sharing.ready(keys) && self.find_whole(whole).is_none()
    }

    async fn lock_all<'a>(&self, entities: &'a [Handle]) -> Vec<MutexGuard<'a, Slot>> {
        let mut guards = Vec::with_capacity(entities.len());
        for entity in entities {
            guards.push(entity.lock().await);
        }
        guards
    }
}
