//! The text handle: a longer text that the library made for the program (metrics).

use std::ffi::c_char;

use super::handle::{self, Object};
use super::text::{CText, lend};
use super::unwind::shield;

/// A text that the library made: the metrics of a router.
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
/// Returns: the string; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_text_data(
    text: *const gigachat_text,
    length: *mut usize,
) -> *const c_char {
    let text = shield(None, || handle::find::<TextObject>(text));
    // SAFETY: `length` is NULL or valid for a write; the text lives until the handle is freed.
    unsafe { lend(text.as_deref().map(|text| &text.0), length) }
}

/// Frees a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_text_free(text: *mut gigachat_text) {
    shield((), || handle::remove::<TextObject>(text));
}
