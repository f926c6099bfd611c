//! Answers that come as a whole.

use tokio::time::Instant;

use super::call::Consumer;
use super::progress::Progress;
use crate::api::{Ask, Clock};
use crate::error::{Phase, Result};
use crate::response::{CallReport, Document, TokenUsage};
use crate::transport::Answer;

/// The document that answers this ask.
pub(super) struct Whole<'a>(pub(super) &'a Ask);

impl Consumer for Whole<'_> {
    type Output = Document;

    async fn consume(&mut self, answer: Answer, progress: &mut Progress<'_>) -> Result<Document> {
        let operation = self.0.operation();
        let content_type = answer.header("content-type").cloned();
        let body = match operation.clock {
            Clock::Transfer => transferred(answer, progress).await?,
            Clock::Call | Clock::Health => whole_body(answer, progress).await?,
        };
        progress.first_content();
        let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
        if progress.session.config.log_content && operation.clock != Clock::Transfer {
            tracing::trace!(target: "gigachat::content", body = %String::from_utf8_lossy(&body), "answer");
        }
        let document = Document::new(body, content_type.unwrap_or(""), progress.report());
        self.0.read(document)
    }

    fn told(output: &Document) -> (&CallReport, Option<TokenUsage>) {
        (&output.report, output.usage_and_model().0)
    }
}

/// The body of an answer that comes as a whole, within its bounds.
pub(super) async fn whole_body(answer: Answer, progress: &mut Progress<'_>) -> Result<Vec<u8>> {
    let limit = progress.session.config.max_body_bytes;
    let body = progress
        .within(Phase::Body, answer.bytes(limit, Phase::Body))
        .await?;
    progress.received();
    Ok(body)
}

/// The same with a bound on the silence between its pieces, not on its length.
async fn transferred(mut answer: Answer, progress: &mut Progress<'_>) -> Result<Vec<u8>> {
    let limit = progress.session.config.max_body_bytes;
    let mut body = Vec::new();
    loop {
        let silence = Instant::now() + progress.timeout;
        progress.deadline = progress.until.map_or(silence, |until| silence.min(until));
        let piece = progress
            .within(Phase::Body, answer.piece(Phase::Body))
            .await;
        match piece.map_err(|error| error.with_body(&body))? {
            Some(piece) if body.len() + piece.len() > limit => {
                return Err(answer.too_large(limit, Phase::Body));
            }
            Some(piece) => body.extend_from_slice(&piece),
            None => {
                progress.received();
                return Ok(body);
            }
        }
    }
}
