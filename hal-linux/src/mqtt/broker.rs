//! Where a broker is, and who logs in there.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Session;
use super::packet::Version;
use crate::input::server::{Identity, Site, Trust};

/// Ports of brokers, without TLS and with it (IANA).
const PORT: u16 = 1883;
const PORT_TLS: u16 = 8883;
/// Seconds without a word after which either side takes the other for gone.
const KEEP_ALIVE_S: u16 = 30;
/// Bytes of a client's name (MQTT 3.1.1 §3.1.3.1 asks brokers for 23, all known ones take more).
const CLIENT_BYTES_MAX: usize = 64;
/// Bytes of a file with a password.
const PASSWORD_BYTES_MAX: u64 = 16 * 1024;
/// Options that a broker's address has.
pub const OPTIONS: &str =
    "version=, client=, password_file=, ca_file=, fingerprint=, cert_file= and key_file=, and keep_alive=";

/// A broker, as an address names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Where it is.
    pub(super) site: Site,
    /// What it speaks.
    pub version: Version,
    pub(super) keep_alive_s: u16,
    user: Option<String>,
    password_file: Option<PathBuf>,
    client: Option<String>,
    pub(super) trust: Trust,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

impl Broker {
    /// Takes the part of an address between its scheme and its options: `[user@]host[:port]`.
    ///
    /// # Errors
    /// What to write instead; a password is not repeated.
    pub fn parse(is_secure: bool, text: &str) -> Result<Self, String> {
        let wrong = "write host and port, for example mqtt://192.168.1.20:1883";
        let (user, place) = text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user), place));
        if user.is_some_and(|user| user.contains(':')) {
            return Err("the password does not stand in the address: password_file=FILE".into());
        }
        let port = if is_secure { PORT_TLS } else { PORT };
        let site = Site::parse(place, is_secure, Some(port), "").map_err(|_| wrong)?;
        if !site.path.is_empty() || site.port == 0 {
            return Err(wrong.into());
        }
        Ok(Self {
            site,
            version: Version::default(),
            keep_alive_s: KEEP_ALIVE_S,
            user: user.filter(|user| !user.is_empty()).map(str::to_owned),
            password_file: None,
            client: None,
            trust: Trust::System,
            cert_file: None,
            key_file: None,
        })
    }

    /// Takes an option; false when it is none of a broker's.
    ///
    /// # Errors
    /// What to write instead.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool, String> {
        let file = || if value.is_empty() { Err(format!("{name}= names a file")) } else { Ok(PathBuf::from(value)) };
        match name {
            "version" => {
                self.version = match value {
                    "3.1.1" => Version::V3,
                    "5" => Version::V5,
                    _ => return Err("version is 3.1.1 or 5".into()),
                }
            }
            "client" => {
                let is_name = !value.is_empty() && value.len() <= CLIENT_BYTES_MAX && !value.contains(char::is_control);
                self.client =
                    Some(value.to_owned()).filter(|_| is_name).ok_or("client is a name of at most 64 bytes")?.into();
            }
            "password_file" => self.password_file = Some(file()?),
            "ca_file" => self.trust = Trust::Authority(file()?),
            "fingerprint" => self.trust = Trust::fingerprint(value)?,
            "cert_file" => self.cert_file = Some(file()?),
            "key_file" => self.key_file = Some(file()?),
            "keep_alive" => {
                let seconds = value.parse().ok().filter(|seconds| (5..=3600).contains(seconds));
                self.keep_alive_s = seconds.ok_or("keep_alive is seconds, from 5 to 3600")?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Tells whether its options go together.
    ///
    /// # Errors
    /// What to write instead.
    pub fn checked(self) -> Result<Self, String> {
        let is_open = !self.site.is_secure;
        match (&self.user, &self.password_file, &self.cert_file, &self.key_file) {
            (None, Some(_), ..) => Err("password_file= needs a user: mqtt://user@host".into()),
            (_, _, Some(_), None) | (_, _, None, Some(_)) => Err("cert_file= and key_file= go together".into()),
            (_, _, Some(_), _) if is_open => Err("cert_file= needs TLS: mqtts://".into()),
            _ if is_open && self.trust != Trust::System => Err("ca_file= and fingerprint= need TLS: mqtts://".into()),
            _ => Ok(self),
        }
    }

    /// Tells whether a password goes over a network in the clear.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        let host = &self.site.host;
        let is_near =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        self.password_file.is_some() && !self.site.is_secure && !is_near
    }

    /// Tells whether it is there and lets us in.
    ///
    /// # Errors
    /// Why not.
    pub fn try_it(&self) -> Result<(), String> {
        // Under another name: the one that runs keeps its connection.
        let other = Self { client: None, ..self.clone() };
        Session::open(&other, &format!("skiff-test-{}", std::process::id()), None).map(Session::leave)
    }

    /// Returns its host, with what a label has none of replaced.
    #[must_use]
    pub fn label(&self) -> String {
        format!("mqtt-{}", self.site.host.replace(['.', ':'], "-"))
    }

    /// Returns the client's name: the one given, else `own`.
    pub(super) fn client<'a>(&'a self, own: &'a str) -> &'a str {
        self.client.as_deref().unwrap_or(own)
    }

    /// Returns user and password; the file is read anew.
    pub(super) fn login(&self) -> Result<(Option<&str>, Option<Vec<u8>>), String> {
        let password = self.password_file.as_deref().map(read_secret).transpose()?;
        Ok((self.user.as_deref(), password))
    }

    /// Returns the certificate that is shown, where one is named.
    pub(super) fn identity(&self) -> Option<Identity<'_>> {
        Some(Identity { cert_file: self.cert_file.as_deref()?, key_file: self.key_file.as_deref()? })
    }
}

/// Reads the first line of a file with a password or token.
///
/// # Errors
/// What the system said.
pub fn read_secret(file: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = File::open(file).and_then(|file| file.take(PASSWORD_BYTES_MAX).read_to_end(&mut text));
    read.map_err(|error| format!("{}: {error}", file.display()))?;
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
    text.truncate(end);
    Ok(text)
}

impl fmt::Display for Broker {
    /// Where it is, and no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mqtt{}://{}", if self.site.is_secure { "s" } else { "" }, self.site.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(is_secure: bool, place: &str, options: &[(&str, &str)]) -> Result<Broker, String> {
        let mut broker = Broker::parse(is_secure, place)?;
        for (name, value) in options {
            assert!(broker.set(name, value)?, "{name}");
        }
        broker.checked()
    }

    #[test]
    fn an_address_names_host_port_and_user_and_shows_no_user() {
        let broker = parsed(false, "boat@nas.local", &[("password_file", "/p"), ("version", "5")]).unwrap();
        assert_eq!((broker.to_string(), broker.version), ("mqtt://nas.local:1883".into(), Version::V5));
        assert!(broker.is_open_to_all());
        assert_eq!((broker.client("own"), broker.label().as_str()), ("own", "mqtt-nas-local"));
        let broker = parsed(true, "[::1]", &[("cert_file", "/c"), ("key_file", "/k"), ("client", "x")]).unwrap();
        assert_eq!((broker.to_string(), broker.client("own")), ("mqtts://[::1]:8883".into(), "x"));
        assert!(!broker.is_open_to_all() && !Broker::parse(false, "x").unwrap().set("topic", "a").unwrap());
    }

    #[test]
    fn what_cannot_be_meant_is_said_without_a_password() {
        for (is_secure, place, options, clause) in [
            (false, "", &[][..], "host and port"),
            (false, "nas:0", &[], "host and port"),
            (false, "nas/x", &[], "host and port"),
            (false, "me:secret@nas", &[], "password_file"),
            (false, "nas", &[("version", "4")], "3.1.1 or 5"),
            (false, "nas", &[("client", "")], "at most 64 bytes"),
            (false, "nas", &[("keep_alive", "1")], "from 5"),
            (false, "nas", &[("password_file", "/p")], "needs a user"),
            (false, "nas", &[("ca_file", "/p")], "need TLS"),
            (false, "nas", &[("cert_file", "/c"), ("key_file", "/k")], "needs TLS"),
            (true, "nas", &[("cert_file", "/c")], "go together"),
            (true, "nas", &[("ca_file", "")], "names a file"),
        ] {
            let refused = parsed(is_secure, place, options).unwrap_err();
            assert!(refused.contains(clause) && !refused.contains("secret"), "{place}: {refused}");
        }
    }

    #[test]
    fn a_secret_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p");
        std::fs::write(&file, "geheim\r\nmore\n").unwrap();
        assert_eq!(read_secret(&file).unwrap(), b"geheim");
        assert!(read_secret(&folder.path().join("none")).unwrap_err().contains("none"));
    }
}
