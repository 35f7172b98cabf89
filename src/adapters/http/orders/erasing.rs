//! Erasure of personal data: the key goes, and with it every copy in log, archive, snapshots and backups.

use super::personal::subject;
use crate::edge::body::JsonBody;
use crate::node::Node;
use crate::request::path::{CustomerAt, OrderAt};
use crate::response::code::Code;
use crate::response::hints::Noted;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use onhand_app::blocking;
use onhand_app::ports::AuditKind;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// `{}`: there is nothing to say.
#[derive(Debug, Deserialize, validator::Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NothingBody {}

/// `POST /customers/{customerId}/erase`: what is personal about all orders of a customer.
pub(super) async fn customer(
    State(node): State<Arc<Node>>,
    CustomerAt(customer_id): CustomerAt,
    JsonBody(NothingBody {}): JsonBody<NothingBody>,
) -> Result<Response, Problem> {
    erase(&node, customer_id.to_string()).await
}

/// `POST /orders/{orderId}/erase`: what is personal about an order without a customerId. That of a customer goes with the customer.
pub(super) async fn order(
    State(node): State<Arc<Node>>,
    OrderAt(order_id): OrderAt,
    JsonBody(NothingBody {}): JsonBody<NothingBody>,
) -> Result<Response, Problem> {
    let view = super::steps::order(&node, &order_id).await?;
    if let Some(customer_id) = &view.order.details.customer_id {
        let detail = format!(
            "The order is one of customer {customer_id}, whose data has one key: POST /customers/{customer_id}/erase erases all of it."
        );
        return Err(Problem::new(Code::InvalidRequest, detail));
    }
    erase(&node, subject(&order_id, None)).await
}

async fn erase(node: &Node, subject: String) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct ErasedBody {
        erased: bool,
    }
    let keys = node.personal.clone().ok_or_else(|| Problem::plain(Code::NotReady))?;
    let erased = blocking(move || keys.erase(&subject)).await.map_err(|error| Problem::of_vault(&error))?;
    let noted = Noted { kind: Some(AuditKind::Erased), ..Noted::default() };
    Ok((Extension(noted), Json(ErasedBody { erased })).into_response())
}
