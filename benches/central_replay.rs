//! How fast a worker replays a node's log into central: `cargo bench --bench central_replay`.
//!
//! One event an entry, as tills write them, over so many levels; the log lies in a temporary directory and is read
//! through the worker's own source, checksums and all. The model is not saved: that is bounded by time elsewhere.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public functions; a bench may stop"
)]

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onhand_app::central::{Central, CentralCopy, DeadLetter, SyncSettings, Worker, WorkerParts};
use onhand_app::ports::{CentralStore, Clock, DeadLetterStore, EventIds, EventLog, EventSource, NewEntry};
use onhand_disk::RealDisk;
use onhand_disk::clock::{SystemClock, TimeOrderedIds};
use onhand_disk::layout::Layout;
use onhand_domain::stock::{Adjusted, LevelAfter, StockFact};
use onhand_domain::{After, Event, Fact, Quantity, Sku, StoreId};
use onhand_file::recovery::{OpenNode, OpenOptions, SEGMENT_BYTES, open};
use onhand_file::sources::local_source::LocalSource;
use onhand_resilience::BreakerSettings;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const EVENTS: u64 = 500_000;

/// Keeps nothing.
struct Nowhere;

impl CentralStore for Nowhere {
    fn load(&self) -> io::Result<Option<Central>> {
        Ok(None)
    }

    fn save(&self, _: &CentralCopy<'_>) -> io::Result<()> {
        Ok(())
    }
}

impl DeadLetterStore for Nowhere {
    fn load(&self) -> io::Result<Vec<DeadLetter>> {
        Ok(Vec::new())
    }

    fn append(&self, letter: &DeadLetter) -> io::Result<()> {
        Err(io::Error::other(letter.reason.clone()))
    }
}

fn event(number: u64, levels: u64) -> Event {
    let level = number % levels;
    let version = number / levels + 1;
    let fact = StockFact::Adjust(Adjusted {
        sku: Sku::new(&format!("SKU-{:06}", level / 10)).unwrap(),
        store_id: StoreId::new(&format!("STORE-{}", level % 10)).unwrap(),
        delta: Quantity::new(1).unwrap(),
        expected_version: Some(version - 1),
        reason: Some("sale".into()),
        reference: None,
        occurred_at: None,
        kind: None,
    });
    let on_hand = Quantity::new(i64::try_from(version).unwrap()).unwrap();
    let after = After::Level(LevelAfter { on_hand, reserved: Quantity::ZERO, version });
    let fact = Fact::Level(fact);
    Event { event_id: TimeOrderedIds.event_id(), op: None, idempotency: None, kind: fact.kind(), fact, after }
}

fn node(directory: &Path, levels: u64) -> OpenNode {
    let options = OpenOptions {
        ballast_bytes: 0,
        disk: Arc::new(RealDisk),
        layout: Layout::new(directory),
        segment_bytes: SEGMENT_BYTES,
        idempotency_ttl_ms: 300_000,
    };
    let node = open(&options, &SystemClock, &TimeOrderedIds).unwrap();
    for number in 0..EVENTS {
        let events = [event(number, levels)];
        let entry = NewEntry {
            generation: node.log.durable().generation(),
            decided_at: SystemClock.now(),
            valid_before: None,
            actor: None,
            request_id: None,
            idempotency: None,
            events: &events,
            unapplied: &[],
        };
        node.log.append(&entry).unwrap();
        if number % 20_000 == 19_999 {
            node.log.write_waiting().unwrap();
        }
    }
    node.log.write_waiting().unwrap();
    node
}

fn worker(node: &OpenNode) -> Worker {
    let source = Arc::new(LocalSource::new(&node.log, node.node.node)) as Arc<dyn EventSource>;
    let parts = WorkerParts {
        sources: vec![source],
        central: Arc::new(Nowhere),
        letters: Arc::new(Nowhere),
        clock: Arc::new(SystemClock),
    };
    let settings = SyncSettings {
        interval: Duration::from_secs(1),
        concurrency: 4,
        read_events: 5_000,
        save_every: u64::MAX,
        retry_base: Duration::from_millis(100),
        retry_times: 3,
        breaker: BreakerSettings { threshold: 1.0, cooldown: Duration::ZERO },
    };
    Worker::new(parts, settings).unwrap()
}

fn replay(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("central_replay");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    for levels in [1_000, 100_000] {
        let directory = tempfile::tempdir().unwrap();
        let node = node(directory.path(), levels);
        group.bench_function(BenchmarkId::from_parameter(levels), |bencher| {
            bencher.iter_batched(
                || worker(&node),
                |worker| {
                    let report = runtime.block_on(worker.sync());
                    assert_eq!(report.applied, EVENTS, "{report:?}");
                    worker
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);
