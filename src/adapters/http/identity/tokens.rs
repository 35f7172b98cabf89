//! Tokens: issued, listed, rotated, revoked. The text of a token is in the answer that issues it, and nowhere else.

use crate::edge::body::JsonBody;
use crate::edge::front_door::AUDIENCE;
use crate::identity::keeper::{vault, with_vault};
use crate::identity::token_body::{LIFE_SECONDS, LIFE_SECONDS_MAX, RotateBody, TokenBody, TokenShown};
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::path::TokenAt;
use crate::request::query::Query;
use crate::resource::change::{ChangeRequest, by_meaning, changed};
use crate::resource::list::ListPage;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use onhand_app::ports::{Claims, Vault};
use onhand_domain::identity::{
    Access, Principal, PrincipalCommand, PrincipalId, Revocation, Token, TokenChange, TokenCommand, TokenId,
    TokenKind,
};
use onhand_domain::{Command, Expected, Timestamp};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// `GET /tokens`
pub(crate) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    let page = ListPage::of("tokens", &Query::of(uri.query()), &uri)?;
    let after = page.after(|mark| TokenId::new(mark).ok())?;
    let behind =
        node.ledger.token_ids().into_iter().filter(|id| after.as_ref().is_none_or(|after| id > after));
    let mut rows = Vec::new();
    for id in behind {
        if rows.len() == page.rows_max() {
            break;
        }
        // One that is not durable yet is left out.
        if let Some(token) = node.ledger.token(&id).await?.and_then(|master| master.details) {
            rows.push(shown(&node, id, token, None).await?);
        }
    }
    let rows = page.cut(rows);
    Ok(page.answer(&rows.rows, rows.next(|token| token.token_id.as_str())))
}

/// `POST /tokens`
pub(crate) async fn issue(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(body): JsonBody<TokenBody>,
) -> Result<Response, Problem> {
    context.unconditional("has no meaning for a new token; leave it out")?;
    require_signable(body.jwt, body.kind)?;
    let granter = context.caller.access().clone();
    let scope = SmolStr::new_static("token");
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &body))?;
    let vault = vault(&node)?;
    let principal_kind = body.kind.principal_kind();
    let principal_id = PrincipalId::of_random(principal_kind, &vault.random());
    let principal = PrincipalCommand {
        principal_id: principal_id.clone(),
        expected: Expected::Any,
        create: true,
        principal: Principal { kind: principal_kind, grants: body.grants, disabled: false },
        granter: granter.clone(),
    };
    let life = body.expires_in_seconds.unwrap_or(LIFE_SECONDS);
    let owner = NewToken { principal_id, kind: body.kind, name: body.name, life, signed: body.jwt, granter };
    issued(&node, &change, owner, |token| TokenChange::Issue(token, Box::new(principal))).await
}

/// `POST /tokens/{tokenId}/rotate`: another token for the same principal; the old one expires after the grace.
pub(crate) async fn rotate(
    State(node): State<Arc<Node>>,
    TokenAt(token_id): TokenAt,
    context: RequestContext,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Response, Problem> {
    context.unconditional("has no meaning for a new token; leave it out")?;
    let scope = format_smolstr!("rotate token {token_id}");
    let granter = context.caller.access().clone();
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &body))?;
    let old = good(&node, &token_id).await?;
    let name = kept_name(&node, &token_id).await?.unwrap_or_default();
    let life = old.expires_at.milliseconds().saturating_sub(old.created_at.milliseconds()) / 1_000;
    require_signable(body.jwt, old.kind)?;
    let (principal_id, kind, name, signed) = (old.principal_id, old.kind, name.into(), body.jwt);
    let owner = NewToken { principal_id, kind, name, life, signed, granter };
    let at = node.ledger.now().plus_milliseconds(1_000 * body.grace_seconds.unwrap_or(0));
    issued(&node, &change, owner, |token| TokenChange::Replace(token, token_id, at)).await
}

/// `DELETE /tokens/{tokenId}`
pub(crate) async fn revoke(
    State(node): State<Arc<Node>>,
    TokenAt(token_id): TokenAt,
    context: RequestContext,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("revoke token {token_id}");
    let granter = context.caller.access().clone();
    let revocation = if context.caller.is_over_socket() {
        Revocation::OfLastToo
    } else {
        Revocation::KeepsAdmin(admins_with_password(&node).await?)
    };
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &()))?;
    let command = TokenCommand {
        token_id: token_id.clone(),
        expected: change.expected,
        principal_id: known(&node, &token_id).await?.principal_id,
        change: TokenChange::Revoke(revocation),
        granter,
    };
    let (outcome, event) = change.execute_one(&node, Command::Token(command)).await?;
    let token = known(&node, &token_id).await?;
    let body = shown(&node, token_id.clone(), token, None).await?;
    // After the event, which alone makes the token useless: a failure here leaves a verifier of nothing.
    with_vault(&node, move |vault| vault.erase_token(&token_id)).await?;
    Ok(changed(&outcome, event.after.version(), &body, None))
}

/// The owner and the life of a token that is to be issued.
struct NewToken {
    principal_id: PrincipalId,
    kind: TokenKind,
    name: SmolStr,
    /// Seconds.
    life: i64,
    /// True for a signed token.
    signed: bool,
    granter: Access,
}

/// Keeps the verifier of a new token, and then records the token; the verifier of one that is not recorded is erased again.
async fn issued(
    node: &Node,
    change: &ChangeRequest,
    owner: NewToken,
    as_change: impl FnOnce(Token) -> TokenChange,
) -> Result<Response, Problem> {
    let NewToken { principal_id, kind, name, life, signed, granter } = owner;
    let created_at = node.ledger.now();
    let expires_at = created_at.plus_milliseconds(1_000 * life.clamp(60, LIFE_SECONDS_MAX));
    let kept_name = name.clone();
    let claims = signed.then(|| claims(node, &principal_id, created_at, expires_at));
    let issued = with_vault(node, move |vault| match claims {
        Some(claims) => vault.issue_signed_token(claims, &kept_name, created_at),
        None => vault.issue_token(kind, &kept_name),
    });
    let (token_id, text) = issued.await?;
    let token = Token { principal_id, kind, created_at, expires_at, revoked: false };
    let command = TokenCommand {
        token_id: token_id.clone(),
        expected: Expected::Any,
        principal_id: token.principal_id.clone(),
        change: as_change(token.clone()),
        granter,
    };
    let recorded = change.execute(node, Command::Token(command)).await;
    let is_new = recorded.as_ref().is_ok_and(|outcome| !outcome.replayed);
    // Where the outcome is not known the token may be recorded: then its verifier must stay.
    let may_be_recorded = recorded
        .as_ref()
        .is_err_and(|problem| matches!(problem.code(), Code::OutcomeUnknown | Code::Internal));
    if !is_new && !may_be_recorded {
        let unused = token_id.clone();
        with_vault(node, move |vault| vault.erase_token(&unused)).await?;
    }
    let outcome = recorded?;
    if !is_new {
        let detail = "The token of this Idempotency-Key was issued by an earlier request, whose answer had its text. Rotate \
             it, or issue another one.";
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    }
    let address = format!("/tokens/{token_id}");
    let body = TokenShown {
        token_id,
        principal_id: token.principal_id,
        kind,
        name: Some(name.into()),
        created_at,
        expires_at,
        revoked: false,
        token: Some(text),
    };
    Ok(changed(&outcome, 1, &body, Some(&address)))
}

/// Signed tokens are for teams: their programs verify each other's offline.
fn require_signable(signed: bool, kind: TokenKind) -> Result<(), Problem> {
    if signed && kind != TokenKind::Team {
        return Err(Problem::pointer("/jwt", "is for tokens of teams; leave it out"));
    }
    Ok(())
}

fn claims(node: &Node, id: &PrincipalId, issued: Timestamp, expires: Timestamp) -> Claims {
    let seconds = |at: Timestamp| at.milliseconds().div_euclid(1_000);
    let (iss, aud) = (node.issuer(), AUDIENCE.to_owned());
    let (iat, exp) = (seconds(issued), seconds(expires));
    Claims { iss, aud, sub: id.clone(), sid: None, jti: None, iat, exp, grants: Vec::new() }
}

async fn known(node: &Node, token_id: &TokenId) -> Result<Token, Problem> {
    let token = node.ledger.token(token_id).await?.and_then(|master| master.details);
    token.ok_or_else(|| Problem::new(Code::NotFound, "There is no token of that id; GET /tokens lists them."))
}

async fn good(node: &Node, token_id: &TokenId) -> Result<Token, Problem> {
    let token = node.ledger.token(token_id).await?.and_then(|master| master.details);
    let is_good = |token: &Token| token.is_good(node.ledger.now());
    token.filter(is_good).ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            "There is no such token, or it was revoked or has expired; issue another one.",
        )
    })
}

/// The persons that administrate and have a password. That they are enabled administrators is checked again by the decision; a password
/// that is taken away meanwhile is not noticed, because it is not in the log.
async fn admins_with_password(node: &Node) -> Result<Vec<PrincipalId>, Problem> {
    let persons = node.ledger.admin_persons();
    let read = move |vault: &dyn Vault| {
        let mut with_password = Vec::new();
        for id in persons {
            if vault.person(&id)?.is_some_and(|person| person.password.is_some()) {
                with_password.push(id);
            }
        }
        Ok(with_password)
    };
    with_vault(node, read).await
}

async fn kept_name(node: &Node, token_id: &TokenId) -> Result<Option<String>, Problem> {
    let id = token_id.clone();
    let kept = with_vault(node, move |vault| vault.token(&id)).await?;
    Ok(kept.map(|kept| kept.name))
}

async fn shown(
    node: &Node,
    token_id: TokenId,
    token: Token,
    text: Option<String>,
) -> Result<TokenShown, Problem> {
    let name = kept_name(node, &token_id).await?;
    let Token { principal_id, kind, created_at, expires_at, revoked } = token;
    Ok(TokenShown { token_id, principal_id, kind, name, created_at, expires_at, revoked, token: text })
}
