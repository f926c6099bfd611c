//! An answer: status, headers, and a body that is read within bounds (I12).

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue, LOCATION};
use tokio::time::{Instant, timeout_at};

use super::failure;
use super::lane::Place;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::wire::complaint::shown;

/// An answer whose headers have arrived.
pub(crate) struct Answer {
    response: reqwest::Response,
    /// Its place in a lane, until it is read or dropped.
    place: Option<Place>,
}

/// How long the rest of a finished body may take before its connection is closed.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
const DRAIN_BYTES: usize = 64 * 1024;
/// How long the body of an error is waited for: its status is known and says more.
const ERROR_BODY_LIMIT: Duration = Duration::from_secs(5);

const ERROR_BODY_BYTES: usize = 64 * 1024;
/// So much of a header that is shown is kept; we send at most as long ids ourselves.
const LONGEST_TEXT: usize = 1024;

/// Whether a `Content-Encoding` names none. Gateways send it empty, or with a character set.
fn is_no_encoding(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .all(|encoding| {
            let encoding = encoding.trim_ascii().to_ascii_lowercase();
            matches!(&*encoding, b"" | b"identity" | b"none" | b"utf-8" | b"utf8")
        })
}

impl Answer {
    /// Refuses what no answer of this protocol may be: a redirect, an encoded body (that of an
    /// error is not needed: its status counts).
    pub(super) fn accept(response: reqwest::Response, phase: Phase) -> Result<Answer> {
        let answer = Answer {
            response,
            place: None,
        };
        let status = answer.status();
        let protocol = |text: String| {
            Error::new(ErrorKind::Protocol, phase, text)
                .with_status(status)
                .with_request_id(answer.request_id())
        };
        if (300..400).contains(&status) {
            let target = answer
                .headers()
                .get(LOCATION)
                .and_then(|value| shown(&String::from_utf8_lossy(value.as_bytes())))
                .unwrap_or_else(|| "nowhere".to_owned());
            return Err(protocol(format!(
                "the service redirects to {target}, which is not followed since credentials go to the configured host only; set that URL if it is right"
            )));
        }
        let encodings = answer.headers().get_all(CONTENT_ENCODING);
        if status == 200 && !encodings.iter().all(is_no_encoding) {
            return Err(protocol(
                "the answer has a content encoding although none was asked for".to_owned(),
            ));
        }
        Ok(answer)
    }

    /// It came by this place.
    pub(super) fn by(mut self, place: Place) -> Answer {
        place.read();
        self.place = Some(place);
        self
    }

    /// An answer that no server sent.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn canned(canned: &super::canned::CannedAnswer<'_>, phase: Phase) -> Result<Answer> {
        let mut answer = hyper::Response::builder().status(canned.status);
        for (name, value) in canned.headers {
            let name = reqwest::header::HeaderName::from_bytes(name);
            let value = reqwest::header::HeaderValue::from_bytes(value);
            if let (Ok(name), Ok(value)) = (name, value) {
                answer = answer.header(name, value);
            }
        }
        let answer = answer
            .body(canned.body.to_vec())
            .map_err(|why| Error::internal(why.to_string()))?;
        Answer::accept(reqwest::Response::from(answer), phase)
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// `X-Request-Id` (a reasonable part of it), which the service sends with every answer.
    pub(crate) fn request_id(&self) -> Option<&str> {
        self.text_header("x-request-id")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&reqwest::header::HeaderValue> {
        self.headers().get(name)
    }

    pub(crate) fn text_header(&self, name: &str) -> Option<&str> {
        self.headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(|text| &text[..text.len().min(LONGEST_TEXT)])
    }

    /// The whole body, at most `limit` bytes of it; more is an error.
    pub(crate) async fn bytes(mut self, limit: usize, phase: Phase) -> Result<Vec<u8>> {
        let announced = self.response.content_length().unwrap_or(0);
        // One byte more than the content, for the NUL that C expects behind it.
        let mut body = Vec::with_capacity((announced.min(limit as u64) as usize) + 1);
        while let Some(piece) = self
            .piece(phase)
            .await
            .map_err(|error| error.with_body(&body))?
        {
            if body.len() + piece.len() > limit {
                return Err(self.too_large(limit, phase).with_body(&body));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) async fn piece(&mut self, phase: Phase) -> Result<Option<Bytes>> {
        match self.response.chunk().await {
            Ok(piece) => {
                self.place.as_ref().inspect(|place| place.read());
                Ok(piece)
            }
            Err(error) => Err(Error::new(
                ErrorKind::Protocol,
                phase,
                format!("the answer broke off: {}", failure::root_cause(&error)),
            )
            .with_status(self.status())
            .with_request_id(self.request_id())),
        }
    }

    pub(crate) fn too_large(&self, limit: usize, phase: Phase) -> Error {
        let advice = match phase {
            Phase::Token => "no token is; check token_url",
            _ => "raise max_body_bytes if that is right",
        };
        Error::new(
            ErrorKind::Protocol,
            phase,
            format!("the answer is larger than {limit} bytes; {advice}"),
        )
        .with_status(self.status())
        .with_request_id(self.request_id())
    }

    /// The error that a status other than 200 stands for. Reading the body never hides the
    /// status: HTML, empty, broken and stalled bodies are kept as far as they came, at most
    /// until `deadline`.
    pub(crate) async fn into_error(mut self, phase: Phase, deadline: Option<Instant>) -> Error {
        let body = self.read_beginning(deadline).await;
        failure::of_status(self.status(), self.headers(), &body, phase)
            .with_request_id(self.request_id())
    }

    /// The body of an answer that is known to be none, as far as an error keeps it.
    pub(crate) async fn beginning(mut self, deadline: Instant) -> Vec<u8> {
        self.read_beginning(Some(deadline)).await
    }

    async fn read_beginning(&mut self, deadline: Option<Instant>) -> Vec<u8> {
        let patience = Instant::now() + ERROR_BODY_LIMIT;
        let until = deadline.map_or(patience, |deadline| deadline.min(patience));
        let mut body = Vec::new();
        while let Ok(Ok(Some(piece))) = timeout_at(until, self.piece(Phase::Body)).await {
            let room = ERROR_BODY_BYTES - body.len();
            body.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.len() >= room {
                break;
            }
        }
        body
    }

    /// Lets the rest of a body whose content is known to be over arrive in the background, so
    /// that its connection can be reused; a body that goes on is cut off.
    pub(crate) fn drain(mut self) {
        tokio::spawn(tokio::time::timeout(DRAIN_LIMIT, async move {
            let mut rest = DRAIN_BYTES;
            while let Ok(Some(piece)) = self.response.chunk().await {
                rest = rest.saturating_sub(piece.len());
                if rest == 0 {
                    return;
                }
            }
        }));
    }
}
