//! Server-sent events: bytes in pieces of any size -> events. Knows nothing of GigaChat.
//!
//! Lines end at LF, CRLF or CR only (WHATWG HTML, server-sent events): JSON text may hold raw
//! U+2028, U+2029 or U+0085. Bytes stay bytes here, so a character split over pieces is whole
//! again when its event is complete. An event is bounded in size (I12).

use memchr::memchr2;

/// One dispatched event.
#[derive(Debug, PartialEq, Eq)]
pub struct SseEvent<'a> {
    /// The `event` field; empty when there was none.
    pub name: &'a [u8],
    /// The `data` lines, joined by LF.
    pub data: &'a [u8],
}

/// The event is larger than the bound.
#[derive(Debug, PartialEq, Eq)]
pub struct EventTooLarge;

/// Turns pieces of a body into events. Feed a piece, then take events until `None`.
#[derive(Debug)]
pub struct SseDecoder {
    /// Bytes received and not yet consumed start at `start`.
    buffer: Vec<u8>,
    start: usize,
    /// How far `buffer` was searched for a line end already.
    searched: usize,
    /// The last line ended in CR at the very end of the input: a LF that follows belongs to it.
    skip_lf: bool,
    at_beginning: bool,
    /// The event's data, unless it is still `data_in_buffer`.
    data: Vec<u8>,
    /// The bounds of the event's only line of data: it is copied when another one or another
    /// piece comes, which for this protocol is almost never.
    data_in_buffer: Option<(usize, usize)>,
    data_lines: usize,
    name: Vec<u8>,
    /// The event just returned is cleared when the next one is asked for.
    dispatched: bool,
    max_event: usize,
}

impl SseDecoder {
    /// A decoder that refuses events and lines of more than `max_event` bytes.
    pub fn new(max_event: usize) -> SseDecoder {
        SseDecoder {
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            skip_lf: false,
            at_beginning: true,
            data: Vec::new(),
            data_in_buffer: None,
            data_lines: 0,
            name: Vec::new(),
            dispatched: false,
            max_event,
        }
    }

    /// Takes the next piece of the body.
    pub fn feed(&mut self, piece: &[u8]) {
        if std::mem::take(&mut self.dispatched) {
            self.clear_event();
        }
        self.copy_data();
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(piece);
    }

    /// The next complete event, if the pieces so far hold one.
    pub fn next_event(&mut self) -> Result<Option<SseEvent<'_>>, EventTooLarge> {
        if std::mem::take(&mut self.dispatched) {
            self.clear_event();
        }
        loop {
            let begin = self.line_begin();
            let Some((from, to)) = self.next_line() else {
                break;
            };
            // A line that came whole counts like one that is still coming.
            if to - begin > self.max_event {
                return Err(EventTooLarge);
            }
            if from == to {
                if self.data_lines > 0 {
                    self.dispatched = true;
                    return Ok(Some(SseEvent {
                        name: &self.name,
                        data: self.data(),
                    }));
                }
                self.clear_event();
                continue;
            }
            self.take_line(from, to);
            if self.data().len() > self.max_event {
                return Err(EventTooLarge);
            }
        }
        if self.buffer.len() - self.start > self.max_event {
            return Err(EventTooLarge);
        }
        Ok(None)
    }

    fn data(&self) -> &[u8] {
        match self.data_in_buffer {
            Some((from, to)) => &self.buffer[from..to],
            None => &self.data,
        }
    }

    /// Moves the data out of the buffer, which is about to change.
    fn copy_data(&mut self) {
        if let Some((from, to)) = self.data_in_buffer.take() {
            self.data.extend_from_slice(&self.buffer[from..to]);
        }
    }

    fn clear_event(&mut self) {
        self.data.clear();
        self.data_in_buffer = None;
        self.name.clear();
        self.data_lines = 0;
    }

    /// Where the next line begins, its byte order mark included.
    fn line_begin(&mut self) -> usize {
        if self.skip_lf && self.start < self.buffer.len() {
            self.skip_lf = false;
            if self.buffer[self.start] == b'\n' {
                self.start += 1;
                self.searched = self.searched.max(self.start);
            }
        }
        self.start
    }

    /// The bounds of the next line without its end; consumes it.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        let end = match memchr2(b'\n', b'\r', &self.buffer[self.searched..]) {
            Some(offset) => self.searched + offset,
            None => {
                self.searched = self.buffer.len();
                return None;
            }
        };
        let mut from = self.start;
        self.start = end + 1;
        if self.buffer[end] == b'\r' {
            match self.buffer.get(end + 1) {
                Some(b'\n') => self.start = end + 2,
                Some(_) => {}
                None => self.skip_lf = true,
            }
        }
        self.searched = self.start;
        if std::mem::take(&mut self.at_beginning)
            && self.buffer[from..end].starts_with(b"\xEF\xBB\xBF")
        {
            from += 3; // a byte order mark is allowed once, at the very beginning
        }
        Some((from, end))
    }

    fn take_line(&mut self, from: usize, to: usize) {
        let line = &self.buffer[from..to];
        if line.starts_with(b"data:") || line == b"data" {
            self.take_data(value_from(line, from, b"data:".len()), to);
        } else if line.starts_with(b"event:") {
            let from = value_from(line, from, b"event:".len());
            self.name.clear();
            self.name.extend_from_slice(&self.buffer[from..to]);
        }
        // Everything else (comments, `id`, `retry`, unknown fields) does not matter here.
    }

    fn take_data(&mut self, from: usize, to: usize) {
        if self.data_lines == 0 {
            self.data_in_buffer = Some((from, to));
        } else {
            self.copy_data();
            self.data.push(b'\n');
            self.data.extend_from_slice(&self.buffer[from..to]);
        }
        self.data_lines += 1;
    }
}

/// Where a field's value begins in a line that begins at `from`: after the name, its colon, and
/// one space if there is one. A name without a colon has an empty value.
fn value_from(line: &[u8], from: usize, name: usize) -> usize {
    let space = line.get(name) == Some(&b' ');
    from + name.min(line.len()) + usize::from(space)
}

#[cfg(test)]
mod tests {
    use super::{EventTooLarge, SseDecoder};

    fn decode(bytes: &[u8], size: usize) -> Vec<(String, String)> {
        let mut decoder = SseDecoder::new(1024);
        let mut events = Vec::new();
        for piece in bytes.chunks(size) {
            decoder.feed(piece);
            while let Some(event) = decoder.next_event().unwrap() {
                events.push((
                    String::from_utf8(event.name.to_vec()).unwrap(),
                    String::from_utf8(event.data.to_vec()).unwrap(),
                ));
            }
        }
        events
    }

    #[test]
    fn the_events_do_not_depend_on_how_the_bytes_are_split() {
        let body = "\u{feff}: comment\r\nid: 1\ndata: {\"a\":\"мир \u{2028}\u{85} data: x\"}\n\n\
                    data:one\r\ndata\r\ndata: two\r\n\r\nevent: done\rdata: {}\r\rretry: 5\n\nevent: lost\n\n\
                    data:  [DONE]\n\n";
        let expected: Vec<(String, String)> = [
            ("", "{\"a\":\"мир \u{2028}\u{85} data: x\"}"),
            ("", "one\n\ntwo"),
            ("done", "{}"),
            ("", " [DONE]"),
        ]
        .iter()
        .map(|(name, data)| ((*name).to_owned(), (*data).to_owned()))
        .collect();
        for size in 1..=body.len() {
            assert_eq!(decode(body.as_bytes(), size), expected, "pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_its_empty_line_is_not_dispatched() {
        assert!(decode(b"data: half\n", 3).is_empty());
    }

    #[test]
    fn the_bound_does_not_depend_on_how_the_bytes_are_split() {
        let event = format!("data: {}\n\n", "x".repeat(10));
        let comment = format!(": {}\ndata: x\n\n", "x".repeat(20));
        for (body, longest_line) in [(event, 16), (comment, 22)] {
            for bound in longest_line - 1..=longest_line {
                for size in 1..=body.len() {
                    let mut decoder = SseDecoder::new(bound);
                    let outcomes: Vec<bool> = body
                        .as_bytes()
                        .chunks(size)
                        .map(|piece| {
                            decoder.feed(piece);
                            decoder.next_event().is_err()
                        })
                        .collect();
                    let refused = outcomes.contains(&true);
                    assert_eq!(refused, bound < longest_line, "{bound}, pieces of {size}");
                }
            }
        }
    }

    #[test]
    fn an_endless_line_and_an_endless_event_are_refused() {
        let mut decoder = SseDecoder::new(100);
        decoder.feed(&[b'x'; 101]);
        assert_eq!(decoder.next_event(), Err(EventTooLarge));
        let mut decoder = SseDecoder::new(100);
        for _ in 0..60 {
            decoder.feed(b"data: x\n");
            if decoder.next_event() == Err(EventTooLarge) {
                return;
            }
        }
        panic!("an endless event was taken");
    }
}
