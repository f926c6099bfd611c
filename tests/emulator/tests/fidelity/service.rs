//! A client of the emulator that is as plain as possible: it checks nothing and repairs nothing.

use std::sync::Arc;
use std::time::Duration;

use gigachat_emulator::{Emulator, Options};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// A hang fails by this bound; nothing passes because of it.
pub const BOUND: Duration = Duration::from_secs(10);

pub const RQUID: &str = "6f0b1291-c7f3-43c6-bb2e-9f3efb2dc98e";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

pub const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

pub struct Service {
    pub emulator: Emulator,
    pub http: reqwest::Client,
    pub token: String,
    pub base_url: String,
}

impl Service {
    pub fn start(protocol: Protocol) -> Service {
        Service::with(protocol, Options::default())
    }

    pub fn with(protocol: Protocol, options: Options) -> Service {
        let emulator = Emulator::start(options).expect("the emulator starts");
        Service {
            http: client(&emulator, protocol, false),
            token: emulator.access_token().expect("a token"),
            base_url: emulator.base_url(),
            emulator,
        }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http
            .get(format!("{}{path}", self.base_url))
            .bearer_auth(&self.token)
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http
            .post(format!("{}{path}", self.base_url))
            .bearer_auth(&self.token)
            .json(body)
    }

    pub fn chat(&self, body: &Value) -> RequestBuilder {
        self.post("/chat/completions", body)
    }

    pub fn say(&self, text: &str) -> RequestBuilder {
        self.chat(&prompt(text))
    }

    pub fn stream(&self, text: &str) -> RequestBuilder {
        let mut body = prompt(text);
        body["stream"] = json!(true);
        self.chat(&body)
    }

    pub fn oauth(&self) -> RequestBuilder {
        self.http.post(self.emulator.token_url())
    }

    /// A token request in order for this key and scope.
    pub fn token_request(&self, key: &str, scope: &str) -> RequestBuilder {
        self.oauth()
            .header("Authorization", format!("Basic {key}"))
            .header("RqUID", RQUID)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(format!("scope={scope}"))
    }
}

/// A fault for one request, as a header.
pub fn fault(request: RequestBuilder, action: &Value) -> RequestBuilder {
    request.header("X-Emulator-Fault", action.to_string())
}

pub fn prompt(text: &str) -> Value {
    json!({"model": "GigaChat", "messages": [{"role": "user", "content": text}]})
}

pub async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

pub async fn json_of(request: RequestBuilder) -> (u16, Value) {
    let response = send(request).await;
    let status = response.status().as_u16();
    (status, response.json().await.expect("JSON"))
}

pub async fn text_of(request: RequestBuilder) -> String {
    send(request).await.text().await.expect("a whole body")
}

/// Everything up to the end or to the break, and whether it was an end.
pub async fn read_to_end(mut response: Response) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return (bytes, true),
            Err(_) => return (bytes, false),
        }
    }
}

/// The `data:` values of a stream.
pub fn events(body: &str) -> Vec<String> {
    body.split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .map(str::to_owned)
        .collect()
}

/// The text of a stream.
pub fn text_in(body: &str) -> String {
    events(body)
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .filter_map(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

pub fn client(emulator: &Emulator, protocol: Protocol, with_certificate: bool) -> reqwest::Client {
    client_builder(emulator, protocol, with_certificate)
        .user_agent("fidelity/1")
        .build()
        .expect("a client")
}

/// A client that trusts the test CA; it does not say who it is.
pub fn client_builder(
    emulator: &Emulator,
    protocol: Protocol,
    with_certificate: bool,
) -> reqwest::ClientBuilder {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(emulator.ca_pem().as_bytes()).expect("a certificate");
    roots.add(ca).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut tls = if with_certificate {
        let certificate = CertificateDer::from_pem_slice(emulator.client_cert_pem().as_bytes());
        let key = PrivateKeyDer::from_pem_slice(emulator.client_key_pem().as_bytes());
        builder
            .with_client_auth_cert(
                vec![certificate.expect("a certificate")],
                key.expect("a key"),
            )
            .expect("a client certificate")
    } else {
        builder.with_no_client_auth()
    };
    tls.alpn_protocols = match protocol {
        Protocol::Http1 => vec![b"http/1.1".to_vec()],
        Protocol::Http2 => vec![b"h2".to_vec()],
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(BOUND)
}
