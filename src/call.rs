//! The call handle: start now; wait, take, cancel, or be told later.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::boundary::{self, Word};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::params::gigachat_params;
use super::provider::{client, gigachat_provider, prompt_request};
use super::queue::{QueueObject, gigachat_queue};
use super::request::{built, gigachat_request};
use super::response::{ResponseObject, gigachat_response};
use super::status::{
    Failure, GIGACHAT_ERROR_ALREADY_SET, GIGACHAT_ERROR_ALREADY_TAKEN, GIGACHAT_NOT_YET,
    GIGACHAT_OK, gigachat_status,
};
use super::text::{limit, required};
use super::unwind::shield;
use super::user_data::{UserData, gigachat_destroy_callback};
use gigachat_core::binding::{Callbacks, DoneHook, Ended, Generation, Taken};
use gigachat_core::{Ask, Call, Document};

/// A call that runs beside its caller. First gigachat_start or gigachat_generate_start, then
/// gigachat_call_wait, gigachat_call_on_done or gigachat_call_attach, then gigachat_call_take; then
/// gigachat_call_free.
pub struct gigachat_call(());

/// Called once when the call has ended, on a thread of the library; see gigachat_call_on_done.
/// `status` tells how it ended; take the result from `call`. Must not throw.
pub type gigachat_call_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, call: *mut gigachat_call, status: gigachat_status),
>;

pub(super) struct CallObject(Call<Document>);

impl Object for CallObject {
    type Opaque = gigachat_call;
    const TYPE: u8 = 11;
    const NAME: &'static str = "gigachat_call";

    fn is_inherited(&self) -> bool {
        self.0.era().is_inherited()
    }
}

fn on_done(call: &CallObject, hook: DoneHook) -> Result<(), Failure> {
    call.0.on_done(hook).map_err(|_| {
        Failure::new(
            GIGACHAT_ERROR_ALREADY_SET,
            "this call has a completion callback or queue already",
        )
    })
}

/// The call behind a handle, which must be of this process.
fn call(handle: *const gigachat_call) -> Result<Arc<CallObject>, Failure> {
    handle::get_own::<CallObject>(handle, "call")
}

/// Starts a call and hands its handle out.
///
/// # Safety
/// The out-parameters are NULL or valid for writes.
unsafe fn start(
    provider: *const gigachat_provider,
    request: impl FnOnce() -> Result<Arc<Ask>, Failure>,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        guard(error, || {
            let call = required("call", call)?;
            let client = client(provider)?;
            let request = request()?;
            request.check()?;
            let begun = client.ask(request);
            // A start that is impossible (shutdown, no threads) is a status of its own.
            begun.started()?;
            *call = handle::insert(CallObject(begun));
            Ok(())
        })
    }
}

/// Starts to answer a prompt.
///
/// Parameters: `params` may be NULL; `call` receives the handle.
/// Returns: GIGACHAT_OK, or why the call could not be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_generate_start(
    provider: *const gigachat_provider,
    prompt: *const c_char,
    length: usize,
    params: *const gigachat_params,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings and out-parameters.
    unsafe {
        start(
            provider,
            || prompt_request(prompt, length, params),
            call,
            error,
        )
    }
}

/// Starts to answer a request, whatever its operation. Of "health" the answer's
/// gigachat_response_total_us is how long the check took.
///
/// Parameters: `call` receives the handle.
/// Returns: GIGACHAT_OK; the first setting of the request that was refused; or why the call could
/// not be started.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_start(
    provider: *const gigachat_provider,
    request: *const gigachat_request,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for out-parameters.
    unsafe { start(provider, || built(request), call, error) }
}

/// Waits until the call has ended.
///
/// Parameters: `timeout_ms` bounds the wait: 0 looks without waiting, negative waits as long as
/// the call's own time limits let it, and at most a second longer (see Conventions, Waits).
/// Returns: GIGACHAT_OK when it has ended, however; GIGACHAT_NOT_YET when it goes on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_wait(
    call: *mut gigachat_call,
    timeout_ms: i64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            Ok(match self::call(call)?.0.wait(limit(timeout_ms))? {
                true => GIGACHAT_OK,
                false => GIGACHAT_NOT_YET,
            })
        })
    }
}

/// Takes the answer of a call, without waiting, once.
///
/// Parameters: `response` receives the answer.
/// Returns: GIGACHAT_OK; GIGACHAT_NOT_YET while the call runs; GIGACHAT_ERROR_ALREADY_TAKEN the
/// second time; otherwise the cause of the call's failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_take(
    call: *mut gigachat_call,
    response: *mut *mut gigachat_response,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let response = required("response", response)?;
            match self::call(call)?.0.take_once() {
                Taken::Running => Ok(GIGACHAT_NOT_YET),
                Taken::Before => Err(Failure::new(
                    GIGACHAT_ERROR_ALREADY_TAKEN,
                    "the call's result was taken before",
                )),
                Taken::Result(answer) => {
                    *response = handle::insert(ResponseObject::new(answer?));
                    Ok(GIGACHAT_OK)
                }
            }
        })
    }
}

/// Ends the call as cancelled, unless its result is there already. Returns at once; may be called
/// before, during and after the call, any number of times.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_cancel(
    call: *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            self::call(call)?.0.cancel();
            Ok(())
        })
    }
}

/// Calls `callback` once when the call has ended, also when it has ended already; then calls
/// `destroy` once with the user data. Both run on a callback thread of the library, where
/// everything is allowed but gigachat_shutdown. A call has one callback or one queue.
///
/// Freeing the call cancels it: the callback still runs once, with GIGACHAT_ERROR_CANCELLED and a
/// handle that is dead by then. After the program called exit, neither runs.
///
/// Parameters: `user_data` is passed back as it is; `destroy` may be NULL.
/// Returns: GIGACHAT_OK; GIGACHAT_ERROR_ALREADY_SET when the call has one; on any failure
/// neither function is ever called, and the user data stays the program's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_on_done(
    call: *mut gigachat_call,
    callback: gigachat_call_callback,
    user_data: *mut c_void,
    destroy: gigachat_destroy_callback,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            let callback = callback.ok_or_else(|| Failure::null("callback"))?;
            let target = self::call(call)?;
            let callbacks = Generation::enter()?.callbacks.clone();
            let hook = completion_hook(
                callback,
                UserData::unowned(user_data),
                destroy,
                call.addr(),
                callbacks,
            );
            on_done(&target, hook)
        })
    }
}

/// Posts `tag` to `queue` once when the call has ended, also when it has ended already. A call
/// has one callback or one queue.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_ALREADY_SET when the call has one.
/// The queue may be freed before; the tag is then posted to nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_attach(
    call: *mut gigachat_call,
    queue: *mut gigachat_queue,
    tag: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            let call = self::call(call)?;
            let queue = handle::get_own::<QueueObject>(queue, "queue")?.shared();
            let tagged = queue.clone();
            on_done(&call, Box::new(move |_| tagged.post(tag)))?;
            queue.watch(&call.0.watched());
            Ok(())
        })
    }
}

/// Hands the program's function to the callback thread when the call has ended.
fn completion_hook(
    callback: unsafe extern "C" fn(*mut c_void, *mut gigachat_call, gigachat_status),
    user_data: UserData,
    destroy: gigachat_destroy_callback,
    handle: usize,
    callbacks: Arc<Callbacks>,
) -> DoneHook {
    Box::new(move |ended| {
        let user_data = user_data.owned(destroy);
        callbacks.post(Box::new(move || {
            let call: *mut gigachat_call = std::ptr::without_provenance_mut(handle);
            // SAFETY: the program promised that the function may be called with this user data
            // on a thread of the library; a dead handle is a valid argument.
            unsafe {
                let words = [
                    user_data.pointer().word(),
                    call.word(),
                    status_of(ended).word(),
                    0,
                ];
                boundary::call(callback as *const c_void, words);
            }
        }));
    })
}

fn status_of(ended: Ended) -> gigachat_status {
    match ended {
        Ok(()) => GIGACHAT_OK,
        Err(kind) => kind.number(),
    }
}

/// Frees a call; one that has not ended is cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_free(call: *mut gigachat_call) {
    shield((), || {
        if let Some(call) = handle::find::<CallObject>(call) {
            // A waiter in another thread holds the object: the end must come from here.
            call.0.cancel();
        }
        handle::remove::<CallObject>(call);
    });
}
