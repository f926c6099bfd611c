//! The provider handle, and the calls that wait for their result.

use std::ffi::c_char;
use std::sync::Arc;

use super::builder::Builder;
use super::cancel::{self, gigachat_cancel};
use super::config::gigachat_config;
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::params::{self, gigachat_params};
use super::request::{built, gigachat_request};
use super::response::{ResponseObject, gigachat_response};
use super::status::{Failure, gigachat_status};
use super::text::{limit, optional, read, required};
use super::unwind::shield;
use gigachat_core::{Ask, Client, Config, GigaChat, PermitUse, Provider, Router};

/// Something that answers requests: the service, a router of others, or functions of the program's.
pub struct gigachat_provider(());

pub(super) struct ProviderObject {
    pub(super) client: Client,
    permits: Box<dyn Fn() -> PermitUse + Send + Sync>,
    router: Option<Router>,
}

impl ProviderObject {
    /// A handle's worth of a provider; `permits` tells how its permits are used.
    pub(super) fn new(
        provider: Arc<dyn Provider>,
        permits: impl Fn() -> PermitUse + Send + Sync + 'static,
    ) -> ProviderObject {
        ProviderObject {
            client: Client::from_arc(provider),
            permits: Box::new(permits),
            router: None,
        }
    }

    /// The same for a provider that is a router.
    pub(super) fn with_router(self, router: Router) -> ProviderObject {
        ProviderObject {
            router: Some(router),
            ..self
        }
    }

    pub(super) fn router(&self) -> Option<Router> {
        self.router.clone()
    }
}

impl Object for ProviderObject {
    type Opaque = gigachat_provider;
    const TYPE: u8 = 6;
    const NAME: &'static str = "gigachat_provider";
}

pub(super) fn client(provider: *const gigachat_provider) -> Result<Client, Failure> {
    Ok(handle::get::<ProviderObject>(provider, "provider")?
        .client
        .clone())
}

/// A provider over the service.
fn of_config(config: Config) -> Result<ProviderObject, Failure> {
    let service = Arc::new(GigaChat::new(config)?);
    let permits = service.clone();
    Ok(ProviderObject::new(service, move || permits.permit_use()))
}

/// The request of a prompt with parameters.
///
/// # Safety
/// `prompt` as `text::read` demands.
pub(super) unsafe fn prompt_request(
    prompt: *const c_char,
    length: usize,
    params: *const gigachat_params,
) -> Result<Arc<Ask>, Failure> {
    // SAFETY: promised by the caller.
    let prompt = unsafe { read("prompt", prompt, length) }?;
    let mut request = params::optional(params)?;
    request.add_message("user", prompt);
    Ok(Arc::new(Ask::chat(request)))
}

/// A provider over the GigaChat service. Opens no connection and starts no thread; the first
/// call does. Reads SSL_CERT_FILE, SSL_CERT_DIR and, unless the configuration says otherwise, the
/// proxy variables; see the chapter Conventions.
///
/// Parameters: `provider` receives the handle.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION when the options cannot work together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_provider_new(
    config: *const gigachat_config,
    provider: *mut *mut gigachat_provider,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let provider = required("provider", provider)?;
            let config = handle::get::<Builder<Config>>(config, "config")?.value()?;
            *provider = handle::insert(of_config(config)?);
            Ok(())
        })
    }
}

/// Makes a provider from the process's GIGACHAT_* variables: gigachat_config_from_env and
/// gigachat_provider_new in one.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming the variable that is missing or
/// cannot work.
/// No other thread may change the environment in the meantime.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_provider_from_env(
    provider: *mut *mut gigachat_provider,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let provider = required("provider", provider)?;
            *provider = handle::insert(of_config(Config::from_env()?)?);
            Ok(())
        })
    }
}

/// Frees a provider. Running calls and streams go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_provider_free(provider: *mut gigachat_provider) {
    shield((), || handle::remove::<ProviderObject>(provider));
}

/// How the permits of the provider's credential are used at this moment; all are 0 before the
/// first call, and for routers and custom providers.
///
/// Parameters: each of the others may be NULL: `limit` receives the limit in force (0 is none; less
/// than configured while the service answers with 429),
/// `held` the permits in use, `by_streams` how many of those belong to open streams, `waiting`
/// the calls that wait for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_provider_permits(
    provider: *const gigachat_provider,
    limit: *mut u32,
    held: *mut u32,
    by_streams: *mut u32,
    waiting: *mut usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let outs = (
                optional(limit),
                optional(held),
                optional(by_streams),
                optional(waiting),
            );
            let in_use = (handle::get::<ProviderObject>(provider, "provider")?.permits)();
            if let Some(limit) = outs.0 {
                *limit = in_use.limit;
            }
            if let Some(held) = outs.1 {
                *held = in_use.held;
            }
            if let Some(by_streams) = outs.2 {
                *by_streams = in_use.by_streams;
            }
            if let Some(waiting) = outs.3 {
                *waiting = in_use.waiting;
            }
            Ok(())
        })
    }
}

/// Answers a prompt and waits for the answer.
///
/// Parameters: `params` and `cancel` may be NULL; `response` receives the answer.
/// Returns: GIGACHAT_OK, or the cause of the failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_generate(
    provider: *const gigachat_provider,
    prompt: *const c_char,
    length: usize,
    params: *const gigachat_params,
    cancel: *const gigachat_cancel,
    response: *mut *mut gigachat_response,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for strings and out-parameters.
    unsafe {
        answer(
            provider,
            || prompt_request(prompt, length, params),
            cancel,
            response,
            error,
        )
    }
}

/// Sends a request, whatever its operation, and waits for the answer.
///
/// Parameters: `cancel` may be NULL; `response` receives the answer.
/// Returns: GIGACHAT_OK; the first setting of the request that was refused; otherwise the cause of
/// the failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_perform(
    provider: *const gigachat_provider,
    request: *const gigachat_request,
    cancel: *const gigachat_cancel,
    response: *mut *mut gigachat_response,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for out-parameters.
    unsafe { answer(provider, || built(request), cancel, response, error) }
}

/// # Safety
/// The out-parameters are NULL or valid for writes.
unsafe fn answer(
    provider: *const gigachat_provider,
    request: impl FnOnce() -> Result<Arc<Ask>, Failure>,
    cancel: *const gigachat_cancel,
    response: *mut *mut gigachat_response,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: promised by the caller.
    unsafe {
        guard(error, || {
            let response = required("response", response)?;
            let client = client(provider)?;
            let cancel = cancel::optional(cancel)?;
            let request = request()?;
            request.check()?;
            let answer = client.view(request, cancel.as_ref(), Ok).join()?;
            *response = handle::insert(ResponseObject::new(answer));
            Ok(())
        })
    }
}

/// Whether the provider can serve now: gets a token and lists the models. Costs no tokens, needs
/// no permit, never answers from memory.
///
/// Parameters: `timeout_ms` bounds the check, negative is the configured health_timeout;
/// `cancel` may be NULL; `latency_us` may be NULL and receives how long it took.
/// Returns: GIGACHAT_OK when it can serve; otherwise why not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_health_check(
    provider: *const gigachat_provider,
    timeout_ms: i64,
    cancel: *const gigachat_cancel,
    latency_us: *mut u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let latency = optional(latency_us);
            let client = client(provider)?;
            let cancel = cancel::optional(cancel)?;
            let health = client
                .health_check_until(limit(timeout_ms), cancel.as_ref())
                .join()?;
            if let Some(latency) = latency {
                *latency = health.latency.as_micros() as u64;
            }
            Ok(())
        })
    }
}
