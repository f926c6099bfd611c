//! The GigaChat service on loopback, for tests, examples and people without an account.
//!
//! It is strict where the service is strict, answers deterministically, counts what it sees, and misbehaves
//! on demand. It is no model and no reference: what is not known about the service is marked where it is
//! decided. The README says how to use it.
//!
//! The files in the order in which a request meets them: `options` and `emulator` (what a test holds),
//! `server`, `tls` and `connection` (bytes), `service` (the way of a request), `admit`, `oauth`, `access`, `models`,
//! `count` and `chat` (the answers), `faults`, `action`, `distort`, `body` and `send` (how they leave), `ticket`,
//! `counters`, `recorder` and `tally` (what is remembered), `control` (the same for other languages).

mod access;
mod action;
mod admit;
mod ai_check;
mod balance;
mod batches;
mod body;
mod call;
mod chat;
mod chat_v2;
mod connection;
mod control;
mod count;
mod counters;
mod distort;
mod embeddings;
mod emulator;
mod faults;
mod files;
mod filter_check;
mod functions;
mod models;
mod oauth;
mod options;
mod recorder;
mod reply;
mod script;
mod send;
mod server;
mod service;
mod state;
mod tally;
mod ticket;
mod tls;
mod tokens;
mod upload_cut;

pub use action::Action;
pub use counters::Counters;
pub use emulator::Emulator;
pub use faults::{Endpoint, Fault, Faults};
pub use options::Options;
pub use recorder::RecordedRequest;
pub use script::{Answer, Call};
pub use tls::{CLIENT_KEY_PASSWORD, TlsVariant};
pub use tokens::{count_tokens, cut_to_tokens};
