//! Input rows, written before every call into the guest.

use skiff_abi::values::{AGE_MAX, DESCRIPTOR_BYTES, NEVER, NEW, ROW_BYTES, TEXT, descriptor, input};

use super::arrival::News;
use super::{Input, Values};
use crate::host::instance::Instance;
use crate::host::memory::GuestSlice;

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
        let Some(mut values) = self.values.take() else { return };
        if let Some(is_update) = values.begins.take() {
            let now = i64::try_from(self.store.data().monotonic.as_millis()).unwrap_or(i64::MAX);
            let mut row = values.input_rows;
            for input in &mut values.inputs {
                self.write_input(row, input, now);
                row = row.wrapping_add(ROW_BYTES);
                input.is_new &= !is_update;
            }
            values.updates = values.updates.wrapping_add(is_update.into());
            let mut told = [0; (DESCRIPTOR_BYTES - descriptor::TIME) as usize];
            let (time, counts) = told.split_at_mut(8);
            let (updates, arrived) = counts.split_at_mut(4);
            time.copy_from_slice(&values.news.time.to_le_bytes());
            updates.copy_from_slice(&values.updates.to_le_bytes());
            arrived.copy_from_slice(&values.news.arrived.to_le_bytes());
            self.write_at(values.at.wrapping_add(descriptor::TIME), &told);
            if is_update {
                values.news = News { time: values.news.time, ..News::default() };
            }
        }
        self.values = Some(values);
    }

    /// Writes state and number, then length and age: what lies between is the guest's.
    #[inline(never)]
    fn write_input(&mut self, row: u32, input: &Input, now: i64) {
        let mut number = input.number.to_bits();
        if input.kind == TEXT {
            number = input.text.len() as u64;
            self.write_at(input.buffer.ptr, input.text.as_bytes());
        }
        let age = match input.state {
            NEVER => AGE_MAX,
            _ => u32::try_from(now.saturating_sub(input.arrived_ms).max(0)).unwrap_or(AGE_MAX),
        };
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        let state = input.state | if input.is_new { NEW } else { 0 };
        self.write_at(row.wrapping_add(input::STATE), &[state, a, b, c, d, e, f, g, h]);
        let told = u64::from(input.full_bytes) | u64::from(age) << u32::BITS;
        self.write_at(row.wrapping_add(input::FULL_BYTES), &told.to_le_bytes());
    }

    /// Writes where the descriptor's check found room.
    fn write_at(&mut self, ptr: u32, data: &[u8]) {
        self.write(GuestSlice { ptr, len: u32::try_from(data.len()).unwrap_or(0) }, data);
    }
}
