//! The worker of a simulated chain of stores, on a disk of its own, and sources that fail now and then.
//!
//! A source reads the data directory of a simulated node as another process does. The central model is compared with
//! the oracles of the stores: each level must equal the store's log as of the worker's checkpoint, or as of the event
//! that the level waits behind.

use crate::log_rules;
use crate::model_check::place;
use crate::oracle::{Happened, Oracle};
use onhand_app::central::{Central, DeadLetter, LetterError, LetterState, SyncSettings, Worker, total};
use onhand_app::ports::{Delivered, Delivery, EventSource, Reading, SourceError};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::{Sequence, Sku};
use onhand_file::sources::directory_source::DirectorySource;
use onhand_node::{WorkerError, WorkerOptions};
use onhand_resilience::BreakerSettings;
use onhand_sim_machine::SimClock;
use onhand_sim_machine::disk::SimDisk;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The settings of a simulated worker: it reads few events at once, retries at once, and its breaker never opens.
pub const SETTINGS: SyncSettings = SyncSettings {
    interval: Duration::from_secs(1),
    concurrency: 4,
    read_events: 7,
    save_every: 10,
    retry_base: Duration::ZERO,
    retry_times: 3,
    breaker: BreakerSettings { threshold: 1.0, cooldown: Duration::ZERO },
};

/// The disk and the sources of a worker. They outlive the worker.
pub struct WorkerSetup {
    /// The disk, with the data directory `/central`.
    pub disk: SimDisk,
    /// The logs that the worker follows.
    pub sources: Vec<Arc<dyn EventSource>>,
}

impl WorkerSetup {
    /// An empty disk, and these sources.
    pub fn new(sources: Vec<Arc<dyn EventSource>>) -> Self {
        Self { disk: SimDisk::new(3), sources }
    }

    /// Starts a worker, as a process does.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn start(&self) -> io::Result<Worker> {
        let options = WorkerOptions {
            disk: Arc::new(self.disk.clone()) as Arc<dyn Disk>,
            clock: Arc::new(SimClock::default()),
            layout: Layout::new(Path::new("/central")),
            model: Arc::default(),
            sources: self.sources.clone(),
            joining: Vec::new(),
            settings: SETTINGS,
        };
        options.open().map_err(|error| match error {
            WorkerError::Open { source, .. } | WorkerError::Read { source, .. } => source,
        })
    }
}

/// How a source answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceHealth {
    /// The requested events.
    #[default]
    Well,
    /// No answer at all.
    Down,
    /// An answer that is not a delivery.
    Nonsense,
    /// The requested events and a few that were delivered before.
    Repeats,
}

/// The directory of a node as a source that can fail.
pub struct FlakySource {
    name: String,
    directory: DirectorySource,
    mood: Mutex<SourceHealth>,
    /// Sequences of the events that are delivered garbled.
    poison: Mutex<BTreeSet<u64>>,
    /// Lets one source answer at a time, so that the order does not depend on threads.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl FlakySource {
    /// The source over the node on `disk`.
    pub fn new(name: &str, disk: &SimDisk, turn: &Arc<tokio::sync::Mutex<()>>) -> Arc<Self> {
        let directory = DirectorySource::new(Arc::new(disk.clone()) as Arc<dyn Disk>, log_rules::layout());
        let (mood, poison) = Default::default();
        Arc::new(Self { name: name.to_owned(), directory, mood, poison, turn: Arc::clone(turn) })
    }

    /// Sets how the source answers from now on.
    pub fn set(&self, mood: SourceHealth) {
        *self.mood.lock() = mood;
    }

    /// Garbles an event from now on.
    pub fn garble(&self, sequence: u64) {
        self.poison.lock().insert(sequence);
    }

    /// Ends all faults of the source.
    pub fn mend(&self) {
        self.poison.lock().clear();
        self.set(SourceHealth::Well);
    }

    async fn deliver(&self, after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
        let _turn = self.turn.lock().await;
        let mood = *self.mood.lock();
        let after = match mood {
            SourceHealth::Well => after,
            SourceHealth::Repeats => after.minus(3),
            SourceHealth::Down => return Err(SourceError::Unavailable("down".to_owned())),
            SourceHealth::Nonsense => return Err(SourceError::Nonsense("<html>".to_owned())),
        };
        let mut delivery = self.directory.read(after, limit).await?;
        let poison = self.poison.lock();
        for event in delivery.events.iter_mut().filter(|event| poison.contains(&event.sequence.0)) {
            garble(event);
        }
        Ok(delivery)
    }
}

/// Garbles an event so that its level can be read and the event cannot.
fn garble(event: &mut Delivered) {
    event.json = event.json.replacen("\"type\":\"", "\"type\":\"X-", 1);
}

impl EventSource for FlakySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(self.deliver(after, limit))
    }
}

/// The open dead letters, oldest first.
pub fn open_letters(worker: &Worker) -> Vec<DeadLetter> {
    let letters = worker.letters();
    letters.into_iter().filter(|letter| letter.state == LetterState::Open).collect()
}

/// Redrives every open letter.
///
/// # Errors
/// When a letter cannot be redriven, because a disk or a source fails.
///
/// # Panics
/// When the worker reports an open letter as closed, or reports that a letter waits for one that is not open.
pub async fn redrive_all(worker: &Worker) -> Result<(), LetterError> {
    for letter in open_letters(worker) {
        let mut redriven = worker.redrive(&letter.id).await;
        if let Err(LetterError::Source(_)) = redriven {
            // The source has not been read since the start. The first pass that reads it closes letters that the saved
            // model has closed already: the disk failed to write the letter's own line, or the level was redriven as a whole.
            worker.sync().await;
            redriven = worker.redrive(&letter.id).await;
        }
        match redriven {
            Ok(_) => {}
            Err(LetterError::Closed) => {
                assert!(!is_open(worker, &letter.id), "{} is open, but is said to be closed", letter.id);
            }
            // That letter is redriven in a later round.
            Err(LetterError::Behind(before)) => {
                assert!(is_open(worker, &before), "{} waits for {before}, which is not open", letter.id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_open(worker: &Worker, id: &str) -> bool {
    worker.letter(id).is_some_and(|letter| letter.state == LetterState::Open)
}

/// The SKUs of a node's levels that wait behind a dead letter.
pub fn waiting(worker: &Worker, node: Uuid) -> Vec<Sku> {
    let record = worker.central().copy().whole().sources.remove(&node).unwrap_or_default();
    record.parked.into_iter().map(|parked| parked.sku).collect()
}

/// Compares central with the log of a store: as of the checkpoint, or as of the event that a level waits behind.
///
/// # Panics
/// When they differ.
pub fn check(worker: &Worker, node: Uuid, oracle: &Oracle) {
    let record = worker.central().copy().whole().sources.remove(&node).unwrap_or_default();
    assert!(record.sequence.0 <= oracle.end(), "central has of {} what no log has", oracle.store);
    worker.central().look(|central| {
        for sku in oracle.levels.keys() {
            let parked = record.parked.iter().find(|parked| parked.sku.as_str() == *sku);
            let as_of = parked.map_or(record.sequence, |parked| parked.parked.from.minus(1));
            let owed = oracle.as_of(sku, as_of.0).and_then(Happened::level);
            assert_eq!(seen(central, oracle, sku), owed, "{}/{sku} in central as of {as_of}", oracle.store);
        }
    });
}

/// (on hand, reserved, version) of a level in central.
fn seen(central: &Central, oracle: &Oracle, sku: &str) -> Option<(i64, i64, u64)> {
    let (store_id, wanted) = place(oracle, sku);
    let (numbers, _) = total(&central.level(&store_id, &wanted)?);
    Some((numbers.on_hand.get(), numbers.reserved.get(), numbers.version))
}
