//! The `GIGACHAT_*` variables: the same names and meanings as in the official Python SDK
//! (`gigachat` 0.2, `settings.py`), so that a program's environment carries over.
//!
//! A variable of that SDK that has no option here is ignored with a warning, never silently.

use super::Config;
use super::options::{self, VARIABLES_WITHOUT_OPTION};
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
    /// They are read on this thread; while that lasts no other thread may change the environment,
    /// as for C's `getenv`. A variable that is set to an empty text counts as unset. A value that
    /// cannot work is an error that names the variable, a variable that no option has a warning.
    pub fn from_env() -> Result<Config> {
        let mut readable = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("GIGACHAT_")) else {
                continue;
            };
            let value = value.into_string().map_err(|_| {
                Error::configuration(name, "a value that is not UTF-8", "UTF-8 text")
            })?;
            readable.push((name.to_owned(), value));
        }
        // The environment has no order of its own; warnings do.
        readable.sort_unstable();
        Config::from_variables(readable).map(|(config, _)| config)
    }

    /// The same from a list of names and values, for programs that keep their own environment.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Config, EnvironmentReport)> {
        let mut config = Config::default();
        let mut report = EnvironmentReport::default();
        for (name, value) in variables {
            if value.is_empty() {
                continue;
            }
            match options::of_variable(&mut config, &name, &value) {
                Some(set) => set.map_err(|error| naming(&name, error))?,
                None => report.ignored.extend(reason_to_ignore(&name)),
            }
        }
        match (&config.user, &config.password) {
            (Some(_), None) => report
                .ignored
                .push("GIGACHAT_USER is ignored: GIGACHAT_PASSWORD is not set".into()),
            (None, Some(_)) => report
                .ignored
                .push("GIGACHAT_PASSWORD is ignored: GIGACHAT_USER is not set".into()),
            _ => {}
        }
        for warning in &report.ignored {
            tracing::warn!(target: "gigachat::config", "{warning}");
        }
        Ok((config, report))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::options::VARIABLES_WITHOUT_OPTION;
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
            "GIGACHAT_TIMEOUT: \"-3\" is not accepted; it must be a number of seconds from 0.001 to 3600"
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
}
