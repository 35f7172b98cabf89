//! What rules must be, wherever they are sent.

use onhand_domain::Quantity;
use onhand_domain::allocation::{Rank, Rules};
use std::collections::HashSet;
use validator::ValidationError;

/// Each rule once, and nothing negative is kept back.
pub(crate) fn good_rules(rules: &Rules) -> Result<(), ValidationError> {
    let mut seen: HashSet<Rank> = HashSet::new();
    let fault = |message: &'static str| Err(ValidationError::new("rule").with_message(message.into()));
    if !rules.ranks.iter().all(|rank| seen.insert(*rank)) {
        return fault("names a rank twice; name each once");
    }
    let kept = rules.stores.values().filter_map(|store| store.keeps_back).chain([rules.keeps_back]);
    if kept.into_iter().any(Quantity::is_negative) {
        return fault("keeps back fewer than 0 pieces; send 0 or more");
    }
    Ok(())
}
