//! The text handle: a longer text that the library made for the program (metrics).

use std::ffi::c_char;

use super::handle::{self, Object};
use super::text::{CText, lend};
use super::unwind::shield;

/// A text that the library made. Immutable: share it between threads freely until it is freed.
/// Since 0.1.
pub struct gigachat_text(());

pub(super) struct TextObject(CText);

impl TextObject {
    pub(super) fn new(text: String) -> TextObject {
        TextObject(CText::new(text))
    }
}

impl Object for TextObject {
    type Opaque = gigachat_text;
    const TYPE: u8 = 13;
    const NAME: &'static str = "gigachat_text";
}

/// The text itself.
///
/// Returns: a NUL-terminated text and its length in `length` (which may be NULL), borrowed until
/// the handle is freed; NULL when `text` is no live text.
/// Thread safety: any thread. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_text_data(
    text: *const gigachat_text,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<TextObject>(text));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the handle is freed.
    unsafe { lend(text.as_deref().map(|text| &text.0), length) }
}

/// Frees a text. NULL is a no-op; what was borrowed from it becomes invalid.
///
/// Thread safety: any thread, once no other thread uses what it borrowed. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_text_free(text: *mut gigachat_text) {
    shield((), || handle::remove::<TextObject>(text));
}
