//! Everything that the connections of one emulator share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::access::Access;
use crate::batches::Batches;
use crate::chat_v2::Threads;
use crate::connection::{Connection, Ending};
use crate::counters::CounterBoard;
use crate::faults::Faults;
use crate::files;
use crate::options::Options;
use crate::recorder::Recorder;
use crate::script::Script;
use crate::tally::Tally;

pub(crate) struct State {
    pub options: Options,
    pub counters: CounterBoard,
    pub faults: Faults,
    pub script: Script,
    pub recorder: Recorder,
    pub tally: Tally,
    pub access: Access,
    pub connections: Connections,
    pub ids: Ids,
    pub threads: Threads,
    pub batches: Batches,
    pub files: files::Store,
}

impl State {
    pub fn new(options: Options) -> Arc<State> {
        Arc::new(State {
            files: files::Store::new(options.most_file_bytes),
            batches: Batches::default(),
            threads: Threads::default(),
            options,
            counters: CounterBoard::default(),
            faults: Faults::default(),
            script: Script::default(),
            recorder: Recorder::default(),
            tally: Tally::default(),
            access: Access::default(),
            connections: Connections::default(),
            ids: Ids::new(),
        })
    }

    /// Back to the beginning, as far as tests see it; tokens and connections stay.
    pub fn reset(&self) {
        self.faults.clear();
        self.script.clear();
        self.recorder.clear();
        self.counters.reset();
        self.access.refill();
        self.files.clear();
        self.threads.clear();
        self.batches.clear();
    }
}

/// The open connections.
#[derive(Default)]
pub(crate) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    last_id: AtomicU64,
}

impl Connections {
    pub fn open(&self) -> Arc<Connection> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let connection = Connection::new(id);
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, connection.clone());
        connection
    }

    pub fn closed(&self, connection: &Connection) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&connection.id);
    }

    pub fn end_all(&self, ending: Ending) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in open.values() {
            connection.end(ending);
        }
    }
}

/// UUIDs for request and session ids, without a system call for each.
pub(crate) struct Ids {
    random: u128,
    next: AtomicU64,
}

impl Ids {
    fn new() -> Ids {
        Ids {
            random: Uuid::new_v4().as_u128(),
            next: AtomicU64::new(1),
        }
    }

    pub fn uuid(&self) -> Uuid {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // Two odd factors spread the number over all bits, so that ids differ at first sight.
        let spread = u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 64
            | u128::from(number.wrapping_mul(0xD1B5_4A32_D192_ED03));
        uuid::Builder::from_random_bytes((self.random ^ spread).to_be_bytes()).into_uuid()
    }
}
