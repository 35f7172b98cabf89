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
use onhand_domain::orders::{Line, OrderDetails, OrderMember, OrderStep, Pieces, Placed};
use onhand_domain::{Command, OrderId, Quantity, Rejection, Sequence};
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
    if sees.is_customer() {
        body.require_customers_own()?;
    }
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
    // The answer to a retry does not depend on the catalogue by now.
    let new = if node.ledger.is_retry(change.meta()) {
        let nobody = Personal::default();
        (NewOrder { order_id, details: OrderDetails::default(), lines: Vec::new(), is_named }, nobody)
    } else {
        new_order(&node, body, (order_id, is_named), known.as_ref()).await?
    };
    let (new, personal) = new;
    let mut sealed = None;
    for _ in 0..PLAN_TRIES {
        let mut command = node.ledger.placing(&new, &planning, change.meta()).await.map_err(short)?;
        // An order that is refused for its stock leaves no key behind.
        if let (None, OrderStep::Place(placed, _)) = (&known, &mut command.step) {
            if sealed.is_none() {
                sealed =
                    seal(&node, &new.order_id, new.details.customer_id.as_ref(), personal.clone()).await?;
            }
            placed.details.personal.clone_from(&sealed);
        }
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
) -> Result<(NewOrder, Personal), Problem> {
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
    total_of(&lines)?;
    let personal = Personal { customer: body.customer, ship_to: body.ship_to };
    let differs = differs_in_person(node, &personal, known).await?;
    let details = OrderDetails {
        channel_id: body.channel_id,
        external_id: body.external_id,
        customer_id: body.customer_id,
        personal: known.and_then(|known| known.order.details.personal.clone()),
        currency: currency.map(|currency| SmolStr::new(currency.as_str())),
        policy: body.policy.policy(),
    };
    match known.filter(|_| differs) {
        Some(known) => Err(other_address(known, details, lines)),
        None => Ok((NewOrder { order_id, details, lines, is_named }, personal)),
    }
}

/// The order is there already, with another address, and what else is different.
fn other_address(known: &OrderView, details: OrderDetails, lines: Vec<Line>) -> Problem {
    let placed_at = known.order.placed_at;
    let placed = Placed { placed_at, details, lines, routing: None, rules: None, looked: Vec::new() };
    let mut differs = known.order.differs(&placed);
    if !differs.contains(&OrderMember::Personal) {
        let place = differs.partition_point(|member| *member < OrderMember::Personal);
        differs.insert(place, OrderMember::Personal);
    }
    Rejection::OrderExists { current_version: known.order.version, differs }.into()
}

/// Checks that the amounts of the lines have a sum.
fn total_of(lines: &[Line]) -> Result<(), Problem> {
    let mut total = Quantity::ZERO;
    for (index, line) in lines.iter().enumerate() {
        total = total.checked_add(line.amount().unwrap_or_default()).ok_or_else(|| {
            let detail = "makes a total beyond 9007199254740991; send smaller numbers, or two orders";
            Problem::pointer(format!("/lines/{index}/unitPrice"), detail)
        })?;
    }
    Ok(())
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
    if line.amount().is_some_and(|amount| amount < line.tax.unwrap_or_default()) {
        let detail = "must be at most the price of the whole line";
        return Err(Problem::pointer(format!("/lines/{}/discount", number - 1), detail));
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

/// Whether the order that is there already has another customer or address.
async fn differs_in_person(
    node: &Node,
    personal: &Personal,
    known: Option<&OrderView>,
) -> Result<bool, Problem> {
    let Some(known) = known else { return Ok(false) };
    let opened = open(node, known).await?;
    Ok(!opened.erased && opened.personal != *personal)
}
