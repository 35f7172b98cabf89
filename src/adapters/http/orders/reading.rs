//! Reads of orders, and who sees which.
//!
//! Who may read orders everywhere sees all of them; who may in some stores, those with a shipment in one of them; a customer sees
//! their own. What a caller does not see does not exist for them.

use super::history_shown::RevisionShown;
use super::personal::{open, open_all};
use super::shown::OrderShown;
use crate::node::Node;
use crate::request::caller::Caller;
use crate::request::path::OrderAt;
use crate::request::query::Query;
use crate::resource::change::changed;
use crate::resource::list::ListPage;
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri};
use onhand_app::Outcome;
use onhand_app::orders::{OrderFilter, OrderMark, OrderView};
use onhand_domain::identity::{Permission, StoreScope};
use onhand_domain::orders::{Allocation, OrderStatus};
use onhand_domain::{CustomerId, Event, Fact, OrderId, StoreId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::sync::Arc;

/// The query parameters of the list.
pub(super) const PARAMETERS: &[&str] = &[
    "limit",
    "cursor",
    "status",
    "allocation",
    "channelId",
    "customerId",
    "storeId",
    "search",
    "from",
    "to",
];

/// Which orders a caller sees.
pub(super) struct Sees {
    scope: StoreScope,
    /// The customer whose orders these are, where the caller is one.
    customer: Option<CustomerId>,
}

impl Sees {
    /// Those for which the caller has the permission.
    ///
    /// # Errors
    /// 403 when there are none.
    pub(super) fn of(caller: &Caller, needs: Permission) -> Result<Self, Problem> {
        let scope = caller.scope(needs, None);
        if scope.is_err() && caller.access().may_own(needs) {
            let id = caller.authority().map(|authority| authority.principal_id.as_str());
            let customer = id.and_then(|id| CustomerId::new(id).ok());
            let customer = customer.ok_or_else(|| Problem::plain(Code::Forbidden))?;
            return Ok(Self { scope: StoreScope::default(), customer: Some(customer) });
        }
        Ok(Self { scope: scope?, customer: None })
    }

    /// True for a customer.
    pub(super) const fn is_customer(&self) -> bool {
        self.customer.is_some()
    }

    /// The stores of the caller.
    pub(super) const fn scope(&self) -> &StoreScope {
        &self.scope
    }

    /// The customer of an order that the caller places: a customer orders for themselves.
    ///
    /// # Errors
    /// 400 when a customer names another one.
    pub(super) fn customer(&self, asked: Option<CustomerId>) -> Result<Option<CustomerId>, Problem> {
        match (&self.customer, asked) {
            (None, asked) => Ok(asked),
            (Some(own), Some(asked)) if asked != *own => {
                Err(Problem::pointer("/customerId", "is not yours; leave it out"))
            }
            (Some(own), _) => Ok(Some(own.clone())),
        }
    }

    fn sees(&self, view: &OrderView) -> bool {
        let is_own = |own: &CustomerId| view.order.details.customer_id.as_ref() == Some(own);
        let within = || view.order.shipments.iter().any(|store| self.scope.covers(store));
        self.customer.as_ref().is_none_or(is_own) && (self.scope.is_everywhere() || within())
    }

    /// An order, if the caller sees it.
    ///
    /// # Errors
    /// 404.
    pub(super) async fn order(&self, node: &Node, order_id: &OrderId) -> Result<OrderView, Problem> {
        let view = node.ledger.order(order_id).await?.filter(|view| self.sees(view));
        view.ok_or_else(|| Problem::plain(Code::OrderNotFound))
    }
}

/// `GET /orders/{orderId}`
pub(super) async fn one(
    State(node): State<Arc<Node>>,
    caller: Caller,
    OrderAt(order_id): OrderAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = Sees::of(&caller, Permission::OrdersRead)?.order(&node, &order_id).await?;
    let opened = open(&node, &view).await?;
    Ok(shown(&headers, view.order.version, &OrderShown::of(&view, &opened)))
}

/// `GET /orders/{orderId}/history`
pub(super) async fn history(
    State(node): State<Arc<Node>>,
    caller: Caller,
    OrderAt(order_id): OrderAt,
) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct HistoryBody<'a> {
        items: Vec<RevisionShown<'a>>,
    }
    let view = Sees::of(&caller, Permission::OrdersRead)?.order(&node, &order_id).await?;
    let revisions = node.ledger.order_history(&view).await?;
    Ok(Json(HistoryBody { items: revisions.iter().map(RevisionShown::of).collect() }).into_response())
}

/// `GET /orders`: the newest first.
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    let sees = Sees::of(&caller, Permission::OrdersRead)?;
    let query = Query::of(uri.query());
    let page = ListPage::of("orders", &query, &uri)?.within(&sees.scope);
    let after = page.after(OrderMark::parse)?;
    let asked = query.read("customerId", CustomerId::new)?;
    if sees.is_customer() && asked.is_some() && asked != sees.customer {
        return Err(Problem::parameter("customerId", "is not yours; leave it out"));
    }
    let filter = OrderFilter {
        status: query.read("status", word::<OrderStatus>)?,
        allocation: query.read("allocation", word::<Allocation>)?,
        channel_id: query.get("channelId").map(SmolStr::new),
        customer_id: sees.customer.clone().or(asked),
        store_id: query.read("storeId", StoreId::new)?,
        search: query.get("search").map(str::to_ascii_lowercase),
        from: query.read("from", time)?,
        to: query.read("to", time)?,
        scope: sees.scope.clone(),
    };
    let found = page.cut(node.ledger.orders(filter, after, page.rows_max()).await?);
    let opened = open_all(&node, &found.rows).await?;
    let items: Vec<OrderShown> =
        found.rows.iter().zip(&opened).map(|(view, opened)| OrderShown::of(view, opened)).collect();
    let mark =
        |view: &OrderView| OrderMark { placed_at: view.order.placed_at, order_id: view.order_id.clone() };
    Ok(page.answer(&items, found.next(mark)))
}

/// A word of a closed list, as in JSON.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, serde::de::value::Error> {
    T::deserialize(serde::de::value::StrDeserializer::new(text))
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).map_err(|_| "must be a time like 2026-11-20T16:00:00.000Z (RFC 3339)")
}

/// The order that some events are about.
pub(super) fn order_in(events: &[Event]) -> Option<OrderId> {
    events.iter().find_map(|event| match &event.fact {
        Fact::Order(fact) => Some(fact.order_id.clone()),
        Fact::Shipment(fact) => Some(fact.shipment_id.order_id()),
        _ => None,
    })
}

/// The answer to a change: the order as it is now, also to a retry.
pub(super) async fn answer(
    node: &Node,
    order_id: &OrderId,
    outcome: &Outcome,
    created: bool,
) -> Result<Response, Problem> {
    let view = node.ledger.order(order_id).await?.ok_or_else(|| Problem::plain(Code::OrderNotFound))?;
    let opened = open(node, &view).await?;
    let address = created.then(|| format!("/orders/{order_id}"));
    Ok(changed(outcome, view.order.version, &OrderShown::of(&view, &opened), address.as_deref()))
}
