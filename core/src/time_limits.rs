//! The time limits of a request, kept for a provider that has no clock of its own: one that a program
//! wrote in another language. `GigaChat` keeps them itself, and says more.
//!
//! The limits mean what they mean for the service: `timeout` bounds a whole answer, of a stream its
//! first content; `deadline` the same, whatever the attempts; `idle_timeout` (the timeout, when there
//! is none) each pause of a stream after that; `stream_timeout` the whole stream. What comes later is
//! nobody's: the work is dropped.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::request::CallOptions;
use crate::response::StreamEnd;
use crate::stream::EventSink;

/// A limit: the option that it comes from, how long it is, and what it bounds.
#[derive(Clone, Copy)]
struct Limit {
    option: &'static str,
    phase: Phase,
    time: Duration,
}

/// Awaits a whole answer of the provider of this name within the limits of its request.
pub async fn whole<T>(
    name: &str,
    options: &CallOptions,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(limit) = until_answer(options, Phase::Answer) else {
        return work.await;
    };
    match timeout(limit.time, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(late(name, limit)),
    }
}

/// Awaits a stream, whose parts the provider pushes into (a twin of) `sink`, within the limits of its
/// request.
pub async fn in_parts(
    name: &str,
    options: &CallOptions,
    sink: &EventSink,
    work: impl Future<Output = Result<StreamEnd>>,
) -> Result<StreamEnd> {
    sink.note_times();
    let begun = Instant::now();
    let mut work = pin!(work);
    loop {
        let Some((at, limit)) = present_limit(options, sink, begun) else {
            return work.await;
        };
        tokio::select! {
            biased;
            end = &mut work => return end,
            () = sleep_until(at) => {}
        }
        // What was pushed meanwhile moves a limit on.
        let (at, limit) = present_limit(options, sink, begun).unwrap_or((at, limit));
        if at <= Instant::now() {
            let error = late(name, limit);
            return Err(match sink.has_delivered() {
                true => error.with_partial_text(sink.delivered_text()),
                false => error,
            });
        }
    }
}

/// What bounds an answer, or the first content of one.
fn until_answer(options: &CallOptions, phase: Phase) -> Option<Limit> {
    let named = |option, time: Option<Duration>| {
        time.map(|time| Limit {
            option,
            phase,
            time,
        })
    };
    let limits = [
        named("timeout", options.timeout),
        named("deadline", options.deadline),
    ];
    limits.into_iter().flatten().min_by_key(|limit| limit.time)
}

/// The limit that passes next, and when.
fn present_limit(
    options: &CallOptions,
    sink: &EventSink,
    begun: Instant,
) -> Option<(Instant, Limit)> {
    let first = match sink.last_heard() {
        None => until_answer(options, Phase::FirstContent).map(|limit| (begun + limit.time, limit)),
        Some(heard) => options
            .idle_timeout
            .map(|time| ("idle_timeout", time))
            .or(options.timeout.map(|time| ("timeout", time)))
            .map(|(option, time)| {
                let phase = Phase::Idle;
                let limit = Limit {
                    option,
                    phase,
                    time,
                };
                (Instant::from_std(heard) + time, limit)
            }),
    };
    let total = options.stream_timeout.map(|time| {
        let limit = Limit {
            option: "stream_timeout",
            phase: Phase::Total,
            time,
        };
        (begun + time, limit)
    });
    [first, total]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
}

fn late(name: &str, limit: Limit) -> Error {
    let seconds = limit.time.as_secs_f64();
    let what = match limit.phase {
        Phase::FirstContent => format!("no content from {name} within {seconds} s"),
        Phase::Idle => format!("{name} sent no content for {seconds} s in the middle of a stream"),
        Phase::Total => format!("the stream of {name} was not complete within {seconds} s"),
        _ => format!("no answer from {name} within {seconds} s"),
    };
    let text = format!("{what}, this request's {}", limit.option);
    Error::new(ErrorKind::Timeout, limit.phase, text)
        .with_retryable(true)
        .with_attempts(1)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::{in_parts, whole};
    use crate::chunk::StreamEvent;
    use crate::error::{ErrorKind, Phase};
    use crate::process::Era;
    use crate::request::CallOptions;
    use crate::response::StreamEnd;
    use crate::stream::{EventSink, EventStream};

    const MS: Duration = Duration::from_millis(1);

    fn pipe() -> (EventSink, EventStream) {
        crate::stream::pipe(1024, Default::default(), Era::default(), None)
    }

    fn limits(set: impl FnOnce(&mut CallOptions)) -> CallOptions {
        let mut options = CallOptions::default();
        set(&mut options);
        options
    }

    #[tokio::test]
    async fn a_whole_answer_ends_by_the_shorter_of_timeout_and_deadline() {
        let cases = [
            (Some(70), None, "within 0.07 s, this request's timeout"),
            (None, Some(30), "within 0.03 s, this request's deadline"),
            (Some(70), Some(30), "within 0.03 s, this request's deadline"),
        ];
        for (timeout, deadline, text) in cases {
            let options = limits(|options| {
                options.timeout = timeout.map(|ms| ms * MS);
                options.deadline = deadline.map(|ms| ms * MS);
            });
            let error = whole::<()>("mine", &options, pending()).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.phase()),
                (ErrorKind::Timeout, Phase::Answer)
            );
            assert_eq!(error.to_string(), format!("no answer from mine {text}"));
        }
    }

    #[tokio::test]
    async fn without_a_limit_an_answer_may_take_any_time() {
        let options = CallOptions::default();
        let slow = async {
            tokio::time::sleep(30 * MS).await;
            Ok(7)
        };
        assert_eq!(whole("mine", &options, slow).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_stream_without_content_ends_by_the_timeout() {
        let options = limits(|options| options.timeout = Some(30 * MS));
        let (sink, _reader) = pipe();
        let error = in_parts("mine", &options, &sink, pending())
            .await
            .unwrap_err();
        assert_eq!(error.phase(), Phase::FirstContent);
        assert!(error.partial_text().is_none());
    }

    async fn texts_for_ever(mut sink: EventSink) -> crate::error::Result<StreamEnd> {
        loop {
            sink.push_now(StreamEvent::Text("a".to_owned()));
            tokio::time::sleep(5 * MS).await;
        }
    }

    #[tokio::test]
    async fn a_stream_that_stops_ends_by_the_idle_timeout_with_what_came() {
        let options = limits(|options| {
            options.timeout = Some(60_000 * MS);
            options.idle_timeout = Some(20 * MS);
        });
        let (mut sink, _reader) = pipe();
        sink.note_times();
        sink.push_now(StreamEvent::Text("a".to_owned()));
        let error = in_parts("mine", &options, &sink, pending())
            .await
            .unwrap_err();
        assert_eq!(error.phase(), Phase::Idle);
        assert_eq!(error.partial_text(), Some("a"));
    }

    #[tokio::test]
    async fn a_stream_that_goes_on_for_ever_ends_by_the_stream_timeout() {
        let options = limits(|options| options.stream_timeout = Some(50 * MS));
        let (sink, _reader) = pipe();
        let work = texts_for_ever(sink.twin());
        let error = in_parts("mine", &options, &sink, work).await.unwrap_err();
        assert_eq!(error.phase(), Phase::Total);
        assert!(error.partial_text().unwrap().starts_with('a'));
    }
}
