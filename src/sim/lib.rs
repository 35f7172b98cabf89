//! The simulated world that crashes are rehearsed in: one seed, one schedule, the same run every time.
//!
//! | file or room | what it does |
//! | --- | --- |
//! | [`run`] | one seed: a chain of stores, or several processes on one data directory |
//! | [`chain`] | nodes on disks of their own, and a worker that follows them |
//! | [`processes`] | several processes on one data directory |
//! | [`model_check`] | a node compared with the oracle, step by step |
//! | [`oracle`] | the specification of a ledger, as a plain model |
//! | [`log_rules`] | the log as bytes, and the rules that hold for every log |
//! | [`workload`], `identity_workload` | random requests of stores, and random faults of machines |
//! | [`central`] | a worker on a disk of its own, and sources that fail |
//! | [`node`], [`world`] | a node opened by the runtime, and its simulated surroundings |
//! | [`disk`] | the simulated disk |
//! | [`random`], [`trace`], [`tally`] | randomness, the trace of a run, its counts |

mod block_on;
pub mod central;
pub mod chain;
mod identity_workload;
pub mod log_rules;
pub mod model_check;
pub mod node;
pub mod oracle;
pub mod processes;
pub mod run;
pub mod tally;
pub mod trace;
pub mod workload;
pub mod world;
