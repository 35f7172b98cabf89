//! Principals: persons, services, nodes and teams, with what they are granted.

use crate::identity::access::{Access, Denied};
use crate::identity::admins::Admins;
use crate::identity::grant::Grant;
use crate::identity::ids::{PrincipalId, PrincipalKind};
use crate::identity::permission::Permission;
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Refusal, Rejection, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// The details of a principal. Nothing personal: its name is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Principal {
    /// The kind.
    pub kind: PrincipalKind,
    /// What it is granted.
    pub grants: Vec<Grant>,
    /// True when it may do nothing, whatever it is granted.
    pub disabled: bool,
}

/// `PRINCIPAL`: the details of the principal from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrincipalFact {
    /// The id of the principal.
    pub principal_id: PrincipalId,
    /// All details.
    pub principal: Principal,
}

/// A principal in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct PrincipalRecord {
    pub principal_id: PrincipalId,
    pub principal: Principal,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A new principal, or other details of one.
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalCommand {
    /// The id of the principal.
    pub principal_id: PrincipalId,
    /// The condition on its version.
    pub expected: Expected,
    /// True when the principal must not exist yet; otherwise it must.
    pub create: bool,
    /// All details.
    pub principal: Principal,
    /// The access of the caller, who grants nothing beyond it.
    pub granter: Access,
}

impl Principal {
    /// True when it administrates.
    pub fn is_admin(&self) -> bool {
        !self.disabled && self.grants.iter().any(Grant::is_admin)
    }
}

impl Decide for PrincipalCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::IdentityManage)
    }

    /// The mode is locked by every change of a principal or token, so that the list of administrators is exact.
    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Principal(self.principal_id.clone()));
        keys.push(Key::Mode);
    }

    /// The version is checked first.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let master = draft.state::<Principal>(&Key::Principal(self.principal_id.clone()));
        master.check(self.expected)?;
        match (&master.details, self.create) {
            (Some(_), true) => {
                return Err(Rejection::PrincipalExists { current_version: master.version }.into());
            }
            (None, false) => return Err(Rejection::PrincipalNotFound.into()),
            _ => {}
        }
        let before = master.details.clone();
        self.check_granter(before.as_ref())?;
        let was_admin = before.as_ref().is_some_and(Principal::is_admin);
        if !self.principal.is_admin() && !self.leaves_admin(was_admin, draft) {
            return Err(Rejection::LastAdmin.into());
        }
        let (principal_id, principal) = (self.principal_id.clone(), self.principal.clone());
        draft.record(Fact::Principal(Box::new(PrincipalFact { principal_id, principal })));
        Ok(())
    }
}

impl PrincipalCommand {
    /// True when another administrator is left; one that can log in, where the principal was one itself.
    fn leaves_admin(&self, was_admin: bool, draft: &Draft<'_>) -> bool {
        // The first principal is an administrator: from then on somebody must log in, so somebody must be able to.
        let Some(admins) = draft.evidence::<Admins>() else { return false };
        admins.beside(&self.principal_id).any(|admin| !was_admin || admin.can_log_in(draft.now()))
    }

    /// Nobody grants what they have not, nor changes a principal that has more than they have.
    fn check_granter(&self, before: Option<&Principal>) -> Result<(), Refusal> {
        let access = |principal: &Principal| Access::of(&principal.grants, super::PermissionSet::NONE);
        let covered = before.is_none_or(|before| self.granter.includes(&access(before)));
        if covered && self.granter.includes(&access(&self.principal)) {
            Ok(())
        } else {
            Err(Rejection::GrantBeyondOwn.into())
        }
    }
}

impl Kind for Principal {
    type Id = (PrincipalId,);
    type State = Box<Master<Principal>>;
    type Fact = Box<PrincipalFact>;
    type After = MasterAfter;
    type Record = PrincipalRecord;
    type Undo = Self::State;

    master_kind!(Box<PrincipalFact>, Principal, |fact| Some(&fact.principal));

    fn id(fact: &Box<PrincipalFact>) -> (PrincipalId,) {
        (fact.principal_id.clone(),)
    }

    fn record(master: &Box<Master<Principal>>, (principal_id,): (PrincipalId,)) -> PrincipalRecord {
        let Master { details, version, updated_at } = (**master).clone();
        let principal = details.expect("a principal is never taken out");
        PrincipalRecord { principal_id, principal, version, updated_at }
    }

    fn restore(record: PrincipalRecord) -> Result<((PrincipalId,), Box<Master<Principal>>), Misfit> {
        let PrincipalRecord { principal_id, principal, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((principal_id,), Box::new(Master { details: Some(principal), version, updated_at })))
    }

    fn id_in(record: &PrincipalRecord) -> (PrincipalId,) {
        (record.principal_id.clone(),)
    }

    fn updated_at_in(record: &PrincipalRecord) -> Timestamp {
        record.updated_at
    }
}
