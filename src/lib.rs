//! Onhand: a stock ledger for retail chains. This page is the map of the packages.
//!
//! Each folder is a package of its own, and its `Cargo.toml` lists the packages it may depend on:
//!
//! | folder | contents |
//! | --- | --- |
//! | `domain` | the rules of stock: pure, no clock, no I/O, no randomness |
//! | `resilience` | breaker, bulkhead, token bucket, retry, deadline: engines that know nothing of stock |
//! | `app` | the use cases and the ports they own: ledger, idempotency, queries, feed, alerting, sync |
//! | `config` | every setting: name, default, unit, bound |
//! | `adapters` | one package for each technology: `disk`, `file` (the log on a disk), `http`, `remote` (others over HTTP), `vault` (secrets), `audit` (the trail) |
//! | `node` | the parts of a node that a running process and the simulator open alike |
//! | `runtime` | shared by commands on a data directory: opening, tasks, election of the worker, stop, exit codes |
//! | `cli` | every command but `serve` |
//! | `sim_machine`, `sim` | the simulated machine; the simulated world, and the oracle that it is compared with |
//! | `planted` | bugs on purpose, in builds with the feature `planted-bugs` only |
//! | `telemetry` | every metric by name, kind and meaning |
//! | `spreadsheet` | protection against CSV cells that a spreadsheet would run |
//!
//! The package of the binary has the rest: the command line as a whole, and `serve`, which puts HTTP in front of a
//! node. So little is recompiled when a handler changes.
//!
//! Dependencies point one way: `serve -> http -> app -> domain` and `cli -> runtime -> node -> file -> app`.

mod command_line;
mod serve;

pub use command_line::Cli;
