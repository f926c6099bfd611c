//! What serde says of JSON that does not fit, in plain words: its texts name Rust's types.

use serde_json::error::Category;

/// Rust's word, and the one that a reader of JSON knows, in this order.
const WORDS: &[(&str, &str)] = &[
    ("invalid type: ", ""),
    ("invalid value: ", ""),
    ("floating point `", "the number `"),
    ("integer `", "the number `"),
    ("boolean `", "`"),
    ("string \"", "the text \""),
    ("sequence", "a list"),
    ("map", "an object"),
];

/// The words for what was expected. A struct's name is nobody's business.
const EXPECTED: &[(&str, &str)] = &[
    ("a string", "a text"),
    ("string", "a text"),
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("a map", "an object"),
    ("map", "an object"),
    ("a JSON object", "a JSON object"),
    ("f64", "a number"),
    ("i64", "a whole number"),
    ("u64", "a whole number"),
    ("a boolean", "true or false"),
];

/// The problem, without Rust's words.
pub(crate) fn plain(why: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", why.line(), why.column());
    let text = why.to_string();
    let text = text.strip_suffix(&place).unwrap_or(&text);
    match why.classify() {
        Category::Eof => "it stops in the middle".to_owned(),
        Category::Io => "it cannot be read".to_owned(),
        Category::Syntax if text.contains("recursion") => "it is nested too deep".to_owned(),
        Category::Syntax if why.line() > 1 => {
            format!("line {}, character {}", why.line(), why.column())
        }
        Category::Syntax => format!("character {}", why.column()),
        Category::Data => of_data(text),
    }
}

fn of_data(text: &str) -> String {
    if let Some(field) = text.strip_prefix("missing field ") {
        return format!("{} is missing", field.replace('`', ""));
    }
    if let Some(field) = text.strip_prefix("duplicate field ") {
        return format!("{} is there twice", field.replace('`', ""));
    }
    let Some((found, wanted)) = text.split_once(", expected ") else {
        return text.replace('`', ""); // a text of this library's own
    };
    let mut found = found.to_owned();
    for (theirs, ours) in WORDS {
        if let Some(rest) = found.strip_prefix(theirs) {
            found = format!("{ours}{rest}");
        }
    }
    let known = EXPECTED.iter().find(|(theirs, _)| *theirs == wanted);
    let wanted = match known {
        Some((_, ours)) => ours,
        None if wanted.contains("struct") || wanted.contains("length") => "an object",
        None => return format!("{} is not of the right type", found.replace('`', "")),
    };
    format!("{} in the place of {wanted}", found.replace('`', ""))
}

#[cfg(test)]
mod tests {
    use super::plain;

    fn said_of<'a, T: serde::Deserialize<'a> + std::fmt::Debug>(text: &'a str) -> String {
        plain(&serde_json::from_str::<T>(text).unwrap_err())
    }

    #[test]
    fn no_word_of_rust_is_left() {
        #[derive(Debug, serde::Deserialize)]
        #[allow(dead_code, reason = "read for its type only")]
        struct Shape {
            role: String,
        }
        assert_eq!(
            said_of::<Vec<String>>("5"),
            "the number 5 in the place of a list"
        );
        assert_eq!(said_of::<String>("[1]"), "a list in the place of a text");
        assert_eq!(
            said_of::<f64>("\"x\""),
            "the text \"x\" in the place of a number"
        );
        assert_eq!(
            said_of::<bool>("1.5"),
            "the number 1.5 in the place of true or false"
        );
        assert_eq!(
            said_of::<i64>("true"),
            "true in the place of a whole number"
        );
        assert_eq!(said_of::<Shape>("{}"), "role is missing");
        assert_eq!(
            said_of::<Shape>("5"),
            "the number 5 in the place of an object"
        );
        assert_eq!(
            said_of::<Shape>(r#"{"role":{}}"#),
            "an object in the place of a text"
        );
        assert_eq!(said_of::<String>("\"x"), "it stops in the middle");
        assert_eq!(said_of::<String>("nothing"), "character 2");
    }
}
