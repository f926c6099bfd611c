//! `POST /embeddings` (GigaChat REST reference, section 8 and addendum A4).
//!
//! A vector is a function of the text: the sum of vectors of its words, so that texts with common words are
//! near each other. Its numbers are half-precision ones and its length is about 29, as recorded.

use std::fmt::Write as _;

use serde::Deserialize;

use crate::admit::Job;
use crate::call::{Call, too_large};
use crate::faults::Endpoint;
use crate::models;
use crate::reply::{JSON, Reply};
use crate::tokens::count_tokens;

/// Word endings are cut off behind so many letters: nearly a stem, in Russian too.
const STEM: usize = 5;
const NORM: f32 = 29.0;

#[derive(Deserialize)]
struct Request {
    model: String,
    input: Input,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

/// What a batch asks for, too.
pub(crate) struct Embed {
    model: String,
    texts: Vec<String>,
    columns: usize,
}

pub(crate) fn admit(call: &Call) -> Result<Job, Reply> {
    let embed = judge(call.posted()?)?;
    let client = call.client.clone();
    let count = |counters: &mut crate::Counters| counters.embedding_requests += 1;
    Ok(call.job(Endpoint::Embeddings, count, move |_| {
        client.spend("Embeddings", embed.tokens());
        let mut reply = Reply::bytes(200, JSON, embed.json());
        reply.chunked = true;
        reply
    }))
}

/// A request of a batch.
pub(crate) fn read(body: &[u8]) -> Result<Embed, Reply> {
    judge(serde_json::from_slice(body).map_err(|error| crate::chat::refuse_json(&error))?)
}

fn judge(request: Request) -> Result<Embed, Reply> {
    let Some((columns, most_tokens)) = models::embedder(&request.model) else {
        return Err(models::no_such_model());
    };
    let texts = match request.input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
    };
    if texts.is_empty() {
        return Err(Reply::invalid("input must not be empty"));
    }
    if texts.iter().any(|text| count_tokens(text) > most_tokens) {
        return Err(too_large());
    }
    Ok(Embed {
        model: request.model,
        texts,
        columns,
    })
}

impl Embed {
    pub fn tokens(&self) -> usize {
        self.texts.iter().map(|text| count_tokens(text)).sum()
    }

    /// The answer, compact, its keys in the recorded order.
    pub fn json(&self) -> String {
        let model = serde_json::Value::from(self.model.as_str());
        let mut json = format!("{{\"object\":\"list\",\"model\":{model},\"data\":[");
        for (index, text) in self.texts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a String does not fail.
            let _ = write!(json, "{comma}{{\"object\":\"embedding\",\"embedding\":[");
            for (place, value) in vector(text, self.columns).into_iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                let _ = write!(json, "{comma}{value:?}");
            }
            let tokens = count_tokens(text);
            let _ = write!(
                json,
                "],\"index\":{index},\"usage\":{{\"prompt_tokens\":{tokens}}}}}"
            );
        }
        json.push_str("]}");
        json
    }
}

fn vector(text: &str, columns: usize) -> Vec<f32> {
    let mut sum = vec![0_f32; columns];
    // A little of the text as it is, so that no two texts have one vector, and the empty one has one.
    add(&mut sum, text, 0.05);
    let lower = text.to_lowercase();
    for word in lower.split(|c: char| !c.is_alphanumeric()) {
        let stem = word
            .char_indices()
            .nth(STEM)
            .map_or(word, |(end, _)| &word[..end]);
        if !stem.is_empty() {
            add(&mut sum, stem, 1.0);
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
    let factor = NORM / length.max(f32::MIN_POSITIVE);
    sum.into_iter().map(|value| half(value * factor)).collect()
}

/// Adds the word's own direction: pseudo-random numbers (xorshift) from its hash (FNV-1a).
fn add(sum: &mut [f32], word: &str, weight: f32) {
    let mut state = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    for value in sum {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *value += weight * ((state >> 40) as f32 / (1 << 23) as f32 - 1.0);
    }
}

/// The nearest number of half precision (10 bits behind the first); tiny ones are zero.
fn half(value: f32) -> f32 {
    let rounded = f32::from_bits((value.to_bits() + 0x1000) & !0x1fff);
    match rounded.abs() < 6.2e-5 {
        true => 0.0,
        false => rounded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(left: &str, right: &str) -> f32 {
        let (left, right) = (vector(left, 1024), vector(right, 1024));
        left.iter().zip(&right).map(|(l, r)| l * r).sum::<f32>() / (NORM * NORM)
    }

    #[test]
    fn texts_with_common_words_are_near_each_other() {
        let near = cosine("Кошка спит на окне", "на окне спит кошка!");
        let far = cosine("Кошка спит на окне", "Курс доллара вырос");
        assert!(near > 0.95 && far < 0.3, "{near} {far}");
    }

    #[test]
    fn every_number_is_of_half_precision() {
        for value in vector("hello", 2560) {
            assert_eq!(value.to_bits() & 0x1fff, 0);
        }
    }
}
