//! Routers: several providers behind one provider handle.

use std::ffi::c_char;
use std::sync::Arc;

use super::builder::Builder;
use super::error::gigachat_error;
use super::guard::guard;
use super::handle;
use super::provider::{ProviderObject, gigachat_provider};
use super::router_options::gigachat_router_options;
use super::status::{Failure, GIGACHAT_ERROR_INVALID_REQUEST, gigachat_status};
use super::text::{optional, read, required};
use super::text_handle::{TextObject, gigachat_text};
use gigachat_core::Error;
use gigachat_core::PermitUse;
use gigachat_core::{MemberId, MemberOptions, Price, Router, RouterOptions};

/// A router without members. It is a provider: every function that takes a provider takes it,
/// and it can be a member of another router.
///
/// Parameters: `options` may be NULL for the defaults; `router` receives the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_new(
    options: *const gigachat_router_options,
    router: *mut *mut gigachat_provider,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let slot = required("router", router)?;
            let options = match options.is_null() {
                true => RouterOptions::default(),
                false => handle::get::<Builder<RouterOptions>>(options, "options")?.value()?,
            };
            let router = Router::new(options);
            let object = ProviderObject::new(Arc::new(router.clone()), PermitUse::default);
            *slot = handle::insert(object.with_router(router));
            Ok(())
        })
    }
}

/// The router behind a provider handle.
fn router(handle: *const gigachat_provider) -> std::result::Result<Router, Failure> {
    let provider = handle::get::<ProviderObject>(handle, "router")?;
    provider.router().ok_or_else(|| {
        Failure::new(
            GIGACHAT_ERROR_INVALID_REQUEST,
            "router: this provider is no router; make one with gigachat_router_new",
        )
    })
}

/// Adds a member; possible while requests run.
///
/// At most 16 routers can lie in each other, this one and `member` included.
///
/// Parameters: `member` is any provider that does not lead back to this router; `name` with length 0 is the
/// provider's own, a name that is taken gets a number; `weight` 1 to 1000 is how many requests it
/// gets compared with the others; `id` may be NULL and receives what gigachat_router_remove takes.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION for a weight out of range, a
/// circle, or a nesting that is too deep.
/// The member is shared; its handle may be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_add(
    router: *mut gigachat_provider,
    member: *const gigachat_provider,
    name: *const c_char,
    length: usize,
    weight: u32,
    id: *mut u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and out-parameters.
    unsafe {
        guard(error, || {
            let id = optional(id);
            let target = self::router(router)?;
            let member = handle::get::<ProviderObject>(member, "member")?;
            let mut options = MemberOptions::default();
            options.set_weight(weight)?;
            let name = read("name", name, length)?;
            if !name.is_empty() {
                options.set_name(name)?;
            }
            let added = target.add_with(member.client.provider().clone(), options)?;
            if let Some(id) = id {
                *id = added.as_u64();
            }
            Ok(())
        })
    }
}

/// Removes a member; its running attempts go on. Possible while requests run.
///
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_NOT_FOUND when `id` is no member.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_remove(
    router: *mut gigachat_provider,
    id: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            if self::router(router)?.remove(MemberId::from_u64(id)) {
                return Ok(());
            }
            let text = format!("id: {id} is no member of this router");
            Err(Error::new(
                gigachat_core::ErrorKind::NotFound,
                gigachat_core::Phase::Input,
                text,
            )
            .into())
        })
    }
}

/// Sets the price of a model's tokens, for the cost in the metrics. A model without a price costs
/// nothing, and the metrics say so.
///
/// Parameters: `model` as answers name it, with or without its version; prices are for 1000
/// tokens, 0 or more.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_CONFIGURATION naming what is accepted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_set_price(
    router: *mut gigachat_provider,
    model: *const c_char,
    length: usize,
    prompt_per_1000: f64,
    completion_per_1000: f64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and error slots.
    unsafe {
        guard(error, || {
            let router = self::router(router)?;
            let price = Price {
                prompt_per_1000,
                completion_per_1000,
            };
            Ok(router.set_price(read("model", model, length)?, price)?)
        })
    }
}

/// What is known of the members, as JSON: requests, successes, failures by kind, in flight,
/// latency, time to first content, tokens, cost, retries, probes and their failures, cooldown,
/// health. `health_status` is of the last minute: "unhealthy" is at least 60 % errors of 5 requests or
/// more, three failures in a row with nothing answered, or a credential that is refused; "degraded"
/// at least 30 % errors of 5 requests or more. Failed probes count as errors. Members that were
/// removed stand in `removed` with their counters, which a member added under the same name takes
/// over.
///
/// Parameters: `json` receives the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_metrics_json(
    router: *const gigachat_provider,
    json: *mut *mut gigachat_text,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let json = required("json", json)?;
            let metrics = self::router(router)?.metrics();
            *json = handle::insert(TextObject::new(metrics.to_json()));
            Ok(())
        })
    }
}

/// The same in Prometheus' text format, for the program's own HTTP server.
///
/// Parameters: `text` receives the text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_router_prometheus(
    router: *const gigachat_provider,
    text: *mut *mut gigachat_text,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let text = required("text", text)?;
            *text = handle::insert(TextObject::new(self::router(router)?.prometheus()));
            Ok(())
        })
    }
}
