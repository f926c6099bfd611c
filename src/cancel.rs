//! Cancel tokens: end blocking calls from another thread.

use tokio_util::sync::CancellationToken;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, gigachat_status};
use super::text::required;
use super::unwind::shield;
use gigachat_core::binding::process;

/// Ends the blocking calls that it was passed to, from any thread. One token may serve several
/// calls; once it is cancelled it stays so, and a call begun with it is cancelled at once. In a
/// forked child a token of the parent answers GIGACHAT_ERROR_FORKED.
pub struct gigachat_cancel(());

pub(super) struct CancelObject {
    token: CancellationToken,
    /// The fork counter when it was made: its calls and their wakers are of that process.
    fork: u64,
}

impl Object for CancelObject {
    type Opaque = gigachat_cancel;
    const TYPE: u8 = 5;
    const NAME: &'static str = "gigachat_cancel";

    fn is_inherited(&self) -> bool {
        self.fork != process::fork_count()
    }
}

/// The token behind a handle that may be NULL.
pub(super) fn optional(
    cancel: *const gigachat_cancel,
) -> Result<Option<CancellationToken>, Failure> {
    if cancel.is_null() {
        return Ok(None);
    }
    let cancel = handle::get_own::<CancelObject>(cancel, "cancel")?;
    Ok(Some(cancel.token.clone()))
}

/// A token that is not cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_cancel_new(
    cancel: *mut *mut gigachat_cancel,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let cancel = required("cancel", cancel)?;
            process::set_hooks();
            *cancel = handle::insert(CancelObject {
                token: CancellationToken::new(),
                fork: process::fork_count(),
            });
            Ok(())
        })
    }
}

/// Ends every call that this token was passed to; each returns GIGACHAT_ERROR_CANCELLED, unless its
/// result was there already. Returns at once; may be called any number of times.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_cancel_now(
    cancel: *mut gigachat_cancel,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            handle::get_own::<CancelObject>(cancel, "cancel")?
                .token
                .cancel();
            Ok(())
        })
    }
}

/// Frees a token. Calls that use it go on and can't be ended by it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_cancel_free(cancel: *mut gigachat_cancel) {
    shield((), || handle::remove::<CancelObject>(cancel));
}
