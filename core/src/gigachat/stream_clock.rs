//! The time limits of a stream (I3): until its first content, between contents, in total.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::progress::Progress;
use crate::error::{Phase, Result};
use crate::stream::EventSink;
use crate::transport::Answer;

/// The time limits of a stream (I3).
pub(super) struct Clock {
    heard: bool,
    idle: Duration,
    /// Since when content is waited for; `None` while what has arrived is being read.
    silent_since: Option<Instant>,
    total: Option<(Instant, Duration)>,
    /// Goes off not later than the present limit. Limits only ever move on, so it is set anew
    /// when it has gone off, instead of for every piece that arrives.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// What a limit is called, and how long it is.
type Limit = (Phase, Duration);

impl Clock {
    pub(super) fn new(progress: &Progress<'_>) -> Clock {
        let config = &progress.session.config;
        let idle = progress.options.idle_timeout.or(config.idle_timeout);
        Clock {
            heard: false,
            idle: idle.unwrap_or(progress.timeout),
            silent_since: None,
            total: progress
                .total
                .map(|limit| (progress.permitted + limit, limit)),
            alarm: None,
        }
    }

    pub(super) fn heard_content(&mut self, progress: &mut Progress<'_>) {
        if !self.heard {
            self.heard = true;
            progress.first_content();
        }
        self.silent_since = None;
    }

    pub(super) fn restart_silence(&mut self) {
        self.silent_since = None;
    }

    /// The next piece, unless the first content, the next content or the whole is late.
    pub(super) async fn read(
        &mut self,
        answer: &mut Answer,
        progress: &Progress<'_>,
    ) -> Result<Option<Bytes>> {
        if !self.heard {
            return progress
                .within(Phase::FirstContent, answer.piece(Phase::Body))
                .await;
        }
        // A stream that never pauses would never let a wait time out.
        if let Some((at, limit)) = self.total
            && at <= Instant::now()
        {
            return Err(progress.timed_out(Phase::Total, limit));
        }
        let mut piece = pin!(answer.piece(Phase::Body));
        poll_fn(|context| {
            if let Poll::Ready(piece) = piece.as_mut().poll(context) {
                return Poll::Ready(piece);
            }
            let (phase, limit) = ready!(self.poll_limit(context));
            Poll::Ready(Err(progress.timed_out(phase, limit)))
        })
        .await
    }

    /// Waits until the present limit has passed.
    fn poll_limit(&mut self, context: &mut Context<'_>) -> Poll<Limit> {
        let silent_since = *self.silent_since.get_or_insert_with(Instant::now);
        let silence = (silent_since + self.idle, (Phase::Idle, self.idle));
        let (at, limit) = match self.total {
            Some((at, limit)) if at < silence.0 => (at, (Phase::Total, limit)),
            _ => silence,
        };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
        loop {
            ready!(alarm.as_mut().poll(context));
            if at <= Instant::now() {
                return Poll::Ready(limit);
            }
            alarm.as_mut().reset(at);
        }
    }

    /// Waits for room for one more event; a sleeping reader does not outlast the total limit.
    pub(super) async fn room(&self, sink: &EventSink, progress: &Progress<'_>) -> Result<()> {
        let Some((at, limit)) = self.total else {
            sink.room().await;
            return Ok(());
        };
        match timeout_at(at, sink.room()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(progress.timed_out(Phase::Total, limit)),
        }
    }
}
