//! Configuration and environment: a value is refused with a reason, or the whole can be used as
//! far as a request's composition, or is refused there with a reason.
//!
//! Input: as in /proc/PID/environ, `name=value` divided by NUL. Upper-case names are variables of
//! the environment, lower-case ones options. No file is opened: a path may name a device.

use std::time::Duration;

use gigachat::{Config, Error, ErrorKind, Request, fuzzing};

/// Reads the environment, sets the options, prepares the first request.
pub fn check(input: &[u8]) {
    let entries: Vec<(&str, &str)> = input
        .split(|byte| *byte == 0)
        .filter_map(|entry| std::str::from_utf8(entry).ok()?.split_once('='))
        .collect();
    let variables = entries
        .iter()
        .filter(|(name, _)| name.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut config = match Config::from_variables(variables) {
        Ok((config, report)) => {
            assert!(report.ignored.len() <= entries.len() + 2);
            config
        }
        Err(error) => {
            refused(&error, &[ErrorKind::Configuration]);
            Config::default()
        }
    };
    let mut request = Request::prompt("x");
    for (name, value) in &entries {
        if let Err(error) = set(&mut config, &mut request, name, value) {
            refused(
                &error,
                &[ErrorKind::Configuration, ErrorKind::InvalidRequest],
            );
        }
    }
    let _ = format!("{config:?} {request:?}");
    if entries.iter().any(|(name, _)| names_a_file(name)) {
        let _ = config.validate();
    } else if let Err(error) = fuzzing::first_use(config, &request) {
        refused(&error, &[ErrorKind::Configuration]);
    }
}

fn refused(error: &Error, kinds: &[ErrorKind]) {
    assert!(kinds.contains(&error.kind()), "{error:?}");
    assert!(!error.message().is_empty());
    let _ = error.to_string();
}

fn names_a_file(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("_file")
}

fn set(config: &mut Config, request: &mut Request, name: &str, value: &str) -> Result<(), Error> {
    let number = || value.parse::<u64>().unwrap_or(value.len() as u64);
    let time = || Duration::from_millis(number());
    let small = || u32::try_from(number()).unwrap_or(u32::MAX);
    let size = || usize::try_from(number()).unwrap_or(usize::MAX);
    let pair = || value.split_once('=').unwrap_or((value, "x"));
    match name {
        "name" => config.set_name(value)?,
        "authorization_key" => config.set_authorization_key(value)?,
        "access_token" => config.set_access_token(value)?,
        "user" => config.set_user(pair().0, pair().1)?,
        "scope" => config.set_scope(value)?,
        "model" => config.set_model(value)?,
        "base_url" => config.set_base_url(value)?,
        "token_url" => config.set_token_url(value)?,
        "timeout" => config.set_timeout(time())?,
        "connect_timeout" => config.set_connect_timeout(time())?,
        "queue_timeout" => config.set_queue_timeout(time())?,
        "idle_timeout" => config.set_idle_timeout(time())?,
        "stream_timeout" => config.set_stream_timeout(time())?,
        "health_timeout" => config.set_health_timeout(time())?,
        "max_retries" => config.set_max_retries(small())?,
        "max_concurrency" => config.set_max_concurrency(small())?,
        "verify_tls" => config.set_verify_tls(value != "0"),
        "allow_insecure_http" => config.set_allow_insecure_http(value != "0"),
        "proxy_from_environment" => config.set_proxy_from_environment(value != "0"),
        "ca_bundle_pem" => config.set_ca_bundle_pem(value)?,
        "certificate_pem" => config.set_certificate_pem(value)?,
        "private_key_pem" => config.set_private_key_pem(value)?,
        "private_key_password" => config.set_private_key_password(value),
        "ca_bundle_file" => config.set_ca_bundle_file(value)?,
        "certificate_file" => config.set_certificate_file(value)?,
        "private_key_file" => config.set_private_key_file(value)?,
        "russian_root_host" => config.add_russian_root_host(value)?,
        "proxy" => config.set_proxy(value)?,
        "user_agent" => config.set_user_agent(value)?,
        "extra_header" => config.set_extra_header(pair().0, pair().1)?,
        "max_body_bytes" => config.set_max_body_bytes(size())?,
        "max_event_bytes" => config.set_max_event_bytes(size())?,
        "read_ahead_bytes" => config.set_read_ahead_bytes(size())?,
        "header" => request.set_header(pair().0, pair().1)?,
        "request_id" => request.set_request_id(value)?,
        "session_id" => request.set_session_id(value)?,
        "client_id" => request.set_client_id(value)?,
        "deadline" => request.set_deadline(time())?,
        _ => {}
    }
    Ok(())
}
