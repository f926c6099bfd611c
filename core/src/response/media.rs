//! What an answer refers to: files that the service has made, and the sources of a text.
//!
//! Chat v2 has them as parts. Chat v1 writes them into the text as markup
//! (`<img src="UUID" fuse="true"/>`, `<video cover="UUID" src="UUID"/>`, `<div data-model-id="UUID">`:
//! GigaChat REST reference, generated media), where it stays.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use crate::wire::{Key, Lenient, Reading, Text, wire_object};

/// A file that the service made for an answer. Its bytes are the operation `file_content`'s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneratedFile {
    /// The file's id.
    pub id: String,
    /// `image`, `video`, `audio`, `3dmodel`, or a newer one; empty when the service does not say.
    pub kind: String,
    /// Its content type, if the service says it.
    pub mime: Option<String>,
}

/// A page that an answer's text refers to by a marker such as `[sources=[2]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What the marker calls it: `2`.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// What it is called; may be empty.
    pub title: String,
}

wire_object! {
    pub(crate) struct WireFile<'a> {
        id: Text<'a>,
        mime: Text<'a>,
        target: Text<'a>,
    }
}

wire_object! {
    pub(crate) struct InlineData<'a> {
        sources: Sources,
    }
}

wire_object! {
    struct WireSource<'a> {
        url: Text<'a>,
        title: Text<'a>,
    }
}

impl WireFile<'_> {
    pub(crate) fn into_file(self) -> Option<GeneratedFile> {
        let id = self.id.filter(|id| !id.0.is_empty())?.into_owned();
        let mime = self.mime.map(Text::into_owned);
        let kind = self.target.map(Text::into_owned).unwrap_or_else(|| {
            let family = mime.as_deref().and_then(|mime| mime.split('/').next());
            family.unwrap_or_default().to_owned()
        });
        Some(GeneratedFile { id, kind, mime })
    }
}

/// Sources by their numbers (an object), or in their order (an array).
#[derive(Debug)]
pub(crate) struct Sources(pub(crate) Vec<Source>);

impl<'de> Lenient<'de> for Sources {
    fn of_object<A: MapAccess<'de>>(
        mut object: A,
    ) -> std::result::Result<Option<Sources>, A::Error> {
        let mut found = Vec::new();
        while let Some(id) = object.next_key_seed(Key)? {
            let source = object.next_value_seed(Reading::<WireSource<'de>>::new())?;
            found.extend(source.and_then(|source| source.named(&id)));
        }
        Ok(Some(Sources(found)))
    }

    fn of_array<A: SeqAccess<'de>>(mut array: A) -> std::result::Result<Option<Sources>, A::Error> {
        let mut found = Vec::new();
        let mut number = 0_usize;
        while let Some(source) = array.next_element_seed(Reading::<WireSource<'de>>::new())? {
            number += 1;
            found.extend(source.and_then(|source| source.named(&number.to_string())));
        }
        Ok(Some(Sources(found)))
    }
}

impl WireSource<'_> {
    fn named(self, id: &str) -> Option<Source> {
        Some(Source {
            id: id.to_owned(),
            url: self.url?.into_owned(),
            title: self.title.map_or(String::new(), Text::into_owned),
        })
    }
}

/// Of what an answer lists, so many entries are compared with a new one, so that a list of any
/// length costs linear time. Real answers have a few.
pub(crate) const MOST_COMPARED: usize = 1000;

/// Adds sources; one that is there already is replaced.
pub(crate) fn add_sources(known: &mut Vec<Source>, more: Vec<Source>) {
    for source in more {
        let mut compared = known.iter_mut().take(MOST_COMPARED);
        match compared.find(|other| other.id == source.id) {
            Some(other) => *other = source,
            None => known.push(source),
        }
    }
}

/// A tag with an id is shorter, in bytes.
const LONGEST_TAG: usize = 1024;

/// Tag, attribute with the id, kind.
const MARKUP: [(&str, &str, &str); 3] = [
    ("<img", "src", "image"),
    ("<video", "src", "video"),
    ("<div", "data-model-id", "3dmodel"),
];

/// The files that a text of chat v1 shows. Only ids count: an address is not a file of the service.
pub(crate) fn files_of_text(text: &str) -> Vec<GeneratedFile> {
    let mut found: Vec<GeneratedFile> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let bounded = &rest[..rest.floor_char_boundary(LONGEST_TAG)];
        let tag = bounded.split_once('>').map_or("", |(tag, _)| tag);
        let known = MARKUP.iter().find_map(|(name, attribute, kind)| {
            let attributes = tag.strip_prefix(name)?;
            let id = attribute_of(attributes, attribute).filter(|id| is_id(id))?;
            Some((id, *kind))
        });
        if let Some((id, kind)) = known
            && !found.iter().take(MOST_COMPARED).any(|file| file.id == id)
        {
            found.push(GeneratedFile {
                id: id.into_owned(),
                kind: kind.to_owned(),
                mime: None,
            });
        }
        rest = &rest[1..];
    }
    found
}

fn attribute_of<'a>(attributes: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut rest = attributes;
    while let Some(at) = rest.find(name) {
        let alone = rest[..at].ends_with(char::is_whitespace);
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| alone) else {
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        return value[1..].split(quote).next().map(Cow::Borrowed);
    }
    None
}

fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= 128 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::files_of_text;

    fn found(text: &str) -> Vec<(String, String)> {
        let files = files_of_text(text).into_iter();
        files.map(|file| (file.kind, file.id)).collect()
    }

    fn pair(kind: &str, id: &str) -> (String, String) {
        (kind.to_owned(), id.to_owned())
    }

    #[test]
    fn files_are_found_in_the_markup_of_a_text() {
        let text = r#"<img src="5e0c-1" fuse="true"/> a cat <video cover="c-1" src='v-1' fuse="true"/>
            <div data-model-id="m-1" class="x"></div> <img src="5e0c-1"/>"#;
        let expected = [
            pair("image", "5e0c-1"),
            pair("video", "v-1"),
            pair("3dmodel", "m-1"),
        ];
        assert_eq!(found(text), expected);
    }

    #[test]
    fn what_is_no_markup_costs_linear_time() {
        // Squared, each would take minutes.
        for piece in ["<", "<img ", "<img src=\"a\" "] {
            assert_eq!(found(&piece.repeat(1 << 18)), [], "{piece}");
        }
    }

    #[test]
    fn addresses_and_broken_markup_are_no_files() {
        for text in [
            "",
            "a < b",
            "<img",
            "<img src=",
            "<img src=\"",
            "<img src=x>",
            "<img src=\"https://example.com/a.png\">",
            "<img data-src=\"5e0c\">",
            "<div src=\"5e0c\">",
            "<imgsrc=\"5e0c\">",
            "<img src=\"\u{442}\">",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
