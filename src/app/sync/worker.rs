//! The worker: all followers, the model they fill, and when it is saved.

use crate::app::ledger::blocking;
use crate::app::ports::{CentralStore, Clock, DeadLetterStore, EventSource};
use crate::app::sync::follower::{Follower, Progress};
use crate::app::sync::{
    Central, CentralFile, DeadLetter, LetterError, LetterState, PassReport, SourceRecord, SourceReport,
};
use crate::domain::Sequence;
use futures_util::StreamExt;
use futures_util::stream::iter;
use parking_lot::{Mutex, RwLock};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;

/// What a worker is made of.
pub struct WorkerParts {
    /// The logs to follow.
    pub sources: Vec<Arc<dyn EventSource>>,
    /// Where the model is saved.
    pub central: Arc<dyn CentralStore>,
    /// Where dead letters are kept.
    pub letters: Arc<dyn DeadLetterStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub struct SyncSettings {
    /// From the end of a pass to the next one.
    pub interval: Duration,
    /// Sources read at the same time.
    pub concurrency: usize,
    /// Events asked for at once.
    pub read_events: usize,
    /// Events between two saves of the model, at least.
    pub save_every: u64,
    /// The first wait before an event that could not be applied is read again; it doubles.
    pub retry_base: Duration,
    /// How often it is read again.
    pub retry_times: u32,
}

/// After a save that took a second, at least so many seconds pass without one.
const SAVE_REST: u32 = 9;

/// Merges the logs of all nodes into the central model.
pub struct Worker {
    pub(super) parts: WorkerParts,
    pub(super) settings: SyncSettings,
    pub(super) model: RwLock<Central>,
    pub(super) followers: Vec<tokio::sync::Mutex<Follower>>,
    letters: Mutex<BTreeMap<String, DeadLetter>>,
    /// The last known record of every node, of those that do not answer too.
    checkpoints: Mutex<BTreeMap<Uuid, SourceRecord>>,
    /// Which source follows which node.
    claims: Mutex<BTreeMap<Uuid, String>>,
    pass: tokio::sync::Mutex<()>,
    last: Mutex<PassReport>,
    saved: Mutex<Saved>,
    moves: watch::Sender<u64>,
}

struct Saved {
    sequence: Sequence,
    not_before: Option<Instant>,
}

impl Worker {
    /// A worker that goes on where the saved model ends.
    ///
    /// # Errors
    /// What the stores say.
    pub fn new(parts: WorkerParts, settings: SyncSettings) -> io::Result<Self> {
        let file = parts.central.load()?.unwrap_or_default();
        let letters = parts.letters.load()?.into_iter().map(|letter| (letter.id.clone(), letter)).collect();
        let followers = parts.sources.iter().map(|source| Follower::new(Arc::clone(source)));
        let followers = followers.map(tokio::sync::Mutex::new).collect();
        let saved = Saved { sequence: file.sequence, not_before: None };
        Ok(Self {
            settings,
            model: RwLock::new(file.central()),
            followers,
            letters: Mutex::new(letters),
            checkpoints: Mutex::new(file.sources),
            claims: Mutex::default(),
            pass: tokio::sync::Mutex::default(),
            last: Mutex::default(),
            saved: Mutex::new(saved),
            moves: watch::Sender::new(0),
            parts,
        })
    }

    /// Passes for ever; the caller drops the future to stop.
    pub async fn run(&self) {
        loop {
            self.sync().await;
            tokio::time::sleep(self.settings.interval).await;
        }
    }

    /// Runs one pass over all sources now, or waits for the one that is running.
    ///
    /// Cancel safe: what was applied stays applied.
    pub async fn sync(&self) -> PassReport {
        let Ok(_running) = self.pass.try_lock() else {
            let _ended = self.pass.lock().await;
            return self.last.lock().clone();
        };
        let begun = Instant::now();
        let work = self.followers.iter().map(|follower| async move {
            let mut follower = follower.lock().await;
            let progress = follower.follow(self).await;
            (progress, follower.report())
        });
        let done: Vec<(Progress, SourceReport)> =
            iter(work).buffered(self.settings.concurrency.max(1)).collect().await;
        let sources: Vec<SourceReport> = done.iter().map(|(_, report)| report.clone()).collect();
        let report = PassReport {
            applied: done.iter().map(|(progress, _)| progress.applied).sum(),
            dead_lettered: done.iter().map(|(progress, _)| progress.dead_lettered).sum(),
            central_sequence: self.model.read().sequence(),
            lag: lag(&sources),
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            sources,
        };
        *self.last.lock() = report.clone();
        if self.save_is_due()
            && let Err(error) = self.save_now().await
        {
            tracing::error!(%error, "the central model was not saved; it is tried again after the next pass");
        }
        report
    }

    /// What the last pass did.
    pub fn last_pass(&self) -> PassReport {
        self.last.lock().clone()
    }

    fn save_is_due(&self) -> bool {
        let model = self.model.read();
        let saved = self.saved.lock();
        let events = model.sequence().0.saturating_sub(saved.sequence.0);
        let rested = saved.not_before.is_none_or(|moment| Instant::now() >= moment);
        rested && events >= self.settings.save_every.max(model.len() as u64 / 10).max(1)
    }

    /// Saves model and checkpoints, once no pass is running.
    ///
    /// # Errors
    /// What the store says; the older file is there still.
    pub async fn save(&self) -> io::Result<()> {
        let _no_pass = self.pass.lock().await;
        self.save_now().await
    }

    /// Saves model and checkpoints as they are now. The caller holds the pass, so the two belong together.
    pub(super) async fn save_now(&self) -> io::Result<()> {
        let begun = Instant::now();
        for follower in &self.followers {
            let follower = follower.lock().await;
            if let Some(node) = follower.node {
                self.checkpoints.lock().insert(node, follower.record());
            }
        }
        let file = CentralFile::of(&self.model.read(), self.checkpoints.lock().clone());
        let sequence = file.sequence;
        let store = Arc::clone(&self.parts.central);
        blocking(move || store.save(&file)).await?;
        let not_before = Some(Instant::now() + begun.elapsed().saturating_mul(SAVE_REST));
        *self.saved.lock() = Saved { sequence, not_before };
        Ok(())
    }

    /// Looks at the model.
    pub fn look<T>(&self, look: impl FnOnce(&Central) -> T) -> T {
        look(&self.model.read())
    }

    /// Waits until everything of a node up to `sequence` is in the model. False when that did not come in time.
    pub async fn at_least(&self, node: Uuid, sequence: Sequence, wait_max: Duration) -> bool {
        let mut moves = self.moves.subscribe();
        let there = || self.model.read().as_of().get(&node).is_some_and(|reached| *reached >= sequence);
        let reached = async { while !there() && moves.changed().await.is_ok() {} };
        tokio::time::timeout(wait_max, reached).await.is_ok() || there()
    }

    /// All dead letters, oldest first.
    pub fn letters(&self) -> Vec<DeadLetter> {
        let mut letters: Vec<DeadLetter> = self.letters.lock().values().cloned().collect();
        letters.sort_by_key(|letter| (letter.first_at, letter.node, letter.sequence));
        letters
    }

    /// One dead letter.
    pub fn letter(&self, id: &str) -> Option<DeadLetter> {
        self.letters.lock().get(id).cloned()
    }

    pub(super) fn letter_state(&self, node: Uuid, sequence: Sequence) -> Option<LetterState> {
        self.letters.lock().get(&DeadLetter::id_of(node, sequence)).map(|letter| letter.state)
    }

    pub(super) fn keep_letter(&self, letter: DeadLetter) {
        self.letters.lock().insert(letter.id.clone(), letter);
    }

    pub(super) fn checkpoint(&self, node: Uuid) -> SourceRecord {
        self.checkpoints.lock().get(&node).cloned().unwrap_or_default()
    }

    pub(super) async fn pass_lock(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.pass.lock().await
    }

    pub(super) async fn follower_of(
        &self,
        letter: &DeadLetter,
    ) -> Result<tokio::sync::MutexGuard<'_, Follower>, LetterError> {
        for follower in &self.followers {
            let follower = follower.lock().await;
            if follower.node == Some(letter.node) {
                return Ok(follower);
            }
        }
        Err(LetterError::Source(format!("node {} has not answered yet", letter.node)))
    }

    /// Notes that a source follows a node; the name of the other one when there is one already.
    pub(super) fn claim(&self, node: Uuid, name: &str) -> Option<String> {
        let mut claims = self.claims.lock();
        let holder = claims.entry(node).or_insert_with(|| name.to_owned());
        (holder != name).then(|| holder.clone())
    }

    /// The model has moved: those who wait look again.
    pub(super) fn moved(&self) {
        self.moves.send_modify(|moves| *moves = moves.wrapping_add(1));
    }
}

fn lag(sources: &[SourceReport]) -> u64 {
    let behind =
        |source: &SourceReport| source.end.0.saturating_sub(source.sequence.0) + source.parked_events;
    sources.iter().map(behind).sum()
}
