//! What the log says of calls: one record at the end of each, whatever its end is, and each step at
//! the level TRACE. No content, no secret: `secrets.rs`.

#[path = "service/support/mod.rs"]
mod support;

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use gigachat::Request;
use gigachat_emulator::{Action, Endpoint, Options};
use support::reading::stream;
use support::{SOON, Service, Wire};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

struct Listener;

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("gigachat::")
    }

    fn event(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let mut line = format!("{} {}", metadata.level(), metadata.target());
        event.record(&mut Text(&mut line));
        SAID.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Runs a test alone, listening.
fn listening(test: impl FnOnce(&Service)) {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let service = Service::start(Wire::Http2, Options::default());
    SAID.lock().unwrap().clear();
    test(&service);
}

/// What has been said with these words so far.
fn records(words: &[&str]) -> Vec<String> {
    let said = SAID.lock().unwrap();
    let says = |line: &&String| words.iter().all(|word| line.contains(word));
    said.iter().filter(says).cloned().collect()
}

#[track_caller]
fn has(line: &str, fields: &[&str]) {
    for field in fields {
        assert!(line.contains(field), "{field} is not in: {line}");
    }
}

#[test]
fn a_call_that_is_answered_leaves_one_record_of_how_it_went() {
    listening(|service| {
        service.once(Endpoint::Chat, Action::status(500));
        service.client().generate("x").join().unwrap();
        let told = records(&["gigachat::call", "request answered"]);
        assert_eq!(told.len(), 1, "{told:?}");
        let fields = [
            "DEBUG ",
            "provider=gigachat",
            "operation=\"chat\"",
            "stream=false",
            "status=200",
            "attempts=2",
            "duration_ms=",
            "prompt_tokens=",
            "completion_tokens=",
        ];
        has(&told[0], &fields);
        stream(&service.client(), "x").complete();
        let told = records(&["gigachat::call", "request answered"]);
        assert_eq!(told.len(), 2, "{told:?}");
        has(&told[1], &["stream=true", "attempts=1", "prompt_tokens="]);
        service.client().models().join().unwrap();
        let told = records(&["request answered", "operation=\"models\""]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(!told[0].contains("tokens"), "{told:?}");
    });
}

#[test]
fn a_call_that_fails_leaves_one_warning_wherever_it_ends() {
    listening(|service| {
        service.once(Endpoint::Chat, Action::status(400));
        service.client().generate("x").join().unwrap_err();
        let told = records(&["request failed"]);
        assert_eq!(told.len(), 1, "{told:?}");
        let fields = [
            "WARN gigachat::call",
            "status=400",
            "attempts=1",
            "duration_ms=",
        ];
        has(&told[0], &fields);
        // Without a permit nothing is sent; that is a record all the same.
        let client = service.client();
        service.always(Endpoint::Stream, Action::StallAfter { chunks: 1 });
        let held = client.stream(Request::prompt("x")).unwrap();
        held.next(Some(SOON)).unwrap();
        let mut impatient = Request::prompt("x");
        impatient
            .set_queue_timeout(Duration::from_millis(5))
            .unwrap();
        client.chat(impatient).join().unwrap_err();
        let told = records(&["request failed", "phase=\"queue\""]);
        assert_eq!(told.len(), 1, "{told:?}");
        has(&told[0], &["attempts=0"]);
    });
}

#[test]
fn a_call_that_is_given_up_leaves_a_record_too() {
    listening(|service| {
        service.always(Endpoint::Chat, Action::DelayHeaders { ms: 60_000 });
        let call = service.client().generate("x");
        service.sees("the request", |seen| seen.in_flight == 1);
        drop(call);
        let until = Instant::now() + SOON;
        while records(&["DEBUG gigachat::call", "given up", "request_id="]).is_empty() {
            assert!(Instant::now() < until, "no record of the end of the call");
            std::thread::yield_now();
        }
    });
}

#[test]
fn each_step_of_a_call_is_said_at_the_level_of_steps() {
    listening(|service| {
        service.stranger().generate("x").join().unwrap();
        for step in [
            "permit obtained",
            "a request goes out",
            "an answer begins",
            "new_connection=true",
        ] {
            assert!(!records(&["TRACE ", step]).is_empty(), "{step}");
        }
        let sent = records(&["a request goes out", "path="]);
        assert_eq!(sent.len(), 2, "token and answer: {sent:?}");
    });
}
