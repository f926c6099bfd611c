//! `api/gigachat.json` is what the code says: options, error kinds, statuses, strategies and every
//! function of the C library with its parameters. Each language's names, error classes and option
//! types are made from it.
//!
//! `GIGACHAT_BLESS=1 cargo test -p gigachat-c-library --test description` rewrites it.

use std::path::{Path, PathBuf};

use gigachat_core::config::{Config, OptionInfo, VARIABLES_WITHOUT_OPTION};
use gigachat_core::{ErrorKind, Phase, Request, RouterOptions, Strategy};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn checked_in() -> PathBuf {
    root().join("api/gigachat.json")
}

/// One item of the header: its comment and its declaration, each as one line.
struct Item {
    doc: String,
    code: String,
}

/// The items of a header that cbindgen made. Each is preceded by its comment and ends with a
/// semicolon, or with its line when it is a macro.
fn items(header: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let mut lines = header.lines();
    let mut doc: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("/*") {
            doc.clear();
            let mut line = line;
            while !line.contains("*/") {
                line = lines.next().expect("a comment ends");
                doc.push(line.trim_start_matches(" *").trim());
            }
            doc.pop();
        } else if line.starts_with("#define GIGACHAT_") {
            found.push(Item {
                doc: doc.join("\n").trim().to_owned(),
                code: line.to_owned(),
            });
        } else if line.starts_with("typedef") || line.starts_with("GIGACHAT_API") {
            let mut code = line.to_owned();
            while !code.ends_with(';') {
                code.push(' ');
                code += lines.next().expect("a declaration ends").trim();
            }
            found.push(Item {
                doc: doc.join("\n").trim().to_owned(),
                code,
            });
        }
    }
    found
}

/// `const char *text` as type and name.
fn typed(declaration: &str) -> (String, String) {
    let declaration = declaration.trim();
    let at = declaration
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .expect("a parameter has a type");
    let (of, name) = declaration.split_at(at + 1);
    (of.trim().to_owned(), name.to_owned())
}

fn parameters(list: &str) -> Vec<Value> {
    let list = list.trim();
    if list.is_empty() || list == "void" {
        return Vec::new();
    }
    let parameters = list.split(',').map(|parameter| {
        let (of, name) = typed(parameter);
        json!({ "name": name, "type": of })
    });
    parameters.collect()
}

/// A function: `GIGACHAT_API TYPE name(PARAMETERS);`.
fn function(item: &Item) -> Value {
    let code = item.code.trim_start_matches("GIGACHAT_API").trim();
    let (head, list) = code.split_once('(').expect("a function has parameters");
    let (returns, name) = typed(head);
    let list = list.trim_end_matches(");");
    json!({ "name": name, "returns": returns, "parameters": parameters(list), "doc": item.doc })
}

/// A callback: `typedef TYPE (*name)(PARAMETERS);`.
fn callback(item: &Item) -> Value {
    let code = item.code.trim_start_matches("typedef").trim();
    let (returns, rest) = code.split_once("(*").expect("a pointer to a function");
    let (name, list) = rest.split_once(")(").expect("a function has parameters");
    let list = list.trim_end_matches(");");
    json!({ "name": name, "returns": returns.trim(), "parameters": parameters(list), "doc": item.doc })
}

fn constant(item: &Item) -> Option<(String, i64, &str)> {
    let mut words = item.code.split_whitespace().skip(1);
    let name = words.next()?.to_owned();
    let value = words.next()?.parse().ok()?;
    (!name.starts_with("GIGACHAT_VERSION_")).then_some((name, value, &item.doc))
}

fn constants(items: &[Item], prefix: &str) -> Vec<Value> {
    let all = items.iter().filter(|item| item.code.starts_with("#define"));
    let of_these = all.filter_map(constant).filter(|(name, _, _)| {
        let rest = name.strip_prefix(prefix);
        rest.is_some()
    });
    let rows = of_these.map(|(name, value, doc)| {
        let short = name[prefix.len()..].to_lowercase();
        json!({ "name": short, "constant": name, "value": value, "doc": doc })
    });
    rows.collect()
}

fn option(option: &OptionInfo) -> Value {
    json!({
        "name": option.name,
        "known_as": option.known_as,
        "aliases": option.aliases,
        "unit": option.unit.name(),
        "range": option.range.map(|(least, most)| [number(least), number(most)]),
        "choices": option.choices,
        "accepted": option.values(),
        "default": option.default,
        "variable": option.variable,
        "doc": option.doc,
    })
}

/// A whole number without a decimal point.
fn number(value: f64) -> Value {
    match value.fract() == 0.0 && value < 1e15 {
        true => json!(value as i64),
        false => json!(value),
    }
}

fn options<'a>(all: impl Iterator<Item = &'a OptionInfo>) -> Vec<Value> {
    all.map(option).collect()
}

fn error_kinds() -> Vec<Value> {
    let kinds = ErrorKind::ALL.iter();
    let rows = kinds.map(|kind| {
        let http: Vec<u16> = (400..600)
            .filter(|status| ErrorKind::of_status(*status) == *kind)
            .collect();
        // Whole hundreds are said as such.
        let http = match http.len() {
            0..10 => json!(http),
            _ => json!([format!("{}xx", http[0] / 100)]),
        };
        json!({
            "name": kind.name(),
            "status": format!("GIGACHAT_ERROR_{}", kind.name().to_uppercase()),
            "value": kind.number(),
            "http": http,
            "doc": plain(kind.doc()),
        })
    });
    rows.collect()
}

/// A sentence of rustdoc without its links: [`Error::phase`](crate::Error::phase) -> phase.
fn plain(doc: &str) -> String {
    let mut text = String::new();
    let mut rest = doc.trim();
    while let Some((before, link)) = rest.split_once("[`") {
        let (name, after) = link.split_once("`]").expect("a link ends");
        text += before;
        text += name.rsplit("::").next().unwrap_or(name);
        let target = after
            .strip_prefix('(')
            .and_then(|after| after.split_once(')'));
        rest = target.map_or(after, |(_, rest)| rest);
    }
    text + rest
}

fn description() -> Value {
    let header = std::fs::read_to_string(root().join("include/gigachat.h"))
        .expect("include/gigachat.h is readable");
    let items = items(&header);
    let code = |start: &str| {
        let start = start.to_owned();
        items
            .iter()
            .filter(move |item| item.code.starts_with(&start))
    };
    let named = |names: Vec<&'static str>| -> Vec<Value> {
        names
            .into_iter()
            .map(|name| json!({ "name": name }))
            .collect()
    };
    let functions: Vec<Value> = code("GIGACHAT_API").map(function).collect();
    assert!(functions.len() > 100, "the header was not understood");
    let callbacks = code("typedef").filter(|item| item.code.contains("(*"));
    let handles = code("typedef struct").map(|item| {
        let (_, name) = typed(item.code.trim_end_matches(';'));
        json!({ "name": name, "doc": item.doc })
    });
    let integers = code("typedef int32_t").map(|item| {
        let (of, name) = typed(
            item.code
                .trim_start_matches("typedef")
                .trim_end_matches(';'),
        );
        json!({ "name": name, "type": of, "doc": item.doc })
    });
    let mut statuses = constants(&items, "GIGACHAT_OK");
    statuses.append(&mut constants(&items, "GIGACHAT_STREAM_END"));
    statuses.append(&mut constants(&items, "GIGACHAT_NOT_YET"));
    statuses.append(&mut constants(&items, "GIGACHAT_ERROR_"));
    for status in &mut statuses {
        let constant = status["constant"].as_str().unwrap_or_default();
        status["name"] = json!(constant.trim_start_matches("GIGACHAT_").to_lowercase());
    }
    let ignored = VARIABLES_WITHOUT_OPTION.iter();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "options": options(Config::options()),
        "call_options": options(Request::options()),
        "router_options": options(RouterOptions::options()),
        "ignored_variables": ignored.map(|(name, why)| json!({ "name": name, "doc": why })).collect::<Vec<_>>(),
        "strategies": named(Strategy::NAMES.to_vec()),
        "error_kinds": error_kinds(),
        "phases": named(Phase::ALL.iter().map(|phase| phase.name()).collect()),
        "statuses": statuses,
        "events": constants(&items, "GIGACHAT_EVENT_"),
        "log_levels": constants(&items, "GIGACHAT_LOG_"),
        "handles": handles.collect::<Vec<_>>(),
        "integers": integers.collect::<Vec<_>>(),
        "callbacks": callbacks.map(callback).collect::<Vec<_>>(),
        "functions": functions,
    })
}

#[test]
fn the_checked_in_description_is_what_the_code_says() {
    let text = serde_json::to_string_pretty(&description()).expect("it is JSON") + "\n";
    if std::env::var_os("GIGACHAT_BLESS").is_some() {
        std::fs::create_dir_all(root().join("api")).expect("api can be made");
        std::fs::write(checked_in(), &text).expect("api/gigachat.json is writable");
    }
    let known = std::fs::read_to_string(checked_in()).unwrap_or_default();
    assert!(
        text == known,
        "api/gigachat.json is behind the code; run GIGACHAT_BLESS=1 cargo test -p gigachat-c-library --test description"
    );
}

#[test]
fn every_entry_says_what_it_is() {
    let description = description();
    let sections = description.as_object().expect("an object");
    for (section, entries) in sections {
        if matches!(section.as_str(), "version" | "strategies" | "phases") {
            continue;
        }
        let entries = entries.as_array().expect("a list");
        assert!(!entries.is_empty(), "{section} is empty");
        for entry in entries {
            let doc = entry["doc"].as_str().unwrap_or_default();
            assert!(!doc.is_empty(), "{section}: {} says nothing", entry["name"]);
        }
    }
}

#[test]
fn a_declaration_is_read_with_its_parameters() {
    let header = "/*\n A thing.\n */\nGIGACHAT_API\nconst char *gigachat_x(const gigachat_y *y,\n    size_t *length);\n";
    let items = items(header);
    let expected = json!({
        "name": "gigachat_x",
        "returns": "const char *",
        "parameters": [
            { "name": "y", "type": "const gigachat_y *" },
            { "name": "length", "type": "size_t *" },
        ],
        "doc": "A thing.",
    });
    assert_eq!(function(&items[0]), expected);
}
