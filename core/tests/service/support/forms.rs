//! The shapes in which a secret may come to light: as it is, in base64 at any alignment, decoded, in percent
//! signs, in hexadecimal digits.
//!
//! For the tests that look for secrets in what the library says; knows nothing of the library.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Every form of a secret that is looked for.
pub fn of(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
        for before in 0..3 {
            // Behind other bytes ("user:") base64 looks different; what depends on neighbours is cut off.
            let shifted = [&b"xxx"[..before], secret.as_bytes()].concat();
            let encoded = engine.encode(&shifted);
            let begin = if before == 0 { 0 } else { before + 1 };
            forms.push(encoded[begin..encoded.len() - 2].to_owned());
        }
    }
    if let Ok(decoded) = STANDARD.decode(secret) {
        // An authorization key is `base64(client:secret)`; both halves are secrets.
        forms.extend(
            String::from_utf8_lossy(&decoded)
                .split(':')
                .map(str::to_owned),
        );
    }
    let hexadecimal = |byte: u8| format!("{byte:02x}");
    forms.push(secret.bytes().map(hexadecimal).collect());
    // `[77, 65, 82]`: bytes under `Debug`.
    forms.push(
        format!("{:?}", secret.as_bytes())
            .trim_matches(['[', ']'])
            .to_owned(),
    );
    forms.retain(|form| form.len() >= 8);
    forms
}
