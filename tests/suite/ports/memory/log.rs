//! A log in memory: a queue in front of a list of entries.

use super::{Durable, Mistake};
use onhand_app::ports::{AppendError, Appended, DurableWatch, EventLog, LogFailed, NewEntry};
use onhand_domain::{Entry, Sequence, Timestamp};
use onhand_resilience::BreakerState;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Entries that may be queued at once.
const QUEUE_MAX: usize = 100;

pub(crate) struct MemoryLog {
    state: Mutex<State>,
    durable: Durable,
    watch: DurableWatch,
    mistake: Mistake,
}

struct State {
    waiting: Vec<(Entry, oneshot::Sender<Result<(), LogFailed>>)>,
    next: Sequence,
    last_time: Timestamp,
    breaker: BreakerState,
    failing: bool,
    closed: bool,
}

impl MemoryLog {
    /// A log that continues behind the durable entries.
    pub(super) fn open(durable: &Durable, mistake: Mistake) -> Self {
        let (end, last_time) = durable
            .lock()
            .last()
            .map_or((Sequence::START, Timestamp::EPOCH), |entry| (entry.last(), entry.at));
        let state = State {
            waiting: Vec::new(),
            next: end.plus(1),
            last_time,
            breaker: BreakerState::Closed,
            failing: false,
            closed: false,
        };
        let watch = DurableWatch::new(end);
        Self { state: Mutex::new(state), durable: Durable::clone(durable), watch, mistake }
    }

    /// Makes the queued entries durable, as one group.
    pub(crate) fn write(&self) -> bool {
        let mut state = self.state.lock();
        if state.waiting.is_empty() {
            return true;
        }
        if state.failing {
            return self.fail(&mut state);
        }
        let (entries, tickets): (Vec<Entry>, Vec<_>) = std::mem::take(&mut state.waiting).into_iter().unzip();
        let batch = entries[0].sequence;
        let end = entries[entries.len() - 1].last();
        self.durable.lock().extend(entries.into_iter().map(|entry| {
            if self.mistake == Mistake::SplitsGroups { entry } else { Entry { batch, ..entry } }
        }));
        if self.mistake != Mistake::TellsNobody {
            self.watch.advance(end);
        }
        for ticket in tickets {
            let _ = ticket.send(Ok(()));
        }
        true
    }

    /// First no entry is accepted any more, then the watch reports it, then the tickets do.
    fn fail(&self, state: &mut State) -> bool {
        state.breaker = BreakerState::Open;
        if self.mistake != Mistake::FailsInSilence {
            self.watch.fail();
        }
        for (entry, ticket) in state.waiting.drain(..) {
            if self.mistake == Mistake::KeepsWhatFailed {
                self.durable.lock().push(entry);
            }
            let _ = ticket.send(Err(LogFailed::NotWritten));
        }
        false
    }

    pub(crate) fn fail_writes(&self) {
        self.state.lock().failing = true;
    }

    pub(crate) fn recover(&self) {
        let mut state = self.state.lock();
        state.failing = false;
        if state.breaker == BreakerState::Open {
            (state.breaker, state.next) = (BreakerState::Closed, self.watch.sequence().plus(1));
        }
    }

    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        if self.mistake == Mistake::LosesTheLastAtClose {
            self.state.lock().waiting.pop();
        }
        self.write();
    }

    /// The queued entries.
    pub(super) fn waiting(&self) -> Vec<Entry> {
        self.state.lock().waiting.iter().map(|(entry, _)| entry.clone()).collect()
    }
}

impl EventLog for MemoryLog {
    fn append(&self, entry: &NewEntry<'_>) -> Result<Appended, AppendError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(AppendError::Closed);
        }
        let is_current =
            self.watch.is_current(entry.generation) || self.mistake == Mistake::TakesOldGenerations;
        if state.breaker != BreakerState::Closed || !is_current {
            return Err(AppendError::ReadOnly);
        }
        if state.waiting.len() >= QUEUE_MAX && self.mistake != Mistake::NeverFull {
            return Err(AppendError::Full);
        }
        let at = match self.mistake {
            Mistake::LetsTimeGoBack => entry.decided_at,
            _ => entry.decided_at.max(state.last_time),
        };
        if entry.valid_before.is_some_and(|until| at >= until) && self.mistake != Mistake::TakesStaleEntries {
            if self.mistake == Mistake::QueuesTheRefused {
                state.next = state.next.plus(1);
            }
            return Err(AppendError::Stale);
        }
        let sequence = state.next;
        let gap = u64::from(self.mistake == Mistake::LeavesGap);
        (state.next, state.last_time) = (sequence.plus(entry.events.len() as u64 + gap), at);
        let (sender, ticket) = oneshot::channel();
        let queued = Entry {
            sequence,
            batch: sequence,
            at,
            actor: entry.actor.cloned().filter(|_| self.mistake != Mistake::ForgetsWhoActed),
            request_id: entry.request_id.cloned(),
            idempotency: entry.idempotency.cloned(),
            events: entry.events.to_vec(),
            unapplied: entry.unapplied.to_vec(),
        };
        if self.mistake == Mistake::AnswersBeforeItIsDurable {
            let (early, ticket) = oneshot::channel();
            let _ = early.send(Ok(()));
            state.waiting.push((queued, sender));
            return Ok(Appended { sequence, at, ticket });
        }
        state.waiting.push((queued, sender));
        Ok(Appended { sequence, at, ticket })
    }

    fn last_time(&self) -> Timestamp {
        self.state.lock().last_time
    }

    fn durable(&self) -> &DurableWatch {
        &self.watch
    }

    fn queue_depth(&self) -> usize {
        self.state.lock().waiting.len()
    }

    fn breaker(&self) -> BreakerState {
        self.state.lock().breaker
    }
}
