//! The central model: every store's levels, and how far each source has been read.

pub(crate) mod apply;
pub(crate) mod central;
pub(crate) mod copy;
pub(crate) mod file;
pub(crate) mod numbered;
pub(crate) mod order;
pub(crate) mod shared;
pub(crate) mod step;
pub(crate) mod waits;
