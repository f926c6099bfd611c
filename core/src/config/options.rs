//! The table of all options: field, unit, range, default and environment variable.
//!
//! It is the source of the table in `docs/configuration.md` (a test keeps them equal) and of the
//! list of variables that `from_env` knows.

/// One option, as the documentation shows it.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// The field's name, the same in every language.
    pub field: &'static str,
    /// What a value is.
    pub unit: &'static str,
    /// Which values are accepted.
    pub range: &'static str,
    /// The value when nothing is set.
    pub default: &'static str,
    /// The environment variable that sets it, if any.
    pub variable: Option<&'static str>,
}

const fn option(
    field: &'static str,
    unit: &'static str,
    range: &'static str,
    default: &'static str,
    variable: Option<&'static str>,
) -> OptionInfo {
    OptionInfo {
        field,
        unit,
        range,
        default,
        variable,
    }
}

/// Every option of a provider.
pub const OPTIONS: &[OptionInfo] = &[
    option("name", "text", "1 to 128 characters", "gigachat", None),
    option(
        "authorization_key",
        "secret",
        "base64, as copied from the customer cabinet",
        "none",
        Some("GIGACHAT_CREDENTIALS"),
    ),
    option(
        "scope",
        "name",
        "GIGACHAT_API_PERS, GIGACHAT_API_B2B, GIGACHAT_API_CORP",
        "GIGACHAT_API_PERS",
        Some("GIGACHAT_SCOPE"),
    ),
    option(
        "access_token",
        "secret",
        "visible ASCII",
        "none",
        Some("GIGACHAT_ACCESS_TOKEN"),
    ),
    option(
        "user",
        "text",
        "1 to 1024 characters, no colon",
        "none",
        Some("GIGACHAT_USER"),
    ),
    option(
        "password",
        "secret",
        "any text",
        "none",
        Some("GIGACHAT_PASSWORD"),
    ),
    option(
        "model",
        "text",
        "1 to 256 characters",
        "GigaChat",
        Some("GIGACHAT_MODEL"),
    ),
    option(
        "base_url",
        "URL",
        "https; http on loopback",
        "https://api.giga.chat/v1",
        Some("GIGACHAT_BASE_URL"),
    ),
    option(
        "token_url",
        "URL",
        "https; http on loopback",
        "https://ngw.devices.sberbank.ru:9443/api/v2/oauth",
        Some("GIGACHAT_AUTH_URL"),
    ),
    option(
        "timeout",
        "seconds",
        "0.001 to 3600",
        "30",
        Some("GIGACHAT_TIMEOUT"),
    ),
    option("connect_timeout", "seconds", "0.001 to 3600", "10", None),
    option(
        "queue_timeout",
        "seconds",
        "0.001 to 86400",
        "600 without progress",
        None,
    ),
    option(
        "idle_timeout",
        "seconds",
        "0.001 to 3600",
        "as timeout",
        None,
    ),
    option("stream_timeout", "seconds", "0.001 to 86400", "none", None),
    option("health_timeout", "seconds", "0.001 to 3600", "5", None),
    option(
        "max_retries",
        "count",
        "0 to 10",
        "3",
        Some("GIGACHAT_MAX_RETRIES"),
    ),
    option("retry_broken_connections", "boolean", "", "true", None),
    option(
        "max_concurrency",
        "count",
        "0 to 10000, 0 = no limit",
        "1 for PERS, 10 for B2B and CORP, else 0",
        None,
    ),
    option(
        "verify_tls",
        "boolean",
        "",
        "true",
        Some("GIGACHAT_VERIFY_SSL_CERTS"),
    ),
    option(
        "ca_bundle_file",
        "path",
        "PEM certificates",
        "none",
        Some("GIGACHAT_CA_BUNDLE_FILE"),
    ),
    option("ca_bundle_pem", "text", "PEM certificates", "none", None),
    option(
        "certificate_file",
        "path",
        "PEM certificate chain",
        "none",
        Some("GIGACHAT_CERT_FILE"),
    ),
    option(
        "certificate_pem",
        "text",
        "PEM certificate chain",
        "none",
        None,
    ),
    option(
        "private_key_file",
        "path",
        "PEM private key",
        "in the certificate file",
        Some("GIGACHAT_KEY_FILE"),
    ),
    option("private_key_pem", "secret", "PEM private key", "none", None),
    option(
        "private_key_password",
        "secret",
        "any text",
        "none",
        Some("GIGACHAT_KEY_FILE_PASSWORD"),
    ),
    option(
        "russian_root_hosts",
        "host names",
        "any number",
        "none beyond sberbank.ru and giga.chat",
        None,
    ),
    option(
        "proxy",
        "URL",
        "[http, https, socks5 or socks5h://][user:password@]host[:port]",
        "from the environment",
        None,
    ),
    option("proxy_from_environment", "boolean", "", "true", None),
    option(
        "user_agent",
        "text",
        "1 to 1024 characters",
        "libgigachat/VERSION",
        None,
    ),
    option(
        "extra_headers",
        "name and value",
        "valid header text; not the library's own headers",
        "none",
        None,
    ),
    option("allow_insecure_http", "boolean", "", "false", None),
    option(
        "max_body_bytes",
        "bytes",
        "1024 to 1073741824",
        "16777216",
        None,
    ),
    option(
        "max_event_bytes",
        "bytes",
        "1024 to 1073741824",
        "1048576",
        None,
    ),
    option(
        "read_ahead_bytes",
        "bytes",
        "1024 to 1073741824",
        "1048576",
        None,
    ),
    option("log_content", "boolean", "", "false", None),
];

/// Variables of the official SDK that mean nothing here, with the reason that the warning gives.
pub(super) const VARIABLES_WITHOUT_OPTION: &[(&str, &str)] = &[
    (
        "GIGACHAT_PROFANITY_CHECK",
        "set profanity_check in the request",
    ),
    ("GIGACHAT_FLAGS", "set flags in the request"),
    (
        "GIGACHAT_MAX_CONNECTIONS",
        "the number of connections follows max_concurrency",
    ),
    (
        "GIGACHAT_RETRY_BACKOFF_FACTOR",
        "the backoff is fixed: jittered, doubling from 0.5 s, within the deadline",
    ),
    (
        "GIGACHAT_RETRY_ON_STATUS_CODES",
        "retried are 429, 500, 502, 503 and 504",
    ),
    (
        "GIGACHAT_TOKEN_EXPIRY_BUFFER_MS",
        "tokens are refreshed 60 s before they expire",
    ),
];

/// The documentation's table as Markdown.
pub fn reference_table() -> String {
    let mut text =
        String::from("| Option | Unit | Accepted | Default | Variable |\n|---|---|---|---|---|\n");
    for row in OPTIONS {
        let variable = row
            .variable
            .map_or(String::new(), |name| format!("`{name}`"));
        text += &format!(
            "| `{}` | {} | {} | {} | {variable} |\n",
            row.field, row.unit, row.range, row.default
        );
    }
    text += "\n| Variable without an option | Ignored with a warning, because |\n|---|---|\n";
    for (name, why) in VARIABLES_WITHOUT_OPTION {
        text += &format!("| `{name}` | {why} |\n");
    }
    text
}
