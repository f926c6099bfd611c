//! Every function of the C ABI by its selector, called with arguments that are drawn from the
//! input.
//!
//! A selector is three bytes made from the function's name, so that inputs keep their meaning when
//! functions are added; any other selector, as a fuzzer draws it, means some function.
//!
//! The arguments follow from the types; what a function needs beyond them is in `Nature`. The
//! list is complete: a test compares it with the exported symbols.

use std::collections::HashMap;
use std::sync::OnceLock;

use gigachat_c::{
    call::*, cancel::*, config::*, error::*, event::*, log::*, own_provider::*, params::*,
    process::*, provider::*, queue::*, reply::*, request::*, response::*, router::*,
    router_options::*, status::*, stream::*, text_handle::*,
};

use super::arguments::Argument;
use super::outcome::Outcome;
use super::world::World;

macro_rules! functions {
    ($($call:ident: $($name:ident)*;)*) => {
        /// The names.
        pub const NAMES: &[&str] = &[$($(stringify!($name),)*)*];
        const CALLS: &[fn(&mut World<'_>)] = &[$($(|world| $call($name, world),)*)*];
    };
}

/// How many bytes say which function is called.
const SELECTOR: usize = 3;

/// A function's selector: FNV-1a of its name, cut to three bytes.
pub fn selector(name: &str) -> [u8; SELECTOR] {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let [low, middle, high, _] = hash.to_le_bytes();
    [low, middle, high]
}

/// The functions by their selectors.
fn known() -> &'static HashMap<[u8; SELECTOR], usize> {
    static KNOWN: OnceLock<HashMap<[u8; SELECTOR], usize>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let numbered = NAMES.iter().enumerate();
        let known: HashMap<_, _> = numbered.map(|(at, name)| (selector(name), at)).collect();
        assert_eq!(known.len(), NAMES.len(), "two functions with one selector");
        known
    })
}

/// The name of the function that the next bytes of an input mean, if there are enough of them.
fn meant(bytes: &[u8]) -> Option<usize> {
    let bytes: [u8; SELECTOR] = bytes.try_into().ok()?;
    let [low, middle, _] = bytes;
    let any = usize::from(u16::from_le_bytes([low, middle])) % NAMES.len();
    Some(known().get(&bytes).copied().unwrap_or(any))
}

/// Whether an input calls, by its selector, what wants the library's threads not to run yet, or
/// ends them.
pub fn wants_own_threads(input: &[u8]) -> bool {
    const FUNCTIONS: [&str; 4] = [
        "gigachat_set_io_threads",
        "gigachat_set_callback_stack_size",
        "gigachat_set_thread_hooks",
        "gigachat_shutdown",
    ];
    let wanted = FUNCTIONS.map(selector);
    let mut places = input.windows(SELECTOR);
    places.any(|bytes| wanted.iter().any(|selector| bytes == selector))
}

/// Calls the function that the input names next; false at the input's end.
pub fn call_next(world: &mut World<'_>) -> bool {
    let Some(number) = meant(world.bytes(SELECTOR)) else {
        return false;
    };
    call(number, world);
    true
}

/// Calls a function by its name.
pub fn call_named(name: &str, world: &mut World<'_>) {
    let number = NAMES.iter().position(|known| *known == name);
    call(number.expect("a function of the C ABI"), world);
}

fn call(number: usize, world: &mut World<'_>) {
    world.begin(NAMES[number]);
    CALLS[number](world);
    world.end();
}

macro_rules! arity {
    ($call:ident $($argument:ident)*) => {
        #[allow(non_snake_case, reason = "an argument is named like its type")]
        fn $call<$($argument: Argument,)* R: Outcome>(
            function: unsafe extern "C" fn($($argument),*) -> R,
            world: &mut World<'_>,
        ) {
            $(let $argument = $argument::draw(world);)*
            // SAFETY: drawn texts and out-parameters are what the header demands; handles may be
            // anything, which is what is tried here.
            let outcome = unsafe { function($($argument),*) };
            outcome.check(world);
        }
    };
}
arity!(call_0);
arity!(call_1 A);
arity!(call_2 A B);
arity!(call_3 A B C);
arity!(call_4 A B C D);
arity!(call_5 A B C D E);
arity!(call_6 A B C D E F);
arity!(call_7 A B C D E F G);

functions! {
    call_0:
        gigachat_version
        gigachat_version_number
        gigachat_abi_version
        gigachat_live_handles
    ;
    call_1:
        gigachat_call_free
        gigachat_cancel_free
        gigachat_config_free
        gigachat_error_status
        gigachat_error_http_status
        gigachat_error_service_code
        gigachat_error_retry_after_ms
        gigachat_error_retryable
        gigachat_error_attempts
        gigachat_error_free
        gigachat_event_kind
        gigachat_event_prompt_tokens
        gigachat_event_completion_tokens
        gigachat_event_total_tokens
        gigachat_event_precached_prompt_tokens
        gigachat_event_free
        gigachat_custom_options_free
        gigachat_params_free
        gigachat_provider_free
        gigachat_queue_free
        gigachat_reply_is_cancelled
        gigachat_reply_free
        gigachat_request_free
        gigachat_response_prompt_tokens
        gigachat_response_completion_tokens
        gigachat_response_total_tokens
        gigachat_response_precached_prompt_tokens
        gigachat_response_queue_us
        gigachat_response_token_us
        gigachat_response_first_byte_us
        gigachat_response_first_content_us
        gigachat_response_total_us
        gigachat_response_attempts
        gigachat_response_free
        gigachat_router_options_free
        gigachat_status_name
        gigachat_stream_free
        gigachat_text_free
    ;
    call_2:
        gigachat_call_cancel
        gigachat_cancel_new
        gigachat_cancel_now
        gigachat_config_new
        gigachat_config_from_env
        gigachat_error_message
        gigachat_error_kind
        gigachat_error_phase
        gigachat_error_request_id
        gigachat_error_partial_text
        gigachat_error_body
        gigachat_error_json
        gigachat_event_text
        gigachat_event_name
        gigachat_event_functions_state_id
        gigachat_params_new
        gigachat_set_io_threads
        gigachat_set_callback_stack_size
        gigachat_shutdown
        gigachat_queue_new
        gigachat_response_text
        gigachat_response_finish_reason
        gigachat_response_model
        gigachat_response_function_name
        gigachat_response_function_arguments
        gigachat_response_functions_state_id
        gigachat_response_request_id
        gigachat_response_session_id
        gigachat_router_options_new
        gigachat_stream_cancel
        gigachat_text_data
        gigachat_config_set_timeout_ms
        gigachat_config_set_max_retries
        gigachat_config_set_max_concurrency
        gigachat_config_set_verify_tls
        gigachat_params_set_temperature
        gigachat_params_set_max_tokens
        gigachat_custom_options_set_generate
        gigachat_custom_options_set_stream
        gigachat_custom_options_set_health_check
        gigachat_provider_from_env
        gigachat_request_set_params
        gigachat_request_add_response
        gigachat_response_body
        gigachat_response_content_type
    ;
    call_3:
        gigachat_call_wait
        gigachat_call_take
        gigachat_provider_new
        gigachat_queue_descriptor
        gigachat_queue_post
        gigachat_router_new
        gigachat_router_remove
        gigachat_router_metrics_json
        gigachat_router_prometheus
        gigachat_stream_response
        gigachat_config_set_authorization_key
        gigachat_config_set_scope
        gigachat_config_set_model
        gigachat_config_set_base_url
        gigachat_config_set_token_url
        gigachat_config_set_ca_bundle_file
        gigachat_config_set_proxy
        gigachat_request_add_message_json
        gigachat_request_add_function
        gigachat_request_set_json
        gigachat_request_add_text
        gigachat_response_call_name
        gigachat_response_call_arguments
        gigachat_response_count_at
        gigachat_response_vectors
    ;
    call_4:
        gigachat_request_new
        gigachat_call_attach
        gigachat_custom_options_new
        gigachat_set_thread_hooks
        gigachat_reply_finish_json
        gigachat_reply_push
        gigachat_stream_next
        gigachat_stream_attach
        gigachat_response_text_at
        gigachat_open
        gigachat_start
    ;
    call_5:
        gigachat_call_on_done
        gigachat_set_log_callback
        gigachat_custom_new
        gigachat_health_check
        gigachat_reply_on_cancel
        gigachat_config_set_user
        gigachat_config_set
        gigachat_params_set
        gigachat_router_options_set
        gigachat_request_add_message
        gigachat_request_add_function_result
        gigachat_request_add_result
        gigachat_request_set_field
        gigachat_request_set_header
        gigachat_request_set
        gigachat_request_set_path
        gigachat_request_set_query
        gigachat_request_set_bytes
        gigachat_perform
        gigachat_response_integer_at
        gigachat_response_number_at
        gigachat_stream_next_text
    ;
    call_6:
        gigachat_generate_start
        gigachat_provider_permits
        gigachat_queue_take
        gigachat_reply_finish
        gigachat_reply_fail
        gigachat_router_set_price
        gigachat_generate_stream
    ;
    call_7:
        gigachat_generate
        gigachat_router_add
    ;
}
