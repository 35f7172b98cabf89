//! Several logs of one ledger, as processes that share a data directory write them: each level and each import passes
//! from log to log, and the process that moves it takes it over first.

mod audit;
mod commands;
mod members;
mod merge;
mod rules;

use crate::node::qty;
use onhand_app::ports::{Delivered, EventIds, EventLog, EventSource, NewEntry};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, create_dir_durably};
use onhand_domain::imports::ImportRows;
use onhand_domain::stock::{Batch, Operation, Reserve, StockCommand, Verb};
use onhand_domain::{
    Command, Draft, Expected, Finished, ImportId, Key, ReservationId, Sequence, Sku, State, StoreId,
    Timestamp, decide,
};
use onhand_file::recovery::{OpenNode, OpenOptions, open};
use onhand_file::sources::directory_source::DirectorySource;
use onhand_sim_machine::disk::SimDisk;
use onhand_sim_machine::{SimClock, SimIds};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) const NUMBERS: [u16; 3] = [1, 2, 3];

/// The state of a key over all logs.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) state: State,
    /// The member that moved it last.
    pub(crate) owner: usize,
    pub(crate) epoch: u64,
}

/// A shared data directory, and the processes that write it.
pub(crate) struct Several {
    pub(crate) disk: SimDisk,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) ledger: Uuid,
    ids: Arc<SimIds>,
    pub(crate) members: Vec<OpenNode>,
    pub(crate) heads: BTreeMap<Key, Head>,
}

pub(crate) fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

impl Several {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(SimClock::default());
        clock.set(Timestamp::parse("2026-11-20T16:00:00Z").unwrap());
        let (disk, ids) = (SimDisk::new(5), Arc::new(SimIds::default()));
        let mut several =
            Self { disk, clock, ledger: ids.event_id(), ids, members: Vec::new(), heads: BTreeMap::new() };
        for number in NUMBERS {
            several.join(number);
        }
        several
    }

    /// Adds a process.
    pub(crate) fn join(&mut self, number: u16) {
        let member = layout().member(number);
        create_dir_durably(&self.disk, member.root()).unwrap();
        let node = format!(
            "{{\"node\":\"{}\",\"format\":1,\"created\":\"2026-11-20T16:00:00.000Z\",\"ledger\":\"{}\"}}",
            self.ids.event_id(),
            self.ledger
        );
        self.disk.put(member.node(), node.as_bytes());
        self.members.push(self.open(number));
    }

    fn open(&self, number: u16) -> OpenNode {
        let options = OpenOptions {
            disk: Arc::new(self.disk.clone()) as Arc<dyn Disk>,
            layout: layout().member(number),
            segment_bytes: 4_000,
            ballast_bytes: 0,
            idempotency_ttl_ms: 300_000,
        };
        open(&options, &*self.clock, &*self.ids).unwrap()
    }

    /// A member decides a command, having caught up with the others; none when it is rejected.
    pub(crate) fn act(&mut self, member: usize, command: &Command) -> Option<Finished> {
        let keys = command.keys();
        let heads = keys.iter().map(|key| self.heads.get(key).cloned());
        let mut heads: Vec<Option<Head>> = heads.collect();
        let foreign = heads.iter().map(|head| {
            let head = head.as_ref().filter(|head| head.owner != member)?;
            Some(head.epoch + 1)
        });
        let foreign: Vec<Option<u64>> = foreign.collect();
        let mut states: Vec<State> = keys
            .iter()
            .zip(&mut heads)
            .map(|(key, head)| head.take().map_or_else(|| State::absent(key), |head| head.state))
            .collect();
        let log = &self.members[member].log;
        let ids = Arc::clone(&self.ids);
        let mut new_id = || ids.event_id();
        let now = onhand_app::ports::Clock::now(&*self.clock);
        let mut draft =
            Draft::new(now, &keys, states.iter_mut().collect(), &mut new_id).taking(foreign.clone());
        draft.expire_due(1_000);
        let _ = decide(&mut draft, command);
        if draft.is_empty() {
            return None;
        }
        let entry = NewEntry {
            generation: log.durable().generation(),
            decided_at: now,
            valid_before: draft.next_due(),
            actor: None,
            request_id: None,
            idempotency: None,
            events: draft.events(),
            unapplied: draft.unapplied(),
        };
        let at = log.append(&entry).unwrap().at;
        log.write_waiting().unwrap();
        let finished = draft.finish();
        for (position, (key, mut state)) in keys.into_iter().zip(states).enumerate() {
            if finished.undos.iter().any(|(moved, _)| *moved == position) {
                state.set_updated_at(at);
                let known = self.heads.get(&key).map_or(1, |head| head.epoch);
                let epoch = foreign[position].unwrap_or(known);
                self.heads.insert(key, Head { state, owner: member, epoch });
            }
        }
        Some(finished)
    }

    pub(crate) fn node(&self, member: usize) -> Uuid {
        self.members[member].node.node
    }

    pub(crate) fn source(&self, member: usize) -> DirectorySource {
        DirectorySource::new(Arc::new(self.disk.clone()), layout().member(NUMBERS[member]))
    }

    /// All events of a member's log.
    pub(crate) async fn events(&self, member: usize) -> Vec<Delivered> {
        self.source(member).read(Sequence::START, usize::MAX).await.unwrap().events
    }
}

pub(crate) fn key(sku: &str) -> Key {
    Key::Level(StoreId::new("LONDON").unwrap(), Sku::new(sku).unwrap())
}

fn movement(sku: &str, verb: Verb) -> StockCommand {
    StockCommand {
        store_id: StoreId::new("LONDON").unwrap(),
        sku: Sku::new(sku).unwrap(),
        expected: Expected::Any,
        verb,
    }
}

pub(crate) fn adjust(sku: &str, delta: i64) -> Command {
    Command::Stock(movement(sku, Verb::Adjust { delta: qty(delta), reason: None, reference: None }))
}

pub(crate) fn reserve(sku: &str, pieces: i64, name: &str, ttl_seconds: Option<i64>) -> Command {
    let reservation_id = ReservationId::new(name).unwrap();
    let wish = Reserve { qty: qty(pieces), reservation_id, ttl_seconds, reference: None };
    Command::Stock(movement(sku, Verb::Reserve(wish)))
}

/// A delivery of one piece of each.
pub(crate) fn batch(skus: &[&str]) -> Command {
    let verb = Verb::Adjust { delta: qty(1), reason: None, reference: None };
    let operation =
        |sku: &&str| Operation { command: movement(sku, verb.clone()), idempotency: None, known: None };
    Command::Batch(Batch { atomic: false, operations: skus.iter().map(operation).collect() })
}

/// The next step of an import.
pub(crate) fn import(after_row: u64, last: bool) -> Command {
    let import_id = ImportId::new("I").unwrap();
    Command::Import(ImportRows {
        import_id,
        after_row,
        through_row: after_row + 1,
        last,
        rows: vec![],
        is_own: true,
    })
}
