//! What Skiff reads of Signal K's `settings.json`.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

#[cfg(any(test, feature = "server-routes"))]
use super::write_object;
use super::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object};
use crate::hal::Storage;
#[cfg(any(test, feature = "server-routes"))]
use crate::hal::StorageError;
use crate::json::{self, JsonError};

/// Key of the settings.
pub const SETTINGS_FILE: &str = "settings.json";
/// Key of what was set here since, where it is: it goes before [`SETTINGS_FILE`] member by member.
pub const OWN_SETTINGS_FILE: &str = "skiff/settings.json";
/// Whether something can be set here.
const SETS: bool = cfg!(any(test, feature = "server-routes"));
/// Bytes of a vessel's name.
const NAME_BYTES_MAX: usize = 128;
/// Letters of a call sign; the Radio Regulations (article 19) have none of more than seven, a portable one adds a suffix.
const CALL_SIGN_BYTES_MAX: usize = 16;

/// The own vessel as its owner describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vessel {
    /// `name` of the member `vessel`.
    pub name: Option<String>,
    /// Maritime mobile service identity, nine digits.
    pub mmsi: Option<String>,
    /// `urn:mrn:signalk:uuid:…`.
    pub uuid: Option<String>,
    /// Call sign of the VHF radio; `communication.callsignVhf` of the data model.
    pub call_sign: Option<String>,
}

impl Vessel {
    /// Visits what the data model says of the vessel without a source: its path below it, and the text.
    pub fn described(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = [("name", &self.name), ("mmsi", &self.mmsi), ("communication.callsignVhf", &self.call_sign)];
        texts.into_iter().filter_map(|(path, text)| Some((path, text.as_deref()?)))
    }
}

/// The members of `settings.json` that Skiff knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The member `vessel`.
    pub vessel: Vessel,
    /// `interfaces.wasm`; when false, packages are listed and not loaded (plugin ABI §5.8).
    pub wasm: bool,
    /// `sourcePriorities` as JSON text, which source of a path is preferred.
    pub source_priorities: Option<String>,
    /// `skiff.hosts`: names the gateway is called by besides its own, for `Host` (a reverse proxy's, say); at most 16.
    pub hosts: Vec<String>,
    /// `skiff.proxies`: addresses of reverse proxies whose callers count as the proxy itself does; at most 16. A request that
    /// names who it is forwarded for is not from this machine, whatever its peer, unless the peer is one of these.
    pub proxies: Vec<IpAddr>,
    /// `skiff.guests`: whether anyone may read on every listener (`read`), or nobody without a token (`none`, the default).
    pub guests_read: bool,
    /// `skiff.accessRequests`: whether devices may ask to be let in (the default).
    #[cfg(any(test, feature = "server-routes"))]
    pub takes_requests: bool,
    /// `skiff.history`: what is kept of the past; `None` keeps nothing, as `enabled: false` in it says, too.
    #[cfg(any(test, feature = "history"))]
    pub history: Option<super::HistoryConfig>,
}

/// Sets members of [`OWN_SETTINGS_FILE`], all at once or none: `(Some("skiff"), "inputs", "[…]")` in the object `skiff`,
/// `(None, "pipedProviders", "[…]")` in the file itself.
///
/// # Errors
/// [`ConfigError`] when the file is damaged, would be too long to be read again, or storage fails; the old content is kept.
#[cfg(any(test, feature = "server-routes"))]
pub fn keep_settings(storage: &mut dyn Storage, changes: &[(Option<&str>, &str, &str)]) -> Result<(), ConfigError> {
    let mut text = read_object(storage, OWN_SETTINGS_FILE, FILE_BYTES_MAX)?.unwrap_or_else(|| "{}".into());
    for (outer, member, value) in changes {
        text = match outer {
            Some(outer) => {
                let inner = json::with_member(json::member(&text, outer).unwrap_or("{}"), member, value);
                json::with_member(&text, outer, &inner)
            }
            None => json::with_member(&text, member, value),
        };
    }
    if super::pretty(&text).len() > FILE_BYTES_MAX as usize {
        return Err(ConfigError::new(OWN_SETTINGS_FILE, ConfigReason::Storage(StorageError::Full)));
    }
    write_object(storage, OWN_SETTINGS_FILE, &text)
}

/// Reads `settings.json` with what was set here since; `None` without either. A member that is an object in both has the
/// members of both.
///
/// # Errors
/// [`ConfigError`] when one of the files is damaged.
pub fn read_settings(storage: &mut dyn Storage) -> Result<Option<String>, ConfigError> {
    let text = read_object(storage, SETTINGS_FILE, FILE_BYTES_MAX)?;
    if !SETS {
        return Ok(text);
    }
    match (text, read_object(storage, OWN_SETTINGS_FILE, FILE_BYTES_MAX)?) {
        (Some(text), Some(own)) => Ok(Some(merged(&text, &own))),
        (text, own) => Ok(own.or(text)),
    }
}

/// Returns `text` with the members of `own`, two levels deep.
fn merged(text: &str, own: &str) -> String {
    let mut merged = String::from(text);
    let set = |into: &mut String, name: &str, value: &str| *into = json::with_member(into, name, value);
    // Both are objects.
    let _ = json::members::<JsonError>(own, |name, value| {
        let mut inner = json::member(text, name).filter(|inner| inner.starts_with('{')).map(String::from);
        match &mut inner {
            Some(inner) if value.starts_with('{') => {
                json::members::<JsonError>(value, |name, value| {
                    set(inner, name, value);
                    Ok(())
                })?;
                set(&mut merged, name, inner);
            }
            _ => set(&mut merged, name, value),
        }
        Ok(())
    });
    merged
}

/// Names in `skiff.hosts`.
const HOSTS_MAX: usize = 16;
/// Whether `skiff.proxies` is read.
const KNOWS_PROXIES: bool = cfg!(any(test, feature = "accounts"));
/// Addresses in `skiff.proxies`.
const PROXIES_MAX: usize = 16;

impl Default for Settings {
    fn default() -> Self {
        Self {
            vessel: Vessel::default(),
            wasm: true,
            source_priorities: None,
            hosts: Vec::new(),
            proxies: Vec::new(),
            guests_read: false,
            #[cfg(any(test, feature = "server-routes"))]
            takes_requests: true,
            #[cfg(any(test, feature = "history"))]
            history: None,
        }
    }
}

impl Settings {
    /// Reads `settings.json`; without one everything has its default.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged or says something that cannot be meant.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let Some(text) = read_settings(storage)? else {
            return Ok(Self::default());
        };
        let mut settings = Self::default();
        if let Some(vessel) = json::member(&text, "vessel").filter(|value| *value != "null") {
            settings.vessel = read_vessel(vessel)?;
        }
        let wasm = json::member(&text, "interfaces").and_then(|interfaces| json::member(interfaces, "wasm"));
        settings.wasm = wasm != Some("false");
        settings.source_priorities = json::member(&text, "sourcePriorities").map(String::from);
        if let Some(hosts) = json::member(&text, "skiff").and_then(|skiff| json::member(skiff, "hosts")) {
            settings.hosts = read_hosts(hosts)?;
        }
        // Boards stand behind no proxy of their own.
        if KNOWS_PROXIES
            && let Some(proxies) = json::member(&text, "skiff").and_then(|skiff| json::member(skiff, "proxies"))
        {
            settings.proxies = read_proxies(proxies)?;
        }
        if let Some(guests) = json::member(&text, "skiff").and_then(|skiff| json::member(skiff, "guests")) {
            settings.guests_read = match json::string(guests).as_deref() {
                Some("read") => true,
                Some("none") => false,
                _ => {
                    let what = "skiff.guests must be none or read";
                    return Err(ConfigError::new(SETTINGS_FILE, ConfigReason::Member(what)));
                }
            };
        }
        #[cfg(any(test, feature = "history"))]
        if let Some(history) = json::member(&text, "skiff").and_then(|skiff| json::member(skiff, "history")) {
            let read = super::HistoryConfig::read(history);
            let shape = ConfigReason::Member(super::history::SHAPE);
            let read = read.ok_or_else(|| ConfigError::new(SETTINGS_FILE, shape))?;
            settings.history = Some(read).filter(|_| json::member(history, "enabled") != Some("false"));
        }
        #[cfg(any(test, feature = "server-routes"))]
        if let Some(takes) = json::member(&text, "skiff").and_then(|skiff| json::member(skiff, "accessRequests")) {
            let shape = ConfigReason::Member("skiff.accessRequests must be true or false");
            settings.takes_requests = json::boolean(takes).ok_or_else(|| ConfigError::new(SETTINGS_FILE, shape))?;
        }
        Ok(settings)
    }
}

fn read_proxies(list: &str) -> Result<Vec<IpAddr>, ConfigError> {
    let mut proxies = Vec::new();
    let read = json::items::<JsonError>(list, |item| {
        match json::string(item).and_then(|address| address.parse().ok()) {
            Some(address) if proxies.len() < PROXIES_MAX => proxies.push(address),
            _ => return Err(JsonError::WrongKind),
        }
        Ok(())
    });
    let what = "skiff.proxies must be a list of at most 16 addresses";
    read.map(|()| proxies).map_err(|_| ConfigError::new(SETTINGS_FILE, ConfigReason::Member(what)))
}

fn read_hosts(list: &str) -> Result<Vec<String>, ConfigError> {
    let mut hosts = Vec::new();
    let read = json::items::<JsonError>(list, |item| {
        match json::string(item).filter(|name| is_host(name)) {
            Some(name) if hosts.len() < HOSTS_MAX => hosts.push(name.into_owned()),
            _ => return Err(JsonError::WrongKind),
        }
        Ok(())
    });
    let what = "skiff.hosts must be a list of at most 16 host names";
    read.map(|()| hosts).map_err(|_| ConfigError::new(SETTINGS_FILE, ConfigReason::Member(what)))
}

/// Tells whether a text is a name without scheme, port and path (RFC 1123 §2.1).
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn read_vessel(vessel: &str) -> Result<Vessel, ConfigError> {
    let refuse = |what| ConfigError::new(SETTINGS_FILE, ConfigReason::Member(what));
    if !vessel.starts_with('{') {
        return Err(refuse("vessel must be an object"));
    }
    let text = |key: &str| json::member(vessel, key).filter(|value| !matches!(*value, "null" | "\"\""));
    let mut read = Vessel::default();
    if let Some(name) = text("name") {
        let name = json::string(name).filter(|name| name.len() <= NAME_BYTES_MAX);
        read.name = Some(name.ok_or_else(|| refuse("vessel.name must be a text of at most 128 bytes"))?.into_owned());
    }
    if let Some(mmsi) = text("mmsi") {
        let mmsi = mmsi.trim_matches('"');
        if mmsi.len() != 9 || !mmsi.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse("vessel.mmsi must have nine digits"));
        }
        read.mmsi = Some(mmsi.into());
    }
    if let Some(sign) = text("callsignVhf") {
        let is_sign =
            |sign: &str| sign.len() <= CALL_SIGN_BYTES_MAX && sign.bytes().all(|byte| byte.is_ascii_graphic());
        let sign = json::string(sign).filter(|sign| is_sign(sign));
        let sign = sign.ok_or_else(|| refuse("vessel.callsignVhf must be at most 16 letters and digits"))?;
        read.call_sign = Some(sign.into_owned());
    }
    if let Some(uuid) = text("uuid") {
        let uuid = json::string(uuid).filter(|uuid| super::identity::is_uuid_urn(uuid));
        read.uuid = Some(uuid.ok_or_else(|| refuse("vessel.uuid must read urn:mrn:signalk:uuid:<uuid>"))?.into_owned());
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::super::fake::Files;
    use super::*;
    use std::format;
    use std::string::ToString;

    fn load(text: &str) -> Result<Settings, String> {
        Settings::load(&mut Files::with(SETTINGS_FILE, text)).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_the_vessel_and_the_switch() {
        let text = r#"{"port":3000,"interfaces":{"wasm":false},"vessel":{"name":"Pinta","mmsi":230099999,
            "uuid":"urn:mrn:signalk:uuid:6b0e776f-811a-4b35-980e-b93405371bc5"}}"#;
        let settings = load(text).unwrap();
        assert!(!settings.wasm);
        assert_eq!(settings.vessel.name.as_deref(), Some("Pinta"));
        assert_eq!(settings.vessel.mmsi.as_deref(), Some("230099999"));
        assert!(settings.vessel.uuid.is_some());
        assert_eq!(load(r#"{"vessel":{"mmsi":"230099999"}}"#).unwrap().vessel.mmsi.as_deref(), Some("230099999"));
    }

    #[test]
    fn names_of_the_gateway_are_host_names() {
        let hosts = load(r#"{"skiff":{"hosts":["boat.example","nav_1"]}}"#).unwrap().hosts;
        assert_eq!(hosts, ["boat.example", "nav_1"]);
        let many = format!("[{}\"b\"]", "\"a\",".repeat(16));
        for wrong in [r#""boat""#, r#"["http://boat"]"#, r#"["boat:80"]"#, r#"[""]"#, "[7]", &many] {
            let error = load(&format!(r#"{{"skiff":{{"hosts":{wrong}}}}}"#)).unwrap_err();
            assert!(error.contains("skiff.hosts"), "{wrong}: {error}");
        }
    }

    #[test]
    fn proxies_are_addresses() {
        let proxies = load(r#"{"skiff":{"proxies":["127.0.0.1","::1"]}}"#).unwrap().proxies;
        assert_eq!(proxies.len(), 2);
        let many = format!("[{}\"::1\"]", "\"::1\",".repeat(16));
        for wrong in [r#""::1""#, r#"["localhost"]"#, r#"["127.0.0.1:80"]"#, "[7]", &many] {
            let error = load(&format!(r#"{{"skiff":{{"proxies":{wrong}}}}}"#)).unwrap_err();
            assert!(error.contains("skiff.proxies"), "{wrong}: {error}");
        }
    }

    #[test]
    fn guests_read_when_the_owner_says_so() {
        assert!(load(r#"{"skiff":{"guests":"read"}}"#).unwrap().guests_read);
        assert!(!load(r#"{"skiff":{"guests":"none"}}"#).unwrap().guests_read);
        for wrong in ["true", "\"write\"", "null"] {
            let error = load(&format!(r#"{{"skiff":{{"guests":{wrong}}}}}"#)).unwrap_err();
            assert_eq!(error, "settings.json: skiff.guests must be none or read", "{wrong}");
        }
    }

    #[test]
    fn what_was_set_here_goes_before_member_by_member() {
        let mut files =
            Files::with(SETTINGS_FILE, r#"{"mdns":true,"skiff":{"guests":"none","hosts":["boat"]},"vessel":null}"#);
        let own = write_object(&mut files, OWN_SETTINGS_FILE, r#"{"skiff":{"guests":"read"},"vessel":{"name":"B"}}"#);
        own.unwrap();
        let settings = Settings::load(&mut files).unwrap();
        assert!(settings.guests_read && settings.hosts == ["boat"] && settings.vessel.name.as_deref() == Some("B"));
        let mut alone = Files::with(OWN_SETTINGS_FILE, r#"{"skiff":{"guests":"read"}}"#);
        assert!(Settings::load(&mut alone).unwrap().guests_read);
    }

    #[test]
    fn everything_can_be_absent() {
        assert_eq!(Settings::load(&mut Files::default()), Ok(Settings::default()));
        assert_eq!(load(r#"{"vessel":null,"interfaces":{}}"#), Ok(Settings::default()));
        assert_eq!(load(r#"{"vessel":{"name":"","mmsi":""}}"#), Ok(Settings::default()));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, clause) in [
            ("{", "settings.json: not a JSON object"),
            (r#"{"vessel":7}"#, "settings.json: vessel must be an object"),
            (r#"{"vessel":{"mmsi":"12"}}"#, "settings.json: vessel.mmsi must have nine digits"),
            (
                r#"{"vessel":{"callsignVhf":"O H 1"}}"#,
                "settings.json: vessel.callsignVhf must be at most 16 letters and digits",
            ),
            (r#"{"vessel":{"name":{}}}"#, "settings.json: vessel.name must be a text of at most 128 bytes"),
            (r#"{"vessel":{"uuid":"x"}}"#, "settings.json: vessel.uuid must read urn:mrn:signalk:uuid:<uuid>"),
        ] {
            assert_eq!(load(text), Err(clause.to_string()));
        }
    }
}
