//! Logs as the worker reads them: this process's own, a directory's, those of several processes.

pub mod directory_source;
pub mod local_source;
pub mod members;
pub(crate) mod tail;
