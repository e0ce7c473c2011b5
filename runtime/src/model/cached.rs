//! What a new stream client is told first: the model as deltas.

use alloc::boxed::Box;
use alloc::string::String;
use core::ops::Bound;

use super::Model;
use super::context::{ContextTree, Node};
use super::leaf::Reading;
use crate::delta::{Delta, DeltaWriter, Time, UpdateHead, Value, ValueSink};

/// Values in one delta of cached values.
const VALUES_PER_DELTA: usize = 64;
/// Bytes of values after which a delta of cached values is closed.
const BYTES_PER_DELTA: usize = 16 * 1024;

/// Which contexts are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// The own vessel.
    #[default]
    Own,
    /// Every context.
    All,
}

/// A place in the model, so that its values can be sent in pieces while it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CachedCursor {
    /// The context being sent, `None` for the own vessel.
    context: Option<Box<str>>,
    /// The last path of it that was sent.
    path: Option<Box<str>>,
    done: bool,
}

impl Model {
    /// Returns the next delta of latest values and moves `cursor` on; `None` at the end. Of paths with priorities only
    /// the preferred source is told, unless `all_sources` are wanted.
    pub fn cached_after(&self, scope: Scope, all_sources: bool, cursor: &mut CachedCursor) -> Option<Delta> {
        while !cursor.done {
            let context = match &cursor.context {
                None => Some((&*self.self_context, &self.own)),
                // A context can have been evicted since the last piece.
                Some(name) => self.foreign.get_key_value(name).map(|(name, context)| (&**name, context)),
            };
            let piece = context.and_then(|(name, context)| self.piece(name, context, all_sources, &mut cursor.path));
            if piece.is_some() {
                return piece;
            }
            let after = cursor.context.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let next = self.foreign.range::<str, _>((after, Bound::Unbounded)).next();
            cursor.path = None;
            cursor.context = next.filter(|_| scope == Scope::All).map(|(name, _)| name.clone());
            cursor.done = cursor.context.is_none();
        }
        None
    }

    /// Visits value, time and `$source` of what is known of a path of the own vessel: of the preferred source alone, where
    /// it has priorities.
    pub fn visit_own(&self, path: &str, visit: &mut dyn FnMut(Value<'_>, Time<'_>, &str)) {
        match self.own.node(path) {
            Some(Node::Bare(value)) => visit(Value::Json(value), Time::Text(""), super::DEFAULTS),
            Some(Node::Leaf(leaf)) => {
                let preferred = leaf.latest().filter(|_| self.priorities.has(path));
                for reading in leaf.readings() {
                    if preferred.is_none_or(|latest| latest.source == reading.source) {
                        visit(reading.value(), reading.time(), &self.sources.reference(reading.source));
                    }
                }
            }
            None => {}
        }
    }

    /// Writes the values after `path`, as many as one delta takes.
    fn piece(
        &self,
        name: &str,
        context: &ContextTree,
        all_sources: bool,
        path: &mut Option<Box<str>>,
    ) -> Option<Delta> {
        let all_sources = all_sources || *name != *self.self_context;
        let mut writer = DeltaWriter::new(None, Some(name));
        let (mut count, mut bytes) = (0_usize, 0_usize);
        let mut head: Option<(u16, Time<'_>)> = None;
        let mut last = None;
        for (at, node) in context.after(path.as_deref()) {
            if count >= VALUES_PER_DELTA || bytes >= BYTES_PER_DELTA {
                break;
            }
            last = Some(at);
            match node {
                Node::Bare(value) => {
                    writer.update(&UpdateHead { source_ref: Some(super::DEFAULTS), ..UpdateHead::default() });
                    writer.value("", Value::Json(&nested(at, value)));
                    head = None;
                    count = count.saturating_add(1);
                    bytes = bytes.saturating_add(value.len());
                }
                Node::Leaf(leaf) => {
                    let preferred = leaf.latest().filter(|_| !all_sources && self.priorities.has(at));
                    let is_told = |reading: &&Reading| preferred.is_none_or(|latest| latest.source == reading.source);
                    for reading in leaf.readings().iter().filter(is_told) {
                        let of = (reading.source, reading.time());
                        if head != Some(of) {
                            head = Some(of);
                            let source_ref = self.sources.reference(reading.source);
                            let timestamp = reading.time().text();
                            let timestamp = Some(&*timestamp).filter(|text| !text.is_empty());
                            writer.update(&UpdateHead { source: None, source_ref: Some(&source_ref), timestamp });
                        }
                        let value = reading.value().shown();
                        writer.value(at, Value::Json(&value));
                        count = count.saturating_add(1);
                        bytes = bytes.saturating_add(value.len());
                    }
                }
            }
        }
        if let Some(last) = last {
            *path = Some(last.into());
        }
        // Empty when only meta is left in the context.
        writer.finish().ok()
    }
}

/// Returns `{"a":{"b":value}}` for path `a.b`.
fn nested(path: &str, value: &str) -> String {
    let (parents, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    crate::json::nested(|out| {
        for segment in parents.split('.').filter(|_| !parents.is_empty()) {
            out.open(segment);
        }
        out.members().json(leaf, value);
    })
}
