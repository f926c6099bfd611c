//! The table of a router's settings. `RouterOptions::set`, `api/gigachat.json` and every binding's
//! names come from these rows.

use super::options::RouterOptions;
use super::strategy::Strategy;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::limits::{CALL_TIME, COOLDOWN, THOUSAND, WAIT};
use crate::option_table::{self, OptionInfo, Row, Unit};

type SettingRow = Row<RouterOptions, Error>;

static ROWS: &[SettingRow] = &[
    SettingRow::text("name", Unit::Text, RouterOptions::set_name)
        .accepts("1 to 256 bytes without control characters")
        .default("router")
        .doc("The router's name in logs, metrics and the reports of an outer router."),
    SettingRow::text("strategy", Unit::Text, |options, name| {
        options.set_strategy(Strategy::from_name(name)?);
        Ok(())
    })
    .choices(Strategy::NAMES)
    .default("round-robin")
    .doc("How members are chosen."),
    SettingRow::seconds("deadline", CALL_TIME, RouterOptions::set_deadline)
        .doc("The total time of a call, all attempts and waits included; of a stream, until its first content. With it an attempt gets the smaller of its member's timeout and the remaining time divided by the members that are left."),
    SettingRow::boolean("member_retries", RouterOptions::set_member_retries)
        .default("false")
        .doc("Whether members repeat failed requests themselves before the next member is asked: retries multiply then."),
    SettingRow::boolean(
        "fallback_after_read_timeout",
        RouterOptions::set_fallback_after_read_timeout,
    )
    .default("true")
    .doc("Whether the next member is asked after a member's answer did not come in time; the first may have answered and billed nevertheless."),
    SettingRow::seconds("max_cooldown_wait", WAIT, RouterOptions::set_max_cooldown_wait)
        .default("30")
        .doc("How long a call waits in sum for cooled members when all are; 0 means: fail at once."),
    SettingRow::seconds("cooldown", COOLDOWN, RouterOptions::set_first_cooldown)
        .default("1")
        .doc("The cooldown of a failure without Retry-After, doubled with each that follows, up to longest_cooldown."),
    SettingRow::seconds("longest_cooldown", COOLDOWN, RouterOptions::set_longest_cooldown)
        .default("60")
        .doc("How long a cooldown becomes at most when the service did not say how long."),
    SettingRow::seconds("ramp", WAIT, RouterOptions::set_ramp)
        .default("10")
        .doc("How long a member takes from its return to its full share."),
    SettingRow::whole("failures_to_cool", Unit::Count, THOUSAND, |options, failures| {
        options.set_failures_to_cool(u32::try_from(failures).unwrap_or(u32::MAX))
    })
    .default("3")
    .doc("How many failures in a row cool a member when the service did not say how long. 401, 402, 403 and 429 cool at once."),
    SettingRow::whole("seed", Unit::Count, (0, u64::MAX), |options, seed| {
        options.set_seed(seed);
        Ok(())
    })
    .default("at random")
    .doc("Makes random choices repeatable, for tests."),
];

impl RouterOptions {
    /// Every setting, in the order of the documentation.
    pub fn options() -> impl Iterator<Item = &'static OptionInfo> {
        ROWS.iter().map(|row| &row.info)
    }

    /// Sets a setting by its name to what `value` says: times are written in seconds (`45`, `0.5`),
    /// truth values as `true` or `false`. An unknown name is an error that names the one that was
    /// meant.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match option_table::find(ROWS, name) {
            Some(row) => row.set(self, value, Error::of_option),
            None => {
                let message = option_table::unknown(ROWS, name);
                Err(Error::new(ErrorKind::Configuration, Phase::Input, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ROWS, RouterOptions, Unit};

    #[test]
    fn every_row_sets_its_setting() {
        for row in ROWS {
            let value = match row.info.name {
                "strategy" => "random",
                _ if row.info.default == "true" => "false",
                _ if row.info.unit == Unit::Boolean => "true",
                _ => "7",
            };
            let mut options = RouterOptions::default();
            let set = options.set(row.info.name, value);
            set.unwrap_or_else(|error| panic!("{}: {error}", row.info.name));
            let before = format!("{:?}", RouterOptions::default());
            assert_ne!(before, format!("{options:?}"), "{}", row.info.name);
            assert!(row.info.doc.ends_with('.'), "{}", row.info.name);
        }
    }

    #[test]
    fn what_is_refused_is_named_with_what_is_accepted() {
        let mut options = RouterOptions::default();
        for (name, value, says) in [
            (
                "strategy",
                "fastest",
                "strategy: \"fastest\" is not accepted; it must be round-robin, random, first-available or best-available",
            ),
            (
                "cooldown",
                "0.001",
                "cooldown: 0.001 seconds is not accepted; it must be from 0.01 to 3600 seconds",
            ),
            (
                "failures_to_cool",
                "0",
                "failures_to_cool: 0 is not accepted; it must be from 1 to 1000",
            ),
            (
                "strateg",
                "random",
                "strateg: no such option; did you mean strategy?",
            ),
        ] {
            assert_eq!(options.set(name, value).unwrap_err().message(), says);
        }
    }

    #[test]
    fn the_order_of_the_two_cooldowns_does_not_matter() {
        let mut options = RouterOptions::default();
        options.set("longest_cooldown", "0.5").unwrap();
        options.set("cooldown", "0.1").unwrap();
        let mut other = RouterOptions::default();
        other.set("cooldown", "0.1").unwrap();
        other.set("longest_cooldown", "0.5").unwrap();
        assert_eq!(format!("{options:?}"), format!("{other:?}"));
    }
}
