//! The loop: one word after the other, without recursion; whatever happens, what is left is data.

use super::frame::{Place, Stop, Window, World, back, enter, far, fetch, record};
use super::rare::rare;
use super::{Fault, numeric};
use crate::op;

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
        let mut window = Window::at(registers, base).ok_or(Fault::Damaged)?;
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
        /// Goes where the distance at a place says.
        macro_rules! jump {
            ($at:expr) => {{
                let at = $at;
                let distance = fetch(code, at)?.cast_signed();
                pc = at.wrapping_add(distance as isize as usize);
                if distance < 0 {
                    match back(world, pc, fuel) {
                        Ok(start) => pc = start,
                        Err(stop) => stop!(pc, stop),
                    }
                }
                continue;
            }};
        }
        loop {
            let Some(word) = code.get(pc).copied() else { return Err(Fault::Damaged.into()) };
            let [operator, a, b, c] = word.to_le_bytes();
            /// A branch that depends on registers.
            macro_rules! branch {
                ($condition:expr) => {{
                    if $condition {
                        jump!(pc.wrapping_add(1))
                    }
                    let Some(left) = fuel.checked_sub(c.into()) else { stop!(pc, Stop::Fuel(c.into())) };
                    *fuel = left;
                    pc = pc.wrapping_add(2);
                    continue;
                }};
            }
            /// The same, with a number on the right side.
            macro_rules! branch_number {
                (|$left:ident, $number:ident| $condition:expr) => {{
                    let ($left, $number) = (window.get(a), i32::from(b.cast_signed()));
                    branch!($condition)
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
            match operator {
                op::CHARGE => {
                    let cost = word >> 8;
                    let Some(left) = fuel.checked_sub(cost) else { stop!(pc, Stop::Fuel(cost)) };
                    *fuel = left;
                }
                op::BRANCH => jump!(pc.wrapping_add(1)),
                op::BRANCH_EQ => branch!(window.get(a) == window.get(b)),
                op::BRANCH_NE => branch!(window.get(a) != window.get(b)),
                op::BRANCH_LT_S => branch!(window.get(a).cast_signed() < window.get(b).cast_signed()),
                op::BRANCH_LT_U => branch!(window.get(a) < window.get(b)),
                op::BRANCH_GE_S => branch!(window.get(a).cast_signed() >= window.get(b).cast_signed()),
                op::BRANCH_GE_U => branch!(window.get(a) >= window.get(b)),
                op::BRANCH_EQ_I => branch_number!(|left, number| left.cast_signed() == number),
                op::BRANCH_NE_I => branch_number!(|left, number| left.cast_signed() != number),
                op::BRANCH_LT_S_I => branch_number!(|left, number| left.cast_signed() < number),
                op::BRANCH_LT_U_I => branch_number!(|left, number| left < number.cast_unsigned()),
                op::BRANCH_GE_S_I => branch_number!(|left, number| left.cast_signed() >= number),
                op::BRANCH_GE_U_I => branch_number!(|left, number| left >= number.cast_unsigned()),
                op::BRANCH_TABLE => {
                    let last = u32::from(u16::from_le_bytes([b, c]));
                    let entry = window.get(a).min(last) as usize;
                    jump!(pc.wrapping_add(1).wrapping_add(entry))
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
