//! A program's own provider: callbacks that begin to answer and return at once.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::boundary::{self, Word};
use super::builder::{Builder, change};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::provider::{ProviderObject, gigachat_provider};
use super::reply::{ReplyObject, gigachat_reply};
use super::status::{Failure, gigachat_status};
use super::text::{CText, read, required};
use super::unwind::shield;
use super::user_data::{OwnedUserData, UserData, gigachat_destroy_callback};
use gigachat_core::binding::{Foreign, ForeignProvider, Generation, Reply, Wanted};
use gigachat_core::{Ask, CallContext, PermitUse};
use gigachat_core::{Error, Result};

/// The name and callbacks of a custom provider, a builder. First gigachat_custom_options_new, then
/// callbacks, then gigachat_custom_new, which copies them and tells of the first setting that was
/// refused; then gigachat_custom_options_free.
pub struct gigachat_custom_options(());

/// Begins to answer a request: called on a callback thread, must return at once and answer through
/// `reply`, which it owns. `request` is the request in the wire format, NUL-terminated, valid
/// during the call; never NULL, and empty for a health check. The time limits of the request are
/// kept by the library, also when this does not return: what is answered later is dropped.
pub type gigachat_custom_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        request: *const c_char,
        reply: *mut gigachat_reply,
    ),
>;

type Callback = unsafe extern "C" fn(*mut c_void, *const c_char, *mut gigachat_reply);

#[derive(Clone, Copy, Default)]
struct Functions {
    generate: Option<Callback>,
    stream: Option<Callback>,
    health_check: Option<Callback>,
}

/// The name and the callbacks.
#[derive(Clone)]
pub(super) struct CustomOptions {
    name: String,
    functions: Functions,
}

impl Object for Builder<CustomOptions> {
    type Opaque = gigachat_custom_options;
    const TYPE: u8 = 16;
    const NAME: &'static str = "gigachat_custom_options";
}

fn set(options: *mut gigachat_custom_options, set: impl FnOnce(&mut Functions)) -> gigachat_status {
    change::<CustomOptions>(options, "options", |options| {
        set(&mut options.functions);
        Ok(())
    })
}

/// Makes the options of a custom provider, without callbacks.
///
/// Parameters: `name` is the provider's in logs, metrics and router reports; `options` receives the
/// handle.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for an empty name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_custom_options_new(
    name: *const c_char,
    length: usize,
    options: *mut *mut gigachat_custom_options,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and out-parameters.
    unsafe {
        guard(error, || {
            let options = required("options", options)?;
            let name = read("name", name, length)?.to_owned();
            if name.trim().is_empty() {
                return Err(Error::configuration("name", "an empty text", "not empty").into());
            }
            *options = handle::insert(Builder::new(CustomOptions {
                name,
                functions: Functions::default(),
            }));
            Ok(())
        })
    }
}

/// Sets what answers a request as a whole: gigachat_reply_finish or gigachat_reply_finish_json.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_custom_options_set_generate(
    options: *mut gigachat_custom_options,
    callback: gigachat_custom_callback,
) -> gigachat_status {
    set(options, |functions| functions.generate = callback)
}

/// Sets what answers a request in parts: gigachat_reply_push, then gigachat_reply_finish. Without
/// it streams fail with GIGACHAT_ERROR_INVALID_REQUEST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_custom_options_set_stream(
    options: *mut gigachat_custom_options,
    callback: gigachat_custom_callback,
) -> gigachat_status {
    set(options, |functions| functions.stream = callback)
}

/// Sets what answers a health check: gigachat_reply_finish or gigachat_reply_fail. Without it the
/// provider counts as healthy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_custom_options_set_health_check(
    options: *mut gigachat_custom_options,
    callback: gigachat_custom_callback,
) -> gigachat_status {
    set(options, |functions| functions.health_check = callback)
}

/// Makes the provider: usable by itself and as a member of routers.
///
/// Parameters: `user_data` is passed to every callback; `destroy` may be NULL and is called once
/// after the last use, when the provider and its last request are gone; `provider` receives the
/// handle.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NULL_ARGUMENT when no generate callback was set; on
/// failure `destroy` is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_custom_new(
    options: *const gigachat_custom_options,
    user_data: *mut c_void,
    destroy: gigachat_destroy_callback,
    provider: *mut *mut gigachat_provider,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let slot = required("provider", provider)?;
            let options = handle::get::<Builder<CustomOptions>>(options, "options")?;
            let CustomOptions { name, functions } = options.value()?;
            let generate = functions
                .generate
                .ok_or_else(|| Failure::null("the generate callback"))?;
            let own = OwnProvider {
                name,
                generate,
                functions,
                user_data: Some(Arc::new(UserData::unowned(user_data).owned(destroy))),
            };
            let own = Arc::new(ForeignProvider::new(own));
            *slot = handle::insert(ProviderObject::new(own, PermitUse::default));
            Ok(())
        })
    }
}

/// Frees a builder; providers made with it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_custom_options_free(options: *mut gigachat_custom_options) {
    shield((), || handle::remove::<Builder<CustomOptions>>(options));
}

/// The provider itself.
struct OwnProvider {
    name: String,
    generate: Callback,
    functions: Functions,
    /// Always there until the drop.
    user_data: Option<Arc<OwnedUserData>>,
}

impl Drop for OwnProvider {
    /// The destroy hook is the program's code: it runs where callbacks do, not on the I/O thread
    /// that may have held the last request.
    fn drop(&mut self) {
        let user_data = self.user_data.take();
        if let Some(generation) = Generation::current() {
            generation.callbacks.post(Box::new(move || drop(user_data)));
        }
    }
}

fn pointer(user_data: &Option<Arc<OwnedUserData>>) -> *mut c_void {
    user_data
        .as_ref()
        .map_or(std::ptr::null_mut(), |user_data| user_data.pointer())
}

impl OwnProvider {
    fn callback(&self, wanted: Wanted) -> Option<Callback> {
        match wanted {
            Wanted::Answer => Some(self.generate),
            Wanted::Parts => self.functions.stream,
            Wanted::Health => self.functions.health_check,
        }
    }
}

impl Foreign for OwnProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn answers(&self, wanted: Wanted) -> bool {
        self.callback(wanted).is_some()
    }

    /// Hands the request to the program on the callback thread; a health check has an empty text.
    fn begin(&self, _: &CallContext, ask: Option<&Arc<Ask>>, reply: Reply) -> Result<()> {
        let Some(callback) = self.callback(reply.wanted()) else {
            return Ok(()); // not asked for what it does not answer
        };
        let request = ask.and_then(|ask| ask.request());
        let json = match request {
            Some(request) => request.wire_body("", false)?,
            None => Vec::new(),
        };
        // Composed by this library: always UTF-8.
        let json = CText::new(String::from_utf8_lossy(&json).into_owned());
        let user_data = self.user_data.clone();
        let generation = Generation::enter()?;
        generation.callbacks.post(Box::new(move || {
            if reply.is_cancelled() {
                return; // it waited behind another callback until nobody waited for it
            }
            // SAFETY: NULL is a valid place for the length.
            let text = unsafe { json.lend(std::ptr::null_mut()) };
            let reply = handle::insert(ReplyObject(reply));
            // SAFETY: the program promised that the function may be called with this user data
            // on a thread of the library; the text lives during the call.
            unsafe {
                let words = [pointer(&user_data).word(), text.word(), reply.word(), 0];
                boundary::call(callback as *const c_void, words);
            }
        }));
        Ok(())
    }
}
