//! Login, refresh and logout: sessions of persons.
//!
//! A program gets an access token, which is signed and good for minutes, and a refresh token that gets the next one. A page
//! gets a cookie, which scripts cannot read. Both are one session in the vault, and end with it.

use crate::edge::body::JsonBody;
use crate::edge::credentials::{COOKIE_PLAIN, COOKIE_SECURE};
use crate::edge::front_door::AUDIENCE;
use crate::identity::keeper::{Way, person, with_vault};
use crate::identity::person_body::PersonShown;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::field_rules::{issuer, text};
use crate::request::optional::present;
use crate::response::code::Code;
use crate::response::hints::Noted;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::header::{ACCEPT, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use onhand_app::ports::{AuditKind, Claims, NewSession, Refreshed, SessionUse};
use onhand_app::stock::ReadError;
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;
use validator::Validate;

/// The life of an access token, in seconds.
const ACCESS_SECONDS: i64 = 600;
/// The longest grants in an access token, which is at most 4,096 bytes.
const GRANTS_BYTES_MAX: usize = 2_400;

/// `{login, password, session?, audience?}`, or `email` in the place of `login`.
#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoginBody {
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    login: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    email: Option<SmolStr>,
    password: String,
    #[serde(default)]
    session: bool,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "issuer"))]
    audience: Option<SmolStr>,
}

/// `{refreshToken, audience?}`
#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RefreshBody {
    refresh_token: String,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "issuer"))]
    audience: Option<SmolStr>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Seconds until the access token, or the session of a page, ends.
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<PersonShown>,
}

/// `POST /auth/login`
pub(crate) async fn login(
    State(node): State<Arc<Node>>,
    way: Way,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    way.require_private(&node)?;
    let Some(login) = body.login.or(body.email) else {
        return Err(Problem::pointer("/login", "must be there, or email"));
    };
    let logins = node.logins.as_ref().ok_or_else(|| Problem::plain(Code::NotReady))?;
    let (id, _) = logins.verify(&login, &body.password, way.network).await?;
    node.ledger.catch_up().await.map_err(ReadError::from)?;
    require_enabled(&node, &id)?;
    let user = person(&node, &id).await?.ok_or_else(unauthorized)?;
    let for_page = body.session || (body.audience.is_none() && prefers_html(&headers));
    if for_page && body.audience.is_some() {
        return Err(Problem::pointer(
            "/audience",
            "a session is of this node alone; leave out one of audience and session",
        ));
    }
    grants_for(&node, &id, body.audience.as_ref()).await?;
    let (usage, now) = (if for_page { SessionUse::Browser } else { SessionUse::Refresh }, node.ledger.now());
    let owner = id.clone();
    let new = with_vault(&node, move |vault| vault.begin_session(&owner, usage, now)).await?;
    let noted = Extension(noted(AuditKind::Login, &id, Some(&new.session_id)));
    if for_page {
        let life = usage.life().total;
        let body = LoggedIn { access_token: None, refresh_token: None, expires_in: life, user: Some(user) };
        return Ok((cookie(way.encrypted, &new.text, life), noted, Json(body)).into_response());
    }
    let (access, expires_in) = access_token(&node, id, &new, body.audience).await?;
    let (access_token, refresh_token) = (Some(access), Some(new.text));
    let body = LoggedIn { access_token, refresh_token, expires_in, user: Some(user) };
    Ok((noted, Json(body)).into_response())
}

/// `POST /auth/refresh`
pub(crate) async fn refresh(
    State(node): State<Arc<Node>>,
    JsonBody(body): JsonBody<RefreshBody>,
) -> Result<Response, Problem> {
    let now = node.ledger.now();
    let RefreshBody { refresh_token, audience } = body;
    if audience.is_some() {
        let text = refresh_token.clone();
        let usage = SessionUse::Refresh;
        if let Some((_, session)) =
            with_vault(&node, move |vault| vault.session_of(usage, &text, now)).await?
        {
            grants_for(&node, &session.principal_id, audience.as_ref()).await?;
        }
    }
    let renewed = with_vault(&node, move |vault| vault.renew_session(&refresh_token, now)).await?;
    let (session, new) = match renewed {
        Refreshed::Renewed(session, new) => (session, new),
        Refreshed::Reused(id) => {
            tracing::warn!(principal = %id, "a refresh token was used twice, so somebody has a copy: its session has ended");
            return Err(unauthorized().note(noted(AuditKind::CredentialReused, &id, None)));
        }
        Refreshed::Unknown => return Err(unauthorized()),
    };
    node.ledger.catch_up().await.map_err(ReadError::from)?;
    require_enabled(&node, &session.principal_id)?;
    let (access, expires_in) = access_token(&node, session.principal_id, &new, audience).await?;
    let (access_token, refresh_token) = (Some(access), Some(new.text));
    Ok(Json(LoggedIn { access_token, refresh_token, expires_in, user: None }).into_response())
}

/// `POST /auth/logout`: ends the session of the caller.
pub(crate) async fn logout(
    State(node): State<Arc<Node>>,
    caller: Caller,
    way: Way,
) -> Result<Response, Problem> {
    let Some(session) = caller.session().cloned() else {
        let detail = if caller.central().is_some() {
            "The session of the caller is at central; send POST /auth/logout there."
        } else {
            "The caller has no session; a token is revoked with DELETE /tokens/{tokenId}."
        };
        return Err(Problem::new(Code::InvalidRequest, detail));
    };
    with_vault(&node, move |vault| vault.end_session(&session)).await?;
    let logout = Noted { kind: Some(AuditKind::Logout), ..Noted::default() };
    Ok((StatusCode::NO_CONTENT, Extension(logout), cookie(way.encrypted, "", 0)).into_response())
}

/// An access token of a session, and for how many seconds it is good. One for another node, whose issuer is the audience, is good
/// there and not here, and has the grants of the person in it.
async fn access_token(
    node: &Node,
    id: PrincipalId,
    session: &NewSession,
    audience: Option<SmolStr>,
) -> Result<(String, i64), Problem> {
    let grants = grants_for(node, &id, audience.as_ref()).await?;
    let now = node.ledger.now();
    let seconds = |at: Timestamp| at.milliseconds().div_euclid(1_000);
    // Another node knows no log time of this one.
    let iat = seconds(if audience.is_none() { now } else { node.ledger.wall_clock() });
    let exp = iat + ACCESS_SECONDS.min(seconds(session.expires_at) - seconds(now));
    let (iss, aud) = (node.issuer(), audience.map_or_else(|| AUDIENCE.to_owned(), String::from));
    let claims =
        Claims { iss, aud, sub: id, sid: Some(session.session_id.clone()), jti: None, iat, exp, grants };
    let text = with_vault(node, move |vault| vault.sign(&claims, now)).await?;
    Ok((text, exp - iat))
}

/// The grants in a token for another node; none in one for this node. Checked before a session is begun or goes on, too: its next
/// refresh token would be lost with the refusal.
async fn grants_for(
    node: &Node,
    id: &PrincipalId,
    audience: Option<&SmolStr>,
) -> Result<Vec<serde_json::Value>, Problem> {
    if audience.is_none() {
        return Ok(Vec::new());
    }
    let principal = node.ledger.principal(id).await?.and_then(|master| master.details);
    let grants = principal.map(|principal| principal.grants).unwrap_or_default();
    let grants: Vec<_> = grants.iter().filter_map(|grant| serde_json::to_value(grant).ok()).collect();
    if grants.iter().map(|grant| grant.to_string().len()).sum::<usize>() > GRANTS_BYTES_MAX {
        let reason = "the person has too many grants for a token of another node; grant fewer stores by name, or a role everywhere";
        return Err(Problem::pointer("/audience", reason));
    }
    Ok(grants)
}

fn require_enabled(node: &Node, id: &PrincipalId) -> Result<(), Problem> {
    let enabled = node.ledger.authority(id).is_some_and(|authority| !authority.disabled);
    if enabled { Ok(()) } else { Err(unauthorized()) }
}

fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').next().is_some_and(|first| first.trim_start().starts_with("text/html"))
}

/// The cookie of a session, for so many seconds. Other sites, scripts and plain HTTP beyond this machine do not see it.
fn cookie(encrypted: bool, text: &str, seconds: i64) -> [(http::HeaderName, HeaderValue); 1] {
    let (name, secure) = if encrypted { (COOKIE_SECURE, "; Secure") } else { (COOKIE_PLAIN, "") };
    let value = format!("{name}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    [(SET_COOKIE, HeaderValue::try_from(value).expect("a session's text is ASCII"))]
}

/// The entry of a session in the audit trail.
fn noted(kind: AuditKind, id: &PrincipalId, session: Option<&TokenId>) -> Noted {
    let text = |text: &str| Some(SmolStr::new(text));
    Noted { kind: Some(kind), actor: text(id.as_str()), credential: session.and_then(|id| text(id.as_str())) }
}

fn unauthorized() -> Problem {
    Problem::plain(Code::Unauthorized)
}
