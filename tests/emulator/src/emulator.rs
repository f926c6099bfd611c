//! The running emulator and what a test may ask of it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::access;
use crate::connection::Ending;
use crate::counters::Counters;
use crate::faults::Faults;
use crate::oauth;
use crate::options::Options;
use crate::recorder::RecordedRequest;
use crate::script::Answer;
use crate::server::Listener;
use crate::service::Door;
use crate::state::State;
use crate::tls::{Authority, Demand, TlsVariant};

const DEFAULT_CLIENT: &str = "6f0b1291-c7f3-43c6-bb2e-9f3efb2dc98e";

/// The service on loopback. Dropping it closes every listener and connection.
pub struct Emulator {
    state: Arc<State>,
    authority: Authority,
    listeners: Mutex<Listeners>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Listeners {
    plain: Listener,
    api: Listener,
    oauth: Listener,
    mtls: Listener,
    variants: BTreeMap<TlsVariant, Listener>,
}

impl Listeners {
    fn all(&mut self) -> impl Iterator<Item = &mut Listener> {
        [
            &mut self.plain,
            &mut self.api,
            &mut self.oauth,
            &mut self.mtls,
        ]
        .into_iter()
        .chain(self.variants.values_mut())
    }
}

impl Emulator {
    /// Starts it on a thread and a runtime of its own; when this returns it is listening.
    pub fn start(options: Options) -> io::Result<Emulator> {
        let authority = Authority::new()?;
        let server = authority.server_config(Demand::Nothing)?;
        let demanding = authority.server_config(Demand::ClientCertificate)?;
        let runtime = runtime(options.threads)?;
        let handle = runtime.handle().clone();
        let (http, https) = (options.http_port, options.https_port);
        let (oauth, mtls) = (options.oauth_port, options.mtls_port);
        let state = State::new(options);
        let open = |port, door, tls| Listener::open(&handle, &state, port, door, tls);
        let listeners = Listeners {
            plain: open(http, Door::Plain, None)?,
            api: open(https, Door::Api, Some(server.clone()))?,
            oauth: open(oauth, Door::Everything, Some(server))?,
            mtls: open(mtls, Door::Everything, Some(demanding))?,
            variants: BTreeMap::new(),
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("gigachat-emulator".to_owned())
            .spawn(move || {
                // Either a message or the sender's end: both mean stop.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_timeout(Duration::from_secs(1));
            })?;
        Ok(Emulator {
            state,
            authority,
            listeners: Mutex::new(listeners),
            runtime: handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// `https://localhost:PORT/api/v1`
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}/api/v1", self.listeners().api.port)
    }

    /// `https://localhost:PORT/api/v2/oauth`, on a port of its own as in reality.
    pub fn token_url(&self) -> String {
        format!(
            "https://localhost:{}/api/v2/oauth",
            self.listeners().oauth.port
        )
    }

    /// `http://127.0.0.1:PORT/api/v1`
    pub fn plain_base_url(&self) -> String {
        format!("{}/api/v1", self.control_url())
    }

    /// `http://127.0.0.1:PORT/api/v2/oauth`
    pub fn plain_token_url(&self) -> String {
        format!("{}/api/v2/oauth", self.control_url())
    }

    /// The base URL where a client certificate of the test CA is demanded.
    pub fn mtls_base_url(&self) -> String {
        format!("https://localhost:{}/api/v1", self.listeners().mtls.port)
    }

    /// The token URL where a client certificate of the test CA is demanded.
    pub fn mtls_token_url(&self) -> String {
        format!(
            "https://localhost:{}/api/v2/oauth",
            self.listeners().mtls.port
        )
    }

    /// The base URL of a TLS listener that is wrong in this way; it is opened when first asked for.
    pub fn tls_variant_base_url(&self, variant: TlsVariant) -> io::Result<String> {
        let port = self.variant_port(variant)?;
        Ok(format!("https://localhost:{port}/api/v1"))
    }

    /// The token URL of a TLS listener that is wrong in this way.
    pub fn tls_variant_token_url(&self, variant: TlsVariant) -> io::Result<String> {
        let port = self.variant_port(variant)?;
        Ok(format!("https://localhost:{port}/api/v2/oauth"))
    }

    /// `http://127.0.0.1:PORT`, below which the control endpoints `/_emulator/…` are.
    pub fn control_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.listeners().plain.port)
    }

    /// The certificate of the test CA.
    pub fn ca_pem(&self) -> &str {
        &self.authority.ca_pem
    }

    /// A client certificate of the test CA.
    pub fn client_cert_pem(&self) -> &str {
        &self.authority.client_cert_pem
    }

    /// Its key, PKCS #8.
    pub fn client_key_pem(&self) -> &str {
        &self.authority.client_key_pem
    }

    /// A server certificate of the test CA for `localhost` and its key, PKCS #8: for servers of a test's own
    /// that speak to the same clients.
    pub fn server_identity_pem(&self) -> io::Result<(String, String)> {
        self.authority.server_identity()
    }

    /// The same key encrypted with [`crate::CLIENT_KEY_PASSWORD`].
    pub fn client_key_encrypted_pem(&self) -> &str {
        self.authority.client_key_encrypted_pem()
    }

    /// An authorization key for `GIGACHAT_API_PERS`.
    pub fn authorization_key(&self) -> String {
        self.authorization_key_for("GIGACHAT_API_PERS", DEFAULT_CLIENT)
    }

    /// The authorization key of a client of this name; another name is another concurrency limit.
    pub fn authorization_key_for(&self, scope: &str, name: &str) -> String {
        access::authorization_key(scope, name)
    }

    /// The user of `POST {base}/token`.
    pub fn user(&self) -> &'static str {
        oauth::USER
    }

    /// The password of `POST {base}/token`.
    pub fn password(&self) -> &'static str {
        oauth::PASSWORD
    }

    /// A token without a request for it, for clients that are given one: of a PERS client of its own.
    pub fn access_token(&self) -> io::Result<String> {
        self.access_token_for("GIGACHAT_API_PERS", "ready-made")
    }

    /// The same for a client of this scope and name.
    pub fn access_token_for(&self, scope: &str, name: &str) -> io::Result<String> {
        let options = &self.state.options;
        let access = &self.state.access;
        let scope = access::Scope::from_name(scope)
            .ok_or_else(|| io::Error::other(format!("no scope {scope:?}")))?;
        let client = access.client(name, scope, options.concurrency);
        let token = access.issue(client, options.token_lifetime)?;
        Ok(token.to_string())
    }

    /// The faults in force.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// What was counted until now.
    pub fn counters(&self) -> Counters {
        self.state.counters.snapshot()
    }

    /// Waits until the counters are as told, at most this long; the counters either way. Blocks the thread:
    /// async tests take [`Emulator::until`].
    #[allow(
        clippy::result_large_err,
        reason = "the counters are the news in both cases"
    )]
    pub fn wait_until(
        &self,
        bound: Duration,
        reached: impl FnMut(&Counters) -> bool,
    ) -> Result<Counters, Counters> {
        self.state.counters.wait(bound, reached)
    }

    /// The same for async tests, on a runtime of theirs with time.
    #[allow(
        clippy::result_large_err,
        reason = "the counters are the news in both cases"
    )]
    pub async fn until(
        &self,
        bound: Duration,
        reached: impl FnMut(&Counters) -> bool,
    ) -> Result<Counters, Counters> {
        self.state.counters.wait_async(bound, reached).await
    }

    /// From now on every token issued so far is answered 401 `Token has expired`.
    pub fn revoke_tokens(&self) {
        self.state.access.revoke_all();
    }

    /// The last requests as they arrived, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.recorder.all()
    }

    /// How often a request with the header `X-Emulator-Call: NUMBER` came, by number, since this was
    /// last asked; whatever became of them, and however many there are.
    pub fn take_tally(&self) -> HashMap<u64, u32> {
        self.state.tally.take()
    }

    /// What the next generation request is answered with; several queue up.
    pub fn script_answer(&self, answer: Answer) {
        self.state.script.push(answer);
    }

    /// Forgets faults, scripted answers, recorded requests and counts; tokens and connections stay.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Closes every listener: new connections are refused, open ones live on.
    pub fn stop_accepting(&self) {
        let mut listeners = self.listeners();
        let closing: Vec<_> = listeners.all().filter_map(Listener::close).collect();
        drop(listeners);
        let (closed, wait) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            for task in closing {
                // It was aborted: its end is what we wait for, not its result.
                let _ = task.await;
            }
            // Nobody waits any longer if the emulator is being dropped.
            let _ = closed.send(());
        });
        // Fails only if the runtime is gone, and the listeners with it.
        let _ = wait.recv();
    }

    /// The service dies: every listener and every connection is closed.
    pub fn kill(&self) {
        self.stop_accepting();
        self.state.connections.end_all(Ending::Close);
    }

    /// Closes every connection, but goes on listening.
    pub fn close_connections(&self) {
        self.state.connections.end_all(Ending::Close);
    }

    /// Listens again on the same ports.
    pub fn restart_listener(&self) -> io::Result<()> {
        let mut listeners = self.listeners();
        for listener in listeners.all() {
            listener.reopen(&self.runtime, &self.state)?;
        }
        Ok(())
    }

    fn variant_port(&self, variant: TlsVariant) -> io::Result<u16> {
        let mut listeners = self.listeners();
        if let Some(listener) = listeners.variants.get(&variant) {
            return Ok(listener.port);
        }
        let tls = self.authority.server_config(Demand::Variant(variant))?;
        let door = Door::Everything;
        let listener = Listener::open(&self.runtime, &self.state, 0, door, Some(tls))?;
        let port = listener.port;
        listeners.variants.insert(variant, listener);
        Ok(port)
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // Its panic was printed already, and a drop must not add another.
            let _ = thread.join();
        }
    }
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    match threads {
        0 | 1 => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build(),
    }
}
