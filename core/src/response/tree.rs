//! JSON read by JSON pointer (RFC 6901: `/data/0/id`; the empty pointer is the whole), so that no
//! language needs a JSON library for one number.

use serde_json::Value;

use crate::wire::forgiving;

/// A JSON document in memory. Of bytes that are no JSON there is nothing at any pointer.
///
/// Each text is kept with a NUL behind it, so that C can be lent it as it is.
#[derive(Clone, Debug, Default)]
pub struct JsonTree(Option<Value>);

impl JsonTree {
    /// Reads a document.
    pub fn read(json: &[u8]) -> JsonTree {
        let mut value = forgiving(json, |json| serde_json::from_slice(json)).ok();
        if let Some(value) = &mut value {
            end_texts(value);
        }
        JsonTree(value)
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.as_ref()?.pointer(pointer)
    }

    /// The text at a pointer; `None` when there is no text there.
    pub fn text_at(&self, pointer: &str) -> Option<&str> {
        let text = self.text_with_nul_at(pointer)?;
        text.strip_suffix('\0')
    }

    /// The same text with a NUL behind it.
    #[doc(hidden)]
    pub fn text_with_nul_at(&self, pointer: &str) -> Option<&str> {
        self.at(pointer)?.as_str()
    }

    /// The whole number at a pointer, true as 1 and false as 0; `None` when there is none that an
    /// `i64` holds.
    pub fn integer_at(&self, pointer: &str) -> Option<i64> {
        match self.at(pointer)? {
            Value::Bool(flag) => Some(i64::from(*flag)),
            Value::Number(number) => number.as_i64().or_else(|| {
                let float = number.as_f64()?;
                let whole = float.fract() == 0.0 && float.abs() < 9.0e15;
                whole.then_some(float as i64)
            }),
            _ => None,
        }
    }

    /// The number at a pointer; `None` when there is no number there.
    pub fn number_at(&self, pointer: &str) -> Option<f64> {
        self.at(pointer)?.as_f64()
    }

    /// How many elements the list, or members the object, at a pointer has; `None` when neither is
    /// there.
    pub fn count_at(&self, pointer: &str) -> Option<usize> {
        match self.at(pointer)? {
            Value::Array(list) => Some(list.len()),
            Value::Object(members) => Some(members.len()),
            _ => None,
        }
    }
}

/// As deep as JSON is read: serde_json's own limit.
fn end_texts(value: &mut Value) {
    match value {
        Value::String(text) => text.push('\0'),
        Value::Array(list) => list.iter_mut().for_each(end_texts),
        Value::Object(members) => members.values_mut().for_each(end_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::JsonTree;

    fn read(json: &str) -> JsonTree {
        JsonTree::read(json.as_bytes())
    }

    #[test]
    fn values_are_read_by_json_pointer() {
        let found = read(
            r#"{"balance":[{"usage":"GigaChat","value":1.0},{"value":2.5}],"a/b":{"":true},"no":null}"#,
        );
        assert_eq!(found.text_at("/balance/0/usage"), Some("GigaChat"));
        assert_eq!(
            found.text_with_nul_at("/balance/0/usage"),
            Some("GigaChat\0")
        );
        assert_eq!(found.integer_at("/balance/0/value"), Some(1));
        assert_eq!(found.integer_at("/balance/1/value"), None);
        assert_eq!(found.number_at("/balance/1/value"), Some(2.5));
        assert_eq!(found.count_at("/balance"), Some(2));
        assert_eq!(found.count_at(""), Some(3));
        assert_eq!(found.integer_at("/a~1b/"), Some(1));
        for nothing in ["/no", "/balance/2/value", "/balance/x", "balance", "/a/b"] {
            assert_eq!(found.text_at(nothing), None, "{nothing}");
            assert_eq!(found.count_at(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn bytes_that_are_no_json_have_nothing_at_any_pointer() {
        let found = read("\u{1f600} PNG");
        assert_eq!(found.count_at(""), None);
    }
}
