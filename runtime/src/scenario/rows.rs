//! What a plugin takes and gives in rows of its memory: it is started in the mock world to be asked.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lines::Lines;
use super::script::Scenario;
use super::world::World;
use crate::budget::PluginLimits;
use crate::host::{Answer, Call, Instance, InstanceSpec, ModuleFacts, Progress};
use crate::json;
use crate::package::Package;
use skiff_abi::values;

/// An input of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRow {
    /// Path, with the member that is meant: `navigation.position#latitude`.
    pub path: String,
    /// Kind as [`skiff_abi::values`] counts them.
    pub kind: u8,
    /// Its arrival alone causes no update.
    pub is_quiet: bool,
}

/// What a plugin takes and gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Deltas as text: it says nothing of values.
    Text,
    /// Deltas as text, since it says something of values that cannot be used; the reason.
    Refused(String),
    /// Values.
    Values {
        /// Its inputs.
        inputs: Vec<InputRow>,
        /// Paths of its outputs, each with the kind that it has after the start.
        outputs: Vec<(String, u8)>,
        /// Least time between two updates, milliseconds.
        interval_ms: u32,
        /// It takes deltas with other paths as text.
        takes_others: bool,
    },
}

/// Returns the name of a kind of input or output ([`skiff_abi::values`]).
#[must_use]
pub fn kind_name(kind: u8) -> &'static str {
    match kind {
        values::NUMBER => "number",
        values::TEXT => "text",
        values::BOOLEAN => "boolean",
        values::NULL => "null",
        values::JSON => "json",
        values::NOTIFICATION => "notification",
        _ => "unknown",
    }
}

/// Starts a plugin with a configuration, JSON, where nothing leads outside, and asks for its rows. A module that says
/// nothing of values is not run.
#[must_use]
pub fn rows(package: &Package, config: &str, limits: &PluginLimits) -> Rows {
    match ModuleFacts::survey(&package.wasm) {
        Ok(facts) if facts.exports(values::VALUES) || facts.exports(values::UPDATE) => {
            asked(package, &facts, config, limits).unwrap_or_else(Rows::Refused)
        }
        _ => Rows::Text,
    }
}

fn asked(package: &Package, facts: &ModuleFacts, config: &str, limits: &PluginLimits) -> Result<Rows, String> {
    let script = json::object(|script| {
        script.text("name", &package.name).text("package", &package.name).list("steps", |_| ());
    });
    let scenario = Scenario::parse(&script).map_err(|error| error.to_string())?;
    let mut refused = None;
    let mut sink = |line: &str| {
        if json::member(line, "ev") == Some("\"refused\"") {
            refused = json::member(line, "msg").and_then(json::string).map(String::from);
        }
    };
    let mut world = World::new(&scenario, limits, Lines::new(&mut sink));
    let spec = InstanceSpec {
        package: package.name.clone(),
        id: package.id(),
        capabilities: package.capabilities.clone(),
        limits: *limits,
        growth_bytes: u64::MAX,
    };
    let mut instance = Instance::load(facts, &package.wasm, &spec).map_err(|error| error.to_string())?;
    let config = json::with_member(config, "enableDebug", "false");
    instance.begin(Call::Start { config });
    let answer = loop {
        match instance.run(&mut world) {
            Progress::Running => {}
            Progress::Waiting => instance.rouse(),
            Progress::Done(answer) => break answer,
            Progress::Failed(failure) => return Err(format!("it did not start: {failure}")),
        }
    };
    drop(world);
    if answer != Answer::Code(Some(0)) {
        return Err(String::from("it does not start with an empty configuration: what it takes is not known"));
    }
    let Some(values) = instance.values() else { return Err(refused.unwrap_or_default()) };
    let inputs = values.inputs().map(|(path, kind, is_quiet)| InputRow { path: path.to_string(), kind, is_quiet });
    Ok(Rows::Values {
        inputs: inputs.collect(),
        outputs: instance.outputs(),
        interval_ms: values.interval_ms(),
        takes_others: values.takes_others(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};

    fn of(exports: &str) -> Rows {
        let json = br#"{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"}"#;
        let text = format!(
            r#"(module (memory (export "memory") 1)
                (data (i32.const 64) "SKV1\01\00\00\00\80\00\00\00\00\00\00\00\fa\00\00\00\00\00\00\00")
                (data (i32.const 128) "\00\02\00\00\03\00\81") (data (i32.const 512) "a.b")
                (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
                (func (export "allocate") (param i32) (result i32) (i32.const 4096))
                (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0)) {exports})"#
        );
        let package = Package::from_parts(json, wat::parse_str(text).unwrap()).unwrap();
        rows(&package, "{}", &Limits::of(Board::Linux).plugin)
    }

    #[test]
    fn a_plugin_is_asked_for_its_rows_and_says_why_it_has_none() {
        assert_eq!(of(""), Rows::Text);
        let update = r#"(func (export "skiff_update") (result i32) (i32.const 0))"#;
        let values = |at: u32| format!(r#"{update} (func (export "skiff_values") (result i32) (i32.const {at}))"#);
        let input = InputRow { path: "a.b".to_string(), kind: 1, is_quiet: true };
        let wanted =
            Rows::Values { inputs: alloc::vec![input], outputs: Vec::new(), interval_ms: 250, takes_others: false };
        assert_eq!(of(&values(64)), wanted);
        let refused = |reason: &str| Rows::Refused(format!("takes no values: {reason}"));
        assert_eq!(of(&values(72)), refused("the descriptor has another magic"));
        assert_eq!(of(update), refused("skiff_values and skiff_update go together"));
    }
}
