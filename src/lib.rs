//! The C ABI: `extern "C"` and nothing else. Decides nothing; every function checks its
//! arguments, calls the core and hands the result out as a handle or a status.
//!
//! `guard` catches panics, `boundary` calls the program's functions, `handle` is the table of handles, `text` moves strings, `status` has
//! the codes; then comes one file per handle type, in the order in which a program meets them.
//! cbindgen makes `include/gigachat.h` from this crate; its book text is in `cbindgen.toml`.

#![deny(unsafe_op_in_unsafe_fn, missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]
#![allow(
    unsafe_code,
    reason = "this is the boundary to C; each block says why it is sound"
)]
#![allow(
    non_camel_case_types,
    reason = "the names are C's and stand in the header as they are"
)]
#![allow(
    rustdoc::bare_urls,
    reason = "the comments are the C header's, where a URL is just text"
)]
#![allow(
    clippy::missing_safety_doc,
    reason = "the contract of every pointer is the header's chapter `Conventions`"
)]

mod boundary;
mod builder;
mod guard;
mod handle;
mod text;
mod unwind;

pub mod user_data;

pub mod status;

pub mod error;

pub mod config;

pub mod params;

pub mod request;

pub mod cancel;

pub mod provider;

pub mod response;

pub mod event;
pub mod stream;

pub mod call;

pub mod queue;

pub mod text_handle;

pub mod router;
pub mod router_options;

pub mod own_provider;
pub mod reply;

pub mod log;

pub mod process;

#[cfg(feature = "test-hooks")]
pub mod test_hooks;
