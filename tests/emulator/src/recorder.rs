//! The requests as they arrived, so that a test can look at exact headers and body bytes.
//!
//! Bounded twice: by number and by the bytes of the bodies; the oldest go first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hyper::http::{HeaderMap, Version};

const MOST_REQUESTS: usize = 10_000;
const MOST_BODY_BYTES: usize = 256 << 20;

/// One request as the emulator received it.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path with its query, as sent.
    pub path: String,
    /// The headers; names are lower case.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: Version,
    /// Which connection carried it; numbers start at 1 and are never reused.
    pub connection: u64,
}

impl RecordedRequest {
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, `Null` if it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

#[derive(Default)]
pub(crate) struct Recorder {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    requests: VecDeque<RecordedRequest>,
    body_bytes: usize,
}

impl Recorder {
    pub fn record(&self, request: RecordedRequest) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.body_bytes += request.body.len();
        kept.requests.push_back(request);
        while kept.requests.len() > MOST_REQUESTS || kept.body_bytes > MOST_BODY_BYTES {
            let Some(oldest) = kept.requests.pop_front() else {
                break;
            };
            kept.body_bytes -= oldest.body.len();
        }
    }

    pub fn all(&self) -> Vec<RecordedRequest> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.requests.iter().cloned().collect()
    }

    pub fn clear(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Kept::default();
    }
}
