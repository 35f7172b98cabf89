//! The worker: runs the followers, and saves the model they fill.

use crate::blocking;
use crate::central::following::follower::PassCounts;
use crate::central::following::followers::{Followed, Followers};
use crate::central::{
    Central, CentralModel, DeadLetter, LetterState, PassReport, SourceReport, SourceState, SyncStatus,
};
use crate::ports::{CentralStore, Clock, DeadLetterStore, EventSource, Joining};
use futures_util::future::join_all;
use onhand_domain::Sequence;
use onhand_resilience::{Breaker, BreakerSettings};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{MutexGuard, Semaphore};

/// The adapters of a worker.
pub struct WorkerParts {
    /// The logs to follow.
    pub sources: Vec<Arc<dyn EventSource>>,
    /// The store of the model.
    pub central: Arc<dyn CentralStore>,
    /// The store of the dead letters.
    pub letters: Arc<dyn DeadLetterStore>,
    /// The clock of the worker.
    pub clock: Arc<dyn Clock>,
}

/// The settings of a worker.
#[derive(Debug, Clone, Copy)]
pub struct SyncSettings {
    /// Pause between two passes over a source.
    pub interval: Duration,
    /// Sources read at the same time.
    pub concurrency: usize,
    /// Most events of one read.
    pub read_events: usize,
    /// Fewest events between two saves of the model.
    pub save_every: u64,
    /// The first ceiling of the backoff; it doubles.
    pub retry_base: Duration,
    /// Most retries of a read.
    pub retry_times: u32,
    /// The circuit breaker of a source.
    pub breaker: BreakerSettings,
}

/// Delay between the notification of events and their read, so that one read finds more of them.
const GATHER: Duration = Duration::from_millis(20);
/// After a save at least this many times its duration pass without one.
const SAVE_REST: u32 = 9;
/// As [`SAVE_REST`], for a save of few events: it may cost a hundredth of the time.
const SAVE_FEW_REST: u32 = 99;
/// Few events wait at least this long for others to be saved with.
const SAVE_FEW_AFTER: Duration = Duration::from_secs(1);

/// Merges the logs of all nodes into the central model.
pub struct Worker {
    pub(super) parts: WorkerParts,
    pub(super) settings: SyncSettings,
    pub(super) model: Arc<CentralModel>,
    pub(super) followers: Followers,
    letters: Mutex<BTreeMap<String, DeadLetter>>,
    /// Permits for the sources whose last answer was good ...
    well: Semaphore,
    /// ... and one for the failing ones, so that a source that hangs delays no good one.
    sick: Semaphore,
    /// Held by a pass over all sources.
    pass: tokio::sync::Mutex<()>,
    /// Number of completed passes.
    passes: AtomicU64,
    last: Mutex<PassReport>,
    /// The latest report of every source, also during a pass.
    seen: Mutex<BTreeMap<String, SourceReport>>,
    /// Held during a save.
    saving: tokio::sync::Mutex<()>,
    saved: Mutex<Saved>,
}

struct Saved {
    sequence: Sequence,
    not_before: Option<Instant>,
    /// As `not_before`, for a save of few events.
    few_not_before: Option<Instant>,
    /// The last save failed, and the failure is logged.
    failing: bool,
}

impl Worker {
    /// A worker that continues from the saved model.
    ///
    /// # Errors
    /// When a store fails.
    pub fn new(parts: WorkerParts, settings: SyncSettings) -> io::Result<Self> {
        Self::over(Arc::new(CentralModel::new(Central::default())), parts, Vec::new(), settings)
    }

    /// As [`Worker::new`], over a model that readers share already, and with logs that join later.
    ///
    /// # Errors
    /// When a store fails; the model is unchanged.
    pub fn over(
        model: Arc<CentralModel>,
        mut parts: WorkerParts,
        joining: Vec<Arc<dyn Joining>>,
        settings: SyncSettings,
    ) -> io::Result<Self> {
        let central = parts.central.load()?.unwrap_or_default();
        let sequence = central.sequence();
        let letters = parts.letters.load()?.into_iter().map(|letter| (letter.id.clone(), letter)).collect();
        model.replace(central);
        let few_not_before = Some(Instant::now() + SAVE_FEW_AFTER);
        let saved = Saved { sequence, not_before: None, few_not_before, failing: false };
        Ok(Self {
            settings,
            model,
            followers: Followers::new(std::mem::take(&mut parts.sources), joining, settings.breaker),
            letters: Mutex::new(letters),
            well: Semaphore::new(settings.concurrency.max(1)),
            sick: Semaphore::new(1),
            pass: tokio::sync::Mutex::default(),
            passes: AtomicU64::new(0),
            last: Mutex::default(),
            seen: Mutex::default(),
            saving: tokio::sync::Mutex::default(),
            saved: Mutex::new(saved),
            parts,
        })
    }

    /// Follows every source, each at its own pace, until the caller drops the future.
    pub async fn run(&self) {
        tokio::join!(self.followers.run(self), self.saves());
    }

    /// Saves in parallel with the followers, so that no source waits for a save.
    async fn saves(&self) {
        loop {
            tokio::time::sleep(self.settings.interval).await;
            self.save_if_due().await;
        }
    }

    /// Follows one source until it is dropped.
    pub(super) async fn rounds(&self, followed: Followed) {
        loop {
            let (_, report) = self.follow(&followed).await;
            let interval = self.settings.interval;
            if report.state == SourceState::Well {
                followed.source.news(report.sequence, interval).await;
                tokio::time::sleep(GATHER.min(interval)).await;
            } else {
                tokio::time::sleep(interval).await;
            }
        }
    }

    /// Runs one pass over all sources now, or waits for the one that is running.
    ///
    /// Cancel safe: applied events stay applied.
    pub async fn sync(&self) -> PassReport {
        let Some(_running) = self.begin_pass().await else { return self.last_pass() };
        // A pass on request probes at once: its client may know that a source has recovered.
        self.followers.look().await;
        let followers = self.followers.all();
        for source in &followers {
            source.breaker.cool_down();
        }
        self.pass_over(&followers).await
    }

    /// The last pass before a stop: first the sources whose last answer was good, then the others for at most `patience`, because one
    /// of them may never answer.
    ///
    /// Cancel safe, as [`Worker::sync`].
    pub async fn sync_at_stop(&self, patience: Duration) {
        let Some(_running) = self.begin_pass().await else { return };
        let (well, others): (Vec<Followed>, Vec<Followed>) = {
            let seen = self.seen.lock();
            let state = |followed: &Followed| seen.get(followed.source.name()).map(|report| &report.state);
            self.followers.all().into_iter().partition(|followed| state(followed) == Some(&SourceState::Well))
        };
        self.pass_over(&well).await;
        for source in &others {
            source.breaker.cool_down();
        }
        if !others.is_empty() {
            // Their events are read after the next start.
            let _ = tokio::time::timeout(patience, self.pass_over(&others)).await;
        }
    }

    async fn pass_over(&self, followers: &[Followed]) -> PassReport {
        let begun = Instant::now();
        // Collected before the first await, so that the pass can be spawned.
        let work: Vec<_> = followers.iter().map(|followed| self.follow(followed)).collect();
        let done: Vec<(PassCounts, SourceReport)> = join_all(work).await;
        let sources: Vec<SourceReport> = done.iter().map(|(_, report)| report.clone()).collect();
        let report = PassReport {
            applied: done.iter().map(|(counts, _)| counts.applied).sum(),
            dead_lettered: done.iter().map(|(counts, _)| counts.dead_lettered).sum(),
            central_sequence: self.model.look(Central::sequence),
            lag: lag(&sources),
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            sources,
        };
        *self.last.lock() = report.clone();
        self.passes.fetch_add(1, Ordering::Relaxed);
        report
    }

    async fn follow(&self, one: &Followed) -> (PassCounts, SourceReport) {
        let mut follower = one.follower.lock().await;
        if follower.breaker.rests() {
            // A source behind an open breaker must not occupy a permit.
            return (PassCounts::default(), follower.report());
        }
        let permits = match follower.state {
            SourceState::Failing(_) => &self.sick,
            SourceState::New | SourceState::Well | SourceState::Stopped(_) => &self.well,
        };
        // The semaphore is never closed.
        let _permit = permits.acquire().await;
        let counts = follower.follow(self).await;
        (counts, follower.report())
    }

    /// The lock of a pass; none when a running pass has completed meanwhile, because its report serves both callers.
    async fn begin_pass(&self) -> Option<MutexGuard<'_, ()>> {
        let before = self.passes.load(Ordering::Relaxed);
        if let Ok(free) = self.pass.try_lock() {
            return Some(free);
        }
        let free = self.pass.lock().await;
        // The holder may have been a pass that was dropped half-way, which has no report.
        (self.passes.load(Ordering::Relaxed) == before).then_some(free)
    }

    /// The report of the last pass.
    pub fn last_pass(&self) -> PassReport {
        self.last.lock().clone()
    }

    fn save_is_due(&self) -> bool {
        let (sequence, levels) = self.model.look(|model| (model.sequence(), model.len() as u64));
        let saved = self.saved.lock();
        let events = sequence.0.saturating_sub(saved.sequence.0);
        let rested = |moment: Option<Instant>| moment.is_none_or(|moment| Instant::now() >= moment);
        let worth_it = events >= self.settings.save_every.max(levels / 10).max(1);
        // Without the second condition another process that reads the file would never see the last few events.
        rested(saved.not_before) && worth_it || events > 0 && rested(saved.few_not_before)
    }

    async fn save_if_due(&self) {
        if self.save_is_due()
            && let Err(error) = self.save().await
        {
            let later = Some(Instant::now() + self.settings.interval);
            let mut saved = self.saved.lock();
            (saved.not_before, saved.few_not_before) = (later, later);
            if !std::mem::replace(&mut saved.failing, true) {
                tracing::error!(%error, "the central model was not saved; it is tried again until it is");
            }
        }
    }

    /// Saves model and checkpoints as they are now.
    ///
    /// # Errors
    /// When the store fails; the older file is kept.
    pub async fn save(&self) -> io::Result<()> {
        let _saving = self.saving.lock().await;
        let begun = Instant::now();
        let (model, store) = (Arc::clone(&self.model), Arc::clone(&self.parts.central));
        let save = move || {
            let copy = model.copy();
            store.save(&copy).map(|()| copy.sequence())
        };
        let sequence = blocking(save).await?;
        let (now, took) = (Instant::now(), begun.elapsed());
        let not_before = Some(now + took.saturating_mul(SAVE_REST));
        let few_not_before = Some(now + took.saturating_mul(SAVE_FEW_REST).max(SAVE_FEW_AFTER));
        let saved = Saved { sequence, not_before, few_not_before, failing: false };
        if std::mem::replace(&mut *self.saved.lock(), saved).failing {
            tracing::info!("the central model is saved again");
        }
        Ok(())
    }

    /// The shared model.
    pub fn central(&self) -> &Arc<CentralModel> {
        &self.model
    }

    /// The present status of sources and dead letters, also during a pass.
    pub fn status(&self) -> SyncStatus {
        let sources: Vec<SourceReport> = self.seen.lock().values().cloned().collect();
        let letters = self.letters.lock();
        let open = letters.values().filter(|letter| letter.state == LetterState::Open).count();
        SyncStatus { lag: lag(&sources), open_letters: open, letters: letters.len(), sources }
    }

    /// The breaker of each source, by the source's name.
    pub fn breakers(&self) -> impl Iterator<Item = (String, Arc<Breaker>)> {
        let followers = self.followers.all().into_iter();
        followers.map(|followed| (followed.source.name().to_owned(), followed.breaker))
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

    /// The dead letter with that id.
    pub fn letter(&self, id: &str) -> Option<DeadLetter> {
        self.letters.lock().get(id).cloned()
    }

    pub(super) fn keep_letter(&self, letter: DeadLetter) {
        self.letters.lock().insert(letter.id.clone(), letter);
    }
}

fn lag(sources: &[SourceReport]) -> u64 {
    let behind =
        |source: &SourceReport| source.end.0.saturating_sub(source.sequence.0) + source.parked_events;
    sources.iter().map(behind).sum()
}
