//! The table of a call's own options: what a request may set for itself beside its messages.
//! `Request::set`, `api/gigachat.json` and every binding's names come from these rows.

use super::Request;
use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::limits::{self, CALL_TIME, LONG_TIME, TOKENS};
use crate::option_table::{self, OptionInfo, Row, Unit};

type OptionRow = Row<Request, Error>;

static ROWS: &[OptionRow] = &[
    OptionRow::text("model", Unit::Text, Request::set_model)
        .accepts("a model's name")
        .default("the provider's")
        .doc("The model that answers."),
    OptionRow::number("temperature", |request, number| {
        request.params.set_temperature(number)
    })
    .range(0.0, 2.0)
    .default("the model's")
    .doc("0 is the most deterministic; it is sent as 0.0001, the least that the service takes."),
    OptionRow::whole("max_tokens", Unit::Count, TOKENS, |request, tokens| {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        request.params.set_max_tokens(tokens)
    })
    .default("the model's")
    .doc("The most tokens that the answer may have."),
    OptionRow::number("top_p", |request, number| request.params.set_top_p(number))
        .range(0.0, 1.0)
        .default("the model's")
        .doc("Nucleus sampling."),
    OptionRow::number("repetition_penalty", |request, number| {
        request.params.set_repetition_penalty(number)
    })
    .accepts("above 0")
    .default("the model's")
    .doc("Above 1 the model repeats itself less; 1.0 is neutral."),
    OptionRow::text("stop", Unit::Text, |request, stop| {
        request.params.add_stop(stop)
    })
    .accepts("1 to 1000 characters, at most 64 of them")
    .doc("One more text before which the output ends. The library applies it, since the service has no such field."),
    OptionRow::text("api_version", Unit::Count, |request, text| {
        let version = ApiVersion::named(text).map_err(Error::of_input)?;
        request.set_api_version(version);
        Ok(())
    })
    .choices(&["1", "2"])
    .default("the provider's")
    .doc("The chat that the request is sent to, /chat/completions (1) or /v2/chat/completions (2), unless the request's own form says which."),
    OptionRow::text("tool_choice", Unit::Text, Request::set_tool_choice)
        .accepts("auto, none, any or a name")
        .default("the service's")
        .doc("Whether the model calls functions: as it likes, none, at least one (chat v2), or this function or tool."),
    OptionRow::boolean("parallel_calls", Request::set_parallel_calls)
        .default("the service's")
        .doc("Whether an answer may call several functions (chat v2; those of v1 never do)."),
    OptionRow::text("tool", Unit::Text, Request::add_tool_of_text)
        .accepts("a name, or {\"name\": {options}}")
        .doc("One more tool that the service has itself: web_search, image_generate, code_interpreter and others."),
    OptionRow::text("file", Unit::Text, Request::add_file)
        .accepts("the id of a file")
        .doc("One more file of the last message, which is the user's."),
    OptionRow::text("schema", Unit::Text, Request::set_schema)
        .accepts("a JSON Schema")
        .doc("The answer's text is JSON of this schema."),
    OptionRow::boolean("strict_schema", Request::set_strict_schema)
        .default("true")
        .doc("Whether the service keeps strictly to the schema."),
    OptionRow::text("regex", Unit::Text, Request::set_regex)
        .accepts("a regular expression")
        .doc("The answer's text matches it (chat v2)."),
    OptionRow::text("reasoning_effort", Unit::Text, Request::set_reasoning_effort)
        .accepts("low, medium, high, off, or a newer one")
        .default("the model's")
        .doc("How much the model thinks before it answers."),
    OptionRow::whole("reasoning_max_tokens", Unit::Count, TOKENS, |request, tokens| {
        let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
        request.set_reasoning_max_tokens(tokens)
    })
    .default("the model's")
    .doc("How many tokens it may think."),
    OptionRow::text("thread_id", Unit::Text, Request::set_thread)
        .accepts("a thread's id, or new")
        .doc("The thread in which the service keeps the conversation (chat v2)."),
    OptionRow::boolean("profanity_check", Request::set_profanity_check)
        .default("the provider's")
        .doc("Whether the service checks for profanity, where that is agreed with it."),
    OptionRow::text("flags", Unit::Text, |request, flags| {
        let flags = limits::names("flags", flags).map_err(Error::of_input)?;
        request.settings.flags = Some(flags);
        Ok(())
    })
    .accepts("names with commas between them")
    .default("the provider's")
    .doc("The service's flags."),
    OptionRow::text("result_role", Unit::Text, |request, role| {
        let role = ResultRole::named(role).map_err(Error::of_input)?;
        request.set_result_role(role);
        Ok(())
    })
    .choices(&["tool", "function"])
    .default("the provider's")
    .doc("The role under which chat v2 gets the results of functions."),
    OptionRow::seconds("timeout", CALL_TIME, Request::set_timeout)
        .default("the provider's")
        .doc("Bounds this call from its permit to its end, a stream to its first content."),
    OptionRow::seconds("deadline", CALL_TIME, Request::set_deadline)
        .doc("Bounds this call from its beginning: the wait for a permit and, in a router, all attempts and waits count. In a router it replaces the router's own."),
    OptionRow::seconds("queue_timeout", LONG_TIME, Request::set_queue_timeout)
        .default("the provider's")
        .doc("Bounds this call's wait for a permit."),
    OptionRow::seconds("idle_timeout", CALL_TIME, Request::set_idle_timeout)
        .default("the provider's")
        .doc("Bounds this stream's silence between contents."),
    OptionRow::seconds("stream_timeout", LONG_TIME, Request::set_stream_timeout)
        .default("the provider's")
        .doc("Bounds this whole stream."),
    OptionRow::text("extra_headers", Unit::Headers, |request, lines| {
        let headers = limits::header_lines("extra_headers", lines).map_err(Error::of_input)?;
        let mut headers = headers.into_iter();
        headers.try_for_each(|(name, value)| request.set_header(name, value))
    })
    .accepts("valid header text, not the library's own headers, at most 100 and 64 KiB together")
    .doc("Headers of this call, in place of the provider's of the same names."),
    OptionRow::text("request_id", Unit::Text, Request::set_request_id)
        .accepts("1 to 1024 printable ASCII characters")
        .default("at random")
        .doc("X-Request-ID: finds this request in the service's logs."),
    OptionRow::text("session_id", Unit::Text, Request::set_session_id)
        .accepts("1 to 1024 printable ASCII characters")
        .doc("X-Session-ID: one for a conversation raises the chance of cached prompt tokens."),
    OptionRow::text("client_id", Unit::Text, Request::set_client_id)
        .accepts("1 to 1024 printable ASCII characters")
        .doc("X-Client-ID: the end user, for the service's logs and for access to files."),
];

impl Request {
    /// Every option of a call, in the order of the documentation.
    pub fn options() -> impl Iterator<Item = &'static OptionInfo> {
        ROWS.iter().map(|row| &row.info)
    }

    /// Sets an option of this call by its name to what `value` says: times are written in seconds
    /// (`45`, `0.5`), headers as `Name: value` lines. Headers and stop sequences are added to those
    /// that are there. An unknown name is an error that names the one that was meant.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match option_table::find(ROWS, name) {
            Some(row) => row.set(self, value, Error::of_input),
            None => {
                let message = option_table::unknown(ROWS, name);
                Err(Error::new(ErrorKind::InvalidRequest, Phase::Input, message))
            }
        }
    }

    /// Sets everything that `other` sets for its call, its messages and fields left out. What it does
    /// not set stays as it is.
    pub fn set_all(&mut self, other: &Request) {
        self.params.set_all(&other.params);
        self.settings.set_all(&other.settings);
        let (ours, theirs) = (&mut self.options, &other.options);
        if !other.built_in.is_empty() {
            self.built_in.clone_from(&other.built_in);
        }
        take(&mut self.model, &other.model);
        take(&mut ours.deadline, &theirs.deadline);
        take(&mut ours.timeout, &theirs.timeout);
        take(&mut ours.queue_timeout, &theirs.queue_timeout);
        take(&mut ours.idle_timeout, &theirs.idle_timeout);
        take(&mut ours.stream_timeout, &theirs.stream_timeout);
        take(&mut ours.request_id, &theirs.request_id);
        take(&mut ours.session_id, &theirs.session_id);
        take(&mut ours.client_id, &theirs.client_id);
        for (name, value) in &theirs.headers {
            ours.headers.retain(|(known, _)| known != name);
            ours.headers.push((name.clone(), value.clone()));
        }
    }
}

/// Whether an option of this name is one of chats alone.
pub(crate) fn is_of_chat(name: &str) -> bool {
    let rows = ROWS.iter().take_while(|row| row.info.name != "timeout");
    rows.skip(1).any(|row| row.info.is_called(name))
}

pub(super) fn take<T: Clone>(ours: &mut Option<T>, theirs: &Option<T>) {
    if theirs.is_some() {
        ours.clone_from(theirs);
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, ROWS, Request, Unit};

    fn value_of(row: &super::OptionRow) -> &'static str {
        match (row.info.name, row.info.unit) {
            ("api_version", _) => "2",
            ("result_role", _) => "function",
            ("schema", _) => "{}",
            (_, Unit::Headers) => "X-Tenant: 7",
            (_, Unit::Number) => "0.5",
            (_, Unit::Boolean) => "false",
            _ => "7",
        }
    }

    #[test]
    fn every_row_sets_its_option() {
        for row in ROWS {
            let seen = |request: &Request| {
                let body = request.wire_body("", false).map(String::from_utf8);
                format!("{request:?} {body:?}")
            };
            let mut request = Request::prompt("hi");
            let before = seen(&request);
            let set = request.set(row.info.name, value_of(row));
            set.unwrap_or_else(|error| panic!("{}: {error}", row.info.name));
            assert_ne!(before, seen(&request), "{} changes nothing", row.info.name);
            assert!(row.info.doc.ends_with('.'), "{}", row.info.name);
        }
    }

    #[test]
    fn what_another_request_sets_is_set_and_the_rest_stays() {
        let mut target = Request::prompt("hi");
        target.set("session_id", "mine").unwrap();
        target.set("extra_headers", "X-A: 1").unwrap();
        let mut settings = Request::new();
        let of_messages = ["session_id", "file"];
        for row in ROWS
            .iter()
            .filter(|row| !of_messages.contains(&row.info.name))
        {
            let value = match row.info.unit {
                Unit::Headers => "X-B: 2",
                _ => value_of(row),
            };
            settings.set(row.info.name, value).unwrap();
        }
        target.set_all(&settings);
        let shown = format!("{target:?}");
        settings.set("session_id", "mine").unwrap();
        settings.set("extra_headers", "X-A: 1").unwrap();
        settings.options.headers.reverse();
        settings.add_message("user", "hi");
        assert_eq!(shown, format!("{settings:?}"));
    }

    #[test]
    fn every_refusal_is_an_invalid_request() {
        let mut request = Request::new();
        for (name, value) in [
            ("timeout", "0"),
            ("deadline", "soon"),
            ("model", " "),
            ("extra_headers", "Host: x"),
            ("request_id", ""),
            ("stop", ""),
            ("max_tokens", "0"),
            ("api_version", "3"),
            ("result_role", "user"),
            ("schema", "[]"),
            ("schema", "{"),
            ("tool", r#"{"a":{},"b":{}}"#),
            ("tool", r#"{"a":5}"#),
            ("tool_choice", " "),
            ("thread_id", ""),
            ("file", "without a message"),
            ("temperatur", "1"),
        ] {
            let error = request.set(name, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}: {error}");
        }
        let error = request.set("temperatur", "1").unwrap_err();
        assert!(error.message().ends_with("did you mean temperature?"));
    }
}
