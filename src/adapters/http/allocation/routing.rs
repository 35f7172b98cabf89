//! `/routing`: the rules by which stores are chosen, for all orders and for those of single channels.

use super::rules::good_rules;
use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::field_rules::version;
use crate::request::optional::present;
use crate::resource::change::{ChangeRequest, by_meaning, changed};
use crate::resource::read::shown;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use onhand_domain::Command;
use onhand_domain::allocation::{Routing, RoutingCommand, Rules};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;
use validator::{Validate, ValidationError};

/// Channels with rules of their own.
const CHANNELS_MAX: usize = 64;
/// Stores of which a rule says something.
const STORES_MAX: usize = 1_000;

/// Request body: `{rules, channels?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RoutingBody {
    #[validate(custom(function = "bounded"))]
    rules: Rules,
    #[serde(default)]
    #[validate(custom(function = "channels"))]
    channels: BTreeMap<SmolStr, Rules>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    expected_version: Option<u64>,
}

#[derive(Serialize)]
struct RoutingShown<'a> {
    #[serde(flatten)]
    routing: &'a Routing,
    version: u64,
}

/// `GET /routing`
pub(super) async fn show(State(node): State<Arc<Node>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (routing, version) = node.ledger.routing().await?;
    Ok(shown(&headers, version, &RoutingShown { routing: &routing, version }))
}

/// `PUT /routing`: orders that are placed from then on.
pub(super) async fn replace(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(body): JsonBody<RoutingBody>,
) -> Result<Response, Problem> {
    let scope = SmolStr::new_static("replace routing");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    let routing = Routing { rules: body.rules, channels: body.channels };
    let command = RoutingCommand { expected: change.expected, routing: Box::new(routing.clone()) };
    let (outcome, event) = change.execute_one(&node, Command::Routing(command)).await?;
    let version = event.after.version();
    Ok(changed(&outcome, version, &RoutingShown { routing: &routing, version }, None))
}

fn bounded(one: &Rules) -> Result<(), ValidationError> {
    if one.stores.len() > STORES_MAX {
        return fault("says something of more than 1000 stores");
    }
    good_rules(one)
}

fn channels(channels: &BTreeMap<SmolStr, Rules>) -> Result<(), ValidationError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_id = |id: &SmolStr| (1..=32).contains(&id.len()) && id.bytes().all(plain);
    if channels.len() > CHANNELS_MAX {
        return fault("must have at most 64 channels");
    }
    if !channels.keys().all(is_id) {
        return fault("each channel must have 1-32 of A-Z a-z 0-9 -");
    }
    channels.values().try_for_each(bounded)
}

fn fault(message: &'static str) -> Result<(), ValidationError> {
    Err(ValidationError::new("rule").with_message(message.into()))
}
