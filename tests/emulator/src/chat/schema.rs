//! JSON Schema as far as the emulator needs it: is a description of parameters in order, and what is the
//! plainest value that fits it.

use serde_json::{Map, Value, json};

/// What is wrong with a description of parameters: a missing `type` is answered 422 (section 6.4).
pub(crate) fn check(schema: &Value) -> Result<(), String> {
    let Some(object) = schema.as_object() else {
        return Err("the schema must be an object".to_owned());
    };
    if !object.contains_key("type") && !object.contains_key("enum") {
        return Err("type is required".to_owned());
    }
    for (name, property) in properties(schema) {
        check(property).map_err(|problem| format!("{name}: {problem}"))?;
    }
    match object.get("items") {
        Some(items) => check(items).map_err(|problem| format!("items: {problem}")),
        None => Ok(()),
    }
}

/// The plainest value of this schema; where a text is wanted it is `text`.
pub(crate) fn instance(schema: &Value, text: &str) -> Value {
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
        return first.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => json!(text),
        Some("integer") => json!(1),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => match schema.get("items") {
            Some(items) => json!([instance(items, text)]),
            None => json!([]),
        },
        _ => Value::Object(
            properties(schema)
                .map(|(name, property)| (name.clone(), instance(property, text)))
                .collect(),
        ),
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}
