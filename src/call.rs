//! The call handle: start now; wait, take, cancel, or be told later.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::boundary::{self, Word};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::models::{ModelsObject, gigachat_models};
use super::params::gigachat_params;
use super::provider::{built_request, client, gigachat_provider, json_request, prompt_request};
use super::queue::{QueueObject, gigachat_queue};
use super::request::gigachat_request;
use super::response::{ResponseObject, gigachat_response};
use super::status::{
    Failure, GIGACHAT_ERROR_ALREADY_SET, GIGACHAT_ERROR_ALREADY_TAKEN,
    GIGACHAT_ERROR_INVALID_REQUEST, GIGACHAT_NOT_YET, GIGACHAT_OK, gigachat_status,
};
use super::text::{limit, optional, required};
use super::unwind::shield;
use super::user_data::{UserData, gigachat_destroy_callback};
use gigachat_core::Call;
use gigachat_core::Client;
use gigachat_core::binding::Callbacks;
use gigachat_core::binding::Generation;
use gigachat_core::binding::{DoneHook, Ended, Taken, Watched};
use gigachat_core::{Health, Model, Response};

/// A call that runs beside its caller. Since 0.1.
pub struct gigachat_call(());

/// Called once when the call has ended, on a thread of the library; see gigachat_call_on_done.
/// `status` tells how it ended; take the result from `call`. Must not throw. Since 0.1.
pub type gigachat_call_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, call: *mut gigachat_call, status: gigachat_status),
>;

pub(super) enum CallObject {
    Answer(Call<Response>),
    Health(Call<Health>),
    Models(Call<Vec<Model>>),
}

impl Object for CallObject {
    type Opaque = gigachat_call;
    const TYPE: u8 = 11;
    const NAME: &'static str = "gigachat_call";

    fn is_inherited(&self) -> bool {
        match self {
            CallObject::Answer(call) => call.era().is_inherited(),
            CallObject::Health(call) => call.era().is_inherited(),
            CallObject::Models(call) => call.era().is_inherited(),
        }
    }
}

impl CallObject {
    fn wait(&self, timeout_ms: i64) -> gigachat_core::Result<bool> {
        match self {
            CallObject::Answer(call) => call.wait(limit(timeout_ms)),
            CallObject::Health(call) => call.wait(limit(timeout_ms)),
            CallObject::Models(call) => call.wait(limit(timeout_ms)),
        }
    }

    /// Why the call could not be started, if it could not.
    fn started(&self) -> gigachat_core::Result<()> {
        match self {
            CallObject::Answer(call) => call.started(),
            CallObject::Health(call) => call.started(),
            CallObject::Models(call) => call.started(),
        }
    }

    fn cancel(&self) {
        match self {
            CallObject::Answer(call) => call.cancel(),
            CallObject::Health(call) => call.cancel(),
            CallObject::Models(call) => call.cancel(),
        }
    }

    /// What whoever waits for its queue has to look at.
    fn watched(&self) -> Arc<dyn Watched> {
        match self {
            CallObject::Answer(call) => call.watched(),
            CallObject::Health(call) => call.watched(),
            CallObject::Models(call) => call.watched(),
        }
    }

    fn on_done(&self, hook: DoneHook) -> Result<(), Failure> {
        let set = match self {
            CallObject::Answer(call) => call.on_done(hook),
            CallObject::Health(call) => call.on_done(hook),
            CallObject::Models(call) => call.on_done(hook),
        };
        set.map_err(|_| {
            Failure::new(
                GIGACHAT_ERROR_ALREADY_SET,
                "this call has a completion callback or queue already",
            )
        })
    }
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
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
    begin: impl FnOnce(Client) -> Result<CallObject, Failure>,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        guard(error, || {
            let call = required("call", call)?;
            let begun = begin(client(provider)?)?;
            // A start that is impossible (shutdown, no threads) is a status of its own.
            begun.started()?;
            *call = handle::insert(begun);
            Ok(())
        })
    }
}

/// Starts to answer a prompt.
///
/// Parameters: `prompt` in UTF-8; `params` may be NULL; `call` receives the handle, which the
/// program frees with gigachat_call_free.
/// Returns: GIGACHAT_OK, or why the call could not be started.
/// Ownership: nothing is kept. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_generate_start(
    provider: *const gigachat_provider,
    prompt: *const c_char,
    length: usize,
    params: *const gigachat_params,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and out-parameters.
    unsafe {
        start(provider, call, error, |client| {
            Ok(CallObject::Answer(
                client.chat(prompt_request(prompt, length, params)?),
            ))
        })
    }
}

/// Starts to answer a request.
///
/// Parameters: `call` receives the handle, which the program frees with gigachat_call_free.
/// Returns: GIGACHAT_OK, or why the call could not be started.
/// Ownership: the request is copied. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_chat_start(
    provider: *const gigachat_provider,
    request: *const gigachat_request,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for out-parameters.
    unsafe {
        start(provider, call, error, |client| {
            Ok(CallObject::Answer(client.chat(built_request(request)?)))
        })
    }
}

/// Starts to answer a request in the wire format; see gigachat_request_from_json.
///
/// Parameters: `call` receives the handle, which the program frees with gigachat_call_free.
/// Returns: GIGACHAT_OK, or why the call could not be started.
/// Ownership: nothing is kept. Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_chat_json_start(
    provider: *const gigachat_provider,
    json: *const c_char,
    length: usize,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and out-parameters.
    unsafe {
        start(provider, call, error, |client| {
            Ok(CallObject::Answer(client.chat(json_request(json, length)?)))
        })
    }
}

/// Starts a health check; see gigachat_health_check. gigachat_call_take_health takes its result.
///
/// Parameters: `call` receives the handle, which the program frees with gigachat_call_free.
/// Returns: GIGACHAT_OK, or why the call could not be started.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_health_check_start(
    provider: *const gigachat_provider,
    timeout_ms: i64,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        start(provider, call, error, |client| {
            Ok(CallObject::Health(client.health_check(limit(timeout_ms))))
        })
    }
}

/// Starts to list the models.
///
/// Parameters: `call` receives the handle, which the program frees with gigachat_call_free.
/// Returns: GIGACHAT_OK, or why the call could not be started.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_list_start(
    provider: *const gigachat_provider,
    call: *mut *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        start(provider, call, error, |client| {
            Ok(CallObject::Models(client.models()))
        })
    }
}

/// Waits until the call has ended.
///
/// Parameters: `timeout_ms` bounds the wait: 0 looks without waiting, negative waits as long as
/// the call's own time limits let it, and at most a second longer (see Conventions, Waits).
/// Returns: GIGACHAT_OK when it has ended, however; GIGACHAT_NOT_YET when it goes on.
/// Thread safety: any thread, callbacks included. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_wait(
    call: *mut gigachat_call,
    timeout_ms: i64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            Ok(match self::call(call)?.wait(timeout_ms)? {
                true => GIGACHAT_OK,
                false => GIGACHAT_NOT_YET,
            })
        })
    }
}

/// Takes the answer of a call that chats or generates, without waiting, once.
///
/// Parameters: `response` receives the answer, which the program frees with
/// gigachat_response_free; it is never NULL after GIGACHAT_OK.
/// Returns: GIGACHAT_OK; GIGACHAT_NOT_YET while the call runs; GIGACHAT_ERROR_ALREADY_TAKEN the
/// second time; GIGACHAT_ERROR_INVALID_REQUEST for a call of another kind, which keeps its result
/// (the message names the function that takes it); otherwise the cause of the call's failure.
/// Thread safety: any thread. Since 0.1.
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
            match &*self::call(call)? {
                CallObject::Answer(call) => taken(call, |answer| {
                    *response = handle::insert(ResponseObject::new(answer));
                }),
                other => Err(wrong_take(other)),
            }
        })
    }
}

/// Takes the result of a health check, without waiting, once.
///
/// Parameters: `latency_us` may be NULL and receives how long the check took, in microseconds.
/// Returns: GIGACHAT_OK when the provider can serve; otherwise as gigachat_call_take.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_take_health(
    call: *mut gigachat_call,
    latency_us: *mut u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let latency = optional(latency_us);
            match &*self::call(call)? {
                CallObject::Health(call) => taken(call, |health| {
                    if let Some(latency) = latency {
                        *latency = health.latency.as_micros() as u64;
                    }
                }),
                other => Err(wrong_take(other)),
            }
        })
    }
}

/// Takes the result of a call that lists models, without waiting, once.
///
/// Parameters: `models` receives the list, which the program frees with gigachat_models_free.
/// Returns: as gigachat_call_take.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_take_models(
    call: *mut gigachat_call,
    models: *mut *mut gigachat_models,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let models = required("models", models)?;
            match &*self::call(call)? {
                CallObject::Models(call) => taken(call, |list| {
                    *models = handle::insert(ModelsObject::new(list));
                }),
                other => Err(wrong_take(other)),
            }
        })
    }
}

fn taken<T>(call: &Call<T>, hand_out: impl FnOnce(T)) -> Result<gigachat_status, Failure> {
    match call.take_once() {
        Taken::Running => Ok(GIGACHAT_NOT_YET),
        Taken::Before => Err(Failure::new(
            GIGACHAT_ERROR_ALREADY_TAKEN,
            "the call's result was taken before",
        )),
        Taken::Result(result) => {
            hand_out(result?);
            Ok(GIGACHAT_OK)
        }
    }
}

/// The refusal to take another kind of result than the call has.
fn wrong_take(call: &CallObject) -> Failure {
    let (what, right) = match call {
        CallObject::Answer(_) => ("has an answer", "gigachat_call_take"),
        CallObject::Health(_) => ("is a health check", "gigachat_call_take_health"),
        CallObject::Models(_) => ("lists models", "gigachat_call_take_models"),
    };
    Failure::new(
        GIGACHAT_ERROR_INVALID_REQUEST,
        format!("this call {what}: take its result with {right}"),
    )
}

/// Ends the call as cancelled, unless its result is there already. Returns at once; may be called
/// before, during and after the call, any number of times.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INVALID_HANDLE.
/// Thread safety: any thread, at any time. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_cancel(
    call: *mut gigachat_call,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            self::call(call)?.cancel();
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
/// Thread safety: any thread. Since 0.1.
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
            target.on_done(hook)
        })
    }
}

/// Posts `tag` to `queue` once when the call has ended, also when it has ended already. A call
/// has one callback or one queue.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_ALREADY_SET when the call has one.
/// Ownership: the queue may be freed before; the tag is then posted to nobody.
/// Thread safety: any thread. Since 0.1.
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
            call.on_done(Box::new(move |_| tagged.post(tag)))?;
            queue.watch(&call.watched());
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

/// Frees a call; one that has not ended is cancelled. NULL is a no-op.
///
/// Thread safety: any thread, callbacks included, also while another waits for it. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_call_free(call: *mut gigachat_call) {
    shield((), || {
        if let Some(call) = handle::find::<CallObject>(call) {
            // A waiter in another thread holds the object: the end must come from here.
            call.cancel();
        }
        handle::remove::<CallObject>(call);
    });
}
