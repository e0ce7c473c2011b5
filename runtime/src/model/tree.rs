//! JSON of the model: the REST tree, one node, one leaf.

use alloc::string::String;
use alloc::vec::Vec;

use super::context::{ContextTree, Node};
use super::leaf::{Leaf, merge};
use super::{Model, SCHEMA_VERSION, known};
use crate::delta::check_parts;
use crate::json::{self, JsonError, Nested, Value};
use crate::time::UnixMillis;

/// Segments of a question; the longest path has fewer.
const SEGMENTS_MAX: usize = 136;

/// The group of stations ashore, and the kind that AIS tells of.
const SHORE: &str = "shore";
const BASE_STATIONS: &str = "basestations";

/// Returns the name behind a kind: `urn:…` of `basestations.urn:…`.
fn in_kind<'k>(key: &'k str, kind: &str) -> Option<&'k str> {
    key.strip_prefix(kind)?.strip_prefix('.')
}

impl Model {
    /// Returns the JSON at the place a REST address names below `/signalk/v1/api`, `None` when nothing is there.
    ///
    /// `vessels/self` and the own urn are the same. Below a leaf, `value`, `meta` and the other
    /// members go on; `vessels/self/meta` lists all meta of the vessel.
    #[must_use]
    pub fn json_at(&self, segments: &[&str]) -> Option<String> {
        if segments.len() > SEGMENTS_MAX {
            return None;
        }
        let (group, rest) = match segments.split_first() {
            None => return Some(self.whole()),
            Some((group, rest)) => (*group, rest),
        };
        match (group, rest.split_first()) {
            ("version", None) => Some(json::quoted(SCHEMA_VERSION)),
            ("self", None) => Some(json::quoted(&self.self_context)),
            ("sources", _) => descend(&self.sources.json(), rest).map(String::from),
            (_, None) => {
                let contexts = self.group(group);
                (!contexts.is_empty()).then(|| json::nested(|tree| self.write_contexts(tree, &contexts)))
            }
            // Stations ashore have a kind between group and name: `shore.basestations.urn:…`.
            (SHORE, Some((kind, rest))) => {
                let contexts: Vec<_> =
                    self.group(SHORE).into_iter().filter_map(|(key, tree)| Some((in_kind(key, kind)?, tree))).collect();
                match rest.split_first().filter(|(key, _)| !key.is_empty()) {
                    Some((key, path)) => {
                        let (_, context) = contexts.into_iter().find(|(name, _)| name == key)?;
                        self.node_in(context, path)
                    }
                    None if contexts.is_empty() => None,
                    None => Some(json::nested(|tree| self.write_contexts(tree, &contexts))),
                }
            }
            (_, Some((key, path))) => self.node_in(self.find(group, key)?, path),
        }
    }

    /// Returns the node at a dotted path below the own vessel, for `sk_get_self_path` (plugin ABI §3.3):
    /// a leaf object for `a.b`, the bare value for `a.b.value`, a subtree for an inner node; `None` when it is absent or null.
    #[must_use]
    pub fn node_at_self(&self, dotted: &str) -> Option<String> {
        self.dotted(&self.own, dotted)
    }

    /// Returns the node at a dotted path below the full model; `vessels.self` stands for the own vessel.
    #[must_use]
    pub fn node_at(&self, dotted: &str) -> Option<String> {
        check_parts(dotted).ok()?;
        let mut parts = dotted.splitn(3, '.');
        if let (Some(group), Some(key)) = (parts.next(), parts.next())
            && let Some(context) = self.find(group, key)
        {
            return self.dotted(context, parts.next().unwrap_or_default());
        }
        let segments: Vec<&str> = dotted.split('.').collect();
        self.json_at(&segments).filter(|json| json != "null")
    }

    fn dotted(&self, context: &ContextTree, dotted: &str) -> Option<String> {
        let segments: Vec<&str> = dotted.split('.').filter(|_| !dotted.is_empty()).collect();
        if segments.len() > SEGMENTS_MAX || check_parts(dotted).is_err() {
            return None;
        }
        self.node_in(context, &segments).filter(|json| json != "null")
    }

    /// Returns the meta of a path: what was sent for it over what the schema says.
    #[must_use]
    pub fn meta_at(&self, context: &str, path: &str) -> Option<String> {
        let sent = match self.context(context).and_then(|context| context.node(path)) {
            Some(Node::Leaf(leaf)) => leaf.meta(),
            _ => None,
        };
        meta(path, sent)
    }

    /// Returns when the value at `segments` was told, the path of a leaf or its `value` below a context.
    #[must_use]
    pub fn told_at(&self, segments: &[&str]) -> Option<UnixMillis> {
        let [group, key, path @ ..] = segments else { return None };
        let path = path.strip_suffix(&["value"]).unwrap_or(path).join(".");
        let Node::Leaf(leaf) = self.find(group, key)?.node(&path)? else { return None };
        leaf.latest()?.time().millis()
    }

    /// Returns where a context is, latitude and longitude in degrees, by the latest `navigation.position`.
    #[must_use]
    pub fn position_of(&self, context: &str) -> Option<(f64, f64)> {
        let Some(Node::Leaf(leaf)) = self.context(context)?.node("navigation.position") else { return None };
        let value = leaf.latest()?.value().shown();
        let degrees = |name: &str| json::member(&value, name).and_then(json::number);
        Some((degrees("latitude")?, degrees("longitude")?))
    }

    /// Returns where a context is, as [`position_of`](Self::position_of) does, and since when.
    #[must_use]
    pub fn place_and_time(&self, context: &str) -> Option<((f64, f64), UnixMillis)> {
        let Some(Node::Leaf(leaf)) = self.context(context)?.node("navigation.position") else { return None };
        Some((self.position_of(context)?, leaf.latest()?.time().millis()?))
    }

    /// Visits the contexts beside the own vessel that can move: vessels and aircraft.
    pub fn moving_contexts(&self) -> impl Iterator<Item = &str> {
        let moves = |context: &&str| context.starts_with("vessels.") || context.starts_with("aircraft.");
        self.foreign.keys().map(|context| &**context).filter(moves)
    }

    /// Returns the meta that was sent for a path of the own vessel.
    pub(super) fn own_meta(&self, path: &str) -> Option<&str> {
        match self.own.node(path)? {
            Node::Leaf(leaf) => leaf.meta(),
            Node::Bare(_) => None,
        }
    }

    /// Takes members away from the meta of a path of the own vessel.
    pub fn forget_meta(&mut self, path: &str, names: &[String]) {
        if let Some(leaf) = self.own.leaf_mut(path) {
            leaf.undescribe(names, &mut self.room);
        }
    }

    /// Returns the latest value of a path of the own vessel.
    pub(super) fn own_value(&self, path: &str) -> Option<Value<'_>> {
        match self.own.node(path)? {
            Node::Leaf(leaf) => Some(leaf.latest()?.value()),
            Node::Bare(_) => None,
        }
    }

    fn find(&self, group: &str, key: &str) -> Option<&ContextTree> {
        let own = self.self_context.split_once('.') == Some((group, key));
        if own || (group == "vessels" && key == "self") {
            return Some(&self.own);
        }
        self.foreign.get(&*[group, ".", key].concat())
    }

    fn group<'m>(&'m self, group: &str) -> Vec<(&'m str, &'m ContextTree)> {
        let own = core::iter::once((&*self.self_context, &self.own));
        let all = own.chain(self.foreign.iter().map(|(name, context)| (&**name, context)));
        all.filter_map(|(name, context)| {
            let (of, key) = name.split_once('.')?;
            (of == group).then_some((key, context))
        })
        .collect()
    }

    fn whole(&self) -> String {
        let mut groups = alloc::vec!["vessels"];
        for name in self.foreign.keys() {
            if let Some((group, _)) = name.split_once('.')
                && !groups.contains(&group)
            {
                groups.push(group);
            }
        }
        json::nested(|tree| {
            tree.members().text("version", SCHEMA_VERSION).text("self", &self.self_context);
            for group in groups {
                tree.open(group);
                self.write_contexts(tree, &self.group(group));
                tree.close();
            }
            tree.members().json("sources", &self.sources.json());
        })
    }

    /// Writes contexts of one group, which are sorted by name.
    fn write_contexts(&self, tree: &mut Nested<'_>, contexts: &[(&str, &ContextTree)]) {
        let mut open = None;
        for (key, context) in contexts {
            // Only stations ashore have a kind; the names of all others are theirs alone.
            let (kind, name) = key.split_once('.').filter(|(kind, _)| *kind == BASE_STATIONS).unzip();
            if open != kind {
                if open.is_some() {
                    tree.close();
                }
                if let Some(kind) = kind {
                    tree.open(kind);
                }
                open = kind;
            }
            tree.open(name.unwrap_or(key));
            self.write_tree(tree, &context.below("").collect::<Vec<_>>(), 0);
            tree.close();
        }
        if open.is_some() {
            tree.close();
        }
    }

    /// Returns what lies at `segments` below a context.
    fn node_in(&self, context: &ContextTree, segments: &[&str]) -> Option<String> {
        let segments = segments.strip_suffix(&[""]).unwrap_or(segments);
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        // `navigation.position` is no segment of any path; what lies in a leaf can have a dot, as sources do.
        let whole = segments.iter().position(|segment| segment.contains('.')).unwrap_or(segments.len());
        if whole < segments.len() {
            return self.member_in(context, segments, whole);
        }
        let path = segments.join(".");
        let found: Vec<(&str, &Node)> = context.below(&path).collect();
        if let [(at, Node::Bare(value))] = &*found
            && *at == path
        {
            return Some((**value).into());
        }
        if !found.is_empty() || segments.is_empty() {
            return Some(json::nested(|tree| self.write_tree(tree, &found, segments.len())));
        }
        if segments == ["meta"] {
            return Some(all_meta(context));
        }
        if let Some(json) = self.member_in(context, segments, segments.len().saturating_sub(1)) {
            return Some(json);
        }
        let at = segments.iter().position(|segment| *segment == "meta")?;
        let (path, rest) = segments.split_at_checked(at)?;
        let json = meta(&path.join("."), None)?;
        descend(&json, rest.get(1..)?).map(String::from)
    }

    /// Returns a member inside of a leaf: the longest path of at most `longest` segments that exists has the rest as
    /// members, `value`, `meta`, `values`.
    fn member_in(&self, context: &ContextTree, segments: &[&str], longest: usize) -> Option<String> {
        for cut in (1..=longest).rev() {
            let (path, rest) = segments.split_at_checked(cut)?;
            let path = path.join(".");
            let Some(node) = context.node(&path) else {
                continue;
            };
            let json = match node {
                Node::Bare(value) => String::from(&**value),
                Node::Leaf(leaf) => json::object(|out| self.write_leaf(out, &path, leaf)),
            };
            return descend(&json, rest).map(String::from);
        }
        None
    }

    /// Writes `entries`, part by part in order, as nested objects into the open one, leaving out the first `skip` segments of each path.
    fn write_tree<'c>(&self, tree: &mut Nested<'_>, entries: &[(&'c str, &'c Node)], skip: usize) {
        let mut open: Vec<Open<'c>> = Vec::new();
        let mut leaf_at_top = false;
        for (index, (path, node)) in entries.iter().enumerate() {
            let segments = || path.split('.').skip(skip);
            let shared = open.iter().zip(segments()).take_while(|(open, segment)| open.segment == *segment).count();
            for _ in shared..open.len() {
                tree.close();
            }
            open.truncate(shared);
            let next = entries.get(index.saturating_add(1)).map(|(path, _)| *path);
            let has_children =
                next.is_some_and(|next| next.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')));
            if has_children && matches!(node, Node::Bare(_)) {
                continue;
            }
            // Below a leaf, a path cannot stand where a member of the leaf does.
            let under_leaf = open.last().map_or(leaf_at_top, |open| open.is_leaf);
            if under_leaf && segments().nth(shared).is_some_and(is_leaf_member) {
                continue;
            }
            let mut rest = segments().skip(shared).peekable();
            if rest.peek().is_none() {
                // The node that was asked for itself.
                if let Node::Leaf(leaf) = node {
                    self.write_leaf(tree.members(), path, leaf);
                    leaf_at_top = true;
                }
                continue;
            }
            while let Some(segment) = rest.next() {
                let is_last = rest.peek().is_none();
                match node {
                    Node::Bare(value) if is_last => {
                        tree.members().json(segment, value);
                    }
                    _ => {
                        tree.open(segment);
                        open.push(Open { segment, is_leaf: is_last });
                    }
                }
            }
            if let Node::Leaf(leaf) = node {
                self.write_leaf(tree.members(), path, leaf);
            }
        }
        for _ in &open {
            tree.close();
        }
    }

    /// Writes the members of a leaf (plugin ABI §11.3), without braces.
    fn write_leaf(&self, out: &mut json::Object<'_>, path: &str, leaf: &Leaf) {
        if let Some(latest) = leaf.latest() {
            out.json("value", &latest.value().shown()).text("$source", &self.sources.reference(latest.source));
            let timestamp = latest.time().text();
            if !timestamp.is_empty() {
                out.text("timestamp", &timestamp);
            }
        }
        if let Some(meta) = meta(path, leaf.meta()) {
            out.json("meta", &meta);
        }
        if leaf.readings().len() > 1 {
            out.object("values", |values| {
                for reading in leaf.readings() {
                    values.object(&self.sources.reference(reading.source), |one| {
                        one.json("value", &reading.value().shown()).text("timestamp", &reading.time().text());
                    });
                }
            });
        }
        if let Some(latest) = leaf.latest()
            && latest.pgn != 0
        {
            out.number("pgn", latest.pgn);
        }
    }
}

/// An object that is being written.
struct Open<'c> {
    segment: &'c str,
    is_leaf: bool,
}

fn is_leaf_member(segment: &str) -> bool {
    matches!(segment, "value" | "$source" | "timestamp" | "meta" | "values" | "pgn")
}

/// Returns sent meta over the built-in one.
fn meta(path: &str, sent: Option<&str>) -> Option<String> {
    match (known(path).map(|known| known.json()), sent) {
        (Some(built_in), Some(sent)) => merge(&built_in, sent).ok(),
        (Some(built_in), None) => Some(built_in),
        (None, sent) => sent.map(String::from),
    }
}

/// Returns all meta of a context by dotted path.
fn all_meta(context: &ContextTree) -> String {
    json::object(|out| {
        for (path, node) in context.below("") {
            if let Node::Leaf(leaf) = node
                && let Some(meta) = meta(path, leaf.meta())
            {
                out.json(path, &meta);
            }
        }
    })
}

/// Follows object members and array positions.
fn descend<'j>(json: &'j str, segments: &[&str]) -> Option<&'j str> {
    let mut at = json;
    for segment in segments.iter().filter(|segment| !segment.is_empty()) {
        at = if at.starts_with('[') {
            let wanted: usize = segment.parse().ok()?;
            let (mut index, mut found) = (0_usize, None);
            json::items::<JsonError>(at, |item| {
                if index == wanted {
                    found = Some(item);
                }
                index = index.saturating_add(1);
                Ok(())
            })
            .ok()?;
            found?
        } else {
            json::member(at, segment)?
        };
    }
    Some(at)
}
