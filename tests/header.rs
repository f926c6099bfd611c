//! The checked-in header is what cbindgen makes of `src`, laid out in chapters; every item in it has
//! a comment, and its version is Cargo.toml's. `api/gigachat.json` is what the header and the core's
//! tables say.
//!
//! `GIGACHAT_BLESS=1 cargo test -p gigachat-c-library --test header` rewrites both after a change.

#[path = "header/chapters.rs"]
mod chapters;
#[path = "header/description.rs"]
mod description;
#[path = "header/items.rs"]
mod items;

use std::path::{Path, PathBuf};

use chapters::CHAPTERS;
use items::items;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn header_file() -> PathBuf {
    root().join("include/gigachat.h")
}

fn generated() -> String {
    let config =
        cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("the recipe is readable");
    let bindings = cbindgen::Builder::new()
        .with_crate(root())
        .with_config(config)
        .generate()
        .expect("cbindgen understands src");
    let mut text = Vec::new();
    bindings.write(&mut text);
    chapters::laid_out(&String::from_utf8(text).expect("the header is UTF-8"))
}

fn header() -> String {
    std::fs::read_to_string(header_file()).expect("include/gigachat.h is readable")
}

/// Fails unless the file holds the text; writes it there when the tests are run to do so.
fn is_blessed(path: &Path, text: &str) {
    if std::env::var_os("GIGACHAT_BLESS").is_some() {
        std::fs::write(path, text).expect("the file is writable");
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == text,
        "{} is behind the code; run GIGACHAT_BLESS=1 cargo test -p gigachat-c-library --test header",
        path.display()
    );
}

#[test]
fn the_checked_in_header_is_what_the_code_gives() {
    is_blessed(&header_file(), &generated());
}

#[test]
fn the_checked_in_description_is_what_the_code_says() {
    let text = serde_json::to_string_pretty(&description::of(&generated())).expect("it is JSON");
    is_blessed(&root().join("api/gigachat.json"), &(text + "\n"));
}

#[test]
fn every_item_has_a_comment_and_a_chapter() {
    let items = items(&header());
    assert!(items.len() > 150, "the header was not understood");
    for item in &items {
        let name = item.name();
        assert!(
            item.doc.len() > 5 || name == "GIGACHAT_API",
            "no comment: {name}"
        );
        if !chapters::is_object(item) && !name.starts_with("GIGACHAT_VERSION") {
            let known = matches!(name.as_str(), "GIGACHAT_ZT" | "GIGACHAT_API");
            assert!(
                known || !chapters::chapter(&name).title.is_empty(),
                "{name}"
            );
        }
    }
}

#[test]
fn the_free_functions_are_the_last_of_their_chapters() {
    let header = header();
    for chapter in CHAPTERS {
        let Some((_, rest)) = header.split_once(&format!(" {}\n", chapter.title)) else {
            continue;
        };
        let chapter = rest.split("/** @} */").next().unwrap_or(rest);
        let functions = items(chapter)
            .into_iter()
            .filter(|item| item.code.starts_with("GIGACHAT_API"));
        let frees: Vec<bool> = functions
            .map(|item| item.name().ends_with("_free"))
            .collect();
        assert!(frees.is_sorted(), "a function follows a free function");
    }
}

#[test]
fn the_headers_version_is_cargos() {
    for (part, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        let line = format!("#define GIGACHAT_VERSION_{part} {value}");
        assert!(header().lines().any(|found| found == line), "{line}");
    }
}
