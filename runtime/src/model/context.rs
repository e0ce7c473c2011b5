//! One context (a vessel, an aid to navigation): its paths, and the room they take.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Bound;

use super::leaf::Leaf;
use crate::delta::{PATH_BYTES_MAX, is_plain};
use crate::json::{self, JsonError};

/// Levels of an object that is merged into the root of a context; deeper ones are kept as one value.
const ROOT_DEPTH_MAX: usize = 8;
/// Bytes that a path takes beside its own text: the entry in the map and the node, on a 64-bit machine.
const NODE_BYTES: usize = 80;

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Node {
    /// Values of sources, with meta.
    Leaf(Leaf),
    /// A value without source, such as the vessel's name; compact JSON.
    Bare(Box<str>),
}

/// One entry on its way into a context.
pub(super) enum NodeUpdate<'a> {
    /// A value of a source.
    Value {
        /// Compact JSON.
        value: &'a str,
        /// ISO 8601.
        timestamp: &'a str,
        /// Number of the source.
        source: u16,
        /// PGN it came from, 0 for none.
        pgn: u32,
    },
    /// Meta members to merge, a compact JSON object.
    Meta(&'a str),
    /// A value without source.
    Bare(&'a str),
}

/// Why an entry was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The model is full; another context could make room.
    Model,
    /// The entry can never be kept.
    Entry,
}

/// Limits and use of all contexts together.
#[derive(Debug)]
pub(super) struct Room {
    paths: u32,
    bytes: u64,
    paths_max: u32,
    bytes_max: u64,
}

impl Room {
    pub(super) fn new(paths_max: u32, bytes_max: u32) -> Self {
        Self { paths: 0, bytes: 0, paths_max, bytes_max: u64::from(bytes_max) }
    }

    pub(super) fn paths(&self) -> u32 {
        self.paths
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes `bytes` more.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if bytes > self.bytes_max {
            return Err(Full::Entry);
        }
        let after = self.bytes.saturating_add(bytes);
        if after > self.bytes_max {
            return Err(Full::Model);
        }
        self.bytes = after;
        Ok(())
    }

    /// Gives `bytes` back.
    pub(super) fn give(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn take_path(&mut self, path: &str) -> Result<(), Full> {
        if self.paths >= self.paths_max {
            return Err(Full::Model);
        }
        self.take(node_bytes(path))?;
        self.paths = self.paths.saturating_add(1);
        Ok(())
    }

    fn give_path(&mut self, path: &str) {
        self.give(node_bytes(path));
        self.paths = self.paths.saturating_sub(1);
    }
}

fn node_bytes(path: &str) -> usize {
    NODE_BYTES.saturating_add(path.len())
}

/// The paths of one context.
#[derive(Debug, Default)]
pub(super) struct ContextTree {
    nodes: BTreeMap<Box<str>, Node>,
    /// When it was last heard of, in deltas.
    pub(super) touched: u64,
}

impl ContextTree {
    /// Makes an empty context that was last heard of at `sequence`.
    pub(super) fn touched_at(sequence: u64) -> Self {
        Self { touched: sequence, ..Self::default() }
    }

    /// Stores one entry at `path`.
    pub(super) fn store(&mut self, path: &str, entry: &NodeUpdate<'_>, room: &mut Room) -> Result<(), Full> {
        if let Some(node) = self.nodes.get_mut(path) {
            return node.store(entry, room);
        }
        if path.is_empty() || path.split('.').any(str::is_empty) {
            return Err(Full::Entry);
        }
        room.take_path(path)?;
        let mut node = match entry {
            NodeUpdate::Bare(_) => Node::Bare(Box::default()),
            _ => Node::Leaf(Leaf::default()),
        };
        let stored = node.store(entry, room);
        if stored.is_ok() {
            self.nodes.insert(path.into(), node);
        } else {
            room.give_path(path);
        }
        stored
    }

    /// Returns what stands at exactly `path`.
    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Visits every path at and below `path` (all for `""`), in the order of their text.
    pub(super) fn below<'c>(&'c self, path: &'c str) -> impl Iterator<Item = (&'c str, &'c Node)> {
        let inside = move |known: &str| {
            path.is_empty() || known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let from = (Bound::Included(path), Bound::Unbounded);
        let candidates = self.nodes.range::<str, _>(from).take_while(move |(known, _)| known.starts_with(path));
        candidates.filter(move |(known, _)| inside(known)).map(|(known, node)| (&**known, node))
    }

    /// Visits the paths after `path` in the order of their text.
    pub(super) fn after<'c>(&'c self, path: Option<&'c str>) -> impl Iterator<Item = (&'c str, &'c Node)> {
        let from = path.map_or(Bound::Unbounded, Bound::Excluded);
        self.nodes.range::<str, _>((from, Bound::Unbounded)).map(|(known, node)| (&**known, node))
    }

    /// Gives back the room of everything in it.
    pub(super) fn release(self, room: &mut Room) {
        for (path, node) in &self.nodes {
            room.give(node.heap_bytes());
            room.give_path(path);
        }
    }

    /// Visits the numbers of the sources that have a value here, repeated ones too.
    pub(super) fn sources_used(&self) -> BTreeSet<u16> {
        let leaves = self.nodes.values().filter_map(|node| if let Node::Leaf(leaf) = node { Some(leaf) } else { None });
        let mut used = BTreeSet::new();
        // Not collected: that would hold the repeated ones too, and sort them.
        for reading in leaves.flat_map(Leaf::readings) {
            used.insert(reading.source);
        }
        used
    }
}

impl Node {
    fn store(&mut self, entry: &NodeUpdate<'_>, room: &mut Room) -> Result<(), Full> {
        match (&mut *self, entry) {
            (Self::Leaf(leaf), NodeUpdate::Value { value, timestamp, source, pgn }) => {
                leaf.read(value, timestamp, *source, *pgn, room)
            }
            (Self::Leaf(leaf), NodeUpdate::Meta(meta)) => leaf.describe(meta, room),
            (Self::Bare(old), NodeUpdate::Bare(value)) => {
                room.take(value.len())?;
                room.give(old.len());
                *old = (*value).into();
                Ok(())
            }
            // A path that sources send values for stays one.
            (Self::Leaf(_), NodeUpdate::Bare(_)) => Err(Full::Entry),
            (Self::Bare(old), _) => {
                let mut leaf = Self::Leaf(Leaf::default());
                leaf.store(entry, room)?;
                room.give(old.len());
                *self = leaf;
                Ok(())
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.heap_bytes(),
            Self::Bare(value) => value.len(),
        }
    }
}

/// Lists the values of an object with their dotted paths: `{"a":{"b":1}}` gives `a.b`.
pub(super) fn flatten<'a>(object: &'a str, found: &mut Vec<(String, &'a str)>) -> Result<(), JsonError> {
    let mut open: Vec<(String, &'a str, usize)> = Vec::new();
    open.push((String::new(), object, 0));
    while let Some((prefix, object, depth)) = open.pop() {
        json::members::<JsonError>(object, |key, value| {
            let path = if prefix.is_empty() { Cow::Borrowed(key) } else { Cow::Owned([&prefix, ".", key].concat()) };
            let usable = !key.is_empty()
                && !key.contains('.')
                && is_plain(key)
                && path.len() <= PATH_BYTES_MAX
                && !matches!(key, "__proto__" | "constructor" | "prototype");
            if !usable {
                return Ok(());
            }
            if value.starts_with('{') && value != "{}" && depth < ROOT_DEPTH_MAX {
                open.push((path.into_owned(), value, depth.saturating_add(1)));
            } else {
                found.push((path.into_owned(), value));
            }
            Ok(())
        })?;
    }
    Ok(())
}
