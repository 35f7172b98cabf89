//! Converts outcomes and events of the ledger to those of the oracle.

use crate::model_check::identity::{principal_number, principal_of, token_number, token_of};
use crate::model_check::values::{CATALOGUE, goods, name};
use crate::oracle::{Done, Happened, OracleAnswer, What};
use onhand_app::{CommandError, Outcome};
use onhand_domain::identity::Mode;
use onhand_domain::{After, Event, EventKind, Fact, Key, Quantity, UnappliedWhy};

/// The answer of a node, or the reason why there is none.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeAnswer {
    /// The node answered with an outcome.
    Answer(OracleAnswer),
    /// The log failed meanwhile: the outcome is unknown.
    Unknown,
    /// Nothing changed, because the log cannot be written.
    ReadOnly,
    /// The change has its effect, but its answer could not be read back.
    Unread,
}

/// The outcome of a command as an answer of the oracle. Processes that share a directory write `TAKE` when they take
/// over a state from another one: the oracle has no such event.
pub(crate) fn answer_of(outcome: Result<Outcome, CommandError>) -> NodeAnswer {
    NodeAnswer::Answer(match outcome {
        Ok(outcome) => {
            let at = outcome.at.milliseconds();
            let unapplied = outcome.unapplied.iter().map(|unapplied| {
                let why = match &unapplied.why {
                    UnappliedWhy::Refused(rejection) => rejection.code().to_owned(),
                    UnappliedWhy::Replayed(sequence) => format!("replayed {sequence}"),
                    UnappliedWhy::ReplayedIn(place) => format!("replayed {place:?}"),
                };
                (unapplied.op, why)
            });
            OracleAnswer::Done(Done {
                sequence: outcome.sequence.0,
                events: outcome
                    .events
                    .iter()
                    .filter(|event| event.kind != EventKind::Take)
                    .map(|event| happened(event, at))
                    .collect(),
                unapplied: unapplied.collect(),
                // A replayed event has its own time, which the outcome does not have.
                replays: outcome.replays.iter().map(|(op, event)| (*op, happened(event, 0))).collect(),
                replayed: outcome.replayed,
            })
        }
        Err(CommandError::Refused(refusal)) => {
            OracleAnswer::Refused { code: refusal.rejection.code(), op: refusal.op }
        }
        Err(CommandError::OutcomeUnknown) => return NodeAnswer::Unknown,
        Err(CommandError::ReadOnly) => return NodeAnswer::ReadOnly,
        Err(CommandError::History(_)) => return NodeAnswer::Unread,
        Err(CommandError::Closed) => panic!("nobody closes a log in a play"),
        Err(CommandError::Overloaded) => panic!("a play is too short for that"),
        Err(CommandError::Contended) => panic!("nobody else is there"),
    })
}

/// An event as the oracle has it; the time is that of its entry, in milliseconds.
///
/// # Panics
/// When no run has events of this type.
pub fn happened(event: &Event, at: i64) -> Happened {
    let what = match (&event.fact, event.after) {
        (Fact::Level(_), After::Level(after)) => {
            What::Level { on_hand: after.on_hand.get(), reserved: after.reserved.get() }
        }
        (Fact::Product(fact), _) => What::Product(fact.product.as_ref().map(goods)),
        (Fact::Store(fact), _) => What::Store(name(&fact.store.name)),
        (Fact::Threshold(fact), _) => What::Threshold(fact.low_stock_threshold.map(Quantity::get)),
        (Fact::Alert(fact), After::Alert(after)) if fact.raised == after.raised => {
            let threshold = fact.threshold.map(Quantity::get);
            What::Alert { raised: fact.raised, qty: fact.qty.get(), threshold }
        }
        (Fact::Principal(fact), _) => {
            What::Principal(principal_number(&fact.principal_id), principal_of(&fact.principal))
        }
        (Fact::Token(fact), _) => What::Token(token_number(&fact.token_id), token_of(&fact.token)),
        (Fact::Mode(fact), _) => What::Mode(fact.mode == Mode::Judging),
        _ => panic!("there is nothing of the kind in a play: {event:?}"),
    };
    let sku = match event.fact.key() {
        Key::Level(_, sku) | Key::Product(sku) | Key::Threshold(_, sku) | Key::Alert(_, sku) => Some(sku),
        _ => None,
    };
    let known = |sku: &str| CATALOGUE.into_iter().find(|known| *known == sku).expect("a SKU of the play");
    let sku = sku.map(|sku| known(sku.as_str()));
    Happened { sku, kind: event.kind.as_str(), what, version: event.after.version(), at }
}
