//! JSON Schema as far as the emulator needs it: is a description of parameters in order, and what is the
//! plainest value that fits it. Local references are followed, of a union the first branch is taken.

use serde_json::{Map, Value, json};

use super::pattern;

/// References that go on for ever end here.
const DEEPEST: usize = 12;

/// What is wrong with a description of parameters. Any object is in order, the empty one too; `strict` asks
/// for a `type` at every level, as the service did at one time (section 6.4 and addendum A2).
pub(crate) fn check(schema: &Value, strict: bool) -> Result<(), String> {
    let Some(object) = schema.as_object() else {
        return Err("the schema must be an object".to_owned());
    };
    if !strict || object.is_empty() {
        return Ok(());
    }
    typed(schema)
}

fn typed(schema: &Value) -> Result<(), String> {
    let Some(object) = schema.as_object() else {
        return Err("the schema must be an object".to_owned());
    };
    if !object.contains_key("type") && !object.contains_key("enum") {
        return Err("type is required".to_owned());
    }
    for (name, property) in properties(schema) {
        typed(property).map_err(|problem| format!("{name}: {problem}"))?;
    }
    match object.get("items") {
        Some(items) => typed(items).map_err(|problem| format!("items: {problem}")),
        None => Ok(()),
    }
}

/// The plainest value of this schema; where a text is wanted it is `text`.
pub(crate) fn instance(schema: &Value, text: &str) -> Value {
    Plainest { root: schema, text }.value(schema, 0)
}

struct Plainest<'a> {
    root: &'a Value,
    text: &'a str,
}

impl Plainest<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(first) = schema.get("enum").and_then(|values| values.get(0)) {
            return first.clone();
        }
        if let Some(target) = self.target(schema) {
            return self.value(target, depth + 1);
        }
        if let Some(branch) = first_branch(schema) {
            return self.value(branch, depth + 1);
        }
        match kind(schema) {
            Some("string") => json!(self.string(schema)),
            Some("integer") => json!(number(schema, 1.0) as i64),
            Some("number") => json!(number(schema, 1.5)),
            Some("boolean") => json!(true),
            Some("null") => Value::Null,
            Some("array") => self.array(schema, depth),
            _ => self.object(schema, depth),
        }
    }

    /// Where a local `$ref` points: `#/$defs/Name`, or any other JSON Pointer behind `#`.
    fn target(&self, schema: &Value) -> Option<&Value> {
        let reference = schema.get("$ref")?.as_str()?;
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn string(&self, schema: &Value) -> String {
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && let Some(matching) = pattern::plainest_match(pattern)
        {
            return matching;
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2026-01-31".to_owned(),
            Some("date-time") => "2026-01-31T12:00:00Z".to_owned(),
            Some("time") => "12:00:00".to_owned(),
            Some("uuid") => super::generate::stable_uuid(self.text),
            Some("email") => "someone@example.com".to_owned(),
            Some("uri") => "https://example.com/".to_owned(),
            _ => self.fitting_text(schema),
        }
    }

    /// The text, as long as the schema wants it.
    fn fitting_text(&self, schema: &Value) -> String {
        let bound = |name| schema.get(name).and_then(Value::as_u64);
        let most = bound("maxLength").map_or(usize::MAX, |most| most as usize);
        let mut text: String = self.text.chars().take(most).collect();
        let least = bound("minLength").unwrap_or(0).min(1 << 16) as usize;
        let missing = least.saturating_sub(text.chars().count());
        text.extend(std::iter::repeat_n('a', missing));
        text
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        if let Some(places) = schema.get("prefixItems").and_then(Value::as_array) {
            let values = places.iter().map(|place| self.value(place, depth + 1));
            return values.collect();
        }
        // A schema that refers to itself gets an end here, where an end is allowed.
        let items = schema.get("items").filter(|_| depth < DEEPEST / 2);
        let Some(items) = items.filter(|items| items.is_object()) else {
            return json!([]);
        };
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1);
        let one = self.value(items, depth + 1);
        Value::Array(vec![one; least.clamp(1, 100) as usize])
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut members = Map::new();
        let parts = schema.get("allOf").and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            if let Value::Object(inherited) = self.value(part, depth + 1) {
                members.extend(inherited);
            }
        }
        for (name, property) in properties(schema) {
            members.insert(name.clone(), self.value(property, depth + 1));
        }
        Value::Object(members)
    }
}

/// The first branch of a union that is something, else the first.
fn first_branch(schema: &Value) -> Option<&Value> {
    let branches = ["anyOf", "oneOf"]
        .iter()
        .find_map(|name| schema.get(name)?.as_array())?;
    branches
        .iter()
        .find(|branch| kind(branch) != Some("null"))
        .or_else(|| branches.first())
}

/// Its `type`; of several the first that is not `null`.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.find(|&kind| kind != "null")
        }
        kind => kind.as_str(),
    }
}

/// The usual number, moved into the range.
fn number(schema: &Value, usual: f64) -> f64 {
    let bound = |name| schema.get(name).and_then(Value::as_f64);
    let above = bound("exclusiveMinimum").map(|bound| bound + 1.0);
    let below = bound("exclusiveMaximum").map(|bound| bound - 1.0);
    let least = bound("minimum").or(above).unwrap_or(f64::MIN);
    let most = bound("maximum").or(below).unwrap_or(f64::MAX);
    usual.max(least).min(most)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_unions_are_followed() {
        let schema = json!({"$defs": {"Place": {"type": "object", "properties": {
                "city": {"type": "string"}, "zone": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}}},
            "type": "object", "properties": {"here": {"$ref": "#/$defs/Place"},
                "all": {"type": "array", "items": {"$ref": "#/$defs/Place"}}}});
        let place = json!({"city": "x", "zone": 1});
        assert_eq!(
            instance(&schema, "x"),
            json!({"here": place, "all": [place]})
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({"$defs": {"Node": {"type": "object", "properties": {
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}}}},
            "$ref": "#/$defs/Node"});
        assert!(instance(&schema, "x")["children"].is_array());
    }

    #[test]
    fn bounds_are_kept() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 5},
            "s": {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}, "t": {"type": "string", "maxLength": 2}}});
        assert_eq!(
            instance(&schema, "long"),
            json!({"n": 5, "s": "AA-0", "t": "lo"})
        );
    }

    #[test]
    fn an_empty_schema_is_in_order_and_strictness_wants_types() {
        let untyped = json!({"type": "object", "properties": {"a": {}}});
        assert!(check(&json!({}), true).is_ok() && check(&untyped, false).is_ok());
        assert!(check(&untyped, true).is_err() && check(&json!(7), false).is_err());
    }
}
