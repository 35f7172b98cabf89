//! Onhand: a stock ledger for retail chains. This page is the map of the house.
//!
//! Each folder is a package of its own, and what it may look at stands in its `Cargo.toml`:
//!
//! | folder | what lives there |
//! | --- | --- |
//! | `domain` | the rules of stock: pure, no clock, no I/O, no randomness |
//! | `resilience` | breaker, bulkhead, token bucket, retry, deadline: engines that know nothing of stock |
//! | `app` | the use cases and the ports they own: ledger, idempotency, queries, feed, alerting, sync |
//! | `config` | every setting: name, default, unit, bound |
//! | `adapters` | one package for each technology: `disk`, `file` (the log on a disk), `http`, `remote` (others over HTTP) |
//! | `node` | the parts of a node over any disk and clock |
//! | `sim_machine`, `sim` | the simulated machine; the simulated world, and the oracle that it is checked against |
//! | `planted` | bugs on purpose, in builds with the feature `planted-bugs` only |
//! | `telemetry` | every metric by name, kind and meaning |
//!
//! The package of the binary has the rest:
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`runtime`] | a running node: opening, tasks, election of the worker, stop |
//! | [`cli`] | the command line: one file or folder for each command |
//!
//! Arrows point one way: `cli -> runtime -> adapters -> app -> domain`.

pub mod cli;
pub mod runtime;
