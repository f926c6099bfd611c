//! The floors that `src/lib.rs` of the core and of the Python module list hold: no module uses one
//! of its own floor or of a higher one, and nobody takes names from the crate's root.
//! ARCHITECTURE.md draws the same floors. (Those of the Python package: `bindings/python/tests`.)

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A crate whose modules stand on floors.
struct House {
    /// Its folder, from the core's.
    folder: &'static str,
    /// The heading of its picture in ARCHITECTURE.md.
    picture: &'static str,
    /// Fewer imports than this mean that the reader here has gone blind.
    fewest_imports: usize,
}

const HOUSES: [House; 2] = [
    House {
        folder: ".",
        picture: "### The core",
        fewest_imports: 200,
    },
    House {
        folder: "../bindings/python",
        picture: "### The Python module",
        fewest_imports: 30,
    },
];

fn below_the_core(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Each module with its floor, in the order of `src/lib.rs`.
fn floors(house: &House) -> Vec<(String, usize)> {
    let mut floor = 0;
    let mut found = Vec::new();
    for line in read(&below_the_core(house.folder).join("src/lib.rs")).lines() {
        if let Some(rest) = line.strip_prefix("// Floor ") {
            let (number, _) = rest.split_once(':').expect("a floor has a title");
            floor = number.parse().expect("a floor has a number");
        }
        let line = line.strip_prefix("pub ").unwrap_or(line);
        if let Some(name) = line
            .strip_prefix("mod ")
            .and_then(|rest| rest.strip_suffix(';'))
        {
            assert!(floor > 0, "{name} stands on no floor");
            found.push((name.to_owned(), floor));
        }
    }
    found
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The first words behind `crate::` in the code: comments and unit tests left out.
fn used(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let code: Vec<&str> = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect();
    let code = code.join("\n");
    let words = code.split("crate::").skip(1);
    words
        .map(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .collect()
}

/// What is wrong with an import of `name` in a module that stands on `floor`.
fn fault(floors: &BTreeMap<String, usize>, module: &str, name: &str) -> Option<String> {
    let floor = floors[module];
    match floors.get(name) {
        _ if name == module => None,
        None => Some(format!(
            "`crate::{name}` is no module; name the module that has it"
        )),
        Some(other) if *other >= floor => Some(format!(
            "`{name}` (floor {other}) does not lie below `{module}` (floor {floor})"
        )),
        Some(_) => None,
    }
}

fn faults_of(house: &House) -> Vec<String> {
    let floors: BTreeMap<String, usize> = floors(house).into_iter().collect();
    let source = below_the_core(house.folder).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut faults = Vec::new();
    let mut imports = 0;
    for path in all {
        let relative = path.strip_prefix(&source).expect("it is below the source");
        let first = relative
            .iter()
            .next()
            .expect("it has a name")
            .to_string_lossy();
        let module = first.trim_end_matches(".rs");
        let in_tests = relative.iter().any(|part| part == "tests");
        if module == "lib" || in_tests {
            continue;
        }
        assert!(floors.contains_key(module), "{module} stands on no floor");
        for name in used(&read(&path)) {
            imports += 1;
            let fault = fault(&floors, module, &name);
            faults.extend(fault.map(|fault| format!("{}: {fault}", path.display())));
        }
    }
    assert!(
        imports > house.fewest_imports,
        "only {imports} imports were seen in {}",
        house.folder
    );
    faults
}

#[test]
fn every_import_runs_down() {
    let faults: Vec<String> = HOUSES.iter().flat_map(faults_of).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_arrow_up_sideways_or_to_the_root_is_seen() {
    let floors =
        BTreeMap::from([("low", 1), ("twin", 1), ("high", 2)].map(|(n, f)| (n.to_owned(), f)));
    let text = "use crate::high::X; // crate::comment\nfn f() { crate::low::g() }\n#[cfg(test)]\nmod tests { use crate::twin; }";
    assert_eq!(used(text), ["high", "low"]);
    assert!(fault(&floors, "low", "high").is_some());
    assert!(fault(&floors, "low", "twin").is_some());
    assert!(fault(&floors, "high", "Error").is_some());
    assert!(fault(&floors, "high", "low").is_none());
}

/// The modules and floors of the picture below a heading: the lines of its block that begin with a
/// number.
fn drawn(text: &str, heading: &str) -> Vec<(String, usize)> {
    let (_, below) = text.split_once(heading).expect("the heading is there");
    let block = below.split("```").nth(1).expect("a picture follows");
    let lines = block
        .lines()
        .filter_map(|line| line.trim_start().split_once("  "));
    let numbered = lines.filter_map(|(number, names)| Some((number.parse().ok()?, names)));
    numbered
        .flat_map(|(floor, names)| {
            names
                .split_whitespace()
                .map(move |name| (name.into(), floor))
        })
        .collect()
}

#[test]
fn the_pictures_of_the_architecture_show_the_same_floors() {
    let text = read(&below_the_core("../ARCHITECTURE.md"));
    for house in &HOUSES {
        let mut drawn = drawn(&text, house.picture);
        let mut listed = floors(house);
        for list in [&mut drawn, &mut listed] {
            list.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        }
        assert_eq!(drawn, listed, "{}", house.folder);
    }
}
