//! The mode of the installation: a mask over grants, for exercises.

use crate::identity::grant::Grant;
use crate::identity::ids::PrincipalKind;
use crate::identity::permission::{Permission, PermissionSet};
use crate::identity::{Access, Denied, Principal};
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Refusal, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everything that is granted is allowed.
    #[default]
    Development,
    /// Teams are judged: they inject nothing.
    Judging,
}

/// The mode as a kind of state, a [`Master`] of a [`Mode`]; there is one.
#[derive(Debug)]
pub enum ModeState {}

/// `MODE`: the mode from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModeFact {
    /// The mode.
    pub mode: Mode,
}

/// The mode in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct ModeRecord {
    pub mode: Mode,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A change of the mode.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeCommand {
    /// The condition on its version.
    pub expected: Expected,
    /// The mode.
    pub mode: Mode,
}

impl Mode {
    /// What the principal may do in this mode by its grants.
    pub fn access(self, principal: &Principal) -> Access {
        Access::masked(&principal.grants, |grant| self.mask(principal.kind, grant))
    }

    /// The permissions that the mode masks in a grant: in a grant of role `team` to any principal, and in every grant to a team.
    fn mask(self, kind: PrincipalKind, grant: &Grant) -> PermissionSet {
        let of_team = kind == PrincipalKind::Team || grant.team().is_some();
        match self {
            Self::Judging if of_team => PermissionSet::of(&[Permission::ExerciseInject]),
            Self::Judging | Self::Development => PermissionSet::NONE,
        }
    }
}

impl Decide for ModeCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::IdentityManage)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Mode);
    }

    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        draft.state::<ModeState>(&Key::Mode).check(self.expected)?;
        draft.record(Fact::Mode(ModeFact { mode: self.mode }));
        Ok(())
    }
}

impl Kind for ModeState {
    type Id = ();
    type State = Master<Mode>;
    type Fact = ModeFact;
    type After = MasterAfter;
    type Record = ModeRecord;
    type Undo = Self::State;

    master_kind!(ModeFact, Mode, |fact| Some(&fact.mode));

    fn id(_: &ModeFact) {}

    fn record(master: &Master<Mode>, (): ()) -> ModeRecord {
        let Master { details, version, updated_at } = master.clone();
        ModeRecord { mode: details.unwrap_or_default(), version, updated_at }
    }

    fn restore(record: ModeRecord) -> Result<((), Master<Mode>), Misfit> {
        let ModeRecord { mode, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((), Master { details: Some(mode), version, updated_at }))
    }

    fn id_in(_: &ModeRecord) {}

    fn updated_at_in(record: &ModeRecord) -> Timestamp {
        record.updated_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judging_takes_the_injection_from_teams_by_whatever_grant_they_have_it() {
        use PrincipalKind::{Person, Service, Team};
        for (kind, grants, kept) in [
            (Team, r#"[{"role":"team","team":"red"}]"#, false),
            (Service, r#"[{"role":"team","team":"red"}]"#, false),
            (Person, r#"[{"permission":"write:events","team":"red"}]"#, false),
            (Team, r#"[{"permission":"exercise:inject"}]"#, false),
            (Service, r#"[{"role":"bot"}]"#, true),
            (Person, r#"[{"role":"staff"},{"role":"team","team":"red"}]"#, true),
            (Person, r#"[{"role":"admin"}]"#, true),
        ] {
            let principal =
                Principal { kind, grants: serde_json::from_str(grants).unwrap(), disabled: false };
            let may = |mode: Mode| mode.access(&principal).may_somewhere(Permission::ExerciseInject);
            assert_eq!((may(Mode::Development), may(Mode::Judging)), (true, kept), "{kind:?} {grants}");
            let other = Mode::Judging.access(&principal).may_somewhere(Permission::ExerciseRead);
            assert_eq!(other, !grants.contains("permission"), "nothing else is taken: {grants}");
        }
    }
}
