//! Grants on the command line: what they are, added to those of a person, and taken away from them.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use onhand_domain::StoreId;
use onhand_domain::identity::{Grant, GrantError, PermissionSet, Role, TeamId};
use onhand_runtime::exit::{Exit, Failure};
use serde_json::Value;
use smol_str::SmolStr;

/// What is granted, and where.
#[derive(Args, Debug, Default)]
pub(super) struct GrantArgs {
    /// The role admin, everywhere
    #[arg(long, conflicts_with_all = ["stores", "team"])]
    admin: bool,

    /// A role; may be repeated
    #[arg(long = "role", value_name = "ROLE", value_parser = roles())]
    roles: Vec<Role>,

    /// A single permission, such as stock:read; may be repeated
    #[arg(long = "permission", value_name = "PERMISSION", value_parser = permission)]
    permissions: Vec<SmolStr>,

    /// Limits the roles and permissions to a store; may be repeated
    #[arg(long = "store", value_name = "STORE", value_parser = StoreId::new)]
    stores: Vec<StoreId>,

    /// Limits the roles and permissions to a team of an exercise
    #[arg(long, value_name = "TEAM", value_parser = TeamId::new, conflicts_with = "stores")]
    team: Option<TeamId>,
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
        .map(|name| Role::of_name(&name).expect("the parser takes the names of roles alone"))
}

fn permission(text: &str) -> Result<SmolStr, String> {
    let known = PermissionSet::of_name(text).map(|_| SmolStr::new(text));
    known.ok_or_else(|| {
        let all: Vec<&str> =
            PermissionSet::ALL.iter().map(onhand_domain::identity::Permission::as_str).collect();
        format!("there is no such permission; there are {}, and * for all", all.join(", "))
    })
}

impl GrantArgs {
    /// One role alone.
    pub(super) fn of_role(role: Role) -> Self {
        Self { roles: vec![role], ..Self::default() }
    }

    /// The grants, one for each role and permission.
    ///
    /// # Errors
    /// [`Exit::Usage`] when nothing is granted, or a role is limited otherwise than it can be.
    pub(super) fn grants(&self) -> Result<Vec<Grant>, Failure> {
        let stores = || Some(self.stores.clone()).filter(|stores| !stores.is_empty());
        let roles = self.admin.then_some(Role::Admin).into_iter().chain(self.roles.iter().copied());
        let roles = roles.map(|role| Grant::new(Some(role), None, stores(), self.team.clone()));
        let permissions = self.permissions.iter().cloned();
        let permissions = permissions.map(|name| Grant::new(None, Some(name), stores(), self.team.clone()));
        let grants: Vec<Grant> =
            roles.chain(permissions).collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
        if grants.is_empty() {
            let roles = Role::ALL.map(Role::as_str).join(", ");
            let message =
                format!("name what is granted: --admin, --role or --permission; the roles are {roles}");
            return Err(Failure::new(Exit::Usage, message));
        }
        Ok(grants)
    }
}

fn wrong(error: &GrantError) -> Failure {
    let option = match error {
        GrantError::NeedsStores(_) | GrantError::Stores => " (--store)",
        GrantError::NeedsTeam => " (--team)",
        _ => "",
    };
    Failure::new(Exit::Usage, format!("{error}{option}"))
}

/// `had` and `more`. Stores of one role or permission become one grant.
///
/// # Errors
/// [`Exit::Usage`] when together they are more stores than one grant may name.
pub(super) fn with(had: Vec<Grant>, more: Vec<Grant>) -> Result<Vec<Grant>, Failure> {
    let mut all = had;
    for grant in more {
        let fits =
            |other: &&mut Grant| other.is_of(&grant) && other.stores().is_some() == grant.stores().is_some();
        match all.iter_mut().find(fits) {
            Some(other) => {
                let stores = other.stores().zip(grant.stores()).map(|(had, more)| [had, more].concat());
                *other = limited(other, stores)?;
            }
            None => all.push(grant),
        }
    }
    Ok(all)
}

/// `had` without `less`: without stores, all grants of that role or permission.
///
/// # Errors
/// [`Exit::Usage`] when there is nothing to take away, or a store cannot be taken from a grant everywhere.
pub(super) fn without(had: Vec<Grant>, less: &[Grant]) -> Result<Vec<Grant>, Failure> {
    let mut left = had;
    for grant in less {
        if !left.iter().any(|other| other.is_of(grant)) {
            let have: Vec<String> = left.iter().map(shown).collect();
            let message = format!("{} is not granted; granted is {}", shown(grant), have.join(", "));
            return Err(Failure::new(Exit::Usage, message));
        }
        let mut kept = Vec::new();
        for other in left {
            if !other.is_of(grant) {
                kept.push(other);
                continue;
            }
            match (grant.stores(), other.stores()) {
                (None, _) => {}
                (Some(_), None) => {
                    let message = format!(
                        "{} is granted everywhere: take it away without --store, and grant it for the stores that remain",
                        shown(&other)
                    );
                    return Err(Failure::new(Exit::Usage, message));
                }
                (Some(gone), Some(stores)) => {
                    let rest: Vec<StoreId> =
                        stores.iter().filter(|store| !gone.contains(store)).cloned().collect();
                    if !rest.is_empty() {
                        kept.push(limited(&other, Some(rest))?);
                    }
                }
            }
        }
        left = kept;
    }
    Ok(left)
}

/// The same grant within other stores.
fn limited(grant: &Grant, stores: Option<Vec<StoreId>>) -> Result<Grant, Failure> {
    grant.within(stores).map_err(|error| wrong(&error))
}

/// The grants in an answer.
pub(super) fn in_body(body: &Value) -> Vec<Grant> {
    body.get("grants").cloned().and_then(|grants| serde_json::from_value(grants).ok()).unwrap_or_default()
}

/// The grants in an answer, for people.
pub(super) fn shown_in(body: &Value) -> String {
    in_body(body).iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// A grant for people: `till in BERLIN, PARIS`.
pub(super) fn shown(grant: &Grant) -> String {
    let stores = grant.stores().unwrap_or_default().iter().map(StoreId::as_str).collect::<Vec<_>>();
    let place = match grant.team() {
        Some(team) => format!(" of team {team}"),
        None if stores.is_empty() => String::new(),
        None => format!(" in {}", stores.join(" + ")),
    };
    format!("{}{place}", grant.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(json: &str) -> Vec<Grant> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn grants_are_added_and_taken_away() {
        let had = r#"[{"role":"manager","stores":["A","B"]},{"role":"viewer"}]"#;
        for (more, all) in [
            (r#"[{"role":"manager","stores":["C"]}]"#, "manager in A + B + C, viewer"),
            (r#"[{"role":"manager","stores":["A"]}]"#, "manager in A + B, viewer"),
            (r#"[{"role":"viewer"}]"#, "manager in A + B, viewer"),
            (r#"[{"role":"viewer","stores":["A"]}]"#, "manager in A + B, viewer, viewer in A"),
            (
                r#"[{"permission":"ops:read"},{"role":"team","team":"red"}]"#,
                "manager in A + B, viewer, ops:read, team of team red",
            ),
        ] {
            let sum = with(grants(had), grants(more)).unwrap();
            assert_eq!(sum.iter().map(shown).collect::<Vec<_>>().join(", "), all, "{more}");
        }
        for (less, left) in [
            (r#"[{"role":"manager","stores":["A"]}]"#, "manager in B, viewer"),
            (r#"[{"role":"manager","stores":["A","B"]}]"#, "viewer"),
            (
                r#"[{"permission":"ops:read"}]"#,
                "ops:read is not granted; granted is manager in A + B, viewer",
            ),
            (r#"[{"role":"viewer"}]"#, "manager in A + B"),
            (r#"[{"role":"viewer","stores":["A"]}]"#, "viewer is granted everywhere"),
        ] {
            let told = match without(grants(had), &grants(less)) {
                Ok(rest) => rest.iter().map(shown).collect::<Vec<_>>().join(", "),
                Err(failure) => failure.to_string(),
            };
            assert!(told.starts_with(left), "{less}: {told}");
        }
    }
}
