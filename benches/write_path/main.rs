//! The write path in pieces, without HTTP, and the way back into memory: `cargo bench --bench write_path`.
//!
//! | group | what one iteration is | counted in |
//! | --- | --- | --- |
//! | `decide` | a reserve decided on a level with so many open holds, and taken back | commands |
//! | `append` | an entry with an idempotency key encoded and queued | entries |
//! | `group` | so many of them sealed into one buffer, written and synced (group commit) | entries |
//! | `recover` | a data directory opened: every line checked, decoded, added up | events |
//! | `snapshot` | the same, with all of it in a snapshot | records |
//!
//! Everything but `decide` is on a real disk, under TMPDIR. benches/instructions counts instructions instead of time.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make public functions; a bench may stop"
)]

mod work;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onhand_app::ports::EventLog;
use onhand_domain::Sequence;
use work::{Desk, LEVELS, append, fill, opened, reserved};

const EVENTS: u64 = 500_000;
const GROUPS: [u64; 3] = [1, 16, 64];
const HOLDS: [u64; 2] = [0, 1_000];

fn decisions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));
    for holds in HOLDS {
        let mut desk = Desk::new(holds);
        group.bench_function(BenchmarkId::from_parameter(holds), |bencher| bencher.iter(|| desk.decide()));
    }
    group.finish();
}

fn appends(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let node = opened(directory.path());
    let (event, key) = reserved();
    let events = [event];
    let mut group = criterion.benchmark_group("append");
    group.throughput(Throughput::Elements(1));
    group.bench_function("keyed", |bencher| {
        let empty = || {
            while node.log.queue_depth() > 0 {
                node.log.write_waiting().unwrap();
            }
        };
        bencher.iter_batched(
            empty,
            |()| append(&node, &events, Some(&key)),
            BatchSize::NumIterations(10_000),
        );
        empty();
    });
    group.finish();
    let mut group = criterion.benchmark_group("group");
    for entries in GROUPS {
        group.throughput(Throughput::Elements(entries));
        group.bench_function(BenchmarkId::from_parameter(entries), |bencher| {
            bencher.iter_batched(
                || (0..entries).for_each(|_| append(&node, &events, Some(&key))),
                |()| node.log.write_waiting().unwrap(),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn recovery(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    fill(&opened(directory.path()), EVENTS);
    let mut group = criterion.benchmark_group("recover");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(EVENTS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let node = opened(directory.path());
            assert_eq!(node.end, Sequence(EVENTS));
            node
        });
    });
    group.finish();
    let node = opened(directory.path());
    let upkeep = node.maintenance(1).step().unwrap();
    assert_eq!(upkeep.snapshot, Some(node.end));
    drop(node);
    let mut group = criterion.benchmark_group("snapshot");
    group.throughput(Throughput::Elements(LEVELS)).sample_size(10);
    group.bench_function(BenchmarkId::from_parameter(LEVELS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let node = opened(directory.path());
            assert_eq!((node.report.snapshot, node.report.replayed), (Sequence(EVENTS), 0));
            node
        });
    });
    group.finish();
}

criterion_group!(benches, decisions, appends, recovery);
criterion_main!(benches);
