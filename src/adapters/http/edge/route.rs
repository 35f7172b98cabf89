//! One route: its address, its method, and what the edge does with its requests before and after their handler.

use crate::adapters::http::edge::gates::Entry;
use http::Method;

/// One route, as it stands in openapi.yaml.
#[derive(Debug, Clone)]
pub struct Route {
    /// The path at the root, with its parameters in braces.
    pub template: &'static str,
    /// The one method it has; a GET route answers HEAD too.
    pub method: Method,
    /// The query parameters it takes; any other is refused.
    pub query: &'static [&'static str],
    /// When its requests take a place, and where.
    pub entry: Entry,
    /// Whether its answers may be kept.
    pub cache: Cache,
}

/// Whether the answers of a route may be kept, where they do not say so themselves. Refusals never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// They may not: the next one is another one.
    Never,
    /// By whom they were for, who asks each time with `If-None-Match` whether they still hold: they have an `ETag`.
    AskFirst,
}

impl Cache {
    /// The value of `Cache-Control`.
    pub const fn control(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::AskFirst => "private, no-cache",
        }
    }
}

impl Route {
    /// Where the route answers: at the root, under `/api`, and one about stock under `/api/inventory` too.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        let of_a_store = self.template.starts_with("/stores/{storeId}/inventory");
        let whole = ["/events", "/alerts"].contains(&self.template);
        let stock = of_a_store || whole || self.template.starts_with("/inventory/");
        let places = if stock { ["", "/api", "/api/inventory"].as_slice() } else { &["", "/api"] };
        let bare = (self.template == "/").then(|| "/api".to_owned());
        places.iter().map(|place| format!("{place}{}", self.template)).chain(bare)
    }

    /// True when the route answers this method.
    pub fn serves(&self, method: &Method) -> bool {
        *method == self.method || (*method == Method::HEAD && self.method == Method::GET)
    }
}
