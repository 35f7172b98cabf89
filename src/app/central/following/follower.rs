//! The follower of one source: reads events, skips known ones, applies the others, and moves the checkpoint.
//!
//! The checkpoint belongs to the node, not to the source: the log carries the node's id, and an address is only the way there. A source
//! may therefore move to another address, and two sources with the same node are detected. A gap, another node behind the same address, or
//! a log that ends before the checkpoint *stops* the source until an operator has checked it, because every further event could corrupt the
//! central model. A missing or malformed answer is retried. An event that cannot be applied is read again a few times (`RETRY_TIMES`)
//! before it becomes a dead letter. While the letter cannot be written the source waits: no event is dropped.

use crate::central::following::unanswered::Unanswered;
use crate::central::model::apply::{Applied, DecodedChange, apply_one, decode};
use crate::central::model::step::Origin;
use crate::central::{Central, Poison, SourceReport, SourceState, Worker};
use crate::ports::{Delivered, Delivery, EventSource, Reading};
use futures_util::poll;
use onhand_domain::Sequence;
use onhand_resilience::{Breaker, RetryBudget};
use std::future::ready;
use std::sync::Arc;
use std::task::Poll;

/// One source, and the position and counters of its follower.
pub(crate) struct Follower {
    /// The index of the source.
    pub(crate) number: usize,
    pub(crate) source: Arc<dyn EventSource>,
    /// Stops requests to a source that does not answer.
    pub(crate) breaker: Arc<Breaker>,
    pub(crate) budget: RetryBudget,
    /// The node and ledger of the log, once the source has answered.
    pub(crate) origin: Option<Origin>,
    pub(crate) sequence: Sequence,
    pub(crate) end: Sequence,
    pub(crate) state: SourceState,
    pub(crate) duplicates: u64,
    pub(crate) taken: u64,
    pub(crate) superseded: u64,
    pub(crate) parked_levels: usize,
    pub(crate) parked_events: u64,
}

/// Counts of one pass over a source.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PassCounts {
    pub(crate) applied: u64,
    pub(crate) dead_lettered: u64,
}

/// Why the application of a delivery ended.
enum Halt {
    /// All events are applied.
    End,
    /// This event cannot be applied.
    Poison(Delivered, Poison),
    /// The source must be stopped.
    Stop(String),
}

impl Follower {
    pub(crate) fn new(number: usize, source: Arc<dyn EventSource>, breaker: Arc<Breaker>) -> Self {
        Self {
            number,
            source,
            breaker,
            budget: RetryBudget::default(),
            origin: None,
            sequence: Sequence::START,
            end: Sequence::START,
            state: SourceState::New,
            duplicates: 0,
            taken: 0,
            superseded: 0,
            parked_levels: 0,
            parked_events: 0,
        }
    }

    pub(crate) fn report(&self) -> SourceReport {
        SourceReport {
            name: self.source.name().to_owned(),
            node: self.origin.map(|origin| origin.node),
            sequence: self.sequence,
            end: self.end,
            state: self.state.clone(),
            duplicates: self.duplicates,
            taken: self.taken,
            superseded: self.superseded,
            parked_levels: self.parked_levels,
            parked_events: self.parked_events,
        }
    }

    /// Follows the source up to the end that its log had at the first answer, or until an event fails.
    ///
    /// The end is fixed, so that a pass over a busy node ends. A read that runs ahead is used only if it continues
    /// at the checkpoint: after an event that could not be applied the follower reads that event again.
    pub(crate) async fn follow(&mut self, worker: &Worker) -> PassCounts {
        let mut counts = PassCounts::default();
        let mut target = None;
        let mut tries = 0;
        let mut failed = None;
        let source = Arc::clone(&self.source);
        let mut ahead: Option<(Sequence, Reading<'_>)> = None;
        while !matches!(self.state, SourceState::Stopped(_)) {
            let begun = ahead.take().filter(|(after, _)| *after == self.sequence);
            let Some(delivery) = self.read(worker, begun.map(|(_, reading)| reading)).await else { break };
            let target = *target.get_or_insert(delivery.end);
            let before = self.sequence;
            if let Some(last) =
                delivery.events.last().map(|event| event.sequence).filter(|last| *last < target)
            {
                // The next events are read while these are applied.
                let mut reading = source.read(last, worker.settings.read_events);
                if let Poll::Ready(done) = poll!(&mut reading) {
                    reading = Box::pin(ready(done));
                }
                ahead = Some((last, reading));
            }
            match self.apply(worker, &delivery, &mut counts) {
                Halt::End if self.sequence == before => {
                    if delivery.end > self.sequence {
                        let end = delivery.end;
                        self.fail(&format!(
                            "its log goes on to {end}, but it delivers nothing new after {before}"
                        ));
                    }
                    break;
                }
                Halt::End => (tries, failed) = (0, None),
                Halt::Stop(reason) => self.stop(reason),
                Halt::Poison(event, _)
                    if tries < worker.settings.retry_times && failed.as_ref() != Some(&event) =>
                {
                    // A second read may repair an event that was corrupted on the way. The same event twice was not corrupted, and becomes
                    // a dead letter at once.
                    tries += 1;
                    worker.settings.backoff().rest(tries).await;
                    failed = Some(event);
                }
                Halt::Poison(event, poison) => {
                    if !self.bury(worker, delivery.node, &event, &poison, tries + 1).await {
                        break;
                    }
                    counts.dead_lettered += 1;
                    (tries, failed) = (0, None);
                }
            }
            self.close_letters(worker, delivery.node).await;
            worker.note(self.report());
            if self.sequence >= target {
                break;
            }
        }
        worker.note(self.report());
        counts
    }

    /// Reads the events after the checkpoint, and checks the answer; `begun` is a read of them that is under way.
    async fn read(&mut self, worker: &Worker, begun: Option<Reading<'_>>) -> Option<Delivery> {
        if self.origin.is_none() && !self.introduce(worker).await {
            return None;
        }
        let events = worker.settings.read_events;
        let delivery = match self.ask(&worker.settings, self.sequence, events, begun).await {
            Ok(delivery) => delivery,
            Err(error) => {
                self.unanswered(&error);
                return None;
            }
        };
        if self.origin != Some(Origin::of(&delivery)) {
            let Origin { node, ledger } = Origin::of(&delivery);
            self.stop(format!("it is node {node} of ledger {ledger} now, it was another one before"));
            return None;
        }
        if delivery.end < self.sequence {
            self.stop(format!("its log ends at {}, central has seen {}", delivery.end, self.sequence));
            return None;
        }
        if let Some(beyond) = delivery.events.iter().find(|event| event.sequence > delivery.end) {
            self.fail(&format!(
                "it delivers event {}, but says its log ends at {}",
                beyond.sequence, delivery.end
            ));
            return None;
        }
        self.end = delivery.end;
        self.state = SourceState::Well;
        Some(delivery)
    }

    /// Asks the source for its node, and resumes from the node's checkpoint. Model and dead letters are reconciled
    /// before the first event: a parked level without its letter would otherwise never end its wait.
    async fn introduce(&mut self, worker: &Worker) -> bool {
        let origin = match self.ask(&worker.settings, Sequence::START, 0, None).await {
            Ok(delivery) => Origin::of(&delivery),
            Err(error) => {
                self.unanswered(&error);
                return false;
            }
        };
        let node = origin.node;
        if let Some(other) = worker.followers.claim(node, self.number) {
            self.stop(format!("node {node} is followed as {other} already"));
            return false;
        }
        if let Err(reason) = self.heal(worker, node).await {
            self.fail(&reason);
            return false;
        }
        self.origin = Some(origin);
        self.sequence = worker.model.look(|central| central.as_of().get(&node).copied()).unwrap_or_default();
        worker.model.look(|central| self.count_parked(central));
        true
    }

    pub(crate) fn count_parked(&mut self, central: &Central) {
        let waits = self.origin.and_then(|origin| central.waits(origin.node));
        self.parked_levels = waits.map_or(0, |waits| waits.parked.len());
        self.parked_events =
            waits.map_or(0, |waits| waits.parked.values().map(|parked| parked.waiting).sum());
    }

    /// Records a missing answer. An open breaker keeps the reason that opened it.
    fn unanswered(&mut self, error: &Unanswered) {
        if matches!(error, Unanswered::Source(_)) || !matches!(self.state, SourceState::Failing(_)) {
            self.fail(&error.to_string());
        }
    }

    pub(crate) fn fail(&mut self, reason: &str) {
        if !matches!(&self.state, SourceState::Failing(before) if before == reason) {
            tracing::warn!(source = self.source.name(), reason, "a source cannot be read; it is tried again");
        }
        self.state = SourceState::Failing(reason.to_owned());
    }

    fn stop(&mut self, reason: String) {
        tracing::error!(source = self.source.name(), reason, "a source is stopped until somebody has looked");
        self.state = SourceState::Stopped(reason);
    }

    fn count(&mut self, applied: Applied, counts: &mut PassCounts) {
        self.taken += u64::from(applied == Applied::Taken);
        self.superseded += u64::from(applied == Applied::Superseded);
        counts.applied += u64::from(matches!(applied, Applied::Now | Applied::Taken));
    }

    /// Applies a delivery up to the first event that fails. Model and checkpoint move under one lock, because a save in between would
    /// apply events twice after a crash, or lose them.
    fn apply(&mut self, worker: &Worker, delivery: &Delivery, counts: &mut PassCounts) -> Halt {
        let decoded: Vec<DecodedChange> = delivery.events.iter().map(decode).collect();
        let mut central = worker.model.write();
        let mut halt = Halt::End;
        for (event, decoded) in delivery.events.iter().zip(decoded) {
            if event.sequence <= self.sequence {
                self.duplicates += 1;
                continue;
            }
            if event.sequence != self.sequence.plus(1) {
                halt = Halt::Stop(format!("sequence {} follows {}", event.sequence, self.sequence));
                break;
            }
            match apply_one(&mut central, Origin::of(delivery), event, decoded) {
                Ok(applied) => self.count(applied, counts),
                Err(poison) => {
                    halt = Halt::Poison(event.clone(), poison);
                    break;
                }
            }
            self.sequence = event.sequence;
        }
        central.advance(delivery.node, self.sequence);
        self.count_parked(&central);
        drop(central);
        worker.model.moved();
        halt
    }
}
