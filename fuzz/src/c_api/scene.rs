//! What is open when the played program begins, so that short inputs reach far; and what keeps
//! it on this machine and fast: addresses, short time limits.

use std::ffi::CStr;
use std::ptr;

use gigachat_c::config::{
    gigachat_config_set, gigachat_config_set_base_url, gigachat_config_set_max_retries,
    gigachat_config_set_timeout_ms, gigachat_config_set_token_url, gigachat_config_set_verify_tls,
};
use gigachat_c::router_options::gigachat_router_options_set;

use super::world::World;
use super::{functions, service};

/// Texts that some function likes.
pub const TEXTS: [&str; 20] = [
    "",
    "prompt",
    "привет",
    "GIGACHAT_API_B2B",
    "GigaChat-2",
    "user",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stop\":[\"two\"],\"temperature\":0}",
    "{\"role\":\"assistant\",\"content\":\"a\"}",
    "{\"name\":\"weather\",\"parameters\":{}}",
    "{\"choices\":[{\"message\":{\"content\":\"c\"},\"finish_reason\":\"stop\"}]}",
    "[]",
    "response_format",
    "x-header",
    "round_robin",
    "fallback",
    "localhost",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "nul\0inside",
    "two",
];

/// Operations, paths, and what is neither.
pub const OPERATIONS: [&str; 16] = [
    "chat",
    "embeddings",
    "tokens_count",
    "models",
    "model",
    "health",
    "balance",
    "file_content",
    "functions_convert",
    "batch_create",
    "GET /balance?a=b",
    "POST /new/thing",
    "",
    "ballance",
    "GET http://elsewhere.example/",
    "POST /../x",
];

pub const FILES: [&str; 5] = ["/nowhere.pem", "/dev/null", "/", "", "a\0b"];

/// The canned service in its moods, a port that refuses, and what is no URL.
pub fn addresses() -> Vec<String> {
    let port = service::port();
    let mut all: Vec<String> = ["ok", "busy", "cut", "html"]
        .iter()
        .map(|mood| format!("http://127.0.0.1:{port}/{mood}"))
        .collect();
    let others = [
        "http://127.0.0.1:1/",
        "http://[::1]:1",
        "",
        "x",
        "http://u:p@localhost/",
        "http://",
    ];
    all.extend(others.map(str::to_owned));
    all
}

/// Names of options that lead nowhere else and open no file, names of none, and values for them.
pub const SETTINGS: [&str; 26] = [
    "name",
    "timeout",
    "scope",
    "access_token",
    "max_retries",
    "verify_tls",
    "verify_ssl_certs",
    "extra_headers",
    "russian_root_hosts",
    "log_content",
    "temperature",
    "stop",
    "session_id",
    "deadline",
    "strategy",
    "failures_to_cool",
    "timeot",
    "nul\0inside",
    "",
    "0.05",
    "2",
    "true",
    "-1",
    "X-A: b\nX-B: c",
    "random",
    "привет",
];

/// What the service answers comes in less than a millisecond, on a busy machine in a few.
const ANSWER: &CStr = c"0.02";
/// A place in a queue that nobody leaves never comes.
const QUEUE: &CStr = c"0.002";

/// Gives a configuration an address, a token and short limits; the program may change them.
pub fn tame(config: usize) {
    let config = ptr::without_provenance_mut(config);
    let address = format!("http://127.0.0.1:{}/ok", service::port());
    let (url, length) = (address.as_ptr().cast(), address.len());
    // SAFETY: texts with their lengths; the handle was just made; no error slot.
    unsafe {
        gigachat_config_set_base_url(config, url, length);
        gigachat_config_set_token_url(config, url, length);
        gigachat_config_set(
            config,
            c"access_token".as_ptr(),
            usize::MAX,
            c"ready".as_ptr(),
            usize::MAX,
        );
        gigachat_config_set_timeout_ms(config, 20);
        for (option, limit) in [
            (c"health_timeout", ANSWER),
            (c"idle_timeout", ANSWER),
            (c"queue_timeout", QUEUE),
        ] {
            gigachat_config_set(
                config,
                option.as_ptr(),
                usize::MAX,
                limit.as_ptr(),
                usize::MAX,
            );
        }
        gigachat_config_set_max_retries(config, 0);
        // The service is plain HTTP.
        gigachat_config_set_verify_tls(config, false);
    }
}

/// A router that waits for nobody.
pub fn tame_router(options: usize) {
    let options = ptr::without_provenance_mut(options);
    // SAFETY: the handle was just made; no error slot.
    unsafe {
        gigachat_router_options_set(
            options,
            c"deadline".as_ptr(),
            usize::MAX,
            ANSWER.as_ptr(),
            usize::MAX,
        );
        gigachat_router_options_set(
            options,
            c"max_cooldown_wait".as_ptr(),
            usize::MAX,
            c"0".as_ptr(),
            usize::MAX,
        );
    }
}

/// Opens what the bits say, each by calls with drawn arguments all of which are 0: the latest
/// handle, the first useful value.
pub fn open(scene: u8, world: &mut World<'_>) {
    const STEPS: [&[&str]; 8] = [
        &["config_new", "provider_new"],
        &[
            "custom_options_new",
            "custom_options_set_generate",
            "custom_options_set_stream",
            "custom_new",
        ],
        &["router_options_new", "router_new", "router_add"],
        &[
            "request_new",
            "request_set_json",
            "params_new",
            "cancel_new",
        ],
        &["queue_new"],
        &["generate_stream"],
        &["generate_start"],
        &["generate"],
    ];
    for (bit, steps) in STEPS.iter().enumerate() {
        if scene & (1 << bit) != 0 {
            steps.iter().for_each(|step| by_hand(step, world));
        }
    }
}

/// The arguments that make a step succeed; handles are the latest of their kind.
fn by_hand(step: &str, world: &mut World<'_>) {
    let arguments: &'static [u8] = match step {
        "custom_options_new" => &[1],
        "request_set_json" => &[0, 6],
        "router_add" => &[0, 1, 1, 1],
        "generate" | "generate_stream" | "generate_start" => &[0, 1, 0xF0, 0xF0],
        _ => &[],
    };
    let name = format!("gigachat_{step}");
    world.with_input(arguments, |world| functions::call_named(&name, world));
}
