//! I7: `stop` works although the service has no such field, and temperature 0 is accepted.

use crate::support::reading::stream_request;
use crate::support::{Service, on_both_wires};
use gigachat::{Request, StreamEvent};
use gigachat_emulator::{Action, Answer, Endpoint};

fn request(stops: &[&str]) -> Request {
    let mut request = Request::prompt("speak");
    for stop in stops {
        request.params_mut().add_stop(stop).unwrap();
    }
    request
}

fn script(service: &Service, chunks: &[&str]) {
    let chunks = chunks.iter().map(|chunk| (*chunk).to_owned()).collect();
    service.script_answer(Answer::Chunks(chunks));
}

#[test]
fn output_ends_before_the_first_stop_sequence_wherever_chunks_are_cut() {
    // I7
    on_both_wires(|service| {
        let client = service.client();
        let cases: [(&[&str], &[&str], &str); 8] = [
            (&["one STOP two"], &["STOP"], "one "),
            (&["one ", "ST", "OP", " two"], &["STOP"], "one "),
            (&["one S", "T", "O", "P two"], &["STOP"], "one "),
            (&["one ", "STSTOP two"], &["STOP"], "one ST"),
            (&["раз ", "ко", "нец два"], &["конец"], "раз "),
            (&["a", "b", "c", "d"], &["cd", "bc"], "a"),
            (&["STOP"], &["STOP"], ""),
            (&["🎉🎊", "🎉🎊", "x"], &["🎊x"], "🎉🎊🎉"),
        ];
        for (chunks, stops, expected) in cases {
            script(service, chunks);
            let read = stream_request(&client, request(stops));
            assert_eq!(read.text(), expected, "{chunks:?}");
            let end = read.complete();
            assert_eq!(end.finish_reason, "stop", "{chunks:?}");
            assert_eq!(end.usage, None, "the stream was ended: nobody counted it");
            let sent_usage = read
                .events
                .iter()
                .any(|event| matches!(event, StreamEvent::Usage(_)));
            assert!(!sent_usage, "{chunks:?}");
            script(service, chunks);
            let whole = client.chat(request(stops)).join().unwrap();
            assert_eq!(
                (whole.text.as_str(), whole.finish_reason.as_str()),
                (expected, "stop")
            );
        }
    });
}

#[test]
fn a_stream_is_aborted_at_its_stop_sequence_and_its_permit_is_free() {
    // I7, I5: the service would go on for ever.
    on_both_wires(|service| {
        let client = service.client();
        script(service, &["one ", "END", "two"]);
        service.once(Endpoint::Stream, Action::StallAfter { chunks: 2 });
        let read = stream_request(&client, request(&["END"]));
        assert_eq!(read.text(), "one ");
        assert_eq!(read.complete().finish_reason, "stop");
        service.sees("the stream aborted", |now| now.cancelled_streams == 1);
        client.generate("next").join().unwrap();
        assert_eq!(service.counters().rejected_429, 0);
    });
}

#[test]
fn the_beginning_of_a_stop_sequence_that_is_not_completed_is_delivered() {
    // I7: at the end, and before a break.
    on_both_wires(|service| {
        let client = service.client();
        script(service, &["one ", "EN"]);
        let read = stream_request(&client, request(&["END"]));
        assert_eq!(read.text(), "one EN");
        assert!(read.complete().usage.is_some());
        script(service, &["one ", "EN", "x"]);
        assert_eq!(stream_request(&client, request(&["END"])).text(), "one ENx");
        script(service, &["one ", "EN", "D"]);
        service.once(
            Endpoint::Stream,
            Action::CutAfter {
                chunks: 2,
                reset: false,
            },
        );
        let read = stream_request(&client, request(&["END"]));
        assert_eq!(read.text(), "one EN");
        assert_eq!(read.broken().partial_text(), Some("one EN"));
    });
}

#[test]
fn held_text_comes_before_what_follows_it() {
    // I6: parts are delivered in the order of the service.
    on_both_wires(|service| {
        let delta = |delta: &str| format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n");
        let call = r#"{"function_call":{"name":"f","arguments":{}}}"#;
        let events = [
            delta(r#"{"content":"one EN"}"#),
            delta(call),
            "data: [DONE]\n\n".to_owned(),
        ];
        service.script_answer(Answer::RawSse(events.to_vec()));
        let read = stream_request(&service.client(), request(&["END"]));
        read.complete();
        assert_eq!(read.text(), "one EN");
        assert!(
            matches!(read.events.last(), Some(StreamEvent::FunctionCall(_))),
            "{:?}",
            read.events
        );
    });
}

#[test]
fn without_the_stop_sequence_the_answer_is_whole() {
    on_both_wires(|service| {
        let client = service.client();
        script(service, &["one ", "two"]);
        let read = stream_request(&client, request(&["three"]));
        assert_eq!(read.text(), "one two");
        let mut short = request(&["three"]);
        short.params_mut().set_max_tokens(1).unwrap();
        let whole = client.chat(short).join().unwrap();
        assert_eq!(
            whole.finish_reason, "length",
            "the service's own reason stays"
        );
    });
}

#[test]
fn temperature_zero_is_sent_as_the_lowest_that_the_service_takes_and_stop_is_not_sent() {
    // I7: the emulator refuses 0 as the service does.
    on_both_wires(|service| {
        let client = service.client();
        let mut zero = request(&["x"]);
        zero.params_mut().set_temperature(0.0).unwrap();
        client.chat(zero.clone()).join().unwrap();
        stream_request(&client, zero).complete();
        let json = r#"{"messages":[{"role":"user","content":"x"}],"temperature":0.0,"stop":"y"}"#;
        client
            .chat(Request::from_json(json).unwrap())
            .join()
            .unwrap();
        let requests = service.requests();
        let chats = requests
            .iter()
            .filter(|request| request.path.ends_with("/completions"));
        let bodies: Vec<_> = chats.map(|request| request.json()).collect();
        assert_eq!(bodies.len(), 3);
        for body in bodies {
            assert_eq!(body["temperature"], 0.0001);
            assert_eq!(body.get("stop"), None);
        }
    });
}
