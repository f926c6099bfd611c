//! The reply handle: through which a program's own provider answers one request, later, from any
//! thread, exactly once.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{
    Failure, GIGACHAT_ERROR_ALREADY_SET, GIGACHAT_ERROR_ALREADY_TAKEN,
    GIGACHAT_ERROR_INVALID_REQUEST, gigachat_status, kind_of,
};
use super::text::read;
use super::unwind::shield;
use super::user_data::{UserData, gigachat_destroy_callback};
use gigachat_core::EventSink;
use gigachat_core::StreamEvent;
use gigachat_core::binding::CallCell;
use gigachat_core::binding::Era;
use gigachat_core::binding::Generation;
use gigachat_core::binding::{Mutex, lock};
use gigachat_core::{CallReport, Response, StreamEnd};
use gigachat_core::{Error, Phase, Result};

/// The answer to one request that was passed to a program's own provider. Answer it exactly once,
/// from any thread, then free it; freeing it unanswered fails the request. Since 0.1.
pub struct gigachat_reply(());

/// Called once when nobody waits for the reply any more. Since 0.1.
pub type gigachat_reply_cancelled_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// What the request asked for.
pub(super) enum Expected {
    Answer(Arc<CallCell<Response>>),
    Parts(Arc<CallCell<StreamEnd>>, EventSink),
    Health(Arc<CallCell<()>>),
}

pub(super) struct ReplyObject {
    expected: Expected,
    state: Arc<ReplyState>,
}

/// What the reply and the waiting request share.
#[derive(Default)]
pub(super) struct ReplyState(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Open,
    /// With what is to be called when the request is cancelled.
    Watched(Box<dyn FnOnce() + Send>),
    Answered,
    Cancelled,
}

impl ReplyState {
    /// The request waits no more: tells the program, unless it has answered.
    pub(super) fn cancel(&self) {
        let stage = {
            let mut stage = lock(&self.0);
            if matches!(*stage, Stage::Answered) {
                return;
            }
            std::mem::replace(&mut *stage, Stage::Cancelled)
        };
        if let Stage::Watched(tell) = stage {
            tell();
        }
    }

    fn is_cancelled(&self) -> bool {
        matches!(*lock(&self.0), Stage::Cancelled)
    }

    /// Makes this the one answer; one after a cancel is lost without an error, since the program
    /// cannot have known.
    fn answer(&self) -> std::result::Result<(), Failure> {
        let previous = {
            let mut stage = lock(&self.0);
            match *stage {
                Stage::Cancelled => return Ok(()),
                Stage::Answered => {
                    return Err(Failure::new(
                        GIGACHAT_ERROR_ALREADY_TAKEN,
                        "this reply was answered before",
                    ));
                }
                Stage::Open | Stage::Watched(_) => std::mem::replace(&mut *stage, Stage::Answered),
            }
        };
        // The watch's destroy hook is the program's code: not under the lock.
        drop(previous);
        Ok(())
    }
}

impl ReplyObject {
    pub(super) fn new(expected: Expected) -> (ReplyObject, Arc<ReplyState>) {
        let state = Arc::<ReplyState>::default();
        (
            ReplyObject {
                expected,
                state: state.clone(),
            },
            state,
        )
    }

    fn fail(&self, error: Error) {
        match &self.expected {
            Expected::Answer(cell) => cell.complete(Err(error)),
            Expected::Parts(cell, sink) => {
                cell.complete(Err(error.with_partial_text(sink.delivered_text())));
            }
            Expected::Health(cell) => cell.complete(Err(error)),
        }
    }

    fn era(&self) -> Era {
        match &self.expected {
            Expected::Answer(cell) => cell.era(),
            Expected::Parts(cell, _) => cell.era(),
            Expected::Health(cell) => cell.era(),
        }
    }
}

impl Drop for ReplyObject {
    fn drop(&mut self) {
        if self.state.answer().is_ok() {
            self.fail(Error::internal(
                "the program's own provider freed its reply without an answer",
            ));
        }
    }
}

impl Object for ReplyObject {
    type Opaque = gigachat_reply;
    const TYPE: u8 = 15;
    const NAME: &'static str = "gigachat_reply";

    fn is_inherited(&self) -> bool {
        self.era().is_inherited()
    }
}

fn reply(handle: *const gigachat_reply) -> std::result::Result<Arc<ReplyObject>, Failure> {
    let reply = handle::get::<ReplyObject>(handle, "reply")?;
    match reply.is_inherited() {
        true => Err(gigachat_core::Error::forked().into()),
        false => Ok(reply),
    }
}

fn not_asked(what: &str) -> Failure {
    Failure::new(
        GIGACHAT_ERROR_INVALID_REQUEST,
        format!("this request did not ask for {what}"),
    )
}

/// Answers a generate request with a text, a stream with its last piece, a health check with
/// "healthy" (the text is ignored). `finish_reason` with length 0 is "stop".
///
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
/// GIGACHAT_ERROR_ALREADY_TAKEN when it was answered before.
/// Ownership: the texts are copied. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_finish(
    reply: *mut gigachat_reply,
    text: *const c_char,
    length: usize,
    finish_reason: *const c_char,
    finish_reason_length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        guard(error, || {
            let reply = self::reply(reply)?;
            let text = read("text", text, length)?.to_owned();
            let reason = match read("finish_reason", finish_reason, finish_reason_length)? {
                "" => "stop",
                reason => reason,
            };
            reply.state.answer()?;
            finish(&reply.expected, text, reason);
            Ok(())
        })
    }
}

fn finish(expected: &Expected, text: String, reason: &str) {
    match expected {
        Expected::Answer(cell) => cell.complete(Ok(Response {
            text,
            finish_reason: reason.to_owned(),
            function_call: None,
            usage: None,
            model: String::new(),
            raw: String::new(),
            report: CallReport {
                attempts: 1,
                ..CallReport::default()
            },
        })),
        Expected::Parts(cell, sink) => {
            if !text.is_empty() {
                sink.twin().push_now(StreamEvent::Text(text));
            }
            let report = CallReport {
                attempts: 1,
                ..CallReport::default()
            };
            cell.complete(Ok(StreamEnd {
                finish_reason: reason.to_owned(),
                report,
                ..StreamEnd::default()
            }));
        }
        Expected::Health(cell) => cell.complete(Ok(())),
    }
}

/// Answers a generate request with a completion in the wire format: choices, usage, model.
///
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile);
/// GIGACHAT_ERROR_PROTOCOL when the JSON is no completion; GIGACHAT_ERROR_INVALID_REQUEST when the
/// request asked for a stream or a health check; GIGACHAT_ERROR_ALREADY_TAKEN.
/// Ownership: the text is copied. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_finish_json(
    reply: *mut gigachat_reply,
    json: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        guard(error, || {
            let reply = self::reply(reply)?;
            let Expected::Answer(cell) = &reply.expected else {
                return Err(not_asked("a completion"));
            };
            let report = CallReport {
                attempts: 1,
                ..CallReport::default()
            };
            let json = read("json", json, length)?.as_bytes().to_vec();
            let response = Response::parse(json, &[], report)?;
            reply.state.answer()?;
            cell.complete(Ok(response));
            Ok(())
        })
    }
}

/// Delivers the next piece of a stream; does not wait for its reader.
///
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
/// GIGACHAT_ERROR_INVALID_REQUEST when the request asked for no stream.
/// Ownership: the text is copied. Thread safety: any thread, one at a time for the order. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_push(
    reply: *mut gigachat_reply,
    text: *const c_char,
    length: usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        guard(error, || {
            let reply = self::reply(reply)?;
            let Expected::Parts(_, sink) = &reply.expected else {
                return Err(not_asked("a stream"));
            };
            let text = read("text", text, length)?;
            if !text.is_empty() && !reply.state.is_cancelled() {
                sink.twin().push_now(StreamEvent::Text(text.to_owned()));
            }
            Ok(())
        })
    }
}

/// Answers with a failure.
///
/// Parameters: `status` is one of the GIGACHAT_ERROR_ constants of the service's errors (a router
/// decides by it whether the next member is asked); `retry_after_ms` negative is none.
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
/// GIGACHAT_ERROR_ALREADY_TAKEN when it was answered before.
/// Ownership: the text is copied. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_fail(
    reply: *mut gigachat_reply,
    status: gigachat_status,
    message: *const c_char,
    length: usize,
    retry_after_ms: i64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        guard(error, || {
            let reply = self::reply(reply)?;
            let message = read("message", message, length)?;
            let kind = kind_of(status).ok_or_else(|| {
                let text =
                    format!("status: {status} is not accepted; it must be a cause of failure");
                Failure::new(GIGACHAT_ERROR_INVALID_REQUEST, text)
            })?;
            reply.state.answer()?;
            let failure = Error::new(kind, Phase::Answer, message)
                .with_retry_after(super::text::limit(retry_after_ms));
            reply.fail(failure);
            Ok(())
        })
    }
}

/// Whether nobody waits for the reply any more: cancelled, timed out, or shut down.
///
/// Returns: true or false; true when `reply` is no live reply.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_is_cancelled(reply: *const gigachat_reply) -> bool {
    shield(true, || {
        handle::find::<ReplyObject>(reply).is_none_or(|reply| reply.state.is_cancelled())
    })
}

/// Calls `callback` once, on a callback thread, when nobody waits for the reply any more, also
/// when that is so already; then, or when the reply is answered, calls `destroy` once.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_ALREADY_SET the second time, or
/// GIGACHAT_ERROR_ALREADY_TAKEN after the answer; then neither function is called.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_on_cancel(
    reply: *mut gigachat_reply,
    callback: gigachat_reply_cancelled_callback,
    user_data: *mut c_void,
    destroy: gigachat_destroy_callback,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            let callback = callback.ok_or_else(|| Failure::null("callback"))?;
            let reply = self::reply(reply)?;
            let tell = teller(callback, UserData::unowned(user_data), destroy)?;
            let mut stage = lock(&reply.state.0);
            match *stage {
                Stage::Open => *stage = Stage::Watched(tell()),
                Stage::Cancelled => {
                    drop(stage);
                    tell()();
                }
                Stage::Watched(_) => {
                    return Err(Failure::new(
                        GIGACHAT_ERROR_ALREADY_SET,
                        "this reply is watched already",
                    ));
                }
                Stage::Answered => {
                    return Err(Failure::new(
                        GIGACHAT_ERROR_ALREADY_TAKEN,
                        "this reply was answered before",
                    ));
                }
            }
            Ok(())
        })
    }
}

/// What makes the function that tells the program of the cancel, on the callback thread. The
/// duty to destroy the user data begins when it is made.
fn teller(
    callback: unsafe extern "C" fn(*mut c_void),
    user_data: UserData,
    destroy: gigachat_destroy_callback,
) -> Result<impl FnOnce() -> Box<dyn FnOnce() + Send>> {
    let callbacks = Generation::enter()?.callbacks.clone();
    Ok(move || -> Box<dyn FnOnce() + Send> {
        let user_data = user_data.owned(destroy);
        Box::new(move || {
            callbacks.post(Box::new(move || {
                // SAFETY: the program promised that the function may be called with this user
                // data on a thread of the library.
                unsafe { callback(user_data.pointer()) };
            }));
        })
    })
}

/// Frees a reply; one that was not answered fails its request. NULL is a no-op.
///
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_free(reply: *mut gigachat_reply) {
    shield((), || handle::remove::<ReplyObject>(reply));
}
