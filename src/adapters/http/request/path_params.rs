//! The path parameters of a request: the values of `{storeId}`, `{sku}`.

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;
use smol_str::SmolStr;

/// Names and decoded values; `None` for a value that is not percent-encoded UTF-8.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PathParams(SmallVec<[(SmolStr, Option<SmolStr>); 2]>);

impl PathParams {
    /// Decodes the values.
    pub(crate) fn read<'a>(params: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let decoded = |value| percent_decode_str(value).decode_utf8().ok().map(SmolStr::new);
        Self(params.map(|(name, value)| (SmolStr::new(name), decoded(value))).collect())
    }

    /// The value of a parameter; empty when the path has no such parameter, `None` when the value is not UTF-8.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or(Some(""), |(_, value)| value.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        let params = PathParams::read([("a", "S1"), ("b", "T%20%2541+"), ("c", "%ff")].into_iter());
        for (name, value) in [("a", Some("S1")), ("b", Some("T %41+")), ("c", None), ("d", Some(""))] {
            assert_eq!(params.get(name), value, "{name}");
        }
    }
}
