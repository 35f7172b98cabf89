//! `/auth/explain`: whether a principal may send a request, and why. The route is found as for the request itself, and its
//! need is checked by the same function, so the two cannot disagree. With `POST` the body of the request comes along: where it
//! decides what is needed, its command is read and checked as if it were sent.

use crate::edge::body::UnreadBody;
use crate::identity::explain_body::{Explanation, Subject};
use crate::node::Node;
use crate::request::query::Query;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{Method, Uri};
use onhand_app::blocking;
use onhand_domain::identity::{PrincipalId, TokenId};
use std::io;
use std::sync::Arc;

const PRINCIPAL: &str = "principal";
const METHOD: &str = "method";
const PATH: &str = "path";
/// The query parameters.
pub(super) const PARAMETERS: &[&str] = &[PRINCIPAL, METHOD, PATH];

/// `GET /auth/explain`
pub(crate) async fn explain(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    explained(&node, &uri, None).await
}

/// `POST /auth/explain`
pub(crate) async fn explain_body(
    State(node): State<Arc<Node>>,
    uri: Uri,
    mut body: UnreadBody,
) -> Result<Response, Problem> {
    body.media_type(&["application/json"])?;
    let bytes = body.read().await?;
    explained(&node, &uri, Some(&bytes)).await
}

async fn explained(node: &Node, uri: &Uri, body: Option<&[u8]>) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let who = required(query.get(PRINCIPAL), PRINCIPAL, "an id or a login, or the id or name of a token")?;
    let method = required(query.get(METHOD), METHOD, "a method such as POST")?.to_ascii_uppercase();
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Problem::parameter(METHOD, "must be a method such as POST"))?;
    let path = required(query.get(PATH), PATH, "a path such as /stores/PARIS/inventory/TEA/adjust")?;
    let address: Uri = path.parse().ok().filter(|_| path.starts_with('/')).ok_or_else(|| {
        Problem::parameter(PATH, "must be a path such as /stores/PARIS/inventory/TEA/adjust")
    })?;
    let subject = subject(node, who).await?;
    let mode = node.ledger.mode();
    let found = node.routes.get().and_then(|routes| routes.find(&method, address.path()));
    let explanation = match found {
        Some((route, params)) if route.serves(&method) => {
            let command = body.zip(route.command).map(|(body, read)| read(body)).transpose()?;
            Explanation::of(subject, mode, (route, &params), command.as_ref())
        }
        Some(_) => {
            Explanation::without_route(subject, mode, format!("{} does not take {method}", address.path()))
        }
        None => Explanation::without_route(subject, mode, format!("there is no route {}", address.path())),
    };
    Ok(Json(explanation).into_response())
}

fn required<'q>(value: Option<&'q str>, name: &'static str, what: &str) -> Result<&'q str, Problem> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Problem::parameter(name, format!("must be {what}")))
}

/// The principal with an id or login, or that of a token with an id or name.
async fn subject(node: &Node, who: &str) -> Result<Subject, Problem> {
    let (id, token) = match (PrincipalId::new(who), TokenId::new(who)) {
        (Ok(id), _) => (Some(id), None),
        (_, Ok(token)) if node.ledger.token_now(&token).is_some() => (None, Some(token)),
        _ => named(node, who).await?,
    };
    let token = token.and_then(|token| node.ledger.token_now(&token));
    let credential = token.as_ref().and_then(|token| {
        let fault = if token.revoked { "the token is revoked" } else { "the token has expired" };
        (!token.is_good(node.ledger.now())).then_some(fault)
    });
    let id = id.or_else(|| token.map(|token| token.principal_id));
    let known = match &id {
        Some(id) => node.ledger.principal(id).await?.and_then(|master| master.details),
        None => None,
    };
    let (id, principal) = id.zip(known).ok_or_else(|| {
        let detail = "There is no principal of that id or login here, and no token of that id or name. \
            What a person of central may do here depends on the token they show.";
        Problem::new(Code::NotFound, detail)
    })?;
    Ok(Subject { id, principal, credential })
}

/// The person with that login, else the token with that name, if there is one alone.
async fn named(node: &Node, who: &str) -> Result<(Option<PrincipalId>, Option<TokenId>), Problem> {
    let Some(vault) = node.vault.clone() else { return Ok((None, None)) };
    let (name, ids) = (who.to_owned(), node.ledger.token_ids());
    let found = blocking(move || -> io::Result<_> {
        if let Some(person) = vault.person_of(&name)? {
            return Ok((Some(person), Vec::new()));
        }
        let mut tokens = Vec::new();
        for id in ids {
            tokens.extend(vault.token(&id)?.filter(|kept| kept.name == name).map(|_| id));
        }
        Ok((None, tokens))
    });
    let (person, mut tokens) = found.await.map_err(|error| Problem::of_vault(&error))?;
    if tokens.len() > 1 {
        let ids: Vec<&str> = tokens.iter().map(TokenId::as_str).collect();
        let detail = format!("is the name of several tokens; send the id of one: {}", ids.join(", "));
        return Err(Problem::parameter(PRINCIPAL, detail));
    }
    Ok((person, tokens.pop()))
}
