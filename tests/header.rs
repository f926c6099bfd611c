//! The checked-in header is what cbindgen makes of `src`, every item in it has a comment, and
//! its version is Cargo.toml's.
//!
//! `GIGACHAT_BLESS=1 cargo test -p gigachat-c-library --test header` rewrites the header after a change of the C ABI.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn checked_in() -> PathBuf {
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
    String::from_utf8(text).expect("the header is UTF-8")
}

fn header() -> String {
    std::fs::read_to_string(checked_in()).expect("include/gigachat.h is readable")
}

#[test]
fn the_checked_in_header_is_what_cbindgen_gives() {
    let generated = generated();
    if std::env::var_os("GIGACHAT_BLESS").is_some() {
        std::fs::write(checked_in(), &generated).expect("include/gigachat.h is writable");
    }
    assert!(
        generated == header(),
        "include/gigachat.h is not what cbindgen gives; run GIGACHAT_BLESS=1 cargo test -p gigachat-c-library --test header"
    );
}

#[test]
fn every_item_has_a_comment_that_says_since_when() {
    let header = header();
    let lines: Vec<&str> = header.lines().collect();
    let mut items = 0;
    for (number, line) in lines.iter().enumerate() {
        let item = line.starts_with("GIGACHAT_API")
            || line.starts_with("typedef")
            || (line.starts_with("#define GIGACHAT_")
                && lines.get(number.wrapping_sub(1)) == Some(&" */"));
        if !item {
            continue;
        }
        items += 1;
        let before = &lines[..number];
        assert_eq!(
            before.last(),
            Some(&" */"),
            "no comment before line {}: {line}",
            number + 1
        );
        let begin = before
            .iter()
            .rposition(|line| line.starts_with("/*"))
            .expect("a comment has a beginning");
        let comment = before[begin..].join(" ");
        assert!(
            comment.contains("Since 0."),
            "no `Since` in the comment of line {}: {line}",
            number + 1
        );
        if line.starts_with("GIGACHAT_API") {
            assert!(
                comment.contains("Thread safety:"),
                "no `Thread safety` for line {}: {line}",
                number + 1
            );
            let returns = !lines[number + 1].starts_with("void ");
            assert!(
                !returns || comment.contains("Returns:"),
                "no `Returns` for line {}: {line}",
                number + 1
            );
        }
    }
    assert!(
        items > 150,
        "only {items} items were found: the test does not see the header"
    );
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
