//! The service's answers: any status, headers and body give a result or an error, never more.
//!
//! Input: written like HTTP. The status, header lines, an empty line, the body; every parser of
//! bodies gets it.

use gigachat::fuzzing::{self, CannedAnswer};
use gigachat::{ErrorKind, parse_chunk, parse_named_event};

/// Small, so that the bound is met.
const LARGEST_BODY: usize = 4096;

/// Feeds every parser of answers; checks what the results promise.
pub fn check(input: &[u8]) {
    let Some((status, headers, body)) = http(input) else {
        return;
    };
    completion(body);
    let _ = fuzzing::model(body);
    for model in fuzzing::models(body).unwrap_or_default() {
        // As it came, unless the list could only be read once it was mended.
        assert!(serde_json::from_str::<&serde_json::value::RawValue>(&model.raw).is_ok());
    }
    let _ = parse_chunk(body, None);
    let _ = parse_named_event(b"response.message.done", body, None);
    exchange(&CannedAnswer {
        status,
        headers: &headers,
        body,
    });
}

type Header<'a> = (&'a [u8], &'a [u8]);

fn http(input: &[u8]) -> Option<(u16, Vec<Header<'_>>, &[u8])> {
    let mut rest = input;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, later) = rest.split_at(end);
        rest = &later[1..];
        Some(line)
    };
    let status = std::str::from_utf8(line()?).ok()?.parse().ok()?;
    let mut headers = Vec::new();
    while let Some(header) = line().filter(|header| !header.is_empty()) {
        let colon = header.iter().position(|byte| *byte == b':')?;
        headers.push((&header[..colon], header[colon + 1..].trim_ascii()));
    }
    (100..=999)
        .contains(&status)
        .then_some((status, headers, rest))
}

/// I7: what is delivered of a whole answer is what is delivered of it in pieces.
fn completion(body: &[u8]) {
    let Ok(whole) = fuzzing::completion(body, &[]) else {
        return;
    };
    let came = String::from_utf8_lossy(body);
    let came = came.strip_prefix('\u{feff}').unwrap_or(&came);
    assert_eq!(whole.raw, came, "the JSON is kept as it came");
    for call in &whole.function_calls {
        let _ = call.arguments.len();
    }
    // Stop sequences that may occur: the answer's own words, and parts of them.
    let mut words = whole.text.split(' ').filter(|word| !word.is_empty());
    let Some(last) = words.next_back() else {
        return;
    };
    let part: String = last.chars().skip(1).collect();
    let stops: Vec<String> = [last, part.as_str(), "\n\n"]
        .into_iter()
        .filter(|stop| !stop.is_empty())
        .map(str::to_owned)
        .collect();
    let cut = fuzzing::completion(body, &stops).expect("it was one without stop sequences");
    let (pieces, met) = fuzzing::stopped(characters(&whole.text), &stops);
    assert!(met, "{last:?} occurs");
    assert_eq!(pieces, cut.text, "in pieces and whole");
    assert_eq!(cut.finish_reason, "stop");
}

fn characters(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices()
        .map(|(at, character)| &text[at..at + character.len_utf8()])
}

fn exchange(canned: &CannedAnswer<'_>) {
    match fuzzing::answer(canned, LARGEST_BODY) {
        Ok(body) => assert_eq!((canned.status, body.as_slice()), (200, canned.body)),
        Err(error) => {
            assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
            assert_eq!(error.status(), Some(canned.status));
            assert!(error.body().len() <= 64 * 1024);
            assert!(canned.body.starts_with(error.body()), "the body as it came");
            let _ = (error.to_string(), format!("{error:?}"), error.retry_after());
        }
    }
    if let Err(error) = fuzzing::token(canned) {
        assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
        let _ = error.to_string();
    }
}
