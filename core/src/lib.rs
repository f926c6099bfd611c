//! The GigaChat client library for every language: this is its core, usable as a Rust crate. The
//! C library and the Python package sit beside each other on top of it.
//!
//! ```no_run
//! use gigachat::{Client, Config, GigaChat};
//!
//! let config = Config::new("authorization key from the customer cabinet")?;
//! let client = Client::new(GigaChat::new(config)?);
//! let answer = client.generate("What is Rust?").join()?; // or .await
//! println!("{}", answer.text);
//! # Ok::<(), gigachat::Error>(())
//! ```
//!
//! The modules below stand on floors, from the ground up. A module uses those of lower floors only;
//! `tests/layers.rs` reads the floors here and every import, and fails on an arrow that runs up or
//! sideways. ARCHITECTURE.md draws the same list.

#![deny(unsafe_code, unsafe_op_in_unsafe_fn, missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

// The boundary turns panics into statuses; without unwinding it could not.
#[cfg(panic = "abort")]
compile_error!("build with panic = \"unwind\": a panic must not end the host program");

// Floor 1: the ground: the process, locks, bytes and words.
mod aimd;
mod cancel;
mod error_kind;
mod fingerprint;
mod jitter;
mod limits;
mod process;
mod secret;
mod sse;
mod stop;
mod sync;
mod wire;

// Floor 2: errors, and what waits or is kept.
mod api_version;
mod error;
mod host;
mod kept;
mod locals;
mod option_table;
mod permit;
mod waiting;

// Floor 3: what the caller says, what comes back.
pub mod config;
mod error_json;
mod liveness;
mod nesting;
mod params;
mod response;
mod retry;
mod tracing_scope;

// Floor 4: requests, events, roots of trust.
mod chunk;
mod panics;
mod request;
mod tls;

// Floor 5: the service's operations, connections, and the pipe of events.
pub mod api;
mod stream;
mod transport;

// Floor 6: who answers: the trait; access tokens; limits for who has no clock.
mod auth;
mod provider;
mod time_limits;

// Floor 7: siblings, none of which knows another.
mod foreign;
mod gigachat;
mod router;
mod runtime;

// Floor 8: who may call.
mod client;

// Floor 9: faces of the above for bindings, fuzzers and model checks.
#[doc(hidden)]
pub mod binding;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(test, gigachat_loom))]
mod model;

/// What the rows of the table of operations are made of.
pub mod operations {
    pub use crate::api::{Clock, Events, Gives, Method, OPERATIONS, Routing, Takes};
}

pub use api::{Ask, AttemptLimits, Operation, Payload, TokenCount};
pub use api_version::{ApiVersion, ResultRole};
pub use chunk::{ChunkContent, StreamEvent, parse as parse_chunk, read_named as parse_named_event};
pub use client::Client;
pub use config::{Config, Scope};
pub use error::{Error, ErrorKind, Phase, Result, RouteAttempt};
pub use gigachat::GigaChat;
pub use nesting::Nest;
pub use params::Params;
pub use permit::PermitUse;
pub use provider::{CallContext, Provider, ProviderLimits, Work};
pub use request::{CallOptions, Request};
pub use response::{
    CallReport, Document, Embeddings, FunctionCall, GeneratedFile, Health, JsonTree, Model,
    Response, Source, StreamEnd, Timings, TokenUsage,
};
pub use router::{
    Answered, Attempt, CooldownCause, DurationSummary, Failure, Histogram, MemberHealth, MemberId,
    MemberMetrics, MemberOptions, ModelMetrics, Outcome, Price, PriceTable, RouteFailure,
    RoutePlan, RoutePlanner, Router, RouterMember, RouterMetrics, RouterOptions, Step, Strategy,
    Wait,
};
pub use runtime::{Call, LogRecord, shutdown};
pub use secret::Secret;
pub use sse::{EventTooLarge, SseDecoder, SseEvent};
pub use stream::{EventSink, EventStream, Next};
