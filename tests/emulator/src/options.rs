//! What a program may choose before the emulator starts: ports, limits, threads.
//!
//! What changes while it runs (faults, scripted answers, revoked tokens) is not here: see `faults` and `script`.

use std::time::Duration;

/// The switches of one emulator. The default is the service as it is, on ports that the system chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Generation requests in flight per authorization key; one more is answered 429. `None` means what
    /// the service grants: 1 for `GIGACHAT_API_PERS`, 10 for `GIGACHAT_API_B2B` and `GIGACHAT_API_CORP`.
    /// `Some(0)` means no limit.
    pub concurrency: Option<u32>,
    /// How long an access token is accepted.
    pub token_lifetime: Duration,
    /// Whether the eleventh token request of one key within a second is answered 429.
    pub token_rate_limit: bool,
    /// An HTTP/1.1 connection that is idle for this long is closed, as the service's front does.
    pub keep_alive: Duration,
    /// Port of the plain HTTP listener; 0 lets the system choose.
    pub http_port: u16,
    /// Port of the TLS listener for the API; 0 lets the system choose.
    pub https_port: u16,
    /// Port of the TLS listener for tokens; 0 lets the system choose.
    pub oauth_port: u16,
    /// Port of the TLS listener that demands a client certificate; 0 lets the system choose.
    pub mtls_port: u16,
    /// Whether an API request without `User-Agent` is answered 403, as on the new host.
    pub require_user_agent: bool,
    /// Whether the schema of a function must name a `type` at every level, as the service demanded at one
    /// time; a missing one is answered 422 then.
    pub strict_schemas: bool,
    /// Bytes of uploaded and made files that are kept in memory; then the oldest are forgotten.
    pub most_file_bytes: usize,
    /// Streams that a client may have open on one HTTP/2 connection (`SETTINGS_MAX_CONCURRENT_STREAMS`); `None`
    /// is the server's usual number.
    pub most_streams: Option<u32>,
    /// Whether requests are kept for [`crate::Emulator::requests`]. Off for benchmarks.
    pub record: bool,
    /// Threads that serve; 1 is a runtime of one thread.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            concurrency: None,
            token_lifetime: Duration::from_secs(30 * 60),
            token_rate_limit: true,
            keep_alive: Duration::from_secs(15),
            http_port: 0,
            https_port: 0,
            oauth_port: 0,
            mtls_port: 0,
            require_user_agent: true,
            strict_schemas: false,
            most_file_bytes: 256 << 20,
            most_streams: None,
            record: true,
            threads: 1,
        }
    }
}
