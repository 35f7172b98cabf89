//! The routing of the chain: the rules by which stores are chosen, for all orders and for those of single channels.

use crate::allocation::Rules;
use crate::identity::{Access, Denied, Permission};
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Refusal, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// The rules of a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Routing {
    /// Those of every channel that has none of its own, and of orders without a channel.
    pub rules: Rules,
    /// Those of single channels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<SmolStr, Rules>,
}

/// The routing as a kind of state, a [`Master`] of a [`Routing`]; there is one.
#[derive(Debug)]
pub enum RoutingState {}

/// `ROUTING`: the rules from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoutingFact {
    /// All rules.
    pub routing: Routing,
}

/// The routing in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct RoutingRecord {
    pub routing: Routing,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A change of the routing.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutingCommand {
    /// The condition on its version.
    pub expected: Expected,
    /// All rules.
    pub routing: Box<Routing>,
}

impl Routing {
    /// The rules for the orders of a channel, or of none.
    pub fn of(&self, channel_id: Option<&str>) -> &Rules {
        channel_id.and_then(|channel_id| self.channels.get(channel_id)).unwrap_or(&self.rules)
    }
}

impl Decide for RoutingCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::OrdersManage)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Routing);
    }

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        draft.state::<RoutingState>(&Key::Routing).check(self.expected)?;
        draft.record(Fact::Routing(Box::new(RoutingFact { routing: self.routing.as_ref().clone() })));
        Ok(())
    }
}

impl Kind for RoutingState {
    type Id = ();
    type State = Box<Master<Routing>>;
    type Fact = Box<RoutingFact>;
    type After = MasterAfter;
    type Record = RoutingRecord;
    type Undo = Self::State;

    master_kind!(Box<RoutingFact>, Routing, |fact| Some(&fact.routing));

    fn id(_: &Box<RoutingFact>) {}

    fn record(master: &Box<Master<Routing>>, (): ()) -> RoutingRecord {
        let Master { details, version, updated_at } = (**master).clone();
        RoutingRecord { routing: details.unwrap_or_default(), version, updated_at }
    }

    fn restore(record: RoutingRecord) -> Result<((), Box<Master<Routing>>), Misfit> {
        let RoutingRecord { routing, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((), Box::new(Master { details: Some(routing), version, updated_at })))
    }

    fn id_in(_: &RoutingRecord) {}

    fn updated_at_in(record: &RoutingRecord) -> Timestamp {
        record.updated_at
    }
}
