//! Provoked panics, for the tests that show where they end. Compiled with `test-hooks` only,
//! not in the header, never in a release.

use super::error::gigachat_error;
use super::guard::guard;
use super::status::gigachat_status;
use crate::provider::Work;
use crate::runtime::Generation;

/// Panics in the entry point (0), in a task of the runtime (1), or in a callback (2, returns OK).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat__test_panic(
    place: u32,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            match place {
                0 => provoke(),
                1 => {
                    let work = |_| -> Work<'static, ()> {
                        Box::pin(async {
                            provoke();
                            Ok(())
                        })
                    };
                    Generation::enter()?.start_call(None, work).join()?;
                }
                _ => Generation::enter()?.callbacks.post(Box::new(provoke)),
            }
            Ok(())
        })
    }
}

#[allow(clippy::panic, reason = "this is what the hook is for")]
fn provoke() {
    panic!("provoked by a test");
}
