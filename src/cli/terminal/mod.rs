//! Shared by the commands: the HTTP client of a node, output, exit codes, the report of a pass,
//! a node as a child process.

pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod exit;
pub(crate) mod pass_report;
pub(crate) mod print;
pub(crate) mod run_client;
pub(crate) mod token;
