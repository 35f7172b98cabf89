//! What a pass of the worker costs when central is large: `cargo bench --bench central_pass`.
//!
//! Two workers, one with 1,000 levels in central and one with 1,000,000, each follow a log of their own. In turn each
//! gets 10,000 new events and makes a pass over them; what counts is the processor time of the pass, which neighbours
//! on the machine disturb least. The events go round over 1,000 levels (`busy`: most of a catalogue sleeps) or over all
//! levels at random (`anywhere`: the processor's caches help the small model and not the large one).
//!
//! Then the large model is saved, over and over, while another thread reads levels and the passes go on: how long does
//! a read wait, and what does a pass take?

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a bench may stop")]

use onhand_app::central::{
    Central, CentralCopy, CentralLevel, DeadLetter, SyncSettings, Worker, WorkerParts,
};
use onhand_app::ports::{CentralStore, Clock, DeadLetterStore, EventIds, EventLog, NewEntry};
use onhand_disk::RealDisk;
use onhand_disk::clock::{SystemClock, TimeOrderedIds};
use onhand_disk::layout::Layout;
use onhand_domain::stock::{Adjusted, LevelAfter, StockFact};
use onhand_domain::{After, Event, Fact, Quantity, Sequence, Sku, StoreId};
use onhand_file::recovery::{OpenNode, OpenOptions, SEGMENT_BYTES, open};
use onhand_file::sources::local_source::LocalSource;
use onhand_file::stores::central::FileCentral;
use onhand_resilience::BreakerSettings;
use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SMALL: usize = 1_000;
const LARGE: usize = 1_000_000;
const EVENTS: usize = 10_000;
const ROUNDS: usize = 41;
const SAVES: usize = 3;

/// A model as it was saved, and the file store it is saved to later.
struct Kept {
    model: Central,
    store: FileCentral,
}

impl CentralStore for Kept {
    fn load(&self) -> io::Result<Option<Central>> {
        Ok(Some(self.model.clone()))
    }

    fn save(&self, copy: &CentralCopy<'_>) -> io::Result<()> {
        self.store.save(copy)
    }
}

/// Nothing may become a dead letter.
struct NoLetters;

impl DeadLetterStore for NoLetters {
    fn load(&self) -> io::Result<Vec<DeadLetter>> {
        Ok(Vec::new())
    }

    fn append(&self, letter: &DeadLetter) -> io::Result<()> {
        Err(io::Error::other(letter.reason.clone()))
    }
}

fn place(level: usize) -> (StoreId, Sku) {
    let store = StoreId::new(&format!("STORE-{}", level % 10)).unwrap();
    (store, Sku::new(&format!("SKU-{:06}", level / 10)).unwrap())
}

/// A node, a worker with so many levels in central, and the versions they have.
struct Side {
    levels: usize,
    versions: Vec<u64>,
    random: fastrand::Rng,
    node: OpenNode,
    worker: Arc<Worker>,
    _directory: TempDir,
}

impl Side {
    fn new(levels: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let options = OpenOptions {
            ballast_bytes: 0,
            disk: Arc::new(RealDisk),
            layout: layout.clone(),
            segment_bytes: SEGMENT_BYTES,
            idempotency_ttl_ms: 300_000,
        };
        let node = open(&options, &SystemClock, &TimeOrderedIds).unwrap();
        let id = node.node.node;
        let mut model = Central::default();
        let one = Quantity::new(1).unwrap();
        for level in 0..levels {
            let numbers = LevelAfter { on_hand: one, reserved: Quantity::ZERO, version: 1 };
            let updated_at = SystemClock.now();
            model.put(&place(level), CentralLevel { ledger: id, node: id, numbers, updated_at });
        }
        model.advance(id, Sequence::START);
        let store = FileCentral::open(Arc::new(RealDisk), layout).unwrap();
        let settings = SyncSettings {
            interval: Duration::from_secs(1),
            concurrency: 4,
            read_events: 5_000,
            save_every: u64::MAX,
            retry_base: Duration::from_millis(100),
            retry_times: 3,
            breaker: BreakerSettings { threshold: 1.0, cooldown: Duration::ZERO },
        };
        let parts = WorkerParts {
            sources: vec![Arc::new(LocalSource::new(&node.log, id))],
            central: Arc::new(Kept { model, store }),
            letters: Arc::new(NoLetters),
            clock: Arc::new(SystemClock),
        };
        let worker = Arc::new(Worker::new(parts, settings).unwrap());
        let random = fastrand::Rng::with_seed(7);
        Self { levels, versions: vec![1; levels], random, node, worker, _directory: directory }
    }

    /// Writes the next events, of the first levels or of all.
    fn sell(&mut self, over: usize) {
        let stride = self.levels / over;
        for _ in 0..EVENTS {
            // Spread over the whole catalogue, however few they are.
            let level = self.random.usize(..over) * stride;
            self.versions[level] += 1;
            let version = self.versions[level];
            let (store_id, sku) = place(level);
            let fact = Fact::Level(StockFact::Adjust(Adjusted {
                sku,
                store_id,
                delta: Quantity::new(1).unwrap(),
                expected_version: Some(version - 1),
                reason: Some("sale".into()),
                reference: None,
                occurred_at: None,
                kind: None,
            }));
            let on_hand = Quantity::new(i64::try_from(version).unwrap()).unwrap();
            let after = After::Level(LevelAfter { on_hand, reserved: Quantity::ZERO, version });
            let event_id = TimeOrderedIds.event_id();
            let events = [Event { event_id, op: None, idempotency: None, kind: fact.kind(), fact, after }];
            let entry = NewEntry {
                generation: self.node.log.durable().generation(),
                decided_at: SystemClock.now(),
                valid_before: None,
                actor: None,
                request_id: None,
                idempotency: None,
                events: &events,
                unapplied: &[],
            };
            self.node.log.append(&entry).unwrap();
        }
        self.node.log.write_waiting().unwrap();
    }

    /// One pass over the new events: processor time and time by the clock.
    fn pass(&self, runtime: &Runtime) -> (Duration, Duration) {
        let (begun, used) = (Instant::now(), processor_time());
        let report = runtime.block_on(self.worker.sync());
        // Saturating: a thread that has ended takes its time with it.
        let spent = (processor_time().saturating_sub(used), begun.elapsed());
        assert_eq!(report.applied, EVENTS as u64, "{report:?}");
        spent
    }
}

/// What all threads of this process have used so far.
fn processor_time() -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let used = threads.map(|thread| {
        // A thread may have ended meanwhile.
        let text = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(used.sum())
}

/// The mean without the quarter at either end: the kernel counts in steps of a few milliseconds.
fn middle(mut of: Vec<Duration>) -> Duration {
    of.sort_unstable();
    let middle = &of[of.len() / 4..=of.len() * 3 / 4];
    middle.iter().sum::<Duration>() / u32::try_from(middle.len()).unwrap()
}

fn compare(runtime: &Runtime, sides: &mut [Side; 2], story: &str, over: [usize; 2]) {
    let mut used = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (number, side) in sides.iter_mut().enumerate() {
            side.sell(over[number]);
            used[number].push(side.pass(runtime).0);
        }
    }
    let [small, large] = used.map(middle);
    println!(
        "{story:<9} {SMALL:>9} levels {small:>9.2?}   {LARGE:>9} levels {large:>9.2?}   ratio {:.3}",
        large.as_secs_f64() / small.as_secs_f64()
    );
}

/// Passes, one after the other, until `busy` is done, and another thread that reads a level all the while: how long a
/// read waits, and how long a pass takes, by the clock.
fn reads_and_passes(runtime: &Runtime, side: &mut Side, story: &str, busy: impl FnOnce(&Worker) + Send) {
    let done = AtomicBool::new(false);
    let worker = Arc::clone(&side.worker);
    let (waits, passes) = std::thread::scope(|scope| {
        scope.spawn(|| {
            busy(&worker);
            done.store(true, Ordering::Relaxed);
        });
        let reader = scope.spawn(|| {
            let (shop, sku) = place(7);
            let mut waits = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let begun = Instant::now();
                assert!(worker.central().look(|central| central.level(&shop, &sku).is_some()));
                waits.push(begun.elapsed());
                std::thread::sleep(Duration::from_micros(500));
            }
            waits
        });
        let mut passes = Vec::new();
        while !done.load(Ordering::Relaxed) {
            side.sell(side.levels);
            passes.push(side.pass(runtime).1);
        }
        (reader.join().unwrap(), passes)
    });
    for (what, mut times) in [("a read waits", waits), ("a pass takes", passes)] {
        times.sort_unstable();
        let at = |thousandth: usize| times[(times.len() - 1) * thousandth / 1_000];
        println!("  {story}: {what} p50 {:.2?}, p99 {:.2?}, at most {:.2?}", at(500), at(990), at(1_000));
    }
}

fn saving(runtime: &Runtime, side: &mut Side) {
    println!("reads and passes with {LARGE} levels, by the clock:");
    let quiet = |_: &Worker| std::thread::sleep(Duration::from_secs(5));
    reads_and_passes(runtime, side, "without a save", quiet);
    let begun = Instant::now();
    reads_and_passes(runtime, side, "while it saves", |worker| {
        (0..SAVES).for_each(|_| runtime.block_on(worker.save()).unwrap());
    });
    println!("  a save takes {:.2?}", begun.elapsed() / u32::try_from(SAVES).unwrap());
}

fn main() {
    let runtime = Runtime::new().unwrap();
    let mut sides = [Side::new(SMALL), Side::new(LARGE)];
    println!("a pass over {EVENTS} new events, processor time, middle of {ROUNDS}:");
    compare(&runtime, &mut sides, "busy", [SMALL, SMALL]);
    compare(&runtime, &mut sides, "anywhere", [SMALL, LARGE]);
    saving(&runtime, &mut sides[1]);
}
