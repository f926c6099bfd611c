//! Watches whether a request opens a connection or reuses one.
//!
//! reqwest does not tell, and both I10 (resend on a broken *reused* connection) and the phase of
//! a timeout depend on it. The connector is polled inside the request's own future, so a
//! task-local tells it for whom it works; a connection that is reused never asks the connector.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

const NONE: u8 = 0;
const OPENING: u8 = 1;
const OPENED: u8 = 2;

/// What is known of one request's connection.
#[derive(Debug, Default)]
pub(crate) struct ConnectWatch(AtomicU8);

impl ConnectWatch {
    pub(super) fn reset(&self) {
        self.0.store(NONE, Ordering::Relaxed);
    }

    /// A connection is being opened at this moment.
    pub(crate) fn opening(&self) -> bool {
        self.0.load(Ordering::Relaxed) == OPENING
    }

    /// The request opened its own connection (or tried to).
    pub(super) fn opened(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NONE
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

/// The layer around reqwest's connector.
#[derive(Clone, Copy)]
pub(super) struct WatchLayer;

impl<S> Layer<S> for WatchLayer {
    type Service = WatchedConnector<S>;

    fn layer(&self, inner: S) -> WatchedConnector<S> {
        WatchedConnector { inner }
    }
}

/// A connector that tells the watch of the request that it connects for.
#[derive(Clone)]
pub(super) struct WatchedConnector<S> {
    inner: S,
}

impl<S, R> Service<R> for WatchedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        Box::pin(async move {
            note(OPENING);
            let outcome = connecting.await;
            note(OPENED);
            outcome
        })
    }
}
