//! Random texts that let somebody in, and the hashes that are kept of them.

use alloc::string::String;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::hal::Rng;
use crate::json;
use crate::time::UnixMillis;

/// Random bytes of a secret; 256 bits, so that its hash needs no salt.
const SECRET_BYTES: usize = 32;
/// Longer texts are refused unread.
pub(super) const TEXT_BYTES_MAX: usize = 1024;
/// Random bytes that a text can be made of, as base64.
const TEXT_LEN: usize = SECRET_BYTES.div_ceil(3) * 4;

/// What is kept of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl core::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl SecretHash {
    /// Makes the hash of a text; `purpose` keeps secrets of different kinds apart.
    #[must_use]
    pub fn of(purpose: &str, text: &str) -> Self {
        Self(Sha256::new().chain_update(purpose).chain_update(text).finalize().into())
    }

    /// Tells whether both are the same, in a time that does not depend on them.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }

    /// Returns the hash as files have it.
    #[must_use]
    pub fn text(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// Reads what [`text`](Self::text) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let read = Base64UrlUnpadded::decode(text, &mut hash).ok()?.len();
        Some(Self(hash)).filter(|_| read == 32)
    }
}

/// Makes a secret: 43 letters, digits, `-` and `_`.
pub(super) fn random(rng: &mut dyn Rng) -> String {
    let mut secret = [0; SECRET_BYTES];
    rng.fill(&mut secret);
    let mut buffer = [0; TEXT_LEN];
    // The buffer is long enough.
    Base64UrlUnpadded::encode(&secret, &mut buffer).unwrap_or_default().into()
}

/// Who a token is for, as apps read it in its middle part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claims<'a> {
    /// Name of the bearer.
    pub(super) id: &'a str,
    /// Whether the bearer is a device.
    pub(super) is_device: bool,
    /// When it was made.
    pub(super) made: UnixMillis,
    /// When it ends.
    pub(super) ends: Option<UnixMillis>,
}

/// Makes a token: head, claims, secret in the form of a JWT; times in seconds (RFC 7519 §2).
pub(super) fn token(claims: Claims<'_>, rng: &mut dyn Rng) -> String {
    let payload = json::object(|out| {
        out.text("id", claims.id);
        if claims.is_device {
            out.text("device", claims.id);
        }
        if claims.made.is_known() {
            out.number("iat", claims.made.0.div_euclid(1000));
        }
        if let Some(ends) = claims.ends {
            out.number("exp", ends.0.div_euclid(1000));
        }
    });
    // Apps look at the middle part only; `none` would be taken for a token that anybody can make.
    let head = json::object(|out| {
        out.text("alg", "HS256").text("typ", "JWT");
    });
    let [head, payload] = [head, payload].map(|part| Base64UrlUnpadded::encode_string(part.as_bytes()));
    [head, payload, random(rng)].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Counting;

    #[test]
    fn a_hash_is_read_back_and_tells_kinds_apart() {
        let hash = SecretHash::of("a", "text");
        assert!(SecretHash::parse(&hash.text()).unwrap().is(&hash));
        assert!(!SecretHash::of("b", "text").is(&hash) && !SecretHash::of("a", "texu").is(&hash));
        for wrong in ["", "AAAA", "ü", &"A".repeat(100)] {
            assert_eq!(SecretHash::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let mut rng = Counting(1);
        let (first, second) = (random(&mut rng), random(&mut rng));
        assert_eq!(first.len(), 43);
        assert_ne!(first, second);
    }
}
