//! The fault that ends a connection in the middle of a request's body.
//!
//! It is chosen by the path, before anything of the body is read and before the request is judged.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method};

use crate::action::Action;
use crate::connection::Ending;
use crate::control;
use crate::faults::Endpoint;
use crate::state::State;

/// How much is still read, and how the connection ends then.
pub(crate) struct Cut {
    bytes: usize,
    pub ending: Ending,
}

pub(crate) fn chosen(state: &State, head: &Parts) -> Option<Cut> {
    if head.method != Method::POST {
        return None;
    }
    let action = match asked(&head.headers) {
        Some(action) => action,
        None => state.faults.choose_upload_cut(endpoint(head.uri.path())?)?,
    };
    let Action::UploadCut { bytes, reset } = action else {
        return None;
    };
    state.counters.update(|counters| {
        counters.fault_hits += 1;
        counters.aborted_requests += 1;
    });
    let ending = match reset {
        true => Ending::Reset,
        false => Ending::Close,
    };
    Some(Cut { bytes, ending })
}

/// A misspelt header is answered later, with the others.
fn asked(headers: &HeaderMap) -> Option<Action> {
    let values = headers.get_all("x-emulator-fault").iter();
    let lists = values.filter_map(|value| control::list::<Action>(value.as_bytes()).ok());
    lists
        .flatten()
        .find(|action| matches!(action, Action::UploadCut { .. }))
}

/// `Chat` stands for every generation: which one it is says the body only.
fn endpoint(path: &str) -> Option<Endpoint> {
    let ends = [
        ("/oauth", Endpoint::Token),
        ("/token", Endpoint::Token),
        ("/chat/completions", Endpoint::Chat),
        ("/tokens/count", Endpoint::Count),
        ("/embeddings", Endpoint::Embeddings),
        ("/files", Endpoint::Upload),
        ("/batches", Endpoint::Batches),
    ];
    let known = ends.iter().find(|(end, _)| path.ends_with(end));
    known.map(|(_, endpoint)| *endpoint)
}

impl Cut {
    /// Reads so many bytes, or everything if that is less.
    pub async fn read(&self, mut body: Incoming) {
        let mut length = 0;
        while length < self.bytes {
            let Some(Ok(frame)) = body.frame().await else {
                return;
            };
            length += frame.data_ref().map_or(0, |data| data.len());
        }
    }
}
