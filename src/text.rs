//! Strings and out-parameters across the boundary.
//!
//! In: pointer and length (`GIGACHAT_ZT` for NUL-terminated), read during the call. Out: borrowed
//! from a handle, with length, always NUL-terminated.

use std::ffi::{CStr, c_char, c_void};

use super::status::{Failure, GIGACHAT_ERROR_INVALID_REQUEST, GIGACHAT_ERROR_INVALID_UTF8};

/// The length that means "up to the NUL": `GIGACHAT_ZT`, SIZE_MAX.
pub(super) const ZERO_TERMINATED: usize = usize::MAX;

/// Reads a text argument. With length 0 the pointer is not looked at.
///
/// # Safety
/// `text` is valid for reads of `length` bytes, or up to its NUL for `ZERO_TERMINATED`, and is
/// not changed during the call.
pub(super) unsafe fn read<'a>(
    name: &str,
    text: *const c_char,
    length: usize,
) -> Result<&'a str, Failure> {
    if length == 0 {
        return Ok("");
    }
    if text.is_null() {
        return Err(Failure::null(name));
    }
    let bytes = if length == ZERO_TERMINATED {
        // SAFETY: not NULL, and the caller promises a NUL.
        unsafe { CStr::from_ptr(text) }.to_bytes()
    } else if length > isize::MAX as usize {
        let message = format!("{name}: the length {length} cannot be true");
        return Err(Failure::new(GIGACHAT_ERROR_INVALID_UTF8, message));
    } else {
        // SAFETY: not NULL, and the caller promises `length` readable bytes; the length is below
        // isize::MAX.
        unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) }
    };
    std::str::from_utf8(bytes).map_err(|why| {
        let message = format!("{name}: the text is not UTF-8: {why}");
        Failure::new(GIGACHAT_ERROR_INVALID_UTF8, message)
    })
}

/// Reads an argument of bytes. With length 0 the pointer is not looked at.
///
/// # Safety
/// `bytes` is valid for reads of `length` bytes and is not changed during the call.
pub(super) unsafe fn read_bytes<'a>(
    name: &str,
    bytes: *const c_void,
    length: usize,
) -> Result<&'a [u8], Failure> {
    match length {
        0 => Ok(&[]),
        _ if bytes.is_null() => Err(Failure::null(name)),
        _ if length > isize::MAX as usize => {
            let message = format!("{name}: the length {length} cannot be true");
            Err(Failure::new(GIGACHAT_ERROR_INVALID_REQUEST, message))
        }
        // SAFETY: not NULL, and the caller promises `length` readable bytes; the length is below
        // isize::MAX.
        _ => Ok(unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) }),
    }
}

/// An out-parameter that must be given; set to its empty value at once.
///
/// # Safety
/// `out` is NULL or valid for a write for as long as the call lasts.
pub(super) unsafe fn required<'a, T: Empty>(name: &str, out: *mut T) -> Result<&'a mut T, Failure> {
    // SAFETY: promised by the caller.
    let out = unsafe { out.as_mut() }.ok_or_else(|| Failure::null(name))?;
    *out = T::empty();
    Ok(out)
}

/// An out-parameter that may be NULL; set to its empty value at once.
///
/// # Safety
/// As `required`.
pub(super) unsafe fn optional<'a, T: Empty>(out: *mut T) -> Option<&'a mut T> {
    // SAFETY: promised by the caller.
    let out = unsafe { out.as_mut() }?;
    *out = T::empty();
    Some(out)
}

/// What an out-parameter holds before there is a result.
pub(super) trait Empty {
    fn empty() -> Self;
}

impl<T> Empty for *mut T {
    fn empty() -> Self {
        std::ptr::null_mut()
    }
}

impl<T> Empty for *const T {
    fn empty() -> Self {
        std::ptr::null()
    }
}

macro_rules! zero_is_empty {
    ($($number:ty),*) => {
        $(impl Empty for $number {
            fn empty() -> Self {
                <$number>::default()
            }
        })*
    };
}
zero_is_empty!(u32, u64, i64, usize, f64);

/// A text, or a body of any bytes, that C may borrow: always followed by a NUL.
pub(super) struct CText(Box<[u8]>);

impl Default for CText {
    fn default() -> CText {
        CText::new("")
    }
}

impl CText {
    pub(super) fn new(text: impl Into<Vec<u8>>) -> CText {
        let mut text = text.into();
        text.reserve_exact(1);
        text.push(0);
        CText(text.into_boxed_slice())
    }

    /// Without the NUL.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.split_last().map_or(&[], |(_, bytes)| bytes)
    }

    /// Hands out pointer and length; the NUL is not counted.
    ///
    /// # Safety
    /// `length` is NULL or valid for a write.
    pub(super) unsafe fn lend(&self, length: *mut usize) -> *const c_char {
        // SAFETY: promised by the caller.
        if let Some(length) = unsafe { length.as_mut() } {
            *length = self.0.len() - 1;
        }
        self.0.as_ptr().cast()
    }
}

impl From<&str> for CText {
    fn from(text: &str) -> CText {
        CText::new(text)
    }
}

/// Lends a text that may be absent: NULL and length 0 then.
///
/// # Safety
/// `length` is NULL or valid for a write.
pub(super) unsafe fn lend(text: Option<&CText>, length: *mut usize) -> *const c_char {
    match text {
        // SAFETY: promised by the caller.
        Some(text) => unsafe { text.lend(length) },
        None => {
            // SAFETY: promised by the caller.
            if let Some(length) = unsafe { length.as_mut() } {
                *length = 0;
            }
            std::ptr::null()
        }
    }
}

/// A time limit from C: negative is none.
pub(super) fn limit(milliseconds: i64) -> Option<std::time::Duration> {
    u64::try_from(milliseconds)
        .ok()
        .map(std::time::Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::{CText, ZERO_TERMINATED, read};
    use crate::status::{GIGACHAT_ERROR_INVALID_UTF8, GIGACHAT_ERROR_NULL_ARGUMENT};

    fn read_bytes(bytes: &[u8], length: usize) -> Result<&str, i32> {
        // SAFETY: the tests pass lengths within the bytes, or bytes with a NUL.
        unsafe { read("prompt", bytes.as_ptr().cast(), length) }.map_err(|failure| failure.status)
    }

    #[test]
    fn texts_come_with_a_length_or_a_nul() {
        assert_eq!(read_bytes("мир".as_bytes(), 6), Ok("мир"));
        assert_eq!(read_bytes(b"word\0rest", ZERO_TERMINATED), Ok("word"));
        assert_eq!(read_bytes(b"nul\0inside", 10), Ok("nul\0inside"));
        assert_eq!(read_bytes(b"\xff", 1), Err(GIGACHAT_ERROR_INVALID_UTF8));
        assert_eq!(
            read_bytes(b"x", isize::MAX as usize + 1),
            Err(GIGACHAT_ERROR_INVALID_UTF8)
        );
        let null = |length| {
            // SAFETY: NULL is never read.
            let outcome = unsafe { read("prompt", std::ptr::null(), length) };
            outcome.map_err(|failure| failure.status)
        };
        assert_eq!(null(0), Ok(""));
        assert_eq!(null(3), Err(GIGACHAT_ERROR_NULL_ARGUMENT));
        assert_eq!(null(ZERO_TERMINATED), Err(GIGACHAT_ERROR_NULL_ARGUMENT));
    }

    #[test]
    fn a_lent_text_is_followed_by_a_nul_that_is_not_counted() {
        let text = CText::new("мир");
        let mut length = 0;
        // SAFETY: `length` is valid; the pointer is used while `text` lives.
        let bytes = unsafe { std::slice::from_raw_parts(text.lend(&mut length).cast::<u8>(), 7) };
        assert_eq!((length, bytes), (6, "мир\0".as_bytes()));
    }
}
