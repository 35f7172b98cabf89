//! Shipments: what a store has to send, and the steps of one. A store sees its own, with the address they go to.

use super::personal::open;
use super::shown::ShipmentShown;
use super::step_bodies::{RefuseBody, ShipBody, StepBody};
use super::steps::{PLAN_TRIES, is_stale, short};
use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::context::RequestContext;
use crate::request::path::ShipmentAt;
use crate::request::query::Query;
use crate::resource::change::{ChangeRequest, by_meaning, changed};
use crate::resource::list::ListPage;
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use onhand_app::orders::{OrderMark, OrderView, ShipmentView};
use onhand_domain::identity::Permission;
use onhand_domain::orders::{Carrier, LineQty, OrderStep, PartStep, Refused, ShipmentId};
use onhand_domain::{Command, StoreId};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// The query parameters of the list.
pub(super) const PARAMETERS: &[&str] = &["limit", "cursor", "storeId"];

/// A step as the caller requests it.
enum Wanted {
    Instruct,
    Ship(ShipBody),
    Deliver,
    Refuse(Refused, Option<SmolStr>),
    Cancel(Option<SmolStr>),
}

/// `GET /shipments?storeId=`: those that are not closed, of the oldest orders first.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let store_id = query.read("storeId", StoreId::new)?;
    let store_id =
        store_id.ok_or_else(|| Problem::parameter("storeId", "must be there: whose shipments?"))?;
    caller.scope(Permission::OrdersShip, Some(&store_id))?;
    let page = ListPage::of("shipments", &query, &uri)?;
    let after = page.after(OrderMark::parse)?;
    // A page is one of orders: the shipments of an order in one store are few.
    let found = node.ledger.open_orders_of(&store_id, after.as_ref(), page.rows_max()).await?;
    let found = page.cut(found);
    let mut opened = Vec::with_capacity(found.rows.len());
    for (_, view) in &found.rows {
        opened.push(open(&node, view).await?);
    }
    let rows = found.rows.iter().zip(&opened);
    let items: Vec<_> = rows
        .flat_map(|((_, order), opened)| {
            let open = order.shipments.iter();
            let open = open.filter(|view| view.store_id == store_id && !view.shipment.is_closed());
            open.map(move |view| ShipmentShown::with_address(view, opened, order.order.placed_at))
        })
        .collect();
    Ok(page.answer(&items, found.next(|(mark, _)| mark)))
}

/// `GET /shipments/{shipmentId}`
pub(super) async fn one(
    State(node): State<Arc<Node>>,
    caller: Caller,
    ShipmentAt(id): ShipmentAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (order, view) = found(&node, &caller, &id).await?;
    let opened = open(&node, &order).await?;
    let body = ShipmentShown::with_address(&view, &opened, order.order.placed_at);
    Ok(shown(&headers, view.shipment.version, &body))
}

/// A shipment of a store of the caller, with its order.
async fn found(node: &Node, caller: &Caller, id: &ShipmentId) -> Result<(OrderView, ShipmentView), Problem> {
    let order = node.ledger.order(&id.order_id()).await?;
    let view =
        order.as_ref().and_then(|order| order.shipments.iter().find(|view| view.shipment_id == *id)).cloned();
    let missing = || Problem::plain(Code::ShipmentNotFound);
    let (order, view) = order.zip(view).ok_or_else(missing)?;
    // Which orders other stores have is none of the caller's business.
    let within = caller.access().may_in(Permission::OrdersShip, &view.store_id);
    if within { Ok((order, view)) } else { Err(missing()) }
}

/// `POST /shipments/{shipmentId}/instruct`
pub(super) async fn instruct(
    State(node): State<Arc<Node>>,
    ShipmentAt(id): ShipmentAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StepBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("instruct", &id), &body)?;
    step(&node, &id, &change, &Wanted::Instruct).await
}

/// `POST /shipments/{shipmentId}/ship`
pub(super) async fn ship(
    State(node): State<Arc<Node>>,
    ShipmentAt(id): ShipmentAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ShipBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("ship", &id), &body)?;
    step(&node, &id, &change, &Wanted::Ship(body)).await
}

/// The pieces of a body, with the SKU of each line.
fn lines_of(view: &ShipmentView, body: &ShipBody) -> Result<Vec<LineQty>, Problem> {
    let mut lines: Vec<LineQty> = Vec::with_capacity(body.lines.len());
    for (index, pieces) in body.lines.iter().enumerate() {
        let pointer = || format!("/lines/{index}/line");
        let line = view.shipment.lines.iter().find(|line| line.line == pieces.line);
        let line = line.ok_or_else(|| Problem::pointer(pointer(), "is none of the shipment's lines"))?;
        if lines.iter().any(|known| known.line == line.line) {
            return Err(Problem::pointer(pointer(), "comes twice; send each line once"));
        }
        lines.push(LineQty { line: line.line, sku: line.sku.clone(), qty: pieces.qty });
    }
    lines.sort_by_key(|line| line.line);
    Ok(lines)
}

/// `POST /shipments/{shipmentId}/deliver`
pub(super) async fn deliver(
    State(node): State<Arc<Node>>,
    ShipmentAt(id): ShipmentAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StepBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("deliver", &id), &body)?;
    step(&node, &id, &change, &Wanted::Deliver).await
}

/// `POST /shipments/{shipmentId}/refuse`: other stores send it in its place, where they have it.
pub(super) async fn refuse(
    State(node): State<Arc<Node>>,
    ShipmentAt(id): ShipmentAt,
    context: RequestContext,
    JsonBody(body): JsonBody<RefuseBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("refuse", &id), &body)?;
    step(&node, &id, &change, &Wanted::Refuse(body.reason, body.note)).await
}

/// `POST /shipments/{shipmentId}/cancel`: its pieces wait again.
pub(super) async fn cancel(
    State(node): State<Arc<Node>>,
    ShipmentAt(id): ShipmentAt,
    context: RequestContext,
    JsonBody(body): JsonBody<StepBody>,
) -> Result<Response, Problem> {
    let change = change(context, body.expected_version, ("cancel", &id), &body)?;
    step(&node, &id, &change, &Wanted::Cancel(body.reason)).await
}

fn change(
    context: RequestContext,
    expected_version: Option<u64>,
    (verb, id): (&str, &ShipmentId),
    body: &impl serde::Serialize,
) -> Result<ChangeRequest, Problem> {
    let scope = format_smolstr!("{verb} shipment {id}");
    ChangeRequest::new(context, expected_version, |key| by_meaning(key, scope, body))
}

impl Wanted {
    async fn step(
        &self,
        node: &Node,
        (order, view): (&OrderView, &ShipmentView),
    ) -> Result<PartStep, Problem> {
        Ok(match self {
            Self::Instruct => PartStep::Instruct,
            Self::Ship(body) => {
                let carrier = Carrier { carrier: body.carrier.clone(), tracking: body.tracking.clone() };
                PartStep::Ship { lines: lines_of(view, body)?, carrier }
            }
            Self::Deliver => PartStep::Deliver,
            Self::Refuse(refused, reason) => {
                let held = view.shipment.held();
                let planned = node.ledger.in_place_of(order, &view.store_id, &held).await;
                let (refused, reason) = (*refused, reason.clone());
                PartStep::Refuse { refused, reason, planned: planned.map_err(short)? }
            }
            Self::Cancel(reason) => PartStep::Cancel { reason: reason.clone() },
        })
    }
}

/// Executes a step, again as long as a store that was chosen has less by then. The answer is the shipment.
async fn step(
    node: &Node,
    id: &ShipmentId,
    change: &ChangeRequest,
    wanted: &Wanted,
) -> Result<Response, Problem> {
    for _ in 0..PLAN_TRIES {
        let (order, view) = found(node, change.caller(), id).await?;
        let step = wanted.step(node, (&order, &view)).await?;
        let store_id = view.store_id.clone();
        let step = OrderStep::Part { number: id.number(), store_id, step };
        let command = order.command(change.expected, step);
        match change.execute(node, Command::Order(command)).await {
            Err(problem) if is_stale(&problem) => {}
            Err(problem) => return Err(problem),
            Ok(outcome) => {
                let view = node.ledger.shipment(id).await?;
                let view = view.ok_or_else(|| Problem::plain(Code::ShipmentNotFound))?;
                return Ok(changed(&outcome, view.shipment.version, &ShipmentShown::of(&view), None));
            }
        }
    }
    Err(Problem::plain(Code::PlanStale))
}
