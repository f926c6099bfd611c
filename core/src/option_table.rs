//! A table of options: one row each, which knows its names, values, default and variable, what to
//! say of it, and the setter that it stands for. A provider's configuration, a router's settings and
//! a call's own options have one table each. Every language's names, the environment's variables,
//! the documentation and `api/gigachat.json` come from the rows.

use std::time::Duration;

use crate::limits::{self, Refused};

/// One option, as documentation and bindings show it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OptionInfo {
    /// The option's name, the same in every language that has no older word for it.
    pub name: &'static str,
    /// The word that users of multi-llm-orchestrator and of the official Python SDK know it by, where
    /// that is another one: the Python package's keyword.
    pub known_as: Option<&'static str>,
    /// More names that are understood.
    pub aliases: &'static [&'static str],
    /// What a value is.
    pub unit: Unit,
    /// The least and the greatest value of a number.
    pub range: Option<(f64, f64)>,
    /// The only values there are; empty when there are others.
    pub choices: &'static [&'static str],
    /// Which values are accepted, where `range` and `choices` do not say all of it.
    pub accepted: &'static str,
    /// The value when nothing is set.
    pub default: &'static str,
    /// The environment variable that sets it, if any.
    pub variable: Option<&'static str>,
    /// What it does, in a sentence or two.
    pub doc: &'static str,
}

/// What the value of an option is, and so how it is written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Any text.
    Text,
    /// A text that is shown nowhere.
    Secret,
    /// The path of a file.
    Path,
    /// A URL.
    Url,
    /// A time in seconds: `45` or `0.5`.
    Seconds,
    /// A whole number.
    Count,
    /// A number of bytes.
    Bytes,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Host names with commas between them.
    Hosts,
    /// `Name: value` lines.
    Headers,
}

impl Unit {
    /// The unit's name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Text => "text",
            Unit::Secret => "secret",
            Unit::Path => "path",
            Unit::Url => "URL",
            Unit::Seconds => "seconds",
            Unit::Count => "count",
            Unit::Bytes => "bytes",
            Unit::Number => "number",
            Unit::Boolean => "boolean",
            Unit::Hosts => "host names",
            Unit::Headers => "headers",
        }
    }
}

impl OptionInfo {
    /// Every value that is accepted, in words.
    pub fn values(&self) -> String {
        let range = self.range.map(|(least, most)| format!("{least} to {most}"));
        let choices = (!self.choices.is_empty()).then(|| self.choices.join(", "));
        let rest = (!self.accepted.is_empty()).then(|| self.accepted.to_owned());
        let parts: Vec<String> = [range, choices, rest].into_iter().flatten().collect();
        parts.join(", ")
    }

    /// All its names, its own first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let more = self
            .known_as
            .into_iter()
            .chain(self.aliases.iter().copied());
        std::iter::once(self.name).chain(more)
    }

    /// Whether this is one of the option's names.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

/// An option of a `T`, whose setters give an `E` when they refuse a value.
pub(crate) struct Row<T, E> {
    pub(crate) info: OptionInfo,
    setter: Setter<T, E>,
}

enum Setter<T, E> {
    Text(fn(&mut T, &str) -> Result<(), E>),
    Seconds(fn(&mut T, Duration) -> Result<(), E>),
    Whole(fn(&mut T, u64) -> Result<(), E>),
    Number(fn(&mut T, f64) -> Result<(), E>),
    Boolean(fn(&mut T, bool)),
}

impl<T, E> Row<T, E> {
    /// Sets the option to what `text` says; `refuse` makes the error of a text that says nothing.
    pub(crate) fn set(
        &self,
        target: &mut T,
        text: &str,
        refuse: fn(Refused) -> E,
    ) -> Result<(), E> {
        let field = self.info.name;
        match self.setter {
            Setter::Text(set) => set(target, text),
            Setter::Seconds(set) => {
                let seconds = limits::seconds_of(field, text);
                set(target, seconds.map_err(|why| refuse(self.ranged(why)))?)
            }
            Setter::Whole(set) => {
                let number = limits::whole_of(field, text);
                set(target, number.map_err(|why| refuse(self.ranged(why)))?)
            }
            Setter::Number(set) => {
                let number = limits::number_of(field, text);
                set(target, number.map_err(|why| refuse(self.ranged(why)))?)
            }
            Setter::Boolean(set) => {
                set(target, limits::boolean_of(field, text).map_err(refuse)?);
                Ok(())
            }
        }
    }

    /// The refusal of a text that is no such number at all, with the option's own range.
    fn ranged(&self, mut refused: Refused) -> Refused {
        if let Some((least, most)) = self.info.range {
            refused.accepted += &format!(" from {least} to {most}");
        }
        refused
    }

    const fn new(name: &'static str, unit: Unit, setter: Setter<T, E>) -> Row<T, E> {
        Row {
            info: OptionInfo {
                name,
                known_as: None,
                aliases: &[],
                unit,
                range: None,
                choices: &[],
                accepted: "",
                default: "none",
                variable: None,
                doc: "",
            },
            setter,
        }
    }

    /// An option that is set from text.
    pub(crate) const fn text(
        name: &'static str,
        unit: Unit,
        set: fn(&mut T, &str) -> Result<(), E>,
    ) -> Row<T, E> {
        Row::new(name, unit, Setter::Text(set))
    }

    /// A length of time.
    pub(crate) const fn seconds(
        name: &'static str,
        span: limits::Span,
        set: fn(&mut T, Duration) -> Result<(), E>,
    ) -> Row<T, E> {
        let mut row = Row::new(name, Unit::Seconds, Setter::Seconds(set));
        row.info.range = Some(span.seconds());
        row
    }

    /// A whole number: of `Unit::Count` or `Unit::Bytes`.
    pub(crate) const fn whole(
        name: &'static str,
        unit: Unit,
        range: limits::Range,
        set: fn(&mut T, u64) -> Result<(), E>,
    ) -> Row<T, E> {
        let mut row = Row::new(name, unit, Setter::Whole(set));
        row.info.range = Some((range.0 as f64, range.1 as f64));
        row
    }

    /// A number.
    pub(crate) const fn number(
        name: &'static str,
        set: fn(&mut T, f64) -> Result<(), E>,
    ) -> Row<T, E> {
        Row::new(name, Unit::Number, Setter::Number(set))
    }

    /// A truth value.
    pub(crate) const fn boolean(name: &'static str, set: fn(&mut T, bool)) -> Row<T, E> {
        Row::new(name, Unit::Boolean, Setter::Boolean(set))
    }

    /// The range of a number.
    pub(crate) const fn range(mut self, least: f64, most: f64) -> Row<T, E> {
        self.info.range = Some((least, most));
        self
    }

    /// Its older name.
    pub(crate) const fn known_as(mut self, name: &'static str) -> Row<T, E> {
        self.info.known_as = Some(name);
        self
    }

    /// More names that are understood.
    pub(crate) const fn aliases(mut self, aliases: &'static [&'static str]) -> Row<T, E> {
        self.info.aliases = aliases;
        self
    }

    /// The only values there are.
    pub(crate) const fn choices(mut self, choices: &'static [&'static str]) -> Row<T, E> {
        self.info.choices = choices;
        self
    }

    /// What is accepted, in words.
    pub(crate) const fn accepts(mut self, accepted: &'static str) -> Row<T, E> {
        self.info.accepted = accepted;
        self
    }

    /// The value when nothing is set.
    pub(crate) const fn default(mut self, default: &'static str) -> Row<T, E> {
        self.info.default = default;
        self
    }

    /// The environment variable that sets it.
    pub(crate) const fn variable(mut self, variable: &'static str) -> Row<T, E> {
        self.info.variable = Some(variable);
        self
    }

    /// What it does.
    pub(crate) const fn doc(mut self, doc: &'static str) -> Row<T, E> {
        self.info.doc = doc;
        self
    }
}

/// The row of this name.
pub(crate) fn find<'a, T, E>(rows: &'a [Row<T, E>], name: &str) -> Option<&'a Row<T, E>> {
    rows.iter().find(|row| row.info.is_called(name))
}

/// What to say of a name that no row has: the one that was meant, if one is close.
pub(crate) fn unknown<T, E>(rows: &[Row<T, E>], name: &str) -> String {
    let names = rows.iter().flat_map(|row| {
        let names = row.info.names();
        names.map(|known| (known, row.info.name))
    });
    let all = rows.iter().map(|row| row.info.name);
    no_such("option", name, names, all)
}

/// "x: no such option; did you mean y?", or all of the names when none is close. `names` are the
/// spellings that are known, each with the name to tell.
pub(crate) fn no_such<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = (&'a str, &'a str)>,
    all: impl Iterator<Item = &'a str>,
) -> String {
    let shown: String = name.chars().take(64).collect();
    let wanted = shown.to_lowercase().replace('-', "_");
    let likely = names.map(|(known, name)| (strsim::jaro_winkler(known, &wanted), name));
    match likely.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        Some((likeness, name)) if likeness > 0.85 => {
            format!("{shown}: no such {what}; did you mean {name}?")
        }
        _ => {
            let all: Vec<&str> = all.collect();
            format!("{shown}: no such {what}; there are {}", all.join(", "))
        }
    }
}
