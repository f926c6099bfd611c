//! Values of every JSON type, and what only looks like one, for the property tests of documents.

use proptest::prelude::*;

/// Any of them, as text.
pub(crate) fn any_json() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-3",
        "17.5",
        "1e999",
        "NaN",
        "\"\"",
        "\"text\"",
        "\"17\"",
        r#""\ud83d""#,
        "[]",
        "[[\"a\"],5]",
        "{}",
        r#"{"a":[{}]}"#,
    ])
}
