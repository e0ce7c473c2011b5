//! Which plugins want a delta.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::filter::PathFilter;
use crate::delta::Delta;
use crate::paths::{Marks, READERS, Wanted, WantedPaths};

/// Remembers who wants which path, until a filter changes.
#[derive(Default)]
pub(super) struct Interest {
    /// The filters that hold, by plugin; none means all.
    filters: Vec<Option<Arc<PathFilter>>>,
    /// Somebody has one.
    is_filtered: bool,
    /// Who has none.
    always: Wanted,
    /// The marks of paths that a filter names, where none has a wildcard: a path without one nobody else wants.
    named: Option<Box<Marks>>,
    known: WantedPaths,
}

impl Interest {
    /// Chips have few plugins, and no room for what is remembered.
    pub(super) const IS_KEPT: bool = WantedPaths::IS_KEPT;

    /// Takes note of the filters that hold now; what is known is forgotten when one is another.
    pub(super) fn set<'f>(&mut self, filters: impl Iterator<Item = Option<&'f Arc<PathFilter>>> + Clone) {
        let is_same = |old: &Option<Arc<PathFilter>>, new: Option<&Arc<PathFilter>>| match (old, new) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if filters.clone().count() == self.filters.len()
            && self.filters.iter().zip(filters.clone()).all(|(old, new)| is_same(old, new))
        {
            return;
        }
        self.filters = filters.map(Option::<&Arc<_>>::cloned).collect();
        self.known.forget();
        self.is_filtered = self.filters.iter().any(Option::is_some);
        self.always = Wanted::default();
        for (index, _) in self.filters.iter().enumerate().filter(|(_, filter)| filter.is_none()) {
            self.always.insert(index);
        }
        let mut named = Box::new(Marks::default());
        let mut paths = self.filters.iter().flatten().flat_map(|filter| filter.texts());
        let is_marked = paths.all(|path| {
            named.set(path);
            !path.contains('*')
        });
        self.named = is_marked.then_some(named);
    }

    /// Returns the plugins that want a delta: those with a value or meta entry of it at a path they want. `None` where each
    /// is to be asked: on chips, and beyond 64 plugins.
    pub(super) fn of(&mut self, delta: &Delta) -> Option<Wanted> {
        if !Self::IS_KEPT || self.filters.len() > READERS {
            return None;
        }
        if !self.is_filtered {
            return Some(Wanted::ALL);
        }
        let filters = &self.filters;
        let mut ask = |path: &str| {
            let mut wanted = Wanted::default();
            for (index, filter) in filters.iter().enumerate() {
                if filter.as_ref().is_none_or(|filter| filter.wants_path(path)) {
                    wanted.insert(index);
                }
            }
            wanted
        };
        let (named, always, known) = (self.named.as_deref(), self.always, &mut self.known);
        let mut of_path = |path: &str| match named {
            Some(named) if !named.may_have(path) => always,
            _ => known.of_path(path, &mut ask),
        };
        let mut wanted = Wanted::default();
        for update in delta.updates() {
            for (path, _) in update.entries() {
                wanted.join(of_path(path));
            }
            for (path, _) in update.meta() {
                wanted.join(of_path(path));
            }
        }
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PluginConfig;
    use crate::delta::Stamp;
    use crate::package::Package;
    use crate::time::UnixMillis;
    use std::format;

    fn filter(paths: &str) -> Arc<PathFilter> {
        let json = br#"{"name":"p","keywords":["signalk-wasm-plugin"],"wasmManifest":"p.wasm"}"#;
        let package = Package::from_parts(json, b"\0asm\x01\0\0\0".to_vec()).unwrap();
        let config = PluginConfig::parse(&format!(r#"{{"skiff":{{"subscribe":[{paths}]}}}}"#));
        Arc::new(PathFilter::of(&package, Some(&config), 8, &mut |_| {}).unwrap())
    }

    fn of(interest: &mut Interest, path: &str) -> Vec<usize> {
        let text = format!(
            r#"{{"updates":[{{"values":[{{"path":"x","value":1}}]}},{{"meta":[{{"path":"{path}","value":{{"units":"m"}}}}]}}]}}"#
        );
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        interest.of(&Delta::parse(&text, &stamp).unwrap()).unwrap().take_while(|index| *index < 4).collect()
    }

    #[test]
    fn a_delta_goes_to_those_who_want_one_of_its_paths() {
        let filters = [Some(filter(r#""a.*""#)), None, Some(filter(r#""a.b","x.y""#)), Some(filter(""))];
        let mut interest = Interest::default();
        interest.set(filters.iter().map(Option::as_ref));
        for _ in 0..2 {
            assert_eq!(of(&mut interest, "a.b"), [0, 1, 2]);
            assert_eq!(of(&mut interest, "a.c"), [0, 1]);
            assert_eq!(of(&mut interest, "b"), [1]);
        }
        interest.set(filters.iter().skip(1).map(Option::as_ref));
        assert!(interest.named.is_some(), "no wildcard is left");
        for _ in 0..2 {
            assert_eq!(of(&mut interest, "a.b"), [0, 1]);
            assert_eq!(of(&mut interest, "a.c"), [0]);
        }
    }

    #[test]
    fn another_filter_is_heeded_at_once() {
        let mut interest = Interest::default();
        let old = Some(filter(r#""a""#));
        interest.set([old.as_ref()].into_iter());
        assert_eq!(of(&mut interest, "b"), [0; 0]);
        let new = Some(filter(r#""b""#));
        interest.set([new.as_ref()].into_iter());
        assert_eq!(of(&mut interest, "b"), [0]);
        interest.set([new.as_ref(), None].into_iter());
        assert_eq!(of(&mut interest, "a"), [1]);
        interest.set([None].into_iter());
        assert_eq!(of(&mut interest, "b"), [0, 1, 2, 3], "without a filter nobody is asked");
    }

    #[test]
    fn more_plugins_than_a_set_has_room_for_are_asked_each() {
        let mut interest = Interest::default();
        let one = Some(filter(r#""a""#));
        interest.set(core::iter::repeat_n(one.as_ref(), READERS + 1));
        let stamp = Stamp { source_ref: "s", self_context: "vessels.x", now: UnixMillis(0) };
        let delta = Delta::parse(r#"{"updates":[{"values":[{"path":"a","value":1}]}]}"#, &stamp).unwrap();
        assert_eq!(interest.of(&delta), None);
        interest.set(core::iter::repeat_n(one.as_ref(), READERS));
        assert_eq!(interest.of(&delta).unwrap().count(), READERS);
    }
}
