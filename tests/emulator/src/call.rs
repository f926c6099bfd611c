//! A request for the API that is authorized: what an endpoint's file gets to judge, and what it gives back.
//!
//! Each endpoint has a file of its own with `admit`, which refuses the request or returns the work to do; the
//! work is done by `service`, behind the faults.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method};
use serde::de::DeserializeOwned;

use crate::access::Client;
use crate::admit::Job;
use crate::chat::refuse_json;
use crate::counters::Counters;
use crate::faults::Endpoint;
use crate::reply::Reply;
use crate::state::State;

pub(crate) struct Call<'a> {
    pub state: &'a State,
    pub method: &'a Method,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// `None` is a body that is too large.
    pub body: Option<Bytes>,
    pub client: Arc<Client>,
}

impl Call<'_> {
    pub fn expect(&self, expected: &Method) -> Result<(), Reply> {
        expect(self.method, expected)
    }

    /// The body, whatever its type.
    pub fn body(&self) -> Result<Bytes, Reply> {
        self.body.clone().ok_or_else(too_large)
    }

    /// The body, of the type of JSON.
    pub fn json_body(&self) -> Result<Bytes, Reply> {
        let is_json = self
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        if !is_json {
            return Err(Reply::error(400, "Content-Type must be application/json"));
        }
        self.body()
    }

    /// A POST with this JSON.
    pub fn posted<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        self.expect(&Method::POST)?;
        serde_json::from_slice(&self.json_body()?).map_err(|error| refuse_json(&error))
    }

    /// The end user that the request names, who alone may read what is made for him (section 3).
    pub fn user(&self) -> Option<String> {
        user(self.headers)
    }

    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.query.unwrap_or_default().as_bytes());
        let mut values = pairs.filter(|pair| pair.0 == name).map(|pair| pair.1);
        values.next().map(String::from)
    }

    /// An admitted request is counted, and its answer is this work's.
    pub fn job(
        &self,
        endpoint: Endpoint,
        count: impl FnOnce(&mut Counters),
        work: impl FnOnce(&State) -> Reply + Send + Sync + 'static,
    ) -> Job {
        self.state.counters.update(count);
        Job::Other(endpoint, Box::new(work))
    }
}

pub(crate) fn user(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-client-id")?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

pub(crate) fn expect(method: &Method, expected: &Method) -> Result<(), Reply> {
    match method == expected {
        true => Ok(()),
        false => Err(Reply::error(405, "Method Not Allowed")),
    }
}

pub(crate) fn not_found() -> Reply {
    Reply::error(404, "Not Found")
}

pub(crate) fn too_large() -> Reply {
    Reply::error(413, "Payload too large")
}

/// What is for legal entities that pay as they go.
pub(crate) fn permission_denied() -> Reply {
    Reply::error(403, "Permission denied")
}
