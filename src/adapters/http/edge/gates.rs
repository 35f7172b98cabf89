//! Admission control: a bulkhead for each kind of work, behind the rate limits.
//!
//! A request holds a *place* from the moment it is complete (its body has been read) until the head of its answer leaves, so
//! slow senders, slow readers and followers of the feed hold none. Each kind of work has `CONCURRENCY_API +
//! LOAD_SHED_QUEUE_MAX` places; a request that finds none is answered 503 at once. A change needs no further limit: its
//! processor work is done in one go, and then it waits for the disk, which serves all waiting changes with one sync. If only
//! `CONCURRENCY_API` of them could wait there, the groups would be small and nothing safer. Reads of files and large bodies
//! take longer: `CONCURRENCY_API` of those work at once (each has its *turn*), the others wait in their places.

use crate::edge::rate_limits::RateLimits;
use crate::limits::{BATCH_TURN_MS_MAX, SHED_WARNING_MS};
use crate::response::code::Code;
use crate::response::problem::Problem;
use onhand_config::GateSettings;
use onhand_resilience::{Bulkhead, Full, Seat, WorkPermit};
use onhand_telemetry::{HTTP_GATE_INSIDE, HTTP_SHED};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A kind of work, with its own places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Reads of stock, catalogue and log.
    Reads,
    /// Changes of one thing.
    Writes,
    /// Requests with many changes in one body.
    Bulk,
    /// Logins, and what else takes a password: their comparison takes long.
    Logins,
    /// Tasks of operators: passes of the sync worker, dead letters.
    Administration,
}

/// When a route's requests take their place, and at which gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateEntry {
    /// Never: it is neither limited nor shed.
    Free,
    /// As soon as they arrive.
    AtOnce(Gate),
    /// Once they are complete; before that they are only rejected while there is none.
    Later(Gate),
}

/// All gates of a node.
#[derive(Debug)]
pub struct Gates {
    reads: Guarded,
    writes: Guarded,
    bulk: Guarded,
    logins: Guarded,
    administration: Guarded,
    /// The rate limits.
    pub(crate) limits: RateLimits,
    begun: Instant,
}

#[derive(Debug)]
struct Guarded {
    name: &'static str,
    bulkhead: Bulkhead,
    /// When the last warning about shedding was logged, in milliseconds since the start.
    warned_ms: AtomicU64,
}

impl Gates {
    /// Gates of this size; `administration` operators' tasks work at once.
    pub fn new(settings: &GateSettings, administration: usize) -> Self {
        let guarded = |name, concurrency| Guarded {
            name,
            bulkhead: Bulkhead::new(concurrency, settings.queue_max),
            warned_ms: AtomicU64::new(u64::MAX),
        };
        Self {
            reads: guarded("reads", settings.concurrency),
            writes: guarded("writes", settings.concurrency),
            bulk: guarded("bulk", settings.concurrency),
            logins: guarded("logins", settings.concurrency),
            administration: guarded("administration", administration),
            limits: RateLimits::new(settings),
            begun: Instant::now(),
        }
    }

    /// Admits a request before it is complete: takes its place, or checks that there is one, according to its
    /// route.
    pub(crate) fn admit(&self, entry: GateEntry) -> Result<Option<Seat>, Problem> {
        match entry {
            GateEntry::AtOnce(gate) => self.enter(gate).map(Some),
            GateEntry::Later(gate) if self.of(gate).bulkhead.is_full() => Err(self.shed(gate)),
            GateEntry::Free | GateEntry::Later(_) => Ok(None),
        }
    }

    /// Takes a place, which is returned when dropped.
    pub(crate) fn enter(&self, gate: Gate) -> Result<Seat, Problem> {
        self.of(gate).bulkhead.enter().map_err(|Full| self.shed(gate))
    }

    /// Waits, in its place, for a turn to do work that takes long.
    pub(crate) async fn work(&self, gate: Gate) -> Result<WorkPermit, Problem> {
        let turn = timeout(Duration::from_millis(BATCH_TURN_MS_MAX), self.of(gate).bulkhead.work()).await;
        turn.map_err(|_| self.shed(gate))
    }

    fn shed(&self, gate: Gate) -> Problem {
        let guarded = self.of(gate);
        metrics::counter!(HTTP_SHED, "gate" => guarded.name).increment(1);
        let now_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let warned_ms = guarded.warned_ms.load(Ordering::Relaxed);
        let due = warned_ms == u64::MAX || now_ms.saturating_sub(warned_ms) >= SHED_WARNING_MS;
        let swapped =
            || guarded.warned_ms.compare_exchange(warned_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed);
        if due && swapped().is_ok() {
            tracing::warn!(gate = guarded.name, "more comes than can be served: requests are turned away");
        }
        Problem::new(
            Code::Overloaded,
            "Too many requests of this kind are under way; nothing was done. Try again after Retry-After.",
        )
    }

    /// Sets the gauges to the current values.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts below 2^53 are exact in it")]
    pub(crate) fn gauge(&self) {
        for guarded in [&self.reads, &self.writes, &self.bulk, &self.logins, &self.administration] {
            metrics::gauge!(HTTP_GATE_INSIDE, "gate" => guarded.name).set(guarded.bulkhead.inside() as f64);
            metrics::counter!(HTTP_SHED, "gate" => guarded.name).increment(0);
        }
    }

    fn of(&self, gate: Gate) -> &Guarded {
        match gate {
            Gate::Reads => &self.reads,
            Gate::Writes => &self.writes,
            Gate::Bulk => &self.bulk,
            Gate::Logins => &self.logins,
            Gate::Administration => &self.administration,
        }
    }
}

impl Default for Gates {
    /// The gates of the contract, without rate limit.
    fn default() -> Self {
        Self::new(&GateSettings { concurrency: 16, queue_max: 50, rate: None, role_rates: vec![] }, 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_turn_times_out() {
        let gates =
            Gates::new(&GateSettings { concurrency: 1, queue_max: 1, rate: None, role_rates: vec![] }, 1);
        let _turn = gates.work(Gate::Bulk).await.unwrap();
        assert_eq!(gates.work(Gate::Bulk).await.unwrap_err().code(), Code::Overloaded);
        assert!(gates.work(Gate::Reads).await.is_ok(), "each kind has its own");
    }
}
