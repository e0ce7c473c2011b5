//! The memory map: what an address means (ESP32-C6 technical reference manual, "System and Memory"), and the time.

use std::collections::BTreeMap;

use skiff_board::twai::model::{Model, Sent};
use skiff_board::twai::{Raw, Registers};

use crate::cpu::Fault;
use crate::flash::Flash;
use crate::interrupts::Interrupts;
use crate::timers::{Timer, Watchdog};

/// Instructions of a microsecond.
pub const PER_US: u64 = 160;
/// A frame of 8 bytes takes that long at 250 kbit/s.
const FRAME_US: u64 = 540;
const SRAM: u32 = 0x4080_0000;
const SRAM_BYTES: usize = 512 * 1024;
/// Where flash is mapped to, in 256 pages of 64 KiB.
pub const MAPPED: u32 = 0x4200_0000;
const MAPPED_BYTES: u32 = 0x100_0000;
/// Bytes of a page of the memory map.
pub const PAGE_BYTES: u32 = 0x1_0000;
/// An entry of the map is valid.
pub const VALID: u32 = 1 << 9;
const LP_RAM: u32 = 0x5000_0000;
const LP_RAM_BYTES: usize = 16 * 1024;
const TWAI: u32 = 0x6000_b000;
const SYSTIMER: u32 = 0x6000_a000;
const TIMER_GROUP: u32 = 0x6000_8000;
const USB: u32 = 0x6000_f000;
const EFUSE: u32 = 0x600b_0800;
const WATCHDOG: u32 = 0x600b_1c00;
const MATRIX: u32 = 0x6001_0000;
const FROM_CPU: u32 = 0x600c_5090;
const PLIC: u32 = 0x2000_1000;
const ENTRY_CONTENT: u32 = 0x6000_237c;
const ENTRY_INDEX: u32 = 0x6000_2380;

/// Everything beside the processor.
pub struct Bus {
    /// Cycles since power-on.
    pub now: u64,
    /// Memory of the chip.
    pub sram: Vec<u8>,
    /// Memory that a reset of the software leaves alone.
    pub lp_ram: Vec<u8>,
    /// The flash chip.
    pub flash: Flash,
    /// Pages of flash by page of the window.
    pub map: [u32; 256],
    map_index: usize,
    /// The CAN controller.
    pub twai: Model,
    /// Frames to come, latest first.
    pub frames: Vec<(u64, Raw)>,
    /// Frames that the firmware sent, with their times.
    pub sent: Vec<(u64, Raw)>,
    /// Others are on the bus, and acknowledge.
    pub others: bool,
    sending: Option<u64>,
    /// Frames that somebody acknowledged, and all that passed.
    pub acknowledged: u64,
    interrupts: Interrupts,
    /// The timer that the scheduler has.
    pub timer: Timer,
    /// The watchdog that resets the system.
    pub watchdog: Watchdog,
    /// What went out on USB.
    pub console: Vec<u8>,
    counter: u64,
    random: u64,
    others_registers: BTreeMap<u32, u32>,
    /// Something changed that decides what happens next.
    pub changed: bool,
}

impl Bus {
    /// Returns one after power-on.
    #[must_use]
    pub fn new(flash: Flash) -> Self {
        Self {
            now: 0,
            sram: vec![0; SRAM_BYTES],
            lp_ram: vec![0; LP_RAM_BYTES],
            flash,
            map: [0; 256],
            map_index: 0,
            twai: Model::default(),
            frames: Vec::new(),
            sent: Vec::new(),
            others: true,
            sending: None,
            acknowledged: 0,
            interrupts: Interrupts::default(),
            timer: Timer::default(),
            watchdog: Watchdog::default(),
            console: Vec::new(),
            counter: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            others_registers: BTreeMap::new(),
            changed: true,
        }
    }

    /// A reset: devices are as after power-on, what lies in flash stays, and the memory of the low-power domain with it.
    pub fn reset(&mut self) {
        self.map = [0; 256];
        (self.twai, self.sending) = (Model::default(), None);
        self.interrupts = Interrupts::default();
        self.timer = Timer::default();
        self.watchdog = Watchdog::default();
        self.others_registers.clear();
        self.flash.busy_until = None;
        self.changed = true;
    }

    /// Fetches half an instruction.
    #[inline]
    pub fn fetch(&self, address: u32) -> Result<u16, Fault> {
        let offset = address.wrapping_sub(SRAM) as usize;
        if let Some([low, high]) = self.sram.get(offset..).and_then(|bytes| bytes.first_chunk()) {
            return Ok(u16::from_le_bytes([*low, *high]));
        }
        if address.wrapping_sub(MAPPED) < MAPPED_BYTES {
            if self.flash.is_busy(self.now) {
                return Err("an instruction is read from flash while that is written".into());
            }
            return self.mapped(address).map(|bytes: [u8; 2]| u16::from_le_bytes(bytes));
        }
        Err("no memory to execute from".into())
    }

    fn mapped<const N: usize>(&self, address: u32) -> Result<[u8; N], Fault> {
        let offset = address.wrapping_sub(MAPPED);
        let entry = self.map.get((offset / PAGE_BYTES) as usize).copied().unwrap_or(0);
        if entry & VALID == 0 {
            return Err(format!("{address:#010x} is not mapped"));
        }
        let start = ((entry & (VALID - 1)) * PAGE_BYTES + offset % PAGE_BYTES) as usize;
        // A value that lies in two pages is in one piece where these follow each other, which is how images are mapped.
        self.flash
            .bytes
            .get(start..)
            .and_then(|bytes| bytes.first_chunk())
            .copied()
            .ok_or_else(|| "beyond the flash".into())
    }

    #[inline]
    fn memory<const N: usize>(&mut self, address: u32) -> Result<Option<[u8; N]>, Fault> {
        let offset = address.wrapping_sub(SRAM) as usize;
        if let Some(bytes) = self.sram.get(offset..).and_then(|bytes| bytes.first_chunk()) {
            return Ok(Some(*bytes));
        }
        if address.wrapping_sub(MAPPED) < MAPPED_BYTES {
            if self.flash.is_busy(self.now) {
                return Err(format!("{address:#010x} is read from flash while that is written"));
            }
            return self.mapped(address).map(Some);
        }
        let offset = address.wrapping_sub(LP_RAM) as usize;
        Ok(self.lp_ram.get(offset..).and_then(|bytes| bytes.first_chunk()).copied())
    }

    fn store<const N: usize>(&mut self, address: u32, value: [u8; N]) -> bool {
        let ram = if address >= LP_RAM { (&mut self.lp_ram, LP_RAM) } else { (&mut self.sram, SRAM) };
        let offset = address.wrapping_sub(ram.1) as usize;
        match ram.0.get_mut(offset..).and_then(|bytes| bytes.first_chunk_mut()) {
            Some(bytes) => {
                *bytes = value;
                true
            }
            None => false,
        }
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// That there is nothing.
    pub fn read8(&mut self, address: u32) -> Result<u8, Fault> {
        match self.memory::<1>(address)? {
            Some([byte]) => Ok(byte),
            None => Ok(self.register(address & !3)?.to_le_bytes()[(address & 3) as usize]),
        }
    }

    /// Reads two bytes.
    ///
    /// # Errors
    /// That there is nothing.
    pub fn read16(&mut self, address: u32) -> Result<u16, Fault> {
        match self.memory(address)? {
            Some(bytes) => Ok(u16::from_le_bytes(bytes)),
            None => Ok((self.register(address & !3)? >> (8 * (address & 2))) as u16),
        }
    }

    /// Reads four bytes.
    ///
    /// # Errors
    /// That there is nothing.
    #[inline]
    pub fn read32(&mut self, address: u32) -> Result<u32, Fault> {
        match self.memory(address)? {
            Some(bytes) => Ok(u32::from_le_bytes(bytes)),
            None => self.register(address),
        }
    }

    /// Writes a byte.
    ///
    /// # Errors
    /// That there is nothing, or that it cannot be written.
    pub fn write8(&mut self, address: u32, value: u8) -> Result<(), Fault> {
        if self.store(address, [value]) { Ok(()) } else { Err(format!("a byte is written to {address:#010x}")) }
    }

    /// Writes two bytes.
    ///
    /// # Errors
    /// As above.
    pub fn write16(&mut self, address: u32, value: u16) -> Result<(), Fault> {
        if self.store(address, value.to_le_bytes()) {
            Ok(())
        } else {
            Err(format!("two bytes are written to {address:#010x}"))
        }
    }

    /// Writes four bytes.
    ///
    /// # Errors
    /// As above.
    #[inline]
    pub fn write32(&mut self, address: u32, value: u32) -> Result<(), Fault> {
        if self.store(address, value.to_le_bytes()) { Ok(()) } else { self.set_register(address, value) }
    }

    fn register(&mut self, address: u32) -> Result<u32, Fault> {
        let offset = (address & 0xfff) as usize;
        Ok(match address {
            TWAI..0x6000_c000 => {
                self.changed = true;
                self.twai.read(offset)
            }
            // The counter that was asked for is there at once.
            SYSTIMER..0x6000_b000 => match offset {
                0x04 | 0x08 => 1 << 29,
                0x40 | 0x48 => (self.counter >> 32) as u32,
                0x44 | 0x4c => self.counter as u32,
                _ => self.kept(address),
            },
            TIMER_GROUP..0x6000_9000 => self.timer.read(offset, self.now).unwrap_or_else(|| self.kept(address)),
            // Room for a byte, always; the host takes what is written.
            USB..0x6001_0000 if offset == 4 => 2,
            // An address of the kind that nobody owns.
            EFUSE..0x600b_0c00 => match offset & 0x3ff {
                0x44 => 0x5346_0001,
                0x48 => 0x0200,
                _ => 0,
            },
            MATRIX..0x6001_1000 => match offset {
                0x134..0x140 => self.interrupts.status((offset - 0x134) / 4),
                _ => self.kept(address),
            },
            ENTRY_CONTENT => self.map.get(self.map_index).copied().unwrap_or(0),
            // Calibrations of the analog part are done at once.
            0x600a_f818 => self.kept(address) | 1 << 24,
            // The controller of the flash: a command is done at once; the chip says that it is a W25Q32 of 4 MiB.
            0x6000_3000 => 0,
            0x6000_3058 => 0x0016_40ef,
            // The generator of random numbers: here the same ones in each run.
            0x600b_2808 => {
                self.random ^= self.random << 13;
                self.random ^= self.random >> 7;
                self.random ^= self.random << 17;
                self.random as u32
            }
            PLIC..0x2000_1100 => self.interrupts.read(offset),
            0x6000_0000..0x6010_0000 => self.kept(address),
            0x4000_0000..0x4005_0000 => 0,
            _ => return Err(format!("{address:#010x} is read, where nothing is")),
        })
    }

    /// What was written, as most registers have it.
    fn kept(&self, address: u32) -> u32 {
        self.others_registers.get(&address).copied().unwrap_or(0)
    }

    fn set_register(&mut self, address: u32, value: u32) -> Result<(), Fault> {
        let offset = (address & 0xfff) as usize;
        self.changed = true;
        match address {
            TWAI..0x6000_c000 => self.twai.write(offset, value),
            0x6000_a004 | 0x6000_a008 => self.counter = self.now * 16 / PER_US,
            TIMER_GROUP..0x6000_9000 => {
                // Which clock feeds the group (PCR_TIMERGROUP0_TIMER_CLK_CONF).
                let mhz = if self.kept(0x6009_6040) >> 20 & 3 == 1 { 80 } else { 40 };
                if !self.timer.write(offset, value, self.now, mhz) {
                    self.others_registers.insert(address, value);
                }
            }
            USB..0x6001_0000 if offset == 0 => self.console.push(value as u8),
            USB..0x6001_0000 => {}
            MATRIX..0x6001_1000 => {
                self.interrupts.route(offset / 4, value);
                self.others_registers.insert(address, value);
            }
            FROM_CPU..0x600c_50a0 => {
                self.interrupts.ask_by_cpu(((address - FROM_CPU) / 4) as usize, value & 1 != 0);
                self.others_registers.insert(address, value);
            }
            WATCHDOG..0x600b_2000 => self.watchdog.write(offset & 0x3ff, value, self.now),
            ENTRY_INDEX => self.map_index = value as usize & 0xff,
            ENTRY_CONTENT => {
                if let Some(entry) = self.map.get_mut(self.map_index) {
                    *entry = value;
                }
            }
            PLIC..0x2000_1100 => self.interrupts.write(offset, value),
            0x6000_0000..0x6010_0000 => {
                self.others_registers.insert(address, value);
            }
            _ => return Err(format!("{value:#x} is written to {address:#010x}, where nothing is")),
        }
        Ok(())
    }

    /// Returns how many frames found no room in the controller.
    #[must_use]
    pub fn twai_overruns(&self) -> u64 {
        self.twai.overruns
    }

    /// Does what is due, and returns when the next thing is.
    pub fn advance(&mut self) -> u64 {
        while let Some((_, raw)) = self.frames.pop_if(|(at, _)| *at <= self.now) {
            self.acknowledged += u64::from(self.twai.deliver(&raw));
        }
        if self.twai.is_sending() {
            let due = *self.sending.get_or_insert(self.now + FRAME_US * PER_US);
            if due <= self.now {
                self.sending = None;
                if let Sent::Frame(raw) = self.twai.send(self.others) {
                    self.sent.push((self.now, raw));
                }
                self.sending = self.twai.is_sending().then_some(self.now + FRAME_US * PER_US);
            }
        } else {
            self.sending = None;
        }
        self.timer.advance(self.now);
        self.interrupts.set_source(crate::interrupts::TWAI, self.twai.interrupts());
        self.interrupts.set_source(crate::interrupts::TIMER, self.timer.interrupts());
        let due = [
            self.frames.last().map(|(at, _)| *at),
            self.sending,
            self.timer.due(),
            self.watchdog.due(),
            self.flash.busy_until,
        ];
        due.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// The line of the interrupt that is to be taken.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.interrupts.line()
    }
}
