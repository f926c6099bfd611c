//! What the service's JSON documents have in common when they are read: text that is borrowed
//! where it can be, and lists of which only the first element counts.
//!
//! Knows no field and no document; those are in `response` and `chunk`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

/// A JSON text, borrowed unless it has escapes. (serde borrows a bare `Cow`, but copies the one
/// in an `Option<Cow>`; this borrows in both places.)
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

/// A JSON array of which only the first element is read.
#[derive(Debug)]
pub(crate) struct First<T>(pub(crate) Option<T>);

impl<T> Default for First<T> {
    fn default() -> First<T> {
        First(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<First<T>, D::Error> {
        struct FirstOnly<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstOnly<T> {
            type Value = First<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<First<T>, A::Error> {
                let first = array.next_element()?;
                while array.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }

        deserializer.deserialize_seq(FirstOnly(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{First, Text};

    #[test]
    fn a_text_is_borrowed_unless_it_has_escapes() {
        let text: Option<Text<'_>> = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(text.unwrap().0, Cow::Borrowed("plain")));
        let text: Option<Text<'_>> = serde_json::from_str(r#""a\nb""#).unwrap();
        assert_eq!(text.unwrap().into_owned(), "a\nb");
        let none: Option<Text<'_>> = serde_json::from_str("null").unwrap();
        assert!(none.is_none());
    }

    #[test]
    fn only_the_first_element_of_a_list_is_read() {
        let list: First<u8> = serde_json::from_str(r#"[7, {"not": "a number"}]"#).unwrap();
        assert_eq!(list.0, Some(7));
        let list: First<u8> = serde_json::from_str("[]").unwrap();
        assert_eq!(list.0, None);
        assert!(serde_json::from_str::<First<u8>>("[7").is_err());
        assert!(serde_json::from_str::<First<u8>>("{}").is_err());
    }
}
