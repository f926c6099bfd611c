//! Provoked panics, for the tests that show where they end, and memory faults, for the proof that
//! a sanitizer watches Rust code. Compiled with `test-hooks` only, not in the header, never in a
//! release.

use std::hint::black_box;
use std::time::Duration;

use super::error::gigachat_error;
use super::guard::guard;
use super::status::gigachat_status;
use gigachat_core::Work;
use gigachat_core::binding::Generation;

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
                    Generation::enter()?
                        .start_call(None, Duration::from_secs(30), work)
                        .join()?;
                }
                _ => Generation::enter()?.callbacks.post(Box::new(provoke)),
            }
            Ok(())
        })
    }
}

/// Commits what a sanitizer must find in this very crate: a write without synchronisation (0, when
/// two threads do it), a read of freed memory (1), a leak (2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat__test_fault(fault: u32) -> u64 {
    static mut SHARED: u64 = 0;
    match fault {
        0 => {
            let shared = black_box(&raw mut SHARED);
            // SAFETY: none; this is the race that has to be found.
            unsafe {
                *shared += 1;
                *shared
            }
        }
        1 => {
            let freed: *mut u64 = black_box(Box::into_raw(Box::new(1)));
            // SAFETY: none for the second; this is the read that has to be found.
            unsafe {
                drop(Box::from_raw(freed));
                *freed
            }
        }
        // Many, since the last one's address may still lie about on the stack.
        _ => (0..100).map(|at| *black_box(Box::leak(Box::new(at)))).sum(),
    }
}

#[allow(clippy::panic, reason = "this is what the hook is for")]
fn provoke() {
    panic!("provoked by a test");
}
