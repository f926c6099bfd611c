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
        for (number, input) in found(target).iter().enumerate() {
            println!("found/{target}, the input {number}");
            property(input);
        }
        assert!(replayed >= 10, "{target}: {replayed} inputs");
    }
}

/// What fuzzers found, in one file (`corpora.py`): each input behind its length in two bytes.
fn found(target: &str) -> Vec<Vec<u8>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("found")
        .join(target);
    let Ok(packed) = std::fs::read(file) else {
        return Vec::new();
    };
    let (mut rest, mut inputs) = (&packed[..], Vec::new());
    while let Some((length, more)) = rest.split_first_chunk::<2>() {
        let (input, more) = more
            .split_at_checked(usize::from(u16::from_le_bytes(*length)))
            .expect("an input as long as its length says");
        inputs.push(input.to_vec());
        rest = more;
    }
    inputs
}

#[test]
fn the_sequences_call_every_function_of_the_c_abi() {
    let symbols = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/abi/gigachat.symbols");
    let symbols = std::fs::read_to_string(symbols).expect("the list is readable");
    let exported: BTreeSet<&str> = symbols.lines().collect();
    let called: BTreeSet<&str> = gigachat_fuzz::c_api::NAMES.iter().copied().collect();
    assert_eq!(called, exported);
}
