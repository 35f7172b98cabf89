//! The worker: all followers, the model they fill, and when it is saved.

use crate::app::ledger::blocking;
use crate::app::ports::{CentralStore, Clock, DeadLetterStore, EventSource};
use crate::app::sync::follower::{Follower, Progress};
use crate::app::sync::{
    Central, CentralFile, CentralModel, DeadLetter, LetterError, LetterState, PassReport, SourceRecord,
    SourceReport, SyncStatus,
};
use crate::domain::Sequence;
use futures_util::StreamExt;
use futures_util::stream::iter;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::MutexGuard;
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
    pub(super) model: Arc<CentralModel>,
    pub(super) followers: Vec<tokio::sync::Mutex<Follower>>,
    letters: Mutex<BTreeMap<String, DeadLetter>>,
    /// The last known record of every node, of those that do not answer too.
    checkpoints: Mutex<BTreeMap<Uuid, SourceRecord>>,
    /// Which source follows which node.
    claims: Mutex<BTreeMap<Uuid, String>>,
    /// Held by whoever moves followers: a pass, a redrive, a save.
    pass: tokio::sync::Mutex<()>,
    /// Passes that came to their end.
    passes: AtomicU64,
    last: Mutex<PassReport>,
    /// Every source as it was last seen, in the middle of a pass too.
    seen: Mutex<BTreeMap<String, SourceReport>>,
    saved: Mutex<Saved>,
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
            model: Arc::new(CentralModel::new(file.central())),
            followers,
            letters: Mutex::new(letters),
            checkpoints: Mutex::new(file.sources),
            claims: Mutex::default(),
            pass: tokio::sync::Mutex::default(),
            passes: AtomicU64::new(0),
            last: Mutex::default(),
            seen: Mutex::default(),
            saved: Mutex::new(saved),
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
        let Some(_running) = self.begin_pass().await else { return self.last_pass() };
        let begun = Instant::now();
        // Collected before the first await, so that the pass can be spawned.
        let work: Vec<_> = self.followers.iter().map(|follower| self.follow(follower)).collect();
        let done: Vec<(Progress, SourceReport)> =
            iter(work).buffered(self.settings.concurrency.max(1)).collect().await;
        let sources: Vec<SourceReport> = done.iter().map(|(_, report)| report.clone()).collect();
        let report = PassReport {
            applied: done.iter().map(|(progress, _)| progress.applied).sum(),
            dead_lettered: done.iter().map(|(progress, _)| progress.dead_lettered).sum(),
            central_sequence: self.model.look(Central::sequence),
            lag: lag(&sources),
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            sources,
        };
        *self.last.lock() = report.clone();
        self.passes.fetch_add(1, Ordering::Relaxed);
        if self.save_is_due()
            && let Err(error) = self.save_now().await
        {
            tracing::error!(%error, "the central model was not saved; it is tried again after the next pass");
        }
        report
    }

    async fn follow(&self, follower: &tokio::sync::Mutex<Follower>) -> (Progress, SourceReport) {
        let mut follower = follower.lock().await;
        let progress = follower.follow(self).await;
        (progress, follower.report())
    }

    /// The right to run a pass; nothing when one that was running has ended meanwhile, which then counts for both.
    async fn begin_pass(&self) -> Option<MutexGuard<'_, ()>> {
        let before = self.passes.load(Ordering::Relaxed);
        if let Ok(free) = self.pass.try_lock() {
            return Some(free);
        }
        let free = self.pass.lock().await;
        // What held it may have been a redrive, or a pass that was dropped half-way.
        (self.passes.load(Ordering::Relaxed) == before).then_some(free)
    }

    /// What the last pass did.
    pub fn last_pass(&self) -> PassReport {
        self.last.lock().clone()
    }

    fn save_is_due(&self) -> bool {
        let (sequence, levels) = self.model.look(|model| (model.sequence(), model.len() as u64));
        let saved = self.saved.lock();
        let events = sequence.0.saturating_sub(saved.sequence.0);
        let rested = saved.not_before.is_none_or(|moment| Instant::now() >= moment);
        rested && events >= self.settings.save_every.max(levels / 10).max(1)
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
        let checkpoints = self.checkpoints.lock().clone();
        let file = self.model.look(|model| CentralFile::of(model, checkpoints));
        let sequence = file.sequence;
        let store = Arc::clone(&self.parts.central);
        blocking(move || store.save(&file)).await?;
        let not_before = Some(Instant::now() + begun.elapsed().saturating_mul(SAVE_REST));
        *self.saved.lock() = Saved { sequence, not_before };
        Ok(())
    }

    /// The model it fills.
    pub fn central(&self) -> &Arc<CentralModel> {
        &self.model
    }

    /// How sources and dead letters are now, in the middle of a pass too.
    pub fn status(&self) -> SyncStatus {
        let sources: Vec<SourceReport> = self.seen.lock().values().cloned().collect();
        let letters = self.letters.lock();
        let open = letters.values().filter(|letter| letter.state == LetterState::Open).count();
        SyncStatus { lag: lag(&sources), open_letters: open, letters: letters.len(), sources }
    }

    pub(super) fn note(&self, report: SourceReport) {
        self.seen.lock().insert(report.name.clone(), report);
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

    pub(super) async fn pass_lock(&self) -> MutexGuard<'_, ()> {
        self.pass.lock().await
    }

    pub(super) async fn follower_of(
        &self,
        letter: &DeadLetter,
    ) -> Result<MutexGuard<'_, Follower>, LetterError> {
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
}

fn lag(sources: &[SourceReport]) -> u64 {
    let behind =
        |source: &SourceReport| source.end.0.saturating_sub(source.sequence.0) + source.parked_events;
    sources.iter().map(behind).sum()
}
