//! What a program may choose for a router and for each of its members; checked here, once.

use std::time::Duration;

use super::cooldown::CooldownRule;
use super::strategy::Strategy;
use crate::error::{Error, Result};
use crate::limits;

/// The settings of a router.
#[derive(Clone, Debug)]
pub struct RouterOptions {
    pub(super) name: String,
    pub(super) strategy: Strategy,
    pub(super) deadline: Option<Duration>,
    pub(super) member_retries: bool,
    pub(super) fallback_after_read_timeout: bool,
    pub(super) max_cooldown_wait: Duration,
    pub(super) cooldown: CooldownRule,
    pub(super) failures_to_cool: u32,
    pub(super) seed: Option<u64>,
}

impl Default for RouterOptions {
    fn default() -> RouterOptions {
        RouterOptions {
            name: "router".to_owned(),
            strategy: Strategy::RoundRobin,
            deadline: None,
            member_retries: false,
            fallback_after_read_timeout: true,
            max_cooldown_wait: Duration::from_secs(30),
            cooldown: CooldownRule {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(60),
                ramp: Duration::from_secs(10),
            },
            failures_to_cool: 3,
            seed: None,
        }
    }
}

impl RouterOptions {
    /// The defaults with this strategy.
    pub fn new(strategy: Strategy) -> RouterOptions {
        RouterOptions {
            strategy,
            ..RouterOptions::default()
        }
    }

    /// The router's name in logs, metrics and the reports of an outer router; `router` by default.
    pub fn set_name(&mut self, name: &str) -> Result<()> {
        self.name = checked_name("name", name)?;
        Ok(())
    }

    /// How members are chosen; round-robin by default.
    pub fn set_strategy(&mut self, strategy: Strategy) {
        self.strategy = strategy;
    }

    /// The total time of a call, all attempts and waits included; of a stream, until its first
    /// content. 1 ms to 1 h; none by default, so that each attempt has its member's own timeout.
    /// With it an attempt gets the smaller of that and the remaining time divided by the members
    /// that are left. A request may bring its own ([`Request::set_deadline`]).
    ///
    /// [`Request::set_deadline`]: crate::Request::set_deadline
    pub fn set_deadline(&mut self, deadline: Duration) -> Result<()> {
        self.deadline = Some(within("deadline", deadline, limits::CALL_TIME)?);
        Ok(())
    }

    /// Whether members repeat failed requests themselves, each up to its own `max_retries`,
    /// before the next member is asked. Off by default: retries would multiply.
    pub fn set_member_retries(&mut self, retry: bool) {
        self.member_retries = retry;
    }

    /// Whether the next member is asked after a member's answer did not come in time. On by
    /// default; the first member may have answered and billed nevertheless. Time that ran out
    /// before the request was sent (queue, token, connect) is not meant.
    pub fn set_fallback_after_read_timeout(&mut self, fall_over: bool) {
        self.fallback_after_read_timeout = fall_over;
    }

    /// How long one request waits in sum for cooled members when all are, within its deadline.
    /// 0 s to 1 h; 30 s by default; 0 means: fail at once.
    pub fn set_max_cooldown_wait(&mut self, wait: Duration) -> Result<()> {
        self.max_cooldown_wait = within("max_cooldown_wait", wait, limits::WAIT)?;
        Ok(())
    }

    /// The cooldown of a failure without `Retry-After`: `first`, doubled with each that follows,
    /// up to `longest`. 10 ms to 1 h; 1 s and 60 s by default.
    pub fn set_cooldown(&mut self, first: Duration, longest: Duration) -> Result<()> {
        self.set_first_cooldown(first)?;
        self.set_longest_cooldown(longest)
    }

    /// The first cooldown alone; one that is longer than the longest is as long as that.
    pub(super) fn set_first_cooldown(&mut self, first: Duration) -> Result<()> {
        self.cooldown.first = within("cooldown", first, limits::COOLDOWN)?;
        Ok(())
    }

    /// The longest cooldown alone.
    pub(super) fn set_longest_cooldown(&mut self, longest: Duration) -> Result<()> {
        self.cooldown.longest = within("longest_cooldown", longest, limits::COOLDOWN)?;
        Ok(())
    }

    /// How long a member takes from its return to its full share. 0 s to 1 h; 10 s by default.
    pub fn set_ramp(&mut self, ramp: Duration) -> Result<()> {
        self.cooldown.ramp = within("ramp", ramp, limits::WAIT)?;
        Ok(())
    }

    /// How many failures in a row cool a member when the service did not say how long (5xx,
    /// timeouts, connections). 1 to 1000; 3 by default. 401, 402, 403 and 429 cool at once.
    pub fn set_failures_to_cool(&mut self, failures: u32) -> Result<()> {
        let checked = limits::whole("failures_to_cool", failures, limits::THOUSAND);
        self.failures_to_cool = checked.map_err(Error::of_option)?;
        Ok(())
    }

    /// Makes random choices repeatable, for tests.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = Some(seed);
    }
}

/// The settings of one member.
#[derive(Clone, Debug)]
pub struct MemberOptions {
    pub(super) name: Option<String>,
    pub(super) weight: u32,
}

impl Default for MemberOptions {
    fn default() -> MemberOptions {
        MemberOptions {
            name: None,
            weight: 1,
        }
    }
}

impl MemberOptions {
    /// The name in metrics and reports; by default the provider's own. A name that is taken gets
    /// a number: `gigachat`, `gigachat-2`, ...
    pub fn set_name(&mut self, name: &str) -> Result<()> {
        self.name = Some(checked_name("member name", name)?);
        Ok(())
    }

    /// How many requests it gets compared with the others: 1 (the default) to 1000.
    pub fn set_weight(&mut self, weight: u32) -> Result<()> {
        let checked = limits::whole("weight", weight, limits::THOUSAND);
        self.weight = checked.map_err(Error::of_option)?;
        Ok(())
    }
}

fn checked_name(field: &str, name: &str) -> Result<String> {
    let usable = !name.trim().is_empty() && name.len() <= 256 && !name.contains(char::is_control);
    match usable {
        true => Ok(name.to_owned()),
        false => Err(Error::configuration(
            field,
            format!("{name:?}"),
            "1 to 256 bytes without control characters",
        )),
    }
}

fn within(field: &str, value: Duration, span: limits::Span) -> Result<Duration> {
    span.check(field, value).map_err(Error::of_option)
}
