//! I13: keys, tokens, passwords and header values are in no log, no error text and no `Debug`; prompts
//! and answers are in no log and no error text unless that is asked for.
//!
//! Everything is marked, everything is called, everything that the library says is collected.

#[path = "service/support/panics.rs"]
mod panics;
#[path = "service/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use gigachat::{Client, Config, GigaChat, Request, Router, RouterOptions, Strategy};
use gigachat_emulator::{Action, Endpoint, TlsVariant};
use panics::Panics;
use support::reading::stream_request;
use support::{Service, answer_with, forms, on_both_wires};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

const PROMPT: &str = "MARKED-PROMPT";
const HEADER: &str = "MARKED-HEADER-VALUE";
const PASSWORD: &str = "MARKED-PASSWORD";

/// What the library's own events said since the last look, at every level.
static SAID: Mutex<String> = Mutex::new(String::new());
/// The tests of this file share what was said.
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
        metadata.target().starts_with("gigachat") && !metadata.target().contains("emulator")
    }

    fn event(&self, event: &Event<'_>) {
        let mut said = SAID.lock().unwrap();
        let metadata = event.metadata();
        write!(said, "{} {}", metadata.level(), metadata.target()).unwrap();
        event.record(&mut Text(&mut said));
        said.push('\n');
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Text(&mut SAID.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Text(&mut SAID.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Runs a test alone, listening; gives it what is said.
fn listening(test: impl Fn(&Service, &mut Heard) + Send + Sync + 'static) {
    static LISTEN: Once = Once::new();
    LISTEN.call_once(|| tracing::subscriber::set_global_default(Listener).unwrap());
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let turn = Mutex::new(());
    on_both_wires(move |service| {
        let _turn = turn.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        SAID.lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clear();
        test(service, &mut Heard::default());
    });
}

/// What was said in values and errors.
#[derive(Default)]
struct Heard(String);

impl Heard {
    fn debug(&mut self, value: &dyn Debug) {
        write!(self.0, "{value:?}\n{value:#?}\n").unwrap();
    }

    fn error<T>(&mut self, outcome: Result<T, gigachat::Error>) {
        if let Err(error) = outcome {
            writeln!(self.0, "{error} {error:#} {}", error.message()).unwrap();
            self.debug(&error);
        }
    }
}

/// The tokens that the emulator was shown, and everything else that must not be said.
fn secrets(service: &Service) -> Vec<String> {
    let mut marks = vec![HEADER.to_owned(), PASSWORD.to_owned(), marked_key(service)];
    for request in service.requests() {
        if let Some(value) = request.header("authorization") {
            let (_, secret) = value.split_once(' ').unwrap();
            marks.push(secret.to_owned());
            // A part of a token is a secret as well.
            marks.push(secret[secret.len() - 24..].to_owned());
        }
    }
    marks
}

fn marked_key(service: &Service) -> String {
    service.authorization_key_for("GIGACHAT_API_PERS", "MARKED-CLIENT-OF-THE-KEY")
}

#[track_caller]
fn says_none_of(text: &str, marks: &[String]) {
    assert!(!text.is_empty(), "nothing was collected");
    let forms: BTreeSet<String> = marks.iter().flat_map(|mark| forms::of(mark)).collect();
    for form in forms {
        let at = text.find(form.as_str());
        assert!(
            at.is_none(),
            "{form:.8}... was said: {:.300}",
            String::from_utf8_lossy(&text.as_bytes()[at.unwrap_or(0).saturating_sub(100)..])
        );
    }
}

fn marked(service: &Service) -> Config {
    let mut config = service.bare_config();
    config.set_authorization_key(&marked_key(service)).unwrap();
    config.set_extra_header("x-gateway", HEADER).unwrap();
    config.set_private_key_password(PASSWORD);
    config.set_user("user", PASSWORD).unwrap();
    config.set_max_retries(1).unwrap();
    config
}

fn request() -> Request {
    let mut request = Request::prompt(PROMPT);
    request.set_header("x-of-the-call", HEADER).unwrap();
    request
}

/// Calls that succeed and calls that fail in every way.
fn call_everything(service: &Service, client: &Client, heard: &mut Heard) {
    let mut late = request();
    late.set_timeout(Duration::from_millis(150)).unwrap();
    let faults = [
        Action::DelayHeaders { ms: 0 },
        Action::status(400),
        Action::status(401),
        Action::status(429).with_header("retry-after-ms", "1"),
        Action::HtmlError { code: 502 },
        Action::Redirect {
            to: "https://elsewhere.example/x".to_owned(),
            code: 302,
        },
        answer_with(422, "not JSON", &[]),
        Action::CutBeforeAnswer { reset: true },
        Action::CutAfter {
            chunks: 1,
            reset: true,
        },
        Action::ContentEncodingGzip,
        Action::TruncatedJson { bytes: 40 },
        Action::GarbageEvent { after: 1 },
        Action::StallAfter { chunks: 1 },
    ];
    for fault in faults {
        service.once(Endpoint::Any, fault.clone());
        let answer = client.chat(late.clone()).join();
        if let Ok(answer) = &answer {
            heard.debug(&answer.report);
        }
        heard.error(answer);
        service.faults().clear();
        service.once(Endpoint::Stream, fault);
        let read = stream_request(client, late.clone());
        if let Ok(end) = &read.end {
            heard.debug(end);
        }
        heard.error(read.end);
        service.faults().clear();
    }
    service.revoke_tokens();
    heard.debug(&client.health_check(None).join().unwrap());
    heard.debug(&client.models().join().unwrap());
    service.once(Endpoint::Token, Action::status(401));
    service.revoke_tokens();
    heard.error(client.chat(request()).join());
}

#[test]
fn no_secret_is_said_whatever_happens() {
    // I13
    listening(|service, heard| {
        let config = marked(service);
        heard.debug(&config);
        let provider = support::provider(config);
        heard.debug(provider.config());
        heard.debug(&provider.config().credential());
        heard.debug(&request());
        let client = Client::new(provider);
        call_everything(service, &client, heard);
        let marks = secrets(service);
        assert!(marks.len() > 20);
        says_none_of(&heard.0, &marks);
        let said = SAID.lock().unwrap();
        assert!(
            said.contains("token received"),
            "the library does speak: {said}"
        );
        says_none_of(&said, &marks);
    });
}

#[test]
fn no_prompt_and_no_answer_is_said_unless_that_is_asked_for() {
    // I13: the emulator's answers repeat the prompt.
    listening(|service, heard| {
        let client = support::client(marked(service));
        call_everything(service, &client, heard);
        let prompt = [PROMPT.to_owned()];
        says_none_of(&heard.0, &prompt);
        says_none_of(&SAID.lock().unwrap(), &prompt);
        heard.debug(&request());
        says_none_of(&heard.0, &prompt);
        let mut config = marked(service);
        config.set_log_content(true);
        // The failure of the last token request is the answer for a second more (I1).
        let token = service.access_token().unwrap();
        config.set_access_token(&token).unwrap();
        support::client(config).chat(request()).join().unwrap();
        let said = SAID.lock().unwrap();
        let asked_for = said.lines().filter(|line| line.contains(PROMPT));
        let levels: Vec<_> = asked_for
            .map(|line| line.starts_with(Level::TRACE.as_str()))
            .collect();
        assert!(
            levels.len() >= 2 && levels.iter().all(|trace| *trace),
            "request and answer"
        );
        says_none_of(&said, &secrets(service));
    });
}

#[test]
fn refused_input_does_not_repeat_secrets() {
    // I13, I11
    let mut heard = Heard::default();
    let mut config = Config::default();
    let mark = "MARKED SECRET";
    heard.error(config.set_authorization_key(mark));
    heard.error(config.set_authorization_key("MARKED-ключ"));
    heard.error(config.set_access_token(mark));
    heard.error(config.set_extra_header("x-a", "MARKED\nSECRET"));
    heard.error(config.set_proxy("MARKED://user:MARKED@host"));
    heard.error(config.set_base_url("https://user:MARKED@host/v1"));
    heard.error(config.set_private_key_pem("MARKED"));
    heard.error(Request::new().set_header("x-a", "MARKED\r\nSECRET"));
    config.set_user("user", "MARKED").unwrap();
    config.set_proxy("http://user:MARKED@127.0.0.1:1").unwrap();
    heard.debug(&config);
    heard.error(GigaChat::new(config).map(drop));
    says_none_of(&heard.0, &["MARKED".to_owned()]);
    assert_eq!(
        heard.0.matches("Error(").count(),
        16,
        "each was refused: {}",
        heard.0
    );
}

/// The same configuration, changed so that something fails.
fn changed(service: &Service, change: impl FnOnce(&mut Config)) -> Arc<GigaChat> {
    let mut config = marked(service);
    config.set_max_retries(0).unwrap();
    change(&mut config);
    support::provider(config)
}

/// Everything that a client can be asked.
fn ask(client: &Client, heard: &mut Heard) {
    heard.error(client.chat(request()).join());
    heard.error(stream_request(client, request()).end);
    heard.error(client.health_check(None).join());
    heard.error(client.models().join());
}

#[test]
fn failures_of_tls_token_proxy_and_router_members_say_no_secret() {
    // I13
    listening(|service, heard| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|panic| {
            writeln!(SAID.lock().unwrap(), "{panic}").unwrap();
        }));
        let untrusted = |config: &mut Config| {
            let url = service
                .tls_variant_base_url(TlsVariant::UnknownRoot)
                .unwrap();
            config.set_base_url(&url).unwrap();
        };
        let no_token = |config: &mut Config| {
            let url = service
                .tls_variant_token_url(TlsVariant::WrongHost)
                .unwrap();
            config.set_token_url(&url).unwrap();
        };
        let proxied = |config: &mut Config| {
            let url = format!("http://{PASSWORD}:{PASSWORD}@127.0.0.1:1");
            config.set_proxy(&url).unwrap();
        };
        let refused = |config: &mut Config| {
            let key = base64::Engine::encode(
                &base64::engine::general_purpose::STANDARD,
                format!("{PASSWORD}:{PASSWORD}"),
            );
            config.set_authorization_key(&key).unwrap();
        };
        let by_password = |config: &mut Config| {
            *config = service.bare_config();
            config.set_max_retries(0).unwrap();
            config.set_user(PASSWORD, PASSWORD).unwrap();
        };
        for change in [
            &untrusted as &dyn Fn(&mut Config),
            &no_token,
            &proxied,
            &refused,
            &by_password,
        ] {
            ask(&Client::new(changed(service, change)), heard);
        }
        let router = Router::new(RouterOptions::new(Strategy::RoundRobin));
        router.add(changed(service, untrusted)).unwrap();
        router.add(changed(service, proxied)).unwrap();
        router.add(Panics).unwrap();
        let client = Client::new(router.clone());
        ask(&client, heard);
        heard.debug(&router.metrics());
        writeln!(heard.0, "{}", router.prometheus()).unwrap();
        std::panic::set_hook(hook);
        assert!(heard.0.matches("Error(").count() >= 20, "everything failed");
        let mut marks = secrets(service);
        marks.push(PROMPT.to_owned());
        says_none_of(&heard.0, &marks);
        let said = SAID.lock().unwrap();
        assert!(said.contains("panicked at"), "the panic's text was heard");
        says_none_of(&said, &marks);
    });
}

#[test]
fn a_key_file_that_does_not_open_does_not_say_its_password() {
    // I13
    listening(|service, heard| {
        let mut config = marked(service);
        config
            .set_certificate_pem(service.client_cert_pem())
            .unwrap();
        config
            .set_private_key_pem(service.client_key_encrypted_pem())
            .unwrap();
        heard.debug(&config);
        let client = GigaChat::new(config).map(Client::new);
        match client {
            Ok(client) => ask(&client, heard),
            Err(error) => heard.error(Err::<(), _>(error)),
        }
        assert!(
            heard.0.contains("password"),
            "it says what is wrong: {}",
            heard.0
        );
        says_none_of(&heard.0, &secrets(service));
    });
}
