//! How a plugin takes deltas: as values, as text, or not at all.

use serde_json::{Value, json};
use skiff_abi::{Capability, export};
use skiff_runtime::budget::PluginLimits;
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::package::Package;
use skiff_runtime::scenario::{InputRow, Rows, kind_name, rows};

/// How a plugin takes deltas.
#[derive(Debug)]
pub struct Deltas {
    rows: Rows,
    /// It has a handler for text, and may read.
    takes_text: bool,
    /// The paths it wants as text; `None` means all.
    filter: Option<Vec<String>>,
}

impl Deltas {
    /// Looks at a package; one that takes values is started to be asked.
    #[must_use]
    pub fn of(package: &Package, facts: &ModuleFacts, limits: &PluginLimits) -> Self {
        Self {
            rows: rows(package, "{}", limits),
            takes_text: facts.exports(export::DELTA_HANDLER)
                && package.capabilities.allows(Capability::DataRead, false),
            filter: package.subscribe.clone(),
        }
    }

    fn text(&self) -> String {
        match &self.filter {
            _ if !self.takes_text => String::from("none"),
            None => String::from("no filter: wants the text of every delta"),
            Some(paths) if paths.is_empty() => String::from("the text of none"),
            Some(paths) => format!("the text of those with {}", paths.join(", ")),
        }
    }

    /// Returns rows for a reader.
    #[must_use]
    pub fn as_rows(&self) -> Vec<(&'static str, String)> {
        let text = ("deltas", self.text());
        match &self.rows {
            Rows::Text => vec![text],
            Rows::Refused(reason) => vec![text, ("values", reason.clone())],
            Rows::Values { inputs, outputs, interval_ms, takes_others } => {
                let input = |input: &InputRow| {
                    let quiet = if input.is_quiet { ", quiet" } else { "" };
                    format!("{} ({}{quiet})", input.path, kind_name(input.kind))
                };
                let output = |(path, kind): &(String, u8)| format!("{path} ({})", kind_name(*kind));
                let list =
                    |names: Vec<String>| if names.is_empty() { String::from("nothing") } else { names.join(", ") };
                let mut rows = vec![
                    ("takes", list(inputs.iter().map(input).collect())),
                    ("gives", list(outputs.iter().map(output).collect())),
                ];
                if *interval_ms > 0 {
                    rows.push(("updates", format!("at least {interval_ms} ms apart")));
                }
                rows.push((
                    "deltas",
                    if *takes_others { format!("beside that: {}", self.text()) } else { "as values".into() },
                ));
                rows
            }
        }
    }

    /// Returns the same as an object.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let text = self.takes_text.then(|| json!({ "filter": self.filter }));
        match &self.rows {
            Rows::Text => json!({ "text": text, "values": null }),
            Rows::Refused(reason) => json!({ "text": text, "values": null, "refused": reason }),
            Rows::Values { inputs, outputs, interval_ms, takes_others } => {
                let inputs: Vec<Value> = inputs
                    .iter()
                    .map(|input| json!({ "path": input.path, "kind": kind_name(input.kind), "quiet": input.is_quiet }))
                    .collect();
                let outputs: Vec<Value> =
                    outputs.iter().map(|(path, kind)| json!({ "path": path, "kind": kind_name(*kind) })).collect();
                json!({
                    "text": text.filter(|_| *takes_others),
                    "values": { "inputs": inputs, "outputs": outputs, "intervalMs": interval_ms },
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use skiff_runtime::budget::{Board, Limits};

    use super::*;

    fn of(members: &str, exports: &str) -> Deltas {
        let json = format!(r#"{{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"{members}}}"#);
        let wasm = wat::parse_str(format!(
            r#"(module (memory (export "memory") 1)
                (data (i32.const 64) "SKV1\01\00\01\00\80\00\00\00\a0\00\00\00\fa\00\00\00\00\00\00\00")
                (data (i32.const 128) "\00\02\00\00\03\00\81") (data (i32.const 160) "\02\02\00\00\01\00\06")
                (data (i32.const 512) "a.b")
                (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
                (func (export "allocate") (param i32) (result i32) (i32.const 4096))
                (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0)) {exports})"#
        ))
        .unwrap();
        let package = Package::from_parts(json.as_bytes(), wasm).unwrap();
        Deltas::of(&package, &ModuleFacts::survey(&package.wasm).unwrap(), &Limits::of(Board::Linux).plugin)
    }

    const HANDLER: &str = r#"(func (export "delta_handler") (param i32 i32))"#;
    const UPDATE: &str = r#"(func (export "skiff_update") (result i32) (i32.const 0))"#;

    #[test]
    fn who_wants_the_text_of_every_delta_is_told_so() {
        let said = |deltas: &Deltas| deltas.as_rows();
        assert_eq!(said(&of("", "")), [("deltas", "none".to_owned())]);
        let all = of("", HANDLER);
        assert_eq!(said(&all), [("deltas", "no filter: wants the text of every delta".to_owned())]);
        assert_eq!(all.as_json().to_string(), r#"{"text":{"filter":null},"values":null}"#);
        let some = of(r#","skiff":{"subscribe":["a.*","b"]}"#, HANDLER);
        assert_eq!(said(&some), [("deltas", "the text of those with a.*, b".to_owned())]);
        assert_eq!(said(&of(r#","wasmCapabilities":{"dataRead":false}"#, HANDLER)), [("deltas", "none".to_owned())]);
    }

    #[test]
    fn who_takes_values_says_which() {
        let values = r#"(func (export "skiff_values") (result i32) (i32.const 64))"#;
        let deltas = of("", &[HANDLER, UPDATE, values].concat());
        assert_eq!(
            deltas.as_rows(),
            [
                ("takes", "a.b (number, quiet)".to_owned()),
                ("gives", "b (notification)".to_owned()),
                ("updates", "at least 250 ms apart".to_owned()),
                ("deltas", "as values".to_owned()),
            ]
        );
        let json = deltas.as_json();
        assert_eq!(json["values"]["inputs"][0], json!({ "path": "a.b", "kind": "number", "quiet": true }));
        assert_eq!(json["values"]["outputs"][0], json!({ "path": "b", "kind": "notification" }));
        let refused = of("", UPDATE);
        let reason = "takes no values: skiff_values and skiff_update go together";
        assert_eq!(refused.as_rows()[1], ("values", reason.to_owned()));
        assert_eq!(refused.as_json()["refused"], "takes no values: skiff_values and skiff_update go together");
    }
}
