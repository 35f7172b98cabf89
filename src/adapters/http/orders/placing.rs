//! `POST /orders`: stores are chosen, and their pieces held, in one change.

use super::bodies::{OrderBody, OrderLineBody};
use super::personal::{Personal, open, seal};
use super::reading::{self, Sees};
use super::steps::{PLAN_TRIES, is_stale, short};
use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::resource::change::{ChangeRequest, by_meaning};
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use onhand_app::orders::{NewOrder, OrderView, Planning};
use onhand_domain::catalogue::{Currency, Price};
use onhand_domain::identity::{Permission, StoreScope};
use onhand_domain::orders::{Line, OrderDetails, OrderMember, Pieces};
use onhand_domain::{Command, CustomerId, OrderId, Quantity, Rejection, Sequence};
use smol_str::SmolStr;
use std::sync::Arc;
use uuid::Uuid;

/// `POST /orders`: 201; 200 when there is an order of that id with the same content.
pub(super) async fn place(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(mut body): JsonBody<OrderBody>,
) -> Result<Response, Problem> {
    context.unconditional("an order that is placed has no version yet; leave it out")?;
    let sees = Sees::of(&context.caller, Permission::OrdersPlace)?;
    body.customer_id = sees.customer(body.customer_id.take())?;
    let named = body.named_id()?;
    let is_named = named.is_some();
    let order_id = named.unwrap_or_else(fresh_id);
    let change =
        ChangeRequest::new(context, None, |key| by_meaning(key, SmolStr::new_static("place order"), &body))?;
    let known = if is_named { node.ledger.order(&order_id).await? } else { None };
    let planning = Planning {
        rules: body.rules.take(),
        scope: if sees.is_customer() { StoreScope::default() } else { sees.scope().clone() },
        store_id: body.store_id.clone(),
        without: Vec::new(),
    };
    let new = new_order(&node, body, (order_id, is_named), known.as_ref()).await?;
    for _ in 0..PLAN_TRIES {
        let command = node.ledger.placing(&new, &planning, change.meta()).await.map_err(short)?;
        match change.execute(&node, Command::Order(command)).await {
            Err(problem) if is_stale(&problem) => {}
            Err(problem) => return Err(problem),
            Ok(outcome) => {
                let id = reading::order_in(&outcome.events).unwrap_or(new.order_id);
                let created = outcome.replayed || outcome.sequence != Sequence::START;
                return reading::answer(&node, &id, &outcome, created).await;
            }
        }
    }
    Err(Problem::plain(Code::PlanStale))
}

/// An id of the server's own: `o-` and a UUID of version 7.
fn fresh_id() -> OrderId {
    OrderId::new(&format!("o-{}", Uuid::now_v7())).expect("it has the form of an id")
}

/// The order of a body. What it leaves out of a line is that of the catalogue, or of the order that is there already.
async fn new_order(
    node: &Node,
    body: OrderBody,
    (order_id, is_named): (OrderId, bool),
    known: Option<&OrderView>,
) -> Result<NewOrder, Problem> {
    let of_known = known.and_then(|view| view.order.details.currency.as_deref());
    let mut currency = body.currency.or_else(|| of_known.and_then(|code| Currency::new(code).ok()));
    let mut lines = Vec::with_capacity(body.lines.len());
    for (number, line) in (1..).zip(body.lines) {
        let before = known.and_then(|view| view.order.lines.get(usize::from(number) - 1));
        let before = before.filter(|before| before.sku == line.sku);
        lines.push(whole_line(node, number, line, before, &mut currency).await?);
    }
    let priced = lines.iter().position(|line| line.unit_price.is_some());
    if let (Some(line), None) = (priced, currency) {
        return Err(Problem::pointer(
            "/currency",
            format!("must be there, because line {} has a price", line + 1),
        ));
    }
    let personal = Personal { customer: body.customer, ship_to: body.ship_to };
    let personal = personal_of(node, &order_id, body.customer_id.as_ref(), personal, known).await?;
    let details = OrderDetails {
        channel_id: body.channel_id,
        external_id: body.external_id,
        customer_id: body.customer_id,
        personal,
        currency: currency.map(|currency| SmolStr::new(currency.as_str())),
        policy: body.policy.policy(),
    };
    Ok(NewOrder { order_id, details, lines, is_named })
}

async fn whole_line(
    node: &Node,
    number: u16,
    body: OrderLineBody,
    before: Option<&Line>,
    currency: &mut Option<Currency>,
) -> Result<Line, Problem> {
    let OrderLineBody { sku, qty, mut name, mut unit_price, discount, tax } = body;
    if let Some(before) = before {
        name = name.or_else(|| before.name.clone());
        unit_price = unit_price.or(before.unit_price);
    } else if name.is_none() || unit_price.is_none() {
        let product = node.ledger.product(&sku).await?.map(|view| view.product);
        name = name.or_else(|| product.as_ref().map(|product| product.name.clone()));
        if let (None, Some(price)) = (unit_price, product.and_then(|product| product.unit_price)) {
            unit_price = Some(amount_of(number, price, currency)?);
        }
    }
    let line = Line { line: number, sku, name, qty, unit_price, discount, tax, pieces: Pieces::default() };
    if line.unit_price.is_some() && line.amount().is_none() {
        let detail = "makes an amount beyond 9007199254740991; send a smaller number";
        return Err(Problem::pointer(format!("/lines/{}/unitPrice", number - 1), detail));
    }
    Ok(line)
}

/// The price of the catalogue, in the currency of the order.
fn amount_of(number: u16, price: Price, currency: &mut Option<Currency>) -> Result<Quantity, Problem> {
    let pointer = || format!("/lines/{}/unitPrice", number - 1);
    let wanted = *currency.get_or_insert(price.currency);
    if wanted != price.currency {
        let detail = format!(
            "is in {} in the catalogue, and the order in {wanted}; send the price of the line in {wanted}",
            price.currency.as_str(),
            wanted = wanted.as_str()
        );
        return Err(Problem::pointer(pointer(), detail));
    }
    let amount = i64::try_from(price.amount_minor).ok().and_then(|amount| Quantity::new(amount).ok());
    amount.ok_or_else(|| Problem::pointer(pointer(), "is beyond 9007199254740991 in the catalogue"))
}

/// What is personal, sealed; that of the order which is there already, when it is the same.
async fn personal_of(
    node: &Node,
    order_id: &OrderId,
    customer_id: Option<&CustomerId>,
    personal: Personal,
    known: Option<&OrderView>,
) -> Result<Option<SmolStr>, Problem> {
    let Some(known) = known else { return seal(node, order_id, customer_id, personal).await };
    let opened = open(node, known).await?;
    if opened.erased || opened.personal == personal {
        return Ok(known.order.details.personal.clone());
    }
    let current_version = known.order.version;
    Err(Rejection::OrderExists { current_version, differs: vec![OrderMember::Personal] }.into())
}
