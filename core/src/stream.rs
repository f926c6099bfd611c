//! A stream between its producer (the provider, through `EventSink`) and its reader
//! (`EventStream`): events in order, bounded read-ahead, one end.
//!
//! The reader may wait as a thread (`next`), as a task (`poll_next`) or be told by a hook
//! (`on_ready`). Read-ahead is bounded in bytes, never in events (I5). An error comes after
//! every event that arrived before it (I6), and holds the text that was delivered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::api_version::ApiVersion;
use crate::cancel::CancelFlag;
use crate::chunk::StreamEvent;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::liveness::{self, Pulse, StreamLimits, Vigil, Watched};
use crate::process::Era;
use crate::response::{FunctionCall, GeneratedFile, Response, StreamEnd, files_of_text};
use crate::sync::{Condvar, Mutex, lock};

/// Called when there is something to read after there was nothing; must be quick.
pub(crate) type ReadyHook = Arc<dyn Fn() + Send + Sync>;

/// The JSON of the event of the service that something came from; `None` unless it was asked for.
pub(crate) type Origin = Option<Arc<str>>;

struct Pipe {
    state: Mutex<State>,
    readable: Condvar,
    read_ahead: usize,
    cancel: Arc<CancelFlag>,
    era: Era,
    /// Of the threads that fill it.
    pulse: Option<Arc<Pulse>>,
    /// Whether they have begun.
    taken_up: AtomicBool,
    silence: Duration,
    /// The end of the time that the whole may take.
    until: Option<Instant>,
}

#[derive(Default)]
struct State {
    events: VecDeque<(StreamEvent, Origin)>,
    bytes: usize,
    /// All text that was pushed, for the error of a stream that breaks.
    text: String,
    reasoning: String,
    function_calls: Vec<FunctionCall>,
    files: Vec<GeneratedFile>,
    delivered: bool,
    /// Whether it is to be noted when events come, and when the last one came.
    timed: bool,
    last_heard: Option<Instant>,
    /// Whether the writer waits until all is read, so that the silence is the reader's.
    in_step: bool,
    end: Option<Result<Arc<StreamEnd>>>,
    /// Where finish reason and usage came from.
    end_origin: Origin,
    reader: Option<Waker>,
    writer: Option<Waker>,
    hook: Option<ReadyHook>,
    /// Threads that wait; without one a wake-up would be a system call for nothing.
    waiting: usize,
    /// The reader's over the threads of the library.
    vigil: Option<Vigil>,
    /// How many events were read, now and when the vigil began.
    read: u64,
    read_before: u64,
    /// When the reader had read all.
    emptied: Option<Instant>,
}

impl State {
    fn readable(&self) -> bool {
        !self.events.is_empty() || self.end.is_some()
    }

    /// One more event for the reader; nothing after the end.
    fn take_in(&mut self, event: StreamEvent, origin: Origin) {
        if self.end.is_some() {
            return;
        }
        self.delivered = true;
        if self.timed {
            self.last_heard = Some(Instant::now());
        }
        self.bytes += size(&event, &origin);
        match &event {
            StreamEvent::Text(text) => self.text.push_str(text),
            StreamEvent::Reasoning(text) => self.reasoning.push_str(text),
            StreamEvent::FunctionCall(call) => self.function_calls.push(call.clone()),
            StreamEvent::File(file) => self.files.push(file.clone()),
            StreamEvent::Progress { .. } | StreamEvent::Usage(_) => {}
        }
        self.events.push_back((event, origin));
    }
}

/// About how many bytes an event occupies while it waits for its reader.
fn size(event: &StreamEvent, origin: &Origin) -> usize {
    event.size() + origin.as_ref().map_or(0, |json| json.len())
}

/// Makes the two ends of a stream.
pub(crate) fn pipe(
    read_ahead: usize,
    cancel: Arc<CancelFlag>,
    era: Era,
    watch: Option<(Arc<Pulse>, StreamLimits)>,
) -> (EventSink, EventStream) {
    let begun = Instant::now();
    let limits = watch.as_ref().map(|(_, limits)| *limits);
    let state = State {
        vigil: limits.map(|limits| Vigil::after(begun, limits.first.min(limits.total))),
        ..State::default()
    };
    let pipe = Arc::new(Pipe {
        state: Mutex::new(state),
        readable: Condvar::new(),
        read_ahead,
        cancel,
        era,
        pulse: watch.map(|(pulse, _)| pulse),
        taken_up: AtomicBool::new(false),
        silence: limits.map_or(Duration::MAX, |limits| limits.silence),
        until: limits.map(|limits| liveness::at(begun, limits.total)),
    });
    let sink = EventSink {
        pipe: pipe.clone(),
        origin: None,
    };
    (sink, EventStream { pipe })
}

impl Pipe {
    /// Changes the state and tells the reader when there is something after there was nothing.
    fn produce(&self, act: impl FnOnce(&mut State)) {
        let (waited_for, waker, hook) = {
            let mut state = lock(&self.state);
            let was_readable = state.readable();
            act(&mut state);
            if was_readable || !state.readable() {
                return;
            }
            (state.waiting > 0, state.reader.take(), state.hook.clone())
        };
        if waited_for {
            self.readable.notify_all();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
        if let Some(hook) = hook {
            hook();
        }
    }

    /// Whether the reader, who finds nothing, would wait in vain.
    fn finds_its_threads_stopped(&self, state: &mut State, now: Instant) -> bool {
        let (Some(pulse), Some(vigil)) = (&self.pulse, &mut state.vigil) else {
            return false;
        };
        if state.read != state.read_before {
            state.read_before = state.read;
            let silent_since = state.emptied.take().unwrap_or(now);
            let end = liveness::at(silent_since, self.silence);
            *vigil = Vigil::after(
                self.until.map_or(end, |until| until.min(end)),
                Duration::ZERO,
            );
        }
        vigil.finds_it_stopped(pulse, now)
    }

    /// Ends a stream that its threads will not end.
    fn give_up(&self) {
        let (phase, text) = {
            let state = lock(&self.state);
            let phase = match state.delivered {
                true => Phase::Idle,
                false => Phase::FirstContent,
            };
            (phase, state.text.clone())
        };
        let taken_up = self.taken_up.load(Ordering::Acquire);
        self.finish(Err(
            liveness::stopped(taken_up, phase).with_partial_text(text)
        ));
        self.cancel.cancel();
    }

    fn finish(&self, end: Result<StreamEnd>) {
        self.produce(|state| {
            if state.end.is_none() {
                state.end = Some(end.map(Arc::new));
            }
        });
    }
}

impl Watched for Pipe {
    fn next_look(&self) -> Option<Instant> {
        let state = lock(&self.state);
        let vigil = state.vigil.as_ref();
        vigil.filter(|_| state.end.is_none()).map(Vigil::next_look)
    }

    fn look(&self, now: Instant) {
        let stopped = {
            let mut state = lock(&self.state);
            match (state.readable(), &mut state.vigil) {
                // The reader is told, and has not come yet.
                (true, Some(vigil)) => {
                    *vigil = Vigil::after(now, self.silence);
                    false
                }
                _ => self.finds_its_threads_stopped(&mut state, now),
            }
        };
        if stopped {
            self.give_up();
        }
    }
}

/// Where a provider puts the parts of its answer.
pub struct EventSink {
    pipe: Arc<Pipe>,
    origin: Origin,
}

impl EventSink {
    /// Hands over one event; waits while the reader is behind by more than the read-ahead.
    pub async fn push(&mut self, event: StreamEvent) {
        self.room().await;
        self.push_now(event);
    }

    /// Waits while the reader is behind by more than the read-ahead.
    pub(crate) async fn room(&self) {
        std::future::poll_fn(|context| {
            let mut state = lock(&self.pipe.state);
            if state.bytes < self.pipe.read_ahead {
                return Poll::Ready(());
            }
            state.writer = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether the reader has taken all that was pushed; if not, `waker` is woken when it may have.
    /// Until then the writer's time limits rest.
    pub(crate) fn is_read(&self, waker: &Waker) -> bool {
        let mut state = lock(&self.pipe.state);
        if state.events.is_empty() {
            return true;
        }
        state.in_step = true;
        state.writer = Some(waker.clone());
        false
    }

    /// Hands over one event, unless the reader is behind by more than the read-ahead: then the
    /// event comes back.
    pub(crate) fn push_if_room(
        &mut self,
        event: StreamEvent,
    ) -> std::result::Result<(), StreamEvent> {
        let origin = self.origin.clone();
        let mut refused = None;
        self.pipe.produce(|state| {
            if state.bytes < self.pipe.read_ahead {
                state.take_in(event, origin);
            } else {
                refused = Some(event);
            }
        });
        refused.map_or(Ok(()), Err)
    }

    /// Hands over one event without waiting: for the last words of a stream that ends.
    #[doc(hidden)]
    pub fn push_now(&mut self, event: StreamEvent) {
        let origin = self.origin.clone();
        self.pipe.produce(|state| state.take_in(event, origin));
    }

    /// A second hold on the same end, for whoever finishes the stream.
    #[doc(hidden)]
    pub fn twin(&self) -> EventSink {
        EventSink {
            pipe: self.pipe.clone(),
            origin: self.origin.clone(),
        }
    }

    /// From here on what is pushed comes from this event of the service.
    pub(crate) fn set_origin(&mut self, json: &[u8]) {
        self.origin = Some(String::from_utf8_lossy(json).into());
    }

    /// Where what is pushed now comes from.
    pub(crate) fn origin(&self) -> Origin {
        self.origin.clone()
    }

    /// From here on what is pushed comes from an earlier event again.
    pub(crate) fn restore_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    /// The event of the service that told how the stream ends is the present one.
    pub(crate) fn end_comes_from_here(&self) {
        if let Some(origin) = &self.origin {
            lock(&self.pipe.state).end_origin = Some(origin.clone());
        }
    }

    /// Whether any event was handed over: after that no other attempt may begin (I4, I6).
    pub fn has_delivered(&self) -> bool {
        lock(&self.pipe.state).delivered
    }

    /// From here on it is noted when events come; one that has come counts as of now.
    pub(crate) fn note_times(&self) {
        let mut state = lock(&self.pipe.state);
        state.timed = true;
        if state.delivered && state.last_heard.is_none() {
            state.last_heard = Some(Instant::now());
        }
    }

    /// When the last event came, since that is noted.
    pub(crate) fn last_heard(&self) -> Option<Instant> {
        let mut state = lock(&self.pipe.state);
        if state.in_step && !state.events.is_empty() {
            state.last_heard = Some(Instant::now());
        }
        state.last_heard
    }

    /// All text so far.
    pub fn delivered_text(&self) -> String {
        lock(&self.pipe.state).text.clone()
    }

    /// Notes that the library's threads have begun the stream.
    pub(crate) fn take_up(&self) {
        self.pipe.taken_up.store(true, Ordering::Release);
    }

    /// Ends the stream; what was pushed before is still delivered.
    pub(crate) fn finish(&self, end: Result<StreamEnd>) {
        self.pipe.finish(end);
    }
}

/// The reader's end of a stream. Dropping it cancels the stream.
pub struct EventStream {
    pipe: Arc<Pipe>,
}

/// What a reader finds.
#[derive(Debug)]
pub enum Next {
    /// The next event.
    Event(StreamEvent),
    /// The stream is complete; [`EventStream::end`] tells how it ended.
    End,
    /// Nothing came within the time that the reader was willing to wait.
    NothingYet,
}

impl EventStream {
    /// The next event; waits at most `timeout` (`None`: as long as the stream's own time limits
    /// let it). The error of a stream that broke comes after its last event, each time anew.
    pub fn next(&self, timeout: Option<Duration>) -> Result<Next> {
        self.next_with_origin(timeout).map(|(next, _)| next)
    }

    /// The same with the JSON that the event came from, if that was asked for.
    pub(crate) fn next_with_origin(&self, timeout: Option<Duration>) -> Result<(Next, Origin)> {
        self.check_era()?;
        let give_up = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = lock(&self.pipe.state);
        loop {
            if let Some(next) = self.take(&mut state) {
                drop(state);
                return next;
            }
            let now = Instant::now();
            if self.pipe.finds_its_threads_stopped(&mut state, now) {
                drop(state);
                self.pipe.give_up();
                state = lock(&self.pipe.state);
                continue;
            }
            let left = give_up.map(|at| at.saturating_duration_since(now));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok((Next::NothingYet, None));
            }
            let look = state.vigil.as_ref().map(Vigil::next_look);
            let look = look.map(|at| at.saturating_duration_since(now));
            let left = left.into_iter().chain(look).min();
            state.waiting += 1;
            state = crate::waiting::wait_on(&self.pipe.readable, state, left);
            state.waiting -= 1;
        }
    }

    /// The same for a task.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Result<Next>> {
        let found = self.poll_with_origin(context);
        found.map(|found| found.map(|(next, _)| next))
    }

    /// The same with the JSON that the event came from, if that was asked for.
    pub(crate) fn poll_with_origin(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(Next, Origin)>> {
        if let Err(error) = self.check_era() {
            return Poll::Ready(Err(error));
        }
        let mut state = lock(&self.pipe.state);
        match self.take(&mut state) {
            Some(next) => Poll::Ready(next),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The next event as a future: `Ok(None)` is the end.
    pub async fn next_event(&self) -> Result<Option<StreamEvent>> {
        match std::future::poll_fn(|context| self.poll_next(context)).await? {
            Next::Event(event) => Ok(Some(event)),
            Next::End | Next::NothingYet => Ok(None),
        }
    }

    /// Takes every event that has arrived, without waiting.
    pub fn take_arrived(&self) -> Result<Vec<StreamEvent>> {
        self.check_era()?;
        let mut state = lock(&self.pipe.state);
        let events = std::mem::take(&mut state.events);
        state.bytes = 0;
        state.read += events.len() as u64;
        state.emptied = Some(Instant::now());
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        Ok(events.into_iter().map(|(event, _)| event).collect())
    }

    fn take(&self, state: &mut State) -> Option<Result<(Next, Origin)>> {
        if let Some((event, origin)) = state.events.pop_front() {
            state.bytes -= size(&event, &origin);
            state.read += 1;
            if state.events.is_empty() && state.vigil.is_some() {
                state.emptied = Some(Instant::now());
            }
            // The writer is woken when half of the room is free, not for every event.
            if state.bytes <= self.pipe.read_ahead / 2
                && let Some(writer) = state.writer.take()
            {
                writer.wake();
            }
            return Some(Ok((Next::Event(event), origin)));
        }
        Some(match state.end.as_ref()? {
            Ok(_) => Ok((Next::End, state.end_origin.clone())),
            Err(error) => Err(error.clone()),
        })
    }

    /// How the stream ended; `None` while events are yet to be read, or when it broke.
    pub fn end(&self) -> Option<Arc<StreamEnd>> {
        let state = lock(&self.pipe.state);
        if !state.events.is_empty() {
            return None;
        }
        state.end.as_ref()?.as_ref().ok().cloned()
    }

    /// The whole answer, once the stream was read to its end: its text, function calls, usage,
    /// ids and timings. The raw JSON is empty, since there was none.
    pub fn response(&self) -> Option<Response> {
        let end = self.end()?;
        let state = lock(&self.pipe.state);
        let mut files = state.files.clone();
        if end.api_version == ApiVersion::V1 {
            files.extend(files_of_text(&state.text));
        }
        Some(Response {
            text: state.text.clone(),
            finish_reason: end.finish_reason.clone(),
            function_calls: state.function_calls.clone(),
            reasoning: Some(state.reasoning.clone()).filter(|text| !text.is_empty()),
            files,
            sources: end.sources.clone(),
            thread_id: end.thread_id.clone(),
            state_id: end.state_id.clone(),
            api_version: end.api_version,
            usage: end.usage,
            model: end.model.clone(),
            raw: String::new(),
            report: end.report.clone(),
        })
    }

    /// Ends the stream now, from any thread: events that were not read yet are dropped, the
    /// reader gets a cancelled error that holds all text that had arrived. A stream that has
    /// already ended stays as it ended.
    pub fn cancel(&self) {
        if self.pipe.era.is_inherited() {
            return; // it is the parent's, whose lock may be held for ever here
        }
        self.pipe.produce(|state| {
            if state.end.is_some() {
                return;
            }
            let text = std::mem::take(&mut state.text);
            let error = Error::new(
                ErrorKind::Cancelled,
                Phase::Body,
                "the stream was cancelled",
            );
            state.end = Some(Err(error.with_partial_text(text)));
            state.events.clear();
            state.bytes = 0;
        });
        self.pipe.cancel.cancel();
    }

    /// Sets the hook that is called whenever there is something to read after there was nothing;
    /// at once, when there is something now.
    pub fn on_ready(&self, hook: ReadyHook) {
        let now = {
            let mut state = lock(&self.pipe.state);
            state.hook = Some(hook.clone());
            state.readable()
        };
        if now {
            hook();
        }
    }

    /// What a completion queue that it is attached to has to look at.
    #[doc(hidden)]
    pub fn watched(&self) -> Arc<dyn Watched> {
        self.pipe.clone()
    }

    /// The process and runtime that the stream was opened in.
    #[doc(hidden)]
    pub fn era(&self) -> Era {
        self.pipe.era
    }

    fn check_era(&self) -> Result<()> {
        match self.pipe.era.is_inherited() {
            true => Err(crate::error::Error::forked()),
            false => Ok(()),
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::{EventStream, Next, pipe};
    use crate::cancel::CancelFlag;
    use crate::chunk::StreamEvent;
    use crate::error::{Error, ErrorKind, Phase};
    use crate::process::Era;
    use crate::response::StreamEnd;

    fn text(text: &str) -> StreamEvent {
        StreamEvent::Text(text.to_owned())
    }

    fn read(stream: &EventStream) -> Option<StreamEvent> {
        match stream.next(Some(Duration::ZERO)).unwrap() {
            Next::Event(event) => Some(event),
            Next::End | Next::NothingYet => None,
        }
    }

    #[test]
    fn an_error_comes_after_everything_that_arrived_before_it() {
        let (mut sink, stream) = pipe(1024, Arc::default(), Era::default(), None);
        sink.push_now(text("a"));
        sink.push_now(text("b"));
        let partial = sink.delivered_text();
        sink.finish(Err(Error::new(
            ErrorKind::IncompleteStream,
            Phase::Body,
            "cut",
        )
        .with_partial_text(partial)));
        assert_eq!(read(&stream), Some(text("a")));
        assert_eq!(read(&stream), Some(text("b")));
        for _ in 0..2 {
            let error = stream.next(None).unwrap_err();
            assert_eq!(
                (error.kind(), error.partial_text()),
                (ErrorKind::IncompleteStream, Some("ab"))
            );
        }
    }

    #[test]
    fn a_writer_waits_for_a_slow_reader_when_the_read_ahead_is_full() {
        let (mut sink, stream) = pipe(10, Arc::default(), Era::default(), None);
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(sink.push(text("first"))).poll(&mut context).is_ready());
        assert!(
            pin!(sink.push(text("second")))
                .poll(&mut context)
                .is_pending()
        );
        assert_eq!(read(&stream), Some(text("first")));
        assert!(
            pin!(sink.push(text("second")))
                .poll(&mut context)
                .is_ready()
        );
        sink.finish(Ok(StreamEnd::default()));
        assert!(stream.end().is_none(), "an event is yet to be read");
        assert_eq!(read(&stream), Some(text("second")));
        assert!(matches!(stream.next(None), Ok(Next::End)));
        assert!(stream.end().is_some());
    }

    #[test]
    fn cancel_ends_the_stream_once_and_stops_the_work() {
        let cancel = Arc::new(CancelFlag::default());
        let (mut sink, stream) = pipe(1024, cancel.clone(), Era::default(), None);
        sink.push_now(text("arrived"));
        stream.cancel();
        stream.cancel();
        assert!(cancel.is_cancelled());
        sink.push_now(text("late"));
        let error = stream.next(None).unwrap_err();
        assert_eq!(
            (error.kind(), error.partial_text()),
            (ErrorKind::Cancelled, Some("arrived"))
        );
    }
}
