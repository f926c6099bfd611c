//! Answers that come in parts: SSE bytes -> events -> the caller's sink (I3, I6, I7).

use super::call::Consumer;
use super::progress::Progress;
use super::stream_clock::Clock;
use super::unary::whole_body;
use crate::api::Ask;
use crate::api_version::ApiVersion;
use crate::chunk::{self, ChunkContent, PairJoiner, StreamEvent};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::response::{
    CallReport, FunctionCall, MOST_COMPARED, Response, StreamEnd, TokenUsage, add_sources,
};
use crate::sse::{SseDecoder, SseEvent};
use crate::stop::StopMatcher;
use crate::stream::{EventSink, Origin};
use crate::transport::Answer;
use crate::wire::complaint::{self, Complaint};

/// Delivers a stream into a sink.
pub(super) struct Streamed<'a> {
    sink: &'a mut EventSink,
    version: ApiVersion,
    stops: &'a [String],
    keep_raw: bool,
}

impl<'a> Streamed<'a> {
    /// `version` is the one whose events are awaited.
    pub(super) fn new(sink: &'a mut EventSink, ask: &'a Ask, version: ApiVersion) -> Streamed<'a> {
        Streamed {
            sink,
            version,
            stops: ask.stops(),
            keep_raw: ask.options().keep_raw,
        }
    }
}

impl Consumer for Streamed<'_> {
    type Output = StreamEnd;

    async fn consume(
        &mut self,
        mut answer: Answer,
        progress: &mut Progress<'_>,
    ) -> Result<StreamEnd> {
        if !is_event_stream(&answer) {
            return self.consume_whole(answer, progress).await;
        }
        let config = progress.session.config.clone();
        let mut reading = Reading {
            sink: self.sink,
            decoder: SseDecoder::new(config.max_event_bytes),
            stop: StopMatcher::new(self.stops),
            pairs: PairJoiner::default(),
            answered: false,
            usage: None,
            keep_raw: self.keep_raw,
            calls: Vec::new(),
            heard_text: 0,
            end: StreamEnd {
                api_version: self.version,
                ..StreamEnd::default()
            },
            clock: Clock::new(progress),
            received: 0,
        };
        loop {
            let piece = match reading.clock.read(&mut answer, progress).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return reading.end_of_body(None, progress).await,
                Err(error) if error.kind() == ErrorKind::Protocol => {
                    return reading.end_of_body(Some(&error), progress).await;
                }
                Err(error) => return Err(reading.with_partial_text(error)),
            };
            reading.received += piece.len();
            if reading.received > config.max_body_bytes {
                return Err(
                    reading.with_partial_text(answer.too_large(config.max_body_bytes, Phase::Body))
                );
            }
            reading.decoder.feed(&piece);
            match reading.deliver(progress).await? {
                Heard::More => {}
                Heard::EndMark => {
                    progress.received();
                    answer.drain();
                    return Ok(reading.finish(progress));
                }
                // Dropping the answer aborts the stream: its rest is not wanted (I7).
                Heard::StopSequence => {
                    drop(answer);
                    progress.received();
                    return Ok(reading.finish(progress));
                }
            }
        }
    }

    fn told(output: &StreamEnd) -> (&CallReport, Option<TokenUsage>) {
        (&output.report, output.usage)
    }

    fn may_start_over(&self) -> bool {
        !self.sink.has_delivered()
    }
}

impl Streamed<'_> {
    /// An answer that is no event stream: a completion as a whole is delivered as one, anything
    /// else is the error that it says.
    async fn consume_whole(
        &mut self,
        answer: Answer,
        progress: &mut Progress<'_>,
    ) -> Result<StreamEnd> {
        let content_type = answer.text_header("content-type").unwrap_or("").to_owned();
        let kind = content_type.split(';').next().unwrap_or("").trim();
        let json = kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json");
        let request_id = answer.request_id().map(str::to_owned);
        let refused = |complaint: Complaint, body: &[u8]| {
            let shown = complaint::shown(&content_type).unwrap_or_default();
            let what = format!(
                "the service answered a stream request with content type {shown:?} instead of text/event-stream"
            );
            let error = match complaint.words.is_some() || complaint.status.is_some() {
                true => Error::of_complaint(complaint, &what, Phase::Body, body),
                false => Error::new(ErrorKind::Protocol, Phase::Body, what)
                    .with_status(200)
                    .with_body(body),
            };
            error.with_request_id(request_id.as_deref())
        };
        if !json {
            let body = answer.beginning(progress.deadline).await;
            let complaint = match kind.eq_ignore_ascii_case("text/plain") {
                true => Complaint::of_error_body(&body),
                false => Complaint::instead_of_answer(&body, false).unwrap_or_default(),
            };
            return Err(refused(complaint, &body));
        }
        let body = whole_body(answer, progress).await?;
        let response = match Response::parse(body, self.stops, CallReport::default()) {
            Ok(response) => response,
            Err(error) if error.kind() == ErrorKind::Protocol => {
                return Err(refused(Complaint::default(), error.body()));
            }
            Err(error) => return Err(error),
        };
        progress.first_content();
        if self.keep_raw {
            self.sink.set_origin(response.raw.as_bytes());
            self.sink.end_comes_from_here();
        }
        let text = Some(response.text).filter(|text| !text.is_empty());
        let reasoning = response.reasoning.map(StreamEvent::Reasoning).into_iter();
        let parts = reasoning
            .chain(match response.api_version {
                ApiVersion::V1 => Vec::new(), // they are in the text
                ApiVersion::V2 => response.files.into_iter().map(StreamEvent::File).collect(),
            })
            .chain(text.map(StreamEvent::Text))
            .chain(
                response
                    .function_calls
                    .into_iter()
                    .map(StreamEvent::FunctionCall),
            )
            .chain(response.usage.map(StreamEvent::Usage));
        for part in parts {
            self.sink.push_now(part);
        }
        Ok(StreamEnd {
            finish_reason: response.finish_reason,
            usage: response.usage,
            model: response.model,
            sources: response.sources,
            thread_id: response.thread_id,
            state_id: response.state_id,
            api_version: response.api_version,
            report: progress.report(),
        })
    }
}

enum Heard {
    More,
    EndMark,
    StopSequence,
}

struct Reading<'a> {
    sink: &'a mut EventSink,
    decoder: SseDecoder,
    stop: StopMatcher,
    pairs: PairJoiner,
    /// Whether there was a text, a call or a reason to end.
    answered: bool,
    /// The usage that counts so far, and where it came from; a gateway may send it in each chunk.
    usage: Option<(TokenUsage, Origin)>,
    keep_raw: bool,
    /// The calls that were delivered and that the last event has not repeated.
    calls: Vec<FunctionCall>,
    /// How many bytes of text came.
    heard_text: usize,
    end: StreamEnd,
    clock: Clock,
    received: usize,
}

impl Reading<'_> {
    /// Delivers every event that is complete.
    async fn deliver(&mut self, progress: &mut Progress<'_>) -> Result<Heard> {
        loop {
            let event = match self.decoder.next_event() {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(Heard::More),
                Err(_) => return Err(self.with_partial_text(event_too_large(progress))),
            };
            match (chunk::is_end_mark(event.data), self.end.api_version) {
                (true, ApiVersion::V1) => return self.end_mark(progress).await,
                // Gateways that know v1 alone may add it; v2 has an end of its own.
                (true, ApiVersion::V2) => continue,
                (false, _) => {}
            }
            let known_model = Some(self.end.model.as_str()).filter(|model| !model.is_empty());
            let content = match read(self.end.api_version, &event, known_model) {
                Ok(content) => content,
                Err(error) => return Err(self.with_partial_text(error)),
            };
            if self.keep_raw {
                self.sink.set_origin(event.data);
            }
            let ends = content.ends;
            if self.deliver_chunk(content, progress).await? {
                return Ok(Heard::StopSequence);
            }
            if ends {
                return self.end_mark(progress).await;
            }
        }
    }

    /// Delivers one chunk's parts; returns whether a stop sequence was met.
    async fn deliver_chunk(
        &mut self,
        content: ChunkContent,
        progress: &mut Progress<'_>,
    ) -> Result<bool> {
        if let Some(model) = content.model {
            self.end.model = model;
        }
        if let Some(reason) = content.finish_reason {
            self.answered |= !reason.is_empty();
            self.end.finish_reason = reason;
            self.sink.end_comes_from_here();
        }
        if let Some(usage) = content.usage {
            self.keep_usage(usage);
        }
        if content.of_another_choice {
            self.clock.restart_silence();
        }
        add_sources(&mut self.end.sources, content.sources);
        self.end.thread_id = content.thread_id.or(self.end.thread_id.take());
        self.end.state_id = content.state_id.or(self.end.state_id.take());
        if let Some(text) = content.reasoning {
            self.clock.heard_content(progress);
            self.push(StreamEvent::Reasoning(text), progress).await?;
        }
        for file in content.files {
            self.answered = true;
            self.clock.heard_content(progress);
            self.push(StreamEvent::File(file), progress).await?;
        }
        let ends = content.ends;
        let text = content.text;
        if let Some(text) = text.filter(|text| !(ends && self.is_repeated(text))) {
            self.answered = true;
            self.heard_text += text.len();
            let text = self.pairs.join(text, content.halves);
            let (text, stopped) = self.stop.push(text);
            self.clock.heard_content(progress);
            self.push_text(text, progress).await?;
            if stopped {
                return Ok(self.stopped());
            }
        }
        if let Some((name, content)) = content.progress {
            self.clock.heard_content(progress);
            self.push(StreamEvent::Progress { name, content }, progress)
                .await?;
        }
        for call in self.not_yet_delivered(content.function_calls, content.ends) {
            self.answered = true;
            self.clock.heard_content(progress);
            if self.deliver_held(progress).await? {
                return Ok(true);
            }
            self.push(StreamEvent::FunctionCall(call), progress).await?;
        }
        match content.error {
            Some(error) => Err(self.with_partial_text(error)),
            None => Ok(false),
        }
    }

    /// Whether the last event says the whole text once more.
    fn is_repeated(&self, text: &str) -> bool {
        self.heard_text > 0
            && self.heard_text == text.len()
            && text.starts_with(&self.sink.delivered_text())
    }

    /// Without the calls that an earlier event has brought: by their ids, or, in the last event,
    /// by name and arguments, each once.
    fn not_yet_delivered(&mut self, calls: Vec<FunctionCall>, ends: bool) -> Vec<FunctionCall> {
        let mut known = std::mem::take(&mut self.calls);
        let mut new: Vec<FunctionCall> = Vec::new();
        for call in calls {
            let is_same = |other: &FunctionCall| match (&other.id, &call.id) {
                (Some(one), Some(other)) => one == other,
                _ => ends && other.name == call.name && other.arguments == call.arguments,
            };
            match known.iter().position(is_same) {
                Some(at) if ends => drop(known.swap_remove(at)),
                Some(_) => {}
                None => new.push(call),
            }
        }
        known.extend(new.iter().cloned());
        known.truncate(MOST_COMPARED);
        self.calls = known;
        new
    }

    /// Usage is replaced only by one that says something.
    fn keep_usage(&mut self, usage: TokenUsage) {
        if self.usage.is_none() || usage != TokenUsage::default() {
            self.usage = Some((usage, self.sink.origin()));
            self.sink.end_comes_from_here();
        }
    }

    /// The usage, once, when nothing else will come.
    fn deliver_usage(&mut self) {
        if let Some((usage, origin)) = self.usage.take() {
            self.end.usage = Some(usage);
            self.sink.restore_origin(origin);
            self.sink.push_now(StreamEvent::Usage(usage));
        }
    }

    fn stopped(&mut self) -> bool {
        "stop".clone_into(&mut self.end.finish_reason);
        // The stream is ended before the service has counted.
        self.usage = None;
        true
    }

    /// Delivers the text that was held back because a stop sequence could have begun in it;
    /// returns whether one was met.
    async fn deliver_held(&mut self, progress: &Progress<'_>) -> Result<bool> {
        let (text, stopped) = self.take_held();
        self.push_text(text, progress).await?;
        Ok(stopped && self.stopped())
    }

    fn take_held(&mut self) -> (String, bool) {
        let half = self.pairs.finish().map_or(String::new(), String::from);
        let (mut text, stopped) = self.stop.push(half);
        if stopped {
            return (text, true);
        }
        let (rest, stopped) = self.stop.finish();
        text.push_str(&rest);
        (text, stopped)
    }

    async fn push_text(&mut self, text: String, progress: &Progress<'_>) -> Result<()> {
        match text.is_empty() {
            true => Ok(()),
            false => self.push(StreamEvent::Text(text), progress).await,
        }
    }

    async fn push(&mut self, event: StreamEvent, progress: &Progress<'_>) -> Result<()> {
        let Err(event) = self.sink.push_if_room(event) else {
            return Ok(());
        };
        let room = self.clock.room(self.sink, progress).await;
        // It has arrived: it is delivered, room or not.
        self.sink.push_now(event);
        // The reader's slowness is not the service's silence.
        self.clock.restart_silence();
        room.map_err(|error| self.with_partial_text(error))
    }

    fn finish(mut self, progress: &mut Progress<'_>) -> StreamEnd {
        self.end.report = progress.report();
        self.end
    }

    /// The body is over. Its end mark may have come without its blank line; of another event that
    /// came so, nobody knows that it is whole, unless it is an error.
    async fn end_of_body(
        mut self,
        cause: Option<&Error>,
        progress: &mut Progress<'_>,
    ) -> Result<StreamEnd> {
        self.decoder.feed(b"\n\n");
        let said = match self.decoder.next_event() {
            Ok(Some(event)) => match self.end.api_version {
                ApiVersion::V1 if chunk::is_end_mark(event.data) => {
                    self.end_mark(progress).await?;
                    progress.received();
                    return Ok(self.finish(progress));
                }
                version => match read(version, &event, None) {
                    // JSON says itself whether it is whole.
                    Ok(content) if content.ends && content.finish_reason.is_some() => {
                        if !self.deliver_chunk(content, progress).await? {
                            self.end_mark(progress).await?;
                        }
                        progress.received();
                        return Ok(self.finish(progress));
                    }
                    said => said.err(),
                },
            },
            Ok(None) | Err(_) => None,
        };
        match said.filter(|error| error.kind() != ErrorKind::Protocol) {
            Some(error) => Err(self.with_partial_text(error)),
            None => Err(self.incomplete(cause)),
        }
    }

    /// The end mark came: delivers what was kept for the end.
    async fn end_mark(&mut self, progress: &Progress<'_>) -> Result<Heard> {
        if self.deliver_held(progress).await? {
            return Ok(Heard::StopSequence);
        }
        if !self.answered {
            return Err(self.with_partial_text(without_answer()));
        }
        self.deliver_usage();
        Ok(Heard::EndMark)
    }

    /// I6: without the end mark the answer is incomplete, even after a finish reason.
    fn incomplete(&mut self, cause: Option<&Error>) -> Error {
        let why = cause.map_or(String::new(), |cause| format!(" ({})", cause.message()));
        let text = format!(
            "the stream ended without its end mark{why}: the text that arrived is not the whole answer"
        );
        let error = Error::new(ErrorKind::IncompleteStream, Phase::Body, text)
            .with_status(200)
            .with_retryable(true);
        self.with_partial_text(error)
    }

    /// Everything that arrived belongs to the error's partial text, held text too; a usage that
    /// came is told before the error, unless another attempt can be made.
    fn with_partial_text(&mut self, error: Error) -> Error {
        let (held, _) = self.take_held();
        if !held.is_empty() {
            self.sink.push_now(StreamEvent::Text(held));
        }
        if self.sink.has_delivered() {
            self.deliver_usage();
        }
        error.with_partial_text(self.sink.delivered_text())
    }
}

fn read(
    version: ApiVersion,
    event: &SseEvent<'_>,
    known_model: Option<&str>,
) -> Result<ChunkContent> {
    match version {
        ApiVersion::V1 => chunk::read(event.name, event.data, known_model),
        ApiVersion::V2 => chunk::read_named(event.name, event.data, known_model),
    }
}

/// An end without a text, a call or a reason is the end of nothing.
fn without_answer() -> Error {
    let text = "the stream ended without a text, a function call or a finish reason";
    Error::new(ErrorKind::Protocol, Phase::Body, text).with_status(200)
}

fn event_too_large(progress: &Progress<'_>) -> Error {
    let limit = progress.session.config.max_event_bytes;
    Error::new(
        ErrorKind::Protocol,
        Phase::Body,
        format!(
            "an event of the stream is larger than {limit} bytes; raise max_event_bytes if that is right"
        ),
    )
    .with_status(200)
}

fn is_event_stream(answer: &Answer) -> bool {
    let content_type = answer.text_header("content-type").unwrap_or("");
    let kind = content_type.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("text/event-stream")
}
