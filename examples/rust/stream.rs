//! Prints an answer while it is being written: a stream, read event by event.
//!
//! Reads GIGACHAT_CREDENTIALS and its kin from the environment, see generate.rs.

use std::io::Write;

use gigachat::{Client, Config, GigaChat, Next, Request, StreamEvent};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let prompt = std::env::args().nth(1);
    let request = Request::prompt(prompt.as_deref().unwrap_or("Count to 20"));

    let client = Client::new(GigaChat::new(Config::from_env()?)?);
    let stream = client.stream(request)?;
    while let Next::Event(event) = stream.next(None)? {
        match event {
            StreamEvent::Text(text) => {
                print!("{text}");
                std::io::stdout().flush()?;
            }
            StreamEvent::Usage(usage) => println!("\n[{} tokens]", usage.total_tokens),
            _ => {} // reasoning, function calls, progress, files
        }
    }
    Ok(())
}
