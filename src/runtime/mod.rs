//! A running node, put together: what `onhand serve` runs, and what the simulator runs on a simulated disk.
//!
//! | file or room | what it does |
//! | --- | --- |
//! | `serve` | one node from start to stop, and the list of its tasks |
//! | `task` | a task, what its end means, the supervisor of all tasks |
//! | `stop` | signals, and the time that each step of a stop has |
//! | `open` | from settings to an open node: its directory, log, ledger, central model and webhook |
//! | [`node`] | the part of opening that `serve` and the simulator share: log and ledger over any disk and clock |
//! | [`central`] | the worker over any disk and clock, and the election of one among several processes |
//! | `http` | the HTTP server of the node |
//! | `directory` | finding a data directory, and why it does not open |
//! | `webhook`, `log_time`, `storage_news` | alerts, time and the disk while the node runs |
//! | `logging` | log lines |
//! | [`exit`] | exit codes, and the failure that carries one |

pub mod central;
pub(crate) mod directory;
pub mod exit;
mod http;
mod log_time;
pub(crate) mod logging;
mod open;
pub mod serve;
mod stop;
mod storage_news;
mod task;
mod webhook;
