//! The processor: RV32IMAC in machine mode, as the ESP32-C6 has it.
//!
//! One instruction takes one cycle; what the real pipeline and the flash cache cost is not modelled. Loads and stores need
//! not be aligned, as on the chip. A fault ends the run with its place, for firmware that works has none.

use crate::bus::Bus;

/// Why the run cannot go on.
pub type Fault = String;

/// A processor.
#[derive(Clone, Debug)]
pub struct Cpu {
    /// Registers.
    pub x: [u32; 32],
    /// The next instruction.
    pub pc: u32,
    /// `mstatus`: only MIE (3) and MPIE (7) have an effect.
    pub mstatus: u32,
    mie: u32,
    mtvec: u32,
    mscratch: u32,
    mepc: u32,
    mcause: u32,
    reserved: Option<u32>,
    /// Others are kept, without effect: counters, memory protection, debug triggers.
    others: std::collections::BTreeMap<u16, u32>,
    /// It waits for an interrupt.
    pub waits: bool,
}

const MIE: u32 = 1 << 3;
const MPIE: u32 = 1 << 7;
/// Machine mode was interrupted: there is no other here.
const MPP: u32 = 3 << 11;

impl Cpu {
    /// Returns one that begins at a place, with interrupts on: neither esp-hal nor its start code switches them on, and its
    /// programs run on chips, so that ROM and loader must leave them so.
    #[must_use]
    pub fn at(pc: u32) -> Self {
        Self {
            x: [0; 32],
            pc,
            mstatus: MPP | MIE,
            mie: 0,
            mtvec: 0,
            mscratch: 0,
            mepc: 0,
            mcause: 0,
            reserved: None,
            others: std::collections::BTreeMap::new(),
            waits: false,
        }
    }

    /// Takes an interrupt if one may be taken.
    pub fn interrupt(&mut self, line: Option<u32>) {
        let Some(line) = line else { return };
        // Also when it may not be taken: the instruction after `wfi` is next (RISC-V privileged specification, "Wait for Interrupt").
        self.waits = false;
        if self.mstatus & MIE == 0 || self.mie & 1 << line == 0 {
            return;
        }
        self.enter(1 << 31 | line, self.pc);
        if self.mtvec & 3 == 1 {
            self.pc = (self.mtvec & !3) + 4 * line;
        }
    }

    fn enter(&mut self, cause: u32, at: u32) {
        self.mepc = at;
        self.mcause = cause;
        let enabled = self.mstatus & MIE;
        self.mstatus = MPP | enabled << 4;
        self.pc = self.mtvec & !3;
    }

    /// Executes one instruction.
    ///
    /// # Errors
    /// What cannot be executed, read or written, and where.
    #[inline]
    pub fn step(&mut self, bus: &mut Bus) -> Result<(), Fault> {
        let at = self.pc;
        let low = bus.fetch(at)?;
        let (word, length) = if low & 3 == 3 {
            (u32::from(low) | u32::from(bus.fetch(at.wrapping_add(2))?) << 16, 4)
        } else {
            (expand(low).ok_or_else(|| format!("{at:#010x}: no instruction {low:#06x}"))?, 2)
        };
        self.execute(bus, at, word, length)
            .map_err(|why| format!("{at:#010x}: {why} (ra {:#x}, sp {:#x})", self.x[1], self.x[2]))
    }

    #[inline]
    fn set(&mut self, register: usize, value: u32) {
        self.x[register & 31] = value;
        self.x[0] = 0;
    }

    fn execute(&mut self, bus: &mut Bus, at: u32, word: u32, length: u32) -> Result<(), Fault> {
        let rd = (word >> 7 & 31) as usize;
        let funct3 = word >> 12 & 7;
        let a = self.x[(word >> 15 & 31) as usize];
        let b = self.x[(word >> 20 & 31) as usize];
        let immediate_i = (word as i32 >> 20) as u32;
        let next = at.wrapping_add(length);
        self.pc = next;
        match word & 0x7f {
            0x37 => self.set(rd, word & 0xffff_f000),
            0x17 => self.set(rd, at.wrapping_add(word & 0xffff_f000)),
            0x6f => {
                self.set(rd, next);
                self.pc = at.wrapping_add(immediate_j(word));
            }
            0x67 => {
                self.pc = a.wrapping_add(immediate_i) & !1;
                self.set(rd, next);
            }
            0x63 => {
                let taken = match funct3 {
                    0 => a == b,
                    1 => a != b,
                    4 => (a as i32) < b as i32,
                    5 => a as i32 >= b as i32,
                    6 => a < b,
                    7 => a >= b,
                    _ => return Err(format!("no instruction {word:#010x}")),
                };
                if taken {
                    self.pc = at.wrapping_add(immediate_b(word));
                }
            }
            0x03 => {
                let address = a.wrapping_add(immediate_i);
                let value = match funct3 {
                    0 => bus.read8(address)? as i8 as u32,
                    1 => bus.read16(address)? as i16 as u32,
                    2 => bus.read32(address)?,
                    4 => bus.read8(address)?.into(),
                    5 => bus.read16(address)?.into(),
                    _ => return Err(format!("no instruction {word:#010x}")),
                };
                self.set(rd, value);
            }
            0x23 => {
                let offset = (word as i32 >> 25 << 5) as u32 | word >> 7 & 31;
                let address = a.wrapping_add(offset);
                match funct3 {
                    0 => bus.write8(address, b as u8)?,
                    1 => bus.write16(address, b as u16)?,
                    2 => bus.write32(address, b)?,
                    _ => return Err(format!("no instruction {word:#010x}")),
                }
            }
            0x13 => {
                let value = arithmetic(funct3, a, immediate_i, funct3 == 5 && word & 1 << 30 != 0);
                self.set(rd, value);
            }
            0x33 if word >> 25 == 1 => self.set(rd, multiply(funct3, a, b)),
            0x33 => {
                let value = if funct3 == 0 && word & 1 << 30 != 0 {
                    a.wrapping_sub(b)
                } else {
                    arithmetic(funct3, a, b, word & 1 << 30 != 0)
                };
                self.set(rd, value);
            }
            0x0f => {}
            0x2f => self.atomic(bus, word, rd, a, b)?,
            0x73 => return self.system(word, at, a, bus.now),
            _ => return Err(format!("no instruction {word:#010x}")),
        }
        Ok(())
    }

    fn atomic(&mut self, bus: &mut Bus, word: u32, rd: usize, address: u32, b: u32) -> Result<(), Fault> {
        match word >> 27 {
            0x02 => {
                let value = bus.read32(address)?;
                self.reserved = Some(address);
                self.set(rd, value);
            }
            0x03 => {
                let holds = self.reserved.take() == Some(address);
                if holds {
                    bus.write32(address, b)?;
                }
                self.set(rd, u32::from(!holds));
            }
            operation => {
                let old = bus.read32(address)?;
                let new = match operation {
                    0x00 => old.wrapping_add(b),
                    0x01 => b,
                    0x04 => old ^ b,
                    0x08 => old | b,
                    0x0c => old & b,
                    0x10 => (old as i32).min(b as i32) as u32,
                    0x14 => (old as i32).max(b as i32) as u32,
                    0x18 => old.min(b),
                    0x1c => old.max(b),
                    _ => return Err(format!("no instruction {word:#010x}")),
                };
                bus.write32(address, new)?;
                self.set(rd, old);
            }
        }
        Ok(())
    }

    fn system(&mut self, word: u32, at: u32, a: u32, now: u64) -> Result<(), Fault> {
        let funct3 = word >> 12 & 7;
        if funct3 == 0 {
            match word {
                0x1050_0073 => self.waits = true,
                0x3020_0073 => {
                    self.pc = self.mepc;
                    self.mstatus = MPP | MPIE | (self.mstatus & MPIE) >> 4;
                    self.reserved = None;
                }
                // `ecall`, `ebreak`.
                0x0000_0073 => self.enter(11, at),
                0x0010_0073 => self.enter(3, at),
                _ => return Err(format!("no instruction {word:#010x}")),
            }
            return Ok(());
        }
        let (csr, rd, field) = ((word >> 20) as u16, (word >> 7 & 31) as usize, word >> 15 & 31);
        let operand = if funct3 & 4 == 0 { a } else { field };
        // The counter of the chip's own counts cycles.
        let old = if csr == 0x7e2 { now as u32 } else { self.csr(csr) };
        match funct3 & 3 {
            1 => self.set_csr(csr, operand),
            2 if field != 0 => self.set_csr(csr, old | operand),
            3 if field != 0 => self.set_csr(csr, old & !operand),
            _ => {}
        }
        self.set(rd, old);
        Ok(())
    }

    fn csr(&self, csr: u16) -> u32 {
        match csr {
            0x300 => self.mstatus,
            0x304 => self.mie,
            0x305 => self.mtvec,
            0x340 => self.mscratch,
            0x341 => self.mepc,
            0x342 => self.mcause,
            // RV32IMAC and user mode.
            0x301 => 0x4010_1105,
            _ => self.others.get(&csr).copied().unwrap_or(0),
        }
    }

    fn set_csr(&mut self, csr: u16, value: u32) {
        match csr {
            0x300 => self.mstatus = MPP | value & (MIE | MPIE),
            0x304 => self.mie = value,
            0x305 => self.mtvec = value,
            0x340 => self.mscratch = value,
            0x341 => self.mepc = value & !1,
            0x342 => self.mcause = value,
            _ => {
                self.others.insert(csr, value);
            }
        }
    }

    /// Tells where it is, for a report.
    #[must_use]
    pub fn place(&self) -> String {
        format!(
            "pc {:#010x}, ra {:#010x}, sp {:#010x}, cause {:#x}, from {:#010x}",
            self.pc, self.x[1], self.x[2], self.mcause, self.mepc
        )
    }
}

fn arithmetic(funct3: u32, a: u32, b: u32, is_arithmetic: bool) -> u32 {
    match funct3 {
        0 => a.wrapping_add(b),
        1 => a << (b & 31),
        2 => u32::from((a as i32) < b as i32),
        3 => u32::from(a < b),
        4 => a ^ b,
        5 if is_arithmetic => (a as i32 >> (b & 31)) as u32,
        5 => a >> (b & 31),
        6 => a | b,
        _ => a & b,
    }
}

/// Division by zero and overflow as "M" says (RISC-V unprivileged specification, table 11).
fn multiply(funct3: u32, a: u32, b: u32) -> u32 {
    let (signed_a, signed_b) = (a as i32, b as i32);
    match funct3 {
        0 => a.wrapping_mul(b),
        1 => ((i64::from(signed_a) * i64::from(signed_b)) >> 32) as u32,
        2 => ((i64::from(signed_a) * i64::from(b)) >> 32) as u32,
        3 => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        4 if b == 0 => u32::MAX,
        4 => signed_a.wrapping_div(signed_b) as u32,
        5 => a.checked_div(b).unwrap_or(u32::MAX),
        6 if b == 0 => a,
        6 => signed_a.wrapping_rem(signed_b) as u32,
        _ => a.checked_rem(b).unwrap_or(a),
    }
}

fn immediate_j(word: u32) -> u32 {
    (word as i32 >> 31 << 20) as u32 | word & 0xf_f000 | word >> 9 & 0x800 | word >> 20 & 0x7fe
}

fn immediate_b(word: u32) -> u32 {
    (word as i32 >> 31 << 12) as u32 | word << 4 & 0x800 | word >> 20 & 0x7e0 | word >> 7 & 0x1e
}

/// Writes a compressed instruction as the whole one it stands for ("C", version 2.0).
fn expand(half: u16) -> Option<u32> {
    let word = u32::from(half);
    let bits = |from: u32, count: u32| word >> from & ((1 << count) - 1);
    let bit = |from: u32, to: u32| (word >> from & 1) << to;
    let (rd, rs2) = (bits(7, 5), bits(2, 5));
    let (short1, short2) = (8 + bits(7, 3), 8 + bits(2, 3));
    let signed6 = ((bit(12, 5) | bits(2, 5)) << 26) as i32 >> 26;
    let i = |immediate: u32, rs1: u32, funct3: u32, rd: u32, code: u32| {
        immediate << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | code
    };
    let s = |immediate: u32, rs2: u32, rs1: u32| {
        immediate >> 5 << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (immediate & 31) << 7 | 0x23
    };
    let r = |funct7: u32, rs2: u32, rs1: u32, funct3: u32, rd: u32| {
        funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33
    };
    let j = |rd: u32| {
        let offset = bit(12, 11)
            | bit(11, 4)
            | bits(9, 2) << 8
            | bit(8, 10)
            | bit(7, 6)
            | bit(6, 7)
            | bits(3, 3) << 1
            | bit(2, 5);
        let offset = (offset << 20) as i32 >> 20;
        let offset = offset as u32;
        (offset >> 20 & 1) << 31
            | (offset >> 1 & 0x3ff) << 21
            | (offset >> 11 & 1) << 20
            | offset & 0xf_f000
            | rd << 7
            | 0x6f
    };
    let branch = |funct3: u32| {
        let offset = bit(12, 8) | bits(10, 2) << 3 | bits(5, 2) << 6 | bits(3, 2) << 1 | bit(2, 5);
        let offset = ((offset << 23) as i32 >> 23) as u32;
        (offset >> 12 & 1) << 31
            | (offset >> 5 & 0x3f) << 25
            | short1 << 15
            | funct3 << 12
            | (offset >> 1 & 15) << 8
            | (offset >> 11 & 1) << 7
            | 0x63
    };
    let twelve = |value: i32| value as u32 & 0xfff;
    Some(match (word & 3, bits(13, 3)) {
        (0, 0) => {
            let immediate = bits(11, 2) << 4 | bits(7, 4) << 6 | bit(6, 2) | bit(5, 3);
            if immediate == 0 {
                return None;
            }
            i(immediate, 2, 0, short2, 0x13)
        }
        (0, 2) => i(bits(10, 3) << 3 | bit(6, 2) | bit(5, 6), short1, 2, short2, 0x03),
        (0, 6) => s(bits(10, 3) << 3 | bit(6, 2) | bit(5, 6), short2, short1),
        (1, 0) => i(twelve(signed6), rd, 0, rd, 0x13),
        (1, 1) => j(1),
        (1, 2) => i(twelve(signed6), 0, 0, rd, 0x13),
        (1, 3) if rd == 2 => {
            let immediate = bit(12, 9) | bit(6, 4) | bit(5, 6) | bits(3, 2) << 7 | bit(2, 5);
            i(twelve((immediate << 22) as i32 >> 22), 2, 0, 2, 0x13)
        }
        (1, 3) => (signed6 as u32) << 12 | rd << 7 | 0x37,
        (1, 4) => match bits(10, 2) {
            0 => i(rs2, short1, 5, short1, 0x13),
            1 => i(rs2 | 1 << 10, short1, 5, short1, 0x13),
            2 => i(twelve(signed6), short1, 7, short1, 0x13),
            _ if bit(12, 0) == 1 => return None,
            _ => match bits(5, 2) {
                0 => r(0x20, short2, short1, 0, short1),
                1 => r(0, short2, short1, 4, short1),
                2 => r(0, short2, short1, 6, short1),
                _ => r(0, short2, short1, 7, short1),
            },
        },
        (1, 5) => j(0),
        (1, 6) => branch(0),
        (1, 7) => branch(1),
        (2, 0) => i(rs2, rd, 1, rd, 0x13),
        (2, 2) => i(bit(12, 5) | bits(4, 3) << 2 | bits(2, 2) << 6, 2, 2, rd, 0x03),
        (2, 4) => match (bit(12, 0), rd, rs2) {
            (0, 0, 0) => return None,
            (0, _, 0) => i(0, rd, 0, 0, 0x67),
            (0, ..) => r(0, rs2, 0, 0, rd),
            (_, 0, 0) => 0x0010_0073,
            (_, _, 0) => i(0, rd, 0, 1, 0x67),
            _ => r(0, rs2, rd, 0, rd),
        },
        (2, 6) => s(bits(9, 4) << 2 | bits(7, 2) << 6, rs2, 2),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of a compressed instruction and the whole one, as an assembler writes both.
    #[test]
    fn compressed_instructions_stand_for_whole_ones() {
        let pairs: &[(u16, u32, &str)] = &[
            (0x0001, 0x0000_0013, "nop"),
            (0x4501, 0x0000_0513, "li a0, 0"),
            (0x557d, 0xfff0_0513, "li a0, -1"),
            (0x1141, 0xff01_0113, "addi sp, sp, -16"),
            (0x7179, 0xfd01_0113, "addi sp, sp, -48"),
            (0x0808, 0x0101_0513, "addi a0, sp, 16"),
            (0x4188, 0x0005_a503, "lw a0, 0(a1)"),
            (0x5dfc, 0x07c5_a783, "lw a5, 124(a1)"),
            (0xc188, 0x00a5_a023, "sw a0, 0(a1)"),
            (0x40b2, 0x00c1_2083, "lw ra, 12(sp)"),
            (0xc606, 0x0011_2623, "sw ra, 12(sp)"),
            (0x8082, 0x0000_8067, "ret"),
            (0x9502, 0x0005_00e7, "jalr a0"),
            (0x852e, 0x00b0_0533, "mv a0, a1"),
            (0x952e, 0x00b5_0533, "add a0, a0, a1"),
            (0x8d0d, 0x40b5_0533, "sub a0, a0, a1"),
            (0x8d6d, 0x00b5_7533, "and a0, a0, a1"),
            (0x890d, 0x0035_7513, "andi a0, a0, 3"),
            (0x810d, 0x0035_5513, "srli a0, a0, 3"),
            (0x850d, 0x4035_5513, "srai a0, a0, 3"),
            (0x050e, 0x0035_1513, "slli a0, a0, 3"),
            (0x6505, 0x0000_1537, "lui a0, 1"),
            (0xc111, 0x0005_0263, "beqz a0, +4"),
            (0xfd75, 0xfe05_1ee3, "bnez a0, -4"),
            (0xa001, 0x0000_006f, "j +0"),
            (0xbfc5, 0xff1f_f06f, "j -16"),
            (0x9002, 0x0010_0073, "ebreak"),
        ];
        for (half, word, what) in pairs {
            assert_eq!(expand(*half).map(|word| format!("{word:08x}")), Some(format!("{word:08x}")), "{what}");
        }
        assert_eq!(expand(0), None);
    }

    #[test]
    fn division_has_no_fault() {
        assert_eq!(multiply(4, 7, 0), u32::MAX);
        assert_eq!(multiply(6, 7, 0), 7);
        assert_eq!(multiply(5, 7, 0), u32::MAX);
        assert_eq!(multiply(7, 7, 0), 7);
        assert_eq!(multiply(4, 0x8000_0000, u32::MAX), 0x8000_0000);
        assert_eq!(multiply(6, 0x8000_0000, u32::MAX), 0);
        assert_eq!(multiply(1, u32::MAX, u32::MAX), 0);
        assert_eq!(multiply(2, u32::MAX, u32::MAX), u32::MAX);
        assert_eq!(multiply(3, u32::MAX, u32::MAX), 0xffff_fffe);
    }
}
