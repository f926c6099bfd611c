//! Models as `GET /models` and `GET /models/{model}` describe them (GigaChat REST reference).

use super::not_a;
use crate::error::Result;
use crate::wire::{Json, List, Text, document, forgiving, wire_object};

/// One model that the account can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The name that requests use.
    pub id: String,
    /// Who provides it.
    pub owned_by: String,
    /// What it is for (`chat`, `embedder`, ...); empty when the service does not say.
    pub kind: String,
    /// The model's JSON as it came.
    pub raw: String,
}

impl Model {
    /// Reads the body of `GET /models/{id}`.
    pub fn parse(body: &[u8]) -> Result<Model> {
        let read = |json: &[u8]| Ok(document::<Json<'_>>(json)?.and_then(Model::of));
        match forgiving(body, read) {
            Ok(Some(model)) => Ok(model),
            Ok(None) => Err(not_a("a model", None, body)),
            Err(why) => Err(not_a("a model", Some(why), body)),
        }
    }

    /// Reads the body of `GET /models`. An element that is no model is left out.
    pub(crate) fn parse_list(body: &[u8]) -> Result<Vec<Model>> {
        wire_object! {
            struct WireList<'a> {
                data: List<Json<'a>>,
            }
        }
        let read = |json: &[u8]| {
            let list = document::<WireList<'_>>(json)?.and_then(|list| list.data);
            Ok(list.map(|list| {
                let elements = list.0.len();
                let models: Vec<Model> = list.0.into_iter().filter_map(Model::of).collect();
                (models, elements)
            }))
        };
        match forgiving(body, read) {
            Ok(Some((models, elements))) if elements == 0 || !models.is_empty() => Ok(models),
            Ok(_) => Err(not_a("a list of models", None, body)),
            Err(why) => Err(not_a("a list of models", Some(why), body)),
        }
    }

    fn of(raw: Json<'_>) -> Option<Model> {
        wire_object! {
            struct WireModel<'a> {
                id: Text<'a>,
                owned_by: Text<'a>,
                kind = "type": Text<'a>,
            }
        }
        let json = raw.0.get();
        let read = |json: &[u8]| {
            let model = document::<WireModel<'_>>(json)?.unwrap_or_default();
            let id = model.id.filter(|id| !id.0.is_empty());
            let text = |text: Option<Text<'_>>| text.map_or(String::new(), Text::into_owned);
            Ok(id.map(|id| (id.into_owned(), text(model.owned_by), text(model.kind))))
        };
        let (id, owned_by, kind) = forgiving(json.as_bytes(), read).ok()??;
        Some(Model {
            id,
            owned_by,
            kind,
            raw: json.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Model;
    use crate::wire::any_json::any_json;

    proptest! {
        #[test]
        fn one_odd_model_loses_neither_the_list_nor_the_others(
            key in prop::sample::select(vec!["id", "owned_by", "type", "object", "x"]),
            value in any_json(),
            whole in any::<bool>(),
        ) {
            let odd = match whole {
                true => value.to_owned(),
                false => format!(r#"{{"{key}":{value}}}"#),
            };
            let good = r#"{"id":"m"}"#;
            for list in [format!("[{odd},{good}]"), format!("[{good},{odd}]")] {
                let body = format!(r#"{{"data":{list},"object":"list"}}"#);
                let models = Model::parse_list(body.as_bytes());
                let models = models.unwrap_or_else(|why| panic!("{body}: {why}"));
                prop_assert!(models.iter().any(|model| model.id == "m"), "{}", body);
            }
        }
    }
}
