//! A JSON object whose members keep their order and their bytes.
//!
//! serde_json's own map would re-write numbers and order; what the user or the service wrote
//! must pass through unchanged. A key that occurs twice is refused: which one would count is
//! anybody's guess.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object in the order in which they were written.
#[derive(Debug)]
pub(crate) struct Object(pub(crate) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members: Vec<(String, Box<RawValue>)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format_args!(
                    "the key {key:?} occurs twice"
                )));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Object(members))
    }
}
