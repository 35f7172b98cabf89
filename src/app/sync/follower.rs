//! Following one source: read, skip what is known, apply, park, move the checkpoint.

use crate::app::ports::{Delivered, Delivery, EventSource};
use crate::app::sync::central::place_of;
use crate::app::sync::letters::guess_place;
use crate::app::sync::{
    Central, Parked, ParkedRecord, Poison, SourceRecord, SourceReport, SourceState, Worker,
};
use crate::domain::{Event, Key, Sequence, Sku, StoreId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// A store and a SKU.
pub(super) type Place = (StoreId, Sku);

/// One source and how far it has been followed.
pub(super) struct Follower {
    pub(super) source: Arc<dyn EventSource>,
    pub(super) node: Option<Uuid>,
    pub(super) sequence: Sequence,
    pub(super) end: Sequence,
    pub(super) state: SourceState,
    pub(super) duplicates: u64,
    pub(super) parked: BTreeMap<Place, Parked>,
    pub(super) loose: BTreeSet<Place>,
}

/// What following did in one pass.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) applied: u64,
    pub(super) dead_lettered: u64,
}

/// Where a delivery could not be applied any further.
enum Halt {
    /// All of it is in.
    End,
    /// This event cannot be applied.
    Poison(usize, Poison),
    /// The source must not be followed any further.
    Stop(String),
}

impl Follower {
    pub(super) fn new(source: Arc<dyn EventSource>) -> Self {
        Self {
            source,
            node: None,
            sequence: Sequence::START,
            end: Sequence::START,
            state: SourceState::New,
            duplicates: 0,
            parked: BTreeMap::new(),
            loose: BTreeSet::new(),
        }
    }

    pub(super) fn record(&self) -> SourceRecord {
        let parked = self.parked.iter().map(|((store_id, sku), parked)| ParkedRecord {
            store_id: store_id.clone(),
            sku: sku.clone(),
            parked: *parked,
        });
        SourceRecord {
            sequence: self.sequence,
            parked: parked.collect(),
            loose: self.loose.iter().cloned().collect(),
        }
    }

    pub(super) fn report(&self) -> SourceReport {
        SourceReport {
            name: self.source.name().to_owned(),
            node: self.node,
            sequence: self.sequence,
            end: self.end,
            state: self.state.clone(),
            duplicates: self.duplicates,
            parked_levels: self.parked.len(),
            parked_events: self.parked.values().map(|parked| parked.waiting).sum(),
        }
    }

    /// Follows the source to its end, or as far as it goes.
    pub(super) async fn follow(&mut self, worker: &Worker) -> Progress {
        let mut progress = Progress::default();
        let mut tries = 0;
        while !matches!(self.state, SourceState::Stopped(_)) {
            let Some(delivery) = self.read(worker).await else { break };
            if delivery.events.is_empty() {
                break;
            }
            match self.apply(worker, &delivery, &mut progress) {
                Halt::End => tries = 0,
                Halt::Stop(reason) => self.stop(reason),
                Halt::Poison(_, _) if tries < worker.settings.retry_times => {
                    // Read again: what was garbled on the way may come whole.
                    tokio::time::sleep(worker.settings.retry_base.saturating_mul(1 << tries.min(6))).await;
                    tries += 1;
                }
                Halt::Poison(position, poison) => {
                    let Some(event) = delivery.events.get(position) else { break };
                    if !self.bury(worker, delivery.node, event, &poison, tries + 1).await {
                        break;
                    }
                    progress.dead_lettered += 1;
                    tries = 0;
                }
            }
            worker.note(self.report());
        }
        worker.note(self.report());
        progress
    }

    async fn read(&mut self, worker: &Worker) -> Option<Delivery> {
        if self.node.is_none() && !self.introduce(worker).await {
            return None;
        }
        let read = self.source.read(self.sequence, worker.settings.read_events).await;
        let delivery = match read {
            Ok(delivery) => delivery,
            Err(error) => {
                self.fail(&error.to_string());
                return None;
            }
        };
        if Some(delivery.node) != self.node {
            self.stop(format!("it is node {} now, it was another one before", delivery.node));
            return None;
        }
        if delivery.end < self.sequence {
            self.stop(format!("its log ends at {}, central has seen {}", delivery.end, self.sequence));
            return None;
        }
        self.end = delivery.end;
        self.state = SourceState::Well;
        Some(delivery)
    }

    /// Learns whose log it is, and takes up its checkpoint.
    async fn introduce(&mut self, worker: &Worker) -> bool {
        match self.source.read(Sequence::START, 0).await {
            Ok(delivery) => {
                if let Some(other) = worker.claim(delivery.node, self.source.name()) {
                    self.stop(format!("node {} is followed as {other} already", delivery.node));
                    return false;
                }
                let record = worker.checkpoint(delivery.node);
                for waiting in &record.parked {
                    if let Err(error) = worker.reopen(delivery.node, waiting.parked.from).await {
                        self.fail(&format!("the dead-letter file cannot be written ({error})"));
                        return false;
                    }
                }
                self.node = Some(delivery.node);
                self.sequence = record.sequence;
                self.parked = record
                    .parked
                    .into_iter()
                    .map(|record| ((record.store_id, record.sku), record.parked))
                    .collect();
                self.loose = record.loose.into_iter().collect();
                true
            }
            Err(error) => {
                self.fail(&error.to_string());
                false
            }
        }
    }

    pub(super) fn fail(&mut self, reason: &str) {
        if !matches!(&self.state, SourceState::Failing(before) if before == reason) {
            tracing::warn!(source = self.source.name(), reason, "a source cannot be read; it is tried again");
        }
        self.state = SourceState::Failing(reason.to_owned());
    }

    fn stop(&mut self, reason: String) {
        tracing::error!(source = self.source.name(), reason, "a source is stopped until somebody has looked");
        self.state = SourceState::Stopped(reason);
    }

    /// Applies as much of a delivery as goes, model and checkpoint under one lock.
    fn apply(&mut self, worker: &Worker, delivery: &Delivery, progress: &mut Progress) -> Halt {
        let decoded: Vec<Result<Event, String>> =
            delivery.events.iter().map(|event| Event::decode(event.json.as_bytes())).collect();
        let mut central = worker.model.write();
        let mut halt = Halt::End;
        for (position, (event, decoded)) in delivery.events.iter().zip(decoded).enumerate() {
            if event.sequence <= self.sequence {
                self.duplicates += 1;
                continue;
            }
            if event.sequence != self.sequence.plus(1) {
                halt = Halt::Stop(format!("sequence {} follows {}", event.sequence, self.sequence));
                break;
            }
            match self.apply_one(&mut central, delivery.node, event, decoded) {
                Ok(applied) => progress.applied += u64::from(applied),
                Err(poison) => {
                    halt = Halt::Poison(position, poison);
                    break;
                }
            }
            self.sequence = event.sequence;
        }
        central.advance(delivery.node, self.sequence);
        drop(central);
        worker.model.moved();
        halt
    }

    /// True when the event is in the model now, false when it waits.
    fn apply_one(
        &mut self,
        central: &mut Central,
        node: Uuid,
        event: &Delivered,
        decoded: Result<Event, String>,
    ) -> Result<bool, Poison> {
        let place = match &decoded {
            Ok(event) => level_place(place_of(event)),
            Err(_) if self.parked.is_empty() => None,
            Err(_) => guess_place(&event.json),
        };
        if let Some(parked) = place.as_ref().and_then(|place| self.parked.get_mut(place)) {
            parked.waiting += 1;
            return Ok(false);
        }
        let decoded = decoded.map_err(Poison::Unreadable)?;
        let loose = !self.loose.is_empty() && place.is_some_and(|place| self.loose.remove(&place));
        central.apply(node, &decoded, event.at, loose).map(|_| true)
    }
}

pub(super) fn level_place(key: Option<Key>) -> Option<Place> {
    match key {
        Some(Key::Level(store, sku)) => Some((store, sku)),
        Some(Key::Import(_)) | None => None,
    }
}
