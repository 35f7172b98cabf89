//! Another node, reached over HTTP.

mod source;

pub use source::RemoteSource;
