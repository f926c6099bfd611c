//! One access token for all processes of a machine (I20): whoever has the lock of the token's file
//! fetches, the others read what it left.
//!
//! The file is a help, never a condition: a process that cannot lock, read or write it asks the token
//! endpoint itself.

use std::time::Duration;

use super::exchange::{REFRESH_LIMIT, TokenEndpoint, taken_over};
use super::token::{AccessToken, renewal_margin};
use crate::error::Result;
use crate::host::{HostShare, SharedToken};
use crate::secret::Secret;

/// A token that others left, or a new one. `refused` is one that the service takes no more.
pub(super) async fn fetch(
    share: &HostShare,
    endpoint: &TokenEndpoint,
    refused: Option<&Secret>,
) -> Result<AccessToken> {
    // Who has the lock is done within the limit of a refresh, unless it was stopped.
    let lock = match tokio::time::timeout(REFRESH_LIMIT, share.lock_token()).await {
        Ok(Ok(lock)) => lock,
        Ok(Err(why)) => {
            tell(share, &why);
            return endpoint.fetch().await;
        }
        Err(_) => {
            tell(share, &"its lock is held for too long");
            return endpoint.fetch().await;
        }
    };
    match share.read_token(&lock) {
        Ok(Some(left)) if is_fresh(&left) && Some(&left.text) != refused => {
            return Ok(taken_over(left.text, left.left));
        }
        Ok(_) => {}
        Err(why) => tell(share, &why),
    }
    let token = endpoint.fetch().await?;
    if let Some(lifetime) = token.lifetime() {
        let left = SharedToken {
            text: token.text.clone(),
            left: lifetime,
            lifetime,
        };
        if let Err(why) = share.write_token(&lock, &left) {
            tell(share, &why);
        }
    }
    Ok(token)
}

/// A token that is due for renewal is renewed now, for all.
fn is_fresh(token: &SharedToken) -> bool {
    token.left > renewal_margin(token.lifetime).max(Duration::from_millis(1))
}

fn tell(share: &HostShare, why: &dyn std::fmt::Display) {
    tracing::warn!(target: "gigachat::auth", folder = %share.path().display(), %why, "the access token cannot be shared with other processes");
}
