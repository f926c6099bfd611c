//! `multipart/form-data` (RFC 7578), for uploads.
//!
//! Names go into the header as browsers write them (HTML standard, multipart form data): UTF-8 as it
//! is, with quotes and line breaks percent-encoded, so that no name can add a header or a part.

use std::fmt;

use bytes::Bytes;
use uuid::Uuid;

use crate::error::{Error, Result};

/// A form with files.
#[derive(Clone, Debug, Default)]
pub struct Multipart {
    parts: Vec<Part>,
}

/// One part of a form.
#[derive(Clone)]
pub struct Part {
    name: String,
    /// A file's name and content type.
    file: Option<(String, String)>,
    bytes: Bytes,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .field("file", &self.file)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

impl Multipart {
    /// A form without parts.
    pub fn new() -> Multipart {
        Multipart::default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds a field with a text.
    pub fn add_text(&mut self, name: &str, text: &str) {
        self.add_field(name, text.as_bytes().to_vec());
    }

    /// Adds a field with bytes.
    pub fn add_field(&mut self, name: &str, bytes: impl Into<Bytes>) {
        self.parts.push(Part {
            name: name.to_owned(),
            file: None,
            bytes: bytes.into(),
        });
    }

    /// Adds a file. `content_type` is a MIME type (`text/plain`).
    pub fn add_file(
        &mut self,
        name: &str,
        file_name: &str,
        content_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<()> {
        if file_name.is_empty() {
            return Err(Error::invalid("file name", "an empty text", "not empty"));
        }
        check_content_type(content_type)?;
        self.parts.push(Part {
            name: name.to_owned(),
            file: Some((file_name.to_owned(), content_type.to_owned())),
            bytes: bytes.into(),
        });
        Ok(())
    }

    /// The content type, which names the boundary, and the body.
    pub(crate) fn compose(&self) -> (String, Vec<u8>) {
        // Random, so that no file can contain it but by guessing 122 bits.
        let boundary = Uuid::new_v4().simple().to_string();
        let sized = self.parts.iter().map(|part| part.bytes.len() + 256);
        let mut body = Vec::with_capacity(sized.sum::<usize>() + 64);
        for part in &self.parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            body.extend_from_slice(part.head().as_bytes());
            body.extend_from_slice(&part.bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }
}

impl Part {
    fn head(&self) -> String {
        let name = quoted(&self.name);
        match &self.file {
            None => format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n"),
            Some((file_name, content_type)) => {
                let file_name = quoted(file_name);
                format!(
                    "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {content_type}\r\n\r\n"
                )
            }
        }
    }
}

/// A name between quotes.
fn quoted(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '"' => safe.push_str("%22"),
            '\0'..='\x1f' | '\x7f' => safe.push_str(&format!("%{:02X}", character as u32)),
            _ => safe.push(character),
        }
    }
    safe
}

/// Refuses what is no MIME type, and what would add a header.
pub(super) fn check_content_type(content_type: &str) -> Result<()> {
    let (kind, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    let token = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !text.is_empty() && text.bytes().all(allowed)
    };
    let parts = kind.trim_end().split_once('/');
    let usable = parts.is_some_and(|(kind, subtype)| token(kind) && token(subtype))
        && content_type
            .bytes()
            .all(|byte| (0x20..0x7f).contains(&byte));
    match usable {
        true => Ok(()),
        false => Err(Error::invalid(
            "content type",
            format!("{content_type:?}"),
            "a MIME type such as text/plain",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Multipart, check_content_type};

    #[test]
    fn a_form_has_its_parts_between_boundaries() {
        let mut form = Multipart::new();
        form.add_text("purpose", "general");
        form.add_file("file", "отчёт.txt", "text/plain", "hello")
            .unwrap();
        let (content_type, body) = form.compose();
        let boundary = content_type.split_once("boundary=").unwrap().1;
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ngeneral\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"отчёт.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn no_name_adds_a_header_or_a_part() {
        let mut form = Multipart::new();
        form.add_file("file", "a\"b\r\nX-Evil: 1\0.txt", "text/plain", "x")
            .unwrap();
        let body = String::from_utf8(form.compose().1).unwrap();
        assert!(body.contains("filename=\"a%22b%0D%0AX-Evil: 1%00.txt\"\r\n"));
        assert!(!body.contains("\r\nX-Evil"));
        form.add_file("file", "", "text/plain", "x").unwrap_err();
    }

    #[test]
    fn a_content_type_is_a_mime_type() {
        for usable in ["text/plain", "image/svg+xml", "text/plain; charset=utf-8"] {
            check_content_type(usable).unwrap();
        }
        for not in [
            "",
            "text",
            "text/",
            "/x",
            "a/b\r\nX: y",
            "te xt/plain",
            "a/b/c",
        ] {
            check_content_type(not).unwrap_err();
        }
    }
}
