//! `pipedProviders` of Signal K Server's settings: its connections, as inputs.
//!
//! Types and options are those of npm `@signalk/streams` 6.0, `simple.js` and what that builds on.

use std::path::Path;

use skiff_runtime::json::{self, JsonError};

use super::LISTED_MAX;
use super::connection::{Connection, Direction, Origin, Way};
use crate::input::Input;

/// Port of `tcpserver` where none is given (npm `@signalk/streams` 6.0, `tcpserver.js`).
const TCP_SERVER_PORT: &str = "10110";

/// Options that change what an input tells, and that no input here obeys, with what they are when they say nothing.
const NOT_OBEYED: [&str; 10] = [
    "toStdout",
    "ignoredSentences",
    "talkerGroups",
    "filtersEnabled",
    "appendChecksum",
    "overrideTimestamp",
    "removeNulls",
    "sentenceEvent",
    "suppress0183event",
    "subscription",
];

/// Reads the providers; what is no list has none. `folder` is where the names of files begin.
pub(super) fn read(list: &str, folder: &Path) -> Vec<Connection> {
    let mut providers = Vec::new();
    let _ = json::items::<JsonError>(list, |item| {
        let place = providers.len();
        let mut provider = one(item, &format!("{place}"), folder);
        if place >= LISTED_MAX {
            provider.way = Err(format!("there is room for at most {LISTED_MAX}"));
        }
        providers.push(provider);
        Ok(())
    });
    providers
}

/// Reads one provider.
pub(super) fn one(item: &str, otherwise: &str, folder: &Path) -> Connection {
    let key = text(item, "id").unwrap_or_else(|| otherwise.to_owned());
    let is_enabled = json::member(item, "enabled") != Some("false");
    let way = input(item, &key, folder).map(Way::Input);
    let (direction, origin, text) = (Direction::Input, Origin::Piped, item.to_owned());
    Connection { direction, key, origin, is_enabled, is_hidden: false, text, name: None, way }
}

/// Returns the options of its only element.
pub(super) fn options(provider: &str) -> Option<&str> {
    let mut elements = Vec::new();
    let list = json::member(provider, "pipeElements")?;
    json::items::<JsonError>(list, |item| {
        elements.push(item);
        Ok(())
    })
    .ok()?;
    let [element] = elements.as_slice() else { return None };
    let is_simple = text(element, "type").as_deref() == Some("providers/simple");
    json::member(element, "options").filter(|_| is_simple)
}

/// Returns the names of the options that are set and not obeyed.
pub(super) fn not_obeyed(provider: &str) -> Vec<&'static str> {
    let options = options(provider).unwrap_or("{}");
    let sub = json::member(options, "subOptions").unwrap_or("{}");
    let is_set = |name: &&&str| {
        let value = json::member(sub, name).unwrap_or("null");
        !matches!(value, "null" | "false" | "\"\"" | "[]" | "{}" | "[\"\"]" | "\"all\"")
    };
    let set = NOT_OBEYED.iter().filter(is_set).copied();
    set.chain((json::member(options, "logging") == Some("true")).then_some("logging")).collect()
}

/// Returns a member as text; numbers are texts, too, and empty texts none.
fn text(object: &str, name: &str) -> Option<String> {
    let value = json::member(object, name)?;
    let text = json::string(value)
        .map_or_else(|| json::number(value).map(|_| value.to_owned()), |text| Some(text.into_owned()));
    text.filter(|text| !text.is_empty())
}

fn input(provider: &str, id: &str, folder: &Path) -> Result<Input, String> {
    let mut elements = Vec::new();
    let _ = json::items::<JsonError>(json::member(provider, "pipeElements").unwrap_or("[]"), |item| {
        elements.push(item);
        Ok(())
    });
    let [element] = elements.as_slice() else { return Err("it is a chain of JavaScript modules".into()) };
    match text(element, "type").as_deref() {
        Some("providers/simple") => {}
        other => return Err(format!("it is made of the JavaScript module {}", other.unwrap_or("without a name"))),
    }
    let options = json::member(element, "options").unwrap_or("{}");
    let sub = json::member(options, "subOptions").unwrap_or("{}");
    let kind = text(options, "type").unwrap_or_default();
    let way = text(sub, "type").unwrap_or_default();
    let url = url(&kind, &way, sub, folder)?;
    Ok(Input::parse(&url)?.with_label(id))
}

/// Returns the URL of an input of that type and way.
fn url(kind: &str, way: &str, sub: &str, folder: &Path) -> Result<String, String> {
    let option = |name: &str| text(sub, name).ok_or_else(|| format!("{name} is missing"));
    let site = || Ok::<_, String>(format!("{}:{}", option("host")?, option("port")?));
    let own_port = || Ok::<_, String>(format!("0.0.0.0:{}", option("port")?));
    let serial = |baud: Option<u32>, default: u32, format: &str| {
        let baud = match baud {
            Some(baud) => baud.to_string(),
            None => text(sub, "baudrate").unwrap_or_else(|| default.to_string()),
        };
        Ok::<_, String>(format!("serial://{}?baud={baud}{format}", option("device")?))
    };
    match (kind, way) {
        ("NMEA2000", "canbus-canboatjs" | "canbus") => Ok(format!("can://{}", option("interface")?)),
        ("NMEA2000", "ngt-1-canboatjs" | "ngt-1") => serial(None, 115_200, "&format=ngt1"),
        ("NMEA2000", "ikonvert-canboatjs") => serial(Some(230_400), 0, "&format=ikonvert"),
        ("NMEA2000", "ydwg02-usb-canboatjs") => serial(Some(38_400), 0, "&format=ydwg"),
        ("NMEA2000", "ydwg02-canboatjs") => Ok(format!("tcp://{}?format=ydwg", site()?)),
        ("NMEA2000", "ydwg02-udp-canboatjs") => Ok(format!("udp://{}?format=ydwg", own_port()?)),
        ("NMEA2000", "navlink2-tcp-canboatjs") => Ok(format!("tcp://{}?format=ikonvert", site()?)),
        ("NMEA2000", "navlink2-udp-canboatjs") => Ok(format!("udp://{}?format=ikonvert", own_port()?)),
        ("NMEA2000", "w2k-1-n2k-ascii-canboatjs") => Ok(format!("tcp://{}?format=n2kascii", site()?)),
        ("NMEA2000", "w2k-1-n2k-actisense-canboatjs") => Ok(format!("tcp://{}?format=ngt1", site()?)),
        ("NMEA0183", "tcp") => Ok(format!("tcp://{}", site()?)),
        ("NMEA0183", "tcpserver") => {
            // The form has no field for it.
            Ok(format!("tcp-listen://0.0.0.0:{}", text(sub, "port").unwrap_or_else(|| TCP_SERVER_PORT.into())))
        }
        ("NMEA0183", "udp") => Ok(format!("udp://{}", own_port()?)),
        ("NMEA0183", "serial") => serial(None, 4800, ""),
        ("SignalK", "ws" | "wss") => {
            let own = match text(sub, "selfHandling").as_deref() {
                Some("useRemoteSelf") => "own",
                Some("manualSelf") => return Err("it names the vessel by hand (selfHandling manualSelf)".into()),
                _ => "other",
            };
            if json::member(sub, "selfsignedcert") == Some("true") {
                let clause =
                    "it takes any certificate (selfsignedcert); name the one it is: ?fingerprint= in skiff.inputs";
                return Err(clause.into());
            }
            let token = match text(sub, "token") {
                Some(token) if token.contains(['&', '?', '#', ' ']) => return Err("its token cannot be one".into()),
                Some(token) => format!("&token={token}"),
                None => String::new(),
            };
            Ok(format!("{way}://{}?self={own}{token}", site()?))
        }
        ("SignalK", "tcp") => Ok(format!("tcp://{}?format=deltas", site()?)),
        ("SignalK", "udp") => Ok(format!("udp://{}?format=deltas", own_port()?)),
        ("SignalK", "serial") => serial(None, 115_200, "&format=deltas"),
        ("FileStream", _) => {
            let path = folder.join(option("filename")?);
            path.to_str().map(str::to_owned).ok_or_else(|| "the name of its file is no text".into())
        }
        ("NMEA2000" | "NMEA0183" | "SignalK", way) => Err(format!("Skiff has no input of type {kind} {way}")),
        (kind, _) => Err(format!("Skiff has no input of type {kind}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(kind: &str, sub: &str) -> Result<String, String> {
        let text = format!(
            r#"[{{"id":"x","enabled":true,"pipeElements":[{{"type":"providers/simple","options":{{"type":"{kind}","subOptions":{sub}}}}}]}}]"#
        );
        let provider = read(&text, Path::new("/boat")).remove(0);
        assert_eq!((&*provider.key, provider.label()), ("x", "x".into()));
        provider.way.as_ref().map_err(Clone::clone).map(|_| provider.address())
    }

    #[test]
    fn each_kind_that_skiff_has_is_an_input() {
        for (kind, sub, url) in [
            ("NMEA2000", r#"{"type":"canbus-canboatjs","interface":"can0","useCanName":true}"#, "can://can0"),
            ("NMEA2000", r#"{"type":"ngt-1-canboatjs","device":"/dev/ttyUSB0"}"#, "serial:///dev/ttyUSB0?baud=115200"),
            ("NMEA2000", r#"{"type":"ikonvert-canboatjs","device":"/dev/x"}"#, "serial:///dev/x?baud=230400"),
            ("NMEA2000", r#"{"type":"ydwg02-canboatjs","host":"ydwg","port":"1457"}"#, "tcp://ydwg:1457"),
            ("NMEA2000", r#"{"type":"ydwg02-udp-canboatjs","port":2000}"#, "udp://0.0.0.0:2000"),
            ("NMEA2000", r#"{"type":"w2k-1-n2k-ascii-canboatjs","host":"w2k","port":60002}"#, "tcp://w2k:60002"),
            ("NMEA0183", r#"{"type":"tcp","host":"10.0.0.1","port":10110}"#, "tcp://10.0.0.1:10110"),
            ("NMEA0183", r#"{"type":"tcpserver","port":10110}"#, "tcp-listen://0.0.0.0:10110"),
            ("NMEA0183", r#"{"type":"tcpserver"}"#, "tcp-listen://0.0.0.0:10110"),
            ("NMEA0183", r#"{"type":"udp","port":"7777"}"#, "udp://0.0.0.0:7777"),
            ("NMEA0183", r#"{"type":"serial","device":"/dev/s0","baudrate":38400}"#, "serial:///dev/s0?baud=38400"),
            ("SignalK", r#"{"type":"ws","host":"bow","port":3000,"selfHandling":"useRemoteSelf"}"#, "ws://bow:3000"),
            ("SignalK", r#"{"type":"wss","host":"bow","port":3443}"#, "wss://bow:3443"),
            ("SignalK", r#"{"type":"tcp","host":"bow","port":8375}"#, "tcp://bow:8375"),
            ("SignalK", r#"{"type":"udp","port":8376}"#, "udp://0.0.0.0:8376"),
            ("FileStream", r#"{"dataType":"NMEA0183","filename":"plaka.log"}"#, "/boat/plaka.log"),
        ] {
            assert_eq!(taken(kind, sub).as_deref(), Ok(url), "{kind} {sub}");
        }
    }

    #[test]
    fn what_skiff_has_not_is_told_with_the_reason() {
        for (kind, sub, wanted) in [
            ("NMEA0183", r#"{"type":"gpsd","hostname":"x","port":2947}"#, "no input of type NMEA0183 gpsd"),
            ("Execute", r#"{"command":"rm"}"#, "no input of type Execute"),
            ("NMEA0183", r#"{"type":"tcp","port":1}"#, "host is missing"),
            ("NMEA0183", r#"{"type":"tcp","host":"x","port":"many"}"#, "host and port"),
            ("SignalK", r#"{"type":"wss","host":"x","port":1,"selfsignedcert":true}"#, "fingerprint="),
            ("SignalK", r#"{"type":"ws","host":"x","port":1,"selfHandling":"manualSelf"}"#, "manualSelf"),
        ] {
            let error = taken(kind, sub).unwrap_err();
            assert!(error.contains(wanted), "{sub}: {error}");
        }
        let text = r#"[{"id":"a","pipeElements":[{"type":"a"},{"type":"b"}]},{"pipeElements":[{"type":"providers/x"}]},
            {"id":"off","enabled":false,"pipeElements":[]}]"#;
        let providers = read(text, Path::new("/"));
        let reason = |at: usize| providers[at].way.clone().unwrap_err();
        assert!(reason(0).contains("chain") && reason(1).contains("providers/x"));
        assert_eq!((&*providers[1].key, providers[2].is_enabled), ("1", false));
    }

    #[test]
    fn a_token_goes_along_and_is_not_shown() {
        let sub = r#"{"type":"ws","host":"bow","port":3000,"token":"a.b-c_d"}"#;
        assert_eq!(taken("SignalK", sub).as_deref(), Ok("ws://bow:3000"));
        assert!(taken("SignalK", r#"{"type":"ws","host":"bow","port":3000,"token":"a&self=own"}"#).is_err());
    }

    #[test]
    fn options_that_are_not_obeyed_are_told() {
        let of = |options: &str| {
            let text = format!(r#"{{"id":"x","pipeElements":[{{"type":"providers/simple","options":{options}}}]}}"#);
            not_obeyed(&text)
        };
        let quiet = r#"{"type":"NMEA0183","logging":false,"subOptions":{"toStdout":[""],"ignoredSentences":[],"talkerGroups":{},"removeNulls":false,"sentenceEvent":"","subscription":"all"}}"#;
        assert_eq!(of(quiet), [""; 0]);
        let set = r#"{"logging":true,"subOptions":{"toStdout":["nmea0183out"],"filtersEnabled":true}}"#;
        assert_eq!(of(set), ["toStdout", "filtersEnabled", "logging"]);
    }
}
