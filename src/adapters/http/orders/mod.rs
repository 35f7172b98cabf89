//! Orders and their shipments.
//!
//! | file | what it does |
//! | --- | --- |
//! | `bodies`, `step_bodies`, `after_bodies` | the JSON of an order that is placed, and of steps, with their rules |
//! | `shown`, `history_shown` | orders, shipments and history as JSON |
//! | `erasing` | personal data that is erased |
//! | `personal` | names and addresses, sealed and opened |
//! | `placing` | `POST /orders` |
//! | `reading` | one order, lists, history; who sees which |
//! | `steps` | the steps of a whole order |
//! | `after` | payments, returns and the hold |
//! | `shipments` | shipments: lists for a store, and their steps |

mod after;
mod after_bodies;
mod bodies;
mod erasing;
mod history_shown;
mod personal;
mod placing;
mod reading;
mod shipments;
mod shown;
mod step_bodies;
mod steps;

use crate::edge::endpoint::{get, patch, post};
use crate::edge::route::Need;
use crate::node::Routes;
use onhand_domain::identity::Permission as P;

/// The routes of orders.
pub(crate) fn routes() -> Routes {
    vec![
        post(Need::OrOwn(P::OrdersPlace), "/orders", placing::place),
        get(Need::OrOwn(P::OrdersRead), "/orders", reading::list).query(reading::PARAMETERS).sequenced(),
        get(Need::OrOwn(P::OrdersRead), "/orders/{orderId}", reading::one).versioned(),
        get(Need::OrOwn(P::OrdersRead), "/orders/{orderId}/history", reading::history),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/status", steps::status),
        patch(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/status", steps::status),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/confirm", steps::confirm),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/cancel", steps::cancel),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/allot", steps::allot),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/payments", after::pay),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/hold", after::hold),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/release-hold", after::release_hold),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/returns", after::request_return),
        post(
            Need::Everywhere(P::OrdersManage),
            "/orders/{orderId}/returns/{returnId}/approve",
            after::approve,
        ),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/returns/{returnId}/refuse", after::refuse),
        post(
            Need::Everywhere(P::OrdersManage),
            "/orders/{orderId}/returns/{returnId}/receive",
            after::receive,
        ),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/returns/{returnId}/close", after::close),
        post(Need::Everywhere(P::OrdersManage), "/orders/{orderId}/erase", erasing::order),
        post(Need::Everywhere(P::OrdersManage), "/customers/{customerId}/erase", erasing::customer),
        get(Need::Somewhere(P::OrdersShip), "/shipments", shipments::list)
            .query(shipments::PARAMETERS)
            .sequenced(),
        get(Need::Somewhere(P::OrdersShip), "/shipments/{shipmentId}", shipments::one).versioned(),
        post(Need::Somewhere(P::OrdersShip), "/shipments/{shipmentId}/instruct", shipments::instruct),
        post(Need::Somewhere(P::OrdersShip), "/shipments/{shipmentId}/ship", shipments::ship),
        post(Need::Somewhere(P::OrdersShip), "/shipments/{shipmentId}/deliver", shipments::deliver),
        post(Need::Somewhere(P::OrdersShip), "/shipments/{shipmentId}/refuse", shipments::refuse),
        post(Need::Somewhere(P::OrdersShip), "/shipments/{shipmentId}/cancel", shipments::cancel),
    ]
}
