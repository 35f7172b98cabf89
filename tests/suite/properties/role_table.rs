//! The table of roles as text, and what follows from it by a literal reading: a model of access that shares no code with the program.

use onhand_domain::identity::{Access, Grant, Mode, Permission, Principal, PrincipalKind};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What a role may do, and within what it is granted. `:read` is every read but those of audit and identity.
const ROLES: &[(&str, &str, &str)] = &[
    ("admin", "*", "anywhere"),
    ("viewer", ":read", "anywhere"),
    ("manager", "stock:* :read import:run orders:manage", "stores"),
    ("store-admin", "catalogue:* stores:* stock:read orders:* warehouses:manage central:read", "anywhere"),
    (
        "warehouse-staff",
        "stock:read stock:receive stock:remove stock:count stock:adjust orders:ship shipments:confirm",
        "stores",
    ),
    ("customer", "catalogue:read stock:read orders:place orders:read", "own"),
    ("till", "stock:read stock:sell stock:reserve catalogue:read", "stores"),
    ("shop", "stock:read stock:sell stock:reserve stock:receive catalogue:read orders:place", "stores"),
    ("node", "events:read warehouses:register shipments:confirm stock:read", "anywhere"),
    ("team", "exercise:read exercise:inject events:read stock:read chat:send", "team"),
    ("staff", "exercise:* events:read stock:read chat:send", "anywhere"),
    ("judge", "exercise:read exercise:run events:read stock:read chat:send audit:read", "anywhere"),
    ("bot", "exercise:read exercise:inject events:read stock:read chat:send", "anywhere"),
    ("auditor", ":read audit:read", "anywhere"),
    ("metrics", "ops:read", "anywhere"),
    ("backup", "backup:run", "anywhere"),
];

/// Names of the game-day contract.
const ALIASES: &[(&str, &str)] = &[
    ("*", "*"),
    ("admin:all", "*"),
    ("read:inventory", "stock:read"),
    ("read:events", "events:read"),
    ("write:chat", "chat:send"),
    ("write:events", "exercise:inject"),
    ("write:inventory", "stock:adjust stock:receive"),
];

pub(super) const STORES: [&str; 3] = ["BERLIN", "PARIS", "ROME"];
const KINDS: [PrincipalKind; 4] =
    [PrincipalKind::Person, PrincipalKind::Service, PrincipalKind::Node, PrincipalKind::Team];

/// A principal as the model has it.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) kind: PrincipalKind,
    pub(super) grants: Vec<Value>,
    pub(super) judging: bool,
}

/// Where something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At<'a> {
    Everywhere,
    Store(&'a str),
    Team(&'a str),
    Own,
}

/// True when a list of patterns has a permission.
fn lists(patterns: &str, permission: &str) -> bool {
    patterns.split(' ').any(|pattern| match pattern {
        "*" => true,
        ":read" => permission.ends_with(":read") && !["audit:read", "identity:read"].contains(&permission),
        pattern => match pattern.strip_suffix('*') {
            Some(resource) => permission.starts_with(resource),
            None => pattern == permission,
        },
    })
}

impl Model {
    /// True when a grant has a permission in the present mode.
    fn gives(&self, grant: &Value, permission: &str) -> bool {
        let patterns = match (grant["role"].as_str(), grant["permission"].as_str()) {
            (Some(role), _) => ROLES.iter().find(|(name, ..)| *name == role).unwrap().1,
            (None, Some(name)) => {
                ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, patterns)| patterns)
            }
            (None, None) => unreachable!("a grant has one of the two"),
        };
        let of_team = self.kind == PrincipalKind::Team || grant["team"].is_string();
        lists(patterns, permission) && !(self.judging && of_team && permission == "exercise:inject")
    }

    pub(super) fn may(&self, permission: &str, at: At<'_>) -> bool {
        self.grants.iter().filter(|grant| self.gives(grant, permission)).any(|grant| {
            let personal = grant["role"] == "customer" && permission != "catalogue:read";
            match (grant["stores"].as_array(), grant["team"].as_str(), at) {
                (None, None, _) if !personal => true,
                (Some(stores), _, At::Store(store)) => stores.contains(&json!(store)),
                (None, Some(of), At::Team(team)) => of == team,
                (None, None, At::Own) => true,
                _ => false,
            }
        })
    }

    /// Every place at which something may be allowed in these tests.
    pub(super) fn places() -> Vec<At<'static>> {
        let stores = STORES.into_iter().chain(["NOWHERE"]).map(At::Store);
        stores.chain([At::Everywhere, At::Team("red"), At::Team("blue"), At::Own]).collect()
    }

    pub(super) fn access(&self) -> Access {
        let grants: Vec<Grant> = serde_json::from_value(json!(self.grants)).unwrap();
        let principal = Principal { kind: self.kind, grants, disabled: false };
        let mode = if self.judging { Mode::Judging } else { Mode::Development };
        mode.access(&principal)
    }
}

fn some_stores() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(&STORES[..]), 1..4)
}

fn team() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["red", "blue"][..])
}

/// Any grant that can be made.
fn grant() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = Permission::ALL
        .iter()
        .map(|one| one.as_str())
        .chain(ALIASES.iter().map(|(alias, _)| *alias))
        .collect();
    let role = prop::sample::select(ROLES).prop_map(|(name, _, scope)| (json!({ "role": name }), scope));
    let single = prop::sample::select(names).prop_map(|name| (json!({ "permission": name }), "anywhere"));
    (prop_oneof![2 => role, 1 => single], some_stores(), team(), 0..3_u8).prop_map(
        |((mut grant, scope), stores, team, limit)| {
            match (scope, limit) {
                ("stores", _) | ("anywhere", 1) => grant["stores"] = json!(stores),
                ("team", _) | ("anywhere", 2) => grant["team"] = json!(team),
                _ => {}
            }
            grant
        },
    )
}

pub(super) fn model() -> impl Strategy<Value = Model> {
    (prop::sample::select(&KINDS[..]), prop::collection::vec(grant(), 0..4), any::<bool>())
        .prop_map(|(kind, grants, judging)| Model { kind, grants, judging })
}
