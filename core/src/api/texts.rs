//! `Texts`: what embeddings and token counts are asked of, a model and texts.

use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::request::Object;

/// A model and texts, with whatever other fields a JSON request had.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    pub(crate) model: Option<String>,
    pub(crate) input: Vec<String>,
    fields: Vec<(String, Box<RawValue>)>,
}

impl Texts {
    /// From JSON: `{"model": ..., "input": [...]}`; `input` may be one text. Other fields pass
    /// through byte for byte.
    pub(super) fn from_json(json: &str) -> Result<Texts> {
        let not_json = |why| Error::invalid("body", format!("this text ({why})"), "a JSON object");
        let Object(members) = serde_json::from_str(json).map_err(not_json)?;
        let mut texts = Texts::default();
        for (name, value) in members {
            let wrong = |accepted| Error::invalid(&name, "this value", accepted);
            match name.as_str() {
                "model" => {
                    let model = serde_json::from_str(value.get());
                    texts.model = Some(model.map_err(|_| wrong("a text"))?);
                }
                "input" => {
                    texts.input = serde_json::from_str::<String>(value.get())
                        .map(|text| vec![text])
                        .or_else(|_| serde_json::from_str(value.get()))
                        .map_err(|_| wrong("a text or a list of texts"))?;
                }
                _ => texts.fields.push((name, value)),
            }
        }
        Ok(texts)
    }

    /// The same with these of the texts only.
    pub(crate) fn part(&self, input: &[String]) -> Texts {
        Texts {
            model: self.model.clone(),
            input: input.to_vec(),
            fields: self.fields.clone(),
        }
    }

    /// The JSON to send.
    pub(super) fn compose(&self, default_model: &str) -> Vec<u8> {
        let model = self.model.as_deref().unwrap_or(default_model);
        let mut body = format!(
            "{{\"model\":{},\"input\":{}",
            json(&model),
            json(&self.input)
        );
        for (name, value) in &self.fields {
            body.push_str(&format!(",{}:{value}", json(name)));
        }
        body.push('}');
        body.into_bytes()
    }
}

/// Text of texts cannot fail to be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn json_goes_through_and_what_is_missing_is_filled_in() {
        let body = |json| String::from_utf8(Texts::from_json(json).unwrap().compose("M")).unwrap();
        assert_eq!(
            body(r#"{"input":"a\n","new":1.50}"#),
            r#"{"model":"M","input":["a\n"],"new":1.50}"#
        );
        assert_eq!(
            body(r#"{"input":["й","b"],"model":"X"}"#),
            r#"{"model":"X","input":["й","b"]}"#
        );
        for refused in ["", "[]", r#"{"input":[1]}"#, r#"{"input":["a"],"model":7}"#] {
            Texts::from_json(refused).unwrap_err();
        }
    }
}
