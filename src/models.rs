//! The models handle: what the account can use.

use std::ffi::c_char;

use super::cancel::{self, gigachat_cancel};
use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::provider::{client, gigachat_provider};
use super::status::gigachat_status;
use super::text::{CText, lend, read, required};
use super::unwind::shield;
use gigachat_core::Model;

/// A list of models. Immutable: share it between threads freely until it is freed. Since 0.1.
pub struct gigachat_models(());

pub(super) struct ModelsObject(Vec<ListedModel>);

struct ListedModel {
    id: CText,
    owned_by: CText,
    kind: CText,
    raw: CText,
}

impl ModelsObject {
    pub(super) fn new(models: Vec<Model>) -> ModelsObject {
        let listed = models.into_iter().map(|model| ListedModel {
            id: CText::new(model.id),
            owned_by: CText::new(model.owned_by),
            kind: CText::new(model.kind),
            raw: CText::new(model.raw),
        });
        ModelsObject(listed.collect())
    }
}

impl Object for ModelsObject {
    type Opaque = gigachat_models;
    const TYPE: u8 = 8;
    const NAME: &'static str = "gigachat_models";
}

/// Lists the models that the account can use, and waits for the list.
///
/// Parameters: `cancel` may be NULL; `models` receives the list, which the program frees with
/// gigachat_models_free.
/// Returns: GIGACHAT_OK, or the cause of the failure.
/// Thread safety: any thread, callbacks included. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_list(
    provider: *const gigachat_provider,
    cancel: *const gigachat_cancel,
    models: *mut *mut gigachat_models,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let models = required("models", models)?;
            let client = client(provider)?;
            let cancel = cancel::optional(cancel)?;
            let list = client.models_until(cancel.as_ref()).join()?;
            *models = handle::insert(ModelsObject::new(list));
            Ok(())
        })
    }
}

/// Looks one model up by its name, and waits for it.
///
/// Parameters: `name` in UTF-8; `cancel` may be NULL; `models` receives a list of that one model,
/// which the program frees with gigachat_models_free.
/// Returns: GIGACHAT_OK, GIGACHAT_ERROR_NOT_FOUND, or the cause of another failure.
/// Thread safety: any thread, callbacks included. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_get(
    provider: *const gigachat_provider,
    name: *const c_char,
    length: usize,
    cancel: *const gigachat_cancel,
    models: *mut *mut gigachat_models,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the caller keeps the header's conventions for texts and out-parameters.
    unsafe {
        guard(error, || {
            let models = required("models", models)?;
            let client = client(provider)?;
            let name = read("name", name, length)?;
            let cancel = cancel::optional(cancel)?;
            let model = client.model_until(name, cancel.as_ref()).join()?;
            *models = handle::insert(ModelsObject::new(vec![model]));
            Ok(())
        })
    }
}

/// How many models the list has.
///
/// Returns: the number; 0 when `models` is no live list.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_count(models: *const gigachat_models) -> usize {
    shield(0, || {
        handle::find::<ModelsObject>(models).map_or(0, |models| models.0.len())
    })
}

/// # Safety
/// `length` is NULL or valid for a write.
unsafe fn lend_text(
    models: *const gigachat_models,
    index: usize,
    length: *mut usize,
    which: impl FnOnce(&ListedModel) -> &CText,
) -> *const c_char {
    let models = shield(None, || handle::find::<ModelsObject>(models));
    let text = models
        .as_deref()
        .and_then(|models| models.0.get(index))
        .map(which);
    // SAFETY: promised by the caller; the text lives until the list is freed.
    unsafe { lend(text, length) }
}

/// The name that requests use, of the model at `index`.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the list is freed; NULL when `index` is beyond the list or `models` is no live list.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_id(
    models: *const gigachat_models,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(models, index, length, |model| &model.id) }
}

/// Who provides the model at `index`.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the list is freed; NULL when `index` is beyond the list or `models` is no live list.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_owned_by(
    models: *const gigachat_models,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(models, index, length, |model| &model.owned_by) }
}

/// What the model at `index` is for ("chat", "embedder", ...); empty when the service does not say.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the list is freed; NULL when `index` is beyond the list or `models` is no live list.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_type(
    models: *const gigachat_models,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(models, index, length, |model| &model.kind) }
}

/// The JSON of the model at `index`, byte for byte as it came.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the list is freed; NULL when `index` is beyond the list or `models` is no live list.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_json(
    models: *const gigachat_models,
    index: usize,
    length: *mut usize,
) -> *const c_char {
    // SAFETY: `length` is NULL or valid for a write.
    unsafe { lend_text(models, index, length, |model| &model.raw) }
}

/// Frees a list of models. NULL is a no-op; texts borrowed from it become invalid.
///
/// Thread safety: any thread, once no other thread uses texts borrowed from it. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_models_free(models: *mut gigachat_models) {
    shield((), || handle::remove::<ModelsObject>(models));
}
