//! The hash that a registry names for an archive (W3C, "Subresource Integrity"), and whether an archive has it.

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha512};

/// Bytes of a SHA-512 hash.
const HASH_BYTES: usize = 64;
/// What stands before it.
const PREFIX: &str = "sha512-";

/// A SHA-512 hash. Others are not taken: SHA-1, which old packages have, can be made to order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integrity([u8; HASH_BYTES]);

impl Integrity {
    /// Reads `sha512-…`; of several hashes, parted by blanks, the first that is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().find_map(|hash| {
            let coded = hash.strip_prefix(PREFIX)?.split('?').next()?;
            let mut bytes = [0; HASH_BYTES];
            let length = Base64::decode(coded, &mut bytes).ok()?.len();
            (length == HASH_BYTES).then_some(Self(bytes))
        })
    }

    /// Returns the hash of an archive.
    #[must_use]
    pub fn of(archive: &[u8]) -> Self {
        Self(Sha512::digest(archive).into())
    }
}

impl std::fmt::Display for Integrity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{}", Base64::encode_string(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Integrity::of(b"abc");
        // FIPS 180-2, appendix C.1: SHA-512 of "abc" begins with ddaf35a1 93617aba.
        assert_eq!(hash.0[..8], [0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba]);
        let text = hash.to_string();
        assert_eq!(Integrity::parse(&text), Some(hash));
        assert_eq!(Integrity::parse(&format!("sha1-x {text}?option")), Some(hash));
        for text in ["", "sha512-", "sha512-AAAA", "sha256-AAAA", &text[..text.len() - 4]] {
            assert_eq!(Integrity::parse(text), None, "{text}");
        }
    }
}
