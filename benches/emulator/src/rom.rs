//! What lies in the chip's ROM, as far as the firmware calls it: done by the host, by the names that the firmware's symbols
//! give to addresses.
//!
//! Numbers are IEEE 754 as the ROM's library has them; what cannot be a number becomes the one of the host.

use std::collections::BTreeMap;

use crate::bus::{Bus, PER_US};
use crate::cpu::{Cpu, Fault};
use md5::{Digest, Md5};

/// What a call leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// It returned.
    Returned,
    /// It goes on once the flash is ready; interrupts are served meanwhile.
    Waits,
    /// The software asked for a reset.
    Reset,
    /// The power went.
    PowerCut,
}

/// The functions, by address, and what they keep.
pub struct Rom {
    names: BTreeMap<u32, String>,
    /// Why the chip started, as `rtc_get_reset_reason` says.
    pub reason: u32,
    /// A change of the flash is on its way.
    changing: bool,
    /// Sums that were begun, by number.
    sums: BTreeMap<u32, Md5>,
}

impl Rom {
    /// Reads the symbols of a program.
    ///
    /// # Errors
    /// That it is no ELF file of 32 bits.
    pub fn of(elf: &[u8]) -> Result<Self, Fault> {
        let names = symbols(elf).ok_or("the program has no symbols")?;
        Ok(Self { names, reason: 1, changing: false, sums: BTreeMap::new() })
    }

    /// Forgets what was under way.
    pub fn reset(&mut self, reason: u32) {
        (self.reason, self.changing) = (reason, false);
        self.sums.clear();
    }

    /// Does the function at the processor's place.
    ///
    /// # Errors
    /// A function that is not there.
    pub fn call(&mut self, cpu: &mut Cpu, bus: &mut Bus) -> Result<Called, Fault> {
        let name =
            self.names.get(&cpu.pc).ok_or_else(|| format!("{:#010x}: no function of the ROM is there", cpu.pc))?;
        let [a0, a1, a2, a3] = [cpu.x[10], cpu.x[11], cpu.x[12], cpu.x[13]];
        let (wide_a, wide_b) = (pair(a0, a1), pair(a2, a3));
        let (double_a, double_b) = (f64::from_bits(wide_a), f64::from_bits(wide_b));
        let (single_a, single_b) = (f32::from_bits(a0), f32::from_bits(a1));
        let double = |value: f64| Answer::Wide(value.to_bits());
        let single = |value: f32| Answer::Word(value.to_bits());
        let answer = match name.as_str() {
            "memset" => {
                (0..a2).try_for_each(|offset| bus.write8(a0.wrapping_add(offset), a1 as u8))?;
                bus.now += u64::from(a2 / 4);
                Answer::Word(a0)
            }
            "memcpy" | "memmove" => {
                copy(bus, a0, a1, a2)?;
                bus.now += u64::from(a2 / 4);
                Answer::Word(a0)
            }
            "memcmp" => {
                bus.now += u64::from(a2 / 2);
                Answer::Word(compare(bus, a0, a1, a2)?)
            }
            "rtc_get_reset_reason" => Answer::Word(self.reason),
            "ets_delay_us" => {
                bus.now += u64::from(a0) * PER_US;
                bus.changed = true;
                Answer::Nothing
            }
            "software_reset" => return Ok(Called::Reset),
            "esp_rom_spiflash_unlock" | "Cache_Invalidate_Addr" => Answer::Word(0),
            "esp_rom_spiflash_read" => {
                for offset in 0..a2 {
                    let byte = bus.flash.bytes.get((a0 + offset) as usize).copied().ok_or("read beyond the flash")?;
                    bus.write8(a1.wrapping_add(offset), byte)?;
                }
                bus.now += u64::from(a2) * 4;
                Answer::Word(0)
            }
            "esp_rom_spiflash_erase_sector" | "esp_rom_spiflash_erase_block" | "esp_rom_spiflash_write"
                if self.changing =>
            {
                if bus.flash.is_busy(bus.now) {
                    return Ok(Called::Waits);
                }
                self.changing = false;
                bus.flash.busy_until = None;
                Answer::Word(0)
            }
            "esp_rom_spiflash_erase_sector" | "esp_rom_spiflash_erase_block" => {
                let bytes = if name.ends_with("sector") { 4096 } else { 65_536 };
                let done = bus.flash.erase(a0 as usize * bytes, bytes, bus.now);
                return self.change(bus, done);
            }
            "esp_rom_spiflash_write" => {
                let data = (0..a2).map(|offset| bus.read8(a1.wrapping_add(offset))).collect::<Result<Vec<u8>, _>>()?;
                let done = bus.flash.program(a0 as usize, &data, bus.now);
                return self.change(bus, done);
            }
            "MD5Init" | "esp_rom_md5_init" => {
                // A context may be moved: what it holds is its number.
                let number = u32::try_from(self.sums.len()).unwrap_or(0);
                self.sums.insert(number, Md5::new());
                bus.write32(a0, number)?;
                Answer::Nothing
            }
            "MD5Update" | "esp_rom_md5_update" => {
                let data = (0..a2).map(|offset| bus.read8(a1.wrapping_add(offset))).collect::<Result<Vec<u8>, _>>()?;
                self.sums.entry(bus.read32(a0)?).or_default().update(data);
                Answer::Nothing
            }
            "MD5Final" | "esp_rom_md5_final" => {
                let sum = self.sums.get(&bus.read32(a1)?).cloned().unwrap_or_default().finalize();
                for (offset, byte) in (0_u32..).zip(sum) {
                    bus.write8(a0.wrapping_add(offset), byte)?;
                }
                Answer::Nothing
            }
            "__ashldi3" => Answer::Wide(wide_a.checked_shl(a2).unwrap_or(0)),
            "__lshrdi3" => Answer::Wide(wide_a.checked_shr(a2).unwrap_or(0)),
            "__ashrdi3" => Answer::Wide((wide_a as i64 >> a2.min(63)) as u64),
            "__divdi3" => Answer::Wide((wide_a as i64).checked_div(wide_b as i64).unwrap_or(0) as u64),
            "__moddi3" => Answer::Wide((wide_a as i64).checked_rem(wide_b as i64).unwrap_or(0) as u64),
            "__udivdi3" => Answer::Wide(wide_a.checked_div(wide_b).unwrap_or(0)),
            "__umoddi3" => Answer::Wide(wide_a.checked_rem(wide_b).unwrap_or(0)),
            "__adddf3" => double(double_a + double_b),
            "__subdf3" => double(double_a - double_b),
            "__muldf3" => double(double_a * double_b),
            "__divdf3" => double(double_a / double_b),
            "__addsf3" => single(single_a + single_b),
            "__subsf3" => single(single_a - single_b),
            "__mulsf3" => single(single_a * single_b),
            "__divsf3" => single(single_a / single_b),
            "__extendsfdf2" => double(single_a.into()),
            "__truncdfsf2" => single(double_a as f32),
            "__fixdfsi" => Answer::Word(double_a as i32 as u32),
            "__fixdfdi" => Answer::Wide(double_a as i64 as u64),
            "__fixunsdfsi" => Answer::Word(double_a as u32),
            "__fixunsdfdi" => Answer::Wide(double_a as u64),
            "__fixsfsi" => Answer::Word(single_a as i32 as u32),
            "__fixsfdi" => Answer::Wide(single_a as i64 as u64),
            "__fixunssfsi" => Answer::Word(single_a as u32),
            "__fixunssfdi" => Answer::Wide(single_a as u64),
            "__floatsidf" => double((a0 as i32).into()),
            "__floatunsidf" => double(a0.into()),
            "__floatdidf" => double(wide_a as i64 as f64),
            "__floatundidf" => double(wide_a as f64),
            "__floatsisf" => single(a0 as i32 as f32),
            "__floatunsisf" => single(a0 as f32),
            "__floatdisf" => single(wide_a as i64 as f32),
            "__floatundisf" => single(wide_a as f32),
            "__unorddf2" => Answer::Word((double_a.is_nan() || double_b.is_nan()).into()),
            "__unordsf2" => Answer::Word((single_a.is_nan() || single_b.is_nan()).into()),
            "__eqdf2" | "__nedf2" | "__ltdf2" | "__ledf2" => Answer::Word(ordered(double_a.partial_cmp(&double_b), 1)),
            "__gtdf2" | "__gedf2" => Answer::Word(ordered(double_a.partial_cmp(&double_b), -1)),
            "__eqsf2" | "__nesf2" | "__ltsf2" | "__lesf2" => Answer::Word(ordered(single_a.partial_cmp(&single_b), 1)),
            "__gtsf2" | "__gesf2" => Answer::Word(ordered(single_a.partial_cmp(&single_b), -1)),
            other => return Err(format!("{:#010x}: {other} of the ROM is not done here", cpu.pc)),
        };
        match answer {
            Answer::Nothing => {}
            Answer::Word(word) => cpu.x[10] = word,
            Answer::Wide(wide) => (cpu.x[10], cpu.x[11]) = (wide as u32, (wide >> 32) as u32),
        }
        cpu.pc = cpu.x[1];
        // A call, a few instructions, and back.
        bus.now += 10;
        Ok(Called::Returned)
    }

    fn change(&mut self, bus: &mut Bus, done: Option<()>) -> Result<Called, Fault> {
        if done.is_none() {
            return if bus.flash.cut_at == Some(bus.flash.changes) {
                Ok(Called::PowerCut)
            } else {
                Err("changed beyond the flash".into())
            };
        }
        self.changing = true;
        bus.changed = true;
        Ok(Called::Waits)
    }
}

enum Answer {
    Nothing,
    Word(u32),
    Wide(u64),
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// As the library of GCC answers: below, equal, above as a sign; `unordered` when there is no order.
fn ordered(order: Option<std::cmp::Ordering>, unordered: i32) -> u32 {
    order.map_or(unordered, |order| order as i32) as u32
}

fn copy(bus: &mut Bus, to: u32, from: u32, bytes: u32) -> Result<(), Fault> {
    let mut move_one = |offset: u32| {
        let byte = bus.read8(from.wrapping_add(offset))?;
        bus.write8(to.wrapping_add(offset), byte)
    };
    if to <= from { (0..bytes).try_for_each(&mut move_one) } else { (0..bytes).rev().try_for_each(&mut move_one) }
}

fn compare(bus: &mut Bus, a: u32, b: u32, bytes: u32) -> Result<u32, Fault> {
    for offset in 0..bytes {
        let (a, b) = (bus.read8(a.wrapping_add(offset))?, bus.read8(b.wrapping_add(offset))?);
        if a != b {
            return Ok((i32::from(a) - i32::from(b)) as u32);
        }
    }
    Ok(0)
}

/// Reads the symbols of an ELF file that lie in the ROM.
fn symbols(elf: &[u8]) -> Option<BTreeMap<u32, String>> {
    let word = |at: usize| elf.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    let half = |at: usize| elf.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
    if !elf.starts_with(b"\x7fELF\x01") {
        return None;
    }
    let (sections, size, count) = (word(0x20)? as usize, half(0x2e)?, half(0x30)?);
    let section = |index: usize| {
        let at = sections + index * size;
        Some((word(at + 4)?, word(at + 0x10)? as usize, word(at + 0x14)? as usize, word(at + 0x18)? as usize))
    };
    let (_, at, bytes, strings) = (0..count).filter_map(section).find(|(kind, ..)| *kind == 2)?;
    let (_, strings, ..) = section(strings)?;
    let mut names = BTreeMap::new();
    for symbol in (at..at + bytes).step_by(16) {
        let (name, value) = (word(symbol)? as usize, word(symbol + 4)?);
        if (0x4000_0000..0x4005_0000).contains(&value) {
            let text = elf.get(strings + name..)?.split(|byte| *byte == 0).next()?;
            names.entry(value).or_insert_with(|| String::from_utf8_lossy(text).into_owned());
        }
    }
    Some(names)
}
