//! How the service's JSON documents are read: what is not what it should be counts as absent.
//!
//! A paid answer is not lost for what stands beside its text: a null, a number for a text, a key
//! twice, a lone surrogate. An object is read from an object only, never from an array. Knows no
//! field and no document; those are in `response`, `chunk` and `auth`. `mended` repairs what is no
//! JSON, only just; `complaint` reads what is wrong by the service's own account; `words` says what does not fit.

#[cfg(test)]
pub(crate) mod any_json;
pub(crate) mod complaint;
pub(crate) mod mended;
pub(crate) mod words;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use mended::mended;

/// Something that is read from JSON if it can be, and is absent otherwise.
pub(crate) trait Lenient<'de>: Sized {
    /// Reads one value of any type; fails only where the document is no JSON.
    fn read<D: Deserializer<'de>>(json: D) -> Result<Option<Self>, D::Error> {
        json.deserialize_any(AnyValue(PhantomData))
    }

    fn of_text(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn of_number(_: Number) -> Option<Self> {
        None
    }

    fn of_flag(_: bool) -> Option<Self> {
        None
    }

    fn of_array<A: SeqAccess<'de>>(mut array: A) -> Result<Option<Self>, A::Error> {
        while array.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A JSON number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(u64),
    Negative(i64),
    Float(f64),
}

struct AnyValue<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for AnyValue<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Option<T>, E> {
        Ok(T::of_flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<T>, E> {
        Ok(T::of_number(Number::Whole(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<T>, E> {
        Ok(T::of_number(Number::Negative(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<T>, E> {
        Ok(T::of_number(Number::Float(number)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Option<T>, E> {
        Ok(T::of_text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::of_text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Option<T>, A::Error> {
        T::of_array(array)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Option<T>, A::Error> {
        T::of_object(object)
    }
}

/// Reads a value in the place of another deserialization: an element, a member, a document.
pub(crate) struct Reading<T>(PhantomData<T>);

impl<T> Reading<T> {
    pub(crate) fn new() -> Reading<T> {
        Reading(PhantomData)
    }
}

impl<'de, T: Lenient<'de>> DeserializeSeed<'de> for Reading<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<T>, D::Error> {
        T::read(json)
    }
}

/// Reads a whole document; `None` when it is JSON of another type.
pub(crate) fn document<'a, T: Lenient<'a>>(json: &'a [u8]) -> serde_json::Result<Option<T>> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = T::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a document with `read`; one that is no JSON as it stands is read as it was meant.
pub(crate) fn forgiving<T>(
    json: &[u8],
    read: impl Fn(&[u8]) -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    read(json).or_else(|why| match mended(json) {
        Some(mended) => read(&mended),
        None => Err(why),
    })
}

/// A text, borrowed unless it has escapes.
#[derive(Debug)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl<'de> Lenient<'de> for Text<'de> {
    fn of_text(text: Cow<'de, str>) -> Option<Text<'de>> {
        Some(Text(text))
    }
}

/// A number that is none below zero, also one with a fraction or in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

impl<'de> Lenient<'de> for Count {
    fn of_number(number: Number) -> Option<Count> {
        match number {
            Number::Whole(number) => Some(Count(number)),
            Number::Negative(_) => None,
            Number::Float(number) => (number >= 0.0).then_some(Count(number as u64)),
        }
    }

    fn of_text(text: Cow<'de, str>) -> Option<Count> {
        let text = text.trim();
        match text.parse() {
            Ok(number) => Some(Count(number)),
            Err(_) => {
                let number: f64 = text.parse().ok()?;
                Count::of_number(Number::Float(number)).filter(|_| number.is_finite())
            }
        }
    }
}

/// A whole number, also in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole(pub(crate) i64);

impl<'de> Lenient<'de> for Whole {
    fn of_number(number: Number) -> Option<Whole> {
        match number {
            Number::Whole(number) => i64::try_from(number).ok().map(Whole),
            Number::Negative(number) => Some(Whole(number)),
            Number::Float(number) => {
                let whole = number.trunc() as i64;
                (whole as f64 == number).then_some(Whole(whole))
            }
        }
    }

    fn of_text(text: Cow<'de, str>) -> Option<Whole> {
        text.trim().parse().ok().map(Whole)
    }
}

/// A value's own JSON; null is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a>(pub(crate) &'a RawValue);

impl<'de> Lenient<'de> for Json<'de> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Option<Json<'de>>, D::Error> {
        let raw = <&RawValue>::deserialize(json)?;
        Ok(Some(Json(raw)).filter(|json| json.0.get() != "null"))
    }
}

/// The elements of an array that can be read as `T`.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<'de, T: Lenient<'de>> Lenient<'de> for List<T> {
    fn of_array<A: SeqAccess<'de>>(mut array: A) -> Result<Option<List<T>>, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = array.next_element_seed(Reading::new())? {
            list.extend(element);
        }
        Ok(Some(List(list)))
    }
}

/// Declares a struct that is read from an object, each field from the member of its name. A field
/// whose member is absent or cannot be read is `None`; of a member that is there twice, the last
/// one that can be read counts.
macro_rules! wire_object {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident<'a> {
        $($field:ident $(= $key:literal)?: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Default)]
        $visibility struct $name<'a> {
            $(pub(crate) $field: Option<$type>,)*
            /// How many members it has.
            pub(crate) members: usize,
            lifetime: std::marker::PhantomData<&'a ()>,
        }

        impl<'a> $crate::wire::Lenient<'a> for $name<'a> {
            fn of_object<A: serde::de::MapAccess<'a>>(
                mut object: A,
            ) -> std::result::Result<Option<$name<'a>>, A::Error> {
                let mut found = $name::default();
                while let Some(key) = object.next_key_seed($crate::wire::Key)? {
                    found.members += 1;
                    match &*key {
                        $($crate::wire::wire_object!(@key $field $($key)?) => {
                            let value = object.next_value_seed($crate::wire::Reading::new())?;
                            if value.is_some() {
                                found.$field = value;
                            }
                        })*
                        _ => {
                            object.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Some(found))
            }
        }
    };
    (@key $field:ident $key:literal) => { $key };
    (@key $field:ident) => { stringify!($field) };
}
pub(crate) use wire_object;

/// The name of a member.
pub(crate) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Cow<'de, str>, D::Error> {
        struct KeyText;

        impl<'de> Visitor<'de> for KeyText {
            type Value = Cow<'de, str>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(key))
            }

            fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(key.to_owned()))
            }
        }

        json.deserialize_str(KeyText)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Count, Lenient, List, Text, Whole, document};

    fn read<'a, T: Lenient<'a>>(json: &'a str) -> Option<T> {
        document(json.as_bytes()).unwrap()
    }

    wire_object! {
        struct Sample<'a> {
            text: Text<'a>,
            count: Count,
            kind = "type": Text<'a>,
        }
    }

    #[test]
    fn a_text_is_borrowed_unless_it_has_escapes() {
        let text: Text<'_> = read(r#""plain""#).unwrap();
        assert!(matches!(text.0, Cow::Borrowed("plain")));
        let text: Text<'_> = read(r#""a\nb""#).unwrap();
        assert_eq!(text.into_owned(), "a\nb");
        let sample: Sample<'_> = read(r#"{"text":"plain"}"#).unwrap();
        assert!(matches!(sample.text.unwrap().0, Cow::Borrowed("plain")));
    }

    #[test]
    fn what_is_of_another_type_is_absent() {
        for other in [
            "null",
            "true",
            "5",
            "-5",
            "1.5",
            "[]",
            "[[1]]",
            "{}",
            r#"{"a":[{}]}"#,
        ] {
            assert!(read::<Text<'_>>(other).is_none(), "{other}");
            let json = format!(r#"{{"text":{other},"type":"t"}}"#);
            let sample: Sample<'_> = read(&json).unwrap();
            assert!(sample.text.is_none(), "{json}");
            assert_eq!(sample.kind.unwrap().0, "t");
        }
        for other in ["null", "true", "5", "\"x\"", r#"["text",5]"#] {
            assert!(read::<Sample<'_>>(other).is_none(), "{other}");
        }
    }

    #[test]
    fn of_a_key_twice_the_last_one_that_can_be_read_counts() {
        let sample: Sample<'_> = read(r#"{"text":"a","text":"b","text":null,"text":5}"#).unwrap();
        assert_eq!(sample.text.unwrap().0, "b");
        assert_eq!(sample.members, 4);
    }

    #[test]
    fn a_count_is_any_number_that_is_not_below_zero() {
        let counts = [
            ("17", Some(17)),
            ("17.0", Some(17)),
            ("\"17\"", Some(17)),
            ("\" 17.9 \"", Some(17)),
            ("-1", None),
            ("-1.5", None),
            ("\"-1\"", None),
            ("\"inf\"", None),
            ("\"many\"", None),
            ("null", None),
            ("[17]", None),
        ];
        for (json, expected) in counts {
            assert_eq!(read::<Count>(json).map(|count| count.0), expected, "{json}");
        }
        assert_eq!(read::<Whole>("-3"), Some(Whole(-3)));
        assert_eq!(read::<Whole>("\"502\""), Some(Whole(502)));
        assert_eq!(read::<Whole>("502.5"), None);
    }

    #[test]
    fn a_list_has_the_elements_that_can_be_read() {
        let list: List<Text<'_>> = read(r#"["a",5,null,{"a":1},"b",["c"]]"#).unwrap();
        let texts: Vec<String> = list.0.into_iter().map(Text::into_owned).collect();
        assert_eq!(texts, ["a", "b"]);
        assert!(read::<List<Text<'_>>>("{}").is_none());
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for json in ["", "[7", "{\"text\":}", "{} {}", "nul"] {
            assert!(document::<Sample<'_>>(json.as_bytes()).is_err(), "{json}");
        }
    }
}
