//! Leases over time: renewed, given up to those who ask, and looked for when something falls due.

use super::{Held, SharingState};
use crate::app::blocking;
use crate::app::ledger::{CommandError, Ledger};
use crate::app::ports::{Kept, is_taken_over};
use crate::domain::Key;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often leases are looked after.
const KEEP_EVERY: Duration = Duration::from_millis(20);

impl Ledger {
    /// Renews the leases, gives up those that others ask for, and follows their logs, until this process is taken over from.
    ///
    /// # Errors
    /// What ended it: nothing that rests on the leases may be answered any more.
    pub async fn keep_leases(&self) -> std::io::Error {
        let Some(sharing) = &self.sharing else { return std::future::pending().await };
        // Leases are renewed also while the disk keeps those waiting that are to be given up.
        let (wanted, asked) = mpsc::unbounded_channel();
        tokio::select! {
            biased;
            error = self.renew(sharing, &wanted) => error,
            never = self.give_up_wanted(sharing, asked) => match never {},
        }
    }

    /// Renews all leases, again and again, and passes on which ones others ask for.
    async fn renew(&self, sharing: &SharingState, wanted: &mpsc::UnboundedSender<Key>) -> std::io::Error {
        loop {
            let port = Arc::clone(&sharing.port);
            let now = self.now_and_moment();
            match blocking(move || port.keep(now)).await {
                Ok(Kept { wanted: asked, latest }) => {
                    if let Some(latest) = latest {
                        self.time.at_least(latest);
                    }
                    for key in asked {
                        // The other half goes as soon as this one does.
                        let _ = wanted.send(key);
                    }
                }
                Err(error) if is_taken_over(&error) => return error,
                // Who cannot renew for too long is taken over from, and learns it here.
                Err(error) => tracing::warn!(%error, "leases are not renewed; it is tried again"),
            }
            self.parts.clock.sleep(KEEP_EVERY).await;
        }
    }

    async fn give_up_wanted(
        &self,
        sharing: &SharingState,
        mut asked: mpsc::UnboundedReceiver<Key>,
    ) -> Infallible {
        let mut wanted: BTreeSet<Key> = BTreeSet::new();
        loop {
            while let Ok(key) = asked.try_recv() {
                wanted.insert(key);
            }
            let mut later = BTreeSet::new();
            for key in wanted {
                match self.give_up(sharing, &key).await {
                    Ok(true) => {}
                    Ok(false) => {
                        later.insert(key);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a lease is not given up; it is tried again");
                        later.insert(key);
                    }
                }
            }
            wanted = later;
            // What cannot be read now is read, or reported, when somebody needs it.
            let _ = self.catch_up().await;
            self.parts.clock.sleep(KEEP_EVERY).await;
        }
    }

    /// Gives a lease up, once all that was decided under it is durable; false when it has to be tried again.
    async fn give_up(&self, sharing: &SharingState, key: &Key) -> std::io::Result<bool> {
        {
            let _stripe = sharing.stripe(key).await;
            // Whoever is deciding under it this very moment says so in its epoch still.
            let epoch = sharing.epoch(key);
            sharing.held.insert(key.clone(), Held::Leaving { epoch });
        }
        // What is decided with it goes with it: that an alert was raised or cleared may be what was decided last.
        for key in &self.with_beside(vec![key.clone()], true) {
            let Some(entity) = self.entities.find(key) else { continue };
            let generation = self.generation().await;
            // Whoever decides on the state holds this mutex, and has looked at the lease under it.
            let head = entity.lock().await.head;
            if self.parts.log.durable().reached(generation, head).await.is_err() {
                self.roll_back().await;
            }
        }
        let _stripe = sharing.stripe(key).await;
        let (port, released) = (Arc::clone(&sharing.port), key.clone());
        let done = blocking(move || port.release(&released)).await?;
        if done {
            sharing.held.remove(key);
        }
        Ok(done)
    }

    /// Of the keys that are due, those that nobody else sees to.
    pub(in crate::app::ledger) async fn due_here(&self, keys: Vec<Key>) -> Result<Vec<Key>, CommandError> {
        let Some(sharing) = &self.sharing else { return Ok(keys) };
        self.catch_up().await?;
        let now = self.now();
        let mut here = Vec::new();
        for key in keys {
            if let Some(owner) = key.decided_with() {
                // Whoever holds that lease comes to know what changed, too, and re-evaluates it, unless he goes away.
                if self.request_lease(sharing, &owner, true).await? {
                    here.push(key);
                } else if self.stale_for(&owner).await.contains(&key) {
                    self.due.note(now.plus_milliseconds(RECHECK_MS), key);
                }
                continue;
            }
            let Some(entity) = self.entities.find(&key) else { continue };
            let due = entity.lock().await.state.next_due();
            if due.is_none_or(|due| due > now) {
                continue;
            }
            if self.request_lease(sharing, &key, true).await? {
                here.push(key);
            } else {
                // Its holder sees to it, unless he goes away.
                self.due.note(now.plus_milliseconds(RECHECK_MS), key);
            }
        }
        Ok(here)
    }
}

/// How soon somebody looks again whether the holder of a lease has seen to what falls due, in milliseconds of log time.
const RECHECK_MS: i64 = 250;
