//! What a binding (the C library, the Python module) needs of the core and a Rust program does
//! not: the call object and its ways to end, queues of completions, the thread for callbacks, the
//! process, the log; to be told of ends and arrivals by a function instead of waiting.
//!
//! Not part of the public API: it may change with any release. It knows no language.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::client::Client;
use crate::config::{self, Config, OptionInfo};
use crate::error::Result;
use crate::gigachat::GigaChat;
use crate::provider::Provider;
use crate::request::CallOptions;
use crate::runtime::log::LogRecord;
use crate::runtime::{self, Call};
use crate::secret::Secret;
use crate::stream::{EventStream, Next};

pub use tracing::Level;

pub use crate::foreign::{Foreign, ForeignProvider, Reply, ReplyRefusal, Wanted};
pub use crate::liveness::Watched;
pub use crate::process::Era;
pub use crate::provider::{AttemptReport, Caller};
pub use crate::response::Parts;
pub use crate::runtime::call::{CallCell, DoneHook, Ended, Taken};
pub use crate::runtime::callbacks::{self, Callbacks};
pub use crate::runtime::descriptor::Descriptor;
pub use crate::runtime::generation::Generation;
pub use crate::runtime::queue::{CompletionQueue, Signal};
pub use crate::runtime::{log, settings};
pub use crate::sync::{Mutex, lock};

/// Has panics written to the log instead of standard error. Only for a binding that has its own
/// copy of std, and so a panic hook of its own.
pub fn send_panics_to_the_log() {
    crate::panics::go_to_the_log();
}

/// A client of a provider that the caller keeps a hold on.
pub fn client_of(provider: Arc<dyn Provider>) -> Client {
    Client::from_arc(provider)
}

/// What an environment variable means here.
#[derive(Clone, Debug)]
pub enum Variable {
    /// It sets this option of the table.
    Option(&'static OptionInfo),
    /// It sets nothing; the sentence is the warning to give.
    Ignored(String),
    /// Not a variable of this library.
    Foreign,
}

/// What `name` means here, for a binding that reads the environment itself.
pub fn variable(name: &str) -> Variable {
    let option = Config::options().find(|option| option.variable == Some(name));
    match (option, config::reason_to_ignore(name)) {
        (Some(option), _) => Variable::Option(option),
        (None, Some(warning)) => Variable::Ignored(warning),
        (None, None) => Variable::Foreign,
    }
}

/// What to do instead of an option of the official SDK that there is none of here.
pub fn instead(name: &str) -> Option<&'static str> {
    config::instead(name)
}

/// A provider in place of `previous`, after a change of its configuration: it keeps the access
/// token, unless the change concerns the credential.
pub fn changed(previous: &GigaChat, config: Config) -> Result<GigaChat> {
    previous.changed(config)
}

/// Calls `hook` once, when the call has ended; at once, when it has. It runs on a thread of the
/// library and must be quick. One hook per call: returns whether it was taken.
pub fn on_done<T>(call: &Call<T>, hook: impl FnOnce() + Send + 'static) -> bool {
    call.on_done(Box::new(move |_| hook())).is_ok()
}

/// Calls `hook` whenever there is something to read after there was nothing; at once, when there
/// is something now. It runs on a thread of the library and must be quick.
pub fn on_ready(stream: &EventStream, hook: impl Fn() + Send + Sync + 'static) {
    stream.on_ready(Arc::new(hook));
}

/// Drops `last` once the I/O thread has done what it has at hand, here and now on other threads:
/// what ends or arrives together is told together. `last` does its work in its drop.
pub fn after_this_round(last: impl Send + 'static) {
    runtime::after_this_round(last);
}

/// Drops `last` after `delay`, here and now on threads that are not the library's.
pub fn after(delay: Duration, last: impl Send + 'static) {
    runtime::after(delay, last);
}

/// Has the stream of a request keep the JSON of the service's events. It costs a copy of each.
pub fn keep_raw(options: &mut CallOptions) {
    options.keep_raw = true;
}

/// `EventStream::next` with the JSON of the service's event that the part came from: byte for
/// byte, as far as it is UTF-8. At the end it is the one that told finish reason or usage last.
pub fn next_with_raw(
    stream: &EventStream,
    timeout: Option<Duration>,
) -> Result<(Next, Option<Arc<str>>)> {
    stream.next_with_origin(timeout)
}

/// `EventStream::poll_next`, likewise.
pub fn poll_with_raw(
    stream: &EventStream,
    context: &mut Context<'_>,
) -> Poll<Result<(Next, Option<Arc<str>>)>> {
    stream.poll_with_origin(context)
}

/// The access token in use, refreshed if it is time; `None` when the client certificate alone is
/// the credential.
pub fn access_token(provider: Arc<GigaChat>) -> Call<Option<Secret>> {
    let limit = provider.limits().answer;
    match Generation::enter_within(limit) {
        Ok(generation) => generation.start_call(None, limit, move |context| {
            Box::pin(async move { provider.access_token(&context).await })
        }),
        Err(error) => Call::failed(error),
    }
}

/// What receives log records.
pub type LogFunction = Box<dyn Fn(&LogRecord) + Send + Sync>;

/// Hands the library's log records up to `level` to `function`, from now on. It runs at once, on
/// the thread that says it, so that a call's records are there before its result: it neither waits
/// nor calls the library.
pub fn collect_records(level: Level, function: LogFunction) -> Result<()> {
    let function = (LevelFilter::from_level(level), function);
    log::set_function(log::Reception::AtOnce, Some(function))
}

/// What the C library and the Python module ask of the process and of the operating system.
pub mod process {
    pub use crate::process::*;
}

/// Where records of the library go while its code runs on a caller's thread.
pub mod tracing_scope {
    pub use crate::tracing_scope::*;
}
