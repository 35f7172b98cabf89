//! The check of a strict catalogue: only levels of known SKUs may receive stock.

use crate::{Draft, Key, Rejection, Sku};

/// Evidence: for each key of a draft whether it is a level of a SKU that the catalogue does not know.
#[derive(Debug)]
pub struct UnlistedKeys(pub Vec<bool>);

/// Rejects stock for a level of an unknown SKU, if the catalogue is strict.
pub(crate) fn check_listed(draft: &Draft<'_>, key: &Key, sku: &Sku) -> Result<(), Rejection> {
    let Some(UnlistedKeys(unlisted)) = draft.evidence() else { return Ok(()) };
    if unlisted.get(draft.position(key)) == Some(&true) {
        return Err(Rejection::ProductNotFound { sku: sku.clone() });
    }
    Ok(())
}
