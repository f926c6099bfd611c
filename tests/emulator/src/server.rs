//! Listeners and connections: accept, TLS, HTTP, and the end of each.
//!
//! A listener can be closed and opened again on the same port, its connections killed in between.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::connection::{Connection, Ending, Socket};
use crate::service::{self, Door};
use crate::state::State;

/// Many tests connect hundreds of clients at once.
const BACKLOG: u32 = 4096;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// One port that is served, now or again.
pub(crate) struct Listener {
    pub port: u16,
    /// Bound to the port and never listening: while nothing is served, connections are refused, and
    /// the port is not given to somebody else as the local end of a connection of theirs.
    _reservation: TcpSocket,
    door: Door,
    tls: Option<Arc<ServerConfig>>,
    accepting: Option<JoinHandle<()>>,
}

impl Listener {
    /// Binds the port (0: any) and serves it.
    pub fn open(
        runtime: &Handle,
        state: &Arc<State>,
        port: u16,
        door: Door,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Listener> {
        let reservation = {
            let _context = runtime.enter();
            bind(port)?
        };
        let mut listener = Listener {
            port: reservation.local_addr()?.port(),
            _reservation: reservation,
            door,
            tls,
            accepting: None,
        };
        listener.reopen(runtime, state)?;
        Ok(listener)
    }

    /// Serves the port again, if it is not served.
    pub fn reopen(&mut self, runtime: &Handle, state: &Arc<State>) -> io::Result<()> {
        if self.accepting.is_some() {
            return Ok(());
        }
        let socket = {
            let _context = runtime.enter();
            bind(self.port)?.listen(BACKLOG)?
        };
        let task = accept(socket, state.clone(), self.door, self.tls.clone());
        self.accepting = Some(runtime.spawn(task));
        Ok(())
    }

    /// Refuses new connections; returns the task, whose end is the moment from which they are refused.
    pub fn close(&mut self) -> Option<JoinHandle<()>> {
        let accepting = self.accepting.take()?;
        accepting.abort();
        Some(accepting)
    }
}

/// A socket on this port (0: any) that does not listen yet.
fn bind(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let named = |error: io::Error| io::Error::new(error.kind(), format!("port {port}: {error}"));
    socket.bind(address).map_err(named)?;
    Ok(socket)
}

async fn accept(
    listener: TcpListener,
    state: Arc<State>,
    door: Door,
    tls: Option<Arc<ServerConfig>>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, state.clone(), door, tls.clone()));
            }
            // Out of descriptors: others close some, so wait a moment instead of spinning.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(
    stream: TcpStream,
    state: Arc<State>,
    door: Door,
    tls: Option<Arc<ServerConfig>>,
) {
    // Small answers must not wait for an acknowledgement; a socket without the option is only slower.
    let _ = stream.set_nodelay(true);
    let connection = state.connections.open();
    state.counters.update(|counters| {
        counters.connections_opened += 1;
        counters.connections_open += 1;
    });
    let socket = Socket::new(stream, connection.clone());
    match tls {
        None => http(socket, Protocol::Either, &state, &connection, door).await,
        Some(config) => secure(socket, config, &state, &connection, door).await,
    }
    state.connections.closed(&connection);
    state
        .counters
        .update(|counters| counters.connections_open -= 1);
}

async fn secure(
    socket: Socket,
    config: Arc<ServerConfig>,
    state: &Arc<State>,
    connection: &Arc<Connection>,
    door: Door,
) {
    let mut handshake = pin!(tokio::time::timeout(
        HANDSHAKE_LIMIT,
        TlsAcceptor::from(config).accept(socket)
    ));
    let outcome = poll_fn(|context| {
        if connection.poll_ending(context) > Ending::No {
            return Poll::Ready(None);
        }
        handshake.as_mut().poll(context).map(Some)
    })
    .await;
    match outcome {
        Some(Ok(Ok(stream))) => {
            state
                .counters
                .update(|counters| counters.tls_handshakes += 1);
            let protocol = match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => Protocol::Http2,
                _ => Protocol::Http1,
            };
            http(stream, protocol, state, connection, door).await;
        }
        Some(_) => state.counters.update(|counters| counters.tls_failures += 1),
        None => {}
    }
}

#[derive(Clone, Copy)]
enum Protocol {
    /// HTTP/1.1, or HTTP/2 by prior knowledge.
    Either,
    Http1,
    Http2,
}

/// Serves the connection until one side closes it, a fault breaks it, or it is idle for too long.
async fn http<S>(
    stream: S,
    protocol: Protocol,
    state: &Arc<State>,
    connection: &Arc<Connection>,
    door: Door,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let mut builder = match protocol {
        Protocol::Either => builder,
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    };
    if let Some(most) = state.options.most_streams {
        builder.http2().max_concurrent_streams(most);
    }
    // As the recordings spell them: X-Request-Id.
    builder.http1().title_case_headers(true);
    let service =
        service_fn(|request| service::serve(state.clone(), connection.clone(), door, request));
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let keep_alive = state.options.keep_alive;
    let mut idle_check = pin!(tokio::time::sleep(keep_alive));
    let mut closing = false;
    poll_fn(|context| {
        match connection.poll_ending(context) {
            Ending::No => {}
            Ending::Graceful if closing => {}
            Ending::Graceful => {
                closing = true;
                served.as_mut().graceful_shutdown();
            }
            Ending::Close | Ending::Reset => return Poll::Ready(()),
        }
        if served.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        // HTTP/2 connections are kept: the reference speaks of HTTP/1.1 only.
        while !matches!(protocol, Protocol::Http2) && idle_check.as_mut().poll(context).is_ready() {
            let idle = connection.idle();
            if idle >= keep_alive {
                connection.end(Ending::Graceful);
            }
            let next = tokio::time::Instant::now() + keep_alive.saturating_sub(idle).max(MOMENT);
            idle_check.as_mut().reset(next);
        }
        Poll::Pending
    })
    .await;
}

/// The shortest time between two looks at an idle connection.
const MOMENT: Duration = Duration::from_millis(5);
