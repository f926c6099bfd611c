//! The documentation's tables are what the code says.
//!
//! `GIGACHAT_BLESS=1 cargo test -p gigachat --test docs` rewrites them after a change of the options.

use std::path::PathBuf;

#[test]
fn the_table_of_options_is_the_codes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let text = std::fs::read_to_string(&path).expect("docs/configuration.md is readable");
    let begin = text.find("<!-- table:").expect("the table's begin mark");
    let begin = begin + text[begin..].find('\n').expect("the mark is a line") + 1;
    let end = text
        .find("<!-- end of table -->")
        .expect("the table's end mark");
    let table = gigachat::config::reference_table();
    if std::env::var_os("GIGACHAT_BLESS").is_some() {
        let blessed = format!("{}{table}{}", &text[..begin], &text[end..]);
        std::fs::write(&path, blessed).expect("docs/configuration.md is writable");
        return;
    }
    assert!(
        text[begin..end] == table,
        "docs/configuration.md is behind core/src/config/options.rs; run GIGACHAT_BLESS=1 cargo test -p gigachat --test docs"
    );
}
