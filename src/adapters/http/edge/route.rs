//! One route: its address, its method, and how the edge treats its requests before and after their handler.

use crate::edge::gates::GateEntry;
use crate::response::problem::Problem;
use http::Method;
use onhand_domain::Command;
use onhand_domain::identity::Permission;

/// One route, as openapi.yaml describes it.
#[derive(Debug, Clone)]
pub struct Route {
    /// The path at the root, with its parameters in braces.
    pub template: &'static str,
    /// The one method of the route; a GET route answers HEAD too.
    pub method: Method,
    /// The query parameters it takes; any other is refused.
    pub query: &'static [&'static str],
    /// When its requests take a place at a gate, and at which.
    pub entry: GateEntry,
    /// Whether its answers name, in `Onhand-Sequence`, the sequence of the log that they include at least.
    pub sequenced: bool,
    /// Whether its answers may be cached.
    pub cache: Cache,
    /// What its callers must be permitted to do.
    pub need: Need,
    /// Reads the command in a body of JSON, where that decides what is needed; for questions about access.
    pub(crate) command: Option<ReadCommand>,
}

/// Reads a command.
pub(crate) type ReadCommand = fn(&[u8]) -> Result<Command, Problem>;

/// What a caller must be permitted to do before a route answers. There is no default: each route names its own. What a change does in
/// which store is checked once more on its command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing; no credential is read.
    Public,
    /// Nothing, whatever credential is shown; a good one may show some more.
    Probe,
    /// To be known.
    Anyone,
    /// To read metrics, unless they are open to all.
    Metrics,
    /// The permission in every store.
    Everywhere(Permission),
    /// The permission in the store that the path names.
    InStore(Permission),
    /// The permission in any store; the handler limits what it does to those where the caller has it.
    Somewhere(Permission),
    /// The permission in the store that the path names, in any store where it names none, or for what is the caller's own; the handler
    /// limits what it shows.
    OrOwn(Permission),
}

/// Whether the answers of a route may be cached, where they have no `Cache-Control` of their own. Problems never may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// They may not: the next answer may differ.
    Never,
    /// By the caller alone, who revalidates each time with `If-None-Match`: the answers have an `ETag`.
    Revalidate,
}

impl Cache {
    /// The value of `Cache-Control`.
    pub const fn control(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::Revalidate => "private, no-cache",
        }
    }
}

impl Route {
    /// The addresses of the route: at the root, under `/api`, and for one about stock under `/api/inventory` too. A last parameter
    /// `path` takes all that is left of an address, with its slashes.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        let of_a_store = self.template.starts_with("/stores/{storeId}/inventory");
        let whole = ["/events", "/alerts"].contains(&self.template);
        let stock = of_a_store || whole || self.template.starts_with("/inventory/");
        let prefixes = if stock { ["", "/api", "/api/inventory"].as_slice() } else { &["", "/api"] };
        let bare = (self.template == "/").then(|| "/api".to_owned());
        let template = self.template.replace("/{path}", "/{*path}");
        prefixes.iter().map(move |prefix| format!("{prefix}{template}")).chain(bare)
    }

    /// True when the route answers this method.
    pub fn serves(&self, method: &Method) -> bool {
        *method == self.method || (*method == Method::HEAD && self.method == Method::GET)
    }
}
