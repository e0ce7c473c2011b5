//! Input rows, written before every call into the guest.

use skiff_abi::values::{AGE_MAX, NEVER, NEW, ROW_BYTES, TEXT, descriptor, input};

use super::arrival::News;
use super::{Input, Values};
use crate::host::engine::{LinearMut, Reach};
use crate::host::instance::Instance;

impl Values {
    /// A call begins.
    pub(in crate::host) fn begin(&mut self, is_update: bool) {
        self.begins = Some(is_update);
    }
}

impl Instance {
    /// Writes what is known of the inputs, at the first slice of a call: never while one is parked.
    #[inline(never)]
    pub(in crate::host) fn write_inputs(&mut self) {
        let Some(values) = &mut self.values else { return };
        let Some(is_update) = values.begins.take() else { return };
        let now = i64::try_from(self.guest.state().monotonic.as_millis()).unwrap_or(i64::MAX);
        let mut memory = self.guest.memory_mut();
        let rows = (0..).map(|index: u32| values.input_rows.wrapping_add(index.wrapping_mul(ROW_BYTES)));
        for (input, row) in values.inputs.iter_mut().zip(rows) {
            input.write(&mut memory, row, now);
            input.is_new &= !is_update;
        }
        values.updates = values.updates.wrapping_add(is_update.into());
        let counts = u64::from(values.updates) | u64::from(values.news.arrived) << u32::BITS;
        memory.put(values.at.wrapping_add(descriptor::TIME), values.news.time.to_le_bytes());
        memory.put(values.at.wrapping_add(descriptor::UPDATES), counts.to_le_bytes());
        if is_update {
            values.news = News { time: values.news.time, ..News::default() };
        }
    }
}

impl Input {
    /// Writes state and number, then length and age: what lies between is the guest's. The descriptor's check found room.
    fn write(&self, memory: &mut LinearMut<'_>, row: u32, now: i64) {
        let mut number = self.number.to_bits();
        if self.kind == TEXT {
            number = self.text.len() as u64;
            memory.write(self.buffer, self.text.as_bytes());
        }
        let age = match self.state {
            NEVER => AGE_MAX,
            _ => u32::try_from(now.saturating_sub(self.arrived_ms).max(0)).unwrap_or(AGE_MAX),
        };
        let state = self.state | if self.is_new { NEW } else { 0 };
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        memory.put(row.wrapping_add(input::STATE), [state, a, b, c, d, e, f, g, h]);
        let told = u64::from(self.full_bytes) | u64::from(age) << u32::BITS;
        memory.put(row.wrapping_add(input::FULL_BYTES), told.to_le_bytes());
    }
}
