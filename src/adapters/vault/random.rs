//! Where secrets and ids come from.

use crate::error::VaultError;
use std::sync::Arc;

/// Gives 32 random bytes at each call. The machine's in production; a seeded stream where a run must be the same again.
pub type RandomSource = Arc<dyn Fn() -> [u8; 32] + Send + Sync>;

/// The operating system's random bytes.
///
/// # Errors
/// [`VaultError::NoRandomness`] when it has none, which is the case from the beginning or never.
pub(crate) fn of_machine() -> Result<RandomSource, VaultError> {
    getrandom::fill(&mut [0; 1]).map_err(|error| VaultError::NoRandomness(error.to_string()))?;
    Ok(Arc::new(bytes))
}

/// Random bytes of the operating system.
pub(crate) fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("a machine that has given random bytes goes on doing so");
    bytes
}

/// 32 random bytes of the operating system, for what is made without a vault.
///
/// # Errors
/// [`VaultError::NoRandomness`].
pub fn random_bytes() -> Result<[u8; 32], VaultError> {
    of_machine().map(|random| random())
}
