//! The decision of one movement: the checks that all verbs share, and the dispatch to the file of each verb.

use crate::catalogue::check_listed;
use crate::identity::{Access, Denied};
use crate::stock::{Level, StockCommand, StockFact, Verb, adjust, commit, count, release, reserve};
use crate::{Decide, Draft, Fact, Key, Refusal, Rejection};

impl Decide for StockCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit_in(self.verb.permission(), &self.store_id)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(self.key());
    }

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        decide(draft, self).map_err(Refusal::from)
    }
}

/// Decides one movement. The order of the checks is fixed: version, catalogue, shipment, range, reservation, stock.
pub fn decide(draft: &mut Draft<'_>, command: &StockCommand) -> Result<(), Rejection> {
    let key = command.key();
    let level = draft.state::<Level>(&key);
    command.expected.check(level.version())?;
    if command.verb.needs_product() {
        check_listed(draft, &key, &command.sku)?;
    }
    if let Some(id) = command.verb.reservation_id().filter(|id| id.is_of_shipment()) {
        return Err(Rejection::HeldByShipment { reservation_id: id.clone() });
    }
    let now = draft.now();
    let facts: [Option<StockFact>; 2] = match &command.verb {
        Verb::Adjust { delta, reason, reference } => {
            [Some(adjust::decide(level, command, *delta, None, reason.as_ref(), reference.as_ref())?), None]
        }
        Verb::AdjustBy { kind, quantity, reason, reference } => {
            let (delta, reason) = (kind.delta(*quantity), reason.as_ref());
            [Some(adjust::decide(level, command, delta, Some(*kind), reason, reference.as_ref())?), None]
        }
        Verb::Reserve(wish) => [Some(reserve::decide(level, command, wish, now)?), None],
        Verb::Release { reservation_id, qty } => {
            [Some(release::decide(level, command, reservation_id, *qty)?), None]
        }
        Verb::Commit(wish) => commit::decide(level, command, wish)?,
        Verb::Count { counted, as_of, reason } => {
            [Some(count::decide(level, command, *counted, *as_of, reason.as_ref())?), None]
        }
    };
    for fact in facts.into_iter().flatten() {
        draft.record(Fact::Level(fact));
    }
    Ok(())
}
