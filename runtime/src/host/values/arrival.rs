//! Values that arrive for a guest: the latest of each input waits until a call begins.

use skiff_abi::values::{BOOLEAN, NEVER, NUMBER, OTHER_TYPE, TEXT, VALID, WITHDRAWN};

use super::scalar::{Scalar, scalar};
use super::{Input, Values};
use crate::delta::{Delta, Time, Value};
use crate::time::{Instant, UnixMillis};

/// How a delta comes to a guest.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Full context of the own vessel; that of a delta may be empty, too.
    pub self_context: &'a str,
    /// `$source` of the plugin: its own values are no input of it.
    pub own_source: &'a str,
    /// Monotonic time.
    pub now: Instant,
    /// Wall clock, where the delta is as old as its time stamps say; unknown where it comes just now.
    pub wall: UnixMillis,
    /// Plugins it came through.
    pub hops: u8,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Origin {
    /// Monotonic time of its arrival, ms.
    pub(super) arrived_ms: i64,
    /// Its time stamp, Unix ms; 0 while unknown.
    pub(super) time: i64,
    /// Plugins it came through.
    pub(super) hops: u8,
}

/// What arrived since the last update.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Newest time stamp, Unix ms; that of the update before while nothing arrived, 0 while unknown.
    pub(super) time: i64,
    /// Inputs.
    pub(super) arrived: u32,
    pub(super) is_due: bool,
    /// Most plugins that one of the values came through.
    pub(super) hops: u8,
}

impl Arrival<'_> {
    fn origin(&self, time: Time<'_>) -> Origin {
        let time = time.millis().map_or(0, |time| time.0);
        let age = if self.wall.is_known() && time != 0 { self.wall.0.saturating_sub(time).max(0) } else { 0 };
        let arrived_ms = i64::try_from(self.now.as_millis()).unwrap_or(i64::MAX).saturating_sub(age);
        Origin { arrived_ms, time, hops: self.hops }
    }
}

/// Takes what is known of a path: value, time and `$source`.
pub type Knower<'k> = dyn FnMut(Value<'_>, Time<'_>, &str) + 'k;

impl Values {
    /// Takes in what is known of the inputs: `known` gives all that it has of a path. That of a root value is its name,
    /// and what it gives is the value itself.
    pub fn take_up(&mut self, known: &dyn Fn(&str, &mut Knower<'_>), arrival: &Arrival<'_>) {
        for input in &mut self.inputs {
            let path = core::mem::take(&mut input.path.text);
            let (of, member) = input.path.parts(&path);
            let name = if of.is_empty() { member.unwrap_or_default() } else { of };
            known(name, &mut |value, time, source| {
                let member = member.filter(|_| !of.is_empty());
                if *source != *arrival.own_source
                    && let Some(scalar) = scalar(value, member, false)
                {
                    input.take(scalar, &arrival.origin(time), &mut self.news);
                }
            });
            input.path.text = path;
        }
    }

    /// Takes in the values of a delta; tells whether it has something that is no input.
    pub fn take_in(&mut self, delta: &Delta, arrival: &Arrival<'_>) -> bool {
        let is_own = delta.is_own(arrival.self_context);
        let mut others = !is_own;
        for update in delta.updates() {
            let origin = arrival.origin(update.time());
            let origin = (is_own && *update.source_ref() != *arrival.own_source).then_some(&origin);
            for (path, value) in update.entries() {
                others |= !self.arrive(path, value, origin);
            }
            for (path, _) in update.meta() {
                others |= !self.arrive(path, Value::Null, None);
            }
        }
        others
    }

    /// Takes the value that a delta of the own vessel has for a path; without an origin it is only looked
    /// at. False when no input has this path.
    pub(super) fn arrive(&mut self, path: &str, value: Value<'_>, origin: Option<&Origin>) -> bool {
        let mut is_input = false;
        for input in self.inputs.iter_mut().filter(|input| input.path.is(path)) {
            is_input = true;
            if let Some(origin) = origin
                && let Some(scalar) = scalar(value, input.path.member(), path.is_empty())
            {
                input.take(scalar, origin, &mut self.news);
            }
        }
        is_input
    }

    /// Leaves inputs unknown to the guest for whose path `is_closed` says so.
    pub fn close(&mut self, is_closed: &dyn Fn(&str) -> bool) {
        for input in &mut self.inputs {
            input.is_closed = is_closed(input.path.path());
        }
    }

    /// Tells whether an update is due: an input that is not quiet arrived since the last one.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.news.is_due
    }

    /// Returns through how many plugins the values that arrived since the last update came, at most.
    #[must_use]
    pub fn hops(&self) -> u8 {
        self.news.hops
    }
}

impl Input {
    fn take(&mut self, scalar: Scalar<'_>, origin: &Origin, news: &mut News) {
        // Of what the model has of several sources the latest counts.
        if self.is_closed || (self.state != NEVER && origin.arrived_ms < self.arrived_ms) {
            return;
        }
        self.set(scalar);
        self.arrived_ms = origin.arrived_ms;
        let is_first = news.arrived == 0 && origin.time != 0;
        news.time = if is_first { origin.time } else { news.time.max(origin.time) };
        news.arrived = news.arrived.saturating_add(u32::from(!self.is_new));
        self.is_new = true;
        news.is_due |= !self.is_quiet;
        news.hops = news.hops.max(origin.hops);
    }

    fn set(&mut self, scalar: Scalar<'_>) {
        self.text.clear();
        (self.state, self.number, self.full_bytes) = (VALID, f64::NAN, 0);
        match (self.kind, scalar) {
            (_, Scalar::Null) => self.state = WITHDRAWN,
            (NUMBER, Scalar::Number(number)) => self.number = number,
            (BOOLEAN, Scalar::Bool(value)) => self.number = f64::from(u8::from(value)),
            (TEXT, Scalar::Text(text)) => {
                self.full_bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
                let end = text.floor_char_boundary(usize::try_from(self.buffer.len).unwrap_or(usize::MAX));
                self.text.push_str(text.get(..end).unwrap_or_default());
            }
            _ => self.state = OTHER_TYPE,
        }
    }
}
