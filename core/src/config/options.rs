//! The table of a provider's options. `Config::set`, the variables of `from_env`, the table in
//! `docs/configuration.md`, `api/gigachat.json` and every binding's names come from these rows.

use super::Config;
use crate::api_version::{ApiVersion, ResultRole};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::limits::{self, BYTES, CALL_TIME, CONCURRENCY, CONNECTIONS, LONG_TIME, RETRIES};
use crate::option_table::{self, Row, Unit};

type OptionRow = Row<Config, Error>;

/// Every option of a provider.
pub(crate) static ROWS: &[OptionRow] = &[
    OptionRow::text("name", Unit::Text, Config::set_name)
        .accepts("1 to 128 characters")
        .default("gigachat")
        .doc("The provider's name in logs, metrics and router reports."),
    OptionRow::text("authorization_key", Unit::Secret, Config::set_authorization_key)
        .known_as("api_key")
    .aliases(&["credentials"])
        .accepts("base64, as copied from the customer cabinet")
        .variable("GIGACHAT_CREDENTIALS")
        .doc("The authorization key: base64 of client_id:client_secret, ready-made in the customer cabinet."),
    OptionRow::text("scope", Unit::Text, Config::set_scope)
        .choices(&["GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP"])
        .default("GIGACHAT_API_PERS")
        .variable("GIGACHAT_SCOPE")
        .doc("The kind of account that the authorization key belongs to."),
    OptionRow::text("access_token", Unit::Secret, Config::set_access_token)
        .accepts("visible ASCII")
        .variable("GIGACHAT_ACCESS_TOKEN")
        .doc("A ready-made access token; it is never refreshed, so a 401 is final."),
    OptionRow::text("user", Unit::Text, Config::set_user_name)
        .accepts("1 to 1024 characters, no colon")
        .variable("GIGACHAT_USER")
        .doc("The user of an installation that serves {base_url}/token; goes with password."),
    OptionRow::text("password", Unit::Secret, |config, password| {
        config.set_password(password);
        Ok(())
    })
    .accepts("any text")
    .variable("GIGACHAT_PASSWORD")
    .doc("The password of user."),
    OptionRow::text("model", Unit::Text, Config::set_model)
        .accepts("1 to 256 characters")
        .default("GigaChat")
        .variable("GIGACHAT_MODEL")
        .doc("The model of requests that name none."),
    OptionRow::text("api_version", Unit::Count, |config, text| {
        config.set_api_version(ApiVersion::named(text).map_err(Error::of_option)?);
        Ok(())
    })
    .choices(&["1", "2"])
    .default("1")
    .variable("GIGACHAT_API_VERSION")
    .doc("The chat that requests are sent to whose own form does not say it: /chat/completions (1) or /v2/chat/completions (2)."),
    OptionRow::boolean("use_api_v2", |config, on| {
        if on {
            config.set_api_version(ApiVersion::V2);
        }
    })
    .default("false")
    .variable("GIGACHAT_USE_API_V2")
    .doc("By LangChain's name the same as an api_version of 2; false says nothing."),
    OptionRow::text("result_role", Unit::Text, |config, role| {
        config.set_result_role(ResultRole::named(role).map_err(Error::of_option)?);
        Ok(())
    })
    .choices(&["tool", "function"])
    .default("tool")
    .doc("The role under which chat v2 gets the results of functions; models have been seen to take one and refuse the other."),
    OptionRow::text("session_id", Unit::Text, Config::set_session_id)
        .accepts("1 to 1024 printable ASCII characters")
        .variable("GIGACHAT_SESSION_ID")
        .doc("X-Session-ID of calls that set none."),
    OptionRow::boolean("profanity_check", Config::set_profanity_check)
        .default("not said")
        .variable("GIGACHAT_PROFANITY_CHECK")
        .doc("Whether the service checks chats for profanity, where that is agreed with it."),
    OptionRow::text("flags", Unit::Text, |config, flags| {
        config.flags = limits::names("flags", flags).map_err(Error::of_option)?;
        Ok(())
    })
    .accepts("names with commas between them")
    .variable("GIGACHAT_FLAGS")
    .doc("The service's flags of chats that set none."),
    OptionRow::text("base_url", Unit::Url, Config::set_base_url)
        .accepts("https; http on loopback")
        .default("https://api.giga.chat/v1")
        .variable("GIGACHAT_BASE_URL")
        .doc("The API's root."),
    OptionRow::text("token_url", Unit::Url, Config::set_token_url)
        .known_as("auth_url")
        .accepts("https; http on loopback")
        .default("https://ngw.devices.sberbank.ru:9443/api/v2/oauth")
        .variable("GIGACHAT_AUTH_URL")
        .doc("The token endpoint."),
    OptionRow::seconds("timeout", CALL_TIME, Config::set_timeout)
        .default("30")
        .variable("GIGACHAT_TIMEOUT")
        .doc("Bounds a call from its permit to its end, a stream to its first content and, unless idle_timeout is set, a stream's silences."),
    OptionRow::seconds("connect_timeout", CALL_TIME, Config::set_connect_timeout)
        .default("10")
        .doc("Bounds opening a connection, TLS included, within timeout."),
    OptionRow::seconds("queue_timeout", LONG_TIME, Config::set_queue_timeout)
        .default("600 without progress")
        .doc("Bounds the wait for a permit, and that after a 429. By default only a wait ends in which the credential hands out no permit, or gets no answer but 429, for 600 s."),
    OptionRow::seconds("idle_timeout", CALL_TIME, Config::set_idle_timeout)
        .default("as timeout")
        .doc("Bounds a stream's silence between contents."),
    OptionRow::seconds("stream_timeout", LONG_TIME, Config::set_stream_timeout)
        .doc("Bounds a whole stream from its permit on."),
    OptionRow::seconds("health_timeout", CALL_TIME, Config::set_health_timeout)
        .default("5")
        .doc("Bounds a health check, token included."),
    OptionRow::whole("max_retries", Unit::Count, RETRIES, |config, retries| {
        config.set_max_retries(small(retries))
    })
    .default("3")
    .variable("GIGACHAT_MAX_RETRIES")
    .doc("Attempts after the first; a 429 that is waited out is none of them. With 0 nothing is sent again."),
    OptionRow::boolean("retry_broken_connections", Config::set_retry_broken_connections)
        .default("true")
        .doc("Whether a request whose connection broke before an answer is sent again. The service has no idempotency key: such a retry may bill twice."),
    OptionRow::boolean("wait_on_rate_limit", Config::set_wait_on_rate_limit)
        .default("true")
        .doc("Whether a generation request that was answered with 429 waits in the queue until the service takes it, within queue_timeout and the deadline, while the permits adapt. Without that a 429 counts to max_retries."),
    OptionRow::whole("max_concurrency", Unit::Count, CONCURRENCY, |config, limit| {
        config.set_max_concurrency(small(limit))
    })
    .aliases(&["max_connections"])
    .accepts("0 = no limit")
    .default("1 for PERS, 10 for B2B and CORP, else 0")
    .doc("Generation requests in flight per credential."),
    OptionRow::whole("max_connections_per_host", Unit::Count, CONNECTIONS, |config, limit| {
        config.set_max_connections_per_host(small(limit))
    })
    .accepts("0 = no limit")
    .default("0")
    .doc("Connections to the API host at most, each with 100 requests at once over HTTP/2 or one over HTTP/1.1. What finds no place waits in the queue, within queue_timeout."),
    OptionRow::text("shared_permits", Unit::Path, Config::set_shared_permits)
        .accepts("host, or the absolute path of a folder")
        .doc("Shares permits and access token with the processes of this machine that say the same."),
    OptionRow::boolean("verify_tls", Config::set_verify_tls)
        .known_as("verify_ssl")
        .aliases(&["verify_ssl_certs"])
        .default("true")
        .variable("GIGACHAT_VERIFY_SSL_CERTS")
        .doc("TLS verification. Off lets anyone on the network read the authorization key; each provider built that way says so in the log."),
    OptionRow::text("ca_bundle_file", Unit::Path, Config::set_ca_bundle_file)
        .accepts("PEM certificates")
        .variable("GIGACHAT_CA_BUNDLE_FILE")
        .doc("Root certificates in addition to the system's."),
    OptionRow::text("ca_bundle_pem", Unit::Text, Config::set_ca_bundle_pem)
        .accepts("PEM certificates")
        .doc("The same as text."),
    OptionRow::text("certificate_file", Unit::Path, Config::set_certificate_file)
        .known_as("cert_file")
        .accepts("PEM certificate chain")
        .variable("GIGACHAT_CERT_FILE")
        .doc("The client certificate chain (mTLS), for the token host and the API host."),
    OptionRow::text("certificate_pem", Unit::Text, Config::set_certificate_pem)
        .known_as("cert_pem")
        .accepts("PEM certificate chain")
        .doc("The same as text."),
    OptionRow::text("private_key_file", Unit::Path, Config::set_private_key_file)
        .known_as("key_file")
        .accepts("PEM private key")
        .default("in the certificate file")
        .variable("GIGACHAT_KEY_FILE")
        .doc("The client certificate's private key."),
    OptionRow::text("private_key_pem", Unit::Secret, Config::set_private_key_pem)
        .known_as("key_pem")
        .accepts("PEM private key")
        .doc("The same as text."),
    OptionRow::text("private_key_password", Unit::Secret, |config, password| {
        config.set_private_key_password(password);
        Ok(())
    })
    .known_as("key_file_password")
    .accepts("any text")
    .variable("GIGACHAT_KEY_FILE_PASSWORD")
    .doc("The password of an encrypted private key."),
    OptionRow::text("russian_root_hosts", Unit::Hosts, |config, hosts| {
        let mut hosts = hosts.split(',').map(str::trim);
        hosts.try_for_each(|host| config.add_russian_root_host(host))
    })
    .accepts("any number")
    .default("none beyond sberbank.ru and giga.chat")
    .doc("More hosts for which the embedded Russian Trusted Root CA is trusted."),
    OptionRow::text("proxy", Unit::Url, Config::set_proxy)
        .accepts("[http, https, socks5 or socks5h://][user:password@]host[:port]")
        .default("from the environment")
        .doc("A proxy for every host; overrides the environment's."),
    OptionRow::boolean("proxy_from_environment", Config::set_proxy_from_environment)
        .default("true")
        .doc("Whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are followed."),
    OptionRow::text("user_agent", Unit::Text, Config::set_user_agent)
        .accepts("1 to 1024 characters")
        .default("libgigachat/VERSION")
        .doc("The User-Agent header; api.giga.chat answers 403 without one."),
    OptionRow::text("extra_headers", Unit::Headers, |config, lines| {
        let headers = limits::header_lines("extra_headers", lines).map_err(Error::of_option)?;
        let mut headers = headers.into_iter();
        headers.try_for_each(|(name, value)| config.set_extra_header(name, value))
    })
    .accepts("valid header text, not the library's own headers, at most 100 and 64 KiB together")
    .doc("Headers sent with every API request, not with token requests."),
    OptionRow::boolean("allow_insecure_http", Config::set_allow_insecure_http)
        .default("false")
        .doc("Lets http:// reach hosts other than loopback; each provider built that way warns."),
    OptionRow::whole("max_body_bytes", Unit::Bytes, BYTES, |config, bytes| {
        config.set_max_body_bytes(size(bytes))
    })
    .default("16777216")
    .doc("The largest unary answer."),
    OptionRow::whole("max_event_bytes", Unit::Bytes, BYTES, |config, bytes| {
        config.set_max_event_bytes(size(bytes))
    })
    .default("1048576")
    .doc("The largest event of a stream."),
    OptionRow::whole("read_ahead_bytes", Unit::Bytes, BYTES, |config, bytes| {
        config.set_read_ahead_bytes(size(bytes))
    })
    .default("1048576")
    .doc("How much of a stream is read ahead of a slow reader."),
    OptionRow::boolean("log_content", Config::set_log_content)
        .default("false")
        .doc("Whether prompts and answers may appear in the log at trace level."),
];

/// A number that is too large for its option stays out of range.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Variables of the official SDK that mean nothing here, with the reason that the warning gives.
/// Its options of the same names, in lower case and without `GIGACHAT_`, are refused with it.
pub const VARIABLES_WITHOUT_OPTION: &[(&str, &str)] = &[
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

/// What to do instead of an option of the official SDK that there is none of here.
pub(crate) fn instead(name: &str) -> Option<&'static str> {
    if name == "ssl_context" {
        return Some("give ca_bundle_file, cert_file and key_file");
    }
    let mut known = VARIABLES_WITHOUT_OPTION.iter();
    known.find_map(|(variable, why)| {
        let option = variable.strip_prefix("GIGACHAT_")?;
        option.eq_ignore_ascii_case(name).then_some(*why)
    })
}

/// The refusal of a name that is no option's.
pub(super) fn no_such(name: &str) -> Error {
    let message = match instead(name) {
        Some(why) => format!("{name}: no such option; {why}"),
        None => option_table::unknown(ROWS, name),
    };
    Error::new(ErrorKind::Configuration, Phase::Input, message)
}

/// The documentation's table as Markdown.
pub fn reference_table() -> String {
    let mut text =
        String::from("| Option | Unit | Accepted | Default | Variable |\n|---|---|---|---|---|\n");
    for option in Config::options() {
        let variable = option
            .variable
            .map_or(String::new(), |name| format!("`{name}`"));
        text += &format!(
            "| `{}` | {} | {} | {} | {variable} |\n",
            option.name,
            option.unit.name(),
            option.values(),
            option.default
        );
    }
    text += "\n| Variable without an option | Ignored with a warning, because |\n|---|---|\n";
    for (name, why) in VARIABLES_WITHOUT_OPTION {
        text += &format!("| `{name}` | {why} |\n");
    }
    text
}

/// Sets the option that a variable names; `None` when it names none.
pub(super) fn of_variable(config: &mut Config, variable: &str, value: &str) -> Option<Result<()>> {
    let mut rows = ROWS.iter();
    let row = rows.find(|row| row.info.variable == Some(variable))?;
    Some(row.set(config, value, Error::of_option))
}

#[cfg(test)]
mod tests {
    use super::{Config, ROWS};
    use crate::option_table::Unit;

    /// A value that differs from the default.
    fn another(row: &super::OptionRow) -> &'static str {
        match (row.info.name, row.info.unit) {
            ("scope", _) => "GIGACHAT_API_B2B",
            ("api_version", _) => "2",
            ("result_role", _) => "function",
            ("shared_permits", _) => "host",
            ("ca_bundle_pem" | "certificate_pem" | "private_key_pem", _) => "-----BEGIN X",
            (_, Unit::Url) => "http://localhost:1",
            (_, Unit::Hosts) => "a.example, b.example",
            (_, Unit::Headers) => "X-Tenant: 7",
            (_, Unit::Bytes) => "2048",
            (_, Unit::Boolean) if row.info.default == "true" => "false",
            (_, Unit::Boolean) => "true",
            _ => "7",
        }
    }

    #[test]
    fn every_row_sets_its_option_under_each_of_its_names() {
        for row in ROWS {
            for name in row.info.names() {
                let mut config = Config::default();
                let set = config.set(name, another(row));
                set.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_ne!(config, Config::default(), "{name} changes nothing");
            }
            assert!(row.info.doc.ends_with('.'), "{}", row.info.name);
        }
    }

    #[test]
    fn a_bad_value_is_refused_with_option_value_and_range() {
        let mut config = Config::default();
        for (name, value, says) in [
            (
                "timeout",
                "soon",
                "timeout: \"soon\" is not accepted; it must be a number of seconds from 0.001 to 3600",
            ),
            (
                "timeout",
                "0",
                "timeout: 0 seconds is not accepted; it must be from 0.001 to 3600 seconds",
            ),
            (
                "max_retries",
                "99",
                "max_retries: 99 is not accepted; it must be from 0 to 10",
            ),
            (
                "max_body_bytes",
                "1",
                "max_body_bytes: 1 is not accepted; it must be from 1024 to 1073741824",
            ),
            (
                "verify_tls",
                "maybe",
                "verify_tls: \"maybe\" is not accepted; it must be true or false",
            ),
        ] {
            assert_eq!(config.set(name, value).unwrap_err().message(), says);
        }
        assert_eq!(config, Config::default());
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_one_that_was_meant() {
        let message = |name| {
            let error = Config::default().set(name, "1").unwrap_err();
            error.message().to_owned()
        };
        assert_eq!(
            message("timeot"),
            "timeot: no such option; did you mean timeout?"
        );
        assert_eq!(
            message("verify_ssl_cert"),
            "verify_ssl_cert: no such option; did you mean verify_tls?"
        );
        assert_eq!(
            message("retry_backoff_factor"),
            "retry_backoff_factor: no such option; the backoff is fixed: jittered, doubling from 0.5 s, within the deadline"
        );
        assert!(message("xyzzy").starts_with("xyzzy: no such option; there are name, "));
    }

    #[test]
    fn the_version_of_the_chat_is_1_or_2_by_either_of_its_names() {
        for (name, value, number) in [
            ("api_version", "2", 2),
            ("api_version", "1", 1),
            ("use_api_v2", "true", 2),
            ("use_api_v2", "false", 1),
        ] {
            let mut config = Config::default();
            config.set(name, value).unwrap();
            assert_eq!(config.api_version.number(), number, "{name} {value}");
        }
        let error = Config::default().set("api_version", "3").unwrap_err();
        assert_eq!(
            error.message(),
            "api_version: \"3\" is not accepted; it must be 1 or 2"
        );
        let mut config = Config::default();
        config.set("flags", "[\"a,b\", \"c\"]").unwrap();
        assert_eq!(config.flags, ["a,b", "c"]);
    }

    #[test]
    fn no_two_options_share_a_name_or_a_variable() {
        let names = ROWS.iter().flat_map(|row| row.info.names());
        let mut all: Vec<&str> = names.collect();
        all.extend(ROWS.iter().filter_map(|row| row.info.variable));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
