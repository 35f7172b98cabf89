//! All routes with their handlers, found by address and method.

use crate::edge::endpoint::Answering;
use crate::edge::route::Route;
use crate::request::path_params::PathParams;
use http::Method;
use std::collections::BTreeMap;

/// The routes of a node.
pub(crate) struct RouteTable {
    routes: Vec<(Route, Answering)>,
    /// The routes of each address, one for each of its methods.
    addresses: matchit::Router<Vec<usize>>,
}

impl RouteTable {
    /// # Panics
    /// When two patterns fit the same addresses.
    pub(crate) fn new(routes: Vec<(Route, Answering)>) -> Self {
        let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, (route, _)) in routes.iter().enumerate() {
            for address in route.addresses() {
                together.entry(address).or_default().push(index);
            }
        }
        let mut addresses = matchit::Router::new();
        for (address, of_address) in together {
            addresses.insert(address, of_address).expect("no two patterns fit the same addresses");
        }
        Self { routes, addresses }
    }

    /// Every route, in the order of their indexes.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|(route, _)| route)
    }

    pub(crate) fn get(&self, index: Option<usize>) -> Option<&(Route, Answering)> {
        self.routes.get(index?)
    }

    /// The route of an address that has this method, else the first one of the address; and the path parameters.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<(usize, PathParams)> {
        let found = self.addresses.at(path).ok()?;
        let serves = |index: &usize| self.get(Some(*index)).is_some_and(|(route, _)| route.serves(method));
        let index = found.value.iter().copied().find(serves).or_else(|| found.value.first().copied())?;
        Some((index, PathParams::read(found.params.iter())))
    }

    /// The `Allow` header of an address.
    pub(crate) fn methods_of(&self, path: &str) -> String {
        let indexes = self.addresses.at(path).map(|found| found.value.as_slice()).unwrap_or_default();
        let mut allowed = Vec::new();
        for (route, _) in indexes.iter().filter_map(|index| self.get(Some(*index))) {
            allowed.push(route.method.as_str());
            if route.method == Method::GET {
                allowed.push("HEAD");
            }
        }
        allowed.join(",")
    }
}
