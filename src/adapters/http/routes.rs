//! All routes: those of each capability, one line a room.

use crate::edge::front_door::FrontDoor;
use crate::edge::layer::Edge;
use crate::edge::recording::Recording;
use crate::edge::route::Route;
use crate::edge::route_table::RouteTable;
use crate::node::{Node, Routes};
use std::sync::Arc;

fn all() -> Routes {
    let rooms = [
        super::stock::routes(),
        super::allocation::routes(),
        super::orders::routes(),
        super::imports::routes(),
        super::catalogue::routes(),
        super::low_stock::routes(),
        super::identity::routes(),
        super::feed::routes(),
        super::audit::routes(),
        super::central::routes(),
        super::docs::routes(),
        super::console::routes(),
        super::ops::routes(),
    ];
    rooms.into_iter().flatten().collect()
}

/// The whole HTTP side of a node.
pub fn edge(node: Arc<Node>) -> Edge {
    let (gates, web) = (Arc::clone(&node.gates), Arc::clone(&node.web));
    let (ledger, vault, open) = (Arc::clone(&node.ledger), node.vault.clone(), node.open);
    let (logins, central, issuer) = (node.logins.clone(), node.central_logins.clone(), node.issuer());
    let proxies = node.proxies.clone();
    let recording = node.trail.clone().map(|trail| Recording::new(trail, Arc::clone(&node.ledger)));
    // Set by another edge of the same node, it is the same.
    let _ = node.routes.set(RouteTable::new(routes()));
    let bound = all().into_iter().map(move |endpoint| endpoint.bound(Arc::clone(&node)));
    let edge = Edge::new(bound.collect(), gates, web).with_proxies(proxies).with_recording(recording);
    edge.with_door(FrontDoor { ledger, vault, logins, central, issuer, open })
}

/// Every route, to be compared with openapi.yaml.
pub fn routes() -> Vec<Route> {
    all().into_iter().map(|endpoint| endpoint.route).collect()
}
