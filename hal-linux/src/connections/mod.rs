//! Inputs and outputs that the settings name, beside those of the command line.
//!
//! `{"skiff":{"inputs":[…],"outputs":[…]}}`, and the `pipedProviders` of a Signal K folder, as far as Skiff has the like.
//! Each of the three is taken from `skiff/settings.json` where it stands there, else from `settings.json`.

mod listed;
mod piped;

use std::path::Path;

use skiff_runtime::config::{FILE_BYTES_MAX, OWN_SETTINGS_FILE, SETTINGS_FILE, read_object};
use skiff_runtime::json;

use crate::hal::Folder;
use crate::input::Input;
use crate::output::Output;

/// Inputs, and outputs, of the settings: a thread each.
pub const LISTED_MAX: usize = 32;

/// What the settings say.
#[derive(Debug, Default)]
pub struct Connections {
    /// `skiff.inputs` that are enabled.
    pub inputs: Vec<Input>,
    /// `pipedProviders` that are enabled: they were made for another server, and one that cannot be opened is left out.
    pub piped: Vec<Input>,
    /// `skiff.outputs` that are enabled.
    pub outputs: Vec<Output>,
    /// A line for each provider that is not taken.
    pub not_taken: Vec<String>,
}

impl Connections {
    /// Reads the settings of a folder.
    ///
    /// # Errors
    /// A clause that names the file and the member that cannot be meant. A file that cannot be read is told by who reads the
    /// rest of it.
    pub fn load(folder: &Path) -> Result<Self, String> {
        let mut connections = Self::default();
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
        let mut names = Vec::new();
        if let Some((file, list)) = find(&["skiff", "inputs"]) {
            let rows = listed::read(list).map_err(|clause| format!("{file}: skiff.inputs{clause}"))?;
            for row in rows {
                names.extend(row.name.clone());
                let input = row.input().map_err(|clause| format!("{file}: skiff.inputs{clause}"))?;
                connections.inputs.extend(input);
            }
        }
        if let Some((file, list)) = find(&["skiff", "outputs"]) {
            let rows = listed::read(list).map_err(|clause| format!("{file}: skiff.outputs{clause}"))?;
            for row in rows {
                let output = row.output().map_err(|clause| format!("{file}: skiff.outputs{clause}"))?;
                connections.outputs.extend(output);
            }
        }
        if let Some((file, list)) = find(&["pipedProviders"]) {
            for provider in piped::read(list, folder) {
                match provider.input {
                    // Who names it anew has decided about it.
                    _ if names.contains(&provider.id) => {}
                    Ok(input) => connections.piped.extend(input),
                    Err(reason) => {
                        let line = format!("{file}: the connection {:?} is not taken: {reason}", provider.id);
                        connections.not_taken.push(line);
                    }
                }
            }
        }
        Ok(connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(own: &str, theirs: &str) -> Result<Connections, String> {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("skiff")).unwrap();
        if !own.is_empty() {
            std::fs::write(home.path().join(OWN_SETTINGS_FILE), own).unwrap();
        }
        std::fs::write(home.path().join(SETTINGS_FILE), theirs).unwrap();
        Connections::load(home.path())
    }

    fn shown(inputs: &[Input]) -> Vec<String> {
        inputs.iter().map(|input| format!("{} {input}", input.label())).collect()
    }

    #[test]
    fn inputs_and_outputs_are_urls_or_objects() {
        let text = r#"{"skiff":{"inputs":["can://can0",{"url":"ws://bow:3000?token=x","name":"bow"},
            {"url":"tcp://10.0.0.1:1457","name":"wifi","enabled":false},{"name":"gone","enabled":false}],
            "outputs":["tcp-listen://0.0.0.0:10110",{"url":"udp://10.0.0.255:2000","name":"plotter","enabled":true}]}}"#;
        let read = load("", text).unwrap();
        assert_eq!(shown(&read.inputs), ["can0 can://can0", "bow ws://bow:3000"]);
        let outputs: Vec<String> = read.outputs.iter().map(|output| format!("{} {output}", output.name())).collect();
        assert_eq!(outputs, ["tcp-listen://0.0.0.0:10110 tcp-listen://0.0.0.0:10110", "plotter udp://10.0.0.255:2000"]);
        assert_eq!(shown(&load("{}", "{}").unwrap().inputs), [""; 0]);
    }

    #[test]
    fn what_skiff_has_changed_wins_member_by_member() {
        let theirs = r#"{"skiff":{"inputs":["can://can0"],"outputs":["udp://10.0.0.255:2000"]}}"#;
        let read = load(r#"{"skiff":{"inputs":[]}}"#, theirs).unwrap();
        assert_eq!((read.inputs.len(), read.outputs.len()), (0, 1));
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
        assert_eq!(shown(&read.piped), ["n2k can://can0"]);
        assert_eq!(
            read.not_taken,
            ["settings.json: the connection \"st\" is not taken: Skiff has no input of type Seatalk"]
        );
    }
}
