//! Deltas of another Signal K server: its own vessel becomes this one's, its sources keep their names, and nothing is taken
//! twice.
//!
//! `can0.7` of a server that is called `bow` here is `bow.@5f3a90c1.can0.7`: the label of the input, the mark of the server,
//! and what it says itself. The mark follows from who the other is (its hello), so that every gateway on the way knows its
//! own mark again, however many servers stand between and whatever their labels are: what has it in its name came from here.
//! A server of another make calls what it heard by a name of its own; such an echo is known by what it says (`echoes`).

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::echoes::{Echoes, Entry, is_written_into};
use super::{Gateway, InputId};
use crate::crc32::Crc32;
use crate::delta::{DELTA_BYTES_MAX, Delta, DeltaError, DeltaWriter, NAME_BYTES_MAX, Stamp};
use crate::json::{self, Object};
use crate::model::Model;
use crate::time::UnixMillis;

/// Servers that a value may have passed before it comes here.
pub const HOPS_MAX: usize = 4;
/// Sources of one server; the model has room for 512 in all, and the boat's own come first.
pub const REMOTE_SOURCES_MAX: usize = 128;
/// A value of a source that is so much older than the last one, milliseconds, has been on its way round; more than that is a
/// clock that was set back.
const BEHIND_MAX_MS: i64 = 60_000;
/// Begins a mark.
const MARK: &str = "@";
/// Digits of a mark.
const MARK_DIGITS: usize = 8;
/// Bytes of a `self` that is believed.
const SELF_BYTES_MAX: usize = NAME_BYTES_MAX;

/// Why updates of another server were not taken, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Refused {
    /// They came from here, or from the other one by way of this.
    looped: u64,
    /// They are about this vessel, and not by who is on it.
    own: u64,
    /// They passed more than [`HOPS_MAX`] servers, or their source has a name that is too long.
    far: u64,
    /// Their sources are more than [`REMOTE_SOURCES_MAX`].
    sources: u64,
}

/// Another server, as one input hears it.
#[derive(Debug, Default)]
pub(super) struct Remote {
    /// Full context of its own vessel; `None` before it has said hello, and where nobody does.
    self_context: Option<Box<str>>,
    /// Its own vessel stays another one.
    is_apart: bool,
    /// Sums of the names of its sources.
    sources: Vec<u32>,
    /// Deltas that were taken.
    pub deltas: u64,
    refused: Refused,
}

impl Remote {
    /// Takes the hello of a server, or of the same again.
    fn meet(&mut self, said: &str) {
        if said.is_empty() || said.len() > SELF_BYTES_MAX {
            return;
        }
        let said = if said.starts_with("vessels.") { said.to_owned() } else { ["vessels.", said].concat() };
        self.self_context = Some(said.into());
        self.sources.clear();
    }

    /// Returns what a source of it is called here; `None`, counted, where its updates are not taken.
    fn name(&mut self, label: &str, source: &str, own: &str) -> Option<String> {
        let its = self.self_context.as_deref().map(mark);
        let marks = || source.split('.').filter(|part| is_mark(part));
        let own = mark(own);
        if marks().any(|mark| mark == own || its.as_deref() == Some(mark)) {
            self.refused.looped = self.refused.looped.saturating_add(1);
            return None;
        }
        let parts = [Some(label), its.as_deref(), Some(source.trim_start_matches('.')).filter(|rest| !rest.is_empty())];
        let name = parts.into_iter().flatten().collect::<Vec<_>>().join(".");
        if marks().count() >= HOPS_MAX || name.len() > NAME_BYTES_MAX {
            self.refused.far = self.refused.far.saturating_add(1);
            return None;
        }
        let sum = Crc32::default().with(name.as_bytes()).sum();
        if !self.sources.contains(&sum) {
            if self.sources.len() >= REMOTE_SOURCES_MAX {
                self.refused.sources = self.refused.sources.saturating_add(1);
                return None;
            }
            self.sources.push(sum);
        }
        Some(name)
    }

    /// Returns how many updates were not taken.
    pub fn refused(&self) -> u64 {
        let Refused { looped, own, far, sources } = self.refused;
        [looped, own, far, sources].into_iter().fold(0, u64::saturating_add)
    }

    /// Writes what the status tells of it.
    pub fn status(&self, out: &mut Object<'_>) {
        out.text_or_null("self", self.self_context.as_deref());
        let Refused { looped, own, far, sources } = self.refused;
        out.object("refused", |out| {
            out.number("loop", looped).number("own_vessel", own).number("hops", far).number("sources", sources);
        });
    }
}

/// Returns the mark of the server whose own vessel this is.
fn mark(self_context: &str) -> String {
    let mut sum = Crc32::default().with(self_context.as_bytes()).sum();
    let mut digits = [b'0'; MARK_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef".get((sum & 0xf) as usize).copied().unwrap_or_default();
        sum >>= 4;
    }
    [MARK, core::str::from_utf8(&digits).unwrap_or_default()].concat()
}

fn is_mark(part: &str) -> bool {
    let digits = part.strip_prefix(MARK);
    digits.is_some_and(|digits| digits.len() == MARK_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// What is known of this vessel.
struct Own<'o> {
    context: &'o str,
    mmsi: Option<&'o str>,
}

impl Own<'_> {
    fn is(&self, context: &str) -> bool {
        let by_number =
            || context.strip_prefix("vessels.urn:mrn:imo:mmsi:").is_some_and(|mmsi| Some(mmsi) == self.mmsi);
        context == self.context || by_number()
    }
}

/// What was told here.
struct Known<'k> {
    model: &'k Model,
    echoes: &'k Echoes,
}

/// Makes what another server said into a delta of this gateway; `None`, counted, where nothing of it is taken.
fn translated(remote: &mut Remote, delta: &Delta, label: &str, own: &Own<'_>, known: &Known<'_>) -> Option<Delta> {
    let its_own = remote.self_context.as_deref().unwrap_or(own.context);
    let is_own = delta.is_own(its_own) && !remote.is_apart;
    // One that is kept apart and has not said who it is speaks of nobody.
    if !is_own && own.is(delta.context()) {
        remote.refused.own = remote.refused.own.saturating_add(1);
        return None;
    }
    let context = if is_own { own.context } else { delta.context() };
    let mut writer = DeltaWriter::new(None, Some(context));
    for update in delta.updates() {
        let Some(name) = remote.name(label, update.source_ref(), own.context) else { continue };
        let source = update.source().map(|source| json::with_member(source, "label", &json::quoted(label)));
        let mut has_looped = false;
        writer.copy_update_as(&update, source.as_deref(), &name, &mut |is_meta, path, value| {
            // Who the own vessel is says its owner, here.
            if is_own && path.is_empty() {
                return false;
            }
            let value = if is_meta { Entry::Meta } else { Entry::Value(value) };
            let is_known = known.has(context, path, value, update.timestamp(), &name);
            has_looped |= is_known;
            !is_known
        });
        remote.refused.looped = remote.refused.looped.saturating_add(has_looped.into());
    }
    writer.finish().ok()
}

impl Known<'_> {
    /// Tells whether an entry was told here before: by whatever name, the same of the same time; or under this name, a value of
    /// a later time.
    fn has(&self, context: &str, path: &str, entry: Entry<'_>, time: &str, name: &str) -> bool {
        if time.is_empty() {
            return false;
        }
        let mut is_known = self.echoes.has(context, path, entry, time);
        if let Entry::Value(value) = entry
            && context == &**self.model.self_context()
        {
            let at = UnixMillis::parse_iso(time);
            self.model.visit_own(path, &mut |told, of, by| {
                is_known |= *of.text() == *time && (is_written_into(path) || *told.shown() == *value);
                let behind = at.zip(of.millis().filter(|_| by == name)).map(|(at, of)| of.0.saturating_sub(at.0));
                is_known |= behind.is_some_and(|behind| (1..BEHIND_MAX_MS).contains(&behind));
            });
        }
        is_known
    }
}

impl Gateway {
    /// Leaves the own vessel of the server that an input hears another one here, under the name it has there.
    pub fn keep_vessel_apart(&mut self, input: InputId) {
        if let Some((_, remote, _)) = self.inputs.remote(input) {
            remote.is_apart = true;
        }
    }

    /// Takes what another Signal K server said, JSON text: its hello, or a delta, which is published. What cannot be read is
    /// counted; what is neither is passed over.
    ///
    /// The server's own vessel becomes this one's, but for name, MMSI and UUID, and its sources are called
    /// `<label>.@<mark>.<source>`. Values that came from this gateway, by way of however many others, are not taken again.
    pub fn receive_remote(&mut self, input: InputId, text: &str) {
        if text.len() > DELTA_BYTES_MAX {
            return self.count_bad_line(input);
        }
        let wall = self.wall();
        let own = Own { context: &self.setup.self_context, mmsi: self.setup.vessel.mmsi.as_deref() };
        let Some((label, remote, echoes)) = self.inputs.remote(input) else { return };
        let its_own = remote.self_context.as_deref().unwrap_or(own.context).to_owned();
        // Updates without a source keep an empty one: the label stands before it in any case.
        let stamp = Stamp { source_ref: "", self_context: &its_own, now: wall };
        let mut said = None;
        let read = Delta::parse_message(text, &stamp, &mut |name, value| {
            if name == "self" {
                said = json::string(value).map(Cow::into_owned);
            }
        });
        let taken = match read {
            Ok(Some(Ok(delta))) => translated(remote, &delta, label, &own, &Known { model: &self.model, echoes }),
            Ok(None) => {
                if let Some(said) = said {
                    remote.meet(&said);
                }
                return;
            }
            // Updates that say nothing are no fault.
            Ok(Some(Err(DeltaError::Empty))) => return,
            Ok(Some(Err(_))) | Err(_) => return self.count_bad_line(input),
        };
        if let Some(delta) = taken {
            remote.deltas = remote.deltas.saturating_add(1);
            self.take_in(Arc::new(delta), 0);
        }
    }
}
