//! What the commands share towards a person and towards a node: the HTTP client, output, exit codes, the report of a pass,
//! a node as a child process.

pub(crate) mod child;
pub(crate) mod client;
pub(crate) mod exit;
pub(crate) mod pass_report;
pub(crate) mod print;
pub(crate) mod run_client;
