//! One accepted request on its way to its end: finished, cancelled by the client, or broken by a fault.
//!
//! A ticket that is dropped open says that the client went away. It holds the generation slot meanwhile.

use std::sync::Arc;

use crate::access::Slot;
use crate::connection::Connection;
use crate::state::State;

pub(crate) struct Ticket {
    state: Arc<State>,
    connection: Arc<Connection>,
    stream: bool,
    slot: Option<Slot>,
    open: bool,
}

enum End {
    Finished,
    Cancelled,
    Aborted,
}

impl Ticket {
    /// A request that is no generation.
    pub fn plain(state: Arc<State>, connection: Arc<Connection>) -> Ticket {
        Ticket {
            state,
            connection,
            stream: false,
            slot: None,
            open: true,
        }
    }

    /// A generation request, which holds this slot until its end. `counted` says that no fault replaces
    /// its answer by an error, so that it is a chat request and, perhaps, a stream.
    pub fn generation(
        state: Arc<State>,
        connection: Arc<Connection>,
        slot: Slot,
        stream: bool,
        counted: bool,
    ) -> Ticket {
        let stream = stream && counted;
        state.counters.update(|counters| {
            counters.in_flight += 1;
            counters.peak_in_flight = counters.peak_in_flight.max(counters.in_flight);
            counters.chat_requests += u64::from(counted);
            counters.stream_requests += u64::from(stream);
            counters.open_streams += u64::from(stream);
        });
        Ticket {
            state,
            connection,
            stream,
            slot: Some(slot),
            open: true,
        }
    }

    /// The answer is complete, as far as the service is concerned: its slot is free.
    pub fn finish(&mut self) {
        self.end(End::Finished);
    }

    /// The emulator breaks the answer off.
    pub fn abort(&mut self) {
        self.end(End::Aborted);
    }

    fn end(&mut self, end: End) {
        if !std::mem::replace(&mut self.open, false) {
            return;
        }
        let generation = self.slot.take().is_some();
        let stream = self.stream;
        if !generation && matches!(end, End::Finished) {
            return;
        }
        self.state.counters.update(|counters| {
            counters.in_flight -= u64::from(generation);
            counters.open_streams -= u64::from(stream);
            match (end, stream) {
                (End::Finished, true) => counters.finished_streams += 1,
                (End::Finished, false) => {}
                (End::Cancelled, true) => counters.cancelled_streams += 1,
                (End::Cancelled, false) => counters.cancelled_requests += 1,
                (End::Aborted, true) => counters.aborted_streams += 1,
                (End::Aborted, false) => counters.aborted_requests += 1,
            }
        });
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let end = match self.connection.is_killed() {
            true => End::Aborted,
            false => End::Cancelled,
        };
        self.end(end);
    }
}
