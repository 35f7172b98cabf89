//! Grants: a role or a single permission, within a scope.

use crate::StoreId;
use crate::identity::permission::PermissionSet;
use crate::identity::role::{Role, RoleScope};
use crate::present::present;
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// The name of a team of an exercise: 1-64 of `[A-Za-z0-9._-]`.
pub type TeamId = StoreId;

/// How many stores one grant may name.
const STORES_MAX: usize = 1_000;

/// A role or a permission, within a scope. Invariant: exactly one of `role` and `permission`, and a scope that the role allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    /// The permission by its text form: `resource:verb`, `*`, or an alias of the game-day contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<SmolStr>,
    /// The stores it is limited to; everywhere without.
    #[serde(skip_serializing_if = "Option::is_none")]
    stores: Option<Vec<StoreId>>,
    /// The team it is limited to.
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
}

/// Why a grant is none; the message says what to send.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Neither a role nor a permission, or both.
    #[error("must have a role or a permission, and not both")]
    What,
    /// The name is not that of a permission.
    #[error("there is no permission {0:?}; GET /roles lists them")]
    Permission(SmolStr),
    /// The role needs stores.
    #[error("the role {0} is granted for stores; name at least one in stores")]
    NeedsStores(&'static str),
    /// An empty list would be taken for everywhere by some readers.
    #[error("stores must name 1 to 1000 stores; leave it out to grant everywhere")]
    Stores,
    /// The role needs a team.
    #[error("the role team is granted for one team; name it in team")]
    NeedsTeam,
    /// Two limits at once.
    #[error("a grant is limited to stores or to a team, not to both; make two grants")]
    TwoScopes,
    /// The role has another scope.
    #[error("the role {0} cannot be limited to stores or a team")]
    NoScope(&'static str),
}

/// The members of a grant as they arrive.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawGrant {
    #[serde(default, deserialize_with = "present")]
    role: Option<Role>,
    #[serde(default, deserialize_with = "present")]
    permission: Option<SmolStr>,
    /// Not `null`: a list of stores that somebody's program left empty must not become a grant everywhere.
    #[serde(default, deserialize_with = "present")]
    stores: Option<Vec<StoreId>>,
    #[serde(default, deserialize_with = "present")]
    team: Option<TeamId>,
}

impl Grant {
    /// A role everywhere, or where its scope says without more.
    ///
    /// # Errors
    /// [`GrantError`] when the role needs stores or a team.
    pub fn role(role: Role) -> Result<Self, GrantError> {
        Self::new(Some(role), None, None, None)
    }

    /// A grant from its members.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn new(
        role: Option<Role>,
        permission: Option<SmolStr>,
        stores: Option<Vec<StoreId>>,
        team: Option<TeamId>,
    ) -> Result<Self, GrantError> {
        if role.is_some() == permission.is_some() {
            return Err(GrantError::What);
        }
        if let Some(name) = permission.as_ref().filter(|name| PermissionSet::of_name(name).is_none()) {
            return Err(GrantError::Permission(name.clone()));
        }
        let mut stores = stores;
        if let Some(stores) = &mut stores {
            if stores.is_empty() || stores.len() > STORES_MAX {
                return Err(GrantError::Stores);
            }
            stores.sort_unstable();
            stores.dedup();
        }
        if stores.is_some() && team.is_some() {
            return Err(GrantError::TwoScopes);
        }
        if let Some(role) = role {
            match role.scope() {
                RoleScope::Stores if stores.is_none() => return Err(GrantError::NeedsStores(role.as_str())),
                RoleScope::Team if team.is_none() => return Err(GrantError::NeedsTeam),
                RoleScope::Own if stores.is_some() || team.is_some() => {
                    return Err(GrantError::NoScope(role.as_str()));
                }
                _ => {}
            }
        }
        Ok(Self { role, permission, stores, team })
    }

    /// The role, where it is one.
    pub fn named_role(&self) -> Option<Role> {
        self.role
    }

    /// The name of its role or permission.
    pub fn name(&self) -> &str {
        self.role.map(Role::as_str).or(self.permission.as_deref()).unwrap_or_default()
    }

    /// True when both are of one role or permission, and of one team; the stores may differ.
    pub fn is_of(&self, other: &Self) -> bool {
        (self.role, &self.permission, &self.team) == (other.role, &other.permission, &other.team)
    }

    /// The same grant within other stores; everywhere without.
    ///
    /// # Errors
    /// [`GrantError`].
    pub fn within(&self, stores: Option<Vec<StoreId>>) -> Result<Self, GrantError> {
        Self::new(self.role, self.permission.clone(), stores, self.team.clone())
    }

    /// What is granted.
    pub fn permissions(&self) -> PermissionSet {
        let of_name = || self.permission.as_ref().and_then(|name| PermissionSet::of_name(name));
        self.role.map(Role::permissions).or_else(of_name).unwrap_or_default()
    }

    /// The stores it is limited to.
    pub fn stores(&self) -> Option<&[StoreId]> {
        self.stores.as_deref()
    }

    /// The team it is limited to.
    pub const fn team(&self) -> Option<&TeamId> {
        self.team.as_ref()
    }

    /// True when it is limited to what belongs to the principal.
    pub fn is_own(&self) -> bool {
        self.role.is_some_and(|role| role.scope() == RoleScope::Own)
    }

    /// True when it is the role of administrators, everywhere.
    pub fn is_admin(&self) -> bool {
        self.role == Some(Role::Admin) && self.stores.is_none() && self.team.is_none()
    }
}

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawGrant { role, permission, stores, team } = RawGrant::deserialize(deserializer)?;
        Self::new(role, permission, stores, team).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_says_what_it_lacks() {
        for (json, wanted) in [
            (r#"{"role":"admin"}"#, ""),
            (r#"{"role":"viewer","stores":["B","A","B"]}"#, ""),
            (r#"{"permission":"write:inventory","stores":["A"]}"#, ""),
            (r#"{"role":"team","team":"red"}"#, ""),
            ("{}", "must have a role or a permission, and not both"),
            (r#"{"role":"admin","permission":"*"}"#, "must have a role or a permission, and not both"),
            (r#"{"permission":"stock:steal"}"#, "there is no permission \"stock:steal\""),
            (r#"{"role":"till"}"#, "the role till is granted for stores"),
            (r#"{"role":"viewer","stores":[]}"#, "stores must name 1 to 1000 stores"),
            (r#"{"role":"team"}"#, "the role team is granted for one team"),
            (r#"{"role":"customer","stores":["A"]}"#, "cannot be limited"),
            (r#"{"role":"viewer","stores":null}"#, "invalid type: null"),
            (r#"{"role":"team","team":"red","stores":["A"]}"#, "not to both"),
            (r#"{"role":"owner"}"#, "unknown variant"),
            (r#"{"role":"admin","until":1}"#, "unknown field"),
        ] {
            match serde_json::from_str::<Grant>(json) {
                Ok(grant) => {
                    assert_eq!(wanted, "", "{json}");
                    let back = serde_json::to_string(&grant).unwrap();
                    assert_eq!(serde_json::from_str::<Grant>(&back).unwrap(), grant);
                }
                Err(error) => {
                    assert!(!wanted.is_empty() && error.to_string().contains(wanted), "{json}: {error}");
                }
            }
        }
    }

    #[test]
    fn stores_are_named_once_and_in_order() {
        let grant: Grant = serde_json::from_str(r#"{"role":"viewer","stores":["B","A","B"]}"#).unwrap();
        assert_eq!(serde_json::to_string(&grant).unwrap(), r#"{"role":"viewer","stores":["A","B"]}"#);
    }
}
