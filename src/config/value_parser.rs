//! The value parsers that every group of settings gives to clap: they accept any value, and `read` validates it later.

use clap::builder::{OsStringValueParser, TypedValueParser};
use std::path::PathBuf;

/// Accepts any value: one that is not UTF-8 is reported together with the other faults.
pub(super) fn text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|value| value.to_string_lossy().into_owned())
}

/// Accepts any path, also an empty one.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}
