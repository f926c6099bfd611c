//! What the played program has: the input still to be read, every handle it ever saw, and room
//! for out-parameters. Handles stay listed after their end: they are the dead ones.

use std::time::{Duration, Instant};

use gigachat_c::process::{gigachat_live_handles, gigachat_shutdown};
use gigachat_c::status::{GIGACHAT_ERROR_INTERNAL, GIGACHAT_OK};

use super::arguments::{Kind, free};
use super::witness;

/// What a slot holds that the library was to overwrite.
const UNTOUCHED: usize = 0xAAAA_AAAA_AAAA_AAAA;
/// What a call ends with when its own provider gives no answer.
const REPLY_FORGOTTEN: &str = "freed its reply without an answer";
/// How long this thread leaves the processor to those it waits for.
const MOMENT: Duration = Duration::from_micros(50);
/// Threads end, callbacks run: within this, or it counts as a hang.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How a function's arguments are drawn beyond what their types say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Nothing special.
    Plain,
    /// Waits as long as its time limit says.
    Waits,
    /// Returns when the request is answered: own providers answer at once meanwhile.
    Blocks,
    /// Its text is where requests go: this machine only.
    Address,
    /// Its texts are an option's name and value: none that leads elsewhere or opens a file.
    Setting,
    /// Its text is a file that is opened later: not a device.
    File,
    /// Its text is what is asked for.
    Operation,
    /// Its result is a configuration: with short time limits and this machine's addresses.
    Configuration,
    /// Ends the library: with time enough, since what is left behind otherwise is leaked, as the
    /// header says, and leaks are looked for here.
    Ends,
    /// Makes a router: not without options, whose waits are long by default.
    Router,
}

fn nature(name: &str) -> Nature {
    match name {
        "gigachat_call_wait"
        | "gigachat_stream_next"
        | "gigachat_stream_next_text"
        | "gigachat_queue_take" => Nature::Waits,
        "gigachat_generate" | "gigachat_perform" | "gigachat_health_check" => Nature::Blocks,
        "gigachat_request_new" => Nature::Operation,
        "gigachat_config_set_base_url"
        | "gigachat_config_set_token_url"
        | "gigachat_config_set_proxy" => Nature::Address,
        "gigachat_config_set"
        | "gigachat_params_set"
        | "gigachat_request_set"
        | "gigachat_router_options_set" => Nature::Setting,
        "gigachat_config_new" | "gigachat_config_from_env" => Nature::Configuration,
        "gigachat_shutdown" => Nature::Ends,
        "gigachat_router_new" => Nature::Router,
        _ if name.starts_with("gigachat_config_set_") && name.ends_with("_file") => Nature::File,
        _ => Nature::Plain,
    }
}

/// The played program's memory.
#[allow(
    clippy::vec_box,
    reason = "an out-parameter keeps its address while more are added"
)]
pub struct World<'a> {
    input: &'a [u8],
    handles: Vec<(Kind, usize)>,
    /// Where handles are written, with their kinds; numbers and room for tags.
    slots: Vec<Box<(Kind, usize)>>,
    numbers: Vec<Box<[u64; 8]>>,
    texts: Vec<Box<[u8]>>,
    error_slot: Option<usize>,
    /// The function that is being called.
    name: &'static str,
    pub nature: Nature,
    /// The length that belongs to the text or the room just drawn.
    pub pending_length: Option<usize>,
    /// The number slot whose length the function is to tell.
    pub told_length: Option<usize>,
}

impl<'a> World<'a> {
    pub fn new(input: &'a [u8]) -> World<'a> {
        witness::begin();
        World {
            input,
            handles: Vec::new(),
            slots: Vec::new(),
            numbers: Vec::new(),
            texts: Vec::new(),
            error_slot: None,
            name: "",
            nature: Nature::Plain,
            pending_length: None,
            told_length: None,
        }
    }

    pub fn next_byte(&mut self) -> Option<u8> {
        let (first, rest) = self.input.split_first()?;
        self.input = rest;
        Some(*first)
    }

    /// The next byte, or 0 after the end.
    pub fn byte(&mut self) -> u8 {
        self.next_byte().unwrap_or(0)
    }

    /// Up to `most` bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.input.split_at(most.min(self.input.len()));
        self.input = rest;
        taken
    }

    /// Reads from other bytes meanwhile.
    pub fn with_input(&mut self, input: &'a [u8], work: impl FnOnce(&mut World<'a>)) {
        let own = std::mem::replace(&mut self.input, input);
        work(self);
        self.input = own;
    }

    /// Whether the callback of this function comes exactly once.
    pub fn calls_back_once(&self) -> bool {
        self.name == "gigachat_call_on_done"
    }

    /// Whether what this function lends is no text: a body as it came, without a NUL.
    pub fn lends_bytes(&self) -> bool {
        self.name == "gigachat_error_body"
    }

    pub fn takes_thread_hooks(&self) -> bool {
        self.name == "gigachat_set_thread_hooks"
    }

    pub fn begin(&mut self, name: &'static str) {
        for reply in witness::kept_replies() {
            self.handles.push((Kind::Reply, reply));
        }
        self.name = name;
        self.nature = nature(name);
        self.pending_length = None;
        self.told_length = None;
        self.error_slot = None;
        self.slots.clear();
        self.numbers.clear();
        self.texts.clear();
        witness::set_blocking(self.nature == Nature::Blocks);
    }

    pub fn end(&mut self) {
        witness::set_blocking(false);
        for slot in std::mem::take(&mut self.slots) {
            if slot.1 != 0 && slot.1 != UNTOUCHED {
                self.learn(slot.0, slot.1);
            }
        }
    }

    /// A handle that the program has from now on.
    pub fn learn(&mut self, kind: Kind, word: usize) {
        self.handles.push((kind, word));
        if kind == Kind::Config && self.nature == Nature::Configuration {
            super::scene::tame(word);
        }
        if kind == Kind::RouterOptions {
            super::scene::tame_router(word);
        }
    }

    /// A handle of this kind, living or dead; the input decides which.
    pub fn known(&self, kind: Kind, number: u8) -> Option<usize> {
        let of_kind: Vec<usize> = self
            .handles
            .iter()
            .filter(|(k, _)| *k == kind)
            .map(|(_, w)| *w)
            .collect();
        // The latest first: it is the likeliest to live.
        let count = of_kind.len();
        (count > 0).then(|| of_kind[count - 1 - usize::from(number) % count])
    }

    /// Any handle at all.
    pub fn any(&self, number: u8) -> usize {
        match self.handles.len() {
            0 => 0,
            count => self.handles[usize::from(number) % count].1,
        }
    }

    pub fn handle_slot(&mut self, kind: Kind) -> *mut usize {
        self.slots.push(Box::new((kind, UNTOUCHED)));
        if kind == Kind::Error {
            self.error_slot = Some(self.slots.len() - 1);
        }
        self.slots
            .last_mut()
            .map_or(std::ptr::null_mut(), |slot| &raw mut slot.1)
    }

    pub fn number_slot(&mut self) -> *mut u64 {
        self.numbers.push(Box::new([UNTOUCHED as u64; 8]));
        self.numbers
            .last_mut()
            .map_or(std::ptr::null_mut(), |room| room.as_mut_ptr())
    }

    pub fn last_number(&self) -> usize {
        self.numbers.len() - 1
    }

    /// What was written into a slot for a number.
    pub fn number(&self, slot: usize) -> usize {
        self.numbers[slot][0] as usize
    }

    pub fn keep_text(&mut self, text: Box<[u8]>) -> *const u8 {
        let pointer = text.as_ptr();
        self.texts.push(text);
        pointer
    }

    /// After a function that returns a status: the error slot says the same, nothing was handed
    /// out by a function that failed.
    pub fn check_status(&mut self, status: i32) {
        if status == GIGACHAT_ERROR_INTERNAL {
            // The program's own fault, which the library reports as such.
            let said = self.error_text();
            assert!(said.contains(REPLY_FORGOTTEN), "{}: {said}", self.name);
        }
        assert!((0..=60).contains(&status), "{}: status {status}", self.name);
        witness::settle(status == GIGACHAT_OK);
        for (at, slot) in self.slots.iter().enumerate() {
            let is_error = Some(at) == self.error_slot;
            let expected = if is_error {
                status >= 10
            } else {
                status == GIGACHAT_OK
            };
            assert_ne!(
                slot.1, UNTOUCHED,
                "{}: an out-parameter stays as it was",
                self.name
            );
            assert_eq!(
                slot.1 != 0,
                expected,
                "{}: out-parameter {at} after status {status}",
                self.name
            );
            if is_error && status >= 10 {
                let error = std::ptr::without_provenance(slot.1);
                // SAFETY: the error handle was just handed out.
                let said = unsafe { gigachat_c::error::gigachat_error_status(error) };
                assert_eq!(said, status, "{}: the error says the same", self.name);
            }
        }
    }

    pub fn has_error_argument(&self) -> bool {
        self.error_slot.is_some()
    }

    fn error_text(&self) -> String {
        let Some(error) = self
            .error_slot
            .map(|at| self.slots[at].1)
            .filter(|word| *word != 0)
        else {
            return "without an error slot".to_owned();
        };
        let error = std::ptr::without_provenance(error);
        // SAFETY: the error handle was just handed out; its text lives as long.
        let text = unsafe {
            let text = gigachat_c::error::gigachat_error_message(error, std::ptr::null_mut());
            std::ffi::CStr::from_ptr(text)
        };
        text.to_string_lossy().into_owned()
    }

    /// I15: frees everything, neither in the order of creation nor its reverse; nothing is left,
    /// of threads neither when they end.
    pub fn close(mut self, threads_end: bool) {
        self.begin("");
        let turn = self.handles.len() / 2;
        self.handles.rotate_left(turn);
        for (kind, word) in &self.handles {
            free(*kind, *word);
        }
        witness::set_blocking(true);
        witness::silence_log();
        if threads_end {
            let patience = PATIENCE.as_millis() as u64;
            // SAFETY: NULL for the error slot is allowed.
            let status = unsafe { gigachat_shutdown(patience, std::ptr::null_mut()) };
            assert_eq!(status, GIGACHAT_OK, "the library shuts down");
        }
        let begun = Instant::now();
        loop {
            for reply in witness::kept_replies() {
                free(Kind::Reply, reply);
            }
            let left = (gigachat_live_handles(), witness::outstanding());
            if left.0 == 0 && left.1.is_empty() {
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "handles and hooks are left: {left:?}"
            );
            // The library's threads have something to do, and this one may have the processor.
            std::thread::sleep(MOMENT);
        }
        witness::set_blocking(false);
    }
}
