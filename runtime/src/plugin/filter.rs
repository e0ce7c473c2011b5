//! Which deltas a plugin is told of: its package's wish, or its operator's.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::config::PluginConfig;
use crate::delta::Delta;
use crate::package::{Package, subscribe};
use crate::paths::{Pattern, PatternSet};

/// Returns the paths that are wished for a plugin, and whether its operator has set them; `None` where nobody wishes for
/// any, so that it gets every delta.
#[must_use]
pub fn wished(package: &Package, config: Option<&PluginConfig>) -> Option<(Vec<String>, bool)> {
    let of_operator = config.and_then(|config| config.own_section()).and_then(subscribe);
    let by_operator = of_operator.is_some();
    Some((of_operator.or_else(|| package.subscribe.clone())?, by_operator))
}

/// The paths a plugin wants; without patterns it gets nothing, without a filter everything.
#[derive(Debug)]
pub(super) struct PathFilter {
    patterns: PatternSet<()>,
    /// The operator has set it: it holds for inputs of plugins that take values, too.
    by_operator: bool,
}

impl PathFilter {
    /// Builds the filter of a plugin; `None` means that it gets every delta. Patterns that cannot be used are told to
    /// `refused`, and leave the plugin without a filter: too much is safer than too little.
    pub(super) fn of(
        package: &Package,
        config: Option<&PluginConfig>,
        limit: u16,
        refused: &mut dyn FnMut(String),
    ) -> Option<Self> {
        let (wanted, by_operator) = wished(package, config)?;
        let mut patterns = PatternSet::new(usize::from(limit));
        for text in &wanted {
            let added = Pattern::of_path(text)
                .map_err(|error| format!("{error}"))
                .and_then(|pattern| patterns.insert(pattern, ()).map_err(|error| format!("{error}")));
            if let Err(error) = added {
                refused(format!("subscribe {text}: {error}; the plugin gets every delta"));
                return None;
            }
        }
        Some(Self { patterns, by_operator })
    }

    /// Returns what a plugin that takes values is to be told of: its inputs, and what is wanted as text where it
    /// `takes_others`; `None` means all.
    pub(super) fn of_values<'p>(
        text: Option<&'p Self>,
        takes_others: bool,
        inputs: impl Iterator<Item = &'p str>,
    ) -> Option<Self> {
        if takes_others && text.is_none() {
            return None;
        }
        let mut patterns = PatternSet::new(usize::MAX);
        let texts = text.filter(|_| takes_others).into_iter().flat_map(|text| text.patterns.texts());
        let inputs = inputs.filter(|path| text.is_none_or(|text| text.allows_input(path)));
        for path in texts.chain(inputs) {
            // No delta has a path that is no pattern.
            if let Ok(pattern) = Pattern::of_path(path) {
                let _ = patterns.insert(pattern, ());
            }
        }
        Some(Self { patterns, by_operator: false })
    }

    /// Tells whether an input at this path may be known.
    pub(super) fn allows_input(&self, path: &str) -> bool {
        !self.by_operator || self.wants_path(path)
    }

    /// Tells whether a delta has a value or meta entry at a wanted path; it is given whole then, its text shared.
    pub(super) fn wants(&self, delta: &Delta) -> bool {
        delta.updates().any(|update| update.paths().any(|path| self.wants_path(path)))
    }

    /// Visits the paths and patterns that are wanted.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.patterns.texts()
    }

    /// Tells whether a path is wanted.
    pub(super) fn wants_path(&self, path: &str) -> bool {
        self.patterns.matching(path).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::Stamp;
    use crate::time::UnixMillis;

    fn package(section: &str) -> Package {
        let json = format!(r#"{{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"{section}}}"#);
        Package::from_parts(json.as_bytes(), b"\0asm\x01\0\0\0".to_vec()).unwrap()
    }

    fn delta(path: &str) -> Delta {
        let text = format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#);
        Delta::parse(&text, &Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) }).unwrap()
    }

    fn filter(package: &Package, config: &str) -> Option<PathFilter> {
        PathFilter::of(package, Some(&PluginConfig::parse(config)), 4, &mut |_| {})
    }

    #[test]
    fn without_a_wish_there_is_no_filter() {
        assert!(filter(&package(""), "{}").is_none());
        assert!(filter(&package(r#","skiff":{}"#), "{}").is_none());
    }

    #[test]
    fn the_operator_comes_before_the_package() {
        let package = package(r#","skiff":{"subscribe":["environment.wind.*","navigation.position"]}"#);
        let own = filter(&package, "{}").unwrap();
        assert!(own.wants(&delta("environment.wind.speedTrue")) && own.wants(&delta("navigation.position")));
        assert!(!own.wants(&delta("environment.depth.belowKeel")));
        let other = filter(&package, r#"{"skiff":{"subscribe":["tanks.*"]}}"#).unwrap();
        assert!(other.wants(&delta("tanks.fuel.0.level")) && !other.wants(&delta("navigation.position")));
        assert!(!filter(&package, r#"{"skiff":{"subscribe":[]}}"#).unwrap().wants(&delta("a")));
    }

    #[test]
    fn a_plugin_that_takes_values_is_told_of_the_inputs_that_its_operator_allows() {
        let package = package(r#","skiff":{"subscribe":["tanks.*"]}"#);
        let wants = |text: Option<&PathFilter>, takes_others| {
            let told = PathFilter::of_values(text, takes_others, ["a.b", "c"].into_iter()).unwrap();
            ["a.b", "c", "tanks.x"].map(|path| told.wants_path(path))
        };
        let own = filter(&package, "{}").unwrap();
        assert_eq!(wants(Some(&own), true), [true, true, true], "a package's wish is about text");
        assert_eq!(wants(Some(&own), false), [true, true, false]);
        let of_operator = filter(&package, r#"{"skiff":{"subscribe":["c","tanks.x"]}}"#).unwrap();
        assert_eq!(wants(Some(&of_operator), true), [false, true, true]);
        assert_eq!(wants(Some(&of_operator), false), [false, true, false]);
        assert!(PathFilter::of_values(None, true, ["a"].into_iter()).is_none());
    }

    #[test]
    fn what_is_no_pattern_leaves_every_delta() {
        let mut said = Vec::new();
        let package = package(&std::format!(r#","skiff":{{"subscribe":["a","{}"]}}"#, "b".repeat(300)));
        assert!(PathFilter::of(&package, None, 4, &mut |clause| said.push(clause)).is_none());
        assert_eq!(said.len(), 1);
        let many = r#"{"skiff":{"subscribe":["a","b","c","d","e"]}}"#;
        assert!(filter(&package, many).is_none(), "beyond the limit of the board");
    }
}
