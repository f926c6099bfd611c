//! Authorization key -> access token: one request in flight per credential, whatever asks (I1),
//! and a token that is renewed before it expires (I2).
//!
//! `token` knows lifetimes, `flight` makes many callers share one refresh, `exchange` talks to
//! the token endpoint, `shared_token` asks it once for all processes of a machine, `credential` puts
//! them together.

mod credential;
mod exchange;
pub(crate) mod flight;
mod shared_token;
mod token;

pub(crate) use credential::{Credential, CredentialKey, Registry, TokenCell};
pub(crate) use exchange::TokenEndpoint;
#[cfg(feature = "fuzzing")]
pub(crate) use exchange::read_token;
pub(crate) use token::AccessToken;
