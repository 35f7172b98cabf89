//! A log in memory as the worker reads it.

use super::{Durable, MemoryLog, Mistake};
use onhand_app::ports::{Delivered, Delivery, EventLog, EventSource, News, Reading};
use onhand_domain::{Entry, Sequence};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub(super) struct MemorySource {
    pub(super) node: Uuid,
    pub(super) durable: Durable,
    pub(super) log: Arc<MemoryLog>,
    pub(super) mistake: Mistake,
}

impl EventSource for MemorySource {
    fn name(&self) -> &'static str {
        "a log in memory"
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        let mut entries = self.durable.lock().clone();
        if self.mistake == Mistake::PromisesWhatWaits {
            entries.extend(self.log.waiting());
        }
        let end = entries.last().map_or(Sequence::START, Entry::last);
        let end = if self.mistake == Mistake::HidesThatTheLogIsShorter { end.max(after) } else { end };
        let from = match self.mistake {
            Mistake::RepeatsTheCheckpoint => after,
            Mistake::SkipsAnEvent if after > Sequence::START => after.plus(2),
            _ => after.plus(1),
        };
        let all = entries.iter().flat_map(|entry| entry.numbered().map(|numbered| (entry.at, numbered)));
        let wanted = all.filter(|(_, (sequence, _))| *sequence >= from).take(limit);
        let events = wanted.map(|(at, (sequence, event))| Delivered {
            sequence,
            at,
            json: serde_json::to_string(event).unwrap(),
        });
        let delivery = Delivery { node: self.node, ledger: self.node, end, events: events.collect() };
        Box::pin(std::future::ready(Ok(delivery)))
    }

    fn news(&self, after: Sequence, wait_max: Duration) -> News<'_> {
        Box::pin(async move {
            let _ = tokio::time::timeout(wait_max, self.log.durable().passed(after.plus(1))).await;
        })
    }
}
