//! Which paths of the own vessel have values, and who tells them: what an admin looks at.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Model;
use super::context::Node;
use crate::time::UnixMillis;

/// A path of the own vessel and its sources.
#[derive(Clone, Debug)]
pub struct PathSources<'m> {
    /// The path.
    pub path: &'m str,
    /// `$source` of each that tells it, with the time of its latest value.
    pub sources: Vec<(Cow<'m, str>, UnixMillis)>,
    /// Which of them told last.
    pub latest: usize,
    /// Some of them are preferred to others.
    pub is_ranked: bool,
}

impl Model {
    /// Visits the paths of the own vessel that sources tell.
    pub fn own_sources(&self) -> impl Iterator<Item = PathSources<'_>> {
        self.own.after(None).filter_map(|(path, node)| {
            let Node::Leaf(leaf) = node else { return None };
            let latest = leaf.latest()?.source;
            let readings = leaf.readings();
            let time = |time: Option<UnixMillis>| time.unwrap_or(UnixMillis::UNKNOWN);
            let sources = readings.iter().map(|one| (self.sources.reference(one.source), time(one.time().millis())));
            Some(PathSources {
                path,
                sources: sources.collect(),
                latest: readings.iter().position(|one| one.source == latest).unwrap_or(0),
                is_ranked: self.priorities.has(path),
            })
        })
    }

    /// Returns how many paths of the own vessel have a value.
    #[must_use]
    pub fn own_paths(&self) -> usize {
        let has_value = |node: &Node| matches!(node, Node::Bare(_)) || node_has_readings(node);
        self.own.after(None).filter(|(_, node)| has_value(node)).count()
    }

    /// Returns the text that stands below the own vessel without source and time, as
    /// [`describe_self`](Self::describe_self) sets it.
    #[must_use]
    pub fn described(&self, path: &str) -> Option<Box<str>> {
        match self.own.node(path)? {
            Node::Bare(value) => crate::json::string(value).map(Into::into),
            Node::Leaf(_) => None,
        }
    }

    /// Takes such a text away.
    pub fn forget_described(&mut self, path: &str) {
        self.own.remove_bare(path, &mut self.room);
    }
}

fn node_has_readings(node: &Node) -> bool {
    matches!(node, Node::Leaf(leaf) if !leaf.readings().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Board, Limits};
    use crate::delta::{Delta, Stamp};
    use std::string::{String, ToString};

    #[test]
    fn paths_have_the_sources_that_tell_them() {
        let mut model = Model::new(&Limits::of(Board::Linux), "vessels.me");
        for (source_ref, path) in [("gps.GP", "a.b"), ("can0.7", "a.b"), ("can0.7", "a.c")] {
            let stamp = Stamp { source_ref, self_context: "vessels.me", now: UnixMillis(5) };
            let text = std::format!(r#"{{"updates":[{{"values":[{{"path":"{path}","value":1}}]}}]}}"#);
            model.apply(&Delta::parse(&text, &stamp).unwrap());
        }
        let rows: Vec<(&str, Vec<String>, usize)> = model
            .own_sources()
            .map(|row| (row.path, row.sources.iter().map(|(name, _)| name.to_string()).collect(), row.latest))
            .collect();
        assert_eq!(
            rows,
            [("a.b", std::vec!["gps.GP".to_string(), "can0.7".into()], 1), ("a.c", std::vec!["can0.7".to_string()], 0)]
        );
        assert!(model.own_sources().all(|row| !row.is_ranked && row.sources[0].1 == UnixMillis(5)));
        assert_eq!(model.own_paths(), 2);
    }

    #[test]
    fn what_describes_the_vessel_can_be_taken_away() {
        let mut model = Model::new(&Limits::of(Board::Linux), "vessels.me");
        let before = model.counts();
        model.describe_self("name", "Pinta");
        assert_eq!(model.described("name").as_deref(), Some("Pinta"));
        model.forget_described("name");
        assert_eq!((model.described("name"), model.counts()), (None, before));
    }
}
