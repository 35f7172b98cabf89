//! A worker that can be restarted, on a simulated disk, and scripted sources.

use onhand_app::central::{CentralFile, Worker};
use onhand_app::ports::{Delivered, Delivery, EventSource, Reading, SourceError};
use onhand_domain::{Sequence, Sku, StoreId, Timestamp};
pub(crate) use onhand_sim::central::{SETTINGS, WorkerSetup as Central, open_letters};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub(crate) fn file(worker: &Worker) -> CentralFile {
    worker.central().copy().whole()
}

/// (on hand, version) of one level, over all nodes.
pub(crate) fn level(worker: &Worker, store: &str, sku: &str) -> Option<(i64, u64)> {
    let (store, sku) = (StoreId::new(store).unwrap(), Sku::new(sku).unwrap());
    worker.central().look(|central| {
        let (sum, _) = onhand_app::central::total(&central.level(&store, &sku)?);
        Some((sum.on_hand.get(), sum.version))
    })
}

/// The behaviour of a scripted source when it is read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Mood {
    /// Delivers the requested events.
    #[default]
    Well,
    /// Delivers so many earlier events, too.
    Repeats(u64),
    /// Delivers always the same events, whatever is requested.
    Stuck,
    /// Leaves out the first event.
    Skips,
    /// Gives no answer.
    Down,
    /// Gives an answer that cannot be used.
    Raves,
    /// Reports that its log goes on, and delivers nothing.
    Promises,
    /// Delivers events behind the end that it reports.
    Overtakes,
    /// Delivers another node's log.
    Exchanged,
}

/// A node's log in memory.
pub(crate) struct Script {
    name: String,
    node: Uuid,
    pub(crate) log: Mutex<Vec<Delivered>>,
    pub(crate) mood: Mutex<Mood>,
    /// Sequences of events that cannot be read.
    pub(crate) poison: Mutex<BTreeSet<u64>>,
    levels: Mutex<BTreeMap<(String, String), (i64, u64)>>,
}

impl Script {
    pub(crate) fn new(number: u128) -> Arc<Self> {
        Arc::new(Self {
            name: format!("script {number}"),
            node: Uuid::from_u128(number),
            log: Mutex::default(),
            mood: Mutex::default(),
            poison: Mutex::default(),
            levels: Mutex::default(),
        })
    }

    pub(crate) fn node(&self) -> Uuid {
        self.node
    }

    /// Appends an adjustment of a level.
    pub(crate) fn adjust(&self, store: &str, sku: &str, delta: i64) {
        let mut levels = self.levels.lock().unwrap();
        let (on_hand, version) = levels.entry((store.to_owned(), sku.to_owned())).or_default();
        *on_hand += delta;
        *version += 1;
        let mut log = self.log.lock().unwrap();
        let sequence = Sequence(log.len() as u64 + 1);
        let json = format!(
            "{{\"eventId\":\"{}\",\"type\":\"ADJUST\",\"payload\":{{\"sku\":\"{sku}\",\"storeId\":\"{store}\",\
             \"delta\":{delta}}},\"after\":{{\"onHand\":{on_hand},\"reserved\":0,\"version\":{version}}}}}",
            Uuid::from_u128(u128::from(sequence.0))
        );
        log.push(Delivered { sequence, at: Timestamp::EPOCH.plus_seconds(1), json });
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn poison(&self, sequences: &[u64]) {
        *self.poison.lock().unwrap() = sequences.iter().copied().collect();
    }

    /// (on hand, version) of every level of this node's log.
    pub(crate) fn levels(&self) -> BTreeMap<(String, String), (i64, u64)> {
        self.levels.lock().unwrap().clone()
    }

    fn deliver(&self, after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
        let mood = self.mood.lock().unwrap().clone();
        let log = self.log.lock().unwrap();
        let poison = self.poison.lock().unwrap();
        let mut end = Sequence(log.len() as u64);
        let mut node = self.node;
        let mut first = after.0;
        match mood {
            Mood::Well | Mood::Skips | Mood::Promises => {}
            Mood::Repeats(events) => first = first.saturating_sub(events),
            Mood::Stuck => first = 0,
            Mood::Down => return Err(SourceError::Unavailable("down".to_owned())),
            Mood::Raves => return Err(SourceError::Nonsense("<html>".to_owned())),
            Mood::Overtakes => end = end.minus(1),
            Mood::Exchanged => node = Uuid::from_u128(self.node.as_u128() + 1_000),
        }
        let skip = usize::try_from(first).unwrap() + usize::from(mood == Mood::Skips);
        let limit = if mood == Mood::Promises { 0 } else { limit };
        let events = log.iter().skip(skip).take(limit).cloned().map(|mut event| {
            if poison.contains(&event.sequence.0) {
                event.json = event.json.replace("ADJUST", "MOOD");
            }
            event
        });
        Ok(Delivery { node, ledger: node, end, events: events.collect() })
    }
}

impl EventSource for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(async move {
            // Like a real source: it yields, so that a deadline of the caller takes effect.
            tokio::task::yield_now().await;
            self.deliver(after, limit)
        })
    }
}
