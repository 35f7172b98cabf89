//! Payments, returns and the hold of an order.

use super::after_bodies::{PaymentBody, ReceiptBody, ReturnBody};
use super::reading;
use super::step_bodies::StepBody;
use super::steps::order;
use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::path::{OrderAt, ReturnAt};
use crate::resource::change::{ChangeRequest, by_meaning};
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use onhand_app::orders::OrderView;
use onhand_domain::orders::{OrderStep, Payment, Return, ReturnLine, ReturnState};
use onhand_domain::{Command, OrderId, Quantity, Timestamp};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// `POST /orders/{orderId}/payments`: a record, nothing is paid here.
pub(super) async fn pay(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<PaymentBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("pay", &order_id), &body)?;
    let PaymentBody { payment_id, kind, amount, reference, .. } = body;
    // The decision sets the time.
    let payment = Payment { payment_id, kind, amount, reference, at: Timestamp::EPOCH };
    let view = order(&node, &order_id).await?;
    execute(&node, &view, &change, OrderStep::Pay(payment)).await
}

/// `POST /orders/{orderId}/hold`
pub(super) async fn hold(
    state: State<Arc<Node>>,
    at: OrderAt,
    context: RequestContext,
    body: JsonBody<StepBody>,
) -> Result<Response, Problem> {
    set_hold(state, at, context, body, true).await
}

/// `POST /orders/{orderId}/release-hold`
pub(super) async fn release_hold(
    state: State<Arc<Node>>,
    at: OrderAt,
    context: RequestContext,
    body: JsonBody<StepBody>,
) -> Result<Response, Problem> {
    set_hold(state, at, context, body, false).await
}

async fn set_hold(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StepBody>,
    hold: bool,
) -> Result<Response, Problem> {
    let verb = if hold { "hold" } else { "release hold of" };
    let change = change(context, body.expected_version, (verb, &order_id), &body)?;
    let view = order(&node, &order_id).await?;
    execute(&node, &view, &change, OrderStep::Hold { hold, reason: body.reason }).await
}

/// `POST /orders/{orderId}/returns`: a return is requested.
pub(super) async fn request_return(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ReturnBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("request return of", &order_id), &body)?;
    let pieces = body.lines.iter().map(|pieces| (pieces.line, pieces.qty, Quantity::ZERO));
    let view = order(&node, &order_id).await?;
    let lines = lines_of(&view, pieces)?;
    let (return_id, reason) = (body.return_id, body.reason);
    let step = Return { return_id, state: ReturnState::Requested, lines, store_id: None, reason };
    returned(&node, &view, &change, step).await
}

/// `POST /orders/{orderId}/returns/{returnId}/approve`
pub(super) async fn approve(
    state: State<Arc<Node>>,
    at: ReturnAt,
    context: RequestContext,
    body: JsonBody<StepBody>,
) -> Result<Response, Problem> {
    next(state, at, context, body, ReturnState::Approved).await
}

/// `POST /orders/{orderId}/returns/{returnId}/refuse`
pub(super) async fn refuse(
    state: State<Arc<Node>>,
    at: ReturnAt,
    context: RequestContext,
    body: JsonBody<StepBody>,
) -> Result<Response, Problem> {
    next(state, at, context, body, ReturnState::Refused).await
}

/// `POST /orders/{orderId}/returns/{returnId}/close`
pub(super) async fn close(
    state: State<Arc<Node>>,
    at: ReturnAt,
    context: RequestContext,
    body: JsonBody<StepBody>,
) -> Result<Response, Problem> {
    next(state, at, context, body, ReturnState::Closed).await
}

/// `POST /orders/{orderId}/returns/{returnId}/receive`: pieces that can be sold are stock of the store.
pub(super) async fn receive(
    State(node): State<Arc<Node>>,
    ReturnAt { order_id, return_id }: ReturnAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ReceiptBody>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("receive {return_id} of");
    let change = change(context, body.expected_version, (&scope, &order_id), &body)?;
    let view = order(&node, &order_id).await?;
    let pieces = body.lines.iter().map(|pieces| (pieces.line, pieces.qty, pieces.sellable));
    let (lines, store_id, reason) = (lines_of(&view, pieces)?, Some(body.store_id), body.reason);
    let step = Return { return_id, state: ReturnState::Received, lines, store_id, reason };
    returned(&node, &view, &change, step).await
}

async fn next(
    State(node): State<Arc<Node>>,
    ReturnAt { order_id, return_id }: ReturnAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StepBody>,
    state: ReturnState,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("{} return {return_id} of", state.as_str());
    let change = change(context, body.expected_version, (&scope, &order_id), &body)?;
    let view = order(&node, &order_id).await?;
    let step = Return { return_id, state, lines: Vec::new(), store_id: None, reason: body.reason };
    returned(&node, &view, &change, step).await
}

/// Pieces by line, in order; each line once, and one of the order's.
fn lines_of(
    view: &OrderView,
    pieces: impl Iterator<Item = (u16, Quantity, Quantity)>,
) -> Result<Vec<ReturnLine>, Problem> {
    let mut lines: Vec<ReturnLine> = Vec::new();
    for (index, (line, qty, sellable)) in pieces.enumerate() {
        let fault = |detail| Err(Problem::pointer(format!("/lines/{index}/line"), detail));
        if !view.order.lines.iter().any(|known| known.line == line) {
            return fault("is none of the order's lines");
        }
        if lines.iter().any(|known| known.line == line) {
            return fault("comes twice; send each line once");
        }
        lines.push(ReturnLine { line, qty, sellable });
    }
    lines.sort_by_key(|line| line.line);
    Ok(lines)
}

async fn returned(
    node: &Node,
    view: &OrderView,
    change: &ChangeRequest,
    step: Return,
) -> Result<Response, Problem> {
    let skus = view.order.lines.iter().map(|line| line.sku.clone()).collect();
    execute(node, view, change, OrderStep::Return { step: Box::new(step), skus }).await
}

async fn execute(
    node: &Node,
    view: &OrderView,
    change: &ChangeRequest,
    step: OrderStep,
) -> Result<Response, Problem> {
    let outcome = change.execute(node, Command::Order(view.command(change.expected, step))).await?;
    reading::answer(node, &view.order_id, &outcome, false).await
}

fn change(
    context: RequestContext,
    expected_version: Option<u64>,
    (verb, order_id): (&str, &OrderId),
    body: &impl Serialize,
) -> Result<ChangeRequest, Problem> {
    let scope: SmolStr = format_smolstr!("{verb} order {order_id}");
    ChangeRequest::new(context, expected_version, |key| by_meaning(key, scope, body))
}
