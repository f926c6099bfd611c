//! JSON that is none, only just: lone surrogates, bytes that are no UTF-8, `NaN`, a byte order
//! mark. Servers write such things; the rest of the document is worth having.
//!
//! Only documents that a strict reader has refused come here, so nothing here has to be fast.

/// The document as it was meant: each lone surrogate and each run of bytes that is no UTF-8 is one
/// U+FFFD, what is no number is null. `None` when nothing was found that could be mended; the
/// result may still be no JSON.
pub(crate) fn mended(json: &[u8]) -> Option<Vec<u8>> {
    let unmarked = json.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(json);
    let text = String::from_utf8_lossy(unmarked);
    let mut mended = Vec::with_capacity(text.len() + 16);
    let mut rest = text.as_bytes();
    while let Some(&byte) = rest.first() {
        let length = match byte {
            b'"' => {
                let (string, _) = rest.split_at(string_length(rest));
                mend_string(string, &mut mended);
                string.len()
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                let word =
                    |byte: &u8| matches!(byte, b'-' | b'+' | b'.') || byte.is_ascii_alphanumeric();
                let length = rest.iter().take_while(|byte| word(byte)).count();
                mended.extend_from_slice(meant(&rest[..length]));
                length
            }
            other => {
                mended.push(other);
                1
            }
        };
        rest = &rest[length..];
    }
    Some(mended).filter(|mended| mended != json)
}

/// The beginning of a document whose end is missing, closed where it was cut.
pub(crate) fn closed(json: &[u8]) -> Vec<u8> {
    let mut closed = String::from_utf8_lossy(json).into_owned().into_bytes();
    let mut open = Vec::new();
    let mut at = 0;
    while at < closed.len() {
        match closed[at] {
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let length = string_length(&closed[at..]);
                let string = &closed[at..at + length];
                if length < 2 || !string.ends_with(b"\"") || ends_in_escape(&string[..length - 1]) {
                    closed.truncate(at + without_half_escape(string));
                    closed.push(b'"');
                    break;
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    closed.extend(open.into_iter().rev());
    closed
}

/// How long the string is that begins here, its quotes included.
fn string_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    json.len()
}

/// Whether the last character is an escape's backslash.
fn ends_in_escape(string: &[u8]) -> bool {
    let backslashes = string
        .iter()
        .rev()
        .take_while(|byte| **byte == b'\\')
        .count();
    backslashes % 2 == 1
}

/// How much of a string that was cut can stay: an escape that was cut goes.
fn without_half_escape(string: &[u8]) -> usize {
    for begin in string.len().saturating_sub(5)..string.len() {
        let (before, escape) = string.split_at(begin);
        if escape[0] == b'\\' && !ends_in_escape(before) {
            let whole = match escape.get(1) {
                Some(b'u') => 6,
                _ => 2,
            };
            if escape.len() < whole {
                return begin;
            }
        }
    }
    string.len()
}

/// A word outside of strings: literals and numbers stay, what is no number becomes null.
fn meant(word: &[u8]) -> &[u8] {
    let no_number = match word {
        b"NaN" | b"nan" | b"Infinity" | b"-Infinity" | b"inf" | b"-inf" | b"None"
        | b"undefined" => true,
        _ => std::str::from_utf8(word)
            .ok()
            .filter(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
            .and_then(|text| text.parse::<f64>().ok())
            .is_some_and(f64::is_infinite),
    };
    if no_number { b"null" } else { word }
}

/// The code unit of a `\uXXXX` escape that begins here.
fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

pub(crate) fn is_high(unit: u16) -> bool {
    (0xD800..0xDC00).contains(&unit)
}

pub(crate) fn is_low(unit: u16) -> bool {
    (0xDC00..0xE000).contains(&unit)
}

fn mend_string(string: &[u8], mended: &mut Vec<u8>) {
    let mut rest = string;
    while let Some(&byte) = rest.first() {
        let length = match (byte, rest.get(1)) {
            (b'\\', Some(b'u')) => match code_unit(rest) {
                Some(unit) if is_high(unit) => {
                    let paired = code_unit(&rest[6..]).is_some_and(is_low);
                    mended.extend_from_slice(if paired { &rest[..12] } else { b"\\ufffd" });
                    if paired { 12 } else { 6 }
                }
                Some(unit) if is_low(unit) => {
                    mended.extend_from_slice(b"\\ufffd");
                    6
                }
                _ => {
                    mended.extend_from_slice(&rest[..2]);
                    2
                }
            },
            (b'\\', Some(_)) => {
                mended.extend_from_slice(&rest[..2]);
                2
            }
            (byte, _) => {
                mended.push(byte);
                1
            }
        };
        rest = &rest[length..];
    }
}

/// A JSON text whose lone surrogates are U+FFFD, so that every reader of JSON can read it.
pub(crate) fn without_lone_surrogates(json: &str) -> String {
    let mut mended = Vec::with_capacity(json.len());
    mend_string(json.as_bytes(), &mut mended);
    String::from_utf8_lossy(&mended).into_owned()
}

/// The half of a pair with which a string's JSON ends, and the one with which it begins.
pub(crate) fn halves(string: &str) -> (Option<u16>, Option<u16>) {
    let inner = string.trim_matches('"').as_bytes();
    let begins = code_unit(inner).filter(|unit| is_low(*unit));
    let ends = inner.len().checked_sub(6).and_then(|at| {
        let (before, escape) = inner.split_at(at);
        code_unit(escape).filter(|unit| is_high(*unit) && !ends_in_escape(before))
    });
    (begins, ends)
}

#[cfg(test)]
mod tests {
    use super::{closed, halves, mended, without_lone_surrogates};

    fn text(json: &[u8]) -> String {
        let mended = mended(json).unwrap();
        serde_json::from_slice::<String>(&mended).unwrap_or_else(|why| panic!("{why}: {mended:?}"))
    }

    #[test]
    fn a_lone_surrogate_is_one_replacement_character_and_a_pair_stays() {
        assert_eq!(text(br#""a\ud83d b""#), "a\u{fffd} b");
        assert_eq!(text(br#""\ude00""#), "\u{fffd}");
        assert_eq!(
            text(br#""\ud83d\ud83d\ude00x\uDE00""#),
            "\u{fffd}\u{1f600}x\u{fffd}"
        );
        assert_eq!(text(br#""\\ud83d\ud83d""#), "\\ud83d\u{fffd}");
        assert_eq!(text(br#""\ud83d\n""#), "\u{fffd}\n");
        assert_eq!(
            without_lone_surrogates(r#"{"a":"\ud83d"}"#),
            r#"{"a":"\ufffd"}"#
        );
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replacement_characters() {
        assert_eq!(text(b"\"a\xff\""), "a\u{fffd}");
        assert_eq!(text(b"\"\xc3\""), "\u{fffd}");
    }

    #[test]
    fn what_is_no_number_is_null() {
        let json =
            br#"{"a":NaN,"b":-Infinity,"c":1e999,"d":[Infinity],"e":"NaN","f":1.5e3,"g":true}"#;
        let value: serde_json::Value = serde_json::from_slice(&mended(json).unwrap()).unwrap();
        let expected = serde_json::json!({"a":null,"b":null,"c":null,"d":[null],"e":"NaN","f":1500.0,"g":true});
        assert_eq!(value, expected);
    }

    #[test]
    fn a_byte_order_mark_goes_and_what_is_well_is_not_mended() {
        assert_eq!(mended("\u{feff}{}".as_bytes()).unwrap(), b"{}");
        assert_eq!(mended(br#"{"a":"\ud83d\ude00","b":5}"#), None);
        assert_eq!(mended(b"<html>"), None);
    }

    #[test]
    fn a_document_that_was_cut_is_closed_wherever_it_was_cut() {
        let json = "{\"a\":\"x\\\"\\u00e9\\\\ y\",\"message\":\"too many \u{e9}\"}";
        let begin = json.find("too").unwrap();
        for cut in begin..json.len() {
            let closed = closed(&json.as_bytes()[..cut]);
            let value: serde_json::Value = serde_json::from_slice(&closed)
                .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&closed)));
            assert_eq!(value["a"], "x\"\u{e9}\\ y");
        }
        for cut in 6..begin {
            let _ = closed(&json.as_bytes()[..cut]);
        }
        for (cut, whole) in [
            (r#"{"m":"a\u00"#, r#"{"m":"a"}"#),
            (r#"{"m":"a\"#, r#"{"m":"a"}"#),
            (r#"{"m":"a\\"#, r#"{"m":"a\\"}"#),
            (r#"{"m":"a\""#, r#"{"m":"a\""}"#),
        ] {
            assert_eq!(String::from_utf8(closed(cut.as_bytes())).unwrap(), whole);
        }
    }

    #[test]
    fn halves_of_a_pair_at_the_ends_of_a_string_are_found() {
        assert_eq!(halves(r#""a\ud83d""#), (None, Some(0xd83d)));
        assert_eq!(halves(r#""\ude00b""#), (Some(0xde00), None));
        assert_eq!(halves(r#""\\ud83d""#), (None, None));
        assert_eq!(halves(r#""\ud83d\ude00""#), (None, None));
    }
}
