//! The library's log records, handed to a function of the program's.
//!
//! Records are ordinary `tracing` events. Nothing global is set: a Rust program's own subscriber
//! sees them as it sees any crate's. When a program registers a callback (from C, where there is
//! no subscriber), the library's tasks and entry points run under a dispatcher that queues its
//! own records, and only those, for the callback thread. The queue is bounded; what overflows is
//! counted and reported. A binding that only puts records aside (Python's) takes them where they
//! arise instead: a call's records are then there before its result is.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use super::callbacks;
use super::generation::Generation;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::kept::Kept;
use crate::process;
use crate::sync::{Condvar, Mutex, lock};
use crate::tracing_scope;

/// At most this many records wait for the callback.
const LONGEST_QUEUE: usize = 1024;
/// Records of other crates are not delivered: they are not ours to keep secrets out of (I13).
const OWN_TARGETS: &str = "gigachat";

static SINK: ArcSwapOption<Sink> = ArcSwapOption::const_empty();
static SINK_KEPT: Kept<Sink> = Kept::new();

/// One log record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// How important it is.
    pub level: Level,
    /// The part of the library that it is from, such as `gigachat::auth`.
    pub target: &'static str,
    /// The text, with its fields as `name=value`.
    pub message: String,
}

/// What receives the records.
pub type LogFunction = Box<dyn Fn(&LogRecord) + Send + Sync>;

/// Where a function receives records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// On the callback thread: it is the program's, and may do anything.
    CallbackThread,
    /// On the thread that says it, at once: it neither waits nor calls the library.
    AtOnce,
}

struct Sink {
    reception: Reception,
    /// `None` once the sink was replaced.
    function: ArcSwapOption<LogFunction>,
    function_kept: Kept<LogFunction>,
    dispatch: Dispatch,
    waiting: AtomicUsize,
    dropped: AtomicU64,
    /// How many records are being delivered; `None` once the sink was replaced.
    delivering: Mutex<Option<usize>>,
    changed: Condvar,
    /// The fork counter when it was made.
    fork: u64,
}

/// The sink of this process. A forked child goes on with its parent's function, but not with its
/// lock and counts, which may be those of threads that the child does not have.
fn current() -> Option<Arc<Sink>> {
    let sink = SINK.load_full()?;
    if !sink.is_inherited() {
        return Some(sink);
    }
    let own = sink
        .function
        .load_full()
        .map(|function| Sink::new(sink.reception, function, sink.dispatch.clone()));
    drop(SINK.compare_and_swap(&Some(sink.clone()), own));
    // Leaked, never dropped, like everything inherited.
    std::mem::forget(sink);
    SINK.load_full()
}

/// Sets, replaces or (`None`) removes the function that receives records up to `level`. When
/// this returns the previous function is not running, will not be called any more and has been
/// dropped, here: records that still wait for it hold the sink, not the function.
pub fn set_function(
    reception: Reception,
    function: Option<(LevelFilter, LogFunction)>,
) -> Result<()> {
    if tracing_scope::in_log_callback() {
        return Err(would_deadlock());
    }
    let sink = function.map(|(level, function)| {
        let dispatch = Dispatch::new(Collector { level });
        Sink::new(reception, Arc::new(function), dispatch)
    });
    tracing_scope::enter_here(sink.as_ref().map(|sink| sink.dispatch.clone()));
    match SINK_KEPT.swap(&SINK, sink) {
        Some(previous) if previous.is_inherited() => std::mem::forget(previous),
        Some(previous) => previous.retire(),
        None => {}
    }
    Ok(())
}

/// The error of replacing the log callback from inside of it.
pub fn would_deadlock() -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        Phase::Input,
        "the log callback cannot replace itself: it would wait for its own end",
    )
}

impl Sink {
    fn new(reception: Reception, function: Arc<LogFunction>, dispatch: Dispatch) -> Arc<Sink> {
        let sink = Arc::new(Sink {
            reception,
            function: ArcSwapOption::empty(),
            function_kept: Kept::new(),
            dispatch,
            waiting: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            delivering: Mutex::new(Some(0)),
            changed: Condvar::new(),
            fork: process::fork_count(),
        });
        sink.function_kept.swap(&sink.function, Some(function));
        sink
    }

    fn is_inherited(&self) -> bool {
        self.fork != process::fork_count()
    }

    fn retire(&self) {
        let mut delivering = lock(&self.delivering);
        while delivering.is_some_and(|count| count > 0) {
            delivering = crate::waiting::wait_on(&self.changed, delivering, None);
        }
        *delivering = None;
        drop(delivering);
        // Not under the lock: to destroy it may be the program's business.
        drop(self.function_kept.swap(&self.function, None));
    }

    fn deliver(self: &Arc<Self>, record: &LogRecord) {
        match &mut *lock(&self.delivering) {
            Some(count) => *count += 1,
            None => return,
        }
        let delivering = Delivering(self);
        let Some(function) = self.function.load_full() else {
            return;
        };
        let sink = self.clone();
        let at_loss = move || drop(Delivering(&sink));
        callbacks::minding_its_thread(at_loss, || self.hand_over(&function, record));
        drop(function); // before the count says that nobody has it
        drop(delivering);
    }

    fn hand_over(&self, function: &LogFunction, record: &LogRecord) {
        tracing_scope::inside_log_callback(|| {
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let message =
                    format!("{dropped} log records were dropped: the log callback is too slow");
                function(&LogRecord {
                    level: Level::WARN,
                    target: "gigachat::log",
                    message,
                });
            }
            function(record);
        });
    }

    fn queue(self: Arc<Self>, record: LogRecord) {
        let generation = Generation::current().or_else(|| Generation::enter().ok());
        let room = self.waiting.fetch_add(1, Ordering::AcqRel) < LONGEST_QUEUE;
        match generation.filter(|_| room) {
            Some(generation) => generation.callbacks.post(Box::new(move || {
                self.waiting.fetch_sub(1, Ordering::AcqRel);
                self.deliver(&record);
            })),
            None => {
                self.waiting.fetch_sub(1, Ordering::AcqRel);
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The record that is being delivered; given up when that is over, however it ends.
struct Delivering<'a>(&'a Sink);

impl Drop for Delivering<'_> {
    fn drop(&mut self) {
        if self.0.is_inherited() {
            return; // the function forked, and this is the child
        }
        if let Some(count) = &mut *lock(&self.0.delivering) {
            *count -= 1;
        }
        self.0.changed.notify_all();
    }
}

/// The subscriber behind the dispatcher: takes the library's own events, keeps no spans.
struct Collector {
    level: LevelFilter,
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level && is_own(metadata.target())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let Some(sink) = current().filter(|_| !tracing_scope::in_log_callback()) else {
            return;
        };
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        let message = text.message + &text.fields;
        let record = LogRecord {
            level: *metadata.level(),
            target: metadata.target(),
            message,
        };
        match sink.reception {
            Reception::CallbackThread => sink.queue(record),
            Reception::AtOnce => sink.deliver(&record),
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn is_own(target: &str) -> bool {
    target == OWN_TARGETS || target.starts_with("gigachat::")
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}
