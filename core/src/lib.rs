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
//! The modules below are in the order in which data flows through them: what the caller says,
//! what can go wrong, how a token is had, how a request goes out and an answer comes in, the
//! provider that puts these together, the runtime it runs on, and the C interface on top.
//! Arrows point one way, from the end of this list to its beginning.

#![deny(unsafe_code, unsafe_op_in_unsafe_fn, missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

// The boundary turns panics into statuses; without unwinding it could not.
#[cfg(panic = "abort")]
compile_error!("build with panic = \"unwind\": a panic must not end the host program");

mod cancel;
mod fingerprint;
mod kept;
mod panics;
mod process;
mod secret;
mod sync;
mod tracing_scope;
mod waiting;

// What the caller says.
pub mod config;
mod params;
mod request;

// What can go wrong.
mod error;
mod error_kind;

// Bytes out and in.
mod auth;
mod permit;
mod retry;
mod tls;
mod transport;

// Bytes -> events -> text.
mod chunk;
mod response;
mod sse;
mod stop;
mod stream;
mod wire;

// Who answers.
mod gigachat;
mod locals;
mod nesting;
mod provider;

// Several who answer, as one.
mod router;

// Where it runs.
mod client;
mod runtime;

#[doc(hidden)]
pub mod binding;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(all(test, gigachat_loom))]
mod model;

pub use chunk::{ChunkContent, StreamEvent, parse as parse_chunk};
pub use client::Client;
pub use config::{Config, Scope};
pub use error::{Error, ErrorKind, Phase, Result, RouteAttempt};
pub use gigachat::GigaChat;
pub use nesting::Nest;
pub use params::Params;
pub use permit::PermitUse;
pub use provider::{AttemptLimits, CallContext, Provider, Work};
pub use request::{CallOptions, Request};
pub use response::{
    CallReport, FunctionCall, Health, Model, Response, StreamEnd, Timings, TokenUsage,
};
pub use router::{
    Answered, Attempt, CooldownCause, DurationSummary, Failure, Histogram, Limited, MemberHealth,
    MemberId, MemberMetrics, MemberOptions, ModelMetrics, Outcome, Price, PriceTable, RouteFailure,
    RoutePlan, RoutePlanner, Router, RouterMember, RouterMetrics, RouterOptions, Step, Strategy,
    Wait,
};
pub use runtime::{Call, LogRecord, shutdown};
pub use secret::Secret;
pub use sse::{EventTooLarge, SseDecoder, SseEvent};
pub use stream::{EventSink, EventStream, Next};
