//! JSON objects only: a derived struct would also accept an array of its fields in order.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A struct that is read from an object.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        from.deserialize_map(Only(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Pair {
        left: u8,
        #[serde(default)]
        right: u8,
    }

    #[test]
    fn an_array_is_no_object() {
        let Object(pair) = serde_json::from_str::<Object<Pair>>(r#"{"left":1}"#).unwrap();
        assert_eq!((pair.left, pair.right), (1, 0));
        for text in ["[1,2]", "[1]", "[]", "1", "null", "\"left\""] {
            let error = serde_json::from_str::<Object<Pair>>(text).unwrap_err();
            assert!(error.to_string().contains("expected an object"), "{text}: {error}");
        }
    }
}
