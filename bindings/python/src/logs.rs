//! The library's log records on their way to Python's `logging`: a bounded queue that its
//! threads fill and that a Python thread empties when it fetches results, or at exit.
//!
//! What nobody listens to is not collected. Whether somebody does is asked when a call begins.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering};

use gigachat::LogRecord;
use gigachat::binding::{self, Level};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::sync::lock;

/// At most this many records wait.
const LONGEST_QUEUE: usize = 1024;

#[derive(Default)]
struct Records {
    waiting: Mutex<VecDeque<LogRecord>>,
    dropped: AtomicUsize,
}

/// The least important level that is collected, as Python numbers it; at first none.
static COLLECTED: AtomicU8 = AtomicU8::new(u8::MAX);
/// Whether there is anything to emit: one load on the path of every result.
static PENDING: AtomicBool = AtomicBool::new(false);
/// Where records wait; never freed. Replaced in a forked child, where the parent's may be locked
/// for ever.
static RECORDS: AtomicPtr<Records> = AtomicPtr::new(std::ptr::null_mut());

fn records() -> &'static Records {
    let mut known = RECORDS.load(Ordering::Acquire);
    if known.is_null() {
        let made = Box::into_raw(Box::default());
        let kept = RECORDS.compare_exchange(known, made, Ordering::AcqRel, Ordering::Acquire);
        known = kept.map_or_else(|theirs| theirs, |_| made);
    }
    // SAFETY: what is stored here came from `Box::into_raw` and is never freed.
    unsafe { &*known }
}

/// Has the library's records of this level, and of more important ones, collected from now on.
fn collect(level: Level) {
    let number = number_of(level);
    if COLLECTED.fetch_min(number, Ordering::AcqRel) <= number {
        return;
    }
    let function = Box::new(|record: &LogRecord| {
        let records = records();
        let mut waiting = lock(&records.waiting);
        if waiting.len() < LONGEST_QUEUE {
            waiting.push_back(record.clone());
        } else {
            records.dropped.fetch_add(1, Ordering::Relaxed);
        }
        drop(waiting);
        PENDING.store(true, Ordering::Release);
    });
    // It fails only inside of the function itself, which does not call it.
    let _ = binding::collect_records(level, function);
}

/// Has the library's records collected from now on.
pub(crate) fn install() {
    collect(Level::INFO);
}

/// Has those that only `logger` wants collected as well. What one logger wanted once is collected
/// for good, and dropped where nobody listens: `logging` does not tell when that ends.
pub(crate) fn follow(logger: &Bound<'_, PyAny>) -> PyResult<()> {
    let wants = |level: Level| {
        let name = intern!(logger.py(), "isEnabledFor");
        logger.call_method1(name, (number_of(level),))?.is_truthy()
    };
    if COLLECTED.load(Ordering::Relaxed) > number_of(Level::TRACE) && wants(Level::DEBUG)? {
        collect(match wants(Level::TRACE)? {
            true => Level::TRACE,
            false => Level::DEBUG,
        });
    }
    Ok(())
}

/// Emits what waits, on this thread. What `logging` raises is reported, never passed on.
pub(crate) fn emit(py: Python<'_>) {
    if !PENDING.swap(false, Ordering::AcqRel) {
        return;
    }
    let records = records();
    let waiting = std::mem::take(&mut *lock(&records.waiting));
    let dropped = records.dropped.swap(0, Ordering::Relaxed);
    let lines: Vec<_> = waiting
        .iter()
        .map(|record| {
            (
                number_of(record.level),
                record.target,
                record.message.as_str(),
            )
        })
        .collect();
    let emitted = PyList::new(py, lines).and_then(|lines| {
        py.import("orchestrator._logs")?
            .call_method1("emit", (lines, dropped))
    });
    if let Err(error) = emitted {
        error.write_unraisable(py, None);
    }
}

/// The level's number in Python's `logging`.
fn number_of(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        _ => 5,
    }
}

/// Emits what waits: for the end of the interpreter, after which nobody fetches results.
#[pyfunction]
pub(crate) fn emit_logs(py: Python<'_>) {
    emit(py);
}

/// To be called in a forked child before anything else.
#[pyfunction]
pub(crate) fn after_fork() {
    PENDING.store(false, Ordering::Release);
    RECORDS.store(Box::into_raw(Box::default()), Ordering::Release);
}
