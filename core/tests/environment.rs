//! I8, I9: what the process's environment does: proxies and `SSL_CERT_FILE`. Each case is a run of
//! this very program with the environment under test, since a process has only one.

#[path = "service/support/mod.rs"]
mod support;

use std::process::Command;
use std::sync::Arc;

use gigachat::{Client, Config, ErrorKind, GigaChat};
use gigachat_emulator::{Emulator, Options};
use support::bounded;
use support::server::Slammer;

const CHILD: &str = "child_that_makes_one_call";

/// Variables that would leak from the environment of the tests.
const CLEARED: [&str; 9] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
];

/// Makes one call in a process with this environment; whether it was answered.
#[track_caller]
fn call_in_child(
    base_url: &str,
    token_url: &str,
    emulator: &Emulator,
    variables: &[(&str, &str)],
) -> bool {
    outcome_in_child(base_url, token_url, emulator, variables).contains("OUTCOME: answered")
}

/// The same; what the process printed.
#[track_caller]
fn outcome_in_child(
    base_url: &str,
    token_url: &str,
    emulator: &Emulator,
    variables: &[(&str, &str)],
) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", CHILD, "--ignored", "--nocapture"]);
    for name in CLEARED {
        child.env_remove(name);
    }
    child.env("TEST_BASE_URL", base_url);
    child.env("TEST_TOKEN_URL", token_url);
    child.env("TEST_KEY", emulator.authorization_key());
    child.envs(variables.iter().copied());
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("OUTCOME:"), "{text}");
    text
}

#[test]
#[ignore = "run by the other tests of this file, with an environment of theirs"]
fn child_that_makes_one_call() {
    let given = |name: &str| std::env::var(name).unwrap();
    let mut config = Config::new(&given("TEST_KEY")).unwrap();
    config.set_base_url(&given("TEST_BASE_URL")).unwrap();
    config.set_token_url(&given("TEST_TOKEN_URL")).unwrap();
    config.set_max_retries(0).unwrap();
    if let Ok(bundle) = std::env::var("TEST_BUNDLE") {
        config.set_ca_bundle_pem(&bundle).unwrap();
    }
    if let Ok(proxy) = std::env::var("TEST_PROXY") {
        config.set_proxy(&proxy).unwrap();
    }
    let provider = match GigaChat::new(config) {
        Ok(provider) => provider,
        Err(error) => {
            println!("OUTCOME: {error:?}");
            assert!(!format!("{error} {error:?}").contains("MARKED"));
            return;
        }
    };
    match Client::new(Arc::new(provider)).generate("hello").join() {
        Ok(_) => println!("OUTCOME: answered"),
        Err(error) => {
            println!("OUTCOME: {error:?}");
            assert!(!format!("{error} {error:?}").contains("MARKED"));
            assert!(matches!(
                error.kind(),
                ErrorKind::Connection | ErrorKind::Tls
            ));
        }
    }
}

fn emulator() -> Emulator {
    Emulator::start(Options::default()).unwrap()
}

#[test]
fn plain_http_on_this_machine_is_never_sent_to_a_proxy_of_the_environment() {
    // I9
    bounded(|| {
        let (emulator, proxy) = (emulator(), Slammer::open());
        let url = format!("http://{}", proxy.address);
        let variables = [
            "HTTP_PROXY",
            "http_proxy",
            "ALL_PROXY",
            "all_proxy",
            "HTTPS_PROXY",
        ];
        let variables = variables.map(|name| (name, url.as_str()));
        let (base_url, token_url) = (emulator.plain_base_url(), emulator.plain_token_url());
        assert!(call_in_child(&base_url, &token_url, &emulator, &variables));
        assert_eq!(proxy.connections(), 0);
    });
}

#[test]
fn https_follows_the_environments_proxy_and_its_exceptions() {
    bounded(|| {
        let emulator = emulator();
        let (base_url, token_url) = (emulator.base_url(), emulator.token_url());
        let bundle = ("TEST_BUNDLE", emulator.ca_pem());
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let proxy = Slammer::open();
            let url = format!("http://user:MARKED-PASSWORD@{}", proxy.address);
            let variables = [bundle, (name, url.as_str())];
            assert!(
                !call_in_child(&base_url, &token_url, &emulator, &variables),
                "{name}"
            );
            assert!(proxy.connections() > 0, "{name} was not followed");
            let asked = proxy.connections();
            let excepted = [bundle, (name, url.as_str()), ("NO_PROXY", "localhost")];
            assert!(
                call_in_child(&base_url, &token_url, &emulator, &excepted),
                "{name}"
            );
            assert_eq!(proxy.connections(), asked);
        }
    });
}

#[test]
fn a_proxy_of_the_environment_is_used_or_a_configuration_error_that_names_it() {
    // I9: never left out without a word.
    bounded(|| {
        let emulator = emulator();
        let (base_url, token_url) = (emulator.base_url(), emulator.token_url());
        let bundle = ("TEST_BUNDLE", emulator.ca_pem());
        for (name, value) in [
            ("HTTPS_PROXY", "htp://u:MARKED@127.0.0.1:1"),
            ("https_proxy", "socks5h://%zz:1"),
            ("ALL_PROXY", "garbage with MARKED spaces"),
        ] {
            let variables = [bundle, (name, value)];
            let text = outcome_in_child(&base_url, &token_url, &emulator, &variables);
            let refused = format!("OUTCOME: Error(configuration, input: {name}: ");
            assert!(text.contains(&refused), "{name}={value}: {text}");
        }
        let proxy = Slammer::open();
        for (number, value) in [
            format!("\"http://{}\"", proxy.address),
            format!(" http://{} ", proxy.address),
            format!("http://u:MARKED^x@{}", proxy.address),
            format!("{}", proxy.address),
            format!("socks://{}", proxy.address),
        ]
        .iter()
        .enumerate()
        {
            let variables = [bundle, ("HTTPS_PROXY", value.as_str())];
            let text = outcome_in_child(&base_url, &token_url, &emulator, &variables);
            assert!(!text.contains("OUTCOME: answered"), "{value}: {text}");
            assert!(proxy.connections() > number, "{value} was not followed");
            let named = format!("{}", proxy.address);
            assert!(text.contains(&named), "the error names the proxy: {text}");
        }
        let url = format!("http://{}", proxy.address);
        let before = proxy.connections();
        let port = base_url.split(':').nth(2).unwrap();
        let with_port = format!("localhost:{}", port.split('/').next().unwrap());
        let token_port = token_url.split(':').nth(2).unwrap();
        let token_port = format!("localhost:{}", token_port.split('/').next().unwrap());
        for list in ["*", &format!(" other.host , {with_port},{token_port}")] {
            let variables = [bundle, ("HTTPS_PROXY", url.as_str()), ("NO_PROXY", list)];
            assert!(call_in_child(&base_url, &token_url, &emulator, &variables));
        }
        assert_eq!(proxy.connections(), before);
    });
}

#[test]
fn an_explicit_proxy_is_used_for_every_host_and_its_password_is_in_no_error() {
    // I13
    bounded(|| {
        let (emulator, proxy) = (emulator(), Slammer::open());
        let url = format!("http://user:MARKED-PASSWORD@{}", proxy.address);
        let variables = [
            ("TEST_BUNDLE", emulator.ca_pem()),
            ("TEST_PROXY", url.as_str()),
            ("NO_PROXY", "*"),
        ];
        let (base_url, token_url) = (emulator.base_url(), emulator.token_url());
        assert!(!call_in_child(&base_url, &token_url, &emulator, &variables));
        assert!(proxy.connections() > 0);
        let before = proxy.connections();
        let (base_url, token_url) = (emulator.plain_base_url(), emulator.plain_token_url());
        assert!(!call_in_child(&base_url, &token_url, &emulator, &variables));
        assert!(
            proxy.connections() > before,
            "plain http to loopback, too, since it was asked for"
        );
    });
}

#[test]
fn ssl_cert_file_adds_to_what_is_trusted() {
    // I8
    bounded(|| {
        let emulator = emulator();
        let file = std::env::temp_dir().join(format!("gigachat-{}.pem", uuid::Uuid::new_v4()));
        std::fs::write(&file, emulator.ca_pem()).unwrap();
        let (base_url, token_url) = (emulator.base_url(), emulator.token_url());
        let with_file = [("SSL_CERT_FILE", file.to_str().unwrap())];
        assert!(!call_in_child(&base_url, &token_url, &emulator, &[]));
        assert!(call_in_child(&base_url, &token_url, &emulator, &with_file));
        std::fs::write(&file, "").unwrap();
        let empty = [with_file[0], ("TEST_BUNDLE", emulator.ca_pem())];
        assert!(
            call_in_child(&base_url, &token_url, &emulator, &empty),
            "an empty store is no error"
        );
        // Nothing depends on it.
        let _ = std::fs::remove_file(file);
    });
}
