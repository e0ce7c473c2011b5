//! Runs an image: activations, slices, questions to the host, memory.

mod chunks;
mod fault;
mod frame;
mod freeze;
mod memory;
mod numeric;
mod rare;
mod run;
mod tables;

use alloc::vec::Vec;

use self::chunks::{Chunks, Origin};
use self::frame::{Place, Stop, World, enter};
use self::tables::Tables;
use crate::image::{Image, NONE, Types};
use crate::op::{self, WINDOW};
use crate::value::{Value, ValueType};

pub use self::chunks::CHUNK_RAM_BYTES;
pub(crate) use self::chunks::{CHUNK_BYTES, IMAGE_CHUNKS_MAX, MEMORY_BYTES_MAX};
pub use self::fault::{BeginError, Fault, SetupError};
pub use self::freeze::Freezing;
pub use self::memory::LinearMemory;

/// What a machine may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Registers of 32 bits, for locals, operands and two words a call; taken at once. The window of the innermost function
    /// is always 256 of them.
    pub registers: u32,
    /// Calls inside of each other.
    pub calls_max: u32,
    /// Activations inside of each other: one that runs, and those that wait for the host meanwhile.
    pub activations_max: u32,
    /// Chunks of memory of 1 KiB; each is taken when it is first written.
    pub chunks: u32,
    /// What the memory can grow to, bytes.
    pub memory_bytes_max: u32,
    /// What a table can grow to, elements.
    pub table_elements_max: u32,
}

impl Quota {
    /// What a plugin on a chip gets at its start: 4 KiB of registers, and no more memory than it takes chunks for.
    pub const CHIP: Self = Self {
        registers: 1024,
        calls_max: 128,
        activations_max: 2,
        chunks: 32,
        memory_bytes_max: 64 << 10,
        table_elements_max: 256,
    };
}

impl Default for Quota {
    /// What a gateway on Linux gives.
    fn default() -> Self {
        Self {
            registers: 64 << 10,
            calls_max: 1000,
            activations_max: 4,
            chunks: 16 << 10,
            memory_bytes_max: 16 << 20,
            table_elements_max: 64 << 10,
        }
    }
}

/// What a slice came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The activation is done: [`Machine::finish`] has its results.
    Done,
    /// The fuel is used up but for less than this, which the next step takes; run again with at least so much.
    OutOfFuel {
        /// Fuel.
        required: u64,
    },
    /// A function is called that is imported: [`Machine::arguments`] are its arguments, [`Machine::answer`] gives its results.
    Asks {
        /// The number of the import.
        import: u32,
    },
    /// The activation has ended by a fault; nothing but [`Machine::abandon`] takes it away.
    Faulted(Fault),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Begun,
    Running,
    Asking { import: u32, at: usize },
    Done,
    Faulted(Fault),
}

/// A function that the host called.
#[derive(Clone, Copy, Debug)]
struct Activation {
    function: u32,
    /// Its first register.
    frame: usize,
    /// Where the one before it waits.
    before: Place,
    state: State,
}

/// A module in execution. All of its state is data.
#[derive(Debug)]
pub struct Machine {
    image: Image,
    chunks: Chunks,
    tables: Tables,
    globals: Vec<u32>,
    dropped: Vec<u32>,
    registers: Vec<u32>,
    place: Place,
    activations: Vec<Activation>,
    calls_max: usize,
    activations_max: usize,
}

impl Machine {
    /// Sets a machine up. A start function ([`start`](Self::start)) has still to be run.
    ///
    /// # Errors
    /// [`SetupError`]: the quota is too small, or there is no memory for it.
    pub fn new(image: Image, quota: Quota) -> Result<Self, SetupError> {
        let header = *image.header();
        let no_memory = |_| SetupError::OutOfMemory;
        let chunks = Chunks::new(&image, quota.chunks, quota.memory_bytes_max)?;
        let tables = Tables::new(&image, quota.table_elements_max)?;
        let first = image.span(header.global_words.at, header.global_words.count).ok_or(SetupError::Damaged)?;
        let mut globals = Vec::new();
        globals.try_reserve_exact(first.len()).map_err(no_memory)?;
        globals.extend_from_slice(first);
        let segments = header.data.count.checked_add(header.elements.count).ok_or(SetupError::Damaged)?;
        let mut dropped = Vec::new();
        dropped.try_reserve_exact(segments.div_ceil(u32::BITS) as usize).map_err(no_memory)?;
        dropped.resize(segments.div_ceil(u32::BITS) as usize, 0);
        let count = (quota.registers as usize).max(WINDOW.saturating_add(2));
        let mut registers = Vec::new();
        registers.try_reserve_exact(count).map_err(no_memory)?;
        registers.resize(count, 0);
        Ok(Self {
            image,
            chunks,
            tables,
            globals,
            dropped,
            registers,
            place: Place::default(),
            activations: Vec::new(),
            calls_max: quota.calls_max as usize,
            activations_max: quota.activations_max.max(1) as usize,
        })
    }

    /// Returns what it runs.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Gives back what it ran; everything else of it goes.
    #[must_use]
    pub fn into_image(self) -> Image {
        self.image
    }

    /// Returns the function to run before anything else, where there is one.
    #[must_use]
    pub fn start(&self) -> Option<u32> {
        Some(self.image.header().start).filter(|start| *start != NONE)
    }

    /// Begins a call of a function, which [`run`](Self::run) carries out. While an activation waits for the host another can
    /// be begun and has to end first.
    ///
    /// # Errors
    /// [`BeginError`]; nothing has changed then.
    pub fn begin(&mut self, function: u32, arguments: &[Value]) -> Result<(), BeginError> {
        if self.activations.len() >= self.activations_max {
            return Err(BeginError::Busy);
        }
        let frame = match self.activations.last() {
            None => 0,
            // What it had as operands lies below the arguments of what it asks.
            Some(Activation { state: State::Asking { import, at }, .. }) => {
                let ty = self.image.type_of(*import).ok_or(BeginError::NoFunction)?;
                at.saturating_add(ty.params.slots().max(ty.results.slots()))
            }
            Some(_) => return Err(BeginError::Busy),
        };
        let ty = self.image.type_of(function).ok_or(BeginError::NoFunction)?;
        if !ty.params.iter().eq(arguments.iter().map(|value| value.ty())) {
            return Err(BeginError::Arguments);
        }
        let records = self.place.depth.saturating_add(1).saturating_mul(2);
        let end = frame.saturating_add(ty.params.slots().max(ty.results.slots())).saturating_add(records);
        if end > self.registers.len() {
            return Err(BeginError::NoRoom);
        }
        self.activations.try_reserve_exact(1).map_err(|_| BeginError::NoRoom)?;
        put(&mut self.registers, frame, arguments);
        self.activations.push(Activation { function, frame, before: self.place, state: State::Begun });
        Ok(())
    }

    /// Runs the innermost activation as long as the fuel lasts; what is left of it stays in `fuel`.
    pub fn run(&mut self, fuel: &mut u64) -> Outcome {
        loop {
            let mut slice = u32::try_from(*fuel).unwrap_or(u32::MAX);
            let given = slice;
            let outcome = self.slice(&mut slice);
            *fuel = fuel.saturating_sub(u64::from(given.saturating_sub(slice)));
            match outcome {
                // There was more than a slice holds.
                Outcome::OutOfFuel { required } if required <= *fuel => {}
                outcome => return outcome,
            }
        }
    }

    fn slice(&mut self, fuel: &mut u32) -> Outcome {
        let Some(activation) = self.activations.last_mut() else { return Outcome::Faulted(Fault::NothingBegun) };
        let image = &self.image;
        let header = image.header();
        let rows = |list: crate::image::List| {
            let words = list.count.checked_mul(2).and_then(|words| image.span(list.at, words)).unwrap_or_default();
            words.as_chunks().0
        };
        let mut world = World {
            code: image.words(),
            functions: image.span(header.functions.at, header.functions.count).unwrap_or_default(),
            elements: rows(header.elements),
            data: rows(header.data),
            origin: Origin::of(image),
            chunks: &mut self.chunks,
            tables: &mut self.tables,
            globals: &mut self.globals,
            dropped: &mut self.dropped,
            calls_max: self.calls_max,
            given: *fuel,
            unpaid: 0,
        };
        let stop = match activation.state {
            State::Asking { import, .. } => return Outcome::Asks { import },
            State::Done => return Outcome::Done,
            State::Faulted(fault) => return Outcome::Faulted(fault),
            State::Begun => match world.functions.get(activation.function as usize).copied() {
                None => Stop::Fault(Fault::Damaged),
                Some(head) if head & op::IMPORTED != 0 => {
                    Stop::Asks { import: activation.function, at: activation.frame }
                }
                Some(head) => match enter(&mut world, &mut self.registers, self.place, head, activation.frame, fuel) {
                    Err(stop) => stop,
                    Ok((pc, base)) => {
                        self.place = Place { pc, base, depth: self.place.depth.wrapping_add(1) };
                        activation.state = State::Running;
                        run::run(&mut world, &mut self.registers, &mut self.place, activation.before.depth, fuel)
                    }
                },
            },
            State::Running => run::run(&mut world, &mut self.registers, &mut self.place, activation.before.depth, fuel),
        };
        match stop {
            Stop::Returned => {
                activation.state = State::Done;
                Outcome::Done
            }
            Stop::Fuel(required) => Outcome::OutOfFuel { required: required.into() },
            Stop::Asks { import, at } => {
                activation.state = State::Asking { import, at };
                Outcome::Asks { import }
            }
            Stop::Fault(fault) => {
                activation.state = State::Faulted(fault);
                Outcome::Faulted(fault)
            }
        }
    }

    /// Returns the arguments of the import that is asked for; none where nothing is asked.
    #[must_use]
    pub fn arguments(&self) -> Values<'_> {
        let asked = match self.activations.last() {
            Some(Activation { state: State::Asking { import, at }, .. }) => {
                self.image.type_of(*import).map(|ty| Values::at(&self.registers, *at, ty.params))
            }
            _ => None,
        };
        asked.unwrap_or_default()
    }

    /// Gives the results of the import that is asked for; [`run`](Self::run) goes on behind its call.
    ///
    /// # Errors
    /// [`BeginError`]: nothing is asked, or the results are not those of its type; it is asked still.
    pub fn answer(&mut self, results: &[Value]) -> Result<(), BeginError> {
        let Some(activation) = self.activations.last_mut() else { return Err(BeginError::NotAsked) };
        let State::Asking { import, at } = activation.state else { return Err(BeginError::NotAsked) };
        let ty = self.image.type_of(import).ok_or(BeginError::NoFunction)?;
        if !ty.results.iter().eq(results.iter().map(|value| value.ty())) {
            return Err(BeginError::Arguments);
        }
        put(&mut self.registers, at, results);
        // Where the host called the import itself, no function is below it, and its results are those of the activation.
        let is_own = self.place.depth == activation.before.depth;
        activation.state = if is_own { State::Done } else { State::Running };
        Ok(())
    }

    /// Returns the results of the innermost activation; `None` where it is not done. [`abandon`](Self::abandon) takes it away.
    #[must_use]
    pub fn results(&self) -> Option<Values<'_>> {
        let activation = self.activations.last().filter(|activation| matches!(activation.state, State::Done))?;
        let ty = self.image.type_of(activation.function)?;
        Some(Values::at(&self.registers, activation.frame, ty.results))
    }

    /// Takes the innermost activation away, with its results where it is done.
    pub fn finish(&mut self) -> Option<Vec<Value>> {
        let results = self.results()?.collect();
        self.abandon();
        Some(results)
    }

    /// Takes the innermost activation away, wherever it is; false where there is none.
    pub fn abandon(&mut self) -> bool {
        let Some(activation) = self.activations.pop() else { return false };
        self.place = activation.before;
        true
    }

    /// Returns how many activations there are.
    #[must_use]
    pub fn activations(&self) -> usize {
        self.activations.len()
    }

    /// Returns the value of a global.
    #[must_use]
    pub fn global(&self, index: u32) -> Option<Value> {
        let (ty, slot, _) = self.image.global(index)?;
        let mut words = self.globals.get(slot..)?;
        next_value(&mut words, ty)
    }

    /// Sets a global; false where there is none of this type that can be set.
    pub fn set_global(&mut self, index: u32, value: Value) -> bool {
        match self.image.global(index) {
            Some((ty, slot, true)) if ty == value.ty() => {
                put(&mut self.globals, slot, &[value]);
                true
            }
            _ => false,
        }
    }

    /// Returns how many elements a table has.
    #[must_use]
    pub fn table_size(&self, table: u32) -> Option<u32> {
        self.tables.size(table).ok()
    }

    /// Returns the RAM it holds beside this value itself and an image that is not in flash, bytes.
    #[must_use]
    pub fn ram_bytes(&self) -> usize {
        let words = self.globals.capacity().saturating_add(self.dropped.capacity());
        let words = words.saturating_add(self.registers.capacity()).saturating_mul(4);
        let activations = self.activations.capacity().saturating_mul(size_of::<Activation>());
        let kept = self.chunks.ram_bytes().saturating_add(self.tables.ram_bytes());
        words.saturating_add(activations).saturating_add(kept)
    }
}

/// Writes values from a register on.
fn put(registers: &mut [u32], at: usize, values: &[Value]) {
    let places = registers.get_mut(at..).unwrap_or_default();
    let words = values.iter().flat_map(|value| {
        let bits = value.bits();
        let high = (value.ty().slots() == 2).then_some((bits >> 32) as u32);
        core::iter::once(bits as u32).chain(high)
    });
    for (place, word) in places.iter_mut().zip(words) {
        *place = word;
    }
}

/// Reads a value from the first words.
fn next_value(words: &mut &[u32], ty: ValueType) -> Option<Value> {
    let (now, rest) = words.split_at_checked(ty.slots().into())?;
    *words = rest;
    let bits = now.iter().rev().fold(0, |bits, word| bits << 32 | u64::from(*word));
    Some(Value::from_bits(ty, bits))
}

/// Arguments or results where they lie in the registers.
#[derive(Clone, Debug, Default)]
pub struct Values<'m> {
    words: &'m [u32],
    types: Types<'m>,
    taken: usize,
}

impl<'m> Values<'m> {
    fn at(registers: &'m [u32], at: usize, types: Types<'m>) -> Self {
        Self { words: registers.get(at..).unwrap_or_default(), types, taken: 0 }
    }
}

impl Iterator for Values<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let ty = self.types.get(self.taken)?;
        self.taken = self.taken.wrapping_add(1);
        next_value(&mut self.words, ty)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.types.len().saturating_sub(self.taken);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Values<'_> {}
