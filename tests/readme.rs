//! `tests/README.md` says which test proves which invariant, and says it completely.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Those that the table has, by their numbers.
const INVARIANTS: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20];
const COMPLAINTS: usize = 30;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Whether a text names the invariant, as a word of its own.
fn names(text: &str, invariant: u32) -> bool {
    let wanted = format!("I{invariant}");
    text.match_indices(&wanted).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back().is_some_and(word);
        let after = text[at + wanted.len()..].chars().next().is_some_and(word);
        !before && !after
    })
}

/// The test files that name the invariant, this one left out.
fn files_that_name(invariant: u32) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (folder, endings) in [
        ("../core/tests", &["rs"][..]),
        ("../core/tests/service", &["rs"]),
        ("c", &["c", "py"]),
        ("cpp", &["cpp"]),
        ("hammer", &["c"]),
        ("process", &["c", "cpp"]),
        ("behaviour", &["json", "py"]),
        ("soak", &["rs"]),
        ("../bindings/python/tests", &["py"]),
        ("../fuzz/src", &["rs"]),
        ("../fuzz/src/c_api", &["rs"]),
    ] {
        let entries = std::fs::read_dir(tests().join(folder)).expect("the folder is readable");
        for path in entries.map(|entry| entry.expect("the entry is readable").path()) {
            let ending = path
                .extension()
                .and_then(|ending| ending.to_str())
                .unwrap_or("");
            if !endings.contains(&ending) {
                continue;
            }
            if names(&read(&path), invariant) {
                let name = path.file_name().expect("it is a file").to_string_lossy();
                found.insert(format!("{folder}/{name}"));
            }
        }
    }
    found
}

#[test]
fn the_table_names_every_test_of_every_invariant() {
    let table = read(&tests().join("README.md"));
    for invariant in INVARIANTS {
        let begin = format!("| I{invariant}: ");
        let row = table.lines().find(|line| line.starts_with(&begin));
        let row = row.unwrap_or_else(|| panic!("I{invariant} has no row"));
        let listed: BTreeSet<String> = row
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert!(!listed.is_empty(), "I{invariant} is proved by nothing");
        assert_eq!(
            listed,
            files_that_name(invariant),
            "the row of I{invariant}"
        );
    }
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn each_complaint_of_users_has_the_tests_that_the_table_names() {
    let readme = read(&tests().join("README.md"));
    let (_, table) = readme
        .split_once("## What users asked for")
        .expect("the chapter is there");
    let rows = table.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let number = cells.first()?.parse::<usize>().ok()?;
        Some((number, quoted(cells.last()?)))
    });
    let rows: Vec<_> = rows.collect();
    let numbers: Vec<usize> = rows.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=COMPLAINTS).collect::<Vec<_>>());
    for (number, named) in rows {
        assert!(
            !named.is_empty() && named.len().is_multiple_of(2),
            "{number}: files and tests by turns"
        );
        for pair in named.chunks(2) {
            let text = read(&tests().join(pair[0]));
            let defined = ["fn ", "def "].map(|word| format!("{word}{}(", pair[1]));
            assert!(
                defined.iter().any(|definition| text.contains(definition)),
                "{number}: {} has no test {}",
                pair[0],
                pair[1]
            );
        }
    }
}
