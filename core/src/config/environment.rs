//! The `GIGACHAT_*` variables: the same names and meanings as in the official Python SDK
//! (`gigachat` 0.2, `settings.py`), so that a program's environment carries over.
//!
//! A variable of that SDK that has no option here is ignored with a warning, never silently.

use std::time::Duration;

use super::Config;
use super::options::{OPTIONS, VARIABLES_WITHOUT_OPTION};
use crate::error::{Error, Result};

/// What `from_env` did not use: each entry is one warning, already logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvironmentReport {
    /// One sentence per ignored variable.
    pub ignored: Vec<String>,
}

impl Config {
    /// The defaults, changed by the process's `GIGACHAT_*` variables.
    ///
    /// Each is asked for by its name, on this thread; while that lasts no other thread may change
    /// the environment, as for C's `getenv`. A variable that is set to an empty text counts as unset.
    /// A value that cannot work is an error that names the variable.
    pub fn from_env() -> Result<Config> {
        let options = OPTIONS.iter().filter_map(|option| option.variable);
        let ignored = VARIABLES_WITHOUT_OPTION.iter().map(|(name, _)| *name);
        let others = ["GIGACHAT_USER", "GIGACHAT_PASSWORD"];
        let mut names: Vec<&str> = options.chain(others).chain(ignored).collect();
        names.sort_unstable();
        names.dedup();
        let mut readable = Vec::new();
        for name in names {
            let Some(value) = std::env::var_os(name) else {
                continue;
            };
            let value = value.into_string().map_err(|_| {
                Error::configuration(name, "a value that is not UTF-8", "UTF-8 text")
            })?;
            readable.push((name.to_owned(), value));
        }
        Config::from_variables(readable).map(|(config, _)| config)
    }

    /// The same from a list of names and values, for programs that keep their own environment.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Config, EnvironmentReport)> {
        let mut config = Config::default();
        let mut report = EnvironmentReport::default();
        let mut user = None;
        let mut password = None;
        for (name, value) in variables {
            if value.is_empty() {
                continue;
            }
            match name.as_str() {
                "GIGACHAT_USER" => user = Some(value),
                "GIGACHAT_PASSWORD" => password = Some(crate::secret::Secret::new(value)),
                known if OPTIONS.iter().any(|option| option.variable == Some(known)) => {
                    apply(&mut config, known, &value).map_err(|error| naming(known, error))?;
                }
                unknown => report.ignored.extend(reason_to_ignore(unknown)),
            }
        }
        match (user, password) {
            (Some(user), Some(password)) => config
                .set_user(&user, password.expose())
                .map_err(|error| naming("GIGACHAT_USER", error))?,
            (Some(_), None) => report
                .ignored
                .push("GIGACHAT_USER is ignored: GIGACHAT_PASSWORD is not set".into()),
            (None, Some(_)) => report
                .ignored
                .push("GIGACHAT_PASSWORD is ignored: GIGACHAT_USER is not set".into()),
            (None, None) => {}
        }
        for warning in &report.ignored {
            tracing::warn!(target: "gigachat::config", "{warning}");
        }
        Ok((config, report))
    }
}

fn apply(config: &mut Config, variable: &str, value: &str) -> Result<()> {
    match variable {
        "GIGACHAT_CREDENTIALS" => config.set_authorization_key(value),
        "GIGACHAT_ACCESS_TOKEN" => config.set_access_token(value),
        "GIGACHAT_SCOPE" => config.set_scope(value),
        "GIGACHAT_MODEL" => config.set_model(value),
        "GIGACHAT_BASE_URL" => config.set_base_url(value),
        "GIGACHAT_AUTH_URL" => config.set_token_url(value),
        "GIGACHAT_TIMEOUT" => config.set_timeout(seconds(value)?),
        "GIGACHAT_MAX_RETRIES" => config.set_max_retries(number(value)?),
        "GIGACHAT_CA_BUNDLE_FILE" => config.set_ca_bundle_file(value),
        "GIGACHAT_CERT_FILE" => config.set_certificate_file(value),
        "GIGACHAT_KEY_FILE" => config.set_private_key_file(value),
        "GIGACHAT_KEY_FILE_PASSWORD" => {
            config.set_private_key_password(value);
            Ok(())
        }
        "GIGACHAT_VERIFY_SSL_CERTS" => {
            config.set_verify_tls(boolean(value)?);
            Ok(())
        }
        other => Err(Error::internal(format!(
            "{other} is in the option table but not applied"
        ))),
    }
}

/// Why a `GIGACHAT_*` variable is not used; `None` for those that are nobody's business here.
pub(crate) fn reason_to_ignore(variable: &str) -> Option<String> {
    // The emulator's own variables stand beside those that it sets for the library.
    if !variable.starts_with("GIGACHAT_") || variable.starts_with("GIGACHAT_EMULATOR_") {
        return None;
    }
    let known = VARIABLES_WITHOUT_OPTION
        .iter()
        .find(|(name, _)| *name == variable);
    Some(match known {
        Some((name, why)) => format!("{name} is ignored: {why}"),
        None => format!("{variable} is ignored: no such variable is known"),
    })
}

/// The setter's message, under the variable's name instead of the field's.
fn naming(variable: &str, error: Error) -> Error {
    let text = error.message();
    let rest = text.split_once(": ").map_or(text, |(_, rest)| rest);
    Error::new(error.kind(), error.phase(), format!("{variable}: {rest}"))
}

fn seconds(value: &str) -> Result<Duration> {
    value
        .trim()
        .parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| Error::configuration("timeout", format!("{value:?}"), "a number of seconds"))
}

fn number(value: &str) -> Result<u32> {
    value
        .trim()
        .parse()
        .map_err(|_| Error::configuration("number", format!("{value:?}"), "a whole number"))
}

fn boolean(value: &str) -> Result<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" => Ok(true),
        "0" | "false" | "no" | "off" | "n" | "f" => Ok(false),
        _ => Err(Error::configuration(
            "boolean",
            format!("{value:?}"),
            "true or false",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::options::{OPTIONS, VARIABLES_WITHOUT_OPTION};
    use crate::config::{Config, Scope};

    fn read(pairs: &[(&str, &str)]) -> crate::Result<(Config, super::EnvironmentReport)> {
        Config::from_variables(
            pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn the_variables_of_the_official_sdk_set_the_options() {
        let (config, report) = read(&[
            ("GIGACHAT_CREDENTIALS", "a2V5"),
            ("GIGACHAT_SCOPE", "GIGACHAT_API_CORP"),
            ("GIGACHAT_TIMEOUT", "45.5"),
            ("GIGACHAT_VERIFY_SSL_CERTS", "False"),
            ("GIGACHAT_MODEL", ""),
            ("GIGACHAT_USER", "u"),
            ("GIGACHAT_PASSWORD", "p"),
        ])
        .unwrap();
        assert_eq!(config.scope, Scope::Corp);
        assert_eq!(config.timeout, Duration::from_millis(45_500));
        assert!(!config.verify_tls);
        assert_eq!(
            config.model, "GigaChat",
            "an empty variable counts as unset"
        );
        assert_eq!(config.user.as_deref(), Some("u"));
        assert!(report.ignored.is_empty());
    }

    #[test]
    fn a_bad_value_is_refused_under_the_variables_name() {
        let error = read(&[("GIGACHAT_TIMEOUT", "-3")]).unwrap_err();
        assert_eq!(
            error.message(),
            "GIGACHAT_TIMEOUT: \"-3\" is not accepted; it must be a number of seconds"
        );
        let error = read(&[("GIGACHAT_CREDENTIALS", "se cret")]).unwrap_err();
        assert!(!error.to_string().contains("se cret"), "{error}");
    }

    #[test]
    fn a_variable_without_an_option_is_ignored_with_a_warning() {
        for (name, _) in VARIABLES_WITHOUT_OPTION {
            let (_, report) = read(&[(name, "1")]).unwrap();
            assert_eq!(report.ignored.len(), 1, "{name}");
            assert!(report.ignored[0].starts_with(name));
        }
        let (_, report) = read(&[("GIGACHAT_EMULATOR_CONTROL", "x")]).unwrap();
        assert!(report.ignored.is_empty(), "the emulator's own");
        let (_, report) = read(&[("GIGACHAT_TYPO", "1")]).unwrap();
        assert_eq!(
            report.ignored,
            ["GIGACHAT_TYPO is ignored: no such variable is known"]
        );
    }

    #[test]
    fn every_variable_of_the_table_is_applied() {
        for variable in OPTIONS.iter().filter_map(|option| option.variable) {
            let value = match variable {
                "GIGACHAT_BASE_URL" | "GIGACHAT_AUTH_URL" => "https://localhost/v1",
                "GIGACHAT_SCOPE" => "GIGACHAT_API_B2B",
                _ => "1",
            };
            let pairs = [
                (variable, value),
                ("GIGACHAT_USER", "u"),
                ("GIGACHAT_PASSWORD", "p"),
            ];
            let changed = match variable {
                "GIGACHAT_USER" | "GIGACHAT_PASSWORD" => read(&pairs[1..]),
                "GIGACHAT_VERIFY_SSL_CERTS" => read(&[(variable, "0")]),
                _ => read(&pairs[..1]),
            };
            assert_ne!(
                changed.unwrap().0,
                Config::default(),
                "{variable} changes nothing"
            );
        }
    }
}
