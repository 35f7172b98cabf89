//! The keys of signed tokens: published for verifiers, and rotated.

use crate::edge::body::JsonBody;
use crate::identity::keeper::with_vault;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use onhand_app::ports::PublicKey;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use validator::Validate;

/// `{revoke?}`
#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateKeysBody {
    #[serde(default)]
    revoke: bool,
}

/// A set of keys (RFC 7517), and the issuer of the tokens that they sign.
#[derive(Serialize)]
struct KeySet {
    issuer: String,
    keys: Vec<Key>,
}

/// A key of Ed25519 (RFC 8037).
#[derive(Serialize)]
struct Key {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    r#use: &'static str,
    kid: String,
    x: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rotated {
    key_id: String,
}

/// `GET /auth/keys`
pub(crate) async fn keys(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let keys = with_vault(&node, |vault| vault.public_keys()).await?;
    let shown = |key: PublicKey| Key {
        kty: "OKP",
        crv: "Ed25519",
        alg: "EdDSA",
        r#use: "sig",
        kid: key.key_id,
        x: key.x,
    };
    Ok(Json(KeySet { issuer: node.issuer(), keys: keys.into_iter().map(shown).collect() }).into_response())
}

/// `POST /auth/keys/rotate`
pub(crate) async fn rotate(
    State(node): State<Arc<Node>>,
    caller: Caller,
    JsonBody(body): JsonBody<RotateKeysBody>,
) -> Result<Response, Problem> {
    if !node.goes_on(&caller).await {
        return Err(Problem::plain(Code::Unauthorized));
    }
    let now = node.ledger.now();
    let key_id = with_vault(&node, move |vault| vault.rotate_keys(body.revoke, now)).await?;
    Ok(Json(Rotated { key_id }).into_response())
}
