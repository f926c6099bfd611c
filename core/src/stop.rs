//! Stop sequences (I7): the service ignores `stop`, so the output is cut here, before the first
//! occurrence of any sequence, also when the sequence is split over chunks.
//!
//! The cost is linear in the text, whatever the sequences are (Knuth, Morris and Pratt): a program
//! may pass on those of its users.

/// Where the first stop sequence begins in a complete text.
pub(crate) fn first_stop(text: &str, stops: &[String]) -> Option<usize> {
    stops
        .iter()
        .filter_map(|stop| text.find(stop.as_str()))
        .min()
}

/// Looks for stop sequences in a text that comes in pieces. What is cut does not depend on how
/// the text is cut into pieces.
#[derive(Debug, Default)]
pub(crate) struct StopMatcher {
    sequences: Vec<Sequence>,
    /// Text that may yet turn out to be the beginning of a stop sequence.
    held: String,
    /// Where in `held` a whole sequence begins, while one that begins earlier may become whole.
    met: Option<usize>,
}

/// One stop sequence, and how much of it the text so far ends with.
#[derive(Debug)]
struct Sequence {
    stop: Box<[u8]>,
    /// For each length, the next shorter beginning that is also its end.
    shorter: Box<[usize]>,
    matched: usize,
    /// It was whole once; its later occurrences do not matter.
    met: bool,
}

impl Sequence {
    fn new(stop: &str) -> Sequence {
        let stop: Box<[u8]> = stop.as_bytes().into();
        let mut shorter = vec![0; stop.len() + 1];
        let mut length = 0;
        for at in 1..stop.len() {
            while length > 0 && stop[at] != stop[length] {
                length = shorter[length];
            }
            length += usize::from(stop[at] == stop[length]);
            shorter[at + 1] = length;
        }
        Sequence {
            stop,
            shorter: shorter.into(),
            matched: 0,
            met: false,
        }
    }

    /// Reads on; returns how much of the piece was read when the sequence was whole.
    fn read(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < piece.len() {
            if self.matched == 0 {
                at += memchr::memchr(self.stop[0], &piece[at..])?;
            }
            while self.matched > 0 && piece[at] != self.stop[self.matched] {
                self.matched = self.shorter[self.matched];
            }
            self.matched += usize::from(piece[at] == self.stop[self.matched]);
            at += 1;
            if self.matched == self.stop.len() {
                return Some(at);
            }
        }
        None
    }
}

impl StopMatcher {
    pub(crate) fn new(stops: &[String]) -> StopMatcher {
        let stops = stops.iter().filter(|stop| !stop.is_empty());
        StopMatcher {
            sequences: stops.map(|stop| Sequence::new(stop)).collect(),
            ..StopMatcher::default()
        }
    }

    /// Takes the next piece; returns what may be delivered and whether a stop was met.
    pub(crate) fn push(&mut self, piece: String) -> (String, bool) {
        if self.sequences.is_empty() {
            return (piece, false);
        }
        let begin = self.held.len();
        self.held.push_str(&piece);
        // Where the first sequence begins that may yet become whole.
        let mut pending = self.held.len();
        for sequence in self.sequences.iter_mut().filter(|sequence| !sequence.met) {
            match sequence.read(piece.as_bytes()) {
                Some(read) => {
                    sequence.met = true;
                    let at = begin + read - sequence.stop.len();
                    self.met = Some(self.met.map_or(at, |earlier| earlier.min(at)));
                }
                None => pending = pending.min(self.held.len() - sequence.matched),
            }
        }
        if self.met.is_some_and(|met| met <= pending) {
            return self.finish();
        }
        let tail = self.held.split_off(pending);
        self.met = self.met.map(|met| met - pending);
        (std::mem::replace(&mut self.held, tail), false)
    }

    /// What may be delivered of the held text once it is known that no more will come, and
    /// whether a stop was met in it.
    pub(crate) fn finish(&mut self) -> (String, bool) {
        let mut text = std::mem::take(&mut self.held);
        for sequence in &mut self.sequences {
            (sequence.matched, sequence.met) = (0, false);
        }
        match self.met.take() {
            Some(met) => {
                text.truncate(met);
                (text, true)
            }
            None => (text, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{StopMatcher, first_stop};

    /// Feeds a text in pieces of every size and joins what is delivered.
    fn deliver(text: &str, stops: &[&str], size: usize) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut matcher = StopMatcher::new(&stops);
        let characters: Vec<char> = text.chars().collect();
        let mut delivered = String::new();
        for piece in characters.chunks(size) {
            let (text, stopped) = matcher.push(piece.iter().collect());
            delivered += &text;
            if stopped {
                return (delivered, true);
            }
        }
        let (rest, stopped) = matcher.finish();
        (delivered + &rest, stopped)
    }

    #[test]
    fn a_stop_split_over_chunks_at_any_place_ends_the_output_before_it() {
        for size in 1..20 {
            let met = |text, stops| deliver(text, stops, size);
            assert_eq!(
                met("one STOP two", &["STOP"]),
                ("one ".into(), true),
                "{size}"
            );
            assert_eq!(
                met("раз два КОНЕЦ", &["КОНЕЦ"]),
                ("раз два ".into(), true),
                "{size}"
            );
            assert_eq!(met("aaab", &["aab"]), ("a".into(), true), "{size}");
            assert_eq!(
                met("no such", &["suchlike"]),
                ("no such".into(), false),
                "{size}"
            );
            assert_eq!(met("xabcdx", &["abcd", "bc"]), ("x".into(), true), "{size}");
            assert_eq!(met("xabcx", &["abcd", "bc"]), ("xa".into(), true), "{size}");
            assert_eq!(met("xabc", &["abcd", "bc"]), ("xa".into(), true), "{size}");
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_does_not_depend_on_how_the_text_is_cut(
            text in "[abя]{0,40}",
            stops in proptest::collection::vec("[abя]{1,6}", 1..5),
            size in 1usize..10,
        ) {
            let borrowed: Vec<&str> = stops.iter().map(String::as_str).collect();
            let whole = match first_stop(&text, &stops) {
                Some(at) => (text[..at].to_owned(), true),
                None => (text.clone(), false),
            };
            prop_assert_eq!(deliver(&text, &borrowed, size), whole);
        }
    }

    #[test]
    fn the_cost_does_not_grow_with_the_sequence() {
        // Quadratic, this took minutes; the bound only catches that.
        let begun = std::time::Instant::now();
        let stop = "a".repeat(100_000) + "b";
        let (text, stopped) = deliver(&"a".repeat(1_000_000), &[&stop], 1);
        assert_eq!((text.len(), stopped), (1_000_000, false));
        assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    }
}
