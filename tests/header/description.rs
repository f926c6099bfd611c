//! The description of everything that other languages need: options, error kinds, statuses,
//! strategies and every function of the C library with its parameters. Each language's names,
//! error classes and option types are made from it.

use gigachat_core::config::{Config, OptionInfo, VARIABLES_WITHOUT_OPTION};
use gigachat_core::operations::{Clock, Events, Gives, Method, OPERATIONS, Routing, Takes};
use gigachat_core::{ErrorKind, Operation, Phase, Request, RouterOptions, Strategy};
use serde_json::{Value, json};

use super::chapters::chapter;
use super::items::{Item, callback, function, items, typed};

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

fn operation(operation: &Operation) -> Value {
    let (takes, content_type) = match operation.takes {
        Takes::Nothing => ("nothing", None),
        Takes::Json => ("json", None),
        Takes::Texts => ("texts", None),
        Takes::Multipart => ("multipart", None),
        Takes::Bytes(content_type) => ("bytes", Some(content_type)),
        Takes::Any => ("any", None),
    };
    let between_braces = operation.path.split('{').skip(1);
    let names: Vec<&str> = between_braces
        .filter_map(|rest| rest.split('}').next())
        .collect();
    json!({
        "name": operation.name,
        "method": match operation.method {
            Method::Get => "GET",
            Method::Post => "POST",
        },
        "path": operation.path,
        "path_names": names,
        "takes": takes,
        "content_type": content_type,
        "gives": match operation.gives {
            Gives::Json => "json",
            Gives::Bytes => "bytes",
            Gives::Any => "any",
        },
        "events": operation.events.map(|events| match events {
            Events::V1 => "v1",
            Events::V2 => "v2",
        }),
        "permit": operation.permit,
        "clock": match operation.clock {
            Clock::Call => "call",
            Clock::Health => "health",
            Clock::Transfer => "transfer",
        },
        "repeatable": operation.repeatable,
        "routing": match operation.routing {
            Routing::Routed => "routed",
            Routing::AnyMember => "any_member",
            Routing::MemberOnly => "member_only",
        },
        "since": operation.since,
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

/// The description, given the header.
pub fn of(header: &str) -> Value {
    let items = items(header);
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
    let functions = code("GIGACHAT_API").map(|item| function(item, chapter(&item.name()).title));
    let functions: Vec<Value> = functions.collect();
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
        "operations": OPERATIONS.iter().map(|row| operation(row)).collect::<Vec<_>>(),
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
fn every_entry_says_what_it_is() {
    let header = std::fs::read_to_string(super::header_file()).expect("the header is readable");
    let description = of(&header);
    let sections = description.as_object().expect("an object");
    for (section, entries) in sections {
        if matches!(
            section.as_str(),
            "version" | "operations" | "strategies" | "phases"
        ) {
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
