//! What the loop runs on: the window of registers, how functions begin, where calls return to.

use super::Fault;
use super::chunks::{Chunks, Origin};
use super::tables::Tables;
use crate::op::{self, WINDOW};

/// Takes the fuel of a block; `Err` says how much is missing.
#[inline(always)]
pub(super) fn take_fuel(fuel: &mut u32, cost: u32) -> Result<(), Stop> {
    *fuel = fuel.checked_sub(cost).ok_or(Stop::Fuel(cost))?;
    Ok(())
}

/// What a machine runs on, but its registers.
pub(super) struct World<'m> {
    /// The words of the image.
    pub(super) code: &'m [u32],
    pub(super) functions: &'m [u32],
    pub(super) elements: &'m [[u32; 2]],
    pub(super) data: &'m [[u32; 2]],
    pub(super) origin: Origin<'m>,
    pub(super) chunks: &'m mut Chunks,
    pub(super) tables: &'m mut Tables,
    pub(super) globals: &'m mut [u32],
    /// A bit for each segment that was dropped, data before elements.
    pub(super) dropped: &'m mut [u32],
    pub(super) calls_max: usize,
    /// Fuel that the slice began with.
    pub(super) given: u32,
    /// Loops gone round and functions begun that took no fuel by themselves.
    pub(super) unpaid: u32,
}

impl World<'_> {
    /// Counts what took no fuel by itself, though the branch or call that led there did: more of them than that, and the image
    /// is no work of the translator, and would perhaps never end.
    #[cold]
    #[inline(never)]
    fn unpaid(&mut self, left: u32) -> Result<(), Fault> {
        self.unpaid = self.unpaid.saturating_add(1);
        // Blocks that were paid in a slice before have no more branches and calls than there are words.
        let paid = (self.given.saturating_sub(left) as usize).saturating_add(self.code.len());
        if self.unpaid as usize > paid { Err(Fault::Damaged) } else { Ok(()) }
    }
}

/// Goes back to the start of a loop, and takes the fuel of its first block; returns where to go on.
#[inline(never)]
pub(super) fn back(world: &mut World<'_>, pc: usize, fuel: &mut u32) -> Result<usize, Stop> {
    let word = fetch(world.code, pc)?;
    let [operator, ..] = word.to_le_bytes();
    if operator == op::CHARGE && word >> 8 > 0 {
        take_fuel(fuel, word >> 8)?;
        return Ok(pc.wrapping_add(1));
    }
    world.unpaid(*fuel)?;
    Ok(pc)
}

/// Where a machine is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) pc: usize,
    /// The first register of the window.
    pub(super) base: usize,
    /// Calls that have not returned.
    pub(super) depth: usize,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// The function that was begun returned.
    Returned,
    /// So much fuel is needed to go on.
    Fuel(u32),
    /// An import is called: its number, and the register of its first argument.
    Asks {
        import: u32,
        at: usize,
    },
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Registers that the running function can name: a number of 8 bits is always one of them.
pub(super) struct Window<'r>(&'r mut [u32; WINDOW]);

impl<'r> Window<'r> {
    /// Apart, so that the compiler keeps the address instead of working it out again for every word.
    #[inline(never)]
    pub(super) fn at(registers: &'r mut [u32], base: usize) -> Option<Self> {
        registers.get_mut(base..)?.first_chunk_mut().map(Self)
    }
}

#[expect(clippy::indexing_slicing, reason = "numbers of 8 bits index 256 places")]
impl Window<'_> {
    #[inline(always)]
    pub(super) fn get(&self, register: u8) -> u32 {
        self.0[usize::from(register)]
    }

    #[inline(always)]
    pub(super) fn set(&mut self, register: u8, value: u32) {
        self.0[usize::from(register)] = value;
    }

    #[inline(always)]
    pub(super) fn get_64(&self, register: u8) -> u64 {
        u64::from(self.get(register)) | u64::from(self.get(register.wrapping_add(1))) << 32
    }

    #[inline(always)]
    pub(super) fn set_64(&mut self, register: u8, value: u64) {
        self.set(register, value as u32);
        self.set(register.wrapping_add(1), (value >> 32) as u32);
    }
}

#[inline(always)]
pub(super) fn fetch(code: &[u32], at: usize) -> Result<u32, Stop> {
    code.get(at).copied().ok_or(Stop::Fault(Fault::Damaged))
}

/// The registers of two words in which a call says where to return.
pub(super) fn record(registers: &mut [u32], depth: usize) -> Option<&mut [u32; 2]> {
    let at = registers.len().checked_sub(depth.checked_mul(2)?)?.checked_sub(2)?;
    registers.get_mut(at..)?.first_chunk_mut()
}

/// Begins a function whose parameters lie from register `frame` on; the caller's place is kept. Returns where it begins, and
/// its first register.
#[inline(never)]
pub(super) fn enter(
    world: &mut World<'_>,
    registers: &mut [u32],
    caller: Place,
    head: u32,
    frame: usize,
    fuel: &mut u32,
) -> Result<(usize, usize), Stop> {
    let head = head as usize;
    let words = world.code.get(head..).and_then(|rest| rest.first_chunk()).ok_or(Fault::Damaged)?;
    let [first, second, third] = *words;
    let (params, locals, total) = ((first >> 16) as usize, (second & 0xffff) as usize, (second >> 16) as usize);
    let base = if third & op::FAR_LOCALS == 0 { frame } else { frame.wrapping_add(locals) };
    let length = registers.len();
    // Behind the last register that a function names lie records of calls; a window reaches over them.
    let records = caller.depth.wrapping_add(1).wrapping_mul(2);
    let room = length.saturating_sub(records);
    if caller.depth >= world.calls_max
        || frame.wrapping_add(total.max(locals)) > room
        || base.wrapping_add(WINDOW) > length
    {
        return Err(Fault::StackOverflow.into());
    }
    if third & 0xffff == 0 {
        world.unpaid(*fuel)?;
    }
    take_fuel(fuel, third & 0xffff)?;
    *record(registers, caller.depth).ok_or(Fault::Damaged)? = [caller.pc as u32, caller.base as u32];
    if params < locals {
        let zeros = registers.get_mut(frame.wrapping_add(params)..frame.wrapping_add(locals));
        zeros.ok_or(Fault::Damaged)?.iter_mut().for_each(|register| *register = 0);
    }
    Ok((head.wrapping_add(op::FUNCTION_HEAD_WORDS), base))
}

/// Copies a local that lies below the window, or to it.
#[inline(never)]
pub(super) fn far(registers: &mut [u32], base: usize, word: u32) -> Result<(), Fault> {
    let [operator, register, low, high] = word.to_le_bytes();
    let local = base.checked_sub(u16::from_le_bytes([low, high]).into()).ok_or(Fault::Damaged)?;
    let near = base.wrapping_add(register.into());
    let set = operator >= op::FAR_SET_32;
    let (from, to) = if set { (near, local) } else { (local, near) };
    let words = if operator == op::FAR_GET_64 || operator == op::FAR_SET_64 { 2 } else { 1 };
    let end = from.checked_add(words).filter(|end| *end <= registers.len());
    let reaches = to.checked_add(words).is_some_and(|end| end <= registers.len());
    let range = from..end.filter(|_| reaches).ok_or(Fault::Damaged)?;
    registers.copy_within(range, to);
    Ok(())
}
