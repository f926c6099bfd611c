//! The core over real sockets, one binary: each file is a chapter. What sets the state of its
//! process (environment, memory, log, runtime) stands beside this folder, each in a process of its own.

mod routing;
mod support;
mod world;

mod bad_answers;
mod broken_connections;
mod cancel;
mod chat_v2;
mod chat_v2_answers;
mod connections;
mod credentials;
mod errors;
mod errors_in_200;
mod functions;
mod health;
mod history;
mod http2;
mod odd_answers;
mod operations;
mod permits;
mod rate_limits;
mod raw_events;
mod read_ahead;
mod requests;
mod retries;
mod router;
mod router_members;
mod router_properties;
mod stops;
mod stream_spellings;
mod stream_timeouts;
mod streams;
mod timeouts;
mod tls;
mod token_lifetimes;
mod tokens;
