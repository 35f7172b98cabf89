//! The leases of a process over time: renewal, release to processes that ask, and requests for due states.

use super::{Held, SharingState};
use crate::blocking;
use crate::ledger::{CommandError, Ledger};
use crate::ports::{Kept, is_taken_over};
use onhand_domain::Key;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Pause between two renewals.
const KEEP_EVERY: Duration = Duration::from_millis(20);

impl Ledger {
    /// Renews the leases, releases those that other processes request, and follows their logs, until another process takes over.
    ///
    /// # Errors
    /// Returns the error that ended the term: the process may answer nothing that rests on its leases any more.
    pub async fn keep_leases(&self) -> std::io::Error {
        let Some(sharing) = &self.sharing else { return std::future::pending().await };
        // Two loops: a release waits for the disk, and a renewal must not wait behind it, or the term would end.
        let (wanted, asked) = mpsc::unbounded_channel();
        tokio::select! {
            biased;
            error = self.renew(sharing, &wanted) => error,
            never = self.give_up_wanted(sharing, asked) => match never {},
        }
    }

    /// Renews all leases periodically, and passes the requested keys on.
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
                        // The receiver lives as long as this loop.
                        let _ = wanted.send(key);
                    }
                }
                Err(error) if is_taken_over(&error) => return error,
                // A process that fails to renew for too long is taken over, and the next call reports that.
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
            // A log that cannot be read now is read, or reported, by the next request.
            let _ = self.catch_up().await;
            self.parts.clock.sleep(KEEP_EVERY).await;
        }
    }

    /// Releases a lease once every decision under it is durable; false when it has to be tried again.
    ///
    /// The order: mark the lease as leaving, so that no new decision starts under it; take each slot once, which waits for a decision that
    /// has passed the check; wait until its entry is durable; then release. The next holder would otherwise miss that entry.
    async fn give_up(&self, sharing: &SharingState, key: &Key) -> std::io::Result<bool> {
        {
            let _stripe = sharing.stripe(key).await;
            // Keeps the epoch: a decision in progress still records it.
            let epoch = sharing.epoch(key);
            sharing.held.insert(key.clone(), Held::Leaving { epoch });
        }
        // States that are decided with this one, such as its alert, go with its lease, and may have moved last.
        for key in &self.with_beside(vec![key.clone()], true) {
            let Some(entity) = self.entities.find(key) else { continue };
            let generation = self.generation().await;
            // A decision holds this lock from its check of the lease until its entry is appended.
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

    /// The due keys whose lease this process holds or gets at once. For the others the holder does the work; they are scheduled again in
    /// case it stops.
    pub(in crate::ledger) async fn due_here(&self, keys: Vec<Key>) -> Result<Vec<Key>, CommandError> {
        let Some(sharing) = &self.sharing else { return Ok(keys) };
        self.catch_up().await?;
        let now = self.now();
        let mut here = Vec::new();
        for key in keys {
            if let Some(owner) = key.decided_with() {
                // The holder of that lease learns of the change, too, and re-evaluates the state, unless it stops.
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
                // The holder of the lease does the work, unless it stops.
                self.due.note(now.plus_milliseconds(RECHECK_MS), key);
            }
        }
        Ok(here)
    }
}

/// After this time the process checks again whether the holder of a lease has done the due work, in milliseconds of log time.
const RECHECK_MS: i64 = 250;
