//! What falls due by itself: holds that expire, alerts that are to be looked at, and products whose threshold has changed, of
//! which all alerts are.

use super::{CommandError, Ledger, Meta};
use crate::app::ledger::due_list::Due;
use crate::domain::limits::EXPIRIES_PER_ENTRY_MAX;
use crate::domain::{Command, Key};

impl Ledger {
    /// Expires what is due and nobody has come to.
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
            let (products, keys): (Vec<Key>, Vec<Key>) =
                keys.into_iter().partition(|key| matches!(key, Key::Product(_)));
            if !products.is_empty() {
                self.look_at_levels_of(products).await;
                // Together with what was found now.
                for key in keys {
                    self.due.note(now, key);
                }
                continue;
            }
            if let Err(error) = self.see_to(&keys).await {
                for key in keys {
                    self.due.note(now, key);
                }
                return Err(error);
            }
        }
    }

    async fn see_to(&self, keys: &[Key]) -> Result<(), CommandError> {
        let here = self.due_here(keys.to_vec()).await?;
        if !here.is_empty() {
            self.execute(Command::Due(here), &Meta::default()).await?;
        }
        Ok(())
    }

    /// Moments at which states fall due.
    pub fn due(&self) -> &Due {
        &self.due
    }
}
