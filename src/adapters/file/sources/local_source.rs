//! The log of the worker's own process as a source: its durable end is known from memory.

use crate::log::FileLog;
use crate::sources::tail::Tail;
use onhand_app::blocking;
use onhand_app::ports::{Delivery, DurableWatch, EventSource, News, Reading};
use onhand_domain::Sequence;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// [`EventSource`] over the log that this process writes.
pub struct LocalSource {
    node: Uuid,
    ledger: Uuid,
    durable: Arc<DurableWatch>,
    tail: Arc<Mutex<Tail>>,
}

impl LocalSource {
    /// The events of `log`, which belongs to `node` and is all of its ledger.
    pub fn new(log: &FileLog, node: Uuid) -> Self {
        let segments = log.segments();
        let tail = Tail::new(Arc::clone(&segments.disk), segments.layout.clone());
        Self { node, ledger: node, durable: log.durable_watch(), tail: Arc::new(Mutex::new(tail)) }
    }

    /// The same source of a log that is one of several of a ledger.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Uuid) -> Self {
        self.ledger = ledger;
        self
    }
}

impl EventSource for LocalSource {
    fn name(&self) -> &'static str {
        "this node"
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        let (node, ledger) = (self.node, self.ledger);
        let (end, tail) = (self.durable.sequence(), Arc::clone(&self.tail));
        Box::pin(async move {
            if limit == 0 || after >= end {
                return Ok(Delivery { node, ledger, end, events: Vec::new() });
            }
            let events = blocking(move || tail.lock().read(node, after, limit, end)).await?;
            Ok(Delivery { node, ledger, end, events })
        })
    }

    fn news(&self, after: Sequence, wait_max: Duration) -> News<'_> {
        Box::pin(async move {
            // A timeout needs no handling: the caller asks again.
            let _ = tokio::time::timeout(wait_max, self.durable.passed(after.plus(1))).await;
        })
    }
}
