//! A new person: kept in the vault, then recorded in the log.

use crate::identity::keeper::{keep, random_bits, required, vault, with_vault};
use crate::identity::person_body::PersonShown;
use crate::node::Node;
use crate::resource::change::by_bytes;
use crate::response::code::Code;
use crate::response::problem::Problem;
use onhand_app::Outcome;
use onhand_app::ports::KeptPerson;
use onhand_domain::identity::{Access, Grant, Principal, PrincipalCommand, PrincipalId, PrincipalKind};
use onhand_domain::{Expected, Fact, Idempotency};
use serde::Serialize;
use smol_str::SmolStr;

/// A person that is to be added.
pub(super) struct NewPerson {
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
/// A login whose person never reached the log was left by a process that stopped in between: whoever comes next takes it.
pub(super) async fn added(
    node: &Node,
    new: NewPerson,
    record: impl AsyncFnOnce(PrincipalCommand) -> Result<Outcome, Problem>,
) -> Result<(Outcome, PersonShown), Problem> {
    let NewPerson { login, name, email, password, grants, granter } = new;
    let Some(login) = login.or_else(|| email.clone()) else {
        return Err(Problem::pointer("/login", "must be there, or email"));
    };
    let logins = node.logins.as_ref().ok_or_else(|| Problem::plain(Code::NotReady))?;
    let _turn = logins.turn.lock().await;
    let names: Vec<SmolStr> = email.iter().cloned().chain([login.clone()]).collect();
    let taken = with_vault(node, move |vault| {
        let of_each = names.iter().map(|name| vault.person_of(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(of_each.into_iter().flatten().next())
    });
    let taken = taken.await?;
    let is_recorded = |id: &PrincipalId| node.ledger.authority(id).is_some();
    let keeper = vault(node)?;
    let (id, is_new) = match taken {
        Some(id) => (id.clone(), !is_recorded(&id)),
        None => (PrincipalId::of_bits(PrincipalKind::Person, random_bits(&*keeper)), true),
    };
    if is_new {
        let kept = KeptPerson {
            login: login.to_string(),
            name: name.map(String::from),
            email: email.map(String::from),
            password,
            created_at: node.ledger.now(),
        };
        keep(node, &id, kept).await?;
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
    let replayed = recorded.as_ref().is_ok_and(|outcome| outcome.replayed);
    // Where the outcome is not known the person may be recorded: then they must stay.
    let refused = recorded
        .as_ref()
        .is_err_and(|problem| !matches!(problem.code(), Code::OutcomeUnknown | Code::Internal));
    if is_new && (replayed || refused) {
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
    let written = serde_json::to_vec(body).expect("a body read from JSON can be written as JSON");
    let hash = vault(node)?.personal_hash(&written);
    let scope = SmolStr::new(scope);
    Ok(move |key| by_bytes(key, scope, &hash))
}
