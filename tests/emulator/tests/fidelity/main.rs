//! The emulator against the wire reference, over real sockets and both versions of HTTP.
//!
//! One binary; each module is a chapter. What libgigachat makes of the answers is tested elsewhere.

mod batches;
mod chat;
mod chat_v2;
mod connections;
mod control;
mod deviations;
mod endpoints;
mod faults;
mod files;
mod limits;
mod oauth;
mod service;
mod validation;
