//! Allocation: which stores send what, for the lines of an order, and why.
//!
//! A plan is worked out from numbers alone: the pieces that each store may give, and the rules of the chain. Equal inputs give equal
//! plans on every machine, so a plan can be worked out again later.
//!
//! | file | what it does |
//! | --- | --- |
//! | `rules` | the rules: how stores are ranked, what a store keeps back |
//! | `routing` | the rules of the chain and of its channels, in the log |
//! | `site` | one store with its pieces, as the plan sees it |
//! | `plan` | the plan and its reasons |
//! | `search` | the smallest set of stores that has everything |
//!
//! The steps, each of which the plan explains:
//!
//! 1. Stores that may not send are left out, with the reason.
//! 2. The others are put in order: the first rule that tells two stores apart decides, and their ids in the end.
//! 3. The smallest set of stores is searched that has all pieces, or all that there are where they are not enough. Of sets of one
//!    size, the one with the best store counts, then the one with the next best. Up to [`EXACT_SHIPMENTS_MAX`] stores of the best
//!    [`EXACT_SITES_MAX`] every set is examined; beyond, the store that has the most of what is missing comes next, and the plan says
//!    so.
//! 4. A SKU comes from one store of the set where one has enough of it, else from several in their order.

mod plan;
mod routing;
mod rules;
mod search;
mod site;

pub use plan::{Asked, Demand, DemandError, Part, Picked, Plan, PlanSite, SiteSku};
pub use routing::{Routing, RoutingCommand, RoutingFact, RoutingRecord, RoutingState};
pub use rules::{Rank, Rules, SiteRules};
pub use search::{EXACT_SHIPMENTS_MAX, EXACT_SITES_MAX, Search};
pub use site::{LeftOut, Site, SiteLevel};
