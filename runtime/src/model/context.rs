//! One context (a vessel, an aid to navigation): its paths, and the room they take.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Bound;

use super::by_path::ByPath;
use super::leaf::{Leaf, Told};
use super::room::{Full, Owner, Room};
use crate::delta::{check_parts, check_path};
use crate::json::{self, JsonError};

/// Levels of an object that is merged into the root of a context; deeper ones are kept as one value.
const ROOT_DEPTH_MAX: usize = 8;

/// What stands at a path.
#[derive(Debug)]
pub(super) enum Node {
    /// Values of sources, with meta.
    Leaf(Leaf),
    /// A value without source, such as the vessel's name; compact JSON.
    Bare(Box<str>),
}

/// A path's place.
#[derive(Debug)]
struct Place {
    /// Who told the path first; a value without source belongs to who told it last.
    owner: Owner,
    node: Node,
}

/// One entry on its way into a context.
pub(super) enum NodeUpdate<'a> {
    /// A value of a source.
    Value(Told<'a>),
    /// A value of a source that another one is preferred to.
    Lesser(Told<'a>),
    /// Meta members to merge, a compact JSON object.
    Meta(&'a str),
    /// A value without source.
    Bare(&'a str),
}

/// The paths of one context.
#[derive(Debug, Default)]
pub(super) struct ContextTree {
    nodes: ByPath<Place>,
    /// When it was last heard of, in deltas.
    pub(super) touched: u64,
    /// Who told of it first.
    pub(super) owner: Owner,
}

impl ContextTree {
    /// Makes an empty context that was last heard of at `sequence`, of `owner`.
    pub(super) fn touched_at(sequence: u64, owner: Owner) -> Self {
        Self { touched: sequence, owner, ..Self::default() }
    }

    /// Stores one entry at `path`.
    pub(super) fn store(&mut self, path: &str, entry: &NodeUpdate<'_>, room: &mut Room) -> Result<(), Full> {
        if let Some(place) = self.nodes.get_mut(path) {
            return place.store(path, entry, room);
        }
        if path.is_empty() || check_parts(path).is_err() {
            return Err(Full::Entry);
        }
        room.take_path(path)?;
        let node = match entry {
            NodeUpdate::Bare(_) => Node::Bare(Box::default()),
            _ => Node::Leaf(Leaf::default()),
        };
        let owner = room.writer;
        let mut place = Place { owner, node };
        let stored = place.store(path, entry, room);
        if stored.is_ok() {
            self.nodes.insert(path, place);
        } else {
            room.give_path(owner, path);
        }
        stored
    }

    /// Takes away a value without source.
    #[cfg(any(test, feature = "server-routes"))]
    pub(super) fn remove_bare(&mut self, path: &str, room: &mut Room) {
        self.nodes.retain(|known, place| {
            let Node::Bare(value) = &place.node else { return true };
            let stays = known != path;
            if !stays {
                room.give(place.owner, value.len() as u64);
                room.give_path(place.owner, known);
            }
            stays
        });
    }

    /// Tells whether nothing is known of it.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns what stands at exactly `path`.
    pub(super) fn node(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path).map(|place| &place.node)
    }

    /// Returns the values at exactly `path`.
    pub(super) fn leaf_mut(&mut self, path: &str) -> Option<&mut Leaf> {
        match &mut self.nodes.get_mut(path)?.node {
            Node::Leaf(leaf) => Some(leaf),
            Node::Bare(_) => None,
        }
    }

    /// Visits every path at and below `path` (all for `""`), part by part in order.
    pub(super) fn below<'c>(&'c self, path: &'c str) -> impl Iterator<Item = (&'c str, &'c Node)> {
        let inside = move |known: &str| {
            path.is_empty() || known.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let from = Bound::Included(path);
        let candidates = self.nodes.from(from).take_while(move |(known, _)| known.starts_with(path));
        candidates.filter(move |(known, _)| inside(known)).map(|(known, place)| (known, &place.node))
    }

    /// Visits the paths after `path` part by part in order.
    pub(super) fn after<'c>(&'c self, path: Option<&'c str>) -> impl Iterator<Item = (&'c str, &'c Node)> {
        let from = path.map_or(Bound::Unbounded, Bound::Excluded);
        self.nodes.from(from).map(|(known, place)| (known, &place.node))
    }

    /// Gives back the room of everything in it.
    pub(super) fn release(self, room: &mut Room) {
        for (path, place) in self.nodes.from(Bound::Unbounded) {
            match &place.node {
                Node::Leaf(leaf) => leaf.release(room),
                Node::Bare(value) => room.give(place.owner, value.len() as u64),
            }
            room.give_path(place.owner, path);
        }
    }

    /// Drops what an owner told; paths that others told too stay.
    pub(super) fn forget(&mut self, gone: Owner, room: &mut Room) {
        self.nodes.retain(|path, place| {
            let heir = match &mut place.node {
                Node::Leaf(leaf) => {
                    leaf.forget(gone, room);
                    leaf.owner()
                }
                Node::Bare(value) if place.owner == gone => {
                    room.give(gone, value.len() as u64);
                    None
                }
                Node::Bare(_) => Some(place.owner),
            };
            match heir {
                None => room.give_path(place.owner, path),
                Some(heir) if place.owner == gone => {
                    room.inherit_path(gone, heir, path);
                    place.owner = heir;
                }
                Some(_) => {}
            }
            heir.is_some()
        });
    }

    /// Takes readings out of every path; one that nothing is left of goes.
    #[cfg(any(test, feature = "server-routes"))]
    pub(super) fn trim(&mut self, room: &mut Room, take_out: &mut dyn FnMut(&mut Leaf, &mut Room)) {
        self.nodes.retain(|path, place| {
            let Node::Leaf(leaf) = &mut place.node else { return true };
            take_out(leaf, room);
            let is_left = leaf.owner().is_some();
            if !is_left {
                room.give_path(place.owner, path);
            }
            is_left
        });
    }

    /// Visits the values of all paths.
    pub(super) fn leaves_mut(&mut self) -> impl Iterator<Item = &mut Leaf> {
        self.nodes.values_mut().filter_map(|place| match &mut place.node {
            Node::Leaf(leaf) => Some(leaf),
            Node::Bare(_) => None,
        })
    }

    /// Marks the sources that have a value here, by their numbers.
    pub(super) fn mark_sources(&self, used: &mut Vec<bool>) {
        let leaves = self.nodes.values().filter_map(|place| match &place.node {
            Node::Leaf(leaf) => Some(leaf),
            Node::Bare(_) => None,
        });
        for reading in leaves.flat_map(Leaf::readings) {
            let number = usize::from(reading.source);
            if used.len() <= number {
                used.resize(number + 1, false);
            }
            if let Some(used) = used.get_mut(number) {
                *used = true;
            }
        }
    }
}

impl Place {
    #[inline(always)]
    fn store(&mut self, path: &str, entry: &NodeUpdate<'_>, room: &mut Room) -> Result<(), Full> {
        match (&mut self.node, entry) {
            (Node::Leaf(leaf), NodeUpdate::Value(told)) => leaf.read(told, room),
            (Node::Leaf(leaf), NodeUpdate::Lesser(told)) => leaf.read_lesser(told, room),
            (Node::Leaf(leaf), NodeUpdate::Meta(meta)) => leaf.describe(meta, room),
            (Node::Bare(old), NodeUpdate::Bare(value)) => {
                room.change(self.owner, old.len(), value.len())?;
                *old = (*value).into();
                if self.owner != room.writer {
                    room.inherit_path(self.owner, room.writer, path);
                    self.owner = room.writer;
                }
                Ok(())
            }
            // A path that sources send values for stays one.
            (Node::Leaf(_), NodeUpdate::Bare(_)) => Err(Full::Entry),
            (Node::Bare(old), _) => {
                let old = old.len() as u64;
                let mut leaf = Self { owner: self.owner, node: Node::Leaf(Leaf::default()) };
                leaf.store(path, entry, room)?;
                room.give(self.owner, old);
                *self = leaf;
                Ok(())
            }
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
            if key.is_empty() || key.contains('.') || check_path(&path).is_err() {
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
