//! Characters of which one half came in one chunk and the other in the next.

/// Joins surrogate pairs whose halves came in two chunks.
#[derive(Debug, Default)]
pub(crate) struct PairJoiner {
    high: Option<u16>,
}

impl PairJoiner {
    /// The next text with the half that was held back; its own last half is held back in turn.
    pub(crate) fn join(&mut self, mut text: String, halves: (Option<u16>, Option<u16>)) -> String {
        let (begins, ends) = halves;
        if ends.is_some() {
            text.pop();
        }
        if let Some(high) = std::mem::replace(&mut self.high, ends) {
            let pair = begins.and_then(|low| char::decode_utf16([high, low]).next()?.ok());
            if pair.is_some() {
                text.remove(0);
            }
            text.insert(0, pair.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        text
    }

    /// What is left of a half whose other half never came.
    pub(crate) fn finish(&mut self) -> Option<char> {
        self.high.take().map(|_| char::REPLACEMENT_CHARACTER)
    }
}
