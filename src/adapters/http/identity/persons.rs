//! Persons: added, listed, changed, erased. What is personal is in the vault; the log has their grants.

use crate::edge::body::{JsonBody, MergePatch};
use crate::identity::keeper::{Way, change_kept, hashed, required, unknown, with_vault};
use crate::identity::new_person::{NewPerson, added, id_of_try, personal};
use crate::identity::person_body::{GrantsBody, LinkShown, PersonBody, PersonPatch, PersonShown, ResetShown};
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::path::PrincipalAt;
use crate::resource::change::{ChangeRequest, answer, by_meaning, changed};
use crate::resource::read;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use onhand_app::Outcome;
use onhand_app::ports::SessionUse;
use onhand_domain::identity::{Access, PermissionSet, Principal, PrincipalCommand, PrincipalId};
use onhand_domain::master::Master;
use onhand_domain::{Command, Expected};
use smol_str::format_smolstr;
use std::io;
use std::sync::Arc;

/// How often a change is made of what somebody else has changed meanwhile.
const CHANGE_TRIES_MAX: usize = 10;

/// `GET /users/{userId}`
pub(crate) async fn get(
    State(node): State<Arc<Node>>,
    PrincipalAt(id): PrincipalAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let person = required(&node, &id).await?;
    Ok(read::shown(&headers, person.version, &person))
}

/// `POST /users`
pub(crate) async fn add(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    way: Way,
    JsonBody(body): JsonBody<PersonBody>,
) -> Result<Response, Problem> {
    context.unconditional("has no meaning for a new person; leave it out")?;
    let granter = context.caller.access().clone();
    let actor = context.caller.actor();
    let tried =
        context.key.as_deref().map(|key| id_of_try(&node, actor.as_deref(), key, &body)).transpose()?;
    let retry = personal(&node, "user", &body)?;
    let change = ChangeRequest::new(context, None, retry)?;
    let logins = [body.login.as_deref(), body.email.as_deref()];
    let password = match &body.password {
        Some(password) => {
            way.require_private(&node)?;
            Some(hashed(&node, password, &logins, "/password").await?)
        }
        None => None,
    };
    let needs_link = password.is_none();
    let PersonBody { login, name, email, grants, .. } = body;
    let new = NewPerson { id: tried, login, name, email, password, grants, granter };
    let (outcome, mut shown) =
        added(&node, new, async |command| change.execute(&node, Command::Principal(command)).await).await?;
    if needs_link && !outcome.replayed {
        shown.link = Some(link(&node, &shown.user_id).await?);
    }
    let address = format!("/users/{}", shown.user_id);
    Ok(changed(&outcome, shown.version, &shown, Some(&address)))
}

/// `PATCH /users/{userId}`: the log first, which checks the version; then the vault.
pub(crate) async fn patch(
    State(node): State<Arc<Node>>,
    PrincipalAt(id): PrincipalAt,
    context: RequestContext,
    MergePatch(body): MergePatch<PersonPatch>,
) -> Result<Response, Problem> {
    let granter = context.caller.access().clone();
    let retry = personal(&node, &format!("patch user {id}"), &body)?;
    let change = ChangeRequest::new(context, body.expected_version, retry)?;
    require_free(&node, &id, [body.login.as_deref(), body.email.as_ref().and_then(Option::as_deref)]).await?;
    let disabled = body.disabled;
    let changed = |before: Principal| Principal { disabled: disabled.unwrap_or(before.disabled), ..before };
    let (outcome, version) = execute(&node, &change, &id, granter, changed).await?;
    // A retry goes on with what its try has left, unless somebody has changed the person since.
    let is_latest = !outcome.replayed || details(&node, &id).await?.version == version;
    if body.is_personal() && is_latest {
        change_kept(&node, &id, move |person| body.apply(person)).await?;
    }
    if disabled == Some(true) && is_latest {
        let person = id.clone();
        with_vault(&node, move |vault| vault.end_sessions_of(&person, None)).await?;
    }
    shown_after(&node, &id, &outcome).await
}

/// `PUT /users/{userId}/grants`
pub(crate) async fn grant(
    State(node): State<Arc<Node>>,
    PrincipalAt(id): PrincipalAt,
    context: RequestContext,
    JsonBody(body): JsonBody<GrantsBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("grants of user {id}");
    let granter = context.caller.access().clone();
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    exists(&node, &id).await?;
    let GrantsBody { grants, .. } = body;
    let changed = |before: Principal| Principal { grants: grants.clone(), ..before };
    let (outcome, _) = execute(&node, &change, &id, granter, changed).await?;
    // A link that was made before the change must not lead to what the person may do now. A retry ends links too, though they may
    // be younger: a crash may have left older ones, and another link is easily made.
    let person = id.clone();
    with_vault(&node, move |vault| vault.end_links_of(&person)).await?;
    shown_after(&node, &id, &outcome).await
}

/// `POST /users/{userId}/reset`: a link that sets a new password. The old one stays good until then.
pub(crate) async fn reset(
    State(node): State<Arc<Node>>,
    PrincipalAt(id): PrincipalAt,
    context: RequestContext,
) -> Result<Response, Problem> {
    context.unconditional("has no meaning for a link; leave it out")?;
    required(&node, &id).await?;
    let may = details(&node, &id).await?.details.ok_or_else(unknown)?;
    let access = Access::of(&may.grants, PermissionSet::NONE);
    if !context.caller.access().includes(&access) {
        let detail =
            "The person may do what you may not, so you cannot set their password; ask an administrator.";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(Json(ResetShown { link: link(&node, &id).await? }).into_response())
}

/// `DELETE /users/{userId}`: the person is erased; the log keeps an id that leads to nobody.
pub(crate) async fn erase(
    State(node): State<Arc<Node>>,
    PrincipalAt(id): PrincipalAt,
    context: RequestContext,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("erase user {id}");
    let granter = context.caller.access().clone();
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &()))?;
    // One that is erased already is erased again only by a retry, which finishes what was left.
    if change.idempotency().is_none() {
        exists(&node, &id).await?;
    }
    let nothing = |before: Principal| Principal { grants: Vec::new(), disabled: true, ..before };
    let (outcome, _) = execute(&node, &change, &id, granter, nothing).await?;
    with_vault(&node, move |vault| vault.erase_person(&id)).await?;
    Ok(answer(&outcome, StatusCode::NO_CONTENT))
}

/// Changes a principal from what it is; the outcome and the version. Without a condition of the caller, a change by somebody else in
/// between counts, and the change is made on top of it.
async fn execute(
    node: &Node,
    change: &ChangeRequest,
    id: &PrincipalId,
    granter: Access,
    changed: impl Fn(Principal) -> Principal,
) -> Result<(Outcome, u64), Problem> {
    for _ in 0..CHANGE_TRIES_MAX {
        let master = details(node, id).await?;
        let before = master.details.ok_or_else(unknown)?;
        let is_any = change.expected == Expected::Any;
        let command = PrincipalCommand {
            principal_id: id.clone(),
            expected: if is_any { Expected::Version(master.version) } else { change.expected },
            create: false,
            principal: changed(before),
            granter: granter.clone(),
        };
        match change.execute(node, Command::Principal(command)).await {
            Err(problem) if is_any && problem.code() == Code::VersionConflict => {}
            Err(problem) => return Err(problem),
            Ok(outcome) => {
                let version = outcome.events.last().map_or(master.version, |event| event.after.version());
                return Ok((outcome, version));
            }
        }
    }
    Err(Problem::new(
        Code::VersionConflict,
        "Others change the person all the time; nothing changed. Try again.",
    ))
}

/// Refuses logins that another person has.
async fn require_free(node: &Node, id: &PrincipalId, logins: [Option<&str>; 2]) -> Result<(), Problem> {
    exists(node, id).await?;
    let logins: Vec<String> = logins.into_iter().flatten().map(str::to_owned).collect();
    let owners = with_vault(node, move |vault| {
        logins.iter().map(|login| vault.person_of(login)).collect::<io::Result<Vec<_>>>()
    });
    let taken = owners.await?.into_iter().flatten().any(|owner| owner != *id);
    if taken { Err(Problem::plain(Code::LoginTaken)) } else { Ok(()) }
}

/// Refuses an erased person. One whose file is damaged is there: they can be disabled and erased.
async fn exists(node: &Node, id: &PrincipalId) -> Result<(), Problem> {
    let person = id.clone();
    let is_there =
        with_vault(node, move |vault| Ok(vault.person(&person).map_or(true, |kept| kept.is_some())));
    if is_there.await? { Ok(()) } else { Err(unknown()) }
}

async fn shown_after(node: &Node, id: &PrincipalId, outcome: &Outcome) -> Result<Response, Problem> {
    let person = required(node, id).await?;
    let version = outcome.events.last().map_or(person.version, |event| event.after.version());
    Ok(changed(outcome, version, &PersonShown { version, ..person }, None))
}

async fn link(node: &Node, id: &PrincipalId) -> Result<LinkShown, Problem> {
    let (id, now) = (id.clone(), node.ledger.now());
    let new = with_vault(node, move |vault| vault.begin_session(&id, SessionUse::Link, now)).await?;
    Ok(LinkShown { text: new.text, expires_at: new.expires_at })
}

async fn details(node: &Node, id: &PrincipalId) -> Result<Master<Principal>, Problem> {
    node.ledger.principal(id).await?.ok_or_else(unknown)
}
