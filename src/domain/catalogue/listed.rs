//! The catalogue as a gate: where it is strict, stock comes only to levels whose SKU it knows.

use crate::domain::{Draft, Key, Rejection, Sku};

/// Evidence: which keys of a draft are of levels whose SKU the catalogue does not know, at the positions of the keys.
#[derive(Debug)]
pub struct UnlistedKeys(pub Vec<bool>);

/// Refuses stock for a level whose SKU the catalogue does not know, where it must.
pub(in crate::domain) fn check_listed(draft: &Draft<'_>, key: &Key, sku: &Sku) -> Result<(), Rejection> {
    let Some(UnlistedKeys(unlisted)) = draft.evidence() else { return Ok(()) };
    if unlisted.get(draft.position(key)) == Some(&true) {
        return Err(Rejection::ProductNotFound { sku: sku.clone() });
    }
    Ok(())
}
