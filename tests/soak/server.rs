//! The emulator in a process of its own, so that its memory, descriptors and threads are not ours: the same
//! program, run with the word `serve`, told what to do by lines on its standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gigachat_emulator::{Action, Emulator, Endpoint, Fault, Options, TlsVariant};
use serde_json::{Value, json};

use crate::plan::{LANES, Lane};

/// The other process. It ends when its input does.
pub struct Server {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    hello: Value,
}

/// What the emulator has seen since it was last asked.
pub struct News {
    pub calls: Vec<(u64, u32)>,
    pub token_requests: u64,
}

impl Server {
    pub fn start() -> std::io::Result<Server> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child.stdin.take();
        let stdout = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let mut answers = BufReader::new(stdout);
        let hello = read(&mut answers)?;
        Ok(Server {
            child,
            commands,
            answers,
            hello,
        })
    }

    fn word(&self, name: &str) -> &str {
        self.hello[name].as_str().unwrap_or_default()
    }

    pub fn base_url(&self, lane: Lane) -> &str {
        self.word(&format!("{lane:?}"))
    }

    /// `host:port` of a lane's API.
    pub fn host(&self, lane: Lane) -> String {
        let url = self.base_url(lane).trim_start_matches("https://");
        url.split('/').next().unwrap_or_default().to_owned()
    }

    pub fn key(&self, lane: Lane) -> &str {
        self.word(&format!("key {lane:?}"))
    }

    pub fn token_url(&self) -> &str {
        self.word("token_url")
    }

    pub fn ca_pem(&self) -> &str {
        self.word("ca")
    }

    fn ask(&mut self, command: &str) -> std::io::Result<Value> {
        let commands = self
            .commands
            .as_mut()
            .ok_or(std::io::ErrorKind::BrokenPipe)?;
        writeln!(commands, "{command}")?;
        read(&mut self.answers)
    }

    /// Expires all tokens and puts faults in force that any request may meet: token requests and, so many,
    /// generations.
    pub fn upset(&mut self, generations: u64) -> std::io::Result<()> {
        self.ask(&format!("upset {generations}")).map(drop)
    }

    /// Closes all connections.
    pub fn close_connections(&mut self) -> std::io::Result<()> {
        self.ask("close").map(drop)
    }

    pub fn news(&mut self) -> std::io::Result<News> {
        let news = self.ask("news")?;
        let number = |name: &str| news[name].as_u64().unwrap_or(u64::MAX);
        Ok(News {
            calls: serde_json::from_value(news["calls"].clone())?,
            token_requests: number("token_requests"),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.child.wait();
    }
}

fn read(answers: &mut BufReader<ChildStdout>) -> std::io::Result<Value> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// The other process itself.
pub fn serve() -> std::io::Result<()> {
    let emulator = Emulator::start(Options {
        concurrency: Some(0),
        token_rate_limit: false,
        record: false,
        ..Options::default()
    })?;
    let mut hello = json!({"token_url": emulator.token_url().replace("localhost", "127.0.0.1"), "ca": emulator.ca_pem()});
    for lane in LANES {
        let url = match lane {
            Lane::Http1 => emulator.tls_variant_base_url(TlsVariant::Http1Only)?,
            Lane::Http2 => emulator.base_url(),
            Lane::Rough => emulator.tls_variant_base_url(TlsVariant::Tls12Only)?,
        };
        let name = format!("{lane:?}");
        hello[format!("key {name}")] = emulator
            .authorization_key_for("GIGACHAT_API_CORP", &name)
            .into();
        // An address needs no resolver, whose threads come and go.
        hello[name] = url.replace("localhost", "127.0.0.1").into();
    }
    println!("{hello}");
    for line in std::io::stdin().lines() {
        println!("{}", obey(&emulator, &line?));
    }
    Ok(())
}

fn obey(emulator: &Emulator, command: &str) -> Value {
    match command.split_once(' ').unwrap_or((command, "")) {
        ("upset", generations) => {
            emulator.revoke_tokens();
            let refused = Action::status(503).with_header("retry-after-ms", "1");
            emulator
                .faults()
                .add(Fault::new(Endpoint::Token, refused.clone()));
            let times = generations.parse().unwrap_or(1);
            emulator
                .faults()
                .add(Fault::new(Endpoint::Generation, refused).times(times));
            json!({})
        }
        ("close", _) => {
            emulator.close_connections();
            json!({})
        }
        _ => {
            let calls: Vec<(u64, u32)> = emulator.take_tally().into_iter().collect();
            let token_requests = emulator.counters().token_requests;
            json!({"calls": calls, "token_requests": token_requests})
        }
    }
}
