//! Allocation: where the lines of an order would be sent from, and why; the rules of the chain (`routing`).

mod routing;
pub(crate) mod rules;

use crate::edge::body::JsonBody;
use crate::edge::endpoint::{get, post, put};
use crate::edge::gates::Gate;
use crate::edge::route::Need;
use crate::node::{Node, Routes};
use crate::request::caller::Caller;
use crate::request::field_rules::at_least_one;
use crate::request::optional::present;
use crate::request::query::Query;
use crate::response::problem::Problem;
use crate::stock::levels::moment;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::Uri;
use onhand_app::allocation::PlanError;
use onhand_domain::allocation::{Demand, DemandError, Rules};
use onhand_domain::identity::Permission;
use onhand_domain::{Quantity, Sku};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use validator::Validate;

/// Lines of one order.
const LINES_MAX: u64 = 200;

/// Request body: `{lines: [{sku, qty}], rules?}`.
#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PlanBody {
    #[validate(length(min = 1, max = LINES_MAX, message = "must have 1 to 200 lines"), nested)]
    lines: Vec<LineBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "rules::good_rules"))]
    rules: Option<Rules>,
}

/// `{sku, qty}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LineBody {
    sku: Sku,
    #[validate(custom(function = "at_least_one"))]
    qty: Quantity,
}

/// The routes of allocation.
pub(crate) fn routes() -> Routes {
    vec![
        post(Need::Somewhere(Permission::OrdersPlace), "/orders/plan", plan).query(&["asOf"]).waiting(),
        get(Need::Somewhere(Permission::OrdersRead), "/routing", routing::show).versioned(),
        put(Need::Everywhere(Permission::OrdersManage), "/routing", routing::replace),
    ]
}

/// `POST /orders/plan`: nothing is changed, and nothing is held. Stores whose stock the caller may not read are not considered.
async fn plan(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
    JsonBody(body): JsonBody<PlanBody>,
) -> Result<Response, Problem> {
    let as_of = Query::of(uri.query()).read("asOf", moment)?;
    let scope = caller.scope(Permission::StockRead, None)?;
    let lines = body.lines.into_iter().map(|line| (line.sku, line.qty));
    let demand = Demand::new(lines).map_err(|error| line_fault(&error))?;
    let rules = match body.rules {
        Some(rules) => rules,
        None => node.ledger.routing().await?.0.rules,
    };
    let _turn = node.gates.work(Gate::Reads).await?;
    let planned = node.ledger.plan(&demand, &rules, &scope, as_of).await;
    let plan = planned.map_err(|error| match error {
        PlanError::Read(error) => error.into(),
        PlanError::TooLarge { .. } => {
            Problem::pointer("/lines", format!("{error}; ask for fewer SKUs at once"))
        }
    })?;
    Ok(Json(plan).into_response())
}

fn line_fault(error: &DemandError) -> Problem {
    let pointer = match error {
        DemandError::NoLines => "/lines".to_owned(),
        DemandError::NoPieces(line) | DemandError::TooMany(line) => format!("/lines/{line}/qty"),
    };
    Problem::pointer(pointer, error.to_string())
}
