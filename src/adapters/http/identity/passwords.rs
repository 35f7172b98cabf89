//! Passwords: changed by their person, set by a link that was given out, chosen at a registration.

use crate::edge::body::JsonBody;
use crate::identity::keeper::{Way, hashed, kept, vault, with_vault};
use crate::identity::new_person::{NewPerson, added, id_of_try, personal};
use crate::identity::person_body::RegisterBody;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::context::RequestContext;
use crate::resource::change::changed;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use onhand_app::blocking;
use onhand_app::ports::{KeepError, SessionUse};
use onhand_app::stock::ReadError;
use onhand_domain::Command;
use onhand_domain::identity::{Access, Grant, PrincipalId, Role, TokenId};
use serde::Deserialize;
use std::sync::Arc;
use validator::Validate;

/// `{currentPassword, password}`
#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasswordBody {
    current_password: String,
    password: String,
}

/// `{link, password}`
#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LinkBody {
    link: String,
    password: String,
}

/// `POST /auth/password`: the other sessions of the person end.
pub(crate) async fn change(
    State(node): State<Arc<Node>>,
    caller: Caller,
    way: Way,
    JsonBody(body): JsonBody<PasswordBody>,
) -> Result<Response, Problem> {
    way.require_private(&node)?;
    let without = || {
        let detail = if caller.central().is_some() {
            "The password of the caller is at central; change it there."
        } else {
            "The caller has no password; a token is rotated instead."
        };
        Problem::new(Code::InvalidRequest, detail)
    };
    let id = caller.authority().ok_or_else(without)?.principal_id.clone();
    let person = kept(&node, &id).await?.ok_or_else(without)?;
    let logins = node.logins.as_ref().ok_or_else(|| Problem::plain(Code::NotReady))?;
    let (verified, _) = logins.verify(&person.login, &body.current_password, way.network).await?;
    if verified != id {
        return Err(Problem::plain(Code::Unauthorized));
    }
    let hash =
        hashed(&node, &body.password, &[Some(&person.login), person.email.as_deref()], "/password").await?;
    set(&node, id, hash, caller.session().cloned()).await
}

/// `POST /auth/link`: sets the password of the person whom the link was made for. All their sessions end.
pub(crate) async fn by_link(
    State(node): State<Arc<Node>>,
    way: Way,
    JsonBody(body): JsonBody<LinkBody>,
) -> Result<Response, Problem> {
    way.require_private(&node)?;
    let used =
        || Problem::new(Code::Unauthorized, "The link was used, has expired, or is none; ask for another.");
    let (now, link) = (node.ledger.now(), body.link.clone());
    let found = with_vault(&node, move |vault| vault.session_of(SessionUse::Link, &link, now)).await?;
    let (_, session) = found.ok_or_else(used)?;
    let person = kept(&node, &session.principal_id).await?.ok_or_else(used)?;
    let hash =
        hashed(&node, &body.password, &[Some(&person.login), person.email.as_deref()], "/password").await?;
    // Taken only now: a password that is not accepted uses up no link.
    let taken = with_vault(&node, move |vault| vault.take_link(&body.link, now)).await?;
    set(&node, taken.ok_or_else(used)?, hash, None).await
}

/// `POST /auth/register`: everybody may become a customer, where the installation says so.
pub(crate) async fn register(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    way: Way,
    JsonBody(body): JsonBody<RegisterBody>,
) -> Result<Response, Problem> {
    if !node.open.signup {
        let detail = "Registration is off here; ask an administrator to add you, or to start the server with SIGNUP=true.";
        return Err(Problem::new(Code::NotFound, detail));
    }
    way.require_private(&node)?;
    context.unconditional("has no meaning for a new person; leave it out")?;
    let logins = node.logins.as_ref().ok_or_else(|| Problem::plain(Code::NotReady))?;
    logins.count_registration(way.network)?;
    let names = [body.login.as_deref(), body.email.as_deref()];
    let password = hashed(&node, &body.password, &names, "/password").await;
    logins.end_registration(way.network);
    let password = password?;
    node.ledger.catch_up().await.map_err(ReadError::from)?;
    let tried = context.key.as_deref().map(|key| id_of_try(&node, None, key, &body)).transpose()?;
    let retry = personal(&node, "register", &body)?;
    let mut context = context;
    let (idempotency, deadline) = (context.key.take().map(retry), context.deadline);
    let meta = context.meta(idempotency);
    let RegisterBody { login, name, email, .. } = body;
    let grants = vec![Grant::role(Role::Customer).expect("a customer needs no stores")];
    let new =
        NewPerson { id: tried, login, name, email, password: Some(password), grants, granter: Access::FULL };
    let record = async |command| node.execute(Command::Principal(command), &meta, deadline).await;
    let (outcome, shown) = added(&node, new, record).await?;
    let address = format!("/users/{}", shown.user_id);
    Ok(changed(&outcome, shown.version, &shown, Some(&address)))
}

/// Keeps a password, and ends the sessions that were begun with the one before, but for one.
async fn set(node: &Node, id: PrincipalId, hash: String, but: Option<TokenId>) -> Result<Response, Problem> {
    let keeper = vault(node)?;
    let done = blocking(move || -> Result<bool, KeepError> {
        if keeper.managed()?.persons.contains(&id) {
            return Ok(false);
        }
        keeper.change_person(&id, &|person| person.password = Some(hash.clone()))?;
        keeper.end_sessions_of(&id, but.as_ref())?;
        Ok(true)
    });
    match done.await {
        Ok(true) => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(false) => Err(Problem::plain(Code::ManagedByFile)),
        Err(KeepError::Disk(error)) => Err(Problem::of_vault(&error)),
        Err(error @ KeepError::LoginTaken) => Err(Problem::plain(Code::Internal).because(&error)),
    }
}
