//! Worker parts in memory: sources that can be garbled and mended, stores that lose data.

use axum::body::Body;
use http::Request;
use onhand_app::central::{Central, CentralCopy, CentralFile, DeadLetter, SyncSettings, Worker, WorkerParts};
use onhand_app::ports::{
    CentralStore, Clock, DeadLetterStore, Delivered, Delivery, EventSource, Reading, Sleep, SourceError,
};
use onhand_disk::clock::SystemClock;
use onhand_domain::{Sequence, Timestamp};
use onhand_http::Edge;
use onhand_resilience::BreakerSettings;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// A worker over these sources.
pub(super) fn worker(sources: Vec<Arc<dyn EventSource>>, breaker: BreakerSettings) -> Worker {
    worker_with(&Arc::default(), sources, breaker)
}

/// A worker that resumes from these stores.
pub(super) fn worker_on(stores: &Arc<Stores>, sources: Vec<Arc<dyn EventSource>>) -> Worker {
    worker_with(stores, sources, NEVER)
}

/// A breaker that probes again at once.
pub(super) const NEVER: BreakerSettings = BreakerSettings { threshold: 1.0, cooldown: Duration::ZERO };

fn worker_with(stores: &Arc<Stores>, sources: Vec<Arc<dyn EventSource>>, breaker: BreakerSettings) -> Worker {
    let parts = WorkerParts {
        sources,
        central: Arc::clone(stores) as _,
        letters: Arc::clone(stores) as _,
        clock: Arc::new(SystemClock),
    };
    let settings = SyncSettings {
        interval: Duration::from_millis(20),
        concurrency: 4,
        read_events: 100,
        save_every: 1_000,
        retry_base: Duration::from_millis(1),
        retry_times: 1,
        breaker,
    };
    Worker::new(parts, settings).unwrap()
}

/// The log of a node, read over its pages of events.
pub(super) fn over_http(edge: Arc<Edge>) -> Arc<dyn EventSource> {
    Arc::new(OverHttp(edge))
}

struct OverHttp(Arc<Edge>);

impl EventSource for OverHttp {
    fn name(&self) -> &'static str {
        "self"
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(async move {
            let uri = format!("/events?after={after}&limit={limit}");
            let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            let response = self.0.handle(request).await;
            let bytes = axum::body::to_bytes(response.into_body(), 64 << 20).await.unwrap();
            let page: Value = serde_json::from_slice(&bytes).unwrap();
            let delivered = |item: &Value| Delivered {
                sequence: Sequence(item["sequence"].as_u64().unwrap()),
                at: Timestamp::parse(item["ts"].as_str().unwrap()).unwrap(),
                json: item.to_string(),
            };
            Ok(Delivery {
                node: page["node"].as_str().unwrap().parse().unwrap(),
                ledger: page["ledger"].as_str().unwrap().parse().unwrap(),
                end: Sequence(page["end"].as_u64().unwrap()),
                events: page["items"].as_array().unwrap().iter().map(delivered).collect(),
            })
        })
    }
}

/// A log with scripted contents.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) node: Uuid,
    pub(super) events: Mutex<Vec<Value>>,
    pub(super) down: AtomicBool,
    /// Number of reads so far.
    pub(super) asked: AtomicUsize,
}

impl Told {
    /// A log of deliveries, one piece each, of one SKU in one store.
    pub(super) fn deliveries(node: u128, pieces: u64) -> Arc<Self> {
        let delivery = |version: u64| {
            json!({
                "eventId": Uuid::from_u128(u128::from(version)), "type": "ADJUST",
                "payload": {"sku": "T-1", "storeId": "TOLD", "delta": 1},
                "after": {"onHand": version, "reserved": 0, "version": version},
            })
        };
        let events = (1..=pieces).map(delivery).collect();
        Arc::new(Self {
            node: Uuid::from_u128(node),
            events: Mutex::new(events),
            down: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        })
    }
}

impl EventSource for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.down.load(Ordering::SeqCst) {
                return Err(SourceError::Unavailable("the line is dead".to_owned()));
            }
            let events = self.events.lock();
            let numbered = (1..).map(Sequence).zip(events.iter()).filter(|(sequence, _)| *sequence > after);
            let delivered = numbered.take(limit).map(|(sequence, event)| Delivered {
                sequence,
                at: Timestamp::EPOCH,
                json: event.to_string(),
            });
            let end = Sequence(events.len() as u64);
            Ok(Delivery { node: self.node, ledger: self.node, end, events: delivered.collect() })
        })
    }
}

/// Central file and dead letters in memory, on a disk that can fail.
#[derive(Default)]
pub(super) struct Stores {
    file: Mutex<Option<CentralFile>>,
    letters: Mutex<Vec<DeadLetter>>,
    /// Number of writes until the first one that fails, with every later one; 0: none fails.
    pub(super) fails_at: AtomicUsize,
    /// A failing write still has its effect.
    pub(super) lies: AtomicBool,
}

impl Stores {
    /// The central file.
    pub(super) fn file(&self) -> Option<CentralFile> {
        self.file.lock().clone()
    }

    /// Replaces the central file.
    pub(super) fn put_file(&self, file: Option<CentralFile>) {
        *self.file.lock() = file;
    }

    fn write(&self, change: impl FnOnce()) -> io::Result<()> {
        let left = self.fails_at.load(Ordering::SeqCst);
        if left > 1 {
            self.fails_at.store(left - 1, Ordering::SeqCst);
        }
        if left != 1 || self.lies.swap(false, Ordering::SeqCst) {
            change();
        }
        if left == 1 { Err(io::Error::other("the disk is full")) } else { Ok(()) }
    }
}

impl CentralStore for Stores {
    fn load(&self) -> io::Result<Option<Central>> {
        Ok(self.file.lock().as_ref().map(Central::from))
    }

    fn save(&self, copy: &CentralCopy<'_>) -> io::Result<()> {
        self.write(|| *self.file.lock() = Some(copy.whole()))
    }
}

impl DeadLetterStore for Stores {
    fn load(&self) -> io::Result<Vec<DeadLetter>> {
        let mut latest = BTreeMap::new();
        for letter in self.letters.lock().iter() {
            latest.insert(letter.id.clone(), letter.clone());
        }
        Ok(latest.into_values().collect())
    }

    fn append(&self, letter: &DeadLetter) -> io::Result<()> {
        // Slow enough for a client to disconnect meanwhile.
        std::thread::sleep(Duration::from_millis(20));
        self.write(|| self.letters.lock().push(letter.clone()))
    }
}

/// A wall clock that is wrong by so many milliseconds, and can be set.
pub(super) struct ShiftedClock(AtomicI64);

impl ShiftedClock {
    pub(super) const fn by(milliseconds: i64) -> Self {
        Self(AtomicI64::new(milliseconds))
    }

    pub(super) fn shift(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_milliseconds(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic()
    }

    fn sleep(&self, time: Duration) -> Sleep<'_> {
        Box::pin(tokio::time::sleep(time))
    }
}
