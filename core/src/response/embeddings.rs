//! `Embeddings`: vectors of texts as one block of floats, read without a JSON tree.
//!
//! The service writes about 14 KB of JSON for a vector of 1024 numbers (GigaChat REST reference,
//! addendum A4), all of them exact in half precision, so that `f32` loses nothing.

use std::fmt;
use std::ops::Index;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{CallReport, TokenUsage, not_a, unusable};
use crate::error::Result;
use crate::wire::{Count, Reading, Text, wire_object};

/// Vectors of texts: a row each, in the order of the texts, all of one width and finite.
#[derive(Clone, Debug, Default)]
pub struct Embeddings {
    values: Vec<f32>,
    columns: usize,
    tokens: Vec<u64>,
    /// The model that made them.
    pub model: String,
    /// Ids, timings, attempts.
    pub report: CallReport,
}

wire_object! {
    struct WireUsage<'a> {
        prompt_tokens: Count,
    }
}

impl Embeddings {
    /// Reads an answer that must have a row for each of `count` texts.
    pub(crate) fn parse(body: &[u8], count: usize) -> Result<Embeddings> {
        let mut found = Found::default();
        let mut json = serde_json::Deserializer::from_slice(body);
        let read = found
            .deserialize_answer(&mut json)
            .and_then(|()| json.end());
        let rows = match read {
            Ok(()) if found.rows.is_empty() && count > 0 => {
                return Err(not_a("a list of vectors", None, body));
            }
            Ok(()) => found.rows.len(),
            Err(why) => return Err(not_a("a list of vectors", Some(why), body)),
        };
        if rows != count {
            let why = format!("it has {rows} vectors for {count} texts");
            return Err(unusable(&why, body));
        }
        found.in_order().map_err(|why| unusable(&why, body))
    }

    /// How many rows there are: one for each text.
    pub fn rows(&self) -> usize {
        self.tokens.len()
    }

    /// How wide each row is.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All rows, one behind the other.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// The row of a text, if there is one.
    pub fn row(&self, text: usize) -> Option<&[f32]> {
        let from = text.checked_mul(self.columns)?;
        self.values.get(from..from.checked_add(self.columns)?)
    }

    /// How many tokens each text has, as the service counted them; 0 when it does not say.
    pub fn tokens(&self) -> &[u64] {
        &self.tokens
    }

    /// How many tokens all texts have together.
    pub fn usage(&self) -> TokenUsage {
        let total = self.tokens.iter().sum();
        TokenUsage {
            prompt_tokens: total,
            total_tokens: total,
            ..TokenUsage::default()
        }
    }

    /// Adds the rows of the texts that follow.
    pub(crate) fn append(&mut self, more: Embeddings) -> Result<()> {
        if self.rows() > 0 && self.columns != more.columns {
            let why = format!(
                "vectors of {} and of {} numbers",
                self.columns, more.columns
            );
            return Err(unusable(&why, &[]));
        }
        self.columns = more.columns;
        self.values.extend_from_slice(&more.values);
        self.tokens.extend_from_slice(&more.tokens);
        self.model = more.model;
        self.report.attempts += more.report.attempts;
        let (ours, theirs) = (&mut self.report.timings, &more.report.timings);
        ours.total = ours.total.max(theirs.total);
        Ok(())
    }
}

impl Index<usize> for Embeddings {
    type Output = [f32];

    /// Panics when there is no such row, as a slice does.
    fn index(&self, text: usize) -> &[f32] {
        &self.values[text * self.columns..][..self.columns]
    }
}

/// What was read so far: rows in the order of their arrival.
#[derive(Default)]
struct Found {
    values: Vec<f32>,
    /// The `index` and the tokens of each.
    rows: Vec<(usize, u64)>,
    columns: usize,
    model: String,
}

impl Found {
    fn deserialize_answer<'de, D: Deserializer<'de>>(
        &mut self,
        json: D,
    ) -> std::result::Result<(), D::Error> {
        json.deserialize_map(Answer(self))
    }

    /// The rows in the order of their texts.
    fn in_order(self) -> std::result::Result<Embeddings, String> {
        let mut places = vec![usize::MAX; self.rows.len()];
        for (place, (index, _)) in self.rows.iter().enumerate() {
            match places.get_mut(*index) {
                Some(free) if *free == usize::MAX => *free = place,
                Some(_) => return Err(format!("it has two vectors with the index {index}")),
                None => return Err(format!("a vector has the index {index}")),
            }
        }
        let sorted = places
            .iter()
            .enumerate()
            .all(|(index, place)| index == *place);
        let values = match sorted {
            true => self.values,
            false => places
                .iter()
                .flat_map(|place| &self.values[place * self.columns..][..self.columns])
                .copied()
                .collect(),
        };
        Ok(Embeddings {
            values,
            columns: self.columns,
            tokens: places.iter().map(|place| self.rows[*place].1).collect(),
            model: self.model,
            report: CallReport::default(),
        })
    }
}

/// The whole answer.
struct Answer<'a>(&'a mut Found);

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*key {
                "data" => map.next_value_seed(Rows(&mut *self.0))?,
                "model" => {
                    let model = map.next_value_seed(Reading::<Text<'de>>::new())?;
                    self.0.model = model.map_or(String::new(), Text::into_owned);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

macro_rules! seed_of {
    ($seed:ident $method:ident) => {
        impl<'de> DeserializeSeed<'de> for $seed<'_> {
            type Value = <Self as Visitor<'de>>::Value;

            fn deserialize<D: Deserializer<'de>>(
                self,
                json: D,
            ) -> std::result::Result<Self::Value, D::Error> {
                json.$method(self)
            }
        }
    };
}
seed_of!(Rows deserialize_seq);
seed_of!(Row deserialize_map);
seed_of!(Vector deserialize_seq);

struct Rows<'a>(&'a mut Found);

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<(), A::Error> {
        while list.next_element_seed(Row(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

struct Row<'a>(&'a mut Found);

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a vector")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let (mut index, mut columns, mut tokens) = (None, None, 0);
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*key {
                "index" => index = Some(map.next_value::<usize>()?),
                "embedding" if columns.is_some() => {
                    return Err(A::Error::custom("two vectors in one row"));
                }
                "embedding" => columns = Some(map.next_value_seed(Vector(&mut self.0.values))?),
                "usage" => {
                    let usage = map.next_value_seed(Reading::<WireUsage<'de>>::new())?;
                    tokens = usage
                        .and_then(|usage| usage.prompt_tokens)
                        .map_or(0, |count| count.0);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let index = index.ok_or_else(|| A::Error::custom("a vector without an index"))?;
        let columns = columns.filter(|columns| *columns > 0);
        let columns = columns.ok_or_else(|| A::Error::custom("a row without a vector"))?;
        if !self.0.rows.is_empty() && columns != self.0.columns {
            let (one, other) = (self.0.columns, columns);
            return Err(A::Error::custom(format_args!(
                "vectors of {one} and of {other} numbers"
            )));
        }
        self.0.columns = columns;
        self.0.rows.push((index, tokens));
        Ok(())
    }
}

/// The numbers of one vector, into the block.
struct Vector<'a>(&'a mut Vec<f32>);

impl<'de> Visitor<'de> for Vector<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<usize, A::Error> {
        let before = self.0.len();
        while let Some(number) = list.next_element::<f32>()? {
            if !number.is_finite() {
                return Err(A::Error::custom("a number that is not finite"));
            }
            self.0.push(number);
        }
        Ok(self.0.len() - before)
    }
}

#[cfg(test)]
mod tests {
    use super::Embeddings;
    use crate::error::ErrorKind;

    #[test]
    fn rows_are_put_in_the_order_of_their_index() {
        let json = r#"{"data":[{"index":1,"embedding":[3,-0.0],"usage":{"prompt_tokens":7}},{"new":{},"embedding":[1e0,2.5],"index":0}],"model":"E:1","object":"list"}"#;
        let found = Embeddings::parse(json.as_bytes(), 2).unwrap();
        assert_eq!(found.as_slice(), [1.0, 2.5, 3.0, -0.0]);
        assert_eq!(
            (found.rows(), found.columns(), &*found.model),
            (2, 2, "E:1")
        );
        assert_eq!(found[1], [3.0, 0.0]);
        assert_eq!((found.row(1).unwrap()[0], found.row(2)), (3.0, None));
        assert_eq!(found.tokens(), [0, 7]);
    }

    #[test]
    fn what_is_no_row_for_each_text_of_one_width_and_finite_is_a_protocol_error() {
        let row =
            |index: &str, vector: &str| format!(r#"{{"index":{index},"embedding":{vector}}}"#);
        let (zero, one) = (row("0", "[1,2]"), row("1", "[1,2]"));
        let cases = [
            format!("[{zero}]"),
            format!("[{zero},{zero}]"),
            format!("[{zero},{one},{}]", row("2", "[1,2]")),
            format!("[{zero},{}]", row("2", "[1,2]")),
            format!("[{zero},{}]", row("-1", "[1,2]")),
            format!("[{zero},{}]", row("1", "[1]")),
            format!("[{zero},{}]", row("1", "[1,1e99]")),
            format!("[{zero},{}]", row("1", "[1,null]")),
            format!("[{zero},{}]", row("1", "[]")),
            format!(r#"[{zero},{{"embedding":[1,2]}}]"#),
            format!(r#"[{zero},{{"index":1}}]"#),
            "7".to_owned(),
        ];
        for data in cases {
            let error =
                Embeddings::parse(format!("{{\"data\":{data}}}").as_bytes(), 2).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{data}: {error}");
        }
        for body in ["", "[]", "{}", "{\"data\":[{\"index\":0,\"embedding\":[1,"] {
            let error = Embeddings::parse(body.as_bytes(), 1).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
        }
        let refused = br#"{"status":403,"message":"Permission denied"}"#;
        let error = Embeddings::parse(refused, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    }
}
