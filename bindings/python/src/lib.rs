//! The native module of the Python package `orchestrator`: the core's calls and streams as
//! Python objects, and the bridge that brings their results to event loops.
//!
//! No thread of the library ever touches Python: it puts a number into a queue and writes to a
//! descriptor, and the loop's own thread fetches the result (see `port`). That is what makes
//! exits, forks and foreign loops harmless. Everything that programs see is in the Python files
//! beside this crate; this module is private to them.

#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The modules stand on floors, as those of the core do: each uses those of lower floors only. The
// core's `tests/layers.rs` holds it, and ARCHITECTURE.md draws the same floors.

// Floor 1: the ground: locks, errors as exceptions.
mod errors;
mod sync;

// Floor 2: what is said to the core, what it says to the log, what a task waits for.
mod arrival;
mod config;
mod json;
mod logs;
mod request;

// Floor 3: requests of any operation; the ways to wait: for a loop and for a thread; the small parts
// of an answer.
mod ask;
mod blocking;
mod port;
mod values;

// Floor 4: answers, and who makes a routed call.
mod caller;
mod document;
mod response;

// Floor 5: who answers.
mod provider;

// Floor 6: answers in parts; the members of a router.
mod member;
mod stream;

// Floor 7: several providers as one.
mod router;

#[pyo3::pymodule(gil_used = false)]
mod _gigachat {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::caller::Caller;
    #[pymodule_export]
    use crate::config::{check_option, instead, options, variable};
    #[pymodule_export]
    use crate::document::{Document, Embeddings};
    #[pymodule_export]
    use crate::logs::{after_fork, emit_logs};
    #[pymodule_export]
    use crate::member::{Job, Member};
    #[pymodule_export]
    use crate::port::Port;
    #[pymodule_export]
    use crate::provider::Provider;
    #[pymodule_export]
    use crate::response::{Chunk, Response};
    #[pymodule_export]
    use crate::router::{Numbers, Router};
    #[pymodule_export]
    use crate::stream::{AsyncReader, BlockingReader, Step};
    #[pymodule_export]
    use crate::values::{FunctionCall, GeneratedFile, Model, Source, Timings, Usage};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        gigachat::binding::send_panics_to_the_log();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
