//! Work that falls due without a client: holds that expire, and states that a projection wants re-evaluated.
//!
//! A changed threshold is compared with every level of the SKU, which may be many: a store's own threshold marks its alert as due, a
//! product's threshold marks the product, and this task re-evaluates the levels in entries of their own. A start re-evaluates every
//! level, because the last run may have ended in between. Of several processes the one that holds the lease of the level does the work;
//! the others keep the key for as long as the alert is wrong, because that process may stop.

use super::{CommandError, Ledger, Meta};
use crate::ledger::due_list::Due;
use onhand_domain::limits::EXPIRIES_PER_ENTRY_MAX;
use onhand_domain::{Command, Key};
use std::time::Duration;

/// Longest sleep of the task, in milliseconds: the task notices a leap of log time within it.
const SLEEP_MS_MAX: i64 = 1_000;

impl Due {
    /// Runs the due work until the caller drops the future.
    pub async fn run(ledger: &Ledger) {
        loop {
            let wait = match ledger.due().next() {
                Some(at) => at.milliseconds().saturating_sub(ledger.now().milliseconds()),
                None => SLEEP_MS_MAX,
            };
            if wait > 0 {
                let sleep = Duration::from_millis(wait.min(SLEEP_MS_MAX).unsigned_abs());
                tokio::select! {
                    () = tokio::time::sleep(sleep) => {}
                    () = ledger.due().earlier.notified() => {}
                }
                continue;
            }
            if ledger.expire_due().await.is_err() {
                // The queue is full, or the log has failed. The keys are still due; the sleep keeps the task from spinning.
                tokio::time::sleep(Duration::from_millis(SLEEP_MS_MAX.unsigned_abs())).await;
            }
        }
    }
}

impl Ledger {
    /// Expires the holds that are due, and re-evaluates the states that are due.
    ///
    /// # Errors
    /// As [`Ledger::execute`].
    pub async fn expire_due(&self) -> Result<(), CommandError> {
        loop {
            let now = self.now();
            let keys = self.due.take(now, EXPIRIES_PER_ENTRY_MAX);
            if keys.is_empty() {
                return Ok(());
            }
            let (keys, replaced) = self.replace_due(keys).await;
            if replaced {
                // The replacements are due together with the keys that were taken now.
                for key in keys {
                    self.due.note(now, key);
                }
                continue;
            }
            if let Err(error) = self.execute_due(&keys).await {
                for key in keys {
                    self.due.note(now, key);
                }
                return Err(error);
            }
        }
    }

    /// Replaces each key that stands for several states with their keys; true when there was one.
    async fn replace_due(&self, due: Vec<Key>) -> (Vec<Key>, bool) {
        let (mut keys, mut replaced) = (Vec::with_capacity(due.len()), false);
        'due: for key in due {
            for projection in self.projections.each() {
                if let Some(many) = projection.due_for(self, &key) {
                    keys.extend(many.await);
                    replaced = true;
                    continue 'due;
                }
            }
            keys.push(key);
        }
        (keys, replaced)
    }

    async fn execute_due(&self, keys: &[Key]) -> Result<(), CommandError> {
        let here = self.due_here(keys.to_vec()).await?;
        if !here.is_empty() {
            self.execute(Command::Due(here), &Meta::default()).await?;
        }
        Ok(())
    }

    /// The due moments of all states.
    pub fn due(&self) -> &Due {
        &self.due
    }
}
