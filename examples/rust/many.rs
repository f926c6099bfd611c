//! Answers many prompts, one a line, with a window of calls in flight, into a file that survives
//! `kill -9`: run it again and it goes on where it was. What the lines look like and which errors end
//! the job is the program's business; the loop is short enough to be one's own.
//!
//! ```sh
//! many prompts.txt answers.jsonl
//! ```
//!
//! Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.rs.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::sync::mpsc::{Sender, channel};

use gigachat::{Call, Client, Config, ErrorKind, GigaChat, Response};
use serde_json::{Value, json};

/// Twice the permits of a company, so that none is ever idle.
const WINDOW: usize = 20;

/// The rows that the file has an answer of. A torn last line is cut off.
fn answered(path: &str) -> io::Result<(HashSet<usize>, File)> {
    let text = fs::read_to_string(path).or_else(|why| match why.kind() {
        io::ErrorKind::NotFound => Ok(String::new()),
        _ => Err(why),
    })?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let lines = text[..whole]
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let done = lines
        .filter(|line: &Value| line["error"].is_null())
        .filter_map(|line| Some(line["row"].as_u64()? as usize))
        .collect();
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    file.set_len(whole as u64)?;
    Ok((done, file))
}

/// Starts a call whose end is told by its row's number.
fn start(client: &Client, row: usize, prompt: &str, ended: &Sender<usize>) -> Call<Response> {
    let call = client.generate(prompt);
    let ended = ended.clone();
    let _ = call.on_done(Box::new(move |_| ended.send(row).unwrap_or_default()));
    call
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, prompts, answers] = &arguments[..] else {
        return Err("usage: many prompts.txt answers.jsonl".into());
    };
    let client = Client::new(GigaChat::new(Config::from_env()?)?);
    let (done, mut answers) = answered(answers)?;
    let mut prompts = BufReader::new(File::open(prompts)?)
        .lines()
        .enumerate()
        .filter(|(row, _)| !done.contains(row));
    let (ended, next_ended) = channel();
    let mut calls = HashMap::new();
    loop {
        while calls.len() < WINDOW {
            let Some((row, prompt)) = prompts.next() else {
                break;
            };
            calls.insert(row, start(&client, row, &prompt?, &ended));
        }
        if calls.is_empty() {
            return Ok(());
        }
        let row = next_ended.recv()?;
        let line = match calls.remove(&row).map(Call::join) {
            None => continue,
            Some(Ok(answer)) => json!({"row": row, "text": answer.text, "error": null}),
            Some(Err(why)) => match why.kind() {
                // No other row would fare better.
                ErrorKind::Authentication
                | ErrorKind::PaymentRequired
                | ErrorKind::PermissionDenied
                | ErrorKind::Configuration => return Err(why.into()),
                _ => json!({"row": row, "text": null, "error": why.to_string()}),
            },
        };
        answers.write_all(format!("{line}\n").as_bytes())?;
    }
}
