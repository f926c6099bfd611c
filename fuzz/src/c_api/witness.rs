//! The played program's functions, which the library calls, and the record of these calls: each
//! accepted hook runs once, no function is called with user data that was destroyed.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gigachat_c::call::gigachat_call;
use gigachat_c::log::gigachat_set_log_callback;
use gigachat_c::reply::{
    gigachat_reply, gigachat_reply_fail, gigachat_reply_finish, gigachat_reply_free,
    gigachat_reply_push,
};
use gigachat_c::status::{GIGACHAT_ERROR_RATE_LIMIT, gigachat_status};

#[derive(Clone, Copy, Debug, Default)]
struct Registration {
    mode: u8,
    has_destroy: bool,
    /// Whether the function that took it returned GIGACHAT_OK.
    accepted: bool,
    destroyed: u32,
    /// Whether one call must have come, as for a call's completion.
    once: bool,
    called: u32,
}

#[derive(Default)]
struct Record {
    registrations: Vec<Registration>,
    /// How many there were of earlier inputs, so that no user data comes twice.
    earlier: usize,
    /// The registration whose function has not returned yet.
    open: Option<usize>,
    replies: Vec<usize>,
}

static RECORD: Mutex<Record> = Mutex::new(Record {
    registrations: Vec::new(),
    earlier: 0,
    open: None,
    replies: Vec::new(),
});
static BLOCKING: AtomicBool = AtomicBool::new(false);

fn record() -> MutexGuard<'static, Record> {
    RECORD.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn begin() {
    let mut record = record();
    *record = Record {
        earlier: record.earlier + record.registrations.len(),
        ..Record::default()
    };
}

pub fn set_blocking(blocking: bool) {
    BLOCKING.store(blocking, Ordering::SeqCst);
}

/// User data for the function that is about to be called: a number, never looked behind.
pub fn register(mode: u8) -> *mut c_void {
    let mut record = record();
    record.registrations.push(Registration {
        mode,
        ..Registration::default()
    });
    record.open = Some(record.registrations.len() - 1);
    let number = record.earlier + record.registrations.len();
    ptr::without_provenance_mut(number)
}

fn change(data: *mut c_void, change: impl FnOnce(&mut Registration)) -> u8 {
    let mut record = record();
    let Some(at) = data.addr().checked_sub(record.earlier + 1) else {
        return 0; // a straggler of a shutdown that an earlier input did not wait for
    };
    let Some(registration) = record.registrations.get_mut(at) else {
        // Nobody may unwind into the library.
        eprintln!("user data that nobody gave: {data:?}");
        std::process::abort();
    };
    change(registration);
    if registration.destroyed > 1 || (registration.once && registration.called > 1) {
        eprintln!("called too often: {registration:?}");
        std::process::abort();
    }
    registration.mode
}

fn open(change: impl FnOnce(&mut Registration)) {
    let mut record = record();
    if let Some(at) = record.open {
        change(&mut record.registrations[at]);
    }
}

pub fn is_open() -> bool {
    record().open.is_some()
}

pub fn promise_destroy() {
    open(|registration| registration.has_destroy = true);
}

/// The function in the open registration is `on_done`: called once if it is accepted.
pub fn promise_one_call() {
    open(|registration| registration.once = true);
}

pub fn settle(accepted: bool) {
    let mut record = record();
    if let Some(at) = record.open.take() {
        record.registrations[at].accepted = accepted;
    }
}

/// Accepted registrations whose hooks have not run, and refused ones whose hooks have.
pub fn outstanding() -> Vec<String> {
    let wrong = |registration: &&Registration| {
        let destroys = u32::from(registration.accepted && registration.has_destroy);
        let calls = registration.once && registration.called != u32::from(registration.accepted);
        registration.destroyed != destroys || calls
    };
    record()
        .registrations
        .iter()
        .filter(wrong)
        .map(|registration| format!("{registration:?}"))
        .collect()
}

pub fn kept_replies() -> Vec<usize> {
    std::mem::take(&mut record().replies)
}

pub fn silence_log() {
    // SAFETY: no callback, no user data, no error slot.
    unsafe { gigachat_set_log_callback(0, None, ptr::null_mut(), None, ptr::null_mut()) };
}

fn used(data: *mut c_void) -> u8 {
    change(data, |registration| {
        registration.called += 1;
        if registration.destroyed > 0 {
            eprintln!("called with user data that was destroyed: {registration:?}");
            std::process::abort();
        }
    })
}

pub unsafe extern "C" fn destroy(data: *mut c_void) {
    change(data, |registration| registration.destroyed += 1);
}

pub unsafe extern "C" fn done(data: *mut c_void, _: *mut gigachat_call, _: gigachat_status) {
    used(data);
}

pub unsafe extern "C" fn cancelled(data: *mut c_void) {
    used(data);
}

pub unsafe extern "C" fn thread_event(_: *mut c_void) {}

pub unsafe extern "C" fn log(
    data: *mut c_void,
    _: i32,
    target: *const c_char,
    message: *const c_char,
) {
    used(data);
    // SAFETY: both texts are NUL-terminated and live during the call.
    let length =
        unsafe { CStr::from_ptr(target).count_bytes() + CStr::from_ptr(message).count_bytes() };
    std::hint::black_box(length);
}

/// An own provider's answer: at once, in parts, as an error, not at all, or later by the program.
pub unsafe extern "C" fn own(
    data: *mut c_void,
    request: *const c_char,
    reply: *mut gigachat_reply,
) {
    let mode = used(data);
    // SAFETY: the request is never NULL, NUL-terminated and lives during the call.
    std::hint::black_box(unsafe { CStr::from_ptr(request) }.count_bytes());
    let text = |text: &'static CStr| (text.as_ptr(), text.count_bytes());
    let ((said, said_length), (stop, stop_length)) = (text(c"an answer"), text(c"stop"));
    let none = ptr::null_mut();
    // SAFETY: the reply is this function's; texts are static; NULL is allowed for error slots.
    unsafe {
        match mode % 5 {
            1 => drop(gigachat_reply_fail(
                reply,
                GIGACHAT_ERROR_RATE_LIMIT,
                said,
                said_length,
                1,
                none,
            )),
            2 => {}
            3 if !BLOCKING.load(Ordering::SeqCst) => {
                record().replies.push(reply.addr());
                return;
            }
            4 => drop(gigachat_reply_push(reply, said, said_length, none)),
            _ => {}
        }
        if mode % 5 != 2 {
            gigachat_reply_finish(reply, said, said_length, stop, stop_length, none);
        }
        gigachat_reply_free(reply);
    }
}
