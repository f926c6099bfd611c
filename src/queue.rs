//! The completion queue handle, with a descriptor for event loops.

use std::sync::Arc;

use super::error::gigachat_error;
use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, GIGACHAT_NOT_YET, GIGACHAT_OK, gigachat_status};
use super::text::{limit, required};
use super::unwind::shield;
use gigachat_core::Error;
use gigachat_core::binding::Descriptor;
use gigachat_core::binding::Era;
use gigachat_core::binding::process;
use gigachat_core::binding::{CompletionQueue, Signal};

/// Collects the tags of ended calls and readable streams, for event loops.
pub struct gigachat_queue(());

pub(super) struct QueueObject(Arc<CompletionQueue<Descriptor>>);

impl QueueObject {
    /// The queue itself, which calls and streams keep alive.
    pub(super) fn shared(&self) -> Arc<CompletionQueue<Descriptor>> {
        self.0.clone()
    }
}

impl Object for QueueObject {
    type Opaque = gigachat_queue;
    const TYPE: u8 = 12;
    const NAME: &'static str = "gigachat_queue";

    fn is_inherited(&self) -> bool {
        self.0.era().is_inherited()
    }
}

/// An empty queue. A forked child makes its own.
/// Returns: GIGACHAT_OK, or GIGACHAT_ERROR_INTERNAL when no descriptor can be had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_queue_new(
    queue: *mut *mut gigachat_queue,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let queue = required("queue", queue)?;
            process::set_hooks();
            let descriptor = Descriptor::new().map_err(|why| {
                Error::internal(format!("no descriptor for a completion queue: {why}"))
            })?;
            let era = Era {
                fork: process::fork_count(),
                number: 0,
            };
            *queue = handle::insert(QueueObject(Arc::new(CompletionQueue::new(descriptor, era))));
            Ok(())
        })
    }
}

/// The queue's descriptor: readable while the queue is not empty, for epoll, poll, libuv, asyncio
/// and others. Only gigachat_queue_take clears it; the program neither reads nor closes it. It may
/// be readable once with nothing to take: gigachat_queue_take with timeout 0 tells.
///
/// Parameters: `descriptor` receives it; it stays valid until the queue is freed.
/// Returns: GIGACHAT_OK; GIGACHAT_ERROR_INVALID_HANDLE; GIGACHAT_ERROR_INTERNAL when the program
/// has closed it: a new queue is needed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_queue_descriptor(
    queue: *const gigachat_queue,
    descriptor: *mut i64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes.
    unsafe {
        guard(error, || {
            let descriptor = required("descriptor", descriptor)?;
            let object = handle::get_own::<QueueObject>(queue, "queue")?;
            let queue = &object.0;
            if !queue.signal.is_there() {
                return Err(queue.without_signal().into());
            }
            *descriptor = queue.signal.number().into();
            Ok(())
        })
    }
}

/// Posts a tag as an ended call does, so that a program can wake its own loop: to add work, to stop
/// it. Which tags are calls, streams or its own, is the program's to tell apart.
///
/// Parameters: `tag` is any number; the same one may be posted again.
/// Returns: GIGACHAT_OK, GIGACHAT_ERROR_INVALID_HANDLE, or GIGACHAT_ERROR_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_queue_post(
    queue: *mut gigachat_queue,
    tag: u64,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: `error` is NULL or valid for a write.
    unsafe {
        guard(error, || {
            handle::get_own::<QueueObject>(queue, "queue")?.0.post(tag);
            Ok(())
        })
    }
}

/// Takes tags in the order in which they came.
///
/// Parameters: `timeout_ms` bounds the wait for the first tag: 0 looks without waiting, negative
/// waits until there is one; `tags` has room for `capacity` of them; `count` receives how many were
/// taken. A call whose own time limits have passed ends here, when the library's threads cannot end
/// it any more.
/// Returns: GIGACHAT_OK with at least one; GIGACHAT_NOT_YET with none; GIGACHAT_ERROR_INTERNAL when
/// there is none and the program has closed the queue's descriptor; GIGACHAT_ERROR_CANCELLED when
/// the queue was freed meanwhile. gigachat_shutdown wakes nobody here: gigachat_queue_post does.
/// Several threads may take from one queue.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_queue_take(
    queue: *mut gigachat_queue,
    timeout_ms: i64,
    tags: *mut u64,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut gigachat_error,
) -> gigachat_status {
    // SAFETY: the out-parameters are NULL or valid for writes; `tags` has room for `capacity`.
    unsafe {
        guard(error, || {
            let count = required("count", count)?;
            let queue = handle::get_own::<QueueObject>(queue, "queue")?;
            if capacity == 0 {
                return Ok(GIGACHAT_NOT_YET);
            }
            if tags.is_null() {
                return Err(Failure::null("tags"));
            }
            let taken = queue.0.take(capacity, limit(timeout_ms))?;
            // `take` returns at most `capacity` tags.
            std::ptr::copy_nonoverlapping(taken.as_ptr(), tags, taken.len());
            *count = taken.len();
            Ok(if taken.is_empty() {
                GIGACHAT_NOT_YET
            } else {
                GIGACHAT_OK
            })
        })
    }
}

/// Frees a queue. Calls and streams that were attached go on, their tags are posted to nobody. Who
/// waits in gigachat_queue_take gets GIGACHAT_ERROR_CANCELLED. Take the descriptor out of the event
/// loop first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gigachat_queue_free(queue: *mut gigachat_queue) {
    shield((), || {
        if let Some(queue) = handle::find::<QueueObject>(queue) {
            queue.0.close();
        }
        handle::remove::<QueueObject>(queue);
    });
}
