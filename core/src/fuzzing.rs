//! What the fuzz targets (fuzz/) reach of the core's inside: parsers of answers, the composed
//! request, a configuration's first use. No sockets, no threads.
//!
//! Only with the feature `fuzzing`, which no release has; not part of the public API.

use std::future::Future;

use crate::auth;
use crate::config::Config;
use crate::error::{Error, Phase, Result};
use crate::gigachat::GigaChat;
use crate::request::Request;
use crate::response::{CallReport, Model, Response};
use crate::stop::StopMatcher;
use crate::transport::Answer;

pub use crate::transport::CannedAnswer;

/// The body of a finished completion.
pub fn completion(body: &[u8], stops: &[String]) -> Result<Response> {
    Response::parse(body.to_vec(), stops, CallReport::default())
}

/// The body of a model.
pub fn model(body: &[u8]) -> Result<Model> {
    Model::parse(body)
}

/// The body of a list of models.
pub fn models(body: &[u8]) -> Result<Vec<Model>> {
    Model::parse_list(body)
}

/// An answer of the token endpoint: what of it is not used, or nothing.
pub fn token(canned: &CannedAnswer<'_>) -> Result<()> {
    run(async {
        let answer = Answer::canned(canned, Phase::Token)?;
        auth::read_token(answer).await.map(drop)
    })?
}

/// An answer of the API: the body of one that was accepted (200), else its error.
pub fn answer(canned: &CannedAnswer<'_>, limit: usize) -> Result<Vec<u8>> {
    run(async {
        let answer = Answer::canned(canned, Phase::Body)?;
        match answer.status() {
            200 => answer.bytes(limit, Phase::Body).await,
            _ => Err(answer.into_error(Phase::Body, None).await),
        }
    })?
}

/// What is delivered of a text that comes in pieces, and whether a stop sequence was met.
pub fn stopped<'a>(pieces: impl IntoIterator<Item = &'a str>, stops: &[String]) -> (String, bool) {
    let mut matcher = StopMatcher::new(stops);
    let mut delivered = String::new();
    for piece in pieces {
        let (text, met) = matcher.push(piece.to_owned());
        delivered.push_str(&text);
        if met {
            return (delivered, true);
        }
    }
    let (rest, met) = matcher.finish();
    delivered.push_str(&rest);
    (delivered, met)
}

/// The bytes of a request as they are sent, if it can be sent.
pub fn wire_body(request: &Request, default_model: &str, stream: bool) -> Result<Vec<u8>> {
    request.check()?;
    request.wire_body(default_model, stream)
}

/// Does what a provider does with its configuration before its first connection, but for the
/// system's root certificates: those are the machine's.
pub fn first_use(config: Config, request: &Request) -> Result<()> {
    GigaChat::new(config)?.prepare(request)
}

fn run<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|why| Error::internal(why.to_string()))?;
    Ok(runtime.block_on(work))
}
