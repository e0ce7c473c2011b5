//! What the gateway does on the NMEA 2000 bus besides listening: `skiff/n2k.json`, and what it keeps of it.
//!
//! ```json
//! {
//!   "node": {"enabled": true, "deviceInstance": 0, "systemInstance": 0, "address": 100, "installation": ["bridge", ""]},
//!   "useCanName": true,
//!   "send": ["environment.wind.*", "electrical.switches.*"],
//!   "relay": [127250, 130306]
//! }
//! ```
//!
//! Without the file, or without `enabled`, nothing is ever sent. `skiff/n2k-node.json` holds the unique number and last
//! address by interface.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::{Rng, Storage};
use crate::json;
use crate::n2k::SourceAddress;
use crate::n2k::node::{ADDRESS_MAX, CONFIGURATION_TEXT_MAX, Name, NameParts};
use crate::paths::Pattern;

/// Key of the configuration.
pub const N2K_FILE: &str = "skiff/n2k.json";
/// Key of what a node keeps.
const KEPT_FILE: &str = "skiff/n2k-node.json";
/// Largest PGN that a CAN frame can carry.
#[cfg(feature = "outputs")]
const PGN_MAX: u32 = 0x3_ffff;
/// Patterns of `send`.
const SEND_MAX: usize = 64;
/// Address that is tried first when none is configured and none was kept.
const ADDRESS_FIRST: SourceAddress = SourceAddress(100);

/// What `skiff/n2k.json` says.
#[derive(Clone, Debug)]
pub struct N2kConfig {
    /// `node`; `None` only listens.
    pub node: Option<NodeConfig>,
    /// `send`: the paths whose values go to the bus.
    pub send: Vec<Pattern>,
    /// `useCanName`: `$source` names a device by its NAME once that was heard, else always by its address.
    pub use_can_name: bool,
    /// `relay`: what clients of outputs may put on the bus.
    #[cfg(feature = "outputs")]
    pub relay: Relay,
}

/// Which messages of clients of outputs go to the bus: `false` (the default), `true`, or a list of PGNs.
#[cfg(feature = "outputs")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Relay {
    /// None.
    #[default]
    Nothing,
    /// All but those of the network itself.
    All,
    /// These.
    Pgns(Vec<u32>),
}

#[cfg(feature = "outputs")]
impl Relay {
    fn read(text: &str) -> Result<Self, ConfigError> {
        let clause = "relay must be true, false or a list of at most 64 PGNs";
        if let Some(all) = json::boolean(text) {
            return Ok(if all { Self::All } else { Self::Nothing });
        }
        let mut pgns = Vec::new();
        let read = json::items::<ConfigError>(text, |item| {
            match item.parse().ok().filter(|pgn| *pgn <= PGN_MAX) {
                Some(pgn) if pgns.len() < SEND_MAX => pgns.push(pgn),
                _ => return Err(refuse(clause)),
            }
            Ok(())
        });
        read.map(|()| Self::Pgns(pgns)).map_err(|_| refuse(clause))
    }

    /// Tells whether a PGN is one of them.
    #[must_use]
    pub fn has(&self, pgn: u32) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Pgns(pgns) => pgns.contains(&pgn),
        }
    }
}

impl Default for N2kConfig {
    fn default() -> Self {
        Self {
            node: None,
            send: Vec::new(),
            use_can_name: true,
            #[cfg(feature = "outputs")]
            relay: Relay::Nothing,
        }
    }
}

/// What `node` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeConfig {
    /// NAME without its unique number, which is made and kept.
    pub name: NameParts,
    /// `address`: the one to try first.
    pub address: Option<SourceAddress>,
    /// `installation`: two texts of the installer.
    pub installation: [String; 2],
}

fn refuse(clause: &'static str) -> ConfigError {
    ConfigError::new(N2K_FILE, ConfigReason::Member(clause))
}

/// Reads a whole number up to `max`; an absent one is `default`.
fn number(object: &str, name: &str, max: u64, default: u64, clause: &'static str) -> Result<u64, ConfigError> {
    let Some(text) = json::member(object, name) else { return Ok(default) };
    text.parse().ok().filter(|number| *number <= max).ok_or_else(|| refuse(clause))
}

impl N2kConfig {
    /// Reads the configuration; `node` of the command line switches the node on where the file does not speak of it.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged, says what cannot be meant, or wants to send without a node.
    pub fn load(storage: &mut dyn Storage, node: bool) -> Result<Self, ConfigError> {
        let text = read_object(storage, N2K_FILE, FILE_BYTES_MAX)?.unwrap_or_else(|| "{}".to_string());
        Self::parse(&text, node)
    }

    /// Reads the configuration from its text, compact JSON.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(text: &str, node: bool) -> Result<Self, ConfigError> {
        let mut config = Self { node: node.then(NodeConfig::default), ..Self::default() };
        if let Some(value) = json::member(text, "useCanName") {
            config.use_can_name = json::boolean(value).ok_or_else(|| refuse("useCanName must be true or false"))?;
        }
        match json::member(text, "node") {
            None | Some("null") => {}
            Some("true") => config.node = Some(NodeConfig::default()),
            Some("false") if node => {}
            Some("false") => config.node = None,
            Some(object) if object.starts_with('{') => {
                let enabled = json::member(object, "enabled").map(json::boolean);
                match enabled {
                    Some(None) => return Err(refuse("node.enabled must be true or false")),
                    Some(Some(true)) => config.node = Some(NodeConfig::read(object)?),
                    _ if node => config.node = Some(NodeConfig::read(object)?),
                    _ => {}
                }
            }
            Some(_) => return Err(refuse("node must be true, false or an object")),
        }
        if let Some(list) = json::member(text, "send") {
            let clause = "send must be a list of at most 64 path patterns";
            json::items::<ConfigError>(list, |item| {
                let pattern =
                    json::string(item).filter(|text| !text.is_empty()).and_then(|text| Pattern::of_path(&text).ok());
                match pattern {
                    Some(pattern) if config.send.len() < SEND_MAX => config.send.push(pattern),
                    _ => return Err(refuse(clause)),
                }
                Ok(())
            })
            .map_err(|_| refuse(clause))?;
        }
        #[cfg(feature = "outputs")]
        if let Some(relay) = json::member(text, "relay") {
            config.relay = Relay::read(relay)?;
            if config.relay != Relay::Nothing && config.node.is_none() {
                return Err(refuse("relay needs node.enabled, or --node on the command line"));
            }
        }
        if !config.send.is_empty() && config.node.is_none() {
            return Err(refuse("send needs node.enabled, or --node on the command line"));
        }
        Ok(config)
    }

    /// Changes members of the file: `node` (true or false; what else stands there of it stays), `send`, `relay`; what is not
    /// named stays. Returns what it says then.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged, what it would say cannot be meant, or storage fails; it stays as it was.
    #[cfg(any(test, feature = "server-routes"))]
    pub fn change(storage: &mut dyn Storage, node: bool, changes: &str) -> Result<Self, ConfigError> {
        let mut text = read_object(storage, N2K_FILE, FILE_BYTES_MAX)?.unwrap_or_else(|| "{}".to_string());
        json::members::<ConfigError>(changes, |name, value| {
            text = match name {
                "node" => {
                    json::boolean(value).ok_or_else(|| refuse("node is switched by true or false"))?;
                    let object = json::member(&text, "node").filter(|object| object.starts_with('{'));
                    json::with_member(&text, "node", &json::with_member(object.unwrap_or("{}"), "enabled", value))
                }
                "send" | "relay" => json::with_member(&text, name, value),
                _ => return Err(refuse("only node, send and relay are changed here")),
            };
            Ok(())
        })?;
        let config = Self::parse(&text, node)?;
        if super::pretty(&text).len() > FILE_BYTES_MAX as usize {
            return Err(ConfigError::new(N2K_FILE, ConfigReason::Storage(crate::hal::StorageError::Full)));
        }
        write_object(storage, N2K_FILE, &text)?;
        Ok(config)
    }
}

impl NodeConfig {
    fn read(object: &str) -> Result<Self, ConfigError> {
        let byte = |name, max, default: u8, clause| {
            number(object, name, max, default.into(), clause).map(|number| u8::try_from(number).unwrap_or(u8::MAX))
        };
        let own = NameParts::default();
        let manufacturer =
            number(object, "manufacturer", 0x7ff, own.manufacturer.into(), "node.manufacturer is 0 to 2047")?;
        let name = NameParts {
            unique_number: 0,
            manufacturer: u16::try_from(manufacturer).unwrap_or(own.manufacturer),
            device_instance: byte("deviceInstance", 255, 0, "node.deviceInstance is 0 to 255")?,
            function: byte("function", 255, own.function, "node.function is 0 to 255")?,
            class: byte("class", 127, own.class, "node.class is 0 to 127")?,
            system_instance: byte("systemInstance", 15, 0, "node.systemInstance is 0 to 15")?,
        };
        let address = match json::member(object, "address") {
            None => None,
            Some(_) => Some(SourceAddress(byte("address", ADDRESS_MAX.into(), 0, "node.address is 0 to 251")?)),
        };
        let mut installation = [String::new(), String::new()];
        if let Some(list) = json::member(object, "installation") {
            let clause = "node.installation must be a list of at most two texts of at most 70 bytes";
            let mut places = installation.iter_mut();
            json::items::<ConfigError>(list, |item| {
                let text = json::string(item).filter(|text| text.len() <= CONFIGURATION_TEXT_MAX);
                let (Some(text), Some(place)) = (text, places.next()) else { return Err(refuse(clause)) };
                *place = text.into_owned();
                Ok(())
            })
            .map_err(|_| refuse(clause))?;
        }
        Ok(Self { name, address, installation })
    }
}

impl From<json::JsonError> for ConfigError {
    fn from(_: json::JsonError) -> Self {
        Self::new(N2K_FILE, ConfigReason::Damaged)
    }
}

/// The part of a node's state that outlives a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptNode {
    /// Unique number of its NAME, made at the first start.
    pub unique_number: u32,
    /// The address that it had last.
    pub address: SourceAddress,
}

impl KeptNode {
    /// Reads what the node on `interface` kept; what is missing or damaged is made anew.
    pub fn load(storage: &mut dyn Storage, rng: &mut dyn Rng, interface: &str) -> Self {
        let text = read_object(storage, KEPT_FILE, FILE_BYTES_MAX).ok().flatten().unwrap_or_default();
        let entry = json::member(&text, interface).unwrap_or("{}");
        let read =
            |name, max| number(entry, name, max, u64::MAX, "").ok().and_then(|number| u32::try_from(number).ok());
        let unique_number = read("unique", Name::UNIQUE_NUMBER_MAX.into()).unwrap_or_else(|| {
            let mut bytes = [0; 4];
            rng.fill(&mut bytes);
            u32::from_le_bytes(bytes) & Name::UNIQUE_NUMBER_MAX
        });
        let address = read("address", ADDRESS_MAX.into()).and_then(|address| u8::try_from(address).ok());
        Self { unique_number, address: address.map_or(ADDRESS_FIRST, SourceAddress) }
    }

    /// Tells whether nothing was kept of `interface` so far.
    pub fn is_new(storage: &mut dyn Storage, interface: &str) -> bool {
        let text = read_object(storage, KEPT_FILE, FILE_BYTES_MAX).ok().flatten();
        text.is_none_or(|text| json::member(&text, interface).is_none())
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`ConfigError`] when storage fails.
    pub fn save(&self, storage: &mut dyn Storage, interface: &str) -> Result<(), ConfigError> {
        let text = read_object(storage, KEPT_FILE, FILE_BYTES_MAX).ok().flatten();
        let entry = json::object(|entry| {
            entry.number("unique", self.unique_number).number("address", self.address.0);
        });
        write_object(storage, KEPT_FILE, &json::with_member(text.as_deref().unwrap_or("{}"), interface, &entry))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Counting, Files};
    use super::*;

    fn load(text: &str, node: bool) -> Result<N2kConfig, String> {
        N2kConfig::load(&mut Files::with(N2K_FILE, text), node).map_err(|error| error.to_string())
    }

    #[test]
    fn listening_is_the_default() {
        for text in ["{}", r#"{"node":false}"#, r#"{"node":{"address":7}}"#, r#"{"node":{"enabled":false}}"#] {
            assert_eq!(load(text, false).unwrap().node, None, "{text}");
            assert!(load(text, true).unwrap().node.is_some(), "{text}");
        }
        assert_eq!(N2kConfig::load(&mut Files::default(), false).unwrap().node, None);
    }

    #[test]
    fn a_node_is_described() {
        let text = r#"{"node":{"enabled":true,"manufacturer":1851,"deviceInstance":3,"function":140,"class":25,
            "systemInstance":2,"address":77,"installation":["bridge"]},"send":["environment.wind.*"]}"#;
        let config = load(text, false).unwrap();
        let name = NameParts {
            unique_number: 0,
            manufacturer: 1851,
            device_instance: 3,
            function: 140,
            class: 25,
            system_instance: 2,
        };
        let installation = ["bridge".into(), String::new()];
        assert_eq!(config.node, Some(NodeConfig { name, address: Some(SourceAddress(77)), installation }));
        assert!(config.send[0].matches("environment.wind.speedApparent"));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, clause) in [
            ("[]", "not a JSON object"),
            (r#"{"node":7}"#, "node must be true, false or an object"),
            (r#"{"node":{"enabled":1}}"#, "node.enabled must be true or false"),
            (r#"{"node":{"enabled":true,"address":252}}"#, "node.address is 0 to 251"),
            (r#"{"node":{"enabled":true,"deviceInstance":-1}}"#, "node.deviceInstance is 0 to 255"),
            (r#"{"node":{"enabled":true,"manufacturer":2048}}"#, "node.manufacturer is 0 to 2047"),
            (
                r#"{"node":{"enabled":true,"installation":[1]}}"#,
                "node.installation must be a list of at most two texts of at most 70 bytes",
            ),
            (r#"{"send":["a.*"]}"#, "send needs node.enabled, or --node on the command line"),
            (r#"{"useCanName":1}"#, "useCanName must be true or false"),
            (r#"{"node":true,"send":"a"}"#, "send must be a list of at most 64 path patterns"),
            (r#"{"node":true,"send":[7]}"#, "send must be a list of at most 64 path patterns"),
        ] {
            assert_eq!(load(text, false).unwrap_err(), format!("skiff/n2k.json: {clause}"), "{text}");
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let mut files = Files::with(N2K_FILE, r#"{"node":{"enabled":false,"address":7},"useCanName":false}"#);
        let config = N2kConfig::change(&mut files, false, r#"{"node":true,"send":["a.*"]}"#).unwrap();
        assert_eq!(config.node.map(|node| node.address), Some(Some(SourceAddress(7))));
        let kept = N2kConfig::load(&mut files, false).unwrap();
        assert_eq!((kept.use_can_name, kept.send.len()), (false, 1));
        // What needs a node does not stay without one, and a refusal changes nothing.
        for (change, clause) in [
            (r#"{"node":false}"#, "send needs node.enabled, or --node on the command line"),
            (r#"{"node":{}}"#, "node is switched by true or false"),
            (r#"{"send":7}"#, "send must be a list of at most 64 path patterns"),
            (r#"{"useCanName":true}"#, "only node, send and relay are changed here"),
        ] {
            let error = N2kConfig::change(&mut files, false, change).unwrap_err();
            assert_eq!(error.to_string(), format!("skiff/n2k.json: {clause}"));
            assert!(N2kConfig::load(&mut files, false).unwrap().node.is_some());
        }
        assert!(N2kConfig::change(&mut files, false, r#"{"node":false,"send":[]}"#).unwrap().node.is_none());
        let mut none = Files::default();
        assert!(N2kConfig::change(&mut none, false, r#"{"node":true}"#).unwrap().node.is_some());
    }

    #[cfg(feature = "outputs")]
    #[test]
    fn what_is_relayed_is_named_and_nothing_is_the_default() {
        let relay = |text: &str| load(&format!(r#"{{"node":true,"relay":{text}}}"#), false).map(|config| config.relay);
        assert_eq!(load("{}", true).unwrap().relay, Relay::Nothing);
        assert_eq!((relay("false"), relay("true")), (Ok(Relay::Nothing), Ok(Relay::All)));
        let some = relay("[127250,130306]").unwrap();
        assert!(some.has(127_250) && !some.has(127_251));
        for wrong in ["7", "[\"x\"]", "[999999]", "[-1]"] {
            assert!(relay(wrong).unwrap_err().contains("relay must be true, false"), "{wrong}");
        }
        assert!(load(r#"{"relay":true}"#, false).unwrap_err().contains("relay needs node.enabled"));
    }

    #[test]
    fn number_and_address_are_kept_by_interface() {
        let mut files = Files::default();
        let first = KeptNode::load(&mut files, &mut Counting(1), "can0");
        assert_eq!(first, KeptNode { unique_number: 0x03_0201, address: ADDRESS_FIRST });
        assert!(KeptNode::is_new(&mut files, "can0"));
        first.save(&mut files, "can0").unwrap();
        let other = KeptNode { unique_number: 5, address: SourceAddress(9) };
        other.save(&mut files, "can1").unwrap();
        let moved = KeptNode { address: SourceAddress(101), ..first };
        moved.save(&mut files, "can0").unwrap();
        assert_eq!(KeptNode::load(&mut files, &mut Counting(9), "can0"), moved);
        assert_eq!(KeptNode::load(&mut files, &mut Counting(9), "can1"), other);
        assert!(!KeptNode::is_new(&mut files, "can1"));
        let damaged = &mut Files::with(KEPT_FILE, r#"{"can0":{"unique":4000000000,"address":255}}"#);
        assert_eq!(KeptNode::load(damaged, &mut Counting(0), "can0").address, ADDRESS_FIRST);
    }
}
