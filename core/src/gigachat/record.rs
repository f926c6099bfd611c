//! What the log says of one call: one record at its end, whichever end that is.

use std::time::Instant;

use super::session::Session;
use crate::error::Error;
use crate::response::{CallReport, TokenUsage};
use crate::tracing_scope::traced_here;

/// The call's record, written when the call ends, or when it is dropped before that.
pub(super) struct CallRecord<'a> {
    session: &'a Session,
    operation: &'static str,
    streams: bool,
    /// Known only if somebody listens to it.
    request_id: Option<String>,
    begun: Instant,
    ended: bool,
}

impl<'a> CallRecord<'a> {
    pub(super) fn begin(
        session: &'a Session,
        operation: &'static str,
        streams: bool,
        request_id: &str,
    ) -> CallRecord<'a> {
        let heard = tracing::enabled!(target: "gigachat::call", tracing::Level::DEBUG);
        CallRecord {
            session,
            operation,
            streams,
            request_id: heard.then(|| request_id.to_owned()),
            begun: Instant::now(),
            ended: false,
        }
    }

    /// The call was answered.
    pub(super) fn answered(mut self, report: &CallReport, usage: Option<TokenUsage>) {
        self.ended = true;
        let times = &report.timings;
        tracing::debug!(target: "gigachat::call", provider = %self.session.config.name,
            operation = self.operation, stream = self.streams, request_id = %report.request_id,
            status = 200, attempts = report.attempts, duration_ms = times.total.as_millis() as u64,
            queue_ms = times.queue.as_millis() as u64, token_ms = times.token.as_millis() as u64,
            prompt_tokens = usage.map(|usage| usage.prompt_tokens),
            completion_tokens = usage.map(|usage| usage.completion_tokens), "request answered");
    }

    /// The call failed. Without content: the error's text is the service's.
    pub(super) fn failed(mut self, error: &Error) {
        self.ended = true;
        tracing::warn!(target: "gigachat::call", provider = %self.session.config.name,
            operation = self.operation, stream = self.streams, kind = error.kind().name(),
            phase = error.phase().name(), status = error.status(), request_id = error.request_id(),
            attempts = error.attempts(), duration_ms = self.begun.elapsed().as_millis() as u64,
            "request failed");
    }
}

impl Drop for CallRecord<'_> {
    /// A call that is given up by its caller is dropped where it stands, maybe on the caller's thread.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        traced_here(|| {
            tracing::debug!(target: "gigachat::call", provider = %self.session.config.name,
                operation = self.operation, stream = self.streams, request_id = self.request_id,
                duration_ms = self.begun.elapsed().as_millis() as u64, "request given up by its caller");
        });
    }
}
