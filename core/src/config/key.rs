//! Tells an authorization key from what is taken for one. The service answers all of these with
//! "Can't decode 'Authorization' header", which helps nobody.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{Error, Result};
use crate::secret::Secret;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// An authorization key is base64 (RFC 4648, section 4) of `client_id:client_secret`; the
/// customer cabinet shows it once. The text is never repeated in the error (I13).
pub(super) fn check(field: &str, key: &Secret) -> Result<()> {
    let text = key.expose();
    let (seen, accepted) = if text.starts_with(['"', '\'', '`']) || text.ends_with(['"', '\'', '`'])
    {
        ("a text in quotes", "the key alone, without quotes")
    } else if text.contains(':') {
        (
            "a text with a colon, as in client_id:client_secret,",
            "the base64 of both, the authorization key of the customer cabinet",
        )
    } else if is_uuid(text) {
        (
            "a UUID, as client id and client secret are,",
            "the authorization key of the customer cabinet, the base64 of client_id:client_secret",
        )
    } else if text.starts_with("eyJ") && text.contains('.') {
        (
            "an access token",
            "the authorization key of the customer cabinet; a token belongs into access_token",
        )
    } else if ENGINE.decode(text).map(zeroize::Zeroizing::new).is_err() {
        (
            "a text that is no base64",
            "the authorization key as copied from the customer cabinet, the base64 of client_id:client_secret",
        )
    } else {
        return Ok(());
    };
    Err(Error::configuration(field, seen, accepted))
}

/// Five groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let mut lengths = [8, 4, 4, 4, 12].into_iter();
    let all = text.split('-').all(|group| {
        lengths.next() == Some(group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    all && lengths.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::secret::Secret;

    #[test]
    fn what_is_no_key_is_told_apart() {
        let cases = [
            ("\"aWQ6c2VjcmV0\"", "quotes"),
            ("'aWQ6c2VjcmV0'", "quotes"),
            ("aWQ6c2VjcmV0\"", "quotes"),
            ("id:secret", "colon"),
            ("0e2a1f6c-0d3b-4c6e-9d53-3a1b2c3d4e5f", "UUID"),
            ("0E2A1F6C-0D3B-4C6E-9D53-3A1B2C3D4E5F", "UUID"),
            ("eyJhbGciOi.eyJzdWIi.c2ln", "access token"),
            ("your_authorization_key", "no base64"),
            ("aWQ6c2VjcmV0=aWQ6", "no base64"),
            ("a", "no base64"),
        ];
        for (text, says) in cases {
            let error = check("authorization_key", &Secret::new(text)).expect_err(text);
            assert!(error.message().contains(says), "{text}: {error}");
            assert!(
                !error.message().contains(text) || text.len() == 1,
                "{error}"
            );
        }
    }

    #[test]
    fn a_key_passes_with_its_padding_and_without() {
        for text in [
            "aWQ6c2VjcmV0",
            "aWQ6c2VjcmU=",
            "aWQ6c2VjcmU",
            "d3Jvbmc6a2V5",
            "a+/b",
        ] {
            assert!(
                check("authorization_key", &Secret::new(text)).is_ok(),
                "{text}"
            );
        }
    }
}
