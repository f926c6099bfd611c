//! Asks one question and prints the answer, in the blocking way.
//!
//! Reads GIGACHAT_CREDENTIALS and its kin from the environment; without an account:
//! `cargo run -p gigachat-emulator -- -- cargo run --example generate`.

use gigachat::{Client, Config, GigaChat, Request};

fn main() -> gigachat::Result<()> {
    let prompt = std::env::args().nth(1);
    let mut request = Request::prompt(prompt.as_deref().unwrap_or("What is Rust?"));
    request.params_mut().set_temperature(0.7)?;
    request.params_mut().set_max_tokens(500)?;

    let client = Client::new(GigaChat::new(Config::from_env()?)?);
    let answer = client.chat(request).join()?; // or .await, on any executor
    println!("{}", answer.text);
    println!(
        "[{}, {} tokens, finish reason {}]",
        answer.model,
        answer.usage.map_or(0, |usage| usage.total_tokens),
        answer.finish_reason
    );
    Ok(())
}
