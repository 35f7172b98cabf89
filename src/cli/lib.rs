//! The commands except `serve`: one file or folder for each, which turns arguments into a call of the runtime or of an
//! adapter, and the result into an exit code. `terminal` is shared by the commands: HTTP client, output, exit, the node
//! as a child process.

pub mod admin;
pub mod audit;
pub mod bench;
pub mod completions;
pub mod dead_letters;
pub mod demo;
pub mod import;
pub mod man;
pub mod orders;
pub mod rebuild;
pub mod repair;
pub mod simulate;
pub mod sync;
pub mod sync_worker;
pub mod tail;
mod terminal;
pub mod verify;

pub use crate::terminal::child::ChildServer;
pub use crate::terminal::exit::{EXIT_CODES, bad_settings, leave};
