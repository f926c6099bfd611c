//! What a function returned: a status agrees with its out-parameters, a text can be read.

use std::ffi::{CStr, c_char};
use std::hint::black_box;

use super::world::World;

/// A return type of the C ABI.
pub trait Outcome {
    fn check(self, world: &mut World<'_>);
}

impl Outcome for i32 {
    /// A status, when the function has an error slot; else a code of some kind.
    fn check(self, world: &mut World<'_>) {
        if world.has_error_argument() {
            world.check_status(self);
        }
    }
}

impl Outcome for *const c_char {
    /// Lent texts are NUL-terminated where their length says.
    fn check(self, world: &mut World<'_>) {
        let told = world.told_length.map(|slot| world.number(slot));
        if self.is_null() {
            assert!(told.is_none_or(|length| length == 0), "NULL has no length");
            return;
        }
        if world.lends_bytes() {
            // SAFETY: the bytes are borrowed from a handle that this thread has not freed.
            black_box(
                unsafe { std::slice::from_raw_parts(self.cast::<u8>(), told.unwrap_or(0)) }
                    .to_vec(),
            );
            return;
        }
        // SAFETY: a lent text is NUL-terminated and lives as long as its handle, which this
        // thread has not freed.
        let until_nul = unsafe { CStr::from_ptr(self) }.count_bytes();
        if let Some(length) = told {
            assert!(
                until_nul <= length,
                "a text of {length} bytes ends at {until_nul}"
            );
            // SAFETY: as above; the NUL stands behind the bytes.
            let bytes = unsafe { std::slice::from_raw_parts(self.cast::<u8>(), length + 1) };
            assert_eq!(bytes.last(), Some(&0), "a NUL follows");
            black_box(bytes.iter().fold(0u8, |sum, byte| sum ^ byte));
        }
    }
}

impl Outcome for *const f32 {
    /// Lent vectors have a first number.
    fn check(self, _: &mut World<'_>) {
        if !self.is_null() {
            // SAFETY: it is borrowed from a handle that this thread has not freed; a row is not
            // empty.
            black_box(unsafe { *self });
        }
    }
}

macro_rules! plain {
    ($($number:ty)*) => {
        $(impl Outcome for $number {
            fn check(self, _: &mut World<'_>) {
                black_box(self);
            }
        })*
    };
}
plain!(() bool u32 u64 i64 usize);
