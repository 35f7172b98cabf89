//! A new person: kept in the vault, then recorded in the log.

use crate::identity::keeper::{keep, kept, required, vault, with_vault};
use crate::identity::person_body::PersonShown;
use crate::node::Node;
use crate::resource::change::by_bytes;
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::response::refusal::{code, sentence};
use onhand_app::Outcome;
use onhand_app::ports::KeptPerson;
use onhand_domain::identity::{
    Access, Grant, PermissionSet, Principal, PrincipalCommand, PrincipalId, PrincipalKind,
};
use onhand_domain::{Expected, Fact, Idempotency, Rejection};
use serde::Serialize;
use smol_str::SmolStr;

/// A person that is to be added.
pub(super) struct NewPerson {
    /// The id of a try with a key.
    pub(super) id: Option<PrincipalId>,
    pub(super) login: Option<SmolStr>,
    pub(super) name: Option<SmolStr>,
    pub(super) email: Option<SmolStr>,
    /// What is kept of the password.
    pub(super) password: Option<String>,
    pub(super) grants: Vec<Grant>,
    pub(super) granter: Access,
}

/// Keeps a new person, and then records them; one that is not recorded is erased again.
///
/// A login is free as long as no person in the vault has it, recorded or not: the vault alone decides between processes. A try with an
/// `Idempotency-Key` has an id of its own by its key and body, so that a retry goes on with what the try has left.
pub(super) async fn added(
    node: &Node,
    new: NewPerson,
    record: impl AsyncFnOnce(PrincipalCommand) -> Result<Outcome, Problem>,
) -> Result<(Outcome, PersonShown), Problem> {
    let NewPerson { id, login, name, email, password, grants, granter } = new;
    let has_key = id.is_some();
    let Some(login) = login.or_else(|| email.clone()) else {
        return Err(Problem::pointer("/login", "must be there, or email"));
    };
    let keeper = vault(node)?;
    let id = id.unwrap_or_else(|| PrincipalId::of_random(PrincipalKind::Person, &keeper.random()));
    check_grants(node, &grants, &granter)?;
    // Recorded by an earlier try: the ledger knows the key, or says that the person exists.
    let is_new = node.ledger.authority(&id).is_none();
    // What an earlier try with the key has kept stays: its password counts.
    if is_new && kept(node, &id).await?.is_none() {
        let person = KeptPerson {
            login: login.to_string(),
            name: name.map(String::from),
            email: email.map(String::from),
            password,
            created_at: node.ledger.now(),
        };
        keep(node, &id, person).await?;
    }
    let principal = Principal { kind: PrincipalKind::Person, grants, disabled: false };
    let command = PrincipalCommand {
        principal_id: id.clone(),
        expected: Expected::Any,
        create: true,
        principal,
        granter,
    };
    let recorded = record(command).await;
    // Where the outcome is not known the person may be recorded, and a try with a key may go on in another process with the same
    // id: then they stay, and are swept later if the log does not know them by then. A key of another body records nobody here.
    let refused = recorded
        .as_ref()
        .is_err_and(|problem| !matches!(problem.code(), Code::OutcomeUnknown | Code::Internal));
    let is_reused = recorded.as_ref().is_err_and(|problem| problem.code() == Code::IdempotencyKeyReused);
    if is_new && refused && (!has_key || is_reused) {
        let unused = id.clone();
        with_vault(node, move |vault| vault.erase_person(&unused)).await?;
    }
    let outcome = recorded.map_err(|problem| match problem.code() {
        Code::AlreadyExists => Problem::plain(Code::LoginTaken),
        _ => problem,
    })?;
    let id = principal_of(&outcome).unwrap_or(id);
    let shown = required(node, &id).await?;
    Ok((outcome, shown))
}

/// Checks what the decision checks again, before a login is taken.
fn check_grants(node: &Node, grants: &[Grant], granter: &Access) -> Result<(), Problem> {
    if !granter.includes(&Access::of(grants, PermissionSet::NONE)) {
        return Err(refused(&Rejection::GrantBeyondOwn));
    }
    if node.ledger.has_no_principals() && !grants.iter().any(Grant::is_admin) {
        return Err(refused(&Rejection::LastAdmin));
    }
    Ok(())
}

fn refused(rejection: &Rejection) -> Problem {
    Problem::new(code(rejection), sentence(rejection))
}

fn principal_of(outcome: &Outcome) -> Option<PrincipalId> {
    outcome.events.iter().find_map(|event| match &event.fact {
        Fact::Principal(fact) => Some(fact.principal_id.clone()),
        _ => None,
    })
}

/// The identity of a request about a person: in the log there is nothing that tells of them without the vault.
pub(super) fn personal<B: Serialize>(
    node: &Node,
    scope: &str,
    body: &B,
) -> Result<impl FnOnce(SmolStr) -> Idempotency + use<B>, Problem> {
    let hash = hash_of(node, body)?;
    let scope = SmolStr::new(scope);
    Ok(move |key| by_bytes(key, scope, &hash))
}

/// The id of a person that a try with this key and body adds.
pub(super) fn id_of_try<B: Serialize>(
    node: &Node,
    actor: Option<&str>,
    key: &str,
    body: &B,
) -> Result<PrincipalId, Problem> {
    let hash = hash_of(node, body)?;
    let text = [actor.unwrap_or_default().as_bytes(), b"\n", key.as_bytes(), b"\n", &hash].concat();
    let hash = vault(node)?.personal_hash(&text);
    Ok(PrincipalId::of_random(PrincipalKind::Person, &hash))
}

fn hash_of(node: &Node, body: &impl Serialize) -> Result<[u8; 32], Problem> {
    let written = serde_json::to_vec(body).expect("a body read from JSON can be written as JSON");
    Ok(vault(node)?.personal_hash(&written))
}
