//! What faults do to the body of an answer: each is a change of the events, of their spelling, or of the
//! plan by which the bytes are sent.

use std::collections::VecDeque;
use std::io::Write as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::action::Action;
use crate::body::{Step, break_off};
use crate::reply::{Event, EventKind, ReplyBody};

const BLOCK: usize = 64 << 10;

/// How a body is sent, and what its `Content-Length` says.
pub(crate) struct Plan {
    pub steps: VecDeque<Step>,
    pub declared: Option<u64>,
}

/// Whether the body can be sent as it is.
pub(crate) fn leaves_body_alone(actions: &[Action]) -> bool {
    actions.iter().all(|action| {
        matches!(
            action,
            Action::DelayHeaders { .. }
                | Action::Headers { .. }
                | Action::WrongContentType { .. }
                | Action::CloseAfterResponse
                | Action::CloseIdleThenReset
                | Action::Goaway
                | Action::HangConnection
                | Action::ManyHeaders { .. }
                | Action::TokenExpiresIn { .. }
                | Action::TokenExpirySeconds
                | Action::TokenShapeTokExp
                | Action::TokenMissingExpiry
                | Action::RefuseRole { .. }
                | Action::UploadCut { .. }
        )
    })
}

/// The plan for this body under these faults.
pub(crate) fn plan(body: ReplyBody, actions: &[Action]) -> Plan {
    let whole = matches!(body, ReplyBody::Whole(_));
    let mut steps = match body {
        ReplyBody::Whole(bytes) => whole_steps(bytes, actions),
        ReplyBody::Events(events) => event_steps(events, actions),
        ReplyBody::Pieces(pieces) => piece_steps(pieces),
    };
    let mut declared = whole.then(|| length(&steps)).flatten();
    for action in actions {
        match action {
            Action::ByteOrderMark => {
                steps.push_front(Step::Data(Bytes::from_static("\u{feff}".as_bytes())));
                declared = declared.map(|length| length + 3);
            }
            Action::ContentEncodingGzip => {
                let packed = gzip(&joined(&steps));
                declared = whole.then_some(packed.len() as u64);
                steps = VecDeque::from([Step::Data(packed)]);
            }
            Action::TruncatedJson { bytes } => {
                steps = first_bytes(steps, *bytes);
                declared = whole.then(|| length(&steps)).flatten();
            }
            Action::CutAfterBytes { bytes, reset } => {
                steps = first_bytes(steps, *bytes);
                steps.extend(break_off(*reset));
            }
            Action::ContentLengthLies { by } => {
                declared = length(&steps).and_then(|length| length.checked_add_signed(*by));
            }
            Action::SplitBytes { size } => steps = split(steps, *size),
            _ => {}
        }
    }
    Plan { steps, declared }
}

fn whole_steps(bytes: Bytes, actions: &[Action]) -> VecDeque<Step> {
    let mut bytes = bytes;
    let mut steps = VecDeque::new();
    for action in actions {
        match action {
            Action::RawSeparators => {
                bytes = with_text(&String::from_utf8_lossy(&bytes), SEPARATORS).into();
            }
            Action::HugeBody { bytes: size } => return padded(&bytes, *size),
            Action::EndlessLine => {
                steps.push_back(Step::Data(Bytes::from_static(PADDING)));
                steps.push_back(Step::Repeat(filler(), None));
                return steps;
            }
            _ => {}
        }
    }
    let half = bytes.len() / 2;
    let halves = [bytes.slice(..half), bytes.slice(half..)];
    for (number, chunk) in halves.into_iter().enumerate() {
        if let Some(end) = end_before_chunk(number, actions) {
            // What is declared is still the whole, as it is when a connection breaks.
            steps.extend(end);
        }
        steps.extend(delay(actions).map(Step::Pause));
        steps.push_back(Step::Data(chunk));
    }
    steps
}

fn event_steps(events: Vec<Event>, actions: &[Action]) -> VecDeque<Step> {
    let spelling = Spelling::from(actions);
    let mut events = events;
    for action in actions {
        match action {
            Action::Comments { every_ms } => {
                let every = Duration::from_millis((*every_ms).max(1));
                return VecDeque::from([Step::Comments(every)]);
            }
            Action::EndlessLine => {
                return VecDeque::from([
                    Step::Data(Bytes::from_static(b"data: ")),
                    Step::Repeat(filler(), None),
                ]);
            }
            other => edit_events(&mut events, other),
        }
    }
    let mut steps = VecDeque::new();
    let mut chunks = 0;
    for event in events {
        if event.kind == EventKind::Chunk {
            if let Some(end) = end_before_chunk(chunks, actions) {
                steps.extend(end);
                return steps;
            }
            chunks += 1;
            steps.extend(delay(actions).map(Step::Pause));
            if let Some(size) = huge(actions).filter(|_| chunks == 1) {
                steps.push_back(huge_stream(&event, spelling, size));
            }
        } else if let Some(end) = end_before_chunk(chunks, actions) {
            steps.extend(end);
            return steps;
        }
        if !event.after.is_zero() {
            steps.push_back(Step::Pause(event.after));
        }
        if event.kind == EventKind::Done {
            steps.push_back(Step::Complete);
        }
        steps.push_back(Step::Data(spelling.event(&event)));
    }
    if actions.contains(&Action::DoneThenSilence) {
        steps.push_back(Step::Silence);
    }
    steps
}

fn piece_steps(pieces: Vec<Bytes>) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    for piece in pieces {
        steps.push_back(Step::Data(piece));
        steps.push_back(Step::Flush);
    }
    steps.pop_back();
    steps
}

/// Where the text of a chunk begins, in v1 and in v2.
const TEXTS: [&str; 2] = ["\"content\":\"", "\"text\":\""];

/// The JSON with these characters at the beginning of its first text.
fn with_text(json: &str, characters: &str) -> String {
    match TEXTS.iter().find(|text| json.contains(**text)) {
        Some(text) => json.replacen(text, &format!("{text}{characters}"), 1),
        None => json.to_owned(),
    }
}

const SEPARATORS: &str = "\u{2028}\u{2029}\u{85}";

fn edit_events(events: &mut Vec<Event>, action: &Action) {
    match action {
        Action::RawSeparators => {
            for event in events.iter_mut().filter(|e| e.kind == EventKind::Chunk) {
                event.data = with_text(&event.data, SEPARATORS);
            }
        }
        Action::OmitDone => events.retain(|event| event.kind != EventKind::Done),
        Action::EventsAfterDone => {
            if let Some(first) = events.first().cloned() {
                events.push(first);
            }
        }
        Action::GarbageEvent { after } => {
            let garbage = Event::new(EventKind::Other, "{\"choices\":[{\"delta\":{\"conte");
            events.insert(behind_chunk(events, *after), garbage);
        }
        Action::ErrorEvent {
            after,
            status,
            message,
        } => {
            let message = serde_json::Value::from(message.as_str());
            let error = format!("{{\"status\":{status},\"message\":{message}}}");
            let is_v2 = events.iter().any(|event| event.name.is_some());
            events.truncate(behind_chunk(events, *after));
            events.push(match is_v2 {
                true => Event::named(EventKind::Other, "response.error", error),
                false => Event::new(EventKind::Other, error),
            });
        }
        _ => {}
    }
}

/// The place behind the n-th chunk, or the end.
fn behind_chunk(events: &[Event], chunks: usize) -> usize {
    if chunks == 0 {
        return 0;
    }
    events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == EventKind::Chunk)
        .nth(chunks - 1)
        .map_or(events.len(), |(place, _)| place + 1)
}

/// What comes instead of the rest when so many chunks have been sent.
fn end_before_chunk(sent: usize, actions: &[Action]) -> Option<Vec<Step>> {
    actions.iter().find_map(|action| match action {
        Action::StallAfter { chunks } if *chunks == sent => Some(vec![Step::Silence]),
        Action::CutAfter { chunks, reset } if *chunks == sent => Some(break_off(*reset).to_vec()),
        _ => None,
    })
}

fn delay(actions: &[Action]) -> Option<Duration> {
    actions.iter().find_map(|action| match action {
        Action::DelayChunks { ms } => Some(Duration::from_millis(*ms)),
        _ => None,
    })
}

fn huge(actions: &[Action]) -> Option<u64> {
    actions.iter().find_map(|action| match action {
        Action::HugeBody { bytes } => Some(*bytes),
        _ => None,
    })
}

/// The first chunk over and over, about so many bytes of it.
fn huge_stream(event: &Event, spelling: Spelling, size: u64) -> Step {
    let mut long = event.clone();
    long.data = with_text(&event.data, &"a".repeat(4096));
    let block = spelling.event(&long);
    let times = size.div_ceil(block.len() as u64);
    Step::Repeat(block, Some(times))
}

const PADDING: &[u8] = b"{\"padding\":\"";

/// A JSON object with one more member at its beginning, of this size.
fn padded(object: &Bytes, size: u64) -> VecDeque<Step> {
    let rest = object.strip_prefix(b"{").unwrap_or(object);
    let mut end = BytesMut::from(&b"\","[..]);
    end.extend_from_slice(rest);
    VecDeque::from([
        Step::Data(Bytes::from_static(PADDING)),
        Step::Repeat(filler(), Some(size.div_ceil(BLOCK as u64))),
        Step::Data(end.freeze()),
    ])
}

fn filler() -> Bytes {
    Bytes::from(vec![b'a'; BLOCK])
}

/// How the lines of a stream are written.
#[derive(Clone, Copy)]
struct Spelling {
    end_of_line: &'static str,
    prefix: &'static str,
    multi_line: bool,
    unnamed: bool,
}

impl From<&[Action]> for Spelling {
    fn from(actions: &[Action]) -> Spelling {
        let mut spelling = Spelling {
            end_of_line: "\n",
            prefix: "data: ",
            multi_line: false,
            unnamed: false,
        };
        for action in actions {
            match action {
                Action::Crlf => spelling.end_of_line = "\r\n",
                Action::Cr => spelling.end_of_line = "\r",
                Action::NoSpaceAfterData => spelling.prefix = "data:",
                Action::UnnamedEvents => spelling.unnamed = true,
                Action::MultiLineData => spelling.multi_line = true,
                _ => {}
            }
        }
        spelling
    }
}

impl Spelling {
    fn event(self, event: &Event) -> Bytes {
        let data = event.data.as_str();
        let pretty = match self.multi_line {
            true => serde_json::from_str::<serde_json::Value>(data)
                .and_then(|json| serde_json::to_string_pretty(&json))
                .ok(),
            false => None,
        };
        let data = pretty.as_deref().unwrap_or(data);
        let mut bytes = BytesMut::with_capacity(data.len() + 16);
        if let Some(name) = event.name.filter(|_| !self.unnamed) {
            // As its data is written: with a space, or without.
            let prefix = self.prefix.replace("data", "event");
            for part in [&prefix, name, self.end_of_line] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        for line in data.split('\n') {
            for part in [self.prefix, line, self.end_of_line] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes.extend_from_slice(self.end_of_line.as_bytes());
        bytes.freeze()
    }
}

/// The bytes of a plan, unless it has no end or a break.
fn length(steps: &VecDeque<Step>) -> Option<u64> {
    steps
        .iter()
        .map(|step| match step {
            Step::Data(bytes) => Some(bytes.len() as u64),
            Step::Repeat(bytes, times) => {
                times.map(|times| times.saturating_mul(bytes.len() as u64))
            }
            _ => Some(0),
        })
        .sum()
}

fn joined(steps: &VecDeque<Step>) -> Bytes {
    let mut bytes = BytesMut::new();
    for step in steps {
        if let Step::Data(data) = step {
            bytes.extend_from_slice(data);
        }
    }
    bytes.freeze()
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    // Writing to memory does not fail.
    let _ = packed.write_all(bytes);
    packed.finish().unwrap_or_default().into()
}

/// The plan up to so many bytes.
fn first_bytes(steps: VecDeque<Step>, most: usize) -> VecDeque<Step> {
    let mut kept = VecDeque::new();
    let mut left = most;
    for step in steps {
        match step {
            Step::Data(bytes) if bytes.len() >= left => {
                kept.push_back(Step::Data(bytes.slice(..left)));
                return kept;
            }
            Step::Data(bytes) => {
                left -= bytes.len();
                kept.push_back(Step::Data(bytes));
            }
            other => kept.push_back(other),
        }
    }
    kept
}

/// The same bytes in pieces of this size; runs without a pause between them are joined first.
fn split(steps: VecDeque<Step>, size: usize) -> VecDeque<Step> {
    let size = size.max(1);
    let mut pieces = VecDeque::new();
    let mut run = BytesMut::new();
    let cut = |run: &mut BytesMut, pieces: &mut VecDeque<Step>, whole: bool| {
        while run.len() >= size || (whole && !run.is_empty()) {
            let piece = run.split_to(size.min(run.len()));
            pieces.push_back(Step::Data(piece.freeze()));
            pieces.push_back(Step::Flush);
        }
    };
    for step in steps {
        match step {
            Step::Data(bytes) => {
                run.extend_from_slice(&bytes);
                cut(&mut run, &mut pieces, false);
            }
            Step::Complete | Step::Flush => pieces.push_back(step),
            other => {
                cut(&mut run, &mut pieces, true);
                pieces.push_back(other);
            }
        }
    }
    cut(&mut run, &mut pieces, true);
    pieces.pop_back();
    pieces
}
