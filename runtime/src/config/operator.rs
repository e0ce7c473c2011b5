//! What the operator says about single plugins: `skiff/plugins.json`.
//!
//! An object by package name: `{"@acme/tide":{"fetch":["127.0.0.1:8080"],"sockets":["127.0.0.1:2947"],
//! "serialPorts":["/dev/ttyUSB0"],"memoryBytes":40960}}`. Members a module does not know belong to others and are left alone.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object};
use crate::hal::Storage;
use crate::json;

/// Key of the file.
pub const OPERATOR_FILE: &str = "skiff/plugins.json";
/// Entries of one list.
const ENTRIES_MAX: usize = 64;
/// Bytes of one entry.
const ENTRY_BYTES_MAX: usize = 255;

/// The operator's grants for one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// Destinations that are closed by default (loopback, link-local): `fetch`.
    pub fetch: Vec<String>,
    /// Places on this machine that its sockets may reach: `sockets`.
    pub sockets: Vec<String>,
    /// Serial ports it may open: `serialPorts`.
    pub serial_ports: Vec<String>,
    /// Memory that it is promised, bytes, where the operator knows better than a trial of its start: `memoryBytes`.
    #[cfg(feature = "engine-chip")]
    pub memory_bytes: Option<u64>,
}

impl Operator {
    /// Reads what stands there for a package; without file or entry it allows nothing more.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged or a list is none.
    pub fn load(storage: &mut dyn Storage, package: &str) -> Result<Self, ConfigError> {
        let Some(text) = read_object(storage, OPERATOR_FILE, FILE_BYTES_MAX)? else { return Ok(Self::default()) };
        let Some(entry) = json::member(&text, package) else { return Ok(Self::default()) };
        let list = |name: &str, clause| match json::member(entry, name) {
            None => Ok(Vec::new()),
            Some(list) => strings(list).ok_or_else(|| ConfigError::new(OPERATOR_FILE, ConfigReason::Member(clause))),
        };
        Ok(Self {
            fetch: list("fetch", "fetch must be a list of at most 64 texts")?,
            sockets: list("sockets", "sockets must be a list of at most 64 texts")?,
            serial_ports: list("serialPorts", "serialPorts must be a list of at most 64 texts")?,
            #[cfg(feature = "engine-chip")]
            memory_bytes: json::member(entry, "memoryBytes").map(bytes).transpose()?,
        })
    }
}

/// Reads a count of bytes.
#[cfg(feature = "engine-chip")]
fn bytes(text: &str) -> Result<u64, ConfigError> {
    let wrong = || ConfigError::new(OPERATOR_FILE, ConfigReason::Member("memoryBytes must be a whole number"));
    text.trim().parse().map_err(|_| wrong())
}

/// Reads a bounded list of texts.
fn strings(list: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let read = json::items::<json::JsonError>(list, |item| {
        let text = json::string(item).filter(|text| text.len() <= ENTRY_BYTES_MAX);
        match text {
            Some(text) if out.len() < ENTRIES_MAX => out.push(text.to_string()),
            _ => return Err(json::JsonError::WrongKind),
        }
        Ok(())
    });
    read.is_ok().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::super::fake::Files;
    use super::*;

    fn load(text: &str) -> Result<Operator, String> {
        Operator::load(&mut Files::with(OPERATOR_FILE, text), "@acme/tide").map_err(|error| error.to_string())
    }

    #[test]
    fn each_package_has_its_own_lists() {
        let text = r#"{"@acme/tide":{"fetch":["127.0.0.1:8080"],"subscribe":["a"]},"other":{"fetch":["x"]}}"#;
        let operator = load(text).unwrap();
        assert_eq!((operator.fetch, operator.serial_ports), (std::vec!["127.0.0.1:8080".into()], Vec::new()));
        assert_eq!(load("{}"), Ok(Operator::default()));
        assert_eq!(Operator::load(&mut Files::default(), "x"), Ok(Operator::default()));
    }

    #[cfg(feature = "engine-chip")]
    #[test]
    fn the_memory_that_is_promised_is_a_whole_number() {
        let of = |number: &str| load(&std::format!(r#"{{"@acme/tide":{{"memoryBytes":{number}}}}}"#));
        assert_eq!(of("40960").unwrap().memory_bytes, Some(40_960));
        assert_eq!(load("{}").unwrap().memory_bytes, None);
        for wrong in ["-1", "1.5", "\"40960\"", "null", "99999999999999999999"] {
            assert_eq!(of(wrong).unwrap_err(), "skiff/plugins.json: memoryBytes must be a whole number", "{wrong}");
        }
    }

    #[test]
    fn what_is_no_list_of_texts_is_told() {
        for list in ["{}", "\"a\"", "[1]", "[null]"] {
            let error = load(&std::format!(r#"{{"@acme/tide":{{"serialPorts":{list}}}}}"#)).unwrap_err();
            assert_eq!(error, "skiff/plugins.json: serialPorts must be a list of at most 64 texts", "{list}");
        }
    }
}
