//! Brings ledger and vault to what a file declares.
//!
//! The list of what the file has made is in the vault. It is extended before anything is made, and cut after the rest was taken
//! away: a process that is killed in between leaves nothing that the next start does not know of. Nothing is written when
//! nothing differs. Where several processes share the data directory each applies the file, and one that meets a change of
//! another begins again.

use super::Declared;
use crate::identity::declared::apply_error::ApplyError;
use crate::identity::declared::change::{Changes, Named};
use crate::ports::{Managed, Vault};
use crate::stock::ReadError;
use crate::{Ledger, blocking};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// Each try waits for the lease that another process holds.
const TRIES_MAX: usize = 20;

/// What an application of a file has done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// People and tokens that the file names.
    pub named: usize,
    /// Those of them that were made or changed.
    pub changed: usize,
    /// Those that the file has named before: disabled or revoked.
    pub removed: usize,
}

/// Makes people and tokens what a file declares, disables or revokes what it has declared before, and notes which those are.
/// `file` is its path, for those who try to change them otherwise.
///
/// # Errors
/// [`ApplyError`]; [`Applied::changed`] of the next call counts what is left then.
pub async fn apply(
    ledger: &Ledger,
    vault: &Arc<dyn Vault>,
    file: &str,
    declared: &Declared,
) -> Result<Applied, ApplyError> {
    let mut tries = 1;
    loop {
        match attempt(ledger, vault, file, declared).await {
            Err(error) if error.is_concurrent() && tries < TRIES_MAX => tries += 1,
            outcome => return outcome,
        }
    }
}

async fn attempt(
    ledger: &Ledger,
    vault: &Arc<dyn Vault>,
    file: &str,
    declared: &Declared,
) -> Result<Applied, ApplyError> {
    ledger.catch_up().await.map_err(ReadError::from)?;
    let had = managed(vault).await?;
    let changes = Changes { ledger, vault };
    let named = changes.named(declared).await?;
    let mut wanted = Managed { file: file.to_owned(), ..Managed::default() };
    for named in &named {
        named.note(&mut wanted);
    }
    if !leaves_administrator(ledger, &had, &named) {
        return Err(ApplyError::NoAdministrator);
    }
    let all = Managed {
        file: wanted.file.clone(),
        persons: had.persons.union(&wanted.persons).cloned().collect(),
        tokens: had.tokens.union(&wanted.tokens).cloned().collect(),
    };
    keep(vault, &had, &all).await?;
    let mut applied = Applied { named: named.len(), ..Applied::default() };
    // First those who administrate: the first principal must, and before one goes another one must be there.
    let (admins, others): (Vec<&Named<'_>>, Vec<_>) =
        named.iter().partition(|named| named.is_admin(ledger.now()));
    for named in admins.into_iter().chain(others) {
        applied.changed += usize::from(changes.make(named).await?);
    }
    for person in had.persons.difference(&wanted.persons) {
        applied.removed += usize::from(changes.disable(person).await?);
    }
    for token in had.tokens.difference(&wanted.tokens) {
        applied.removed += usize::from(changes.revoke(token).await?);
    }
    keep(vault, &all, &wanted).await?;
    Ok(applied)
}

/// Gives everything that a file has declared free, because there is no such file any more: it can be changed as all else. Returns
/// the number of people and tokens.
///
/// # Errors
/// What the disk says.
pub async fn release(vault: &Arc<dyn Vault>) -> io::Result<usize> {
    let had = managed(vault).await?;
    keep(vault, &had, &Managed::default()).await?;
    Ok(had.persons.len() + had.tokens.len())
}

/// True when somebody can manage identity afterwards, or nobody has to log in.
fn leaves_administrator(ledger: &Ledger, had: &Managed, named: &[Named<'_>]) -> bool {
    if named.iter().any(|named| named.is_admin(ledger.now()))
        || (named.is_empty() && ledger.has_no_principals())
    {
        return true;
    }
    let of_tokens =
        had.tokens.iter().filter_map(|token| ledger.token_now(token)).map(|token| token.principal_id);
    let of_file: BTreeSet<_> = had
        .persons
        .iter()
        .cloned()
        .chain(of_tokens)
        .chain(named.iter().map(|named| named.id.clone()))
        .collect();
    ledger.administrators().iter().any(|id| !of_file.contains(id))
}

async fn managed(vault: &Arc<dyn Vault>) -> io::Result<Managed> {
    let vault = Arc::clone(vault);
    blocking(move || vault.managed()).await
}

async fn keep(vault: &Arc<dyn Vault>, had: &Managed, wanted: &Managed) -> io::Result<()> {
    if had == wanted {
        return Ok(());
    }
    let (vault, wanted) = (Arc::clone(vault), wanted.clone());
    blocking(move || vault.keep_managed(&wanted)).await
}
