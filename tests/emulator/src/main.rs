//! `gigachat-emulator`: the emulator as a program of its own, or around another program.
//!
//! It prints what to export and serves until it is interrupted; behind `--` it runs a command with these
//! variables set and leaves with its status.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gigachat_emulator::{CLIENT_KEY_PASSWORD, Emulator, Options, TlsVariant};

const USAGE: &str = "\
usage: gigachat-emulator [options] [-- command [argument...]]
  --http-port N     plain HTTP and the control endpoints (default: any free port)
  --https-port N    TLS, the API
  --oauth-port N    TLS, tokens
  --mtls-port N     TLS with client certificates
  --dir PATH        where ca.pem, client.pem and client.key go (default: a new temporary folder)
  --env-file PATH   write the exports there once it listens
  --concurrency N   generations in flight per key, 0 = any number (default: 1 for PERS, 10 for others)
  --threads N       threads that serve (default 1)
  --http1-only      the exported API URL offers HTTP/1.1 alone
  --strict-schemas  the schema of a function must name a type at every level
  --most-streams N  streams that a client may have open on one HTTP/2 connection
  --no-record       do not keep the requests
  --no-rate-limit   any number of token requests per second
  --quiet           print nothing";

struct Arguments {
    options: Options,
    dir: Option<PathBuf>,
    env_file: Option<PathBuf>,
    http1_only: bool,
    quiet: bool,
    help: bool,
    command: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = match parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    if arguments.help {
        println!("The GigaChat service on loopback.\n{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gigachat-emulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut words = words;
    let mut arguments = Arguments {
        options: Options::default(),
        dir: None,
        env_file: None,
        http1_only: false,
        quiet: false,
        help: false,
        command: Vec::new(),
    };
    while let Some(word) = words.next() {
        let options = &mut arguments.options;
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--http-port" => options.http_port = number(&value()?)?,
            "--https-port" => options.https_port = number(&value()?)?,
            "--oauth-port" => options.oauth_port = number(&value()?)?,
            "--mtls-port" => options.mtls_port = number(&value()?)?,
            "--concurrency" => options.concurrency = Some(number(&value()?)?),
            "--threads" => options.threads = number(&value()?)?,
            "--http1-only" => arguments.http1_only = true,
            "--strict-schemas" => options.strict_schemas = true,
            "--most-streams" => options.most_streams = Some(number(&value()?)?),
            "--no-record" => options.record = false,
            "--no-rate-limit" => options.token_rate_limit = false,
            "--dir" => arguments.dir = Some(value()?.into()),
            "--env-file" => arguments.env_file = Some(value()?.into()),
            "--quiet" => arguments.quiet = true,
            "--" => arguments.command = words.by_ref().collect(),
            "--help" | "-h" => arguments.help = true,
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(arguments)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a number that fits here"))
}

fn run(arguments: Arguments) -> std::io::Result<ExitCode> {
    let emulator = Emulator::start(arguments.options)?;
    let folder = Folder::at(arguments.dir)?;
    let mut variables = write_files(&emulator, &folder.path)?;
    if arguments.http1_only {
        let base_url = emulator.tls_variant_base_url(TlsVariant::Http1Only)?;
        variables.retain(|(name, _)| *name != "GIGACHAT_BASE_URL");
        variables.push(("GIGACHAT_BASE_URL", base_url));
    }
    let mut exports = String::new();
    for (name, value) in &variables {
        // Writing to a String does not fail.
        let _ = writeln!(exports, "export {name}='{}'", value.replace('\'', r"'\''"));
    }
    if let Some(path) = &arguments.env_file {
        write_whole(path, &exports)?;
    }
    if let Some((program, rest)) = arguments.command.split_first() {
        return around(program, rest, &variables);
    }
    if !arguments.quiet {
        print!("{exports}");
        std::io::stdout().flush()?;
    }
    interrupted(&emulator)?;
    Ok(ExitCode::SUCCESS)
}

/// Listeners that are wrong, or different, in one way; each serves tokens too.
const TLS_VARIANTS: [(&str, TlsVariant); 4] = [
    ("GIGACHAT_EMULATOR_HTTP1_BASE_URL", TlsVariant::Http1Only),
    (
        "GIGACHAT_EMULATOR_WRONG_HOST_BASE_URL",
        TlsVariant::WrongHost,
    ),
    ("GIGACHAT_EMULATOR_EXPIRED_BASE_URL", TlsVariant::Expired),
    (
        "GIGACHAT_EMULATOR_UNKNOWN_ROOT_BASE_URL",
        TlsVariant::UnknownRoot,
    ),
];

/// Writes certificates and keys, and returns the variables that point at everything.
fn write_files(emulator: &Emulator, dir: &Path) -> std::io::Result<Vec<(&'static str, String)>> {
    let (server_certificate, server_key) = emulator.server_identity_pem()?;
    let files = [
        ("GIGACHAT_CA_BUNDLE_FILE", "ca.pem", emulator.ca_pem()),
        (
            "GIGACHAT_EMULATOR_CLIENT_CERT_FILE",
            "client.pem",
            emulator.client_cert_pem(),
        ),
        (
            "GIGACHAT_EMULATOR_CLIENT_KEY_FILE",
            "client.key",
            emulator.client_key_pem(),
        ),
        (
            "GIGACHAT_EMULATOR_CLIENT_KEY_ENCRYPTED_FILE",
            "client-encrypted.key",
            emulator.client_key_encrypted_pem(),
        ),
        (
            "GIGACHAT_EMULATOR_SERVER_CERT_FILE",
            "server.pem",
            &server_certificate,
        ),
        (
            "GIGACHAT_EMULATOR_SERVER_KEY_FILE",
            "server.key",
            &server_key,
        ),
    ];
    let mut variables = vec![
        ("GIGACHAT_BASE_URL", emulator.base_url()),
        ("GIGACHAT_AUTH_URL", emulator.token_url()),
        ("GIGACHAT_CREDENTIALS", emulator.authorization_key()),
        ("GIGACHAT_SCOPE", "GIGACHAT_API_PERS".to_owned()),
        ("GIGACHAT_EMULATOR_CONTROL", emulator.control_url()),
        ("GIGACHAT_EMULATOR_MTLS_BASE_URL", emulator.mtls_base_url()),
        ("GIGACHAT_EMULATOR_MTLS_AUTH_URL", emulator.mtls_token_url()),
        (
            "GIGACHAT_EMULATOR_CLIENT_KEY_PASSWORD",
            CLIENT_KEY_PASSWORD.to_owned(),
        ),
        ("GIGACHAT_EMULATOR_USER", emulator.user().to_owned()),
        ("GIGACHAT_EMULATOR_PASSWORD", emulator.password().to_owned()),
        (
            "GIGACHAT_EMULATOR_CREDENTIALS_B2B",
            emulator.authorization_key_for("GIGACHAT_API_B2B", "emulator-b2b"),
        ),
        (
            "GIGACHAT_EMULATOR_CREDENTIALS_CORP",
            emulator.authorization_key_for("GIGACHAT_API_CORP", "emulator-corp"),
        ),
    ];
    for (variable, variant) in TLS_VARIANTS {
        let base_url = emulator.tls_variant_base_url(variant)?;
        variables.push((variable, base_url));
    }
    for (variable, name, contents) in files {
        let path = dir.join(name);
        std::fs::write(&path, contents)?;
        variables.push((variable, path.display().to_string()));
    }
    Ok(variables)
}

/// Whoever waits for the file finds it complete.
fn write_whole(path: &Path, contents: &str) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    std::fs::write(&unfinished, contents)?;
    std::fs::rename(&unfinished, path)
}

/// Runs the command in the emulator's care; its status is ours.
fn around(
    program: &str,
    arguments: &[String],
    variables: &[(&'static str, String)],
) -> std::io::Result<ExitCode> {
    signals()?.block_on(async {
        let mut child = tokio::process::Command::new(program)
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .spawn()?;
        let status = tokio::select! {
            status = child.wait() => status?,
            () = interrupted_from_keyboard_only() => child.wait().await?,
            terminated = terminated() => {
                terminated?;
                child.kill().await?;
                child.wait().await?
            }
        };
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    })
}

/// An interrupt from the keyboard reaches the command too: it decides, and we do not end before it.
async fn interrupted_from_keyboard_only() {
    while tokio::signal::ctrl_c().await.is_ok() {}
}

#[cfg(unix)]
async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> std::io::Result<()> {
    std::future::pending().await
}

/// Serves until it is interrupted or terminated; a hang-up is a restart of the service.
fn interrupted(emulator: &Emulator) -> std::io::Result<()> {
    signals()?.block_on(async {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            terminated = terminated() => terminated,
            failed = restarts(emulator) => failed,
        }
    })
}

/// How long a restarting service is away.
#[cfg(unix)]
const RESTART: std::time::Duration = std::time::Duration::from_millis(150);

/// On each SIGHUP every connection breaks and every port refuses, for a moment.
#[cfg(unix)]
async fn restarts(emulator: &Emulator) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hang_ups = signal(SignalKind::hangup())?;
    while hang_ups.recv().await.is_some() {
        emulator.kill();
        tokio::time::sleep(RESTART).await;
        emulator.restart_listener()?;
    }
    std::future::pending().await
}

#[cfg(not(unix))]
async fn restarts(_: &Emulator) -> std::io::Result<()> {
    std::future::pending().await
}

fn signals() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// Where the files are; a folder that we made ourselves goes with us.
struct Folder {
    path: PathBuf,
    ours: bool,
}

impl Folder {
    fn at(dir: Option<PathBuf>) -> std::io::Result<Folder> {
        let ours = dir.is_none();
        let path = dir.unwrap_or_else(|| {
            let name = format!("gigachat-emulator-{}", uuid::Uuid::new_v4());
            std::env::temp_dir().join(name)
        });
        std::fs::create_dir_all(&path)?;
        let path = path.canonicalize()?;
        Ok(Folder { path, ours })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.ours {
            // Best effort: it is a temporary folder.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
