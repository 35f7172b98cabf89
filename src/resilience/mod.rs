//! What keeps a part that is slow, down or flooded from taking the rest with it: engines that know nothing of stock.
//!
//! The words are the electrical ones: a breaker that is *closed* lets traffic through, an *open* one stops it, a
//! *half-open* one probes. Whatever is given out (a permit, a place, a turn) comes back when it is dropped, also when
//! the future that held it is. Time is tokio's, so tests pause it.

mod breaker;
mod bulkhead;
mod deadline;
mod retry;
mod token_bucket;

pub use breaker::{Breaker, BreakerSettings, BreakerState, Permit, Tripped};
pub use bulkhead::{Bulkhead, Full, Seat, WorkPermit};
pub use deadline::{Deadline, Passed};
pub use retry::{Backoff, RetryBudget, pause};
pub use token_bucket::{Empty, Standing, TokenBuckets};
