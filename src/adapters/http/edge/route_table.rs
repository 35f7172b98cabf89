//! Which route an address and a method lead to, with its handler or without.

use crate::edge::endpoint::Answering;
use crate::edge::route::Route;
use crate::request::path_params::PathParams;
use http::Method;
use std::collections::BTreeMap;

/// The addresses of a list of routes, each with the indexes of its routes, one for each of its methods.
pub(crate) struct Addresses(matchit::Router<Vec<usize>>);

/// The routes of a node with their handlers.
pub(crate) struct BoundRoutes {
    routes: Vec<(Route, Answering)>,
    addresses: Addresses,
}

/// A list of routes with its addresses, for questions about them.
pub(crate) struct RouteTable {
    routes: Vec<Route>,
    addresses: Addresses,
}

impl Addresses {
    /// The addresses of these routes.
    pub(crate) fn of<'a>(routes: impl Iterator<Item = &'a Route>) -> Self {
        let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, route) in routes.enumerate() {
            for address in route.addresses() {
                together.entry(address).or_default().push(index);
            }
        }
        let mut addresses = matchit::Router::new();
        for (address, of_address) in together {
            addresses.insert(address, of_address).expect("no two patterns fit the same addresses");
        }
        Self(addresses)
    }

    /// The route of an address that `serves`, else the first one of the address; and the path parameters.
    pub(crate) fn find(&self, path: &str, serves: impl Fn(usize) -> bool) -> Option<(usize, PathParams)> {
        let found = self.0.at(path).ok()?;
        let fitting = found.value.iter().copied().find(|index| serves(*index));
        let index = fitting.or_else(|| found.value.first().copied())?;
        Some((index, PathParams::read(found.params.iter())))
    }

    /// The routes of an address.
    pub(crate) fn all_at(&self, path: &str) -> &[usize] {
        self.0.at(path).map(|found| found.value.as_slice()).unwrap_or_default()
    }
}

impl RouteTable {
    /// The table of these routes.
    pub(crate) fn new(routes: Vec<Route>) -> Self {
        let addresses = Addresses::of(routes.iter());
        Self { routes, addresses }
    }

    /// The route that a request would take, as [`Addresses::find`].
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<(&Route, PathParams)> {
        let serves = |index: usize| self.routes.get(index).is_some_and(|route| route.serves(method));
        let (index, params) = self.addresses.find(path, serves)?;
        self.routes.get(index).map(|route| (route, params))
    }
}

impl BoundRoutes {
    /// # Panics
    /// When two patterns fit the same addresses.
    pub(crate) fn new(routes: Vec<(Route, Answering)>) -> Self {
        let addresses = Addresses::of(routes.iter().map(|(route, _)| route));
        Self { routes, addresses }
    }

    /// Every route, in the order of their indexes.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(|(route, _)| route)
    }

    pub(crate) fn get(&self, index: Option<usize>) -> Option<&(Route, Answering)> {
        self.routes.get(index?)
    }

    /// The index of the route that a request takes, as [`Addresses::find`].
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<(usize, PathParams)> {
        let serves = |index: usize| self.get(Some(index)).is_some_and(|(route, _)| route.serves(method));
        self.addresses.find(path, serves)
    }

    /// The `Allow` header of an address.
    pub(crate) fn methods_of(&self, path: &str) -> String {
        let mut allowed = Vec::new();
        for (route, _) in self.addresses.all_at(path).iter().filter_map(|index| self.get(Some(*index))) {
            allowed.push(route.method.as_str());
            if route.method == Method::GET {
                allowed.push("HEAD");
            }
        }
        allowed.join(",")
    }
}
