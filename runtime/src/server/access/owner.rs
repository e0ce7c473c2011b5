//! The owner's token: made at the first start, told once, kept as a salted hash in `skiff/auth.json`.

use alloc::string::String;
use core::fmt::{self, Write};

use sha2::{Digest, Sha256};

use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::{Rng, Storage};
use crate::json;

pub(super) const FILE: &str = "skiff/auth.json";
/// Random bytes of a token; written as twice as many hexadecimal digits.
pub const TOKEN_BYTES: usize = 32;
const SALT_BYTES: usize = 16;
/// Keeps what the cookie is made of apart from everything else that is hashed.
const SESSION_PURPOSE: &str = "session that reads";
/// Longer texts are not looked at.
const TEXT_BYTES_MAX: usize = 512;

/// A token that was just made; it is stored nowhere, so show it now.
#[derive(Clone, PartialEq, Eq)]
pub struct NewToken(String);

impl NewToken {
    /// Returns the text to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewToken(…)")
    }
}

/// What is kept of the owner's token.
#[derive(Clone, Debug)]
pub(super) struct OwnerToken {
    salt: [u8; SALT_BYTES],
    hash: [u8; 32],
}

impl OwnerToken {
    /// Reads the file; `None` when there is none yet.
    pub(super) fn load(storage: &mut dyn Storage) -> Result<Option<Self>, ConfigError> {
        let Some(text) = read_object(storage, FILE, FILE_BYTES_MAX)? else { return Ok(None) };
        let refuse = |what| ConfigError::new(FILE, ConfigReason::Member(what));
        let member = |name| json::member(&text, name).and_then(json::string);
        if member("algorithm").as_deref() != Some("sha256") {
            return Err(refuse("algorithm must be sha256"));
        }
        let salt = member("salt")
            .and_then(|text| unhex(&text))
            .ok_or_else(|| refuse("salt must have 32 hexadecimal digits"))?;
        let hash = member("hash")
            .and_then(|text| unhex(&text))
            .ok_or_else(|| refuse("hash must have 64 hexadecimal digits"))?;
        Ok(Some(Self { salt, hash }))
    }

    /// Makes a token.
    pub(super) fn make(rng: &mut dyn Rng) -> (Self, NewToken) {
        let (mut token, mut salt) = ([0; TOKEN_BYTES], [0; SALT_BYTES]);
        rng.fill(&mut token);
        rng.fill(&mut salt);
        let token = hex(&token);
        let hash = salted(&salt, &token);
        (Self { salt, hash }, NewToken(token))
    }

    pub(super) fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|out| {
            out.text("algorithm", "sha256").text("salt", &hex(&self.salt)).text("hash", &hex(&self.hash));
        });
        write_object(storage, FILE, &text)
    }

    /// Tells whether `text` is the token, in a time that does not depend on it.
    pub(super) fn is(&self, text: &str) -> bool {
        if text.len() > TEXT_BYTES_MAX {
            return false;
        }
        let given = salted(&self.salt, text);
        given.iter().zip(&self.hash).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }

    /// Returns the value of the cookie that reads: made of the token's hash, from which nobody finds the token.
    pub(super) fn session(&self) -> String {
        hex(&Sha256::new().chain_update(SESSION_PURPOSE).chain_update(self.salt).chain_update(self.hash).finalize())
    }
}

fn salted(salt: &[u8], token: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(token).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N.checked_mul(2)? || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
