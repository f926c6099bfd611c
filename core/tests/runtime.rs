//! The library's runtime from outside: any number of executors, no executor at all, shutdown and use
//! after it. The tests of this file run one after another, since they share that runtime.

#[path = "service/support/mod.rs"]
mod support;

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use gigachat::{ErrorKind, Request, shutdown};
use gigachat_emulator::{Action, Endpoint};
use support::reading::{next_text, read};
use support::{SOON, at_once, on_both_wires, on_both_wires_unlimited};

/// One test at a time, over one protocol at a time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor that there is.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

#[test]
fn a_call_is_joined_awaited_and_polled_on_any_executor() {
    on_both_wires_unlimited(|service| {
        let _alone = alone();
        let client = service.client_with(|config| config.set_max_concurrency(0).unwrap());
        client.generate("joined").join().unwrap();
        block_on(client.generate("awaited by a tiny executor")).unwrap();
        at_once(8, |_| {
            block_on(client.generate("by eight of them")).unwrap()
        });
        for flavour in [1, 2] {
            let mut builder = match flavour {
                1 => tokio::runtime::Builder::new_current_thread(),
                _ => tokio::runtime::Builder::new_multi_thread(),
            };
            // Neither I/O nor time of the caller's runtime is needed.
            let runtime = builder.build().unwrap();
            runtime.block_on(async {
                let calls: Vec<_> = (0..10)
                    .map(|_| tokio::spawn(client.generate("in a task")))
                    .collect();
                for call in calls {
                    call.await.unwrap().unwrap();
                }
                let stream = client.stream(Request::prompt("count to 20")).unwrap();
                let mut events = 0;
                while stream.next_event().await.unwrap().is_some() {
                    events += 1;
                }
                assert!(events > 2);
                assert!(stream.end().is_some());
            });
        }
    });
}

#[test]
fn waiting_with_a_limit_leaves_the_call_as_it_is() {
    on_both_wires(|service| {
        let _alone = alone();
        let client = service.client();
        client.models().join().unwrap();
        service.once(Endpoint::Chat, Action::DelayHeaders { ms: 300 });
        let call = client.generate("hello");
        assert!(!call.wait(Some(Duration::from_millis(20))).unwrap());
        assert!(call.take().is_none() && !call.has_ended());
        assert!(call.wait(Some(SOON)).unwrap());
        assert!(call.has_ended());
        call.take().unwrap().unwrap();
        assert_eq!(
            call.take().unwrap().unwrap_err().kind(),
            ErrorKind::InvalidRequest
        );
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let stream = client.stream(Request::prompt("stall")).unwrap();
        next_text(&stream);
        let next = stream.next(Some(Duration::from_millis(20))).unwrap();
        assert!(matches!(next, gigachat::Next::NothingYet));
    });
}

#[test]
fn a_future_that_is_dropped_cancels_its_call() {
    on_both_wires(|service| {
        let _alone = alone();
        let client = service.client();
        client.models().join().unwrap();
        service.once(Endpoint::Chat, Action::DelayHeaders { ms: 600_000 });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let task = tokio::spawn(client.generate("aborted"));
            tokio::task::yield_now().await;
            service.sees("the call", |now| now.in_flight == 1);
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        service.sees("it gone", |now| {
            now.cancelled_requests == 1 && now.in_flight == 0
        });
    });
}

#[test]
fn shutdown_ends_running_calls_and_streams_as_cancelled_and_closes_connections() {
    on_both_wires_unlimited(|service| {
        let _alone = alone();
        let client = service.client_with(|config| config.set_max_concurrency(0).unwrap());
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 600_000 });
        service.always(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let calls: Vec<_> = (0..10).map(|_| client.generate("never answered")).collect();
        let stream = client.stream(Request::prompt("stall")).unwrap();
        next_text(&stream);
        service.sees("the calls", |now| now.in_flight == 11);
        let begun = Instant::now();
        shutdown(SOON).unwrap();
        println!("shutdown over {:?}: {:?}", service.wire, begun.elapsed());
        for call in calls {
            assert!(call.has_ended());
            assert_eq!(call.join().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        let end = read(&stream);
        assert_eq!(end.broken().kind(), ErrorKind::Cancelled);
        service.sees("every connection closed", |now| now.connections_open == 0);
        shutdown(SOON).unwrap();
    });
}

#[test]
fn the_library_can_be_used_again_after_a_shutdown_with_the_same_providers() {
    on_both_wires(|service| {
        let _alone = alone();
        let client = service.client();
        for round in 1..=5 {
            client.generate("hello").join().unwrap();
            let stream = client.stream(Request::prompt("count to 20")).unwrap();
            read(&stream).complete();
            assert_eq!(
                service.counters().token_requests,
                1,
                "round {round}: the token is kept"
            );
            shutdown(SOON).unwrap();
            assert_eq!(
                read(&stream).events.len(),
                0,
                "what ended stays as it ended"
            );
            assert!(stream.end().is_some());
        }
        client.health_check(None).join().unwrap();
    });
}

#[test]
fn calls_during_a_shutdown_are_refused_or_cancelled_and_calls_after_it_work() {
    on_both_wires_unlimited(|service| {
        let _alone = alone();
        let client = service.client_with(|config| config.set_max_concurrency(0).unwrap());
        client.generate("warm").join().unwrap();
        thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut answered = 0;
                        for _ in 0..50 {
                            match client.generate("hello").join() {
                                Ok(_) => answered += 1,
                                Err(error) => {
                                    let kind = error.kind();
                                    let expected = [ErrorKind::Shutdown, ErrorKind::Cancelled];
                                    assert!(expected.contains(&kind), "{error:?}");
                                }
                            }
                        }
                        answered
                    })
                })
                .collect();
            for _ in 0..5 {
                thread::sleep(Duration::from_millis(10));
                shutdown(SOON).unwrap();
            }
            let answered: usize = callers
                .into_iter()
                .map(|caller| caller.join().unwrap())
                .sum();
            println!("{answered} of 200 were answered");
        });
        client.generate("after").join().unwrap();
        shutdown(SOON).unwrap();
    });
}

#[test]
fn concurrent_shutdowns_end_together() {
    on_both_wires(|service| {
        let _alone = alone();
        service.client().generate("hello").join().unwrap();
        for outcome in at_once(4, |_| shutdown(SOON)) {
            outcome.unwrap();
        }
    });
}
