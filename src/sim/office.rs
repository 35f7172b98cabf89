//! The central office of a simulated chain: a worker on a disk of its own, and sources that are not always well.
//!
//! A source reads the data directory of a simulated node as another process does. What the worker has is held against the
//! oracles of the stores: each level is what the store's log says as of the worker's checkpoint, or as of the event
//! that the level waits behind.

use crate::adapters::file::disk::Disk;
use crate::adapters::file::disk::layout::Layout;
use crate::adapters::file::sources::directory_source::DirectorySource;
use crate::adapters::file::stores::central::FileCentral;
use crate::adapters::file::stores::dead_letters::FileDeadLetters;
use crate::app::central::{
    Central, DeadLetter, LetterError, LetterState, SyncSettings, Worker, WorkerParts, total,
};
use crate::app::ports::{Delivered, Delivery, EventSource, Reading, SourceError};
use crate::domain::{Sequence, Sku};
use crate::resilience::BreakerSettings;
use crate::sim::disk::SimDisk;
use crate::sim::node::SimClock;
use crate::sim::oracle::{Happened, Oracle};
use crate::sim::rules;
use crate::sim::stage::place;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How a simulated worker is set up: it reads little at once, tries again at once, and never leaves a source alone.
pub const SETTINGS: SyncSettings = SyncSettings {
    interval: Duration::from_secs(1),
    concurrency: 4,
    read_events: 7,
    save_every: 10,
    retry_base: Duration::ZERO,
    retry_times: 3,
    breaker: BreakerSettings { threshold: 1.0, cooldown: Duration::ZERO },
};

/// What a worker keeps, and what it follows.
pub struct Desk {
    /// Where it keeps it, under `/central`.
    pub disk: SimDisk,
    /// What it follows.
    pub sources: Vec<Arc<dyn EventSource>>,
}

impl Desk {
    /// A desk on an empty disk.
    pub fn new(sources: Vec<Arc<dyn EventSource>>) -> Self {
        Self { disk: SimDisk::new(3), sources }
    }

    /// Starts a worker, as a process does.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn start(&self) -> io::Result<Worker> {
        let disk = || Arc::new(self.disk.clone()) as Arc<dyn Disk>;
        let layout = Layout::new(Path::new("/central"));
        let parts = WorkerParts {
            sources: self.sources.clone(),
            central: Arc::new(FileCentral::open(disk(), layout.clone())?),
            letters: Arc::new(FileDeadLetters::open(disk(), layout)?),
            clock: Arc::new(SimClock::default()),
        };
        Worker::new(parts, SETTINGS)
    }
}

/// How a source answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// What is asked for.
    #[default]
    Well,
    /// Not at all.
    Down,
    /// No answer that can be used.
    Raves,
    /// Some events too early.
    Repeats,
}

/// A node's directory as a source with moods.
pub struct Line {
    name: String,
    directory: DirectorySource,
    mood: Mutex<Mood>,
    /// Events that come garbled.
    poison: Mutex<BTreeSet<u64>>,
    /// One answer at a time over all lines: who is first does not depend on threads.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Line {
    /// A line to the node on that disk.
    pub fn new(name: &str, disk: &SimDisk, turn: &Arc<tokio::sync::Mutex<()>>) -> Arc<Self> {
        let directory = DirectorySource::new(Arc::new(disk.clone()) as Arc<dyn Disk>, rules::layout());
        let (mood, poison) = Default::default();
        Arc::new(Self { name: name.to_owned(), directory, mood, poison, turn: Arc::clone(turn) })
    }

    /// How it answers from now on.
    pub fn set(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    /// That event comes garbled from now on.
    pub fn garble(&self, sequence: u64) {
        self.poison.lock().insert(sequence);
    }

    /// Nothing comes garbled any more, and everything is answered.
    pub fn mend(&self) {
        self.poison.lock().clear();
        self.set(Mood::Well);
    }

    async fn deliver(&self, after: Sequence, limit: usize) -> Result<Delivery, SourceError> {
        let _turn = self.turn.lock().await;
        let mood = *self.mood.lock();
        let after = match mood {
            Mood::Well => after,
            Mood::Repeats => after.minus(3),
            Mood::Down => return Err(SourceError::Unavailable("down".to_owned())),
            Mood::Raves => return Err(SourceError::Nonsense("<html>".to_owned())),
        };
        let mut delivery = self.directory.read(after, limit).await?;
        let poison = self.poison.lock();
        for event in delivery.events.iter_mut().filter(|event| poison.contains(&event.sequence.0)) {
            garble(event);
        }
        Ok(delivery)
    }
}

/// The level can still be told, the event not.
fn garble(event: &mut Delivered) {
    event.json = event.json.replacen("\"type\":\"", "\"type\":\"X-", 1);
}

impl EventSource for Line {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, after: Sequence, limit: usize) -> Reading<'_> {
        Box::pin(self.deliver(after, limit))
    }
}

/// The letters that wait for somebody, oldest first.
pub fn open_letters(worker: &Worker) -> Vec<DeadLetter> {
    let letters = worker.letters();
    letters.into_iter().filter(|letter| letter.state == LetterState::Open).collect()
}

/// Tries every open letter again.
///
/// # Errors
/// When a letter cannot be tried, because a disk or a source refuses.
///
/// # Panics
/// When a letter is said to be closed and is open, or to wait for one that is not open.
pub async fn redrive_all(worker: &Worker) -> Result<(), LetterError> {
    for letter in open_letters(worker) {
        let mut redriven = worker.redrive(&letter.id).await;
        if let Err(LetterError::Source(_)) = redriven {
            // Since the start its source has not been asked. The pass that asks it closes letters that the saved model has
            // closed already: the disk refused the letter's own line, or the level was redriven as a whole.
            worker.sync().await;
            redriven = worker.redrive(&letter.id).await;
        }
        match redriven {
            Ok(_) => {}
            Err(LetterError::Closed) => {
                assert!(!is_open(worker, &letter.id), "{} is open, but is said to be closed", letter.id);
            }
            // That one is tried in a later round.
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

/// The SKUs of a node's levels that wait behind a letter.
pub fn waiting(worker: &Worker, node: Uuid) -> Vec<Sku> {
    let record = worker.central().copy().whole().sources.remove(&node).unwrap_or_default();
    record.parked.into_iter().map(|parked| parked.sku).collect()
}

/// What central has of a store is what its log says, as of the checkpoint, or of the event that a level waits behind.
///
/// # Panics
/// When it is not.
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

/// (on hand, reserved, version)
fn seen(central: &Central, oracle: &Oracle, sku: &str) -> Option<(i64, i64, u64)> {
    let (store_id, wanted) = place(oracle, sku);
    let (numbers, _) = total(&central.level(&store_id, &wanted)?);
    Some((numbers.on_hand.get(), numbers.reserved.get(), numbers.version))
}
