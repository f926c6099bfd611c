//! Replays the checked-in corpora without a fuzzer: what once was found stays mended.

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
