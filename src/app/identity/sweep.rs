//! What a crash has left over in the vault.

use crate::Ledger;
use crate::ports::Vault;
use std::io;

/// The least age of a file that is left over, in milliseconds: one hour. No request takes that long from the file of its token to the
/// event, in whichever process of the data directory.
const LEFT_OVER_MS: i64 = 3_600_000;

impl Ledger {
    /// Removes the verifiers of tokens, and the persons, that the log does not know, because a crash came between file and event, and the
    /// verifiers of tokens that are revoked in the log, where it came between event and file. Returns how many. To be called at a
    /// start, once the log of every process is read, and now and then.
    ///
    /// # Errors
    /// What the disk says; what is left over then goes at a later start.
    pub fn sweep_vault(&self, vault: &dyn Vault) -> io::Result<usize> {
        // A log without principals may be the wrong one, beside the vault of another.
        if self.has_no_principals() {
            return Ok(0);
        }
        let before = self.wall_clock().plus_milliseconds(-LEFT_OVER_MS);
        let is_useless = |id: &_| self.token_now(id).is_none_or(|token| token.revoked);
        let persons = vault.sweep_persons(&|id| self.authority(id).is_none(), before)?;
        Ok(persons + vault.sweep_tokens(&is_useless, before)?)
    }
}
