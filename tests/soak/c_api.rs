//! The C interface as a careful C program would use it, in safe clothes: each handle is freed by its owner,
//! each status is looked at. Nothing is decided here.

use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut};
use std::time::Duration;

use gigachat_c::call::*;
use gigachat_c::cancel::*;
use gigachat_c::error::*;
use gigachat_c::event::*;
use gigachat_c::provider::*;
use gigachat_c::queue::*;
use gigachat_c::request::*;
use gigachat_c::response::*;
use gigachat_c::status::*;
use gigachat_c::stream::*;
use gigachat_c::user_data::gigachat_destroy_callback;

use crate::books::End;
use crate::c_config::CConfig;
use crate::plan::Plan;
use crate::world::{SHORT, SILENCE};

/// A handle that may cross threads: it is a word, and the library takes it from any thread.
pub struct Handle<T>(pub *mut T);

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Handle<T> {
        *self
    }
}
impl<T> Copy for Handle<T> {}
// SAFETY: the header's thread-safety table: a handle is no address, and these types are for any thread.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

pub type Call = Handle<gigachat_call>;
pub type Stream = Handle<gigachat_stream>;
pub type Token = Handle<gigachat_cancel>;

/// A text as C takes it.
pub fn text(text: &str) -> (*const c_char, usize) {
    (text.as_ptr().cast(), text.len())
}

/// What cannot fail with good arguments did not fail.
#[track_caller]
pub fn good(status: gigachat_status) {
    assert_eq!(status, GIGACHAT_OK);
}

// Everywhere below: texts are valid for their length, out-parameters are valid for writes or NULL.

pub struct CProvider(Handle<gigachat_provider>);

impl CProvider {
    pub fn new(config: &CConfig) -> CProvider {
        let mut provider = null_mut();
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_provider_new(config.handle(), &mut provider, null_mut()) });
        CProvider(Handle(provider))
    }

    /// Waits for the answer; the token may end that.
    pub fn chat(&self, request: &CRequest, token: Token) -> Result<(String, u32), Failure> {
        let (mut response, mut error) = (null_mut(), null_mut());
        // SAFETY: valid arguments, see above.
        let status =
            unsafe { gigachat_perform(self.0.0, request.0.0, token.0, &mut response, &mut error) };
        answer(status, response, error)
    }

    pub fn health_check(&self, token: Token) -> Result<(), Failure> {
        let mut error = null_mut();
        // SAFETY: valid arguments, see above.
        let status =
            unsafe { gigachat_health_check(self.0.0, -1, token.0, null_mut(), &mut error) };
        outcome(status, error)
    }

    pub fn models(&self, token: Token) -> Result<(), Failure> {
        let request = CRequest::named("models");
        let (mut models, mut error) = (null_mut(), null_mut());
        // SAFETY: valid arguments, see above.
        unsafe {
            let status = gigachat_perform(self.0.0, request.0.0, token.0, &mut models, &mut error);
            gigachat_response_free(models);
            outcome(status, error)
        }
    }

    pub fn start(&self, request: &CRequest) -> Call {
        let mut call = null_mut();
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_start(self.0.0, request.0.0, &mut call, null_mut()) });
        Handle(call)
    }

    pub fn stream(&self, request: &CRequest) -> Stream {
        let mut stream = null_mut();
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_open(self.0.0, request.0.0, &mut stream, null_mut()) });
        Handle(stream)
    }
}

impl Drop for CProvider {
    fn drop(&mut self) {
        // SAFETY: a handle, alive or not.
        unsafe { gigachat_provider_free(self.0.0) };
    }
}

pub struct CRequest(Handle<gigachat_request>);

impl CRequest {
    pub fn new(plan: &Plan) -> CRequest {
        let request = CRequest::named("chat");
        let prompt = plan.prompt();
        let ((role, a), (prompt, b)) = (text("user"), text(&prompt));
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_request_add_message(request.0.0, role, a, prompt, b) });
        request.header("x-emulator-call", &plan.number.to_string());
        if let Some(fault) = plan.fault {
            request.header("x-emulator-fault", fault);
        }
        if plan.stalls() {
            request.set("timeout", SHORT);
            request.set("idle_timeout", SILENCE);
        }
        request
    }

    /// A request for an operation, with nothing filled in.
    pub fn named(operation: &str) -> CRequest {
        let mut request = null_mut();
        let (operation, length) = text(operation);
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_request_new(operation, length, &mut request, null_mut()) });
        CRequest(Handle(request))
    }

    fn set(&self, name: &str, time: Duration) {
        let value = time.as_secs_f64().to_string();
        let ((name, a), (value, b)) = (text(name), text(&value));
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_request_set(self.0.0, name, a, value, b) });
    }

    fn header(&self, name: &str, value: &str) {
        let ((name, a), (value, b)) = (text(name), text(value));
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_request_set_header(self.0.0, name, a, value, b) });
    }
}

impl Drop for CRequest {
    fn drop(&mut self) {
        // SAFETY: a handle, alive or not.
        unsafe { gigachat_request_free(self.0.0) };
    }
}

/// What an error handle said; the handle is freed.
pub struct Failure {
    pub status: gigachat_status,
    attempts: u32,
}

impl Failure {
    pub fn end(&self) -> End {
        match self.status {
            GIGACHAT_ERROR_CANCELLED => End::Cancelled,
            _ => End::Failed(self.attempts),
        }
    }
}

fn outcome(status: gigachat_status, error: *mut gigachat_error) -> Result<(), Failure> {
    if status == GIGACHAT_OK {
        assert!(error.is_null());
        return Ok(());
    }
    // SAFETY: a handle, alive or not.
    let attempts = unsafe { gigachat_error_attempts(error) };
    // SAFETY: as above.
    unsafe { gigachat_error_free(error) };
    Err(Failure { status, attempts })
}

/// Text and attempts of a response, which is freed.
fn answer(
    status: gigachat_status,
    response: *mut gigachat_response,
    error: *mut gigachat_error,
) -> Result<(String, u32), Failure> {
    outcome(status, error)?;
    let mut length = 0;
    // SAFETY: a live handle; the text is valid, for its length, until the handle is freed.
    unsafe {
        let text = gigachat_response_text(response, &mut length);
        let bytes = match text.is_null() {
            true => &[][..],
            false => std::slice::from_raw_parts(text.cast::<u8>(), length),
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let attempts = gigachat_response_attempts(response);
        gigachat_response_free(response);
        Ok((text, attempts))
    }
}

/// Takes the answer of a call.
pub fn take(call: Call) -> Result<(String, u32), Failure> {
    let (mut response, mut error) = (null_mut(), null_mut());
    // SAFETY: valid arguments, see above.
    let status = unsafe { gigachat_call_take(call.0, &mut response, &mut error) };
    answer(status, response, error)
}

/// Takes the result of a call of which only the outcome is of interest.
pub fn take_outcome(call: Call) -> Result<(), Failure> {
    take(call).map(drop)
}

pub fn on_done(
    call: Call,
    callback: gigachat_call_callback,
    data: *mut c_void,
    destroy: gigachat_destroy_callback,
) {
    // SAFETY: the callbacks take this data; it lives until `destroy` is called.
    good(unsafe { gigachat_call_on_done(call.0, callback, data, destroy, null_mut()) });
}

pub fn cancel_call(call: Call) {
    // SAFETY: a handle, alive or not.
    unsafe { gigachat_call_cancel(call.0, null_mut()) };
}

pub fn free_call(call: Call) {
    // SAFETY: a handle, alive or not.
    unsafe { gigachat_call_free(call.0) };
}

/// One look at a stream: the status, and how the stream failed.
pub fn read(stream: Stream, timeout_ms: i64) -> Result<gigachat_status, Failure> {
    let (mut event, mut error) = (null_mut(), null_mut());
    // SAFETY: valid arguments, see above.
    let status = unsafe { gigachat_stream_next(stream.0, timeout_ms, &mut event, &mut error) };
    // SAFETY: a handle or NULL.
    unsafe { gigachat_event_free(event) };
    match status {
        GIGACHAT_OK | GIGACHAT_STREAM_END | GIGACHAT_NOT_YET => Ok(status),
        _ => outcome(status, error).map(|()| status),
    }
}

/// The whole answer of a stream that was read to its end.
pub fn whole(stream: Stream) -> Result<(String, u32), Failure> {
    let (mut response, mut error) = (null_mut(), null_mut());
    // SAFETY: valid arguments, see above.
    let status = unsafe { gigachat_stream_response(stream.0, &mut response, &mut error) };
    answer(status, response, error)
}

pub fn cancel_stream(stream: Stream) {
    // SAFETY: a handle, alive or not.
    unsafe { gigachat_stream_cancel(stream.0, null_mut()) };
}

pub fn free_stream(stream: Stream) {
    // SAFETY: a handle, alive or not.
    unsafe { gigachat_stream_free(stream.0) };
}

pub fn no_token() -> Token {
    Handle(null::<gigachat_cancel>().cast_mut())
}

pub fn new_token() -> Token {
    let mut token = null_mut();
    // SAFETY: valid arguments, see above.
    good(unsafe { gigachat_cancel_new(&mut token, null_mut()) });
    Handle(token)
}

pub fn cancel_token(token: Token) {
    // SAFETY: a handle, alive or not.
    unsafe { gigachat_cancel_now(token.0, null_mut()) };
}

pub fn free_token(token: Token) {
    // SAFETY: a handle, alive or not.
    unsafe { gigachat_cancel_free(token.0) };
}

/// A completion queue.
pub struct Queue(Handle<gigachat_queue>);

impl Queue {
    pub fn new() -> Queue {
        let mut queue = null_mut();
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_queue_new(&mut queue, null_mut()) });
        Queue(Handle(queue))
    }

    pub fn attach_call(&self, call: Call, tag: u64) {
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_call_attach(call.0, self.0.0, tag, null_mut()) });
    }

    pub fn attach_stream(&self, stream: Stream, tag: u64) {
        // SAFETY: valid arguments, see above.
        good(unsafe { gigachat_stream_attach(stream.0, self.0.0, tag, null_mut()) });
    }

    /// Waits for tags.
    pub fn take(&self, tags: &mut [u64; 32]) -> usize {
        let mut count = 0;
        // SAFETY: `tags` has room for 32.
        let status = unsafe {
            gigachat_queue_take(
                self.0.0,
                1000,
                tags.as_mut_ptr(),
                32,
                &mut count,
                null_mut(),
            )
        };
        assert!(matches!(status, GIGACHAT_OK | GIGACHAT_NOT_YET));
        count
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: a handle, alive or not.
        unsafe { gigachat_queue_free(self.0.0) };
    }
}
