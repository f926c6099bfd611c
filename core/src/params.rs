//! Generation parameters: what shapes a completion (temperature, max_tokens, top_p, stop,
//! repetition_penalty). Typed and checked fully; a parameter that is not set is not sent.

use crate::error::{Error, Result};
use crate::limits;

/// Temperature 0 is accepted from callers, but the service demands a value above zero and treats
/// anything under 0.001 as deterministic (GigaChat REST reference, chat, `temperature`).
pub(crate) const LOWEST_TEMPERATURE: f64 = 0.0001;

/// How many stop sequences one request may have; matching cost grows with their number.
const MAX_STOP_SEQUENCES: usize = 64;
/// How long each may be; so much text may be held back until it is known to be none.
const MAX_STOP_CHARACTERS: usize = 1000;

/// Parameters of one request. The default sets none of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    pub(crate) temperature: Option<f64>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) top_p: Option<f64>,
    pub(crate) repetition_penalty: Option<f64>,
    pub(crate) stop: Vec<String>,
}

impl Params {
    /// No parameter set: the model's own defaults apply.
    pub fn new() -> Params {
        Params::default()
    }

    /// 0.0 to 2.0. 0 is sent as 0.0001, the most deterministic that the service takes (I7).
    pub fn set_temperature(&mut self, temperature: f64) -> Result<()> {
        self.temperature = Some(within(
            "temperature",
            temperature,
            0.0,
            2.0,
            "from 0.0 to 2.0",
        )?);
        Ok(())
    }

    /// The most tokens that the answer may have, 1 or more.
    pub fn set_max_tokens(&mut self, tokens: u32) -> Result<()> {
        let checked = limits::whole("max_tokens", tokens, limits::TOKENS);
        self.max_tokens = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// Nucleus sampling, 0.0 to 1.0.
    pub fn set_top_p(&mut self, top_p: f64) -> Result<()> {
        self.top_p = Some(within("top_p", top_p, 0.0, 1.0, "from 0.0 to 1.0")?);
        Ok(())
    }

    /// Above 0; 1.0 is neutral.
    pub fn set_repetition_penalty(&mut self, penalty: f64) -> Result<()> {
        if !penalty.is_finite() || penalty <= 0.0 {
            return Err(Error::invalid("repetition_penalty", penalty, "above 0"));
        }
        self.repetition_penalty = Some(penalty);
        Ok(())
    }

    /// Sets everything that `other` sets; the rest stays.
    pub(crate) fn set_all(&mut self, other: &Params) {
        self.temperature = other.temperature.or(self.temperature);
        self.max_tokens = other.max_tokens.or(self.max_tokens);
        self.top_p = other.top_p.or(self.top_p);
        self.repetition_penalty = other.repetition_penalty.or(self.repetition_penalty);
        if !other.stop.is_empty() {
            self.stop.clone_from(&other.stop);
        }
    }

    /// Whether the parameter that the wire calls `name` is set.
    pub(crate) fn sets(&self, name: &str) -> bool {
        match name {
            "temperature" => self.temperature.is_some(),
            "max_tokens" => self.max_tokens.is_some(),
            "top_p" => self.top_p.is_some(),
            "repetition_penalty" => self.repetition_penalty.is_some(),
            _ => false,
        }
    }

    /// One more text before which the output ends (I7: applied here, since the service has no
    /// such field). Not empty, at most 1,000 characters, at most 64 of them.
    pub fn add_stop(&mut self, stop: &str) -> Result<()> {
        if stop.is_empty() {
            return Err(Error::invalid("stop", "an empty text", "not empty"));
        }
        let characters = stop.chars().count();
        if characters > MAX_STOP_CHARACTERS {
            return Err(Error::invalid(
                "stop",
                format!("a text of {characters} characters"),
                "at most 1000 characters long",
            ));
        }
        if self.stop.len() == MAX_STOP_SEQUENCES {
            return Err(Error::invalid(
                "stop",
                "one more sequence",
                "at most 64 sequences",
            ));
        }
        self.stop.push(stop.to_owned());
        Ok(())
    }
}

fn within(field: &str, value: f64, low: f64, high: f64, accepted: &str) -> Result<f64> {
    if !value.is_finite() || value < low || value > high {
        return Err(Error::invalid(field, value, accepted));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::Params;

    #[test]
    fn a_value_out_of_range_is_refused_with_field_value_and_range() {
        let mut params = Params::new();
        let text = |result: crate::Result<()>| result.unwrap_err().message().to_owned();
        assert_eq!(
            text(params.set_temperature(2.5)),
            "temperature: 2.5 is not accepted; it must be from 0.0 to 2.0"
        );
        assert!(text(params.set_temperature(f64::NAN)).starts_with("temperature: NaN"));
        assert!(text(params.set_top_p(-0.1)).contains("from 0.0 to 1.0"));
        assert!(text(params.set_max_tokens(0)).contains("from 1 to"));
        assert!(text(params.set_repetition_penalty(0.0)).contains("above 0"));
        assert!(text(params.add_stop("")).contains("not empty"));
        let long = "я".repeat(1001);
        assert!(text(params.add_stop(&long)).contains("at most 1000 characters"));
        assert_eq!(params, Params::default(), "a refused value changes nothing");
    }
}
