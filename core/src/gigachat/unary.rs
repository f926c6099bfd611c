//! Answers that come as a whole: completions and models.

use super::call::Consumer;
use super::progress::Progress;
use crate::error::{Phase, Result};
use crate::response::{CallReport, Model, Response};
use crate::transport::Answer;

/// A completion.
pub(super) struct Completion<'a> {
    pub(super) stops: &'a [String],
}

impl Consumer for Completion<'_> {
    type Output = Response;

    async fn consume(&mut self, answer: Answer, progress: &mut Progress<'_>) -> Result<Response> {
        let body = whole_body(answer, progress).await?;
        progress.first_content();
        if progress.session.config.log_content {
            tracing::trace!(target: "gigachat::content", body = %String::from_utf8_lossy(&body), "answer");
        }
        Response::parse(body, self.stops, progress.report())
    }
}

/// `GET /models`.
pub(super) struct ModelList;

impl Consumer for ModelList {
    type Output = (Vec<Model>, CallReport);

    async fn consume(
        &mut self,
        answer: Answer,
        progress: &mut Progress<'_>,
    ) -> Result<Self::Output> {
        let body = whole_body(answer, progress).await?;
        Ok((Model::parse_list(&body)?, progress.report()))
    }
}

/// `GET /models/{name}`.
pub(super) struct OneModel;

impl Consumer for OneModel {
    type Output = Model;

    async fn consume(&mut self, answer: Answer, progress: &mut Progress<'_>) -> Result<Model> {
        Model::parse(&whole_body(answer, progress).await?)
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
