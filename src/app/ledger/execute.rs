//! A command from its first look to its answer: the states it needs are locked in the order of their keys, retries are recognised, and it is
//! decided, in up to three rounds.

use super::{CommandError, Decided, Ledger, Meta, Outcome, WholeRetry};
use crate::app::ledger::entities::{Handle, Slot};
use crate::app::ledger::idempotency::RetryId;
use crate::app::ports::Generation;
use crate::domain::{Command, Idempotency, Key, Sequence, Timestamp};
use tokio::sync::MutexGuard;

/// How often the states of a command are locked and decided on, until it needs no more of them: the last time all are locked that it
/// may need.
const ROUNDS_MAX: u32 = 3;

/// A command on its way, with all that does not change from one round to the next.
struct Request<'a> {
    meta: &'a Meta,
    generation: Generation,
    /// The idempotency of the whole command.
    whole: Option<(RetryId, &'a Idempotency)>,
    /// Those of its operations.
    parts: Vec<(usize, RetryId, Idempotency)>,
}

/// What a round came to.
enum Round<'a> {
    /// It is a retry.
    Known(WholeRetry<'a>),
    /// It is decided, on states whose last events stand in the log up to there.
    Decided(Decided, Sequence),
    /// It needs these states too.
    NeedsKeys(Vec<Key>),
}

impl Ledger {
    /// Does what the command asks, once, durably.
    ///
    /// Cancel safe: dropped at any await, the command has happened in full or not at all.
    ///
    /// # Errors
    /// [`CommandError`]; a refusal is answered only once everything it was decided on is durable.
    pub async fn execute(&self, mut command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        let generation = self.generation().await;
        let actor = meta.actor.as_ref();
        let whole = meta.idempotency.as_ref().map(|known_by| (RetryId::new(actor, known_by), known_by));
        let parts: Vec<_> = command
            .operation_idempotency()
            .map(|(op, known_by)| (op, RetryId::new(actor, known_by), known_by.clone()))
            .collect();
        let ids = whole.iter().map(|(id, _)| *id).chain(parts.iter().map(|(_, id, _)| *id));
        // A retry waits here for the first request, until what that did is known by its key.
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
        // Not reached while every state a command may need can be named; rather asked again than decided on too little.
        Err(CommandError::Overloaded)
    }

    /// Locks the states under these keys, in order, and decides once.
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
            // Given up since: a lease is only looked for without any state in hand. A retry may have been faster elsewhere.
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
            // The look that was promised was this one; the next one is for what is still to come.
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

    /// The leases of all keys, unless the whole command's idempotency key is known: then that is answered, whoever has them.
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

    /// True when the command may be decided on; to be asked with the mutexes of its states held. Among several processes
    /// that also takes that it was not done elsewhere since it was looked for.
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
