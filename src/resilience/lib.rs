//! Resilience patterns without any knowledge of stock: `breaker`, `bulkhead`, `deadline`, `retry`, `token_bucket`.
//!
//! A *closed* breaker lets calls through, an *open* one rejects them, a *half-open* one lets one probe through. Every permit is returned
//! when it is dropped, also together with the future that holds it. Time is tokio's, so tests pause it.

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
