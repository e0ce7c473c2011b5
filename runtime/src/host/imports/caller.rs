//! The guest that calls, as a host function reaches it.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::budget::PluginLimits;
use crate::host::engine::{Access, GuestSlice, Linear, Reach};
use crate::host::state::HostState;
use crate::host::text;

const TEXT_BYTES_MAX: u32 = PluginLimits::TEXT_BYTES_MAX;

/// The calling guest: its memory, its fuel, and what the host keeps for it.
pub(in crate::host) struct Caller<'c> {
    guest: Access<'c>,
}

impl<'c> Caller<'c> {
    pub(in crate::host) fn of(guest: Access<'c>) -> Self {
        Self { guest }
    }

    pub(in crate::host) fn state(&self) -> &HostState {
        self.guest.state()
    }

    pub(in crate::host) fn state_mut(&mut self) -> &mut HostState {
        self.guest.state_mut()
    }

    /// Tells whether the start section has still to return: there is no memory then (plugin ABI §2.3).
    pub(in crate::host) fn is_inert(&self) -> bool {
        !self.state().imports_work
    }

    pub(in crate::host) fn memory(&self) -> Linear<'_> {
        if self.is_inert() { Linear::NONE } else { self.guest.memory() }
    }

    /// Returns the bytes of a range, `None` when it leaves the memory.
    pub(super) fn bytes(&self, slice: GuestSlice) -> Option<Cow<'_, [u8]>> {
        self.memory().bytes(slice)
    }

    /// Tells whether a range lies in the memory: asked before something happens that cannot be taken back.
    pub(super) fn holds(&self, slice: GuestSlice) -> bool {
        self.memory().holds(slice)
    }

    /// Writes at the start of a range, all or nothing; false when the range leaves the memory or is too short.
    pub(super) fn write(&mut self, slice: GuestSlice, data: &[u8]) -> bool {
        !self.is_inert() && self.guest.memory_mut().write(slice, data)
    }

    /// Writes text whole or not at all; returns the bytes written, 0 when it does not fit.
    pub(super) fn write_text(&mut self, slice: GuestSlice, text: &str) -> i32 {
        if self.write(slice, text.as_bytes()) { i32::try_from(text.len()).unwrap_or(0) } else { 0 }
    }

    /// Reads a text; `None` when the range leaves the memory or is too long.
    pub(in crate::host) fn text(&mut self, slice: GuestSlice) -> Option<Cow<'_, str>> {
        self.text_of(slice, TEXT_BYTES_MAX)
    }

    /// Reads a text of at most `limit` bytes.
    pub(super) fn text_of(&mut self, slice: GuestSlice, limit: u32) -> Option<Cow<'_, str>> {
        self.read(slice, limit.min(TEXT_BYTES_MAX), PluginLimits::TEXT_WORK).map(text::of_guest)
    }

    /// Reads a text of at most `limit` bytes that is read as JSON or logged.
    pub(in crate::host) fn text_to_parse(&mut self, slice: GuestSlice, limit: u32) -> Option<Cow<'_, str>> {
        self.read(slice, limit.min(TEXT_BYTES_MAX), PluginLimits::PARSE_WORK).map(text::of_guest)
    }

    /// Reads at most `limit` bytes, and takes fuel for them.
    pub(in crate::host) fn bytes_of(&mut self, slice: GuestSlice, limit: u32) -> Option<Cow<'_, [u8]>> {
        self.read(slice, limit, 1)
    }

    fn read(&mut self, slice: GuestSlice, limit: u32, work: u32) -> Option<Cow<'_, [u8]>> {
        if slice.len > limit || !self.holds(slice) {
            return None;
        }
        self.pay(slice.len, work);
        self.bytes(slice)
    }

    /// Reads an AssemblyScript string, which all are logged or lead somewhere.
    pub(super) fn managed(&mut self, ptr: u32) -> Option<String> {
        match text::managed_string(self.memory(), ptr, TEXT_BYTES_MAX) {
            text::Managed::Text(text) => {
                self.pay(u32::try_from(text.len()).unwrap_or(u32::MAX), PluginLimits::PARSE_WORK);
                Some(text)
            }
            text::Managed::Null | text::Managed::Wrong => None,
        }
    }

    /// Takes fuel for `bytes` copied; a guest that has none left runs dry at its next step.
    pub(in crate::host) fn charge(&mut self, bytes: u32) {
        // What is counted in overlapping ranges is not copied more than once.
        self.pay(bytes.min(self.state().limits.linear_bytes_max), 1);
    }

    /// Takes fuel for so many bytes, each of which counts as `work` bytes copied.
    pub(in crate::host) fn pay(&mut self, bytes: u32, work: u32) {
        let copied = u64::from(bytes).saturating_mul(u64::from(work));
        self.take_fuel(copied / PluginLimits::IMPORT_BYTES_PER_FUEL);
    }

    /// Takes fuel; what the slice cannot pay counts for the call.
    pub(in crate::host) fn take_fuel(&mut self, cost: u64) {
        let fuel = self.guest.fuel();
        self.guest.refuel(fuel.saturating_sub(cost));
        let debt = &mut self.state_mut().fuel_debt;
        *debt = debt.saturating_add(cost.saturating_sub(fuel));
    }
}
