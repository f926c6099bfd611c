//! Reads a stream to its end and keeps what came.

use std::sync::Arc;

use gigachat::{Client, Error, EventStream, Next, Request, StreamEnd, StreamEvent};

/// Everything that a reader got.
pub struct Read {
    pub events: Vec<StreamEvent>,
    /// How it ended, or why it broke.
    pub end: Result<Arc<StreamEnd>, Error>,
}

impl Read {
    /// The texts, one per event.
    pub fn texts(&self) -> Vec<&str> {
        self.events
            .iter()
            .filter_map(|event| match event {
                StreamEvent::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub fn text(&self) -> String {
        self.texts().concat()
    }

    /// How it ended; fails the test if it broke.
    #[track_caller]
    pub fn complete(&self) -> &StreamEnd {
        match &self.end {
            Ok(end) => end,
            Err(error) => panic!("the stream broke after {:?}: {error:?}", self.text()),
        }
    }

    /// Why it broke; fails the test if it did not.
    #[track_caller]
    pub fn broken(&self) -> &Error {
        match &self.end {
            Ok(end) => panic!("the stream was complete: {:?}, {end:?}", self.text()),
            Err(error) => error,
        }
    }
}

/// Streams a prompt and reads it all.
pub fn stream(client: &Client, prompt: &str) -> Read {
    stream_request(client, Request::prompt(prompt))
}

pub fn stream_request(client: &Client, request: Request) -> Read {
    read(&client.stream(request).expect("the library is in use"))
}

/// Reads what is left of a stream.
pub fn read(stream: &EventStream) -> Read {
    let mut events = Vec::new();
    loop {
        match stream.next(None) {
            Ok(Next::Event(event)) => events.push(event),
            Ok(Next::End) => {
                let end = stream.end().expect("a stream that ended has an end");
                return Read {
                    events,
                    end: Ok(end),
                };
            }
            Ok(Next::NothingYet) => panic!("nothing, although there was no limit to the wait"),
            Err(error) => {
                return Read {
                    events,
                    end: Err(error),
                };
            }
        }
    }
}

/// Waits for the next event, which must be text.
#[track_caller]
pub fn next_text(stream: &EventStream) -> String {
    match stream.next(None) {
        Ok(Next::Event(StreamEvent::Text(text))) => text,
        other => panic!("not a text: {other:?}"),
    }
}
