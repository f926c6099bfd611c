//! What the callers share: providers in Rust and in C for each lane, the books, the next call's number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gigachat_core::{Client, Config, GigaChat};

use crate::books::{Books, End, FIRST_MARK, GetBook};
use crate::c_api::CProvider;
use crate::c_config::CConfig;
use crate::plan::{Cancel, LANES, Lane, Plan};
use crate::server::Server;

/// How long a call may take that only a time limit ends: long enough for it to be sent, however busy the
/// machine is.
pub const SHORT: Duration = Duration::from_secs(2);
/// The same for the silence in the middle of a stream.
pub const SILENCE: Duration = Duration::from_millis(100);
const REFUSED: &str = r#"{"type":"status","code":500}"#;

/// The same lane through both interfaces. They agree in everything that makes them share a credential.
pub struct LaneProviders {
    rust: Client,
    c: CProvider,
}

/// A provider for health checks and lists of models. These take no headers of their own, so the
/// provider's say which it is, and ask for the fault.
struct GetProviders {
    rust: Client,
    c: CProvider,
    rust_attempts: AtomicU64,
    c_attempts: AtomicU64,
    mark: u64,
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Refused,
    Cancelled,
}

pub struct World {
    pub books: Books,
    pub plant: Option<Plant>,
    lanes: Vec<LaneProviders>,
    gets: Vec<GetProviders>,
    rules: Rules,
    next: AtomicU64,
    end: AtomicU64,
}

/// What every plan is drawn from.
#[derive(Clone, Copy)]
pub struct Rules {
    pub seed: u64,
    pub round: u64,
    /// So many calls of each round come first: generations only, into expired tokens.
    pub storm: u64,
}

/// A fault of the soak's own, to show that it is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Every second answer is never freed.
    Leak,
    /// Every thousandth attempt is counted twice.
    Miscount,
}

impl World {
    pub fn open(
        server: &Server,
        rules: Rules,
        calls: u64,
        plant: Option<Plant>,
    ) -> gigachat_core::Result<World> {
        let mut lanes = Vec::new();
        let mut gets = Vec::new();
        for lane in LANES {
            lanes.push(LaneProviders {
                rust: Client::new(GigaChat::new(rust_config(server, lane, &[])?)?),
                c: CProvider::new(&c_config(server, lane, &[])),
            });
            for style in [Style::Plain, Style::Refused, Style::Cancelled] {
                let mark = FIRST_MARK + 2 * gets.len() as u64;
                let headers = |mark: u64| {
                    let mut headers = vec![("x-emulator-call", mark.to_string())];
                    if style == Style::Refused {
                        headers.push(("x-emulator-fault", REFUSED.to_owned()));
                    }
                    headers
                };
                gets.push(GetProviders {
                    rust: Client::new(GigaChat::new(rust_config(server, lane, &headers(mark))?)?),
                    c: CProvider::new(&c_config(server, lane, &headers(mark + 1))),
                    rust_attempts: AtomicU64::new(0),
                    c_attempts: AtomicU64::new(0),
                    mark,
                    style,
                });
            }
        }
        Ok(World {
            books: Books::new(rules, calls),
            plant,
            lanes,
            gets,
            rules,
            next: AtomicU64::new(0),
            end: AtomicU64::new(0),
        })
    }

    /// Lets the callers go on until this number.
    pub fn go_on_until(&self, end: u64) {
        // Callers that found the phase over have drawn numbers beyond its end.
        self.next
            .fetch_min(self.end.load(Ordering::SeqCst), Ordering::SeqCst);
        self.end.store(end, Ordering::SeqCst);
    }

    /// The next call to make; none when the phase is over.
    pub fn next(&self) -> Option<Plan> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        (number < self.end.load(Ordering::SeqCst)).then(|| Plan::draw(self.rules, number))
    }

    pub fn rust(&self, lane: Lane) -> &Client {
        &self.lanes[lane as usize].rust
    }

    pub fn c(&self, lane: Lane) -> &CProvider {
        &self.lanes[lane as usize].c
    }

    fn get(&self, plan: &Plan) -> &GetProviders {
        let style = match (plan.cancel, plan.fault) {
            (Cancel::Never, None) => Style::Plain,
            (Cancel::Never, Some(_)) => Style::Refused,
            _ => Style::Cancelled,
        };
        &self.gets[plan.lane as usize * 3 + style as usize]
    }

    /// The providers of a health check or list of models.
    pub fn rust_get(&self, plan: &Plan) -> &Client {
        &self.get(plan).rust
    }

    pub fn c_get(&self, plan: &Plan) -> &CProvider {
        &self.get(plan).c
    }

    /// The end of a health check or list of models: its attempts are the provider's.
    pub fn get_ended(&self, plan: &Plan, through_c: bool, end: End) {
        let get = self.get(plan);
        let attempts = if through_c {
            &get.c_attempts
        } else {
            &get.rust_attempts
        };
        if let End::Answered(count) | End::Failed(count) = end {
            attempts.fetch_add(u64::from(count), Ordering::SeqCst);
        }
        self.books.ended(plan.number, end);
    }

    pub fn get_books(&self) -> Vec<(u64, GetBook)> {
        let book = |get: &GetProviders, attempts: &AtomicU64| GetBook {
            attempts: attempts.load(Ordering::SeqCst),
            cancellable: get.style == Style::Cancelled,
        };
        let pairs = self.gets.iter().flat_map(|get| {
            [
                (get.mark, book(get, &get.rust_attempts)),
                (get.mark + 1, book(get, &get.c_attempts)),
            ]
        });
        pairs.collect()
    }

    /// Attempts as they are to be entered: as they were, unless a miscount is planted.
    pub fn attempts(&self, plan: &Plan, attempts: u32) -> u32 {
        attempts
            + u32::from(self.plant == Some(Plant::Miscount) && plan.number.is_multiple_of(1000))
    }
}

/// A list of models does not tell its attempts: it makes one only.
fn retries(headers: &[(&str, String)]) -> u32 {
    if headers.is_empty() { 2 } else { 0 }
}

/// Permits are tried on one lane; the others have no limit.
fn concurrency(lane: Lane) -> u32 {
    if lane == Lane::Http2 { 24 } else { 0 }
}

fn rust_config(
    server: &Server,
    lane: Lane,
    headers: &[(&str, String)],
) -> gigachat_core::Result<Config> {
    let mut config = Config::new(server.key(lane))?;
    config.set_scope("GIGACHAT_API_CORP")?;
    config.set_base_url(server.base_url(lane))?;
    config.set_token_url(server.token_url())?;
    config.set_ca_bundle_pem(server.ca_pem())?;
    config.set_max_concurrency(concurrency(lane))?;
    config.set_max_retries(retries(headers))?;
    config.set_retry_broken_connections(lane != Lane::Http1);
    // A planned fault comes with each attempt, so it would be waited out for ever.
    config.set_wait_on_rate_limit(false);
    for (name, value) in headers {
        config.set_extra_header(name, value)?;
    }
    Ok(config)
}

fn c_config(server: &Server, lane: Lane, headers: &[(&str, String)]) -> CConfig {
    let config = CConfig::new(server.key(lane), "GIGACHAT_API_CORP");
    config.urls(server.base_url(lane), server.token_url(), server.ca_pem());
    config.limits(concurrency(lane), retries(headers), lane != Lane::Http1);
    for (name, value) in headers {
        config.extra_header(name, value);
    }
    config
}
