//! What the caller says about a provider: credential, hosts, limits, TLS, proxy.
//!
//! Plain data with setters that refuse what cannot work, each naming field, value and range
//! (I11). [`Config::validate`] checks what concerns several fields and yields [`ValidConfig`],
//! the only form that the transport accepts. Where options come from the environment is in
//! `environment`; the table that documents every option is in `options`.

mod check;
mod environment;
mod key;
mod options;
mod pem;
pub(crate) mod proxy;
mod valid;

use std::time::Duration;

pub use environment::EnvironmentReport;
pub(crate) use environment::reason_to_ignore;
pub(crate) use options::instead;
pub use options::{VARIABLES_WITHOUT_OPTION, reference_table};
pub use pem::{PemBytes, PemSource};
pub(crate) use valid::is_loopback;
pub use valid::{CredentialSource, ValidConfig};

use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, Result};
use crate::limits;
use crate::option_table;
use crate::secret::Secret;

pub use crate::option_table::{OptionInfo, Unit};

/// The API since 17 July 2026 (GigaChat OpenAPI 3.1.1, `servers`).
pub const BASE_URL: &str = "https://api.giga.chat/v1";
/// The older API host; still there for existing customers, announced as temporary.
pub const BASE_URL_SBER_DEVICES: &str = "https://gigachat.devices.sberbank.ru/api/v1";
/// Where authorization keys are exchanged for access tokens (GigaChat REST reference, OAuth).
pub const TOKEN_URL: &str = "https://ngw.devices.sberbank.ru:9443/api/v2/oauth";

/// Model names; any other name is passed through as it is.
pub mod models {
    /// The default model; the service redirects it to its second generation.
    pub const GIGACHAT: &str = "GigaChat";
    /// First-generation name of the larger model.
    pub const GIGACHAT_PRO: &str = "GigaChat-Pro";
    /// First-generation name of the model with a longer context.
    pub const GIGACHAT_PLUS: &str = "GigaChat-Plus";
    /// Second generation.
    pub const GIGACHAT_2: &str = "GigaChat-2";
    /// Second generation, larger.
    pub const GIGACHAT_2_PRO: &str = "GigaChat-2-Pro";
    /// Second generation, largest.
    pub const GIGACHAT_2_MAX: &str = "GigaChat-2-Max";
}

/// The kind of account that an authorization key belongs to (GigaChat REST reference, OAuth).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    /// `GIGACHAT_API_PERS`: individuals; one generation request at a time.
    #[default]
    Pers,
    /// `GIGACHAT_API_B2B`: legal entities with prepaid packages; ten at a time.
    B2b,
    /// `GIGACHAT_API_CORP`: legal entities, pay as you go; ten at a time.
    Corp,
}

impl Scope {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Pers => "GIGACHAT_API_PERS",
            Scope::B2b => "GIGACHAT_API_B2B",
            Scope::Corp => "GIGACHAT_API_CORP",
        }
    }

    /// How many generation requests the service lets one credential make at once
    /// (GigaChat limitations, 19 Nov 2025).
    pub fn default_concurrency(self) -> u32 {
        match self {
            Scope::Pers => 1,
            Scope::B2b | Scope::Corp => 10,
        }
    }
}

/// Which proxy leads to the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum ProxyChoice {
    /// `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, read when the configuration is
    /// checked; never for plain http to loopback.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, for every host (`http://`, `https://`, `socks5://`, `socks5h://`). A secret,
    /// since the URL may carry a password.
    Url(Secret),
}

/// A provider's options. Start from [`Config::new`] or [`Config::from_env`], then set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) name: String,
    pub(crate) authorization_key: Option<Secret>,
    pub(crate) access_token: Option<Secret>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) scope: Scope,
    pub(crate) model: String,
    pub(crate) base_url: String,
    pub(crate) token_url: String,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) queue_timeout: Duration,
    pub(crate) queue_timeout_given: bool,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) stream_timeout: Option<Duration>,
    pub(crate) health_timeout: Duration,
    pub(crate) max_retries: u32,
    pub(crate) retry_broken_connections: bool,
    pub(crate) wait_on_rate_limit: bool,
    pub(crate) max_concurrency: Option<u32>,
    pub(crate) max_connections_per_host: u32,
    pub(crate) shared_permits: Option<String>,
    pub(crate) verify_tls: bool,
    pub(crate) ca_bundle: Option<PemSource>,
    pub(crate) certificate: Option<PemSource>,
    pub(crate) private_key: Option<PemSource>,
    pub(crate) private_key_password: Option<Secret>,
    pub(crate) russian_root_hosts: Vec<String>,
    pub(crate) proxy: ProxyChoice,
    pub(crate) user_agent: String,
    pub(crate) extra_headers: Vec<(String, Secret)>,
    pub(crate) allow_insecure_http: bool,
    pub(crate) max_body_bytes: usize,
    pub(crate) max_event_bytes: usize,
    pub(crate) read_ahead_bytes: usize,
    pub(crate) log_content: bool,
    pub(crate) api_version: ApiVersion,
    pub(crate) result_role: ResultRole,
    pub(crate) session_id: Option<String>,
    pub(crate) profanity_check: Option<bool>,
    pub(crate) flags: Vec<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            name: "gigachat".to_owned(),
            authorization_key: None,
            access_token: None,
            user: None,
            password: None,
            scope: Scope::Pers,
            model: models::GIGACHAT.to_owned(),
            base_url: BASE_URL.to_owned(),
            token_url: TOKEN_URL.to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            queue_timeout: Duration::from_secs(600),
            queue_timeout_given: false,
            idle_timeout: None,
            stream_timeout: None,
            health_timeout: Duration::from_secs(5),
            max_retries: 3,
            retry_broken_connections: true,
            wait_on_rate_limit: true,
            max_concurrency: None,
            max_connections_per_host: 0,
            shared_permits: None,
            verify_tls: true,
            ca_bundle: None,
            certificate: None,
            private_key: None,
            private_key_password: None,
            russian_root_hosts: Vec::new(),
            proxy: ProxyChoice::Environment,
            user_agent: concat!("libgigachat/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_headers: Vec::new(),
            allow_insecure_http: false,
            max_body_bytes: 16 * 1024 * 1024,
            max_event_bytes: 1024 * 1024,
            read_ahead_bytes: 1024 * 1024,
            log_content: false,
            api_version: ApiVersion::V1,
            result_role: ResultRole::Tool,
            session_id: None,
            profanity_check: None,
            flags: Vec::new(),
        }
    }
}

impl Config {
    /// The defaults with this authorization key (base64 of `client_id:client_secret`, shown
    /// ready-made in the customer cabinet).
    pub fn new(authorization_key: &str) -> Result<Config> {
        let mut config = Config::default();
        config.set_authorization_key(authorization_key)?;
        Ok(config)
    }

    /// Every option, in the order of the documentation.
    pub fn options() -> impl Iterator<Item = &'static OptionInfo> {
        options::ROWS.iter().map(|row| &row.info)
    }

    /// Sets an option by its name (or another name that is understood for it) to what `value` says:
    /// times are written in seconds (`45`, `0.5`), truth values as `true` or `false`, hosts with
    /// commas between them, headers as `Name: value` lines. Hosts and headers are added to those
    /// that are there. An unknown name is an error that names the one that was meant.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match option_table::find(options::ROWS, name) {
            Some(row) => row.set(self, value, Error::of_option),
            None => Err(options::no_such(name)),
        }
    }

    /// The provider's name in logs, metrics and router reports: 1 to 128 characters.
    pub fn set_name(&mut self, name: &str) -> Result<()> {
        limits::length("name", name, 1, 128).map_err(Error::of_option)?;
        self.name = name.to_owned();
        Ok(())
    }

    /// The authorization key; surrounding white space is dropped.
    pub fn set_authorization_key(&mut self, key: &str) -> Result<()> {
        self.authorization_key = Some(check::secret("authorization_key", key)?);
        Ok(())
    }

    /// A ready-made access token; it is never refreshed, so a 401 is final.
    pub fn set_access_token(&mut self, token: &str) -> Result<()> {
        self.access_token = Some(check::secret("access_token", token)?);
        Ok(())
    }

    /// User and password of a partner installation that serves `{base_url}/token`.
    pub fn set_user(&mut self, user: &str, password: &str) -> Result<()> {
        self.set_user_name(user)?;
        self.set_password(password);
        Ok(())
    }

    /// The user alone; it counts once there is a password too.
    pub(super) fn set_user_name(&mut self, user: &str) -> Result<()> {
        limits::length("user", user, 1, 1024).map_err(Error::of_option)?;
        if user.contains(':') {
            return Err(Error::configuration(
                "user",
                "a text with a colon",
                "free of colons",
            ));
        }
        self.user = Some(user.to_owned());
        Ok(())
    }

    /// The password alone; it counts once there is a user too.
    pub(super) fn set_password(&mut self, password: &str) {
        self.password = Some(Secret::new(password));
    }

    /// `GIGACHAT_API_PERS`, `GIGACHAT_API_B2B` or `GIGACHAT_API_CORP`.
    pub fn set_scope(&mut self, scope: &str) -> Result<()> {
        self.scope = check::scope("scope", scope)?;
        Ok(())
    }

    /// The default model of requests that name none: any non-empty name.
    pub fn set_model(&mut self, model: &str) -> Result<()> {
        limits::length("model", model, 1, 256).map_err(Error::of_option)?;
        self.model = model.to_owned();
        Ok(())
    }

    /// Which of the service's chats requests are sent to whose own form does not say it. Default: v1.
    pub fn set_api_version(&mut self, version: ApiVersion) {
        self.api_version = version;
    }

    /// The role under which chat v2 gets the results of functions. Default: `tool`.
    pub fn set_result_role(&mut self, role: ResultRole) {
        self.result_role = role;
    }

    /// `X-Session-ID` of calls that set none.
    pub fn set_session_id(&mut self, id: &str) -> Result<()> {
        self.session_id = Some(limits::identifier("session_id", id).map_err(Error::of_option)?);
        Ok(())
    }

    /// Whether the service checks chats for profanity, where that is agreed with it; not said by
    /// default.
    pub fn set_profanity_check(&mut self, check: bool) {
        self.profanity_check = Some(check);
    }

    /// The service's `flags` of chats that set none.
    pub fn set_flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    }

    /// The API's root, `https://host[:port]/path`; a trailing slash is dropped.
    pub fn set_base_url(&mut self, url: &str) -> Result<()> {
        self.base_url = check::url("base_url", url)?;
        Ok(())
    }

    /// The token endpoint's full URL.
    pub fn set_token_url(&mut self, url: &str) -> Result<()> {
        self.token_url = check::url("token_url", url)?;
        Ok(())
    }

    /// I3: bounds a unary call from its permit on, a stream's time to first content and, unless
    /// `idle_timeout` is set, a stream's silences. 1 ms to 1 h, default 30 s.
    pub fn set_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.timeout = limits::CALL_TIME
            .check("timeout", timeout)
            .map_err(Error::of_option)?;
        Ok(())
    }

    /// Bounds opening a connection, TLS included, within `timeout`. 1 ms to 1 h, default 10 s.
    pub fn set_connect_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.connect_timeout = limits::CALL_TIME
            .check("connect_timeout", timeout)
            .map_err(Error::of_option)?;
        Ok(())
    }

    /// Bounds the wait for a permit. 1 ms to 24 h. By default only a wait ends in which the
    /// credential hands out no permit for 600 s, so that a job that makes progress is not ended.
    pub fn set_queue_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.queue_timeout = limits::LONG_TIME
            .check("queue_timeout", timeout)
            .map_err(Error::of_option)?;
        self.queue_timeout_given = true;
        Ok(())
    }

    /// Bounds a stream's silence between contents. 1 ms to 1 h, default: `timeout`.
    pub fn set_idle_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.idle_timeout = Some(
            limits::CALL_TIME
                .check("idle_timeout", timeout)
                .map_err(Error::of_option)?,
        );
        Ok(())
    }

    /// Bounds a whole stream from its permit on. 1 ms to 24 h, default: unbounded.
    pub fn set_stream_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.stream_timeout = Some(
            limits::LONG_TIME
                .check("stream_timeout", timeout)
                .map_err(Error::of_option)?,
        );
        Ok(())
    }

    /// Bounds a health check, token included. 1 ms to 1 h, default 5 s.
    pub fn set_health_timeout(&mut self, timeout: Duration) -> Result<()> {
        self.health_timeout = limits::CALL_TIME
            .check("health_timeout", timeout)
            .map_err(Error::of_option)?;
        Ok(())
    }

    /// Attempts after the first (I4); a 429 that is waited out is none of them. 0 to 10, default 3;
    /// with 0 nothing is sent again, after a 429 neither.
    pub fn set_max_retries(&mut self, retries: u32) -> Result<()> {
        self.max_retries =
            limits::whole("max_retries", retries, limits::RETRIES).map_err(Error::of_option)?;
        Ok(())
    }

    /// Whether a request is sent again when its connection broke before an answer. The service
    /// has no idempotency key, so such a retry may bill twice. Default: yes.
    pub fn set_retry_broken_connections(&mut self, retry: bool) {
        self.retry_broken_connections = retry;
    }

    /// Whether a generation request that was answered with 429 waits in the queue until the service
    /// takes it, as long as `queue_timeout` and the call's deadline allow, while the permits of the
    /// credential adapt (I20). Without that a 429 counts to `max_retries` as other failures do.
    /// Default: yes.
    pub fn set_wait_on_rate_limit(&mut self, wait: bool) {
        self.wait_on_rate_limit = wait;
    }

    /// Generation requests in flight per credential (I5). 0 to 10,000, 0 = no limit; default by
    /// scope: 1 for PERS, 10 for B2B and CORP; none for a ready token or user and password.
    pub fn set_max_concurrency(&mut self, limit: u32) -> Result<()> {
        self.max_concurrency = Some(
            limits::whole("max_concurrency", limit, limits::CONCURRENCY)
                .map_err(Error::of_option)?,
        );
        Ok(())
    }

    /// Connections to the API host at most, each with a hundred requests at once over HTTP/2 or one
    /// over HTTP/1.1. What finds no place waits in the queue: it counts to `queue_timeout`. 0 to
    /// 10,000, 0 = no limit, the default. Connections are shared by providers that have the same.
    pub fn set_max_connections_per_host(&mut self, limit: u32) -> Result<()> {
        self.max_connections_per_host =
            limits::whole("max_connections_per_host", limit, limits::CONNECTIONS)
                .map_err(Error::of_option)?;
        Ok(())
    }

    /// Shares the credential's permits and its access token with all processes of this machine that
    /// say the same (I20): `host` for all of this user's, or the absolute path of a folder, which is
    /// made if its parent is there, and must be this user's alone. Needs `max_concurrency` to be the
    /// same in all of them, and 100 at the most. Default: none.
    pub fn set_shared_permits(&mut self, place: &str) -> Result<()> {
        self.shared_permits = Some(check::shared_place("shared_permits", place)?);
        Ok(())
    }

    /// TLS verification. Default: on. Off lets anyone on the network read the authorization key;
    /// each provider built that way says so in the log.
    pub fn set_verify_tls(&mut self, verify: bool) {
        self.verify_tls = verify;
    }

    /// Root certificates in addition to the system's, as a PEM file.
    pub fn set_ca_bundle_file(&mut self, path: &str) -> Result<()> {
        self.ca_bundle = Some(check::file("ca_bundle_file", path)?);
        Ok(())
    }

    /// Root certificates in addition to the system's, as PEM text.
    pub fn set_ca_bundle_pem(&mut self, pem: &str) -> Result<()> {
        self.ca_bundle = Some(check::pem("ca_bundle_pem", pem)?);
        Ok(())
    }

    /// Client certificate chain (mTLS), for the token host and the API host, as a PEM file.
    pub fn set_certificate_file(&mut self, path: &str) -> Result<()> {
        self.certificate = Some(check::file("certificate_file", path)?);
        Ok(())
    }

    /// Client certificate chain as PEM text.
    pub fn set_certificate_pem(&mut self, pem: &str) -> Result<()> {
        self.certificate = Some(check::pem("certificate_pem", pem)?);
        Ok(())
    }

    /// The client certificate's private key as a PEM file; without it the key is looked for in
    /// the certificate file.
    pub fn set_private_key_file(&mut self, path: &str) -> Result<()> {
        self.private_key = Some(check::file("private_key_file", path)?);
        Ok(())
    }

    /// The client certificate's private key as PEM text.
    pub fn set_private_key_pem(&mut self, pem: &str) -> Result<()> {
        self.private_key = Some(check::pem("private_key_pem", pem)?);
        Ok(())
    }

    /// The password of an encrypted private key.
    pub fn set_private_key_password(&mut self, password: &str) {
        self.private_key_password = Some(Secret::new(password));
    }

    /// One more host for which the embedded Russian Trusted Root CA is trusted (I8); it is
    /// trusted for sberbank.ru and giga.chat, at any depth, without this.
    pub fn add_russian_root_host(&mut self, host: &str) -> Result<()> {
        check::host("russian_root_host", host)?;
        self.russian_root_hosts.push(host.to_ascii_lowercase());
        Ok(())
    }

    /// An explicit proxy for every host; overrides the environment's:
    /// `[http|https|socks5|socks5h]://[user:password@]host[:port]`.
    pub fn set_proxy(&mut self, url: &str) -> Result<()> {
        self.proxy = ProxyChoice::Url(proxy::parse("proxy", url)?);
        Ok(())
    }

    /// Whether `HTTPS_PROXY` and its kin are followed. Default: yes. An explicit proxy stays.
    pub fn set_proxy_from_environment(&mut self, follow: bool) {
        if !matches!(self.proxy, ProxyChoice::Url(_)) {
            self.proxy = if follow {
                ProxyChoice::Environment
            } else {
                ProxyChoice::Direct
            };
        }
    }

    /// The `User-Agent`; api.giga.chat answers 403 without one, so it cannot be empty.
    pub fn set_user_agent(&mut self, user_agent: &str) -> Result<()> {
        limits::length("user_agent", user_agent, 1, 1024).map_err(Error::of_option)?;
        limits::header_value("user_agent", user_agent).map_err(Error::of_option)?;
        self.user_agent = user_agent.to_owned();
        Ok(())
    }

    /// A header sent with every API request (not with token requests). Setting a name again
    /// replaces its value. At most 100, with at most 64 KiB of names and values together.
    pub fn set_extra_header(&mut self, name: &str, value: &str) -> Result<()> {
        let name = limits::header_name("extra_headers", name).map_err(Error::of_option)?;
        limits::header_value(&name, value).map_err(Error::of_option)?;
        let headers = &mut self.extra_headers;
        let others = headers.iter().filter(|(known, _)| *known != name);
        let sizes = others.map(|(name, value)| name.len() + value.expose().len());
        limits::header_room("extra_headers", sizes, name.len() + value.len())
            .map_err(Error::of_option)?;
        headers.retain(|(known, _)| *known != name);
        headers.push((name, Secret::new(value)));
        Ok(())
    }

    /// Lets `http://` reach hosts other than loopback (I9); each provider built that way warns.
    pub fn set_allow_insecure_http(&mut self, allow: bool) {
        self.allow_insecure_http = allow;
    }

    /// The largest unary answer, in bytes: 1 KiB to 1 GiB, default 16 MiB (I12).
    pub fn set_max_body_bytes(&mut self, bytes: usize) -> Result<()> {
        self.max_body_bytes =
            limits::whole("max_body_bytes", bytes, limits::BYTES).map_err(Error::of_option)?;
        Ok(())
    }

    /// The largest event of a stream, in bytes: 1 KiB to 1 GiB, default 1 MiB (I12).
    pub fn set_max_event_bytes(&mut self, bytes: usize) -> Result<()> {
        self.max_event_bytes =
            limits::whole("max_event_bytes", bytes, limits::BYTES).map_err(Error::of_option)?;
        Ok(())
    }

    /// How many bytes of a stream are read ahead of a slow reader: 1 KiB to 1 GiB, default
    /// 1 MiB (I5).
    pub fn set_read_ahead_bytes(&mut self, bytes: usize) -> Result<()> {
        self.read_ahead_bytes =
            limits::whole("read_ahead_bytes", bytes, limits::BYTES).map_err(Error::of_option)?;
        Ok(())
    }

    /// Whether prompts and answers may appear in the log at trace level. Default: no (I13).
    pub fn set_log_content(&mut self, log: bool) {
        self.log_content = log;
    }
}
