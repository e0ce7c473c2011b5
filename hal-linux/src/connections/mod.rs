//! Inputs and outputs: those of the command line, and those that the settings name, which come and go as the owner wishes.
//!
//! `{"skiff":{"inputs":[…],"outputs":[…]}}`, and the `pipedProviders` of a Signal K folder, as far as Skiff has the like.
//! Each of the three is taken from `skiff/settings.json` where it stands there, else from `settings.json`.

mod connection;
mod keeper;
mod left;
mod listed;
mod look;
mod named;
mod peer;
mod piped;
mod probe;
mod rows;
mod waiters;
mod wishes;

use std::path::Path;

use skiff_runtime::config::{FILE_BYTES_MAX, OWN_SETTINGS_FILE, SETTINGS_FILE, read_object};
use skiff_runtime::json;

use crate::hal::Folder;

pub use connection::{Connection, Direction, Origin, Way};
pub use keeper::{Keeper, Plan, of_flags};
pub use left::left;
pub use waiters::Waiters;

/// Rows of each list of the settings, and connections that run of each direction: a thread each.
pub const LISTED_MAX: usize = 32;

/// Why something could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenError {
    /// A file is not there, or cannot be read.
    pub is_missing: bool,
    /// A clause that names it.
    pub clause: String,
}

/// Reads the connections of a folder's settings, as they stand there: those that are off, too, and those that cannot be.
///
/// # Errors
/// A clause that names the file and the member that cannot be meant. A file that cannot be read is told by who reads the rest
/// of it.
pub fn load(folder: &Path) -> Result<Vec<Connection>, String> {
    let mut connections: Vec<Connection> = Vec::new();
    let texts = [OWN_SETTINGS_FILE, SETTINGS_FILE].map(|file| {
        let text = read_object(&mut Folder::new(folder), file, FILE_BYTES_MAX);
        (file, text.ok().flatten().unwrap_or_default())
    });
    let find = |names: &[&str]| {
        texts.iter().find_map(|(file, text)| {
            let value = names.iter().try_fold(text.as_str(), |text, name| json::member(text, name))?;
            Some((*file, value))
        })
    };
    for (direction, list) in [(Direction::Input, "inputs"), (Direction::Output, "outputs")] {
        let Some((file, text)) = find(&["skiff", list]) else { continue };
        let told = |clause: String| format!("{file}: skiff.{list}{clause}");
        for row in listed::read(text).map_err(told)? {
            connections.push(row.connection(direction).map_err(told)?);
        }
    }
    if let Some((_, list)) = find(&["pipedProviders"]) {
        for mut provider in piped::read(list, folder) {
            // Who names it anew has decided about it.
            let is_same = |other: &Connection| {
                other.direction == Direction::Input && other.name.as_deref() == Some(&provider.key)
            };
            provider.is_hidden = connections.iter().any(is_same);
            connections.push(provider);
        }
    }
    Ok(connections)
}

/// Returns a line for each connection of the settings that is wanted, and is not taken or not wholly.
#[must_use]
pub fn not_taken(connections: &[Connection]) -> Vec<String> {
    let wanted = connections.iter().filter(|one| one.is_enabled && !one.is_hidden);
    let line = |one: &Connection| match &one.way {
        Err(reason) => Some(format!("settings.json: the connection {:?} is not taken: {reason}", one.key)),
        Ok(_) if one.origin == Origin::Piped => {
            let names = piped::not_obeyed(&one.text);
            let told = || format!("settings.json: the connection {:?} does not obey {}", one.key, names.join(", "));
            (!names.is_empty()).then(told)
        }
        Ok(_) => None,
    };
    wanted.filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(own: &str, theirs: &str) -> Result<Vec<Connection>, String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("skiff")).unwrap();
        if !own.is_empty() {
            std::fs::write(home.path().join(OWN_SETTINGS_FILE), own).unwrap();
        }
        std::fs::write(home.path().join(SETTINGS_FILE), theirs).unwrap();
        super::load(home.path())
    }

    fn shown(connections: &[Connection], direction: Direction) -> Vec<String> {
        let wanted = connections.iter().filter(|one| one.direction == direction && one.is_enabled && !one.is_hidden);
        wanted.filter(|one| one.way.is_ok()).map(|one| format!("{} {}", one.label(), one.address())).collect()
    }

    #[test]
    fn inputs_and_outputs_are_urls_or_objects() {
        let text = r#"{"skiff":{"inputs":["can://can0",{"url":"ws://bow:3000?token=x","name":"bow"},
            {"url":"tcp://10.0.0.1:1457","name":"wifi","enabled":false},{"name":"gone","enabled":false}],
            "outputs":["tcp-listen://0.0.0.0:10110",{"url":"udp://10.0.0.255:2000","name":"plotter","enabled":true}]}}"#;
        let read = load("", text).unwrap();
        assert_eq!(shown(&read, Direction::Input), ["can0 can://can0", "bow ws://bow:3000"]);
        assert_eq!(read.iter().map(Connection::id).nth(2).as_deref(), Some("input.wifi"), "what is off stays in sight");
        let outputs = shown(&read, Direction::Output);
        assert_eq!(outputs, ["tcp-listen://0.0.0.0:10110 tcp-listen://0.0.0.0:10110", "plotter udp://10.0.0.255:2000"]);
        assert_eq!(load("{}", "{}").unwrap(), []);
    }

    #[test]
    fn what_skiff_has_changed_wins_member_by_member() {
        let theirs = r#"{"skiff":{"inputs":["can://can0"],"outputs":["udp://10.0.0.255:2000"]}}"#;
        let read = load(r#"{"skiff":{"inputs":[]}}"#, theirs).unwrap();
        assert_eq!((read.len(), read[0].direction), (1, Direction::Output));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (member, wanted) in [
            (r#""inputs":{}"#, "skiff.inputs is no list"),
            (r#""inputs":[7]"#, "skiff.inputs[0] is neither a URL nor an object"),
            (r#""inputs":["can://can0",{"url":"ftp://x"}]"#, "skiff.inputs[1]: ftp:// is no kind of input"),
            (r#""inputs":[{"nam":"x"}]"#, "skiff.inputs[0]: \"nam\" is no member; there are url, name, enabled"),
            (r#""inputs":[{"name":"x"}]"#, "skiff.inputs[0]: url is missing"),
            (r#""inputs":[{"url":"can://x","enabled":1}]"#, "enabled must be true or false"),
            (r#""inputs":[{"url":"can://x","name":""}]"#, "name must be"),
            (r#""inputs":["can://a","can://a"]"#, "skiff.inputs[1]: \"a\" is the name of another one"),
            (r#""outputs":["can://can0"]"#, "skiff.outputs[0]: can://can0 is no kind of output"),
        ] {
            let error = load("", &format!(r#"{{"skiff":{{{member}}}}}"#)).unwrap_err();
            assert!(error.starts_with("settings.json: ") && error.contains(wanted), "{member}: {error}");
        }
        let many = format!(r#"{{"skiff":{{"inputs":[{}"-"]}}}}"#, "\"-\",".repeat(LISTED_MAX));
        assert!(load("", &many).unwrap_err().contains("at most 32"));
    }

    #[test]
    fn a_provider_that_is_named_anew_is_not_taken_as_it_was() {
        let provider = |id: &str, kind: &str, sub: &str| {
            format!(
                r#"{{"id":"{id}","pipeElements":[{{"type":"providers/simple","options":{{"type":"{kind}","subOptions":{sub}}}}}]}}"#
            )
        };
        let text = format!(
            r#"{{"skiff":{{"inputs":[{{"name":"gps","enabled":false}}]}},"pipedProviders":[{},{},{}]}}"#,
            provider("n2k", "NMEA2000", r#"{"type":"canbus-canboatjs","interface":"can0"}"#),
            provider("gps", "NMEA0183", r#"{"type":"serial","device":"/dev/ttyUSB0","baudrate":4800}"#),
            provider("st", "Seatalk", r#"{"type":"gpiod","gpio":"GPIO04"}"#),
        );
        let read = load("", &text).unwrap();
        assert_eq!(shown(&read, Direction::Input), ["n2k can://can0"]);
        assert_eq!(
            not_taken(&read),
            ["settings.json: the connection \"st\" is not taken: Skiff has no input of type Seatalk"]
        );
    }
}
