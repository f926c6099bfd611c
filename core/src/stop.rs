//! Stop sequences (I7): the service ignores `stop`, so the output is cut here, before the first
//! occurrence of any sequence, also when the sequence is split over chunks.

/// Where the first stop sequence begins in a complete text.
pub(crate) fn first_stop(text: &str, stops: &[String]) -> Option<usize> {
    stops
        .iter()
        .filter_map(|stop| text.find(stop.as_str()))
        .min()
}

/// Looks for stop sequences in a text that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct StopMatcher {
    stops: Vec<String>,
    /// Text that may yet turn out to be the beginning of a stop sequence.
    held: String,
}

impl StopMatcher {
    pub(crate) fn new(stops: &[String]) -> StopMatcher {
        StopMatcher {
            stops: stops.to_vec(),
            held: String::new(),
        }
    }

    /// Takes the next piece; returns what may be delivered and whether a stop was met.
    pub(crate) fn push(&mut self, piece: String) -> (String, bool) {
        if self.stops.is_empty() {
            return (piece, false);
        }
        self.held.push_str(&piece);
        if let Some(at) = first_stop(&self.held, &self.stops) {
            let mut text = std::mem::take(&mut self.held);
            text.truncate(at);
            return (text, true);
        }
        let keep = self.longest_possible_beginning();
        let tail = self.held.split_off(self.held.len() - keep);
        (std::mem::replace(&mut self.held, tail), false)
    }

    /// The held text, once it is known that no more will come.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The length of the longest end of `held` with which a stop sequence begins. Lengths that
    /// would split a character never match, since a sequence begins with whole characters.
    fn longest_possible_beginning(&self) -> usize {
        let held = self.held.as_bytes();
        let longest_stop = self.stops.iter().map(String::len).max().unwrap_or(0);
        (1..longest_stop.min(held.len() + 1))
            .rev()
            .find(|&length| {
                let tail = &held[held.len() - length..];
                self.stops
                    .iter()
                    .any(|stop| stop.len() > length && stop.as_bytes().starts_with(tail))
            })
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::StopMatcher;

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
        (delivered + &matcher.finish(), false)
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
        }
    }
}
