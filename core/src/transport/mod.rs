//! One HTTP exchange: request out, answer in, every failure named (I9, I10, I12).
//!
//! Knows hosts, connections and bytes; knows nothing of tokens, permits, retries and chat. The
//! HTTP itself is reqwest's; `connect` and `demand` watch its connections, `answer` bounds what
//! comes back, `failure` tells what went wrong.

mod answer;
#[cfg(feature = "fuzzing")]
mod canned;
mod connect;
mod demand;
mod failure;
mod lane;
mod redact;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use answer::Answer;
#[cfg(feature = "fuzzing")]
pub use canned::CannedAnswer;
pub(crate) use connect::ConnectWatch;
pub(crate) use lane::Place;
use lane::{Gate, Lane};
pub(crate) use redact::without_credentials;

use crate::config::ValidConfig;
use crate::config::proxy::{self, Route};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::sync::{Mutex, lock};

/// A connection idle for this long is not reused: the service's front closes them after 15 s
/// (recorded traffic: `Keep-Alive: timeout=15`).
const IDLE_CONNECTION: Duration = Duration::from_secs(12);
/// An answer may have more headers than the 100 that hyper takes by default: gateways add theirs.
const MOST_HEADERS: usize = 1024;
/// HTTP/2 counts bytes; HTTP/1.1 has a bound of about this size of its own.
const LARGEST_HEADERS: u32 = 400 * 1024;
/// How often a request may find that it can share a connection, and then not find that connection.
const MOST_SHARES: u32 = 3;
/// HTTP/2 pings while streams are open find dead connections; TCP probes do it for HTTP/1.1.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// What may wait unread on one HTTP/2 stream. h2 counts each small frame that waits as 256 bytes
/// against half of the connection's window and gives up the connection at its end; so the
/// streams of some sixty paused readers must fit into that.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// A pool of connections to one host, with the TLS and proxy settings of its provider.
pub(crate) struct HttpClient {
    /// Taken away at shutdown, so that idle connections close while the runtime still runs.
    lanes: Mutex<Option<Vec<Arc<Lane>>>>,
    make: Box<dyn Fn() -> Result<Lane> + Send + Sync>,
    /// Connections at most.
    most: usize,
    /// Told when a request may find a place.
    freed: Arc<Notify>,
    demand: demand::CertificateDemand,
    /// Known to others as long as this lives.
    _tls: Arc<rustls::ClientConfig>,
    /// Until when it is kept for a next user, and whether somebody sees to that.
    kept: Mutex<Option<Instant>>,
    /// The host, and the proxy that leads there, for messages.
    host: String,
}

/// One request.
pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether it may be sent again although the service may have had it.
    pub(crate) repeatable: bool,
}

impl HttpClient {
    /// A client for `url`'s host, with so many connections at most (0: no limit). Opens none.
    pub(crate) fn new(
        url: &str,
        route: &Route,
        config: &ValidConfig,
        shared_tls: &Arc<rustls::ClientConfig>,
        max_connections: u32,
    ) -> Result<HttpClient> {
        let url =
            Url::parse(url).map_err(|why| Error::configuration("base_url", why, "a valid URL"))?;
        let demand = demand::CertificateDemand::default();
        let mut tls = (**shared_tls).clone();
        demand.watch(&mut tls);
        let host = through(authority(&url), route);
        let route = route.clone();
        let connect_timeout = config.connect_timeout;
        let freed: Arc<Notify> = Arc::default();
        let told = freed.clone();
        let make = Box::new(move || lane(tls.clone(), &route, connect_timeout, told.clone()));
        let first = Arc::new(make()?);
        Ok(HttpClient {
            lanes: Mutex::new(Some(vec![first])),
            make,
            most: match max_connections {
                0 => usize::MAX,
                limit => usize::try_from(limit).unwrap_or(usize::MAX),
            },
            freed,
            demand,
            _tls: shared_tls.clone(),
            kept: Mutex::new(None),
            host,
        })
    }

    /// Sends a request and returns once the answer's headers are there; `watch` is told of its
    /// connection. `phase` is what a failure after the connection stands is reported as. Without a
    /// `place` it takes one at once, be it beyond the bound.
    ///
    /// I10: when a *reused* connection breaks before any answer byte, the request is sent once
    /// more at once; the server most likely closed it as we sent. One that must not be repeated
    /// only when no byte of it was sent.
    pub(crate) async fn send_watched(
        &self,
        exchange: &Exchange,
        phase: Phase,
        watch: &Arc<ConnectWatch>,
        place: Option<Place>,
    ) -> Result<Answer> {
        let mut outcome = self.send_once(exchange, phase, watch, place).await?;
        let again = |error| match exchange.repeatable {
            true => failure::broke_before_answer(error),
            false => failure::was_not_sent(error),
        };
        if matches!(&outcome, Err(error) if !watch.opened() && again(error)) {
            tracing::debug!(target: "gigachat::transport", host = %self.host, "a reused connection broke; sending again");
            outcome = self.send_once(exchange, phase, watch, None).await?;
        }
        match outcome {
            Ok((response, place)) => {
                tracing::trace!(target: "gigachat::transport", host = %self.host, status = response.status().as_u16(),
                    http = ?response.version(), new_connection = watch.opened(), "an answer begins");
                self.demand.accepted();
                // The protocol is known now, and with it how many places there are.
                self.freed.notify_one();
                Answer::accept(response, phase).map(|answer| answer.by(place))
            }
            Err(error) => {
                let error = failure::explain(&error, &self.host, phase);
                match watch.opened() {
                    true => Err(self.demand.explain(error, &self.host)),
                    false => Err(error),
                }
            }
        }
    }

    /// Sends the request once, in a lane that has room.
    async fn send_once(
        &self,
        exchange: &Exchange,
        phase: Phase,
        watch: &Arc<ConnectWatch>,
        mut place: Option<Place>,
    ) -> Result<std::result::Result<(reqwest::Response, Place), reqwest::Error>> {
        let mut shares = 0;
        loop {
            let place = match place.take() {
                Some(place) => place,
                None => self.place_anywhere(phase)?,
            };
            watch.reset();
            watch.goes_by(place.trace());
            tracing::trace!(target: "gigachat::transport", host = %self.host, method = %exchange.method,
                path = exchange.url.path(), bytes = exchange.body.len(), "a request goes out");
            let request = place
                .lane
                .client
                .request(exchange.method.clone(), exchange.url.clone())
                .headers(exchange.headers.clone())
                .body(exchange.body.clone());
            match connect::watched(watch.clone(), request.send()).await {
                // Nothing was sent: it only waited for a connection, which is there now.
                Err(error) if failure::can_share(&error) && shares < MOST_SHARES => shares += 1,
                outcome => return Ok(outcome.map(|response| (response, place))),
            }
        }
    }

    /// Waits for a place on a connection; there is one at once while the bound on connections is not
    /// reached.
    pub(crate) async fn place(&self, phase: Phase) -> Result<Place> {
        loop {
            // Begun before it is looked, so that nothing that happens after that is missed.
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(place) = self.free_place(phase)? {
                // There may be room for the next one, too.
                self.freed.notify_one();
                return Ok(place);
            }
            freed.await;
        }
    }

    /// A place in the first lane that has room, else in a new one; `None` at the bound.
    pub(crate) fn free_place(&self, phase: Phase) -> Result<Option<Place>> {
        let mut lanes = lock(&self.lanes);
        let Some(lanes) = lanes.as_mut() else {
            return Err(closed(phase));
        };
        lanes.retain(|lane| !lane.is_retired());
        if let Some(lane) = lanes.iter().find(|lane| lane.has_room(self.most)) {
            return Ok(Some(Place::take(lane)));
        }
        let bounded = self.most < usize::MAX;
        let counted = lanes.iter().all(|lane| lane.is_one_connection(bounded));
        if !counted || lanes.len() >= self.most {
            return Ok(None);
        }
        let lane = Arc::new((self.make)()?);
        lanes.push(lane.clone());
        Ok(Some(Place::take(&lane)))
    }

    /// The same, in the emptiest lane when none has room.
    fn place_anywhere(&self, phase: Phase) -> Result<Place> {
        if let Some(place) = self.free_place(phase)? {
            return Ok(place);
        }
        let lanes = lock(&self.lanes);
        let lanes = lanes.as_ref().ok_or_else(|| closed(phase))?;
        let emptiest = lanes.iter().min_by_key(|lane| lane.load());
        let emptiest = emptiest.ok_or_else(|| Error::internal("no lane"))?;
        Ok(Place::take(emptiest))
    }

    /// The error of a wait for a place that took too long.
    pub(crate) fn no_place(&self, limit: Duration) -> Error {
        let text = format!(
            "no place on a connection to {} within {} s: all {} connections that max_connections_per_host allows are in use",
            self.host,
            limit.as_secs_f64(),
            self.most
        );
        Error::new(ErrorKind::Timeout, Phase::Queue, text).with_retryable(true)
    }

    /// Closes the connections that are idle; nothing can be sent any more.
    pub(crate) fn close(&self) {
        let lanes = lock(&self.lanes).take();
        drop(lanes);
    }

    /// A user goes. The connections wait for the next one as long as they would while idle, or
    /// until `closing`: a shutdown waits for no next one.
    pub(crate) fn outlive(
        self: &Arc<Self>,
        runtime: &tokio::runtime::Handle,
        closing: &CancellationToken,
    ) {
        let until = Instant::now() + IDLE_CONNECTION;
        if lock(&self.kept).replace(until).is_some() {
            return;
        }
        let client = self.clone();
        runtime.spawn(closing.clone().run_until_cancelled_owned(async move {
            loop {
                let until = {
                    let mut kept = lock(&client.kept);
                    match *kept {
                        Some(until) if until > Instant::now() => until,
                        _ => {
                            *kept = None;
                            return;
                        }
                    }
                };
                tokio::time::sleep_until(until).await;
            }
        }));
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// A pool of connections with these settings. Opens none.
fn lane(
    tls: rustls::ClientConfig,
    route: &Route,
    connect_timeout: Duration,
    freed: Arc<Notify>,
) -> Result<Lane> {
    let gate: Arc<Gate> = Arc::default();
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_max_headers(MOST_HEADERS)
        .http2_max_header_list_size(LARGEST_HEADERS)
        .redirect(reqwest::redirect::Policy::none())
        // I4: retries have one owner. reqwest's own (REFUSED_STREAM, GOAWAY) would be counted by
        // nobody and ignore max_retries.
        .retry(reqwest::retry::never())
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        .tcp_keepalive(PING_INTERVAL)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .connector_layer(connect::WatchLayer(gate.clone()));
    let builder = match route {
        Route::Proxy(proxy) => {
            builder.proxy(reqwest::Proxy::all(proxy.expose()).map_err(|_| {
                // The cause is not repeated: it may hold the proxy's password.
                Error::configuration("proxy", "this URL", "a proxy URL that can be used")
            })?)
        }
        Route::Direct => builder.no_proxy(),
        Route::System => builder,
    };
    let client = builder.build().map_err(|why| {
        Error::internal(format!(
            "the HTTP client cannot be built: {}",
            failure::root_cause(&why)
        ))
    })?;
    Ok(Lane::new(client, gate, freed))
}

fn closed(phase: Phase) -> Error {
    let text = "the library is shutting down";
    Error::new(ErrorKind::Shutdown, phase, text)
}

/// `host[:port]`, for messages.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The host as messages name it, with the proxy that leads there (without its password).
fn through(host: String, route: &Route) -> String {
    match route {
        Route::Proxy(url) => format!("{host} (through the proxy {})", proxy::shown(url)),
        _ => host,
    }
}

/// The error of a time limit that passed while `phase` was under way.
pub(crate) fn timed_out(phase: Phase, limit: Duration, host: &str) -> Error {
    let seconds = limit.as_secs_f64();
    let text = match phase {
        Phase::Token => format!("no access token within {seconds} s"),
        Phase::Connect => format!("no connection to {host} within {seconds} s"),
        Phase::Body => format!("the answer of {host} was not complete within {seconds} s"),
        Phase::FirstContent => format!("no content from {host} within {seconds} s"),
        Phase::Idle => format!("{host} sent no content for {seconds} s in the middle of a stream"),
        Phase::Total => format!("the stream of {host} was not complete within {seconds} s"),
        _ => format!("no answer from {host} within {seconds} s"),
    };
    Error::new(ErrorKind::Timeout, phase, text).with_retryable(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::tls::{TlsSettings, client_config};

    #[test]
    fn what_is_kept_for_a_next_user_ends_with_the_generation() {
        let mut config = Config::default();
        config.set_access_token("ready").unwrap();
        let settings = TlsSettings {
            verify: false,
            ..TlsSettings::default()
        };
        let tls = client_config(&settings).unwrap();
        let (url, config) = ("https://127.0.0.1:1", config.validate().unwrap());
        let client = Arc::new(HttpClient::new(url, &Route::Direct, &config, &tls, 0).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let closing = CancellationToken::new();
        client.outlive(runtime.handle(), &closing);
        runtime.block_on(tokio::task::yield_now());
        assert_eq!(runtime.metrics().num_alive_tasks(), 1, "it is kept");
        closing.cancel();
        runtime.block_on(tokio::task::yield_now());
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    }
}
