//! Which deltas a plugin is given now, and who says so.

use skiff_abi::{Capability, export};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::config::PluginConfig;
use skiff_runtime::host::ModuleFacts;
use skiff_runtime::json::{self, Object};
use skiff_runtime::package::Package;
use skiff_runtime::paths::Pattern;
use skiff_runtime::plugin::wished;
use skiff_runtime::scenario::{Rows, rows};

use super::super::super::talk::{aligned, sanitised};

/// Which deltas a plugin is given.
pub(super) struct Held {
    /// Paths of its inputs, where it takes values.
    inputs: Option<Vec<String>>,
    /// It takes deltas as text, too.
    takes_text: bool,
    /// The paths of its filter, and whether its operator has set them; `None` where every delta is given to it.
    filter: Option<(Vec<String>, bool)>,
    /// Why a filter that was set does not hold.
    problem: Option<String>,
    file: String,
}

impl Held {
    /// Looks at a plugin; one that takes values is started to be asked.
    pub(super) fn of(package: &Package, config: &PluginConfig) -> Self {
        let limits = Limits::of(Board::Linux).plugin;
        let may_read = package.capabilities.allows(Capability::DataRead, false);
        let has_handler =
            ModuleFacts::survey(&package.wasm).is_ok_and(|facts| facts.exports(export::DELTA_HANDLER)) && may_read;
        let (inputs, takes_text) = match rows(package, config.configuration.as_deref().unwrap_or("{}"), &limits) {
            Rows::Values { inputs, takes_others, .. } if may_read => {
                (Some(inputs.into_iter().map(|input| input.path).collect()), has_handler && takes_others)
            }
            _ => (None, has_handler),
        };
        let filter = wished(package, Some(config));
        let wrong = |paths: &Vec<String>| {
            let pattern = paths.iter().find_map(|path| Some(format!("{path}: {}", Pattern::of_path(path).err()?)));
            let limit = usize::from(limits.path_filter_max);
            pattern.or_else(|| (paths.len() > limit).then(|| format!("more than {limit} paths")))
        };
        let problem = filter.as_ref().and_then(|(paths, _)| wrong(paths));
        let file = PluginConfig::file(&package.id());
        Self { inputs, takes_text, filter, problem, file }
    }

    fn whose(&self) -> Option<&'static str> {
        self.filter.as_ref().map(|(_, by_operator)| if *by_operator { "operator" } else { "package" })
    }

    /// Returns it for a reader.
    pub(super) fn as_lines(&self) -> Vec<String> {
        let list = |paths: &[String]| if paths.is_empty() { String::from("none") } else { paths.join(", ") };
        let mut table = Vec::new();
        let mut row = |name: &str, text: &str| table.push(vec![name.to_owned(), sanitised(text)]);
        if let Some(inputs) = &self.inputs {
            row("values", &list(inputs));
            row("set by", "the plugin: they are its inputs");
        }
        let whose = match self.whose() {
            Some("operator") => format!("the operator, in {}", self.file),
            Some(_) => String::from("the package, by skiff.subscribe in package.json"),
            None => String::from("nobody"),
        };
        match &self.filter {
            _ if !self.takes_text => row("text", "of no delta"),
            Some((paths, _)) if self.problem.is_none() => row("text", &format!("of deltas with {}", list(paths))),
            _ => row("text", "of every delta"),
        }
        if self.takes_text || self.whose() == Some("operator") {
            row("set by", &whose);
        }
        if let Some(problem) = &self.problem {
            row("unused", problem);
        }
        aligned(&table)
    }

    /// Returns it as an object.
    pub(super) fn as_json(&self, package: &str) -> String {
        let paths = self.filter.as_ref().filter(|_| self.problem.is_none()).map(|(paths, _)| &**paths);
        json::object(|out| {
            paths_or_null(out.text("package", package), "inputs", self.inputs.as_deref());
            if self.takes_text {
                out.object("text", |text| {
                    paths_or_null(text, "paths", paths);
                    text.text_or_null("setBy", self.whose());
                });
            } else {
                out.null("text");
            }
            out.text_or_null("problem", self.problem.as_deref());
        })
    }
}

fn paths_or_null(out: &mut Object<'_>, name: &str, paths: Option<&[String]>) {
    match paths {
        None => out.null(name),
        Some(paths) => out.list(name, |list| {
            for path in paths {
                list.text(path);
            }
        }),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn held(members: &str, config: &str) -> Held {
        let json = format!(r#"{{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"{members}}}"#);
        let wasm = wat::parse_str(
            r#"(module (memory (export "memory") 1) (func (export "delta_handler") (param i32 i32))
                (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
                (func (export "allocate") (param i32) (result i32) (i32.const 4096)))"#,
        );
        Held::of(&Package::from_parts(json.as_bytes(), wasm.unwrap()).unwrap(), &PluginConfig::parse(config))
    }

    #[test]
    fn it_says_whose_filter_holds() {
        let nobody = held("", "{}");
        assert_eq!(nobody.as_lines(), ["text    of every delta", "set by  nobody"]);
        assert_eq!(
            nobody.as_json("p"),
            r#"{"package":"p","inputs":null,"text":{"paths":null,"setBy":null},"problem":null}"#
        );
        let wish = r#","skiff":{"subscribe":["a.*","b"]}"#;
        let package = held(wish, "{}").as_lines();
        assert_eq!(package[0], "text    of deltas with a.*, b");
        assert!(package[1].contains("the package"));
        let operator = held(wish, r#"{"skiff":{"subscribe":[]}}"#).as_lines();
        assert_eq!(operator, ["text    of deltas with none", "set by  the operator, in plugin-config-data/p.json"]);
    }

    #[test]
    fn a_filter_that_does_not_hold_is_told() {
        let wrong = held("", r#"{"skiff":{"subscribe":["a","b..c"]}}"#);
        assert_eq!(wrong.as_lines()[0], "text    of every delta");
        assert!(wrong.as_lines()[2].starts_with("unused  b..c: "));
        let many = (0..100).map(|number| format!("\"a{number}\"")).collect::<Vec<_>>().join(",");
        assert_eq!(
            held("", &format!(r#"{{"skiff":{{"subscribe":[{many}]}}}}"#)).problem.as_deref(),
            Some("more than 64 paths")
        );
        assert_eq!(held(r#","wasmCapabilities":{"dataRead":false}"#, "{}").as_lines(), ["text  of no delta"]);
    }

    #[test]
    fn who_takes_values_is_told_by_its_inputs() {
        let held = Held::of(&sample::PACKAGES[0].package().unwrap(), &PluginConfig::default());
        let lines = held.as_lines();
        assert!(lines[0].starts_with("values  environment.wind."), "{lines:?}");
        assert_eq!(lines[2], "text    of no delta");
    }
}
