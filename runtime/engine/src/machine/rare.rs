//! Operators that are seldom met, apart from the loop so that its registers stay free.

use super::frame::{Stop, Window, World, take_fuel};
use super::{Fault, numeric};
use crate::op;

/// Bytes that bulk operations move for one unit of fuel, as in the reference engine.
const BYTES_PER_FUEL: u32 = 64;

/// Executes the operator at `pc`; returns where to go on.
#[inline(never)]
pub(super) fn rare(
    world: &mut World<'_>,
    window: &mut Window<'_>,
    word: u32,
    pc: usize,
    fuel: &mut u32,
) -> Result<usize, Stop> {
    let [operator, a, b, c] = word.to_le_bytes();
    let next = pc.wrapping_add(1);
    let behind = next.wrapping_add(1);
    let number = u16::from_le_bytes([b, c]);
    let code = world.code;
    let follows = || code.get(next).copied().ok_or(Fault::Damaged);
    match operator {
        op::I32_DIV_S..=op::I32_REM_U => {
            let place = operator.wrapping_sub(op::I32_EQ);
            window.set(a, numeric::i32_divide(place, window.get(b), window.get(c))?);
        }
        op::I32_DIV_S_I..=op::I32_REM_U_I => {
            let place = operator.wrapping_sub(op::I32_EQ_I);
            let right = i32::from(c.cast_signed()).cast_unsigned();
            window.set(a, numeric::i32_divide(place, window.get(b), right)?);
        }
        op::UNARY_32_32 => window.set(a, numeric::unary(c, window.get(b).into())? as u32),
        op::UNARY_32_64 => window.set_64(a, numeric::unary(c, window.get(b).into())?),
        op::UNARY_64_32 => window.set(a, numeric::unary(c, window.get_64(b))? as u32),
        op::UNARY_64_64 => window.set_64(a, numeric::unary(c, window.get_64(b))?),
        op::GLOBAL_GET_64 => {
            let words = world.globals.get(number.into()..).and_then(|rest| rest.first_chunk()).ok_or(Fault::Damaged)?;
            let [low, high] = *words;
            window.set_64(a, u64::from(low) | u64::from(high) << 32);
        }
        op::GLOBAL_SET_64 => {
            let words = world.globals.get_mut(number.into()..).and_then(|rest| rest.first_chunk_mut());
            let value = window.get_64(a);
            *words.ok_or(Fault::Damaged)? = [value as u32, (value >> 32) as u32];
        }
        op::MEMORY_SIZE => window.set(a, world.chunks.pages()),
        op::MEMORY_GROW => {
            let before = world.chunks.grow(window.get(b));
            window.set(a, before);
        }
        op::MEMORY_COPY => {
            let (to, from, length) = (window.get(a), window.get(b), window.get(c));
            if !world.chunks.holds(from, length) || !world.chunks.holds(to, length) {
                return Err(Fault::MemoryOutOfBounds.into());
            }
            take_fuel(fuel, length / BYTES_PER_FUEL)?;
            world.chunks.copy(world.origin, to, from, length)?;
        }
        op::MEMORY_FILL => {
            let (to, byte, length) = (window.get(a), window.get(b) as u8, window.get(c));
            if !world.chunks.holds(to, length) {
                return Err(Fault::MemoryOutOfBounds.into());
            }
            take_fuel(fuel, length / BYTES_PER_FUEL)?;
            world.chunks.fill(world.origin, to, byte, length)?;
        }
        op::MEMORY_INIT => {
            let segment = follows()?;
            memory_init(world, segment, [window.get(a), window.get(b), window.get(c)], fuel)?;
            return Ok(behind);
        }
        op::DATA_DROP => drop_segment(world, number.into()),
        op::TABLE_GET => window.set(a, world.tables.get(code, c.into(), window.get(b))?),
        op::TABLE_SET => {
            if let [place] = world.tables.range(code, c.into(), window.get(b), 1)? {
                *place = window.get(a);
            }
        }
        op::TABLE_SIZE => window.set(a, world.tables.size(c.into())?),
        op::TABLE_GROW => {
            let before = world.tables.grow(code, follows()?, window.get(b), window.get(c))?;
            window.set(a, before);
            return Ok(behind);
        }
        op::TABLE_FILL => {
            world.tables.range(code, follows()?, window.get(a), window.get(c))?.fill(window.get(b));
            return Ok(behind);
        }
        op::TABLE_COPY => {
            let [to, from, ..] = follows()?.to_le_bytes();
            let (to, from) = ((to.into(), window.get(a)), (from.into(), window.get(b)));
            world.tables.copy(code, to, from, window.get(c))?;
            return Ok(behind);
        }
        op::TABLE_INIT => {
            let named = follows()?;
            table_init(world, named, [window.get(a), window.get(b), window.get(c)])?;
            return Ok(behind);
        }
        op::ELEMENTS_DROP => {
            let segment = u32::from(number).saturating_add(world.data.len() as u32);
            drop_segment(world, segment);
        }
        _ => return Err(Fault::Damaged.into()),
    }
    Ok(next)
}

fn drop_segment(world: &mut World<'_>, segment: u32) {
    if let Some(word) = world.dropped.get_mut((segment / u32::BITS) as usize) {
        *word |= 1 << (segment % u32::BITS);
    }
}

fn is_dropped(world: &World<'_>, segment: u32) -> bool {
    is_bit_set(world.dropped, segment)
}

/// Tells whether a segment was dropped; one that is not there was.
pub(super) fn is_bit_set(dropped: &[u32], segment: u32) -> bool {
    let word = dropped.get((segment / u32::BITS) as usize).copied().unwrap_or(u32::MAX);
    word & (1 << (segment % u32::BITS)) != 0
}

/// Bytes from one place on; `None` where they leave their segment.
fn part(length: u32, from: u32, count: u32) -> Option<()> {
    from.checked_add(count).is_some_and(|end| end <= length).then_some(())
}

fn memory_init(world: &mut World<'_>, segment: u32, [to, from, count]: [u32; 3], fuel: &mut u32) -> Result<(), Stop> {
    let [length, at] = *world.data.get(segment as usize).ok_or(Fault::Damaged)?;
    let length = if is_dropped(world, segment) { 0 } else { length };
    if !world.chunks.holds(to, count) || part(length, from, count).is_none() {
        return Err(Fault::MemoryOutOfBounds.into());
    }
    take_fuel(fuel, count / BYTES_PER_FUEL)?;
    let words = world.code.get(at as usize..).and_then(|rest| rest.get(..length.div_ceil(4) as usize));
    let bytes = zerocopy::IntoBytes::as_bytes(words.ok_or(Fault::Damaged)?);
    let bytes = bytes.get(from as usize..).and_then(|rest| rest.get(..count as usize)).ok_or(Fault::Damaged)?;
    Ok(world.chunks.write(world.origin, to, bytes)?)
}

fn table_init(world: &mut World<'_>, named: u32, [to, from, count]: [u32; 3]) -> Result<(), Fault> {
    let (table, segment) = (named & 0xff, named >> 8);
    let [length, at] = *world.elements.get(segment as usize).ok_or(Fault::Damaged)?;
    let dropped = is_dropped(world, segment.saturating_add(world.data.len() as u32));
    let length = if dropped { 0 } else { length };
    if part(length, from, count).is_none() {
        return Err(Fault::TableOutOfBounds);
    }
    let code = world.code;
    let places = world.tables.range(code, table, to, count)?;
    let words = code.get(at.wrapping_add(from) as usize..).and_then(|rest| rest.get(..count as usize));
    let words = if count == 0 { &[] } else { words.ok_or(Fault::Damaged)? };
    places.copy_from_slice(words);
    Ok(())
}
