//! Writes JSON objects member by member, what the caller wrote byte for byte.

use serde::Serialize;

/// An object that is being written.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Writer {
        Writer(Vec::new())
    }

    /// With room for so many bytes.
    pub(super) fn with_room(bytes: usize) -> Writer {
        Writer(Vec::with_capacity(bytes))
    }

    fn key(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.write(&name);
        self.0.push(b':');
    }

    fn write(&mut self, value: &(impl Serialize + ?Sized)) {
        // Writing text and finite numbers into memory cannot fail.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    /// A member with a value of ours.
    pub(super) fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.key(name);
        self.write(value);
    }

    /// A member whose value is JSON.
    pub(super) fn raw(&mut self, name: &str, json: impl AsRef<[u8]>) {
        self.key(name);
        self.0.extend_from_slice(json.as_ref());
    }

    /// A member whose value is a list of JSON values.
    pub(super) fn list<T: AsRef<[u8]>>(
        &mut self,
        name: &str,
        elements: impl IntoIterator<Item = T>,
    ) {
        self.key(name);
        self.0.push(b'[');
        for (index, element) in elements.into_iter().enumerate() {
            if index > 0 {
                self.0.push(b',');
            }
            self.0.extend_from_slice(element.as_ref());
        }
        self.0.push(b']');
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object.
    pub(super) fn finish(mut self) -> Vec<u8> {
        match self.0.is_empty() {
            true => self.0.extend_from_slice(b"{}"),
            false => self.0.push(b'}'),
        }
        self.0
    }
}

/// An object with one member that is JSON.
pub(super) fn one(name: &str, json: impl AsRef<[u8]>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.raw(name, json);
    writer.finish()
}

/// A value of ours as JSON.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Vec<u8> {
    // Writing text and finite numbers into memory cannot fail.
    serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())
}
