//! Members that may be left out and are never `null`.

use serde::{Deserialize, Deserializer};

/// Reads a member that is there: its value, and not `null`. With `serde(default)` beside it, a missing one is none.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
