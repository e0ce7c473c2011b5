//! Who the own vessel is: a UUID made once and kept in `skiff/identity.json`.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use super::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::{Rng, Storage};
use crate::json;

const FILE: &str = "skiff/identity.json";
const URN: &str = "urn:mrn:signalk:uuid:";

/// Context of the own vessel where nothing may be stored: sample, replay, scenario tests.
pub const SAMPLE_SELF_CONTEXT: &str = "vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001";

/// The own vessel's name on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    urn: String,
}

impl Identity {
    /// Reads the identity, or makes it at the first start: `wanted` (of `settings.json`) when it is
    /// given, else a random UUID of version 4 (RFC 9562 §5.4).
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged (it is kept) or cannot be written.
    pub fn open_or_create(
        storage: &mut dyn Storage,
        rng: &mut dyn Rng,
        wanted: Option<&str>,
    ) -> Result<Self, ConfigError> {
        if let Some(text) = read_object(storage, FILE, FILE_BYTES_MAX)? {
            let urn = json::member(&text, "self").and_then(json::string).filter(|urn| is_uuid_urn(urn));
            let refuse = || ConfigError::new(FILE, ConfigReason::Member("self must read urn:mrn:signalk:uuid:<uuid>"));
            return Ok(Self { urn: urn.ok_or_else(refuse)?.into_owned() });
        }
        let urn = match wanted.filter(|urn| is_uuid_urn(urn)) {
            Some(urn) => urn.into(),
            None => random_urn(rng),
        };
        write_object(
            storage,
            FILE,
            &json::object(|record| {
                record.text("self", &urn);
            }),
        )?;
        Ok(Self { urn })
    }

    /// Returns `urn:mrn:signalk:uuid:<uuid>`.
    #[must_use]
    pub fn urn(&self) -> &str {
        &self.urn
    }

    /// Returns `vessels.urn:mrn:signalk:uuid:<uuid>`, the context of the own vessel.
    #[must_use]
    pub fn self_context(&self) -> String {
        format!("vessels.{}", self.urn)
    }
}

fn random_urn(rng: &mut dyn Rng) -> String {
    format!("{URN}{}", random_uuid(rng))
}

/// Makes a random UUID of version 4 (RFC 9562 §5.4).
#[must_use]
pub fn random_uuid(rng: &mut dyn Rng) -> String {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    let mut bits = u128::from_be_bytes(bytes);
    bits = bits & !(0xf << 76) | 0x4 << 76;
    bits = bits & !(0x3 << 62) | 0x2 << 62;
    let digits = format!("{bits:032x}");
    let mut uuid = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        // Writing into a String cannot fail.
        let _ = uuid.write_char(digit);
    }
    uuid
}

/// Tells whether `text` is `urn:mrn:signalk:uuid:` and a UUID in lower or upper case.
pub(super) fn is_uuid_urn(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix(URN) else {
        return false;
    };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Counting, Files};
    use super::*;
    use std::string::ToString;

    #[test]
    fn is_made_once_and_kept() {
        let mut files = Files::default();
        let first = Identity::open_or_create(&mut files, &mut Counting(0), None).unwrap();
        assert_eq!(first.self_context(), "vessels.urn:mrn:signalk:uuid:00010203-0405-4607-8809-0a0b0c0d0e0f");
        let again = Identity::open_or_create(&mut files, &mut Counting(77), None).unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn takes_over_the_uuid_of_an_installation() {
        let urn = "urn:mrn:signalk:uuid:6b0e776f-811a-4b35-980e-b93405371bc5";
        let mut files = Files::default();
        assert_eq!(Identity::open_or_create(&mut files, &mut Counting(0), Some(urn)).unwrap().urn(), urn);
        assert_eq!(Identity::open_or_create(&mut files, &mut Counting(0), None).unwrap().urn(), urn);
    }

    #[test]
    fn a_damaged_file_is_never_overwritten() {
        for text in ["{\"self\":\"urn:mrn:imo:mmsi:1\"}", "{}", "{\"self"] {
            let mut files = Files::with(FILE, text);
            let error = Identity::open_or_create(&mut files, &mut Counting(0), None).unwrap_err();
            assert!(error.to_string().starts_with("skiff/identity.json: "), "{error}");
            assert_eq!(files.text(FILE), text);
        }
    }

    #[test]
    fn the_sample_identity_is_well_formed() {
        assert!(is_uuid_urn(SAMPLE_SELF_CONTEXT.strip_prefix("vessels.").unwrap()));
        assert!(!is_uuid_urn("urn:mrn:signalk:uuid:6b0e776f-811a-4b35-980e-b93405371bcé"));
    }
}
