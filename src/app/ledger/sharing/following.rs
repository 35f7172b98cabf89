//! The logs of the other processes: applied to memory entry by entry, and read back.

use super::SharingState;
use crate::blocking;
use crate::ledger::{Ledger, Slot};
use crate::ports::known_effects;
use crate::ports::{History, HistoryError, LogNumber, PeerNews};
use onhand_domain::{Entry, Key, Sequence, State, Timestamp};
use onhand_planted::{Bug, planted};
use std::sync::Arc;
use std::time::Duration;

impl Ledger {
    /// Joins the other processes before the first command: applies their logs, and continues from their time. The caller then calls
    /// [`Ledger::keep_time`], which may leap, and [`Ledger::let_others_join`] last, so that no process joins at a time before the leap.
    ///
    /// # Errors
    /// As [`Ledger::catch_up`].
    pub async fn join(&self) -> Result<(), HistoryError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        self.catch_up().await?;
        let others = sharing.port.time()?;
        let latest = self.now_of_logs().max(others.latest);
        self.time.join((latest > Timestamp::from_milliseconds(i64::MIN)).then_some(latest), others.present);
        Ok(())
    }

    /// Lets other processes join; they continue from the time of this one.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn let_others_join(&self) -> std::io::Result<()> {
        self.sharing.as_ref().map_or(Ok(()), |sharing| sharing.port.let_others_join(self.now_and_moment()))
    }

    /// Log time, and a reading of the monotonic clock that was taken at that time or a little later.
    pub(super) fn now_and_moment(&self) -> (Timestamp, Duration) {
        let now = self.now();
        (now, self.parts.clock.monotonic())
    }

    /// Applies the entries that other processes have made durable until now.
    ///
    /// # Errors
    /// When a log of another process cannot be read, is damaged, or contradicts the others. A contradiction is permanent: every later call
    /// fails, too.
    pub async fn catch_up(&self) -> Result<(), HistoryError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        let _one_at_a_time = sharing.following.lock().await;
        loop {
            if let Some(contradiction) = sharing.contradiction.get() {
                return Err(HistoryError::Contradiction(contradiction.clone()));
            }
            let next = sharing.read.lock().front().cloned();
            if let Some(news) = next {
                if let Err(error) = self.take_in(sharing, &news).await {
                    // After a takeover this process holds changes that the others do not know, so the mismatch is no contradiction.
                    self.ensure_not_taken_over()?;
                    return Err(sharing.give_up_on(error));
                }
                sharing.read.lock().pop_front();
            } else if sharing.port.has_news()? {
                let (port, read) = (Arc::clone(&sharing.port), Arc::clone(&sharing.read));
                blocking(move || {
                    let mut read = read.lock();
                    port.news().map(|news| read.extend(news.into_iter().map(Arc::new)))
                })
                .await?;
            } else {
                return Ok(());
            }
        }
    }

    /// Applies news of another log. Idempotent, so a caller that is dropped half-way loses nothing.
    async fn take_in(&self, sharing: &SharingState, news: &PeerNews) -> Result<(), HistoryError> {
        match news {
            PeerNews::Entry(log, entry) => self.take_in_entry(sharing, *log, entry).await,
            PeerNews::Joined(log, restored, last_time) => {
                sharing.note_time(*last_time);
                self.time.at_least(*last_time);
                // Sorted, so that a simulated run is reproducible.
                let mut states: Vec<_> = restored.states.iter().collect();
                states.sort_unstable_by_key(|(key, _)| *key);
                for (key, state) in states.iter().filter(|(key, _)| !key.is_of_one_log()) {
                    self.adopt(*log, key, state).await;
                }
                for (key, _) in states {
                    self.re_evaluate_moved(key).await;
                }
                for effect in &restored.known {
                    self.idempotency.insert(*effect, *log);
                }
                Ok(())
            }
        }
    }

    /// Adopts a state of another log, unless a version as new is known.
    async fn adopt(&self, log: LogNumber, key: &Key, state: &State) {
        let entity = self.entities.entity(key);
        let mut slot = entity.lock().await;
        if state.version() > slot.state.version() {
            slot.state = state.clone();
            self.moved_elsewhere(log, key, &mut slot);
        }
    }

    async fn take_in_entry(
        &self,
        sharing: &SharingState,
        log: LogNumber,
        entry: &Entry,
    ) -> Result<(), HistoryError> {
        sharing.note_time(entry.at);
        self.time.at_least(entry.at);
        for event in &entry.events {
            let key = event.fact.key();
            if key.is_of_one_log() {
                continue;
            }
            let entity = self.entities.entity(&key);
            let mut slot = entity.lock().await;
            let known = slot.state.version();
            if event.after.version() < known {
                continue;
            }
            if event.after.version() == known {
                // The same numbers are known from this log or from a `TAKE`. Other numbers are a second change under one version.
                if slot.state.after() == event.after || planted(Bug::ApplyMismatch) {
                    continue;
                }
                return Err(does_not_follow(log, entry, &key));
            }
            let Ok(undo) = slot.state.apply(&event.fact, entry.at) else {
                return Err(does_not_follow(log, entry, &key));
            };
            if slot.state.after() != event.after {
                if !planted(Bug::ApplyMismatch) {
                    slot.state.undo(undo);
                }
                return Err(does_not_follow(log, entry, &key));
            }
            self.moved_elsewhere(log, &key, &mut slot);
        }
        for event in &entry.events {
            self.re_evaluate_moved(&event.fact.key()).await;
        }
        for effect in known_effects(entry) {
            self.idempotency.insert(effect, log);
        }
        Ok(())
    }

    /// Marks a state as moved by another log. It is durable there, so it has no sequence to wait for and no step in the journal.
    fn moved_elsewhere(&self, log: LogNumber, key: &Key, slot: &mut Slot) {
        slot.head = Sequence::START;
        slot.log = log;
        self.entities.list(key);
        slot.watched = Timestamp::NEVER;
        self.moved(key, slot, false);
    }

    /// Reads a log of the ledger back.
    pub(in crate::ledger) fn history_of(&self, log: LogNumber) -> Result<Arc<dyn History>, HistoryError> {
        if log == LogNumber::OWN {
            return Ok(Arc::clone(&self.parts.history));
        }
        let history = self.sharing.as_ref().and_then(|sharing| sharing.port.history(log));
        history.ok_or_else(|| HistoryError::Damaged(format!("there is no log of the number {}", log.0)))
    }

    /// All logs of the ledger by the numbers of their directories, with every entry acknowledged until now; a single log has the number 0.
    pub(crate) async fn histories(&self) -> Result<Vec<(u16, Arc<dyn History>)>, HistoryError> {
        self.catch_up().await?;
        let Some(sharing) = &self.sharing else { return Ok(vec![(0, Arc::clone(&self.parts.history))]) };
        let mut histories = vec![(sharing.port.own(), Arc::clone(&self.parts.history))];
        for log in sharing.port.logs() {
            histories.push((log.0, self.history_of(log)?));
        }
        Ok(histories)
    }

    /// The contradiction between the logs, once one was found; the process answers no request from then on.
    pub fn contradiction(&self) -> Option<&str> {
        self.sharing.as_ref()?.contradiction.get().map(String::as_str)
    }

    /// True when several processes share the stock.
    pub fn is_shared(&self) -> bool {
        self.sharing.is_some()
    }

    /// The log with that directory number.
    pub(in crate::ledger) fn numbered(&self, number: u16) -> LogNumber {
        match &self.sharing {
            Some(sharing) if sharing.port.own() != number => LogNumber(number),
            _ => LogNumber::OWN,
        }
    }

    /// Checks that no other process has taken over, so that this process may answer from memory. Called after the state was read: a
    /// check before it would not cover a takeover in between.
    ///
    /// # Errors
    /// [`HistoryError::TakenOver`] when another process has taken over.
    pub(in crate::ledger) fn ensure_not_taken_over(&self) -> Result<(), HistoryError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        sharing.port.lasts().map_err(|_| HistoryError::TakenOver)
    }
}

fn does_not_follow(log: LogNumber, entry: &Entry, key: &Key) -> HistoryError {
    let (log, sequence) = (log.0, entry.sequence);
    HistoryError::Contradiction(format!(
        "the change of {key} in the entry of sequence {sequence} of nodes/{log} does not follow from what all logs say before it"
    ))
}
