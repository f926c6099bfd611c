//! The reply handle: through which a program's own provider answers one request, later, from any
//! thread, exactly once.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::boundary;
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
use gigachat_core::StreamEvent;
use gigachat_core::binding::{Generation, Reply, ReplyRefusal, Wanted};
use gigachat_core::{CallReport, Response};
use gigachat_core::{Error, Phase, Result};

/// The answer to one request that was passed to a program's own provider. Answer it exactly once,
/// from any thread, then free it; freeing it unanswered fails the request.
pub struct gigachat_reply(());

/// Called once when nobody waits for the reply any more.
pub type gigachat_reply_cancelled_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The core's reply behind its handle; freeing it unanswered fails the request.
pub(super) struct ReplyObject(pub(super) Reply);

impl Object for ReplyObject {
    type Opaque = gigachat_reply;
    const TYPE: u8 = 15;
    const NAME: &'static str = "gigachat_reply";

    fn is_inherited(&self) -> bool {
        self.0.era().is_inherited()
    }
}

fn reply(handle: *const gigachat_reply) -> std::result::Result<Arc<ReplyObject>, Failure> {
    let reply = handle::get::<ReplyObject>(handle, "reply")?;
    match reply.is_inherited() {
        true => Err(gigachat_core::Error::forked().into()),
        false => Ok(reply),
    }
}

/// What the core does not take, as a status.
fn refused(refusal: ReplyRefusal, what: &str) -> Failure {
    match refusal {
        ReplyRefusal::Answered => Failure::new(
            GIGACHAT_ERROR_ALREADY_TAKEN,
            "this reply was answered before",
        ),
        ReplyRefusal::Watched => {
            Failure::new(GIGACHAT_ERROR_ALREADY_SET, "this reply is watched already")
        }
        ReplyRefusal::NotWanted => not_asked(what),
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
            let finished = reply.0.finish(text, reason);
            finished.map_err(|refusal| refused(refusal, "this"))
        })
    }
}

/// Answers a generate request with a completion in the wire format: choices, usage, model.
///
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile); GIGACHAT_ERROR_PROTOCOL
/// when the JSON is no completion; GIGACHAT_ERROR_INVALID_REQUEST when the request asked for a
/// stream or a health check; GIGACHAT_ERROR_ALREADY_TAKEN.
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
            if reply.0.wanted() != Wanted::Answer {
                return Err(not_asked("a completion"));
            }
            let report = CallReport {
                attempts: 1,
                ..CallReport::default()
            };
            let json = read("json", json, length)?.as_bytes().to_vec();
            let response = Response::parse(json, &[], report)?;
            let answered = reply.0.respond(response);
            answered.map_err(|refusal| refused(refusal, "a completion"))
        })
    }
}

/// Delivers the next piece of a stream; does not wait for its reader.
///
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
/// GIGACHAT_ERROR_INVALID_REQUEST when the request asked for no stream.
/// The pieces come in the order of the calls: one thread at a time.
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
            if reply.0.wanted() != Wanted::Parts {
                return Err(not_asked("a stream"));
            }
            let text = read("text", text, length)?;
            if text.is_empty() {
                return Ok(());
            }
            let pushed = reply.0.push(StreamEvent::Text(text.to_owned()), None);
            pushed.map_err(|refusal| refused(refusal, "a stream"))
        })
    }
}

/// Answers with a failure.
///
/// Parameters: `status` is one of the GIGACHAT_ERROR_ constants of the service's errors (a router
/// decides by it whether the next member is asked); `retry_after_ms` negative is none.
/// Returns: GIGACHAT_OK (also when the request was cancelled meanwhile), or
/// GIGACHAT_ERROR_ALREADY_TAKEN when it was answered before.
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
            let failure = Error::new(kind, Phase::Answer, message)
                .with_retry_after(super::text::limit(retry_after_ms));
            let answered = reply.0.fail(failure);
            answered.map_err(|refusal| refused(refusal, "this"))
        })
    }
}

/// Whether nobody waits for the reply any more: cancelled, timed out, or shut down.
///
/// Returns: true or false; true for a handle that is not alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_is_cancelled(reply: *const gigachat_reply) -> bool {
    shield(true, || {
        handle::find::<ReplyObject>(reply).is_none_or(|reply| reply.0.is_cancelled())
    })
}

/// Calls `callback` once, on a callback thread, when nobody waits for the reply any more, also when
/// that is so already; then, or when the reply is answered, calls `destroy` once.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_ALREADY_SET the second time, or
/// GIGACHAT_ERROR_ALREADY_TAKEN after the answer; then neither function is called.
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
            let watched = reply.0.on_cancel(tell);
            watched.map_err(|refusal| refused(refusal, "this"))
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
                unsafe { boundary::call_1(callback, user_data.pointer()) };
            }));
        })
    })
}

/// Frees a reply; one that was not answered fails its request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_reply_free(reply: *mut gigachat_reply) {
    shield((), || handle::remove::<ReplyObject>(reply));
}
