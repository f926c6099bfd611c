//! Watches whether a request opens a connection or reuses one.
//!
//! reqwest does not tell, and both I10 (resend on a broken *reused* connection) and the phase of
//! a timeout depend on it. The connector is polled inside the request's own future, so a
//! task-local tells it for whom it works; a connection that is reused never asks the connector.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::Connection;
use tower_layer::Layer;
use tower_service::Service;

use super::lane::{Entry, Gate, Trace};
use crate::sync::{Mutex, lock};

const NONE: u8 = 0;
const OPENING: u8 = 1;
const OPENED: u8 = 2;
/// Another request opens a connection that this one may share.
const WAITING: u8 = 3;

/// What is known of one request's connection.
#[derive(Default)]
pub(crate) struct ConnectWatch(AtomicU8, Mutex<Option<Trace>>);

impl ConnectWatch {
    pub(super) fn reset(&self) {
        self.0.store(NONE, Ordering::Relaxed);
    }

    /// A connection is being opened at this moment.
    pub(crate) fn opening(&self) -> bool {
        match self.0.load(Ordering::Relaxed) {
            OPENING => true,
            WAITING => lock(&self.1).as_ref().is_some_and(Trace::opening),
            _ => false,
        }
    }

    /// The request goes out in this lane.
    pub(super) fn goes_by(&self, trace: Trace) {
        *lock(&self.1) = Some(trace);
    }

    /// The request is given up since its time is over; its connection may be the reason.
    pub(crate) fn give_up(&self) {
        if let Some(trace) = lock(&self.1).take() {
            trace.give_up();
        }
    }

    /// The request opened its own connection (or tried to).
    pub(super) fn opened(&self) -> bool {
        matches!(self.0.load(Ordering::Relaxed), OPENING | OPENED)
    }
}

tokio::task_local! {
    static WATCH: Arc<ConnectWatch>;
}

/// Polls `future` with `watch` in place.
pub(super) async fn watched<F: Future>(watch: Arc<ConnectWatch>, future: F) -> F::Output {
    WATCH.scope(watch, future).await
}

fn note(state: u8) {
    // Outside of a request (a connection finished in the background) there is nobody to tell.
    let _ = WATCH.try_with(|watch| watch.0.store(state, Ordering::Relaxed));
}

/// The layer around reqwest's connector, with the gate of its lane.
#[derive(Clone)]
pub(super) struct WatchLayer(pub(super) Arc<Gate>);

impl<S> Layer<S> for WatchLayer {
    type Service = WatchedConnector<S>;

    fn layer(&self, inner: S) -> WatchedConnector<S> {
        WatchedConnector {
            inner,
            gate: self.0.clone(),
        }
    }
}

/// Why a connector opened nothing: the request is sent again, over the connection that is there.
#[derive(Debug)]
pub(super) struct CanBeShared;

impl fmt::Display for CanBeShared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another connection was opened meanwhile")
    }
}

impl std::error::Error for CanBeShared {}

/// A connector that tells the watch of the request that it connects for.
#[derive(Clone)]
pub(super) struct WatchedConnector<S> {
    inner: S,
    gate: Arc<Gate>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, R> Service<R> for WatchedConnector<S>
where
    S: Service<R> + Clone + Send + 'static,
    S::Response: Connection,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // The one that was polled to be ready is the one to call.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare);
        let gate = self.gate.clone();
        Box::pin(async move {
            note(WAITING);
            let _alone = match gate.enter().await {
                Entry::Open(guard) => guard,
                Entry::Share => return Err(CanBeShared.into()),
            };
            note(OPENING);
            let outcome = inner.call(request).await;
            let http2 = |opened: &S::Response| opened.connected().is_negotiated_h2();
            gate.leave(outcome.as_ref().ok().map(http2));
            note(OPENED);
            outcome.map_err(Into::into)
        })
    }
}
