//! Tells the thread sanitizer of the order that it cannot see.
//!
//! The toolchain's standard library is compiled without the sanitizer, so whatever is ordered by
//! code inside of it looks like a race: the slow path of a lock, a wait on a condition, a one-time
//! initialisation; likewise what goes through the kernel. The linker (`--wrap`) leads the calls of
//! these few functions through here, where the order that they make is told. Nothing is
//! suppressed: a race that none of them prevents is reported as ever, which
//! `tools/proof/thread_sanitizer.sh` shows. It puts the mangled names in for `@...@`.

use std::sync::OnceState;
use std::time::Duration;

unsafe extern "C" {
    /// From now on all that came before a `__tsan_release` of this address came before this.
    fn __tsan_acquire(address: *const u8);
    fn __tsan_release(address: *const u8);
    #[link_name = "__real___tsan_atomic64_fetch_sub"]
    fn fetch_sub(address: *mut u64, value: u64, order: i32) -> u64;
    #[link_name = "__real_epoll_ctl"]
    fn epoll_ctl(epoll: i32, operation: i32, fd: i32, event: *mut EpollEvent) -> i32;
    #[link_name = "__real_epoll_wait"]
    fn epoll_wait(epoll: i32, events: *mut EpollEvent, room: i32, limit_ms: i32) -> i32;
}

unsafe extern "Rust" {
    #[link_name = "__real_@MUTEX_LOCK@"]
    fn mutex_lock(mutex: *const u8);
    #[link_name = "__real_@RWLOCK_READ@"]
    fn rwlock_read(lock: *const u8);
    #[link_name = "__real_@RWLOCK_WRITE@"]
    fn rwlock_write(lock: *const u8);
    #[link_name = "__real_@CONDVAR_WAIT@"]
    fn condvar_wait(condvar: *const u8, mutex: *const u8);
    #[link_name = "__real_@CONDVAR_WAIT_TIMEOUT@"]
    fn condvar_wait_timeout(condvar: *const u8, mutex: *const u8, limit: Duration) -> bool;
    #[link_name = "__real_@ONCE_CALL@"]
    fn once_call(once: *const u8, ignore_poison: bool, run: &mut dyn FnMut(&OnceState));
}

/// The slow path: the lock was held by another thread. Its unlock is inline, hence seen.
#[unsafe(export_name = "__wrap_@MUTEX_LOCK@")]
unsafe fn lock_mutex(mutex: *const u8) {
    unsafe {
        mutex_lock(mutex);
        __tsan_acquire(mutex);
    }
}

#[unsafe(export_name = "__wrap_@RWLOCK_READ@")]
unsafe fn lock_to_read(lock: *const u8) {
    unsafe {
        rwlock_read(lock);
        __tsan_acquire(lock);
    }
}

#[unsafe(export_name = "__wrap_@RWLOCK_WRITE@")]
unsafe fn lock_to_write(lock: *const u8) {
    unsafe {
        rwlock_write(lock);
        __tsan_acquire(lock);
    }
}

/// A wait unlocks the mutex and locks it again.
#[unsafe(export_name = "__wrap_@CONDVAR_WAIT@")]
unsafe fn wait(condvar: *const u8, mutex: *const u8) {
    unsafe {
        __tsan_release(mutex);
        condvar_wait(condvar, mutex);
        __tsan_acquire(mutex);
    }
}

#[unsafe(export_name = "__wrap_@CONDVAR_WAIT_TIMEOUT@")]
unsafe fn wait_timeout(condvar: *const u8, mutex: *const u8, limit: Duration) -> bool {
    unsafe {
        __tsan_release(mutex);
        let in_time = condvar_wait_timeout(condvar, mutex, limit);
        __tsan_acquire(mutex);
        in_time
    }
}

/// What an initialisation did is seen by all that find it done, here or by the inline look at
/// the state.
#[unsafe(export_name = "__wrap_@ONCE_CALL@")]
unsafe fn initialise(once: *const u8, ignore_poison: bool, run: &mut dyn FnMut(&OnceState)) {
    unsafe {
        once_call(once, ignore_poison, &mut |state| {
            run(state);
            __tsan_release(once);
        });
        __tsan_acquire(once);
    }
}

/// `Arc`'s last owner is ordered after the others by a fence, which the sanitizer does not know.
/// So a release-decrement counts as acquiring, too. (The library itself has none,
/// which `thread_sanitizer.sh` checks: nothing of it is hidden by this.)
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap___tsan_atomic64_fetch_sub(
    address: *mut u64,
    value: u64,
    order: i32,
) -> u64 {
    const RELEASE: i32 = 3;
    const ACQUIRE_RELEASE: i32 = 4;
    let order = if order == RELEASE {
        ACQUIRE_RELEASE
    } else {
        order
    };
    unsafe { fetch_sub(address, value, order) }
}

/// The kernel's, on x86-64.
#[repr(C, packed)]
struct EpollEvent {
    events: u32,
    /// What was registered and comes back: the address of tokio's state of the descriptor, or a
    /// small number.
    data: u64,
}

impl EpollEvent {
    fn address(&self) -> Option<*const u8> {
        (self.data > 0xffff).then_some(self.data as *const u8)
    }
}

/// What was done before a descriptor was registered is seen by who is told that it is ready. The
/// sanitizer knows that of one and the same epoll descriptor; mio registers with a duplicate.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_epoll_ctl(
    epoll: i32,
    operation: i32,
    fd: i32,
    event: *mut EpollEvent,
) -> i32 {
    unsafe {
        if let Some(address) = event.as_ref().and_then(EpollEvent::address) {
            __tsan_release(address);
        }
        epoll_ctl(epoll, operation, fd, event)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_epoll_wait(
    epoll: i32,
    events: *mut EpollEvent,
    room: i32,
    limit_ms: i32,
) -> i32 {
    unsafe {
        let count = epoll_wait(epoll, events, room, limit_ms);
        for at in 0..count.max(0) {
            if let Some(address) = (*events.add(at as usize)).address() {
                __tsan_acquire(address);
            }
        }
        count
    }
}
