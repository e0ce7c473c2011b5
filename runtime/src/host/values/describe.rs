//! The descriptor and the rows of a guest, checked once.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::arrival::News;
use super::{Input, Output, Path, Values, word};
use crate::budget::PluginLimits;
use crate::delta::check_path;
use crate::host::engine::{Engine, Function, GuestSlice, Linear};
use crate::host::instance::Instance;
use skiff_abi::values::{
    ALIGN, BOOLEAN, DESCRIPTOR_BYTES, FLAG_OTHER_DELTAS, INTERVAL_MS_MAX, KIND_BITS, MAGIC, NEVER, PATH_BYTES_MAX,
    QUIET, ROW_BYTES, TEXT, descriptor, input, output,
};

/// A range that a descriptor names, and whether the host writes into it.
type Range = (GuestSlice, bool);

impl Instance {
    /// Returns `skiff_values` where the guest takes values; why not, where it seems to mean that.
    #[inline(never)]
    pub(in crate::host) fn values_export(&self) -> Result<Option<Function>, &'static str> {
        let gives_number = |function| self.guest.gives_number(function);
        match (self.exports.values, self.exports.update) {
            (None, None) => Ok(None),
            (Some(values), Some(update)) if gives_number(values) && gives_number(update) => Ok(Some(values)),
            (Some(_), Some(_)) => Err("skiff_values or skiff_update is no () -> i32"),
            _ => Err("skiff_values and skiff_update go together"),
        }
    }

    /// Reads the descriptor that the guest named.
    #[inline(never)]
    pub(in crate::host) fn describe(&mut self, at: u32) -> Result<(), &'static str> {
        let (mut values, ranges) = read(self.linear(), at, &self.limits)?;
        let mut memory = self.linear_mut();
        if !ranges.iter().filter(|(_, is_written)| *is_written).all(|(range, _)| memory.take(*range)) {
            return Err("no memory is left for its rows");
        }
        values.know_outputs(self.linear());
        self.values = Some(Box::new(values));
        Ok(())
    }
}

/// Reads and checks a descriptor; also returns the ranges that it names.
#[inline(never)]
fn read(memory: Linear<'_>, at: u32, limits: &PluginLimits) -> Result<(Values, Vec<Range>), &'static str> {
    let mut ranges = Ranges { memory, list: Vec::new() };
    if at == 0 {
        return Err("there is no descriptor");
    }
    ranges.add(at, DESCRIPTOR_BYTES, true)?;
    let field = |offset| word(memory, at, offset);
    if field(descriptor::MAGIC) != MAGIC {
        return Err("the descriptor has another magic");
    }
    let counts = field(descriptor::INPUTS);
    let (inputs, outputs) = (counts & 0xffff, counts >> 16);
    if inputs.max(outputs) > limits.path_filter_max.into() {
        return Err("too many rows");
    }
    let (interval_ms, flags) = (field(descriptor::INTERVAL_MS), field(descriptor::FLAGS));
    if interval_ms > INTERVAL_MS_MAX || flags & !FLAG_OTHER_DELTAS != 0 {
        return Err("an interval or flag that is not known");
    }
    let (input_rows, output_rows) = (field(descriptor::INPUT_ROWS), field(descriptor::OUTPUT_ROWS));
    if !(at | input_rows | output_rows).is_multiple_of(ALIGN) {
        return Err("an address is no multiple of 8");
    }
    ranges.add(input_rows, inputs.saturating_mul(ROW_BYTES), true)?;
    ranges.add(output_rows, outputs.saturating_mul(ROW_BYTES), false)?;
    let row = |rows: u32, index: u32| rows.wrapping_add(index.wrapping_mul(ROW_BYTES));
    let mut texts = 0_u32;
    let mut taken = Vec::with_capacity(inputs as usize);
    for at in (0..inputs).map(|index| row(input_rows, index)) {
        let path = ranges.path(at, input::PATH)?;
        let [_, _, kind, _] = word(memory, at, input::PATH_BYTES).to_le_bytes();
        let is_quiet = kind & QUIET != 0;
        let kind = kind & !QUIET;
        if !(1..=BOOLEAN).contains(&kind) || kind > KIND_BITS {
            return Err("an input of no kind");
        }
        let mut buffer = GuestSlice { ptr: 0, len: 0 };
        if kind == TEXT {
            buffer = GuestSlice { ptr: word(memory, at, input::BUFFER), len: word(memory, at, input::BUFFER_BYTES) };
            ranges.add(buffer.ptr, buffer.len, true)?;
            texts = texts.saturating_add(buffer.len);
        }
        taken.push(Input {
            path,
            kind,
            is_quiet,
            buffer,
            is_closed: false,
            state: NEVER,
            is_new: false,
            number: f64::NAN,
            text: String::new(),
            full_bytes: 0,
            arrived_ms: 0,
        });
    }
    // Texts wait in the place of deltas.
    if texts > limits.delta_queue_bytes {
        return Err("the buffers of texts are too large");
    }
    let mut given = Vec::with_capacity(outputs as usize);
    for at in (0..outputs).map(|index| row(output_rows, index)) {
        let path = ranges.path(at, output::PATH)?;
        let is_allowed = check_path(path.path()).is_ok();
        given.push(Output { path, is_allowed, counter: 0, is_changed: false });
    }
    let named: u64 = ranges.list.iter().map(|(range, _)| u64::from(range.len)).sum();
    let rows = size_of_val(&*taken).saturating_add(size_of_val(&*given));
    let heap_bytes = named.saturating_add(rows as u64);
    let values = Values {
        at,
        input_rows,
        output_rows,
        interval_ms,
        takes_others: flags & FLAG_OTHER_DELTAS != 0,
        inputs: taken,
        outputs: given,
        updates: 0,
        news: News::default(),
        heap_bytes,
        begins: None,
    };
    Ok((values, ranges.list))
}

/// The ranges that were named so far.
struct Ranges<'m> {
    memory: Linear<'m>,
    list: Vec<Range>,
}

impl Ranges<'_> {
    /// Takes a range that lies in the memory, and not where the host writes.
    fn add(&mut self, ptr: u32, len: u32, is_written: bool) -> Result<(), &'static str> {
        let range = GuestSlice { ptr, len };
        if len == 0 {
            return Ok(());
        }
        if !self.memory.holds(range) {
            return Err("a range leaves the memory");
        }
        let begins_in = |a: GuestSlice, b: GuestSlice| a.ptr.wrapping_sub(b.ptr) < b.len;
        for (other, other_is_written) in &self.list {
            if (is_written || *other_is_written) && (begins_in(range, *other) || begins_in(*other, range)) {
                return Err("the host would write over what is named elsewhere");
            }
        }
        self.list.push((range, is_written));
        Ok(())
    }

    /// Copies the path of a row; `offset` is that of its address, its length stands behind.
    fn path(&mut self, row: u32, offset: u32) -> Result<Path, &'static str> {
        let [low, high, ..] = word(self.memory, row, offset.wrapping_add(4)).to_le_bytes();
        let (ptr, len) = (word(self.memory, row, offset), u16::from_le_bytes([low, high]));
        self.add(ptr, len.into(), false)?;
        let bytes =
            self.memory.bytes(GuestSlice { ptr, len: len.into() }).filter(|_| (1..=PATH_BYTES_MAX).contains(&len));
        let text = bytes
            .as_deref()
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .ok_or("a path is no text of 1 to 255 bytes")?;
        Ok(Path { path_bytes: text.find('#').unwrap_or(text.len()), text: text.into() })
    }
}
