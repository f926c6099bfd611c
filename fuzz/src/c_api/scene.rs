//! What is open when the played program begins, so that short inputs reach far; and what keeps
//! it on this machine and fast: addresses, short time limits.

use std::ptr;

use gigachat_c::config::{
    gigachat_config_set_access_token, gigachat_config_set_base_url,
    gigachat_config_set_health_timeout_ms, gigachat_config_set_idle_timeout_ms,
    gigachat_config_set_max_retries, gigachat_config_set_queue_timeout_ms,
    gigachat_config_set_timeout_ms, gigachat_config_set_token_url,
};
use gigachat_c::config_tls::gigachat_config_set_verify_tls;
use gigachat_c::router_options::{
    gigachat_router_options_set_deadline_ms, gigachat_router_options_set_max_cooldown_wait_ms,
};

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

/// Gives a configuration an address, a token and short limits; the program may change them.
pub fn tame(config: usize) {
    let config = ptr::without_provenance_mut(config);
    let none = ptr::null_mut();
    let address = format!("http://127.0.0.1:{}/ok", service::port());
    let (url, length) = (address.as_ptr().cast(), address.len());
    // SAFETY: texts with their lengths; the handle was just made; no error slot.
    unsafe {
        gigachat_config_set_base_url(config, url, length, none);
        gigachat_config_set_token_url(config, url, length, none);
        gigachat_config_set_access_token(config, c"ready".as_ptr(), 5, none);
        gigachat_config_set_timeout_ms(config, 100, none);
        gigachat_config_set_health_timeout_ms(config, 100, none);
        gigachat_config_set_idle_timeout_ms(config, 100, none);
        gigachat_config_set_queue_timeout_ms(config, 100, none);
        gigachat_config_set_max_retries(config, 0, none);
        // The service is plain HTTP; reading the system's roots would take most of the time.
        gigachat_config_set_verify_tls(config, false, none);
    }
}

/// A router that waits for nobody.
pub fn tame_router(options: usize) {
    let options = ptr::without_provenance_mut(options);
    let none = ptr::null_mut();
    // SAFETY: the handle was just made; no error slot.
    unsafe {
        gigachat_router_options_set_deadline_ms(options, 100, none);
        gigachat_router_options_set_max_cooldown_wait_ms(options, 0, none);
    }
}

/// Opens what the bits say, each by calls with drawn arguments all of which are 0: the latest
/// handle, the first useful value.
pub fn open(scene: u8, world: &mut World<'_>) {
    const STEPS: [&[&str]; 8] = [
        &["config_new", "provider_new"],
        &[
            "own_provider_new",
            "own_provider_set_generate",
            "own_provider_set_stream",
            "own_provider_build",
        ],
        &["router_options_new", "router_new", "router_add"],
        &["request_from_json", "params_new", "cancel_new"],
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
        "own_provider_new" => &[1],
        "request_from_json" => &[6],
        "router_add" => &[0, 1, 1, 1],
        "generate" | "generate_stream" | "generate_start" => &[0, 1, 0xF0, 0xF0],
        _ => &[],
    };
    let name = format!("gigachat_{step}");
    world.with_input(arguments, |world| functions::call_named(&name, world));
}
