//! `skiff replay --summary`: what a log came to, as one JSON, to be held against that of another version or another day.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};
use skiff_runtime::gateway::Gateway;
use skiff_runtime::json::{self, JsonError, Object};
use skiff_runtime::replay::{Replay, SELF_CONTEXT};

/// Paths that are told one by one for a plugin; what comes for more is counted together.
const PATHS_MAX: usize = 4096;

/// What one path got.
#[derive(Default)]
struct Told {
    values: u64,
    /// Of times and values, in the order in which they came.
    digest: Sha256,
    /// How often a notification came with each state.
    states: BTreeMap<String, u64>,
}

/// What one plugin did.
#[derive(Default)]
struct Did {
    deltas: u64,
    paths: BTreeMap<String, Told>,
    /// Values of paths beyond [`PATHS_MAX`].
    others: u64,
    linear_bytes: u64,
    fuel_in_call: u64,
    /// State and reason before the end of the log stopped it.
    state: String,
    reason: Option<String>,
}

/// What a log came to.
#[derive(Default)]
pub(super) struct Summary {
    plugins: BTreeMap<String, Did>,
    emitted: Sha256,
}

impl Summary {
    /// Takes what came of a record.
    pub fn take(&mut self, replay: &mut Replay) {
        while let Some(line) = replay.next_line() {
            self.emitted.update(line.as_bytes());
            self.emitted.update(b"\n");
            // The gateway has written it.
            let _ = self.line(&line);
        }
        for plugin in replay.gateway().plugins().plugins() {
            let Some(usage) = plugin.instance().map(skiff_runtime::host::Instance::usage) else { continue };
            let did = self.of(plugin.package_name());
            did.linear_bytes = did.linear_bytes.max(usage.linear_bytes);
            did.fuel_in_call = did.fuel_in_call.max(usage.fuel_in_call);
        }
    }

    /// Takes note of how the plugins are, before they are stopped.
    pub fn at_end(&mut self, gateway: &Gateway) {
        for plugin in gateway.plugins().plugins() {
            let did = self.of(plugin.package_name());
            (did.state, did.reason) = (plugin.state().name().to_owned(), plugin.reason().map(str::to_owned));
        }
    }

    fn of(&mut self, package: &str) -> &mut Did {
        if !self.plugins.contains_key(package) {
            self.plugins.insert(package.to_owned(), Did::default());
        }
        self.plugins.entry(package.to_owned()).or_default()
    }

    fn line(&mut self, line: &str) -> Result<(), JsonError> {
        let text = |name: &str| json::member(line, name).and_then(json::string);
        let (Some(package), Some(context)) = (text("_plugin"), text("context")) else { return Ok(()) };
        let did = self.of(&package);
        did.deltas = did.deltas.saturating_add(1);
        json::items(json::member(line, "updates").unwrap_or("[]"), |update| {
            let time = json::member(update, "timestamp").unwrap_or_default();
            json::items(json::member(update, "values").unwrap_or("[]"), |entry| {
                let (Some(path), Some(value)) =
                    (json::member(entry, "path").and_then(json::string), json::member(entry, "value"))
                else {
                    return Ok::<_, JsonError>(());
                };
                did.value(&context, &path, time, value);
                Ok(())
            })
        })
    }

    /// Writes it.
    pub fn json(&self, label: &str, records: u64, gateway: Option<&Gateway>) -> String {
        json::object(|out| {
            out.text("log", label).number("records", records).text("emitted", &hex(&self.emitted));
            out.list("plugins", |list| {
                for (package, did) in &self.plugins {
                    let plugin = gateway.and_then(|gateway| {
                        gateway.plugins().plugins().find(|plugin| plugin.package_name() == package)
                    });
                    list.object(|out| {
                        out.text("package", package);
                        if let Some(plugin) = plugin {
                            out.text("version", &plugin.package().version);
                        }
                        out.text("state", &did.state).text_or_null("reason", did.reason.as_deref());
                        did.write(out);
                        if let Some(plugin) = plugin {
                            let drops = plugin.drops();
                            out.number("fuel", plugin.fuel_spent());
                            out.object("faults", |out| {
                                out.number("restarts", plugin.restarts()).number("recycled", plugin.recycled());
                                out.number("queue", drops.deltas).number("emitted", drops.emitted);
                                out.number("malformed", drops.malformed).number("frames", drops.frames);
                                out.number("loop", drops.looped);
                            });
                        }
                    });
                }
            });
        })
    }
}

impl Did {
    fn value(&mut self, context: &str, path: &str, time: &str, value: &str) {
        let key = if context == SELF_CONTEXT { path.to_owned() } else { format!("{context} {path}") };
        if self.paths.len() >= PATHS_MAX && !self.paths.contains_key(&key) {
            self.others = self.others.saturating_add(1);
            return;
        }
        let told = self.paths.entry(key).or_default();
        told.values = told.values.saturating_add(1);
        for part in [time, "\t", value, "\n"] {
            told.digest.update(part.as_bytes());
        }
        if path.starts_with("notifications.") {
            let state = json::member(value, "state").and_then(json::string);
            let state = state.map_or_else(|| "none".to_owned(), String::from);
            let count = told.states.entry(state).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn write(&self, out: &mut Object<'_>) {
        out.number("deltas", self.deltas);
        out.object("paths", |out| {
            for (path, told) in &self.paths {
                out.object(path, |out| {
                    out.number("values", told.values).text("sha256", &hex(&told.digest));
                });
            }
        });
        out.number("values_of_other_paths", self.others);
        out.object("notifications", |out| {
            for (path, told) in self.paths.iter().filter(|(_, told)| !told.states.is_empty()) {
                out.object(path, |out| {
                    for (state, count) in &told.states {
                        out.number(state, *count);
                    }
                });
            }
        });
        out.object("peaks", |out| {
            out.number("linear_bytes", self.linear_bytes).number("fuel_in_call", self.fuel_in_call);
        });
    }
}

fn hex(digest: &Sha256) -> String {
    digest.clone().finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> serde_json::Value {
        let mut summary = Summary::default();
        lines.iter().for_each(|line| summary.line(line).unwrap());
        serde_json::from_str(&summary.json("a", 7, None)).unwrap()
    }

    fn line(context: &str, path: &str, value: &str) -> String {
        format!(
            r#"{{"_plugin":"@acme/p","context":"{context}","updates":[{{"timestamp":"t","values":[{{"path":"{path}","value":{value}}}]}}]}}"#
        )
    }

    #[test]
    fn paths_are_counted_and_a_value_that_differs_is_another_digest() {
        let (one, two) = (line(SELF_CONTEXT, "a.b", "1"), line(SELF_CONTEXT, "a.b", "2"));
        let (same, other) = (of(&[&one, &two]), of(&[&two, &one]));
        let path = |summary: &serde_json::Value| summary["plugins"][0]["paths"]["a.b"].clone();
        assert_eq!((&same["records"], &same["plugins"][0]["deltas"]), (&7.into(), &2.into()));
        assert_eq!((path(&same)["values"].clone(), path(&same)), (2.into(), path(&of(&[&one, &two]))));
        assert_ne!(path(&same)["sha256"], path(&other)["sha256"], "the order counts");
        let decoded = r#"{"_line":1,"updates":[]}"#;
        assert!(of(&[decoded])["plugins"].as_array().unwrap().is_empty());
    }

    #[test]
    fn notifications_are_counted_by_state_and_other_vessels_stand_apart() {
        let alarm = line(SELF_CONTEXT, "notifications.x", r#"{"state":"alarm"}"#);
        let gone = line(SELF_CONTEXT, "notifications.x", "null");
        let other = line("vessels.b", "a.b", "1");
        let plugin = of(&[&alarm, &alarm, &gone, &other])["plugins"][0].clone();
        assert_eq!(plugin["notifications"]["notifications.x"], serde_json::json!({ "alarm": 2, "none": 1 }));
        assert_eq!(plugin["paths"]["vessels.b a.b"]["values"], 1);
    }

    #[test]
    fn paths_without_end_are_counted_together() {
        let mut did = Did::default();
        (0..PATHS_MAX + 5).for_each(|number| did.value(SELF_CONTEXT, &format!("a.b{number}"), "", "1"));
        assert_eq!((did.paths.len(), did.others), (PATHS_MAX, 5));
    }
}
