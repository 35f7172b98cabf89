//! The central model: the levels of every ledger, and the checkpoint of each node's log.
//!
//! - `central`, `level`, `order`, `numbered`: the model in memory; `shared`: the model behind its lock
//! - `change`, `step`, `apply`: an event, its effect on one level, and its application to the model
//! - `waits`, `letters`: levels that wait behind dead letters; `copy`, `file`: the saved form

pub(crate) mod apply;
pub(crate) mod central;
pub(crate) mod change;
pub(crate) mod copy;
pub(crate) mod file;
pub(crate) mod letters;
pub(crate) mod level;
pub(crate) mod numbered;
pub(crate) mod order;
pub(crate) mod shared;
pub(crate) mod step;
pub(crate) mod waits;
pub(crate) mod within;
