//! The ports in memory: the smallest adapters that keep the contracts, and a switch for each mistake that a suite must catch.

mod central;
mod history;
mod log;
mod source;

pub(crate) use central::{MemoryCentral, Spoiled};
pub(crate) use log::MemoryLog;

use crate::ports::Node;
use history::MemoryHistory;
use onhand_app::ports::{EventLog, EventSource, History};
use onhand_domain::Entry;
use parking_lot::Mutex;
use source::MemorySource;
use std::sync::Arc;
use uuid::Uuid;

/// The planted mistake, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    Nothing,
    // Mistakes of the log.
    LeavesGap,
    SplitsGroups,
    NeverFull,
    AnswersBeforeItIsDurable,
    KeepsWhatFailed,
    TellsNobody,
    FailsInSilence,
    LetsTimeGoBack,
    TakesOldGenerations,
    TakesStaleEntries,
    QueuesTheRefused,
    LosesTheLastAtClose,
    ForgetsAtRestart,
    // Mistakes of reading back.
    FindsFirstEventsOnly,
    LosesTheLastRow,
    LosesWhatIsWanted,
    IgnoresAfter,
    IgnoresKind,
    IncludesUntil,
    ShowsWhatWaits,
    ForgetsWhoActed,
    ExcludesTheMoment,
    StopsAtTheFirstOfATime,
    // Mistakes of a source.
    RepeatsTheCheckpoint,
    SkipsAnEvent,
    PromisesWhatWaits,
    NewNodeAtEachStart,
    HidesThatTheLogIsShorter,
}

/// The durable entries: they outlive the process.
pub(crate) type Durable = Arc<Mutex<Vec<Entry>>>;

/// A node whose log is in memory.
pub(crate) struct MemoryNode {
    id: Uuid,
    durable: Durable,
    copy: Vec<Entry>,
    log: Arc<MemoryLog>,
    mistake: Mistake,
}

impl MemoryNode {
    pub(crate) fn new(mistake: Mistake) -> Self {
        let durable = Durable::default();
        let log = Arc::new(MemoryLog::open(&durable, mistake));
        Self { id: Uuid::from_u128(1), durable, copy: Vec::new(), log, mistake }
    }

    /// The log, for sharing with a ledger.
    pub(crate) fn shared_log(&self) -> Arc<MemoryLog> {
        Arc::clone(&self.log)
    }

    /// Every durable entry.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.durable.lock().clone()
    }
}

impl Node for MemoryNode {
    fn log(&self) -> &dyn EventLog {
        &*self.log
    }

    fn history(&self) -> Arc<dyn History> {
        Arc::new(MemoryHistory {
            durable: Arc::clone(&self.durable),
            log: Arc::clone(&self.log),
            mistake: self.mistake,
        })
    }

    fn source(&self) -> Arc<dyn EventSource> {
        Arc::new(MemorySource {
            node: self.id,
            durable: Arc::clone(&self.durable),
            log: Arc::clone(&self.log),
            mistake: self.mistake,
        })
    }

    fn id(&self) -> Uuid {
        self.id
    }

    fn write(&self) -> bool {
        self.log.write()
    }

    fn fail_writes(&self) {
        self.log.fail_writes();
    }

    fn recover(&self) {
        self.log.recover();
    }

    fn close(&self) {
        self.log.close();
    }

    fn restart(&mut self) {
        match self.mistake {
            Mistake::ForgetsAtRestart => drop(self.durable.lock().pop()),
            Mistake::NewNodeAtEachStart => self.id = Uuid::from_u128(self.id.as_u128() + 1),
            _ => {}
        }
        self.log = Arc::new(MemoryLog::open(&self.durable, self.mistake));
    }

    fn keep_copy(&mut self) {
        self.copy = self.entries();
    }

    fn restore_copy(&mut self) {
        self.durable.lock().clone_from(&self.copy);
        self.restart();
    }
}
