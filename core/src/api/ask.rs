//! `Ask`: one request for one operation.

use std::time::Instant;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::path::{self, Place};
use super::table::{self, OPERATIONS};
use super::{
    CHAT, CHAT_V2, EMBEDDINGS, Events, Method, Multipart, Operation, Payload, Routing,
    TOKENS_COUNT, Takes, Texts, any_path, multipart,
};
use crate::api_version::ApiVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::params::Params;
use crate::request::{self, CallOptions, Request};
use crate::response::Document;

/// What a router allows one attempt at a member. A provider that ignores them is cut off at
/// `until`, with an error that can say less than its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptLimits {
    /// The end of the attempt's share of the deadline, queue included; of a stream, until its
    /// first content. The provider's own time limits hold beside it.
    pub until: Option<Instant>,
    /// Failed requests are not to be sent again: the next member is asked instead.
    pub no_retries: bool,
    /// Somebody else is asked when this one is busy: a 429 is not waited out.
    pub falls_over: bool,
}

impl AttemptLimits {
    /// Whether a 429 is the next member's business.
    pub(crate) fn has_others(&self) -> bool {
        self.no_retries || self.falls_over
    }
}

/// One request for one operation: what it is filled in with, and what it sets for itself.
///
/// Setters refuse what the operation does not take; nothing is sent before all of it was checked.
#[derive(Clone, Debug)]
pub struct Ask {
    operation: &'static Operation,
    values: Vec<(&'static str, String)>,
    /// A path of the caller's, in place of the operation's.
    free: Option<String>,
    query: Vec<(String, String)>,
    pub(crate) payload: Payload,
    pub(crate) options: CallOptions,
}

impl Ask {
    /// A request for this operation, with nothing filled in.
    pub fn new(operation: &'static Operation) -> Ask {
        Ask {
            operation,
            values: Vec::new(),
            free: None,
            query: Vec::new(),
            payload: match operation.takes {
                _ if std::ptr::eq(operation, &CHAT) => Payload::Chat(Box::default()),
                _ if std::ptr::eq(operation, &CHAT_V2) => {
                    let mut request = Request::new();
                    request.set_api_version(ApiVersion::V2);
                    Payload::Chat(Box::new(request))
                }
                Takes::Texts => Payload::Texts(Texts::default()),
                _ => Payload::None,
            },
            options: CallOptions::default(),
        }
    }

    /// A chat request.
    pub fn chat(request: Request) -> Ask {
        Ask {
            payload: Payload::Chat(Box::new(request)),
            ..Ask::new(&CHAT)
        }
    }

    /// `GET` of any path of the service: `/v1/...`, `/v2/...` and `/api/...` from the origin,
    /// others below the base URL. It may have a query.
    pub fn get(path: &str) -> Result<Ask> {
        let mut ask = Ask::named("get")?;
        ask.set_path("path", path)?;
        Ok(ask)
    }

    /// `POST` of JSON to any path of the service, as [`Ask::get`].
    pub fn post(path: &str, json: &str) -> Result<Ask> {
        let mut ask = Ask::named("post")?;
        ask.set_path("path", path)?;
        ask.set_json(json)?;
        Ok(ask)
    }

    /// What is asked for. A path of the caller's that is the path of an operation counts as that one
    /// (permit, time limit, whether it may be repeated).
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Vectors of texts: [`Embeddings`](crate::Embeddings).
    pub fn embeddings(texts: &[&str]) -> Ask {
        Ask::of_texts(&EMBEDDINGS, texts)
    }

    /// How many tokens texts have: [`TokenCount`](super::TokenCount).
    pub fn tokens_count(texts: &[&str]) -> Ask {
        Ask::of_texts(&TOKENS_COUNT, texts)
    }

    fn of_texts(operation: &'static Operation, texts: &[&str]) -> Ask {
        let mut filled = Texts::default();
        filled.input = texts.iter().map(|text| (*text).to_owned()).collect();
        Ask::new(operation).with_texts(filled)
    }

    /// The same ask for other texts.
    pub(super) fn with_texts(&self, texts: Texts) -> Ask {
        Ask {
            payload: Payload::Texts(texts),
            ..self.clone()
        }
    }

    /// The texts of an ask for embeddings or token counts.
    pub(crate) fn texts(&self) -> Option<&Texts> {
        match &self.payload {
            Payload::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// Adds a text to an ask for embeddings or token counts.
    pub fn add_text(&mut self, text: &str) -> Result<()> {
        let name = self.operation.name;
        match &mut self.payload {
            Payload::Texts(texts) => texts.input.push(text.to_owned()),
            _ => {
                return Err(Error::invalid(
                    "request",
                    format!("one for {name}, which takes no texts,"),
                    "one for embeddings or tokens_count",
                ));
            }
        }
        Ok(())
    }

    /// The model that is asked; without it the provider's (of embeddings the model `Embeddings`).
    pub fn set_model(&mut self, model: &str) -> Result<()> {
        if let Payload::Texts(texts) = &mut self.payload {
            let checked = Request::new().set_model(model);
            texts.model = Some(model.to_owned());
            return checked;
        }
        self.request_mut()?.set_model(model)
    }

    /// Sets an option of this call by its name; see [`Request::set`]. Those of a chat are refused
    /// for other operations.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        if name == "model" {
            return self.set_model(value);
        }
        if let Payload::Chat(request) = &mut self.payload {
            return request.set(name, value);
        }
        if request::is_of_chat(name) {
            return self.request_mut().map(drop);
        }
        let mut carrier = Request::new();
        *carrier.options_mut() = std::mem::take(&mut self.options);
        let outcome = carrier.set(name, value);
        self.options = std::mem::take(carrier.options_mut());
        outcome
    }

    /// Sets everything that `settings` sets for its call; see [`Request::set_all`]. Parameters of a
    /// chat are refused for other operations.
    pub fn set_all(&mut self, settings: &Request) -> Result<()> {
        if let Payload::Chat(request) = &mut self.payload {
            request.set_all(settings);
            return Ok(());
        }
        if settings.params != Params::default() || !settings.settings.is_empty() {
            return self.request_mut().map(drop);
        }
        if let Some(model) = &settings.model {
            self.set_model(model)?;
        }
        let mut carrier = Request::new();
        *carrier.options_mut() = std::mem::take(&mut self.options);
        carrier.set_all(settings);
        self.options = std::mem::take(carrier.options_mut());
        Ok(())
    }

    /// Fills in one of the names in braces of the operation's path, as one segment of it. Of the
    /// operations `get` and `post` it is the whole path, named `path`.
    pub fn set_path(&mut self, name: &str, value: &str) -> Result<()> {
        if self.free.is_some() || self.operation.path == "{path}" {
            if name != "path" {
                return Err(no_such_name(name, &["path"]));
            }
            path::check(value)?;
            self.operation = at_path(self.operation.method, value);
            self.free = Some(value.to_owned());
            return Ok(());
        }
        let names: Vec<&'static str> = names(self.operation.path).collect();
        let known = names.iter().find(|known| **known == name);
        let name = known.ok_or_else(|| no_such_name(name, &names))?;
        path::segment(name, value)?;
        self.values.retain(|(known, _)| known != name);
        self.values.push((name, value.to_owned()));
        Ok(())
    }

    /// Sets a parameter of the query, in place of an earlier one of the same name.
    pub fn set_query(&mut self, name: &str, value: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::invalid("query name", "an empty text", "not empty"));
        }
        self.query.retain(|(known, _)| known != name);
        self.query.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Sets the body to this JSON, which is sent byte for byte. Of the operation `chat` it is read
    /// as [`Request::from_json`] reads it.
    pub fn set_json(&mut self, json: &str) -> Result<()> {
        self.takes("JSON", |takes| matches!(takes, Takes::Json | Takes::Texts))?;
        match &mut self.payload {
            Payload::Chat(request) => {
                let (options, settings) = (request.options.clone(), request.settings.clone());
                **request = Request::from_json(json)?;
                request.options = options;
                request.settings = settings;
                return request.check();
            }
            Payload::Texts(texts) => {
                *texts = Texts::from_json(json)?;
                return Ok(());
            }
            _ => {}
        }
        serde_json::from_str::<&RawValue>(json)
            .map_err(|why| Error::invalid("body", format!("this text ({why})"), "JSON"))?;
        self.payload = Payload::Json(json.to_owned());
        Ok(())
    }

    /// Sets the body to these bytes. `content_type` is a MIME type; without it, the operation's.
    pub fn set_bytes(&mut self, content_type: Option<&str>, bytes: impl Into<Bytes>) -> Result<()> {
        self.takes("bytes", |takes| matches!(takes, Takes::Bytes(_)))?;
        let usual = match self.operation.takes {
            Takes::Bytes(usual) => usual,
            _ => "application/octet-stream",
        };
        let content_type = content_type.unwrap_or(usual).to_owned();
        multipart::check_content_type(&content_type)?;
        self.payload = Payload::Bytes {
            content_type,
            bytes: bytes.into(),
        };
        Ok(())
    }

    /// The form of this request, to be filled in.
    pub fn form_mut(&mut self) -> Result<&mut Multipart> {
        self.takes("a form", |takes| takes == Takes::Multipart)?;
        if !matches!(self.payload, Payload::Multipart(_)) {
            self.payload = Payload::Multipart(Multipart::new());
        }
        match &mut self.payload {
            Payload::Multipart(form) => Ok(form),
            _ => Err(Error::internal("a form is no form")),
        }
    }

    /// The chat request, if it is one.
    pub fn request(&self) -> Option<&Request> {
        match &self.payload {
            Payload::Chat(request) => Some(request),
            _ => None,
        }
    }

    /// The chat request, to be changed; an error when another operation is asked for.
    pub fn request_mut(&mut self) -> Result<&mut Request> {
        let name = self.operation.name;
        match &mut self.payload {
            Payload::Chat(request) => Ok(request),
            _ => Err(Error::invalid(
                "request",
                format!("one for {name}, which has no messages and functions,"),
                "one for chat; set the body of this one",
            )),
        }
    }

    /// What this call sets for itself.
    pub fn options(&self) -> &CallOptions {
        match &self.payload {
            Payload::Chat(request) => &request.options,
            _ => &self.options,
        }
    }

    /// What this call sets for itself, to be changed in place.
    pub fn options_mut(&mut self) -> &mut CallOptions {
        match &mut self.payload {
            Payload::Chat(request) => &mut request.options,
            _ => &mut self.options,
        }
    }

    /// Judges an answer by what was asked for. Of a path of the caller's nothing is known but whether
    /// it says that it is an error.
    pub(crate) fn read(&self, document: Document) -> Result<Document> {
        match self.free {
            Some(_) => any_path(document, self),
            None => (self.operation.read)(document, self),
        }
    }

    pub(crate) fn stops(&self) -> &[String] {
        self.request().map_or(&[], |request| &request.params.stop)
    }

    /// What a router does with it.
    pub(crate) fn routing(&self) -> Routing {
        match self.free {
            Some(_) => Routing::MemberOnly,
            None => self.operation.routing,
        }
    }

    /// Whether the request can be sent: an error names what is missing.
    pub fn check(&self) -> Result<()> {
        if let Payload::Chat(request) = &self.payload {
            return request.check();
        }
        self.place(ApiVersion::default())?;
        let missing = match (self.operation.takes, &self.payload) {
            _ if self.free.is_some() => return Ok(()),
            (Takes::Nothing | Takes::Any, _) => return Ok(()),
            (Takes::Multipart, Payload::Multipart(form)) if form.is_empty() => "a form",
            (_, Payload::Texts(texts)) if texts.input.is_empty() => "at least one text",
            (_, Payload::None) => match self.operation.takes {
                Takes::Multipart => "a form",
                Takes::Bytes(_) => "bytes",
                _ => "JSON",
            },
            _ => return Ok(()),
        };
        let remedy = format!("{} takes {missing}", self.operation.name);
        Err(Error::missing(ErrorKind::InvalidRequest, "body", &remedy))
    }

    /// Whether it can be asked for as a stream.
    pub fn check_stream(&self) -> Result<()> {
        match (&self.payload, self.operation.events) {
            (Payload::Chat(request), Some(_)) => request.check_stream(),
            (_, Some(Events::V1)) if self.free.is_none() => self.check(),
            _ => Err(Error::invalid(
                "request",
                format!("one for {} as a stream", self.operation.name),
                "one for an operation that answers in parts; ask for this one as a whole",
            )),
        }
    }

    /// The chat that it is sent to, if it is one; `default` is the provider's.
    pub(crate) fn version(&self, default: ApiVersion) -> ApiVersion {
        self.request()
            .map_or(ApiVersion::V1, |request| request.version(default))
    }

    /// Where it goes, to a provider that speaks this version where nothing else is said.
    pub(crate) fn place(&self, default: ApiVersion) -> Result<Place> {
        if let Some(free) = &self.free {
            let more = path::query(&self.query);
            let place = match free.contains('?') {
                true => format!("{free}{}", more.replacen('?', "&", 1)),
                false => format!("{free}{more}"),
            };
            return Ok(Place::Free(place));
        }
        let mut place = String::with_capacity(self.operation.path.len() + 40);
        let mut rest = match (&self.payload, self.version(default)) {
            (Payload::Chat(_), ApiVersion::V1) => CHAT.path,
            (Payload::Chat(_), ApiVersion::V2) => CHAT_V2.path,
            _ => self.operation.path,
        };
        while let Some((before, (name, after))) = rest
            .split_once('{')
            .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            let value = self.values.iter().find(|(known, _)| *known == name);
            let (name, value) = value.ok_or_else(|| {
                let remedy = "it is a part of the operation's path";
                Error::missing(ErrorKind::InvalidRequest, name, remedy)
            })?;
            place.push_str(before);
            place.push_str(&path::segment(name, value)?);
            rest = after;
        }
        place.push_str(rest);
        place.push_str(&path::query(&self.query));
        Ok(Place::Row(place))
    }

    /// Whether it goes where most asks go: chat, without a query.
    pub(crate) fn is_usual(&self) -> bool {
        self.is_chat() && self.query.is_empty()
    }

    fn is_chat(&self) -> bool {
        matches!(self.payload, Payload::Chat(_)) && self.free.is_none()
    }

    fn takes(&self, what: &str, fits: impl Fn(Takes) -> bool) -> Result<()> {
        let takes = self.operation.takes;
        if fits(takes) || takes == Takes::Any || (self.free.is_some() && takes != Takes::Nothing) {
            return Ok(());
        }
        let accepted = match takes {
            Takes::Nothing => "no body",
            Takes::Json => "JSON",
            Takes::Texts => "texts",
            Takes::Multipart => "a form",
            Takes::Bytes(_) => "bytes",
            Takes::Any => "anything",
        };
        let accepted = format!("{accepted}, since {} takes that", self.operation.name);
        Err(Error::invalid("body", what, &accepted))
    }
}

/// The names in braces of a path.
fn names(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}

fn no_such_name(name: &str, known: &[&str]) -> Error {
    let accepted = match known {
        [] => "left out: the path of this operation is fixed".to_owned(),
        known => format!("one of {}", known.join(", ")),
    };
    Error::invalid("path name", format!("{name:?}"), &accepted)
}

/// The operation at a path of the caller's, so that its rules hold however it is asked for.
fn at_path(method: Method, path: &str) -> &'static Operation {
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    let path = path.strip_prefix("/api").unwrap_or(path);
    let path = path.strip_prefix("/v1").unwrap_or(path);
    let fits = |row: &Operation| {
        let (mut wanted, mut given) = (row.path.split('/'), path.split('/'));
        row.method == method
            && row.path != "{path}"
            && loop {
                match (wanted.next(), given.next()) {
                    (None, None) => break true,
                    (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => {}
                    (Some(wanted), Some(given)) if wanted == given => {}
                    _ => break false,
                }
            }
    };
    let row = OPERATIONS.iter().copied().find(|row| fits(row));
    row.unwrap_or(match method {
        Method::Get => &table::GET,
        Method::Post => &table::POST,
    })
}

#[cfg(test)]
mod tests {
    use super::{Ask, Place};
    use crate::Request;
    use crate::api::{CHAT, Routing};
    use crate::api_version::ApiVersion;

    fn ask(name: &str) -> Ask {
        Ask::named(name).unwrap()
    }

    #[test]
    fn a_path_and_a_query_are_filled_in() {
        let mut content = ask("file_content");
        content.check().unwrap_err();
        content.set_path("id", "a/b").unwrap();
        content.set_path("id", "c d").unwrap();
        content.set_query("x", "1&2").unwrap();
        let place = Place::Row("/files/c%20d/content?x=1%262".into());
        assert_eq!(content.place(ApiVersion::V1).unwrap(), place);
        content.check().unwrap();
        let error = content.set_path("name", "x").unwrap_err();
        assert!(error.message().contains("one of id"), "{error}");
        ask("balance").set_path("id", "x").unwrap_err();
    }

    #[test]
    fn an_operation_takes_the_body_of_its_kind_only() {
        let mut balance = ask("balance");
        balance.set_json("{}").unwrap_err();
        balance.set_bytes(None, "x").unwrap_err();
        balance.check().unwrap();
        let mut count = ask("tokens_count");
        count.check().unwrap_err();
        count.set_json("{").unwrap_err();
        count.form_mut().unwrap_err();
        count.set_json("{\"input\":[]}").unwrap();
        count.check().unwrap_err();
        count.set_json("{\"input\":[\"x\"]}").unwrap();
        count.check().unwrap();
        let mut upload = ask("file_upload");
        upload.set_json("{}").unwrap_err();
        upload.form_mut().unwrap();
        upload.check().unwrap_err();
        upload.form_mut().unwrap().add_text("purpose", "general");
        upload.check().unwrap();
    }

    #[test]
    fn a_path_of_an_operation_keeps_its_rules() {
        for path in [
            "/chat/completions",
            "/v1/chat/completions?x=1",
            "/api/v1/chat/completions/",
        ] {
            let ask = Ask::post(path, "{}").unwrap();
            assert!(std::ptr::eq(ask.operation(), &CHAT), "{path}");
            assert_eq!(ask.routing(), Routing::MemberOnly);
            assert!(!ask.is_chat());
        }
        let mut embeddings = Ask::embeddings(&["a"]);
        embeddings.set("model", "E").unwrap();
        embeddings.set("timeout", "5").unwrap();
        embeddings.set("session_id", "s").unwrap();
        assert!(embeddings.options().timeout.is_some());
        embeddings.set("temperature", "1").unwrap_err();
        let mut settings = Request::new();
        settings.set("model", "E2").unwrap();
        settings.set("deadline", "7").unwrap();
        embeddings.set_all(&settings).unwrap();
        assert!(embeddings.options().deadline.is_some() && embeddings.options().timeout.is_some());
        settings.set("max_tokens", "1").unwrap();
        embeddings.set_all(&settings).unwrap_err();
        embeddings.set("temperatur", "1").unwrap_err();
        assert_eq!(embeddings.options().session_id.as_deref(), Some("s"));
        let rules = |ask: Ask| (ask.operation().name, ask.operation().repeatable);
        assert_eq!(
            rules(Ask::get("/files/7/content").unwrap()),
            ("file_content", true)
        );
        assert_eq!(rules(Ask::get("/new/thing").unwrap()), ("get", true));
        assert_eq!(
            rules(Ask::post("/new/thing", "1").unwrap()),
            ("post", false)
        );
        let mut moved = Ask::post("/chat/completions", "{}").unwrap();
        moved.set_path("path", "/new/thing").unwrap();
        assert!(!moved.operation().permit);
    }

    #[test]
    fn a_query_is_added_to_the_one_of_a_path() {
        let mut ask = Ask::get("/batches?method=x").unwrap();
        ask.set_query("batch_id", "7").unwrap();
        let place = Place::Free("/batches?method=x&batch_id=7".into());
        assert_eq!(ask.place(ApiVersion::V1).unwrap(), place);
        assert!(Ask::get("https://evil.example").is_err());
    }

    #[test]
    fn only_what_answers_in_parts_can_be_streamed() {
        Ask::chat(Request::prompt("x")).check_stream().unwrap();
        ask("models").check_stream().unwrap_err();
        Ask::post("/chat/completions", "{}")
            .unwrap()
            .check_stream()
            .unwrap_err();
        ask("balance").request_mut().unwrap_err();
        ask("chat").request_mut().unwrap().add_message("user", "x");
    }
}
