//! Stream and event handles: answers that are read part by part.

use std::ffi::c_char;
use std::sync::Arc;
use std::time::Instant;

use super::error::gigachat_error;
use super::event::{EventObject, gigachat_event};
use super::guard::guard;
use super::handle::{self, Object};
use super::params::gigachat_params;
use super::provider::{client, gigachat_provider, prompt_request};
use super::queue::{QueueObject, gigachat_queue};
use super::request::{built, gigachat_request};
use super::response::{ResponseObject, gigachat_response};
use super::status::{Failure, GIGACHAT_NOT_YET, GIGACHAT_OK, GIGACHAT_STREAM_END, gigachat_status};
use super::text::{CText, limit, optional, required};
use super::unwind::shield;
use gigachat_core::binding::{Mutex, lock};
use gigachat_core::{Ask, EventStream, Next, StreamEvent};

/// An answer that is read part by part, by one thread. First gigachat_open or
/// gigachat_generate_stream, then gigachat_stream_next_text or gigachat_stream_next until
/// GIGACHAT_STREAM_END, then gigachat_stream_response; then gigachat_stream_free.
pub struct gigachat_stream(());

pub(super) struct StreamObject {
    events: EventStream,
    /// What gigachat_stream_next_text lent last.
    lent: Mutex<Option<CText>>,
}

impl Object for StreamObject {
    type Opaque = gigachat_stream;
    const TYPE: u8 = 9;
    const NAME: &'static str = "gigachat_stream";

    fn is_inherited(&self) -> bool {
        self.events.era().is_inherited()
    }
}

/// The stream behind a handle, which must be of this process.
fn stream(handle: *const gigachat_stream) -> Result<Arc<StreamObject>, Failure> {
    handle::get_own::<StreamObject>(handle, "stream")
}

/// Begins to answer a prompt part by part. The request is sent at once; its failure comes from
/// the first gigachat_stream_next.
///
/// Parameters: `params` may be NULL; `stream` receives the handle.
/// Returns: GIGACHAT_OK, or why the request could not be begun.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_generate_stream(
    provider: *const gigachat_provider,
    prompt: *const c_char,
    length: usize,
    params: *const gigachat_params,
    stream: *mut *mut gigachat_stream,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings and out-parameters.
    unsafe {
        open(
            provider,
            || prompt_request(prompt, length, params),
            stream,
            error,
        )
    }
}

/// Begins to answer a request part by part, as gigachat_generate_stream.
///
/// Parameters: `request` is for an operation that answers in parts: "chat"; `stream` receives the
/// handle.
/// Returns: GIGACHAT_OK; the first setting of the request that was refused;
/// GIGACHAT_ERROR_INVALID_REQUEST for an operation that does not answer in parts; or why the request
/// could not be begun.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_open(
    provider: *const gigachat_provider,
    request: *const gigachat_request,
    stream: *mut *mut gigachat_stream,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for out-parameters.
    unsafe { open(provider, || built(request), stream, error) }
}

/// # Safety
/// The out-parameters are NULL or valid for writes.
unsafe fn open(
    provider: *const gigachat_provider,
    request: impl FnOnce() -> Result<Arc<Ask>, Failure>,
    stream: *mut *mut gigachat_stream,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        guard(error, || {
            let stream = required("stream", stream)?;
            let client = client(provider)?;
            let request = request()?;
            request.check_stream()?;
            *stream = handle::insert(StreamObject {
                events: client.open(request)?,
                lent: Mutex::new(None),
            });
            Ok(())
        })
    }
}

/// Waits for the next event.
///
/// Parameters: `timeout_ms` bounds the wait: 0 looks without waiting, negative waits as long as
/// the stream's own time limits let it; `event` receives the event.
/// Returns: GIGACHAT_OK with an event; GIGACHAT_STREAM_END when the answer is complete;
/// GIGACHAT_NOT_YET when nothing came in time; otherwise why the stream broke, after everything
/// that had arrived before it was read (the error has the partial text).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_stream_next(
    stream: *mut gigachat_stream,
    timeout_ms: i64,
    event: *mut *mut gigachat_event,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let event = required("event", event)?;
            Ok(
                match self::stream(stream)?.events.next(limit(timeout_ms))? {
                    Next::Event(next) => {
                        *event = handle::insert(EventObject::new(next));
                        GIGACHAT_OK
                    }
                    Next::End => GIGACHAT_STREAM_END,
                    Next::NothingYet => GIGACHAT_NOT_YET,
                },
            )
        })
    }
}

/// Waits for the next piece of text. Other events are passed over; what they say is in
/// gigachat_stream_response, and gigachat_stream_next gives them as they come.
///
/// Parameters: `timeout_ms` as for gigachat_stream_next; `text` receives the piece, never empty,
/// which is lent until the next call of this function with this stream, or until the stream is
/// freed.
/// Returns: as gigachat_stream_next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_stream_next_text(
    stream: *mut gigachat_stream,
    timeout_ms: i64,
    text: *mut *const c_char,
    length: *mut usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let length = optional(length);
            let text = required("text", text)?;
            let stream = self::stream(stream)?;
            let until = limit(timeout_ms).map(|limit| (Instant::now(), limit));
            loop {
                let left = until.map(|(begun, limit)| limit.saturating_sub(begun.elapsed()));
                match stream.events.next(left)? {
                    Next::Event(StreamEvent::Text(piece)) if !piece.is_empty() => {
                        let mut lent = lock(&stream.lent);
                        let piece = lent.insert(CText::new(piece));
                        if let Some(length) = length {
                            *length = piece.bytes().len();
                        }
                        *text = piece.lend(std::ptr::null_mut());
                        return Ok(GIGACHAT_OK);
                    }
                    Next::Event(_) => {}
                    Next::End => return Ok(GIGACHAT_STREAM_END),
                    Next::NothingYet => return Ok(GIGACHAT_NOT_YET),
                }
            }
        })
    }
}

/// The whole answer of a stream that was read to its end: text, finish reason, usage, ids,
/// timings, as if it had come as a whole (its JSON is empty).
///
/// Parameters: `response` receives the answer.
/// Returns: GIGACHAT_OK, or GIGACHAT_NOT_YET before gigachat_stream_next returned
/// GIGACHAT_STREAM_END.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_stream_response(
    stream: *const gigachat_stream,
    response: *mut *mut gigachat_response,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let response = required("response", response)?;
            let Some(answer) = self::stream(stream)?.events.response() else {
                return Ok(GIGACHAT_NOT_YET);
            };
            *response = handle::insert(ResponseObject::new(answer.into()));
            Ok(GIGACHAT_OK)
        })
    }
}

/// Ends the stream now. The reader gets GIGACHAT_ERROR_CANCELLED with all text that had arrived;
/// the connection or HTTP/2 stream is closed and the permit is free. A stream that has ended
/// stays as it ended. Returns at once; may be called any number of times.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_stream_cancel(
    stream: *mut gigachat_stream,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            self::stream(stream)?.events.cancel();
            Ok(())
        })
    }
}

/// Posts `tag` to `queue` whenever there is something to read after there was nothing, and at
/// once when there is something now. Read with timeout 0 until GIGACHAT_NOT_YET. Attaching again
/// replaces queue and tag.
///
/// The queue may be freed; its tags are then posted to nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_stream_attach(
    stream: *mut gigachat_stream,
    queue: *mut gigachat_queue,
    tag: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            let stream = self::stream(stream)?;
            let queue = handle::get_own::<QueueObject>(queue, "queue")?.shared();
            queue.watch(&stream.events.watched());
            stream.events.on_ready(Arc::new(move || queue.post(tag)));
            Ok(())
        })
    }
}

/// Frees a stream; one that has not ended is cancelled, and a thread that reads it gets
/// GIGACHAT_ERROR_CANCELLED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_stream_free(stream: *mut gigachat_stream) {
    shield((), || {
        if let Some(stream) = handle::find::<StreamObject>(stream) {
            // A reader in another thread holds the object: the end must come from here.
            stream.events.cancel();
        }
        handle::remove::<StreamObject>(stream);
    });
}
