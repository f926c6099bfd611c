//! The plainest text that a regular expression matches: for `pattern` in a schema and for the response
//! format `regex` (section 7.1).

use regex_syntax::hir::{Class, Hir, HirKind};

/// A text that matches, or nothing if the expression is none.
pub(crate) fn plainest_match(pattern: &str) -> Option<String> {
    let parsed = regex_syntax::parse(pattern).ok()?;
    let mut text = Vec::new();
    write(&parsed, &mut text);
    String::from_utf8(text).ok()
}

/// Repetitions are as short as they may be.
fn write(expression: &Hir, text: &mut Vec<u8>) {
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.extend_from_slice(&literal.0),
        HirKind::Class(class) => text.extend(
            character(class)
                .map(String::from)
                .unwrap_or_default()
                .bytes(),
        ),
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min.min(1000) {
                write(&repetition.sub, text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, text)),
        HirKind::Alternation(branches) => write(&branches[0], text),
    }
}

/// A letter or digit of the class if it has one.
fn character(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect(),
        Class::Bytes(class) => class
            .iter()
            .map(|range| (char::from(range.start()), char::from(range.end())))
            .collect(),
    };
    let holds = |c: &char| {
        ranges
            .iter()
            .any(|&(first, last)| (first..=last).contains(c))
    };
    let usual = ('a'..='z').chain('A'..='Z').chain('0'..='9').find(holds);
    usual.or_else(|| ranges.first().map(|range| range.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plainest_text_matches() {
        for (pattern, text) in [
            ("^(yes|no)$", "yes"),
            (r"\d{3}-[A-F]+", "000-A"),
            (r"^\+7\s?\d{2}$", "+700"),
        ] {
            assert_eq!(plainest_match(pattern).as_deref(), Some(text), "{pattern}");
        }
        assert_eq!(plainest_match("("), None);
    }
}
