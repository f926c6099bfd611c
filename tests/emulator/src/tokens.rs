//! How the emulator counts tokens: one rule for `/tokens/count`, `usage` and `max_tokens`.
//!
//! Not the service's tokenizer, only something that is as consistent. Read from left to right, a token is
//! a run of up to six letters or digits together with one space before it, or else one single character.
//! So a text that is cut behind its n-th token has exactly n tokens.

const LONGEST_WORD_PIECE: usize = 6;

/// The number of tokens of this text.
pub fn count_tokens(text: &str) -> usize {
    Tokens { rest: text }.count()
}

/// The longest beginning of `text` that has at most `most` tokens.
pub fn cut_to_tokens(text: &str, most: usize) -> &str {
    let kept: usize = Tokens { rest: text }.take(most).map(str::len).sum();
    &text[..kept]
}

/// The text in pieces of `per_piece` tokens, as a stream sends it.
pub(crate) fn pieces(text: &str, per_piece: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let piece = cut_to_tokens(rest, per_piece.max(1));
        pieces.push(piece.to_owned());
        rest = &rest[piece.len()..];
    }
    pieces
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let length = first_token_length(self.rest)?;
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(token)
    }
}

fn first_token_length(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let word = match first {
        ' ' => &text[1..],
        _ => text,
    };
    let letters: usize = word
        .chars()
        .take(LONGEST_WORD_PIECE)
        .take_while(|c| c.is_alphanumeric())
        .map(char::len_utf8)
        .sum();
    match letters {
        0 => Some(first.len_utf8()),
        _ => Some(text.len() - word.len() + letters),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_sample_has_four_tokens() {
        // GigaChat REST reference, section 9.
        assert_eq!(count_tokens("Hello, world!"), 4);
    }

    #[test]
    fn a_cut_text_has_exactly_the_tokens_it_was_cut_to() {
        let text = "Привет,  мир! one-two\n\n🎉 превосходительство 12345678 ";
        let all = count_tokens(text);
        for most in 0..=all {
            assert_eq!(count_tokens(cut_to_tokens(text, most)), most);
        }
        assert_eq!(cut_to_tokens(text, all), text);
        assert_eq!(cut_to_tokens(text, all + 1), text);
    }

    #[test]
    fn pieces_join_to_the_text() {
        let text = "раз, два, три: 1, 2, 3 🎉";
        assert_eq!(pieces(text, 3).concat(), text);
        assert!(pieces("", 3).is_empty());
    }
}
