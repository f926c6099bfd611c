//! The JSON request: what is accepted is sent as one valid JSON object without a key twice, and
//! is accepted again as it was sent.
//!
//! Input: parts divided by the byte 0x1e (record separator). The first is the request's JSON; of
//! each other part the first letter says what is done with the rest: `m` message, `f` function,
//! `r` function result, `s` field (`name=value`), `o` model, `p` text message, `t` temperature,
//! `n` max_tokens, `x` stop sequence.

use gigachat::{Params, Request, fuzzing};
use serde_json::value::RawValue;

const DIVIDER: u8 = 0x1e;

/// Builds a request as a program does; checks the bytes that are sent.
pub fn check(input: &[u8]) {
    let mut parts = input.split(|byte| *byte == DIVIDER);
    let first = parts.next().unwrap_or_default();
    let Some(mut request) = text(first).and_then(|json| Request::from_json(json).ok()) else {
        return;
    };
    let mut params = Params::new();
    for part in parts.filter_map(text) {
        change(&mut request, &mut params, part);
    }
    for stream in [false, true] {
        let sent = fuzzing::wire_body(&request, "GigaChat", stream).expect("it has messages");
        let sent = std::str::from_utf8(&sent).expect("JSON is UTF-8");
        let _: &RawValue = serde_json::from_str(sent).expect("JSON is sent");
        let again = Request::from_json(sent).expect("what is sent would be accepted");
        let repeated = fuzzing::wire_body(&again, "another model", stream).expect("likewise");
        assert_eq!(sent.as_bytes(), repeated, "what was sent is sent again");
    }
    let _ = format!("{request:?}");
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Refusals are the request's right.
fn change(request: &mut Request, params: &mut Params, part: &str) {
    let Some(what) = part.chars().next() else {
        return;
    };
    let rest = &part[what.len_utf8()..];
    let _ = match what {
        'm' => request.add_message_json(rest),
        'f' => request.add_function(rest),
        'o' => request.set_model(rest),
        'r' => request.add_function_result("weather", rest),
        's' => match rest.split_once('=') {
            Some((name, value)) => request.set_field(name, value),
            None => Ok(()),
        },
        't' => rest.parse().map_or(Ok(()), |temperature| {
            let set = params.set_temperature(temperature);
            request.set_params(params.clone());
            set
        }),
        'n' => rest.parse().map_or(Ok(()), |tokens| {
            let set = params.set_max_tokens(tokens);
            request.set_params(params.clone());
            set
        }),
        'x' => params.add_stop(rest),
        'p' => {
            request.add_message("user", rest);
            Ok(())
        }
        _ => Ok(()),
    };
}
