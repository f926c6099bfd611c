//! Replays the checked-in corpora without a fuzzer: what once was found stays mended.

use std::collections::BTreeSet;
use std::path::Path;

use gigachat_fuzz::TARGETS;

#[test]
fn every_corpus_keeps_its_property() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let folders = std::fs::read_dir(&corpora).expect("the corpora are readable");
    assert_eq!(
        folders.count(),
        TARGETS.len(),
        "a corpus for every target, a target for every corpus"
    );
    for (target, property) in TARGETS {
        let inputs = std::fs::read_dir(corpora.join(target)).expect("the corpus is readable");
        let mut replayed = 0;
        for input in inputs {
            let path = input.expect("the entry is readable").path();
            println!("{}", path.display());
            property(&std::fs::read(&path).expect("the input is readable"));
            replayed += 1;
        }
        assert!(replayed >= 10, "{target}: {replayed} inputs");
    }
}

#[test]
fn the_sequences_call_every_function_of_the_c_abi() {
    let symbols = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/abi/gigachat.symbols");
    let symbols = std::fs::read_to_string(symbols).expect("the list is readable");
    let exported: BTreeSet<&str> = symbols.lines().collect();
    let called: BTreeSet<&str> = gigachat_fuzz::c_api::NAMES.iter().copied().collect();
    assert_eq!(called, exported);
}
