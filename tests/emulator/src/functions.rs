//! `POST /functions/validate` and `POST /functions/convert` (GigaChat REST reference, section 12): is a
//! function's description in order, and descriptions out of an OpenAPI text.

use hyper::Method;
use serde_json::{Map, Value, json};

use crate::admit::Job;
use crate::call::Call;
use crate::chat::is_function_name;
use crate::faults::Endpoint;
use crate::reply::Reply;

const RULES: &str = "1.0.5";

/// Always 200: what is wrong stands in `errors`, what could be better in `warnings`, never both.
pub(crate) fn admit_validate(call: &Call) -> Result<Job, Reply> {
    let function: Map<String, Value> = call.posted()?;
    let count = |counters: &mut crate::Counters| counters.function_requests += 1;
    Ok(call.job(Endpoint::Functions, count, move |_| {
        let errors = errors(&function);
        let answer = match errors.is_empty() {
            true => json!({"status": 200, "message": "Function is valid",
                "json_ai_rules_version": RULES, "warnings": warnings(&function)}),
            false => json!({"status": 200, "message": "Incorrect function syntax",
                "json_ai_rules_version": RULES, "errors": errors}),
        };
        Reply::json(200, &answer)
    }))
}

fn remark(description: &str) -> Value {
    json!({"description": description, "schema_location": "(root)"})
}

fn errors(function: &Map<String, Value>) -> Vec<Value> {
    let mut errors = Vec::new();
    match function.get("name").map(Value::as_str) {
        None => errors.push(remark("name is required")),
        Some(name) if !name.is_some_and(is_function_name) => errors.push(remark("name is invalid")),
        _ => {}
    }
    match function.get("parameters") {
        None => errors.push(remark("parameters is required")),
        Some(parameters) if !parameters.is_object() => {
            errors.push(remark("parameters must be an object"));
        }
        _ => {}
    }
    errors
}

fn warnings(function: &Map<String, Value>) -> Vec<Value> {
    [
        ("description", "description is missing"),
        ("few_shot_examples", "few_shot_examples are missing"),
        ("return_parameters", "return_parameters are missing"),
    ]
    .iter()
    .filter(|(field, _)| !function.contains_key(*field))
    .map(|(_, problem)| remark(problem))
    .collect()
}

/// The body is an OpenAPI text, JSON or YAML, of any `Content-Type` or none.
pub(crate) fn admit_convert(call: &Call) -> Result<Job, Reply> {
    call.expect(&Method::POST)?;
    let body = call.body()?;
    let text = String::from_utf8_lossy(&body);
    let document: Value = serde_saphyr::from_str(&text)
        .map_err(|problem| Reply::error(400, &format!("Bad request: {problem}")))?;
    if !document.get("paths").is_some_and(Value::is_object) {
        return Err(Reply::error(
            400,
            "Bad request: no paths in the OpenAPI document",
        ));
    }
    let count = |counters: &mut crate::Counters| counters.function_requests += 1;
    Ok(call.job(Endpoint::Functions, count, move |_| {
        Reply::json(200, &json!({"functions": converted(&document)}))
    }))
}

/// A function for each operation; its parameters and the members of its JSON body are one object's.
fn converted(document: &Value) -> Vec<Value> {
    let mut functions = Vec::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if !["get", "put", "post", "delete", "patch"].contains(&method.as_str()) {
                continue;
            }
            let name = operation["operationId"].as_str().map_or_else(
                || format!("{method}{}", path.replace(['/', '{', '}'], "_")),
                str::to_owned,
            );
            let description = ["description", "summary"]
                .iter()
                .find_map(|field| operation[field].as_str());
            functions.push(
                json!({"name": name, "description": description.unwrap_or_default(),
                "parameters": parameters(document, operation)}),
            );
        }
    }
    functions
}

fn parameters(document: &Value, operation: &Value) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolved(document, parameter);
        let Some(name) = parameter["name"].as_str() else {
            continue;
        };
        let mut schema = resolved(document, &parameter["schema"]).clone();
        if let (Some(schema), Some(text)) = (schema.as_object_mut(), parameter.get("description")) {
            schema.insert("description".to_owned(), text.clone());
        }
        properties.insert(name.to_owned(), schema);
        if parameter["required"] == true {
            required.push(json!(name));
        }
    }
    let body = resolved(document, &operation["requestBody"]);
    let body = resolved(document, &body["content"]["application/json"]["schema"]);
    for (name, schema) in body["properties"].as_object().into_iter().flatten() {
        properties.insert(name.clone(), resolved(document, schema).clone());
    }
    required.extend(body["required"].as_array().into_iter().flatten().cloned());
    json!({"type": "object", "properties": properties, "required": required})
}

/// Where a local reference points; anything else is itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(value)
}
