//! Answers that come in parts: SSE bytes -> events -> the caller's sink (I3, I6, I7).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::call::Consumer;
use super::progress::Progress;
use crate::chunk::{self, ChunkContent, StreamEvent};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::request::Request;
use crate::response::StreamEnd;
use crate::sse::SseDecoder;
use crate::stop::StopMatcher;
use crate::stream::EventSink;
use crate::transport::Answer;

/// Delivers a stream into a sink.
pub(super) struct Streamed<'a> {
    sink: &'a mut EventSink,
    stops: &'a [String],
    keep_raw: bool,
}

impl<'a> Streamed<'a> {
    pub(super) fn new(sink: &'a mut EventSink, request: &'a Request) -> Streamed<'a> {
        Streamed {
            sink,
            stops: &request.params.stop,
            keep_raw: request.options.keep_raw,
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
        check_content_type(&answer)?;
        let config = progress.session.config.clone();
        let mut reading = Reading {
            sink: self.sink,
            decoder: SseDecoder::new(config.max_event_bytes),
            stop: StopMatcher::new(self.stops),
            keep_raw: self.keep_raw,
            end: StreamEnd::default(),
            clock: Clock::new(progress),
            received: 0,
        };
        loop {
            let piece = match reading.clock.read(&mut answer, progress).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Err(reading.incomplete(None)),
                Err(error) if error.kind() == ErrorKind::Protocol => {
                    return Err(reading.incomplete(Some(&error)));
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

    fn may_start_over(&self) -> bool {
        !self.sink.has_delivered()
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
    keep_raw: bool,
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
            if chunk::is_end_mark(event.data) {
                self.deliver_held(progress).await?;
                return Ok(Heard::EndMark);
            }
            let known_model = Some(self.end.model.as_str()).filter(|model| !model.is_empty());
            let content = match chunk::parse(event.data, known_model) {
                Ok(content) => content,
                Err(error) => return Err(self.with_partial_text(error)),
            };
            if self.keep_raw {
                self.sink.set_origin(event.data);
            }
            if self.deliver_chunk(content, progress).await? {
                return Ok(Heard::StopSequence);
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
            self.end.finish_reason = reason;
            self.sink.end_comes_from_here();
        }
        if let Some(text) = content.text {
            let (text, stopped) = self.stop.push(text);
            self.clock.heard_content(progress);
            self.push(
                Some(text)
                    .filter(|text| !text.is_empty())
                    .map(StreamEvent::Text),
                progress,
            )
            .await?;
            if stopped {
                "stop".clone_into(&mut self.end.finish_reason);
                self.end.usage = None;
                return Ok(true);
            }
        }
        if let Some((name, content)) = content.progress {
            self.clock.heard_content(progress);
            self.push(Some(StreamEvent::Progress { name, content }), progress)
                .await?;
        }
        if let Some(call) = content.function_call {
            self.clock.heard_content(progress);
            self.deliver_held(progress).await?;
            self.push(Some(StreamEvent::FunctionCall(call)), progress)
                .await?;
        }
        if let Some(usage) = content.usage {
            self.deliver_held(progress).await?;
            self.end.usage = Some(usage);
            self.sink.end_comes_from_here();
            self.push(Some(StreamEvent::Usage(usage)), progress).await?;
        }
        Ok(false)
    }

    /// Text that was held back because a stop sequence could have begun in it.
    async fn deliver_held(&mut self, progress: &Progress<'_>) -> Result<()> {
        let held = self.stop.finish();
        self.push(
            Some(held)
                .filter(|text| !text.is_empty())
                .map(StreamEvent::Text),
            progress,
        )
        .await
    }

    async fn push(&mut self, event: Option<StreamEvent>, progress: &Progress<'_>) -> Result<()> {
        let Some(event) = event else { return Ok(()) };
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

    /// Everything that arrived belongs to the error's partial text, held text too.
    fn with_partial_text(&mut self, error: Error) -> Error {
        let held = self.stop.finish();
        if !held.is_empty() {
            self.sink.push_now(StreamEvent::Text(held));
        }
        error.with_partial_text(self.sink.delivered_text())
    }
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

fn check_content_type(answer: &Answer) -> Result<()> {
    let content_type = answer.text_header("content-type").unwrap_or("");
    let kind = content_type.split(';').next().unwrap_or("").trim();
    if kind.eq_ignore_ascii_case("text/event-stream") {
        return Ok(());
    }
    let text = format!(
        "the service answered a stream request with content type {content_type:?} instead of text/event-stream"
    );
    Err(Error::new(ErrorKind::Protocol, Phase::Body, text)
        .with_status(200)
        .with_request_id(answer.request_id()))
}

/// The time limits of a stream (I3).
struct Clock {
    heard: bool,
    idle: Duration,
    /// Since when content is waited for; `None` while what has arrived is being read.
    silent_since: Option<Instant>,
    total: Option<(Instant, Duration)>,
    /// Goes off not later than the present limit. Limits only ever move on, so it is set anew
    /// when it has gone off, instead of for every piece that arrives.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// What a limit is called, and how long it is.
type Limit = (Phase, Duration);

impl Clock {
    fn new(progress: &Progress<'_>) -> Clock {
        let config = &progress.session.config;
        let idle = progress
            .options
            .and_then(|options| options.idle_timeout)
            .or(config.idle_timeout);
        Clock {
            heard: false,
            idle: idle.unwrap_or(progress.timeout),
            silent_since: None,
            total: progress
                .total
                .map(|limit| (progress.permitted + limit, limit)),
            alarm: None,
        }
    }

    fn heard_content(&mut self, progress: &mut Progress<'_>) {
        if !self.heard {
            self.heard = true;
            progress.first_content();
        }
        self.silent_since = None;
    }

    fn restart_silence(&mut self) {
        self.silent_since = None;
    }

    /// The next piece, unless the first content, the next content or the whole is late.
    async fn read(
        &mut self,
        answer: &mut Answer,
        progress: &Progress<'_>,
    ) -> Result<Option<Bytes>> {
        if !self.heard {
            return progress
                .within(Phase::FirstContent, answer.piece(Phase::Body))
                .await;
        }
        // A stream that never pauses would never let a wait time out.
        if let Some((at, limit)) = self.total
            && at <= Instant::now()
        {
            return Err(progress.timed_out(Phase::Total, limit));
        }
        let mut piece = pin!(answer.piece(Phase::Body));
        poll_fn(|context| {
            if let Poll::Ready(piece) = piece.as_mut().poll(context) {
                return Poll::Ready(piece);
            }
            let (phase, limit) = ready!(self.poll_limit(context));
            Poll::Ready(Err(progress.timed_out(phase, limit)))
        })
        .await
    }

    /// Waits until the present limit has passed.
    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<Limit> {
        let silent_since = *self.silent_since.get_or_insert_with(Instant::now);
        let silence = (silent_since + self.idle, (Phase::Idle, self.idle));
        let (at, limit) = match self.total {
            Some((at, limit)) if at < silence.0 => (at, (Phase::Total, limit)),
            _ => silence,
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            ready!(alarm.as_mut().poll(context));
            if at <= Instant::now() {
                return Poll::Ready(limit);
            }
            alarm.as_mut().reset(at);
        }
    }

    /// Waits for room for one more event; a sleeping reader does not outlast the total limit.
    async fn room(&self, sink: &EventSink, progress: &Progress<'_>) -> Result<()> {
        let Some((at, limit)) = self.total else {
            sink.room().await;
            return Ok(());
        };
        match timeout_at(at, sink.room()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(progress.timed_out(Phase::Total, limit)),
        }
    }
}
