//! Who may do what: clients with their scopes, the tokens issued to them, their slots for generation.
//!
//! The rules of the wire (headers, codes, messages) are in `oauth` and `service`.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::balance::{PREPAID, purse};

/// The scopes of the service, each with the secret that every client id of that scope has here.
const SCOPES: [(Scope, &str, &str); 3] = [
    (
        Scope::Pers,
        "GIGACHAT_API_PERS",
        "f0e1d2c3-0000-4000-8000-00000000pers",
    ),
    (
        Scope::B2b,
        "GIGACHAT_API_B2B",
        "f0e1d2c3-0000-4000-8000-000000000b2b",
    ),
    (
        Scope::Corp,
        "GIGACHAT_API_CORP",
        "f0e1d2c3-0000-4000-8000-00000000corp",
    ),
];

/// GigaChat REST reference, section 14: token requests per second.
const TOKENS_PER_SECOND: usize = 10;
/// More tokens than this are not remembered: the oldest are unknown again.
const MOST_TOKENS: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Pers,
    B2b,
    Corp,
}

impl Scope {
    pub fn from_name(name: &str) -> Option<Scope> {
        SCOPES
            .iter()
            .find(|entry| entry.1 == name)
            .map(|entry| entry.0)
    }

    fn secret(self) -> &'static str {
        match self {
            Scope::Pers => SCOPES[0].2,
            Scope::B2b => SCOPES[1].2,
            Scope::Corp => SCOPES[2].2,
        }
    }

    /// GigaChat REST reference, section 14: streams at one time.
    fn granted_concurrency(self) -> u32 {
        match self {
            Scope::Pers => 1,
            Scope::B2b | Scope::Corp => 10,
        }
    }
}

/// The authorization key of a client of this name: `base64(name:secret of the scope)`. A scope that does
/// not exist gives a key that does not exist either.
pub(crate) fn authorization_key(scope: &str, name: &str) -> String {
    let secret = Scope::from_name(scope).map_or("no-such-scope", Scope::secret);
    STANDARD.encode(format!("{name}:{secret}"))
}

/// The scope that a client's secret belongs to.
pub(crate) fn scope_of_secret(secret: &str) -> Option<Scope> {
    SCOPES
        .iter()
        .find(|entry| entry.2 == secret)
        .map(|entry| entry.0)
}

/// One authorization key as the service knows it.
pub(crate) struct Client {
    pub name: String,
    pub scope: Scope,
    /// Tokens used, by what is prepaid.
    spent: [AtomicU64; PREPAID.len()],
    limit: Option<u32>,
    in_flight: AtomicU32,
    token_requests: Mutex<VecDeque<Instant>>,
}

impl Client {
    /// So many tokens of this model were used.
    pub fn spend(&self, model: &str, tokens: usize) {
        self.spent[purse(model)].fetch_add(tokens as u64, Ordering::Relaxed);
    }

    pub fn spent(&self) -> impl Iterator<Item = u64> {
        self.spent.iter().map(|spent| spent.load(Ordering::Relaxed))
    }

    /// A slot for one generation, unless all are taken.
    pub fn take_slot(self: &Arc<Self>) -> Option<Slot> {
        let limit = self.limit;
        self.in_flight
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |taken| match limit {
                Some(limit) if taken >= limit => None,
                _ => Some(taken + 1),
            })
            .ok()?;
        Some(Slot(self.clone()))
    }

    /// Whether one more token request is within the rate.
    pub fn may_request_token(&self) -> bool {
        let now = Instant::now();
        let mut recent = self
            .token_requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while recent
            .front()
            .is_some_and(|&then| now - then >= Duration::from_secs(1))
        {
            recent.pop_front();
        }
        if recent.len() >= TOKENS_PER_SECOND {
            return false;
        }
        recent.push_back(now);
        true
    }
}

/// A generation in flight; dropping it makes room for the next.
pub(crate) struct Slot(Arc<Client>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) enum TokenState {
    Valid(Arc<Client>),
    Expired,
    Unknown,
}

struct Token {
    client: Arc<Client>,
    /// `None` is never: the lifetime is beyond what the clock can say.
    expires: Option<Instant>,
    generation: u64,
}

#[derive(Default)]
struct Tokens {
    by_text: HashMap<Arc<str>, Token>,
    by_age: VecDeque<Arc<str>>,
}

#[derive(Default)]
pub(crate) struct Access {
    clients: Mutex<HashMap<String, Arc<Client>>>,
    tokens: Mutex<Tokens>,
    /// Tokens of an earlier generation are revoked.
    generation: AtomicU64,
}

impl Access {
    /// The client with this id; its limit is settled when it is first seen.
    pub fn client(&self, id: &str, scope: Scope, concurrency: Option<u32>) -> Arc<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(id) {
            return client.clone();
        }
        let limit = match concurrency {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => Some(scope.granted_concurrency()),
        };
        let client = Arc::new(Client {
            name: id.to_owned(),
            scope,
            spent: Default::default(),
            limit,
            in_flight: AtomicU32::new(0),
            token_requests: Mutex::default(),
        });
        clients.insert(id.to_owned(), client.clone());
        client
    }

    /// A new token; it is accepted for this long.
    pub fn issue(&self, client: Arc<Client>, lifetime: Duration) -> std::io::Result<Arc<str>> {
        let text: Arc<str> = opaque_token()?.into();
        let token = Token {
            client,
            expires: Instant::now().checked_add(lifetime),
            generation: self.generation.load(Ordering::SeqCst),
        };
        let mut tokens = self.tokens();
        tokens.by_text.insert(text.clone(), token);
        tokens.by_age.push_back(text.clone());
        if tokens.by_age.len() > MOST_TOKENS
            && let Some(oldest) = tokens.by_age.pop_front()
        {
            tokens.by_text.remove(&oldest);
        }
        Ok(text)
    }

    pub fn look_up(&self, text: &str) -> TokenState {
        let tokens = self.tokens();
        let Some(token) = tokens.by_text.get(text) else {
            return TokenState::Unknown;
        };
        let revoked = token.generation < self.generation.load(Ordering::SeqCst);
        let expired = token
            .expires
            .is_some_and(|expires| Instant::now() >= expires);
        if revoked || expired {
            return TokenState::Expired;
        }
        TokenState::Valid(token.client.clone())
    }

    /// Everyone has again what he began with.
    pub fn refill(&self) {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        for spent in clients.values().flat_map(|client| &client.spent) {
            spent.store(0, Ordering::Relaxed);
        }
    }

    pub fn revoke_all(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// About 1.2 KB of text that looks like the JWE of the service and means nothing (section 2.2).
fn opaque_token() -> std::io::Result<String> {
    let mut random = [0; 880];
    getrandom::fill(&mut random).map_err(std::io::Error::from)?;
    let head = STANDARD.encode(r#"{"cty":"jwt","enc":"A256CBC-HS512","alg":"RSA-OAEP-256"}"#);
    Ok(format!(
        "{}.{}",
        head.trim_end_matches('='),
        URL_SAFE_NO_PAD.encode(random)
    ))
}
