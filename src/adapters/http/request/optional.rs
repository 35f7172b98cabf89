//! How the optional members of a JSON body are read.

use serde::{Deserialize, Deserializer};

/// A member that may be left out. Where it is given it must have a value: `null` is refused like any other wrong type.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A member of a merge patch (RFC 7396), in which `null` removes the value.
#[allow(clippy::option_option, reason = "left out, removed and given are three cases")]
pub(crate) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

/// The default of a flag that is set unless the body has it.
pub(crate) const fn yes() -> bool {
    true
}
