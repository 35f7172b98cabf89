//! From a directory to a running log.

pub(crate) mod migrate;
mod open;
pub(crate) mod replay;

pub use open::{
    BALLAST_BYTES, OpenError, OpenNode, OpenOptions, OpenReport, SEGMENT_BYTES, hold, open, open_held,
};
pub(crate) use open::{keep_aside, remove_unfinished, set_aside};
