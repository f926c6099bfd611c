//! What tokens cost: a table that the program sets. There are no built-in prices; they change,
//! and contracts differ. A model without a price costs nothing, and the metrics say so.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The price of a model's tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// For 1000 tokens of the messages.
    pub prompt_per_1000: f64,
    /// For 1000 tokens of the answer.
    pub completion_per_1000: f64,
}

/// Prices by model.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    currency: String,
    prices: BTreeMap<String, Price>,
}

impl PriceTable {
    /// An empty table in this currency (any text, `RUB`).
    pub fn new(currency: &str) -> PriceTable {
        PriceTable {
            currency: currency.to_owned(),
            prices: BTreeMap::new(),
        }
    }

    /// The currency.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Sets a model's price. The model is what answers name, with its version
    /// (`GigaChat-2-Max:2.0.28.2`), or the part before the colon, which stands for all versions.
    pub fn set(&mut self, model: &str, price: Price) -> Result<()> {
        for (field, value) in [
            ("prompt_per_1000", price.prompt_per_1000),
            ("completion_per_1000", price.completion_per_1000),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::configuration(field, value, "a number from 0 on"));
            }
        }
        if model.is_empty() {
            return Err(Error::configuration(
                "model",
                "an empty text",
                "a model's name",
            ));
        }
        self.prices.insert(model.to_owned(), price);
        Ok(())
    }

    /// The price of a model as an answer names it.
    pub fn price(&self, model: &str) -> Option<Price> {
        let exact = self.prices.get(model);
        let without_version = model.split_once(':').map(|(name, _)| name);
        exact.or_else(|| self.prices.get(without_version?)).copied()
    }
}

impl Price {
    /// What so many tokens cost.
    pub fn cost(self, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        (prompt_tokens as f64 * self.prompt_per_1000
            + completion_tokens as f64 * self.completion_per_1000)
            / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Price, PriceTable};

    #[test]
    fn a_price_holds_for_all_versions_unless_one_has_its_own() {
        let price = |prompt_per_1000| Price {
            prompt_per_1000,
            completion_per_1000: 2.0,
        };
        let mut table = PriceTable::new("RUB");
        table.set("GigaChat", price(1.0)).unwrap();
        table.set("GigaChat:2.0", price(3.0)).unwrap();
        let cost = |model| Some(table.price(model)?.cost(1000, 500));
        assert_eq!(cost("GigaChat"), Some(2.0));
        assert_eq!(cost("GigaChat:1.9"), Some(2.0));
        assert_eq!(cost("GigaChat:2.0"), Some(4.0));
        assert_eq!(cost("GigaChat-Pro:2.0"), None);
        assert!(table.set("x", price(f64::NAN)).is_err());
        assert!(table.set("x", price(-1.0)).is_err());
    }
}
