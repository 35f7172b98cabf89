//! The code that commands on a data directory share, and the parts of a running node that do not depend on HTTP.
//!
//! | file or room | what it does |
//! | --- | --- |
//! | [`exit`] | exit codes, and the failure that carries one |
//! | [`directory`] | finding a data directory, and why it does not open |
//! | [`logging`] | log lines |
//! | [`open`] | from settings to an open node: its directory, log, ledger, central model and webhook |
//! | [`central`] | the worker over any disk and clock, and its election among several processes |
//! | [`central_keys`] | the keys of central, whose logins are good here |
//! | [`task`] | the tasks of a node, and their supervisor |
//! | [`stop`] | signals, and the time limit of each step of a stop |
//! | `webhook`, [`log_time`], `storage_news` | alerts, time and the disk while the node runs |

pub mod central;
pub mod central_keys;
pub mod directory;
pub mod exit;
pub mod log_time;
pub mod logging;
pub mod open;
pub mod stop;
mod storage_news;
pub mod task;
mod webhook;
