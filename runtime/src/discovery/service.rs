//! What the gateway says of itself over multicast DNS: kinds of service, and the texts that clients look for.
//!
//! Kinds and keys are those of Signal K Server 2.32 (`src/mdns.js`) and the specification 1.7.0, "Discovery and Connection
//! Establishment"; pypilot takes a server only where `swname` is `signalk-server`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::config::Vessel;

/// Bytes of the name of an instance (RFC 6763 §4.1.1), with room for the ` (2)` of a second one.
const NAME_BYTES_MAX: usize = 58;
/// What clients take for a Signal K server.
const SOFTWARE: &str = "signalk-server";

/// Which of plain and encrypted connections are offered to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP and WebSocket without TLS.
    Plain,
    /// Both, and pages are read by HTTPS. Programs are not told: what finds `_signalk-wss` takes nothing else (SensESP), and
    /// does not take a certificate that nobody has signed.
    PagesByTls,
    /// Both, for all.
    Both,
    /// TLS alone.
    TlsOnly,
}

impl Offer {
    /// Returns the kinds of service.
    #[must_use]
    pub const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["_http._tcp", "_signalk-http._tcp", "_signalk-ws._tcp"],
            Self::PagesByTls => &["_http._tcp", "_https._tcp", "_signalk-http._tcp", "_signalk-ws._tcp"],
            Self::Both => &[
                "_http._tcp",
                "_https._tcp",
                "_signalk-http._tcp",
                "_signalk-https._tcp",
                "_signalk-ws._tcp",
                "_signalk-wss._tcp",
            ],
            Self::TlsOnly => &["_https._tcp", "_signalk-https._tcp", "_signalk-wss._tcp"],
        }
    }
}

/// Returns what stands in the text record of each service.
///
/// `self_context` is the full context of the own vessel, `vessels.urn:…`.
#[must_use]
pub fn texts(version: &str, self_context: &str, vessel: &Vessel) -> Vec<(&'static str, String)> {
    let urn = self_context.strip_prefix("vessels.").unwrap_or(self_context);
    let mut texts = vec![
        ("txtvers", "1".to_owned()),
        ("swname", SOFTWARE.to_owned()),
        ("swvers", version.to_owned()),
        ("roles", "master,main".to_owned()),
        ("self", urn.to_owned()),
        ("vuuid", urn.to_owned()),
    ];
    let own = [("vname", &vessel.name), ("vmmsi", &vessel.mmsi)];
    texts.extend(own.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
    texts
}

/// Returns what the services are called: as the vessel is, else as the machine is.
///
/// Dots are taken out: some who number a second instance of a name put the number before the first of them.
#[must_use]
pub fn name(vessel: &Vessel, host: &str) -> String {
    let wanted = vessel.name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(host);
    let plain = wanted.chars().map(|letter| if letter.is_control() || letter == '.' { ' ' } else { letter });
    let plain: String = plain.collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let mut name = words.join(" ");
    let end = name.char_indices().map(|(at, letter)| at.saturating_add(letter.len_utf8()));
    let end = end.take_while(|end| *end <= NAME_BYTES_MAX).last().unwrap_or_default();
    name.truncate(end);
    if name.is_empty() { "Skiff".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn called(name: Option<&str>) -> Vessel {
        Vessel { name: name.map(str::to_owned), ..Vessel::default() }
    }

    #[test]
    fn texts_are_those_that_clients_look_for() {
        let vessel = Vessel { mmsi: Some("211234560".to_owned()), ..called(Some("Möwe")) };
        let texts = texts("0.1.0", "vessels.urn:mrn:signalk:uuid:1", &vessel);
        let lines: Vec<String> = texts.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            lines,
            [
                "txtvers=1",
                "swname=signalk-server",
                "swvers=0.1.0",
                "roles=master,main",
                "self=urn:mrn:signalk:uuid:1",
                "vuuid=urn:mrn:signalk:uuid:1",
                "vname=Möwe",
                "vmmsi=211234560"
            ]
        );
    }

    #[test]
    fn a_service_is_called_as_the_vessel_is() {
        assert_eq!(name(&called(Some("Möwe")), "boat"), "Möwe");
        assert_eq!(name(&called(None), "boat.example.org"), "boat example org");
        assert_eq!(name(&called(Some("M.Y. Foo\n")), "boat"), "M Y Foo");
        assert_eq!(name(&called(Some("  ")), "..."), "Skiff");
        let long = name(&called(Some(&"ö".repeat(64))), "boat");
        assert_eq!(long, "ö".repeat(29));
    }

    #[test]
    fn each_offer_has_its_kinds() {
        for offer in [Offer::Plain, Offer::PagesByTls, Offer::Both, Offer::TlsOnly] {
            let has = |kind: &str| offer.kinds().contains(&kind);
            assert_eq!(has("_signalk-ws._tcp"), offer != Offer::TlsOnly);
            assert_eq!(has("_https._tcp"), offer != Offer::Plain);
            assert_eq!(has("_signalk-wss._tcp"), matches!(offer, Offer::Both | Offer::TlsOnly));
        }
    }
}
