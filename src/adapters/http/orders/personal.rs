//! Names and addresses: sealed before they come to the ledger, opened for those who may see the order.

use super::bodies::{AddressBody, CustomerBody};
use crate::node::Node;
use crate::response::code::Code;
use crate::response::problem::Problem;
use onhand_app::blocking;
use onhand_app::orders::OrderView;
use onhand_domain::orders::OrderDetails;
use onhand_domain::{CustomerId, OrderId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::sync::Arc;

/// What is personal about an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Personal {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<CustomerBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ship_to: Option<AddressBody>,
}

/// What is personal, as far as it can be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened {
    pub(super) personal: Personal,
    /// True when it was erased.
    pub(super) erased: bool,
}

/// Whose key it is: the customer's, or that of the order of a guest, whose id no customer can have.
pub(super) fn subject(order_id: &OrderId, customer_id: Option<&CustomerId>) -> String {
    customer_id.map_or_else(|| format!("#{order_id}"), ToString::to_string)
}

/// Seals what is personal; nothing where nothing is.
pub(super) async fn seal(
    node: &Node,
    order_id: &OrderId,
    customer_id: Option<&CustomerId>,
    personal: Personal,
) -> Result<Option<SmolStr>, Problem> {
    if personal == Personal::default() {
        return Ok(None);
    }
    let keys = node.personal.clone().ok_or_else(|| Problem::plain(Code::NotReady))?;
    let (subject, place) = (subject(order_id, customer_id), place(order_id));
    let plain = serde_json::to_vec(&personal).expect("texts become JSON");
    let sealed = blocking(move || keys.seal(&subject, &place, &plain)).await;
    sealed.map(|text| Some(SmolStr::from(text))).map_err(|error| Problem::of_vault(&error))
}

/// Opens what is personal about an order.
pub(super) async fn open(node: &Node, view: &OrderView) -> Result<Opened, Problem> {
    let OrderDetails { personal, customer_id, .. } = &view.order.details;
    let Some(sealed) = personal.clone() else { return Ok(Opened::default()) };
    let keys = node.personal.clone().ok_or_else(|| Problem::plain(Code::NotReady))?;
    let (subject, place) = (subject(&view.order_id, customer_id.as_ref()), place(&view.order_id));
    let opened = blocking(move || keys.open(&subject, &place, &sealed)).await;
    let Some(plain) = opened.map_err(|error| Problem::of_vault(&error))? else {
        return Ok(Opened { erased: true, ..Opened::default() });
    };
    let personal =
        serde_json::from_slice(&plain).map_err(|error| Problem::plain(Code::Internal).because(&error))?;
    Ok(Opened { personal, erased: false })
}

/// Opens what is personal about some orders, in their order.
pub(super) async fn open_all(node: &Arc<Node>, views: &[OrderView]) -> Result<Vec<Opened>, Problem> {
    let mut opened = Vec::with_capacity(views.len());
    for view in views {
        opened.push(open(node, view).await?);
    }
    Ok(opened)
}

fn place(order_id: &OrderId) -> String {
    format!("order {order_id}")
}
