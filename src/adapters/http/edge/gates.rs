//! Admission control: a token bucket for each client, and a bulkhead for each kind of work.
//!
//! A request holds a *place* from the moment it is complete (its body has been read) until the head of its answer leaves, so
//! slow senders, slow readers and followers of the feed hold none. Each kind of work has `CONCURRENCY_API +
//! LOAD_SHED_QUEUE_MAX` places; a request that finds none is answered 503 at once. A change needs no further limit: its
//! processor work is done in one go, and then it waits for the disk, which serves all waiting changes with one sync. If only
//! `CONCURRENCY_API` of them could wait there, the groups would be small and nothing safer. Reads of files and large bodies
//! take longer: `CONCURRENCY_API` of those work at once (each has its *turn*), the others wait in their places.

use crate::limits::{BATCH_TURN_MS_MAX, SHED_WARNING_MS};
use crate::response::code::Code;
use crate::response::problem::Problem;
use http::{HeaderMap, HeaderName, HeaderValue};
use onhand_config::GateSettings;
use onhand_resilience::{Bulkhead, Full, Seat, TokenBuckets, WorkPermit};
use onhand_telemetry::{HTTP_GATE_INSIDE, HTTP_RATE_LIMITED, HTTP_SHED};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A kind of work, with its own places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Reads of stock, catalogue and log.
    Reads,
    /// Changes of one thing.
    Writes,
    /// Requests with many changes in one body.
    Bulk,
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

/// A client for the rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ClientAddress {
    /// An address, in IPv6 a network of 64 bits, because every host has at least one.
    Network(IpAddr),
    /// All who come over the local socket.
    LocalSocket,
}

/// The state of a client's rate limit, for the headers of every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    remaining: u32,
    full_in: Duration,
}

/// All gates of a node.
#[derive(Debug)]
pub struct Gates {
    reads: Guarded,
    writes: Guarded,
    bulk: Guarded,
    administration: Guarded,
    limit: Option<RateLimit>,
    begun: Instant,
}

#[derive(Debug)]
struct Guarded {
    name: &'static str,
    bulkhead: Bulkhead,
    /// When the last warning about shedding was logged, in milliseconds since the start.
    warned_ms: AtomicU64,
}

#[derive(Debug)]
struct RateLimit {
    buckets: TokenBuckets<ClientAddress>,
    policy: HeaderValue,
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
            administration: guarded("administration", administration),
            limit: settings.rate.map(|(per_second, burst)| RateLimit::new(per_second, burst)),
            begun: Instant::now(),
        }
    }

    /// Takes a token of a client; `None` when there is no limit.
    pub(crate) fn count(&self, client: ClientAddress) -> Result<Option<Quota>, (Quota, Problem)> {
        let Some(limit) = &self.limit else { return Ok(None) };
        match limit.buckets.take(&client) {
            Ok(standing) => Ok(Some(Quota { remaining: standing.remaining, full_in: standing.full_in })),
            Err(empty) => {
                metrics::counter!(HTTP_RATE_LIMITED).increment(1);
                let wait_ms = u64::try_from(empty.retry_after.as_millis()).unwrap_or(u64::MAX);
                let problem = Problem::plain(Code::RateLimited)
                    .with(|facts| facts.retry_after_ms = Some(wait_ms.saturating_add(1)));
                Err((Quota { remaining: 0, full_in: empty.full_in }, problem))
            }
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

    /// Writes the rate limit headers.
    pub(crate) fn sign(&self, headers: &mut HeaderMap, quota: Quota) {
        let Some(limit) = &self.limit else { return };
        headers.insert(RATE_LIMIT_POLICY, limit.policy.clone());
        let standing = format!("\"client\";r={};t={}", quota.remaining, seconds(quota.full_in));
        if let Ok(standing) = HeaderValue::try_from(standing) {
            headers.insert(RATE_LIMIT, standing);
        }
    }

    /// Forgets clients whose buckets are full again.
    pub(crate) fn sweep(&self) {
        if let Some(limit) = &self.limit {
            limit.buckets.sweep();
        }
    }

    /// Sets the gauges to the current values.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float; counts below 2^53 are exact in it")]
    pub(crate) fn gauge(&self) {
        for guarded in [&self.reads, &self.writes, &self.bulk, &self.administration] {
            metrics::gauge!(HTTP_GATE_INSIDE, "gate" => guarded.name).set(guarded.bulkhead.inside() as f64);
            metrics::counter!(HTTP_SHED, "gate" => guarded.name).increment(0);
        }
    }

    fn of(&self, gate: Gate) -> &Guarded {
        match gate {
            Gate::Reads => &self.reads,
            Gate::Writes => &self.writes,
            Gate::Bulk => &self.bulk,
            Gate::Administration => &self.administration,
        }
    }
}

impl Default for Gates {
    /// The gates of the contract, without rate limit.
    fn default() -> Self {
        Self::new(&GateSettings { concurrency: 16, queue_max: 50, rate: None }, 4)
    }
}

impl RateLimit {
    /// The policy is that of draft-ietf-httpapi-ratelimit-headers: `q` requests in `w` seconds, the time in which an
    /// empty bucket fills.
    fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let window = burst.get().div_ceil(per_second.get());
        let policy = HeaderValue::try_from(format!("\"client\";q={burst};w={window}"));
        Self {
            buckets: TokenBuckets::new(per_second, burst),
            policy: policy.expect("digits and quotes are visible"),
        }
    }
}

impl ClientAddress {
    /// The address, in IPv6 the network; nothing for the local socket.
    pub(crate) fn network(self) -> Option<IpAddr> {
        match self {
            Self::Network(network) => Some(network),
            Self::LocalSocket => None,
        }
    }

    /// The client at this address.
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Network(match address {
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => IpAddr::V4(v4),
                None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            },
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> ClientAddress {
        ClientAddress::at(text.parse().unwrap())
    }

    #[test]
    fn an_address_is_a_client_and_so_is_a_network_of_ipv6() {
        for (one, other, same) in [
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("::ffff:10.0.0.7", "10.0.0.7", true),
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            assert_eq!(client(one) == client(other), same, "{one} {other}");
        }
        assert_ne!(client("127.0.0.1"), ClientAddress::LocalSocket);
    }

    #[tokio::test(start_paused = true)]
    async fn the_headers_say_how_a_client_stands() {
        let number = |number| NonZeroU32::new(number).unwrap();
        for (rate, taken, policy, standing) in [
            ((100, 200), 1, "\"client\";q=200;w=2", "\"client\";r=199;t=1"),
            ((100, 200), 150, "\"client\";q=200;w=2", "\"client\";r=50;t=2"),
            ((3, 10), 10, "\"client\";q=10;w=4", "\"client\";r=0;t=4"),
            ((10, 1), 5, "\"client\";q=1;w=1", "\"client\";r=0;t=1"),
        ] {
            let rate = Some((number(rate.0), number(rate.1)));
            let gates = Gates::new(&GateSettings { concurrency: 1, queue_max: 0, rate }, 1);
            let quota = (0..taken).map(|_| gates.count(client("10.0.0.7"))).last().unwrap();
            let quota = quota.map_or_else(|(quota, _)| quota, Option::unwrap);
            let mut headers = HeaderMap::new();
            gates.sign(&mut headers, quota);
            assert_eq!(
                (&headers["ratelimit-policy"], &headers["ratelimit"]),
                (&policy.parse().unwrap(), &standing.parse().unwrap())
            );
        }
        assert!(Gates::default().count(client("10.0.0.7")).unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_for_a_turn_times_out() {
        let gates = Gates::new(&GateSettings { concurrency: 1, queue_max: 1, rate: None }, 1);
        let _turn = gates.work(Gate::Bulk).await.unwrap();
        assert_eq!(gates.work(Gate::Bulk).await.unwrap_err().code(), Code::Overloaded);
        assert!(gates.work(Gate::Reads).await.is_ok(), "each kind has its own");
    }
}
