//! The loop: one word after the other, without recursion; whatever happens, what is left is data.

use super::chunks::{Chunks, Origin};
use super::rare::rare;
use super::tables::Tables;
use super::{Fault, numeric};
use crate::op::{self, WINDOW};

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

/// Takes the fuel of a block; `Err` says how much is missing.
#[inline(always)]
pub(super) fn take_fuel(fuel: &mut u32, cost: u32) -> Result<(), Stop> {
    *fuel = fuel.checked_sub(cost).ok_or(Stop::Fuel(cost))?;
    Ok(())
}

#[inline(always)]
fn fetch(code: &[u32], at: usize) -> Result<u32, Stop> {
    code.get(at).copied().ok_or(Stop::Fault(Fault::Damaged))
}

/// Goes where the distance at `at` says.
#[inline(always)]
fn jump(code: &[u32], at: usize) -> Result<usize, Stop> {
    Ok(at.wrapping_add(fetch(code, at)?.cast_signed() as isize as usize))
}

/// The registers of two words in which a call says where to return.
fn record(registers: &mut [u32], depth: usize) -> Option<&mut [u32; 2]> {
    let at = registers.len().checked_sub(depth.checked_mul(2)?)?.checked_sub(2)?;
    registers.get_mut(at..)?.first_chunk_mut()
}

/// Begins a function whose parameters lie from register `frame` on; the caller's place is kept. Returns where it begins, and
/// its first register.
#[inline(never)]
pub(super) fn enter(
    world: &World<'_>,
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
fn far(registers: &mut [u32], base: usize, word: u32) -> Result<(), Fault> {
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

/// Runs from a place until the function that was begun at call depth `floor` returns, or something else ends it; then the
/// place is where to go on.
pub(super) fn run(
    world: &mut World<'_>,
    registers: &mut [u32],
    place: &mut Place,
    floor: usize,
    fuel: &mut u32,
) -> Stop {
    // In registers of the processor, as long as the loop runs.
    let mut left = *fuel;
    let stop = words(world, registers, place, floor, &mut left);
    *fuel = left;
    stop.map_or_else(|stop| stop, |never| match never {})
}

/// The loop never ends by itself.
enum Never {}

#[expect(clippy::too_many_lines, reason = "an arm an operator, and one place that jumps to them")]
fn words(
    world: &mut World<'_>,
    registers: &mut [u32],
    place: &mut Place,
    floor: usize,
    fuel: &mut u32,
) -> Result<Never, Stop> {
    let code = world.code;
    let origin = world.origin;
    let Place { mut pc, mut base, mut depth } = *place;
    /// Ends the loop, to go on at a place.
    macro_rules! stop {
        ($at:expr, $stop:expr) => {{
            *place = Place { pc: $at, base, depth };
            return Err($stop);
        }};
    }
    'window: loop {
        let window = registers.get_mut(base..).and_then(|rest| rest.first_chunk_mut()).ok_or(Fault::Damaged)?;
        let mut window = Window(window);
        /// Goes back to the caller.
        macro_rules! leave {
            () => {{
                depth = depth.checked_sub(1).ok_or(Fault::Damaged)?;
                let [back, below] = *record(registers, depth).ok_or(Fault::Damaged)?;
                (pc, base) = (back as usize, below as usize);
                if depth <= floor {
                    stop!(pc, Stop::Returned)
                }
                continue 'window;
            }};
        }
        /// Calls a function whose arguments are at a register; `after` is where to go on behind the call.
        macro_rules! call {
            ($function:expr, $argument:expr, $after:expr) => {{
                let (function, frame) = ($function, base.wrapping_add(usize::from($argument)));
                let head = world.functions.get(function as usize).copied().ok_or(Fault::Damaged)?;
                if head & op::IMPORTED != 0 {
                    stop!($after, Stop::Asks { import: function, at: frame })
                }
                match enter(world, registers, Place { pc: $after, base, depth }, head, frame, fuel) {
                    Ok(entered) => (pc, base) = entered,
                    // The call is made again when there is fuel.
                    Err(stop) => stop!(pc, stop),
                }
                depth = depth.wrapping_add(1);
                continue 'window;
            }};
        }
        loop {
            let Some(word) = code.get(pc).copied() else { return Err(Fault::Damaged.into()) };
            let [operator, a, b, c] = word.to_le_bytes();
            /// A branch that depends on registers.
            macro_rules! branch {
                ($condition:expr) => {{
                    if $condition {
                        pc = jump(code, pc.wrapping_add(1))?;
                    } else {
                        let Some(left) = fuel.checked_sub(c.into()) else { stop!(pc, Stop::Fuel(c.into())) };
                        *fuel = left;
                        pc = pc.wrapping_add(2);
                    }
                    continue;
                }};
            }
            macro_rules! register {
                (|$left:ident, $right:ident| $result:expr) => {{
                    let ($left, $right) = (window.get(b), window.get(c));
                    window.set(a, $result);
                }};
            }
            macro_rules! immediate {
                (|$left:ident, $right:ident| $result:expr) => {{
                    let ($left, $right) = (window.get(b), i32::from(c.cast_signed()).cast_unsigned());
                    window.set(a, $result);
                }};
            }
            /// The offset of a load or store, which can follow.
            macro_rules! offset {
                () => {
                    if c == op::OFFSET_FOLLOWS {
                        pc = pc.wrapping_add(1);
                        fetch(code, pc)?
                    } else {
                        u32::from(c)
                    }
                };
            }
            macro_rules! load {
                ($bytes:literal, |$loaded:ident| $value:expr) => {{
                    let offset = offset!();
                    let $loaded = world.chunks.load::<$bytes>(origin, window.get(b), offset)?;
                    window.set(a, $value);
                }};
            }
            macro_rules! load_64 {
                ($bytes:literal, |$loaded:ident| $value:expr) => {{
                    let offset = offset!();
                    let $loaded = world.chunks.load::<$bytes>(origin, window.get(b), offset)?;
                    window.set_64(a, $value);
                }};
            }
            let number = i32::from(b.cast_signed());
            match operator {
                op::CHARGE => {
                    let cost = word >> 8;
                    let Some(left) = fuel.checked_sub(cost) else { stop!(pc, Stop::Fuel(cost)) };
                    *fuel = left;
                }
                op::BRANCH => {
                    pc = jump(code, pc.wrapping_add(1))?;
                    continue;
                }
                op::BRANCH_EQ => branch!(window.get(a) == window.get(b)),
                op::BRANCH_NE => branch!(window.get(a) != window.get(b)),
                op::BRANCH_LT_S => branch!(window.get(a).cast_signed() < window.get(b).cast_signed()),
                op::BRANCH_LT_U => branch!(window.get(a) < window.get(b)),
                op::BRANCH_GE_S => branch!(window.get(a).cast_signed() >= window.get(b).cast_signed()),
                op::BRANCH_GE_U => branch!(window.get(a) >= window.get(b)),
                op::BRANCH_EQ_I => branch!(window.get(a).cast_signed() == number),
                op::BRANCH_NE_I => branch!(window.get(a).cast_signed() != number),
                op::BRANCH_LT_S_I => branch!(window.get(a).cast_signed() < number),
                op::BRANCH_LT_U_I => branch!(window.get(a) < number.cast_unsigned()),
                op::BRANCH_GE_S_I => branch!(window.get(a).cast_signed() >= number),
                op::BRANCH_GE_U_I => branch!(window.get(a) >= number.cast_unsigned()),
                op::BRANCH_TABLE => {
                    let last = u32::from(u16::from_le_bytes([b, c]));
                    let entry = window.get(a).min(last) as usize;
                    pc = jump(code, pc.wrapping_add(1).wrapping_add(entry))?;
                    continue;
                }
                op::RETURN => leave!(),
                op::RETURN_32 => {
                    window.set(0, window.get(a));
                    leave!()
                }
                op::RETURN_64 => {
                    window.set_64(0, window.get_64(a));
                    leave!()
                }
                op::CALL => call!(word >> 16, a, pc.wrapping_add(1)),
                op::CALL_INDIRECT => {
                    let ty = fetch(code, pc.wrapping_add(1))?;
                    let function = indirect(world, c, window.get(b), ty)?;
                    call!(function, a, pc.wrapping_add(2))
                }
                op::FAR_GET_32..=op::FAR_SET_64 => {
                    far(registers, base, word)?;
                    pc = pc.wrapping_add(1);
                    continue 'window;
                }
                op::COPY_32 => window.set(a, window.get(b)),
                op::COPY_64 => window.set_64(a, window.get_64(b)),
                op::CONST_32_SHORT => window.set(a, (word.cast_signed() >> 16).cast_unsigned()),
                op::CONST_64_SHORT => window.set_64(a, i64::from(word.cast_signed() >> 16).cast_unsigned()),
                op::CONST_32 => {
                    pc = pc.wrapping_add(1);
                    window.set(a, fetch(code, pc)?);
                }
                op::CONST_64 => {
                    window.set(a, fetch(code, pc.wrapping_add(1))?);
                    pc = pc.wrapping_add(2);
                    window.set(a.wrapping_add(1), fetch(code, pc)?);
                }
                op::GLOBAL_GET_32 => {
                    let slot = (word >> 16) as usize;
                    window.set(a, world.globals.get(slot).copied().ok_or(Fault::Damaged)?);
                }
                op::GLOBAL_SET_32 => {
                    *world.globals.get_mut((word >> 16) as usize).ok_or(Fault::Damaged)? = window.get(a);
                }
                op::SELECT_32 => {
                    pc = pc.wrapping_add(1);
                    let condition = window.get(fetch(code, pc)? as u8);
                    window.set(a, window.get(if condition == 0 { c } else { b }));
                }
                op::SELECT_64 => {
                    pc = pc.wrapping_add(1);
                    let condition = window.get(fetch(code, pc)? as u8);
                    window.set_64(a, window.get_64(if condition == 0 { c } else { b }));
                }
                op::LOAD_32 => {
                    let offset = offset!();
                    window.set(a, world.chunks.load_32(origin, window.get(b), offset)?);
                }
                op::LOAD_8_U => {
                    let offset = offset!();
                    window.set(a, world.chunks.load_8(origin, window.get(b), offset)?.into());
                }
                op::LOAD_8_S => {
                    let offset = offset!();
                    let byte = world.chunks.load_8(origin, window.get(b), offset)?;
                    window.set(a, i32::from(byte.cast_signed()).cast_unsigned());
                }
                op::LOAD_16_S => load!(2, |bytes| i32::from(i16::from_le_bytes(bytes)).cast_unsigned()),
                op::LOAD_16_U => load!(2, |bytes| u16::from_le_bytes(bytes).into()),
                op::LOAD_64 => load_64!(8, |bytes| u64::from_le_bytes(bytes)),
                op::LOAD_64_8_S => load_64!(1, |bytes| i64::from(i8::from_le_bytes(bytes)).cast_unsigned()),
                op::LOAD_64_8_U => load_64!(1, |bytes| u8::from_le_bytes(bytes).into()),
                op::LOAD_64_16_S => load_64!(2, |bytes| i64::from(i16::from_le_bytes(bytes)).cast_unsigned()),
                op::LOAD_64_16_U => load_64!(2, |bytes| u16::from_le_bytes(bytes).into()),
                op::LOAD_64_32_S => load_64!(4, |bytes| i64::from(i32::from_le_bytes(bytes)).cast_unsigned()),
                op::LOAD_64_32_U => load_64!(4, |bytes| u32::from_le_bytes(bytes).into()),
                op::STORE_32 => {
                    let offset = offset!();
                    world.chunks.store_32(origin, window.get(b), offset, window.get(a))?;
                }
                op::STORE_64 => {
                    let offset = offset!();
                    world.chunks.store(origin, window.get(b), offset, window.get_64(a).to_le_bytes())?;
                }
                op::STORE_8 => {
                    let offset = offset!();
                    world.chunks.store_8(origin, window.get(b), offset, window.get(a) as u8)?;
                }
                op::STORE_16 => {
                    let offset = offset!();
                    world.chunks.store(origin, window.get(b), offset, (window.get(a) as u16).to_le_bytes())?;
                }
                op::I32_EQ => register!(|left, right| (left == right).into()),
                op::I32_NE => register!(|left, right| (left != right).into()),
                op::I32_LT_S => register!(|left, right| (left.cast_signed() < right.cast_signed()).into()),
                op::I32_LT_U => register!(|left, right| (left < right).into()),
                op::I32_GT_S => register!(|left, right| (left.cast_signed() > right.cast_signed()).into()),
                op::I32_GT_U => register!(|left, right| (left > right).into()),
                op::I32_LE_S => register!(|left, right| (left.cast_signed() <= right.cast_signed()).into()),
                op::I32_LE_U => register!(|left, right| (left <= right).into()),
                op::I32_GE_S => register!(|left, right| (left.cast_signed() >= right.cast_signed()).into()),
                op::I32_GE_U => register!(|left, right| (left >= right).into()),
                op::I32_ADD => register!(|left, right| left.wrapping_add(right)),
                op::I32_SUB => register!(|left, right| left.wrapping_sub(right)),
                op::I32_MUL => register!(|left, right| left.wrapping_mul(right)),
                op::I32_AND => register!(|left, right| left & right),
                op::I32_OR => register!(|left, right| left | right),
                op::I32_XOR => register!(|left, right| left ^ right),
                op::I32_SHL => register!(|left, right| left.wrapping_shl(right)),
                op::I32_SHR_S => register!(|left, right| left.cast_signed().wrapping_shr(right).cast_unsigned()),
                op::I32_SHR_U => register!(|left, right| left.wrapping_shr(right)),
                op::I32_ROTL => register!(|left, right| left.rotate_left(right & 31)),
                op::I32_ROTR => register!(|left, right| left.rotate_right(right & 31)),
                op::I32_EQ_I => immediate!(|left, right| (left == right).into()),
                op::I32_NE_I => immediate!(|left, right| (left != right).into()),
                op::I32_LT_S_I => immediate!(|left, right| (left.cast_signed() < right.cast_signed()).into()),
                op::I32_LT_U_I => immediate!(|left, right| (left < right).into()),
                op::I32_GT_S_I => immediate!(|left, right| (left.cast_signed() > right.cast_signed()).into()),
                op::I32_GT_U_I => immediate!(|left, right| (left > right).into()),
                op::I32_LE_S_I => immediate!(|left, right| (left.cast_signed() <= right.cast_signed()).into()),
                op::I32_LE_U_I => immediate!(|left, right| (left <= right).into()),
                op::I32_GE_S_I => immediate!(|left, right| (left.cast_signed() >= right.cast_signed()).into()),
                op::I32_GE_U_I => immediate!(|left, right| (left >= right).into()),
                op::I32_ADD_I => immediate!(|left, right| left.wrapping_add(right)),
                op::I32_SUB_I => immediate!(|left, right| left.wrapping_sub(right)),
                op::I32_MUL_I => immediate!(|left, right| left.wrapping_mul(right)),
                op::I32_AND_I => immediate!(|left, right| left & right),
                op::I32_OR_I => immediate!(|left, right| left | right),
                op::I32_XOR_I => immediate!(|left, right| left ^ right),
                op::I32_SHL_I => immediate!(|left, right| left.wrapping_shl(right)),
                op::I32_SHR_S_I => immediate!(|left, right| left.cast_signed().wrapping_shr(right).cast_unsigned()),
                op::I32_SHR_U_I => immediate!(|left, right| left.wrapping_shr(right)),
                op::I32_ROTL_I => immediate!(|left, right| left.rotate_left(right & 31)),
                op::I32_ROTR_I => immediate!(|left, right| left.rotate_right(right & 31)),
                op::EXTEND_32_S => window.set_64(a, i64::from(window.get(b).cast_signed()).cast_unsigned()),
                op::I64_ADD => window.set_64(a, window.get_64(b).wrapping_add(window.get_64(c))),
                op::I64_EQ..=op::I64_ROTR => {
                    let (left, right) = (window.get_64(b), window.get_64(c));
                    let result = numeric::i64_binary(operator.wrapping_sub(op::I64_EQ), left, right)?;
                    // A comparison gives one word.
                    if operator < op::I64_ADD { window.set(a, result as u32) } else { window.set_64(a, result) }
                }
                op::F32_EQ..=op::F32_COPYSIGN => {
                    let place = operator.wrapping_sub(op::F32_EQ);
                    window.set(a, numeric::f32_binary(place, window.get(b), window.get(c)));
                }
                op::F64_EQ..=op::F64_COPYSIGN => {
                    let place = operator.wrapping_sub(op::F64_EQ);
                    let result = numeric::f64_binary(place, window.get_64(b), window.get_64(c));
                    if operator < op::F64_ADD { window.set(a, result as u32) } else { window.set_64(a, result) }
                }
                op::UNREACHABLE => return Err(Fault::Unreachable.into()),
                _ => match rare(world, &mut window, word, pc, fuel) {
                    Ok(after) => {
                        pc = after;
                        continue;
                    }
                    Err(stop) => stop!(pc, stop),
                },
            }
            pc = pc.wrapping_add(1);
        }
    }
}

/// Finds the function of an indirect call.
#[inline(never)]
fn indirect(world: &World<'_>, table: u8, index: u32, ty: u32) -> Result<u32, Fault> {
    let element = world.tables.get(world.code, table.into(), index)?;
    let function = element.checked_sub(1).ok_or(Fault::IndirectCallToNull)?;
    let head = world.functions.get(function as usize).copied().ok_or(Fault::Damaged)?;
    let found = if head & op::IMPORTED != 0 { Some(head) } else { world.code.get(head as usize).copied() };
    if found.ok_or(Fault::Damaged)? & 0xffff == ty { Ok(function) } else { Err(Fault::BadSignature) }
}
