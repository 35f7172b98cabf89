//! The steps of a whole order.

use super::reading::{self, Sees};
use super::step_bodies::{AllotBody, StatusBody, StepBody};
use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::path::OrderAt;
use crate::resource::change::{ChangeRequest, by_meaning};
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use onhand_app::allocation::PlanError;
use onhand_app::orders::{OrderView, Planning, PlanningError, Shortage};
use onhand_domain::allocation::Rules;
use onhand_domain::identity::Permission;
use onhand_domain::orders::{Carrier, OrderStatus, OrderStep};
use onhand_domain::{Command, OrderId, Rejection, StoreId};
use serde::Serialize;
use smol_str::format_smolstr;
use std::sync::Arc;

/// How often stores are chosen for one request, while others take their pieces.
pub(super) const PLAN_TRIES: u32 = 8;

/// A step for which stores are chosen.
#[derive(Clone, Copy)]
enum Choice {
    Confirm,
    Allot,
}

/// True when a chosen store has less by now.
pub(super) fn is_stale(problem: &Problem) -> bool {
    problem.code() == Code::PlanStale
}

/// Why stores could not be chosen.
pub(super) fn short(error: PlanningError) -> Problem {
    #[derive(Serialize)]
    struct Shortages {
        shortages: Vec<Shortage>,
    }
    match error {
        PlanningError::Plan(PlanError::Read(error)) => error.into(),
        PlanningError::Plan(error @ PlanError::TooLarge { .. }) => {
            Problem::pointer("/lines", format!("{error}; order fewer SKUs at once, or name a store"))
        }
        PlanningError::Short(shortages) => {
            let detail = "There is not enough stock for the order: `shortages` has what is missing. Nothing changed; order less, wait \
                for stock, or let it wait with policy.partial: backorder.";
            Problem::new(Code::InsufficientStock, detail).extended(&Shortages { shortages })
        }
    }
}

/// `POST` and `PATCH /orders/{orderId}/status`
pub(super) async fn status(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StatusBody>,
) -> Result<Response, Problem> {
    let sees = Sees::of(&context.caller, Permission::OrdersManage)?;
    let scope = format_smolstr!("status of order {order_id}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    let StatusBody { status, reason, carrier, tracking, .. } = body;
    let view = sees.order(&node, &order_id).await?;
    let step = match status {
        OrderStatus::Confirmed => {
            return planned(&node, order_id, &change, (Choice::Confirm, &Planning::default())).await;
        }
        OrderStatus::Shipped => OrderStep::Ship(Carrier { carrier, tracking }),
        OrderStatus::Delivered => OrderStep::Deliver,
        OrderStatus::Cancelled => OrderStep::Cancel { reason },
        OrderStatus::Placed => return placed_again(&node, &view, &change).await,
    };
    let command = view.command(change.expected, step);
    let outcome = change.execute(&node, Command::Order(command)).await?;
    reading::answer(&node, &order_id, &outcome, false).await
}

/// An order does not go back to its placing; one that is there already stays.
async fn placed_again(node: &Node, view: &OrderView, change: &ChangeRequest) -> Result<Response, Problem> {
    let from = view.order.status();
    if from != OrderStatus::Placed {
        let text = |status: OrderStatus| status.as_str().into();
        let allowed = from.allowed().iter().map(|status| text(*status)).collect();
        let (from, to) = (text(from), text(OrderStatus::Placed));
        return Err(Rejection::IllegalTransition { from, to, allowed }.into());
    }
    // Checks the version that the caller expects.
    let command = view.command(change.expected, OrderStep::Allot(Vec::new()));
    let outcome = change.execute(node, Command::Order(command)).await?;
    reading::answer(node, &view.order_id, &outcome, false).await
}

/// `POST /orders/{orderId}/confirm`
pub(super) async fn confirm(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<AllotBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("confirm order {order_id}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    planned(&node, order_id, &change, (Choice::Confirm, &planning(body.rules, body.store_id))).await
}

/// `POST /orders/{orderId}/allot`
pub(super) async fn allot(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<AllotBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("allot order {order_id}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    planned(&node, order_id, &change, (Choice::Allot, &planning(body.rules, body.store_id))).await
}

/// `POST /orders/{orderId}/cancel`
pub(super) async fn cancel(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StepBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("cancel order {order_id}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    let view = order(&node, &order_id).await?;
    let command = view.command(change.expected, OrderStep::Cancel { reason: body.reason });
    let outcome = change.execute(&node, Command::Order(command)).await?;
    reading::answer(&node, &order_id, &outcome, false).await
}

/// Chooses stores and executes the command, again as long as others take their pieces meanwhile.
async fn planned(
    node: &Node,
    order_id: OrderId,
    change: &ChangeRequest,
    (choice, planning): (Choice, &Planning),
) -> Result<Response, Problem> {
    for _ in 0..PLAN_TRIES {
        let view = order(node, &order_id).await?;
        // The answer to a retry does not depend on the stock by now.
        let command = if node.ledger.is_retry(change.meta()) {
            view.command(change.expected, OrderStep::Allot(Vec::new()))
        } else {
            let chosen = match choice {
                Choice::Confirm => node.ledger.confirming(&view, planning, change.expected).await,
                Choice::Allot => node.ledger.allotting(&view, planning, change.expected).await,
            };
            chosen.map_err(short)?
        };
        match change.execute(node, Command::Order(command)).await {
            Err(problem) if is_stale(&problem) => {}
            Err(problem) => return Err(problem),
            Ok(outcome) => return reading::answer(node, &order_id, &outcome, false).await,
        }
    }
    Err(Problem::plain(Code::PlanStale))
}

/// An order, whoever may see it: its caller manages all of them.
pub(super) async fn order(node: &Node, order_id: &OrderId) -> Result<OrderView, Problem> {
    node.ledger.order(order_id).await?.ok_or_else(|| Problem::plain(Code::OrderNotFound))
}

/// The choice among all stores: only who manages orders everywhere takes these steps.
fn planning(rules: Option<Rules>, store_id: Option<StoreId>) -> Planning {
    Planning { rules, store_id, ..Planning::default() }
}
