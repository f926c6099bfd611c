//! Lets the model call a function of the program's, and prints what it makes of the result.
//!
//! The same in either of the service's chats: GIGACHAT_API_VERSION is 1 or 2.

use gigachat::{Client, Config, GigaChat, Request};

const WEATHER: &str = r#"{"name": "weather", "description": "The weather in a city", "parameters": {"type": "object",
    "properties": {"city": {"type": "string"}}, "required": ["city"]}}"#;

/// Takes its arguments as JSON and gives its result as JSON.
fn call(name: &str, arguments: &str) -> &'static str {
    println!("[{name} {arguments}]");
    match name {
        "weather" => r#"{"degrees": -9}"#,
        _ => r#"{"error": "no such function"}"#,
    }
}

fn main() -> gigachat::Result<()> {
    let client = Client::new(GigaChat::new(Config::from_env()?)?);
    let mut request = Request::prompt("What is the weather in Omsk?");
    request.add_function(WEATHER)?;
    for _round in 0..8 {
        let answer = client.chat(request.clone()).join()?;
        if answer.function_calls.is_empty() {
            println!("{}", answer.text);
            break;
        }
        request.add_response(&answer);
        for asked in &answer.function_calls {
            request.add_result(asked, call(&asked.name, &asked.arguments))?;
        }
    }
    Ok(())
}
