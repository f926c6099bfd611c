//! Arguments by type. A handle is mostly one of its type, often the latest; sometimes a dead one,
//! one of another type, NULL or garbage. A text is a useful one, raw bytes or a misuse that the
//! header allows.

use std::ffi::{c_char, c_void};
use std::ptr;

use gigachat_c::call::{gigachat_call, gigachat_call_callback, gigachat_call_free};
use gigachat_c::cancel::{gigachat_cancel, gigachat_cancel_free};
use gigachat_c::config::{gigachat_config, gigachat_config_free};
use gigachat_c::error::{gigachat_error, gigachat_error_free};
use gigachat_c::event::{gigachat_event, gigachat_event_free};
use gigachat_c::log::gigachat_log_callback;
use gigachat_c::own_provider::{
    gigachat_custom_callback, gigachat_custom_options, gigachat_custom_options_free,
};
use gigachat_c::params::{gigachat_params, gigachat_params_free};
use gigachat_c::provider::{gigachat_provider, gigachat_provider_free};
use gigachat_c::queue::{gigachat_queue, gigachat_queue_free};
use gigachat_c::reply::{gigachat_reply, gigachat_reply_free};
use gigachat_c::request::{gigachat_request, gigachat_request_free};
use gigachat_c::response::{gigachat_response, gigachat_response_free};
use gigachat_c::router_options::{gigachat_router_options, gigachat_router_options_free};
use gigachat_c::stream::{gigachat_stream, gigachat_stream_free};
use gigachat_c::text_handle::{gigachat_text, gigachat_text_free};

use super::world::{Nature, PATIENCE, World};
use super::{scene, witness};

/// A parameter's type.
pub trait Argument: Sized {
    fn draw(world: &mut World<'_>) -> Self;
}

macro_rules! kinds {
    ($($kind:ident $opaque:ident $free:ident;)*) => {
        /// The type of a handle.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($kind,)*
        }

        /// Frees a handle, whether it lives or not.
        pub fn free(kind: Kind, word: usize) {
            match kind {
                // SAFETY: a handle is a word that may be anything.
                $(Kind::$kind => unsafe { $free(ptr::without_provenance_mut(word)) },)*
            }
        }

        $(
            impl Argument for *const $opaque {
                fn draw(world: &mut World<'_>) -> Self {
                    ptr::without_provenance(handle(Kind::$kind, world))
                }
            }
            impl Argument for *mut $opaque {
                fn draw(world: &mut World<'_>) -> Self {
                    ptr::without_provenance_mut(handle(Kind::$kind, world))
                }
            }
            impl Argument for *mut *mut $opaque {
                fn draw(world: &mut World<'_>) -> Self {
                    // The error slot is optional, the others are not.
                    match Kind::$kind != Kind::Error && world.byte() == 0xFF {
                        true => ptr::null_mut(),
                        false => world.handle_slot(Kind::$kind).cast(),
                    }
                }
            }
        )*
    };
}

kinds! {
    Call gigachat_call gigachat_call_free;
    Cancel gigachat_cancel gigachat_cancel_free;
    Config gigachat_config gigachat_config_free;
    Error gigachat_error gigachat_error_free;
    Event gigachat_event gigachat_event_free;
    OwnProvider gigachat_custom_options gigachat_custom_options_free;
    Params gigachat_params gigachat_params_free;
    Provider gigachat_provider gigachat_provider_free;
    Queue gigachat_queue gigachat_queue_free;
    Reply gigachat_reply gigachat_reply_free;
    Request gigachat_request gigachat_request_free;
    Response gigachat_response gigachat_response_free;
    RouterOptions gigachat_router_options gigachat_router_options_free;
    Stream gigachat_stream gigachat_stream_free;
    Text gigachat_text gigachat_text_free;
}

fn handle(kind: Kind, world: &mut World<'_>) -> usize {
    let word = match world.byte() {
        number @ 0..=0xDF => world.known(kind, number).unwrap_or(0),
        0xE0..=0xEF => {
            let number = world.byte();
            world.any(number)
        }
        0xF0..=0xF3 => 0,
        // A handle with one bit changed: another type, another reuse, another slot.
        bit @ 0xF4..=0xF9 => world.known(kind, 0).unwrap_or(7) ^ (1 << ((bit - 0xF4) * 11)),
        _ => {
            let mut word = [0; 8];
            let bytes = world.bytes(8);
            word[..bytes.len()].copy_from_slice(bytes);
            usize::from_le_bytes(word)
        }
    };
    match word == 0 && world.nature == Nature::Router {
        true => 1,
        false => word,
    }
}

impl Argument for *const c_char {
    fn draw(world: &mut World<'_>) -> Self {
        let selector = world.byte();
        let useful = match world.nature {
            Nature::Address => Some(scene::addresses()),
            Nature::Setting => Some(scene::SETTINGS.map(str::to_owned).to_vec()),
            Nature::File => Some(scene::FILES.map(str::to_owned).to_vec()),
            Nature::Operation => Some(scene::OPERATIONS.map(str::to_owned).to_vec()),
            _ if selector < 0xA0 => Some(scene::TEXTS.map(str::to_owned).to_vec()),
            _ => None,
        };
        let (bytes, length) = match (useful, selector) {
            (Some(texts), _) => {
                let text = texts[usize::from(selector) % texts.len()]
                    .clone()
                    .into_bytes();
                let length = text.len();
                (text, length)
            }
            (None, 0xA0..=0xCF) => {
                let text = world.bytes(usize::from(selector - 0xA0)).to_vec();
                let length = text.len();
                (text, length)
            }
            (None, 0xD0..=0xEF) => {
                let mut text = world.bytes(usize::from(selector - 0xD0)).to_vec();
                text.push(0);
                (text, usize::MAX)
            }
            (None, 0xF0..=0xF3) => (vec![b'x'], usize::MAX - 1),
            (None, 0xF4..=0xF7) => (vec![b'x'], usize::MAX / 2 + 1),
            (None, last) => {
                world.pending_length = Some(usize::from(last - 0xF8));
                return ptr::null();
            }
        };
        world.pending_length = Some(length);
        // A buffer of exactly this size: a read beyond it is noticed.
        world.keep_text(bytes.into_boxed_slice()).cast()
    }
}

impl Argument for *const c_void {
    /// Bytes of a body, with their number.
    fn draw(world: &mut World<'_>) -> Self {
        let count = usize::from(world.byte());
        let bytes: Box<[u8]> = world.bytes(count).into();
        world.pending_length = Some(bytes.len());
        world.keep_text(bytes).cast()
    }
}

impl Argument for *mut *const c_char {
    fn draw(world: &mut World<'_>) -> Self {
        match world.byte() >= 0xE0 {
            true => ptr::null_mut(),
            false => world.number_slot().cast(),
        }
    }
}

impl Argument for *mut f64 {
    fn draw(world: &mut World<'_>) -> Self {
        match world.byte() >= 0xE0 {
            true => ptr::null_mut(),
            false => world.number_slot().cast(),
        }
    }
}

impl Argument for usize {
    fn draw(world: &mut World<'_>) -> Self {
        const SIZES: [usize; 9] = [0, 1, 2, 3, 65, 4096, 65_536, 1 << 20, usize::MAX];
        match world.pending_length.take() {
            Some(length) => length,
            None => SIZES[usize::from(world.byte()) % SIZES.len()],
        }
    }
}

impl Argument for u64 {
    /// Times are short or refused; tags and member ids are anything.
    fn draw(world: &mut World<'_>) -> Self {
        const NUMBERS: [u64; 8] = [1, 2, 5, 20, 0, 100, 1 << 40, u64::MAX];
        let number = NUMBERS[usize::from(world.byte()) % NUMBERS.len()];
        match world.nature {
            Nature::Ends => PATIENCE.as_millis() as u64,
            _ => number,
        }
    }
}

impl Argument for i64 {
    fn draw(world: &mut World<'_>) -> Self {
        const LIMITS: [i64; 6] = [0, 1, 5, -1, i64::MIN, i64::MAX];
        let limit = LIMITS[usize::from(world.byte()) % LIMITS.len()];
        // What waits for ever waits for what this thread would have to do; and most waits are
        // for what never comes: they would take most of the time.
        match world.nature {
            Nature::Waits => limit.clamp(0, 2),
            _ => limit,
        }
    }
}

impl Argument for u32 {
    fn draw(world: &mut World<'_>) -> Self {
        const NUMBERS: [u32; 6] = [0, 1, 2, 10, 1000, u32::MAX];
        NUMBERS[usize::from(world.byte()) % NUMBERS.len()]
    }
}

impl Argument for i32 {
    fn draw(world: &mut World<'_>) -> Self {
        i32::from(world.byte()) - 2
    }
}

impl Argument for bool {
    fn draw(world: &mut World<'_>) -> Self {
        world.byte() % 2 == 1
    }
}

impl Argument for f64 {
    fn draw(world: &mut World<'_>) -> Self {
        const NUMBERS: [f64; 8] = [0.5, 0.0, 1.0, -1.0, 1e308, f64::NAN, f64::INFINITY, -0.0];
        NUMBERS[usize::from(world.byte()) % NUMBERS.len()]
    }
}

impl Argument for *mut usize {
    /// Lengths may be left out; counts may not, which is refused.
    fn draw(world: &mut World<'_>) -> Self {
        if world.byte() >= 0xE0 {
            return ptr::null_mut();
        }
        let slot = world.number_slot();
        world.told_length = Some(world.last_number());
        slot.cast()
    }
}

impl Argument for *mut u64 {
    fn draw(world: &mut World<'_>) -> Self {
        if world.byte() >= 0xE0 {
            return ptr::null_mut();
        }
        world.pending_length = Some(8);
        world.number_slot()
    }
}

impl Argument for *mut u32 {
    fn draw(world: &mut World<'_>) -> Self {
        match world.byte() >= 0xE0 {
            true => ptr::null_mut(),
            false => world.number_slot().cast(),
        }
    }
}

impl Argument for *mut i64 {
    fn draw(world: &mut World<'_>) -> Self {
        match world.byte() >= 0xE0 {
            true => ptr::null_mut(),
            false => world.number_slot().cast(),
        }
    }
}

impl Argument for *mut c_void {
    /// User data. Callbacks before it and the hook after it belong to the same registration.
    fn draw(world: &mut World<'_>) -> Self {
        let mode = world.byte();
        let data = witness::register(mode);
        if world.calls_back_once() {
            witness::promise_one_call();
        }
        data
    }
}

macro_rules! callbacks {
    ($($callback:ty => $function:ident;)*) => {
        $(impl Argument for $callback {
            fn draw(world: &mut World<'_>) -> Self {
                (world.byte() < 0xE0).then_some(witness::$function as _)
            }
        })*
    };
}
callbacks! {
    gigachat_call_callback => done;
    gigachat_log_callback => log;
    gigachat_custom_callback => own;
}

/// Destroy hooks, functions for a reply's cancellation and thread hooks have one type.
impl Argument for Option<unsafe extern "C" fn(*mut c_void)> {
    fn draw(world: &mut World<'_>) -> Self {
        if world.byte() >= 0xE0 {
            return None;
        }
        if world.takes_thread_hooks() {
            return Some(witness::thread_event);
        }
        Some(if witness::is_open() {
            witness::promise_destroy();
            witness::destroy
        } else {
            witness::cancelled
        })
    }
}
