//! The whole chip, from power-on.

use crate::boot::{self, Started};
use crate::bus::{Bus, PER_US};
use crate::cpu::{Cpu, Fault};
use crate::flash::Flash;
use crate::rom::{Called, Rom};

/// A reset, by the number that the ROM tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Power came.
    PowerOn = 1,
    /// The software asked.
    Software = 3,
    /// The watchdog of the low-power domain reset the system.
    Watchdog = 16,
}

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The line was there.
    Line(String),
    /// The time was over.
    Time,
    /// The power was cut; the chip stands still until [`Machine::power_on`].
    PowerCut,
}

/// The last two bytes of the chip's memory, which the program does not have.
const HANG: u32 = 0x4087_fffe;

/// A chip on a bench.
pub struct Machine {
    /// Everything beside the processor.
    pub bus: Bus,
    cpu: Cpu,
    rom: Rom,
    /// What the boot loader started, at each reset.
    pub starts: Vec<(Reset, usize)>,
    /// Instructions executed.
    pub instructions: u64,
    read: usize,
}

impl Machine {
    /// Switches on a chip with that flash; the program's symbols tell what is where in the ROM.
    ///
    /// # Errors
    /// What cannot be started.
    pub fn new(flash: Flash, elf: &[u8]) -> Result<Self, Fault> {
        let (bus, rom) = (Bus::new(flash), Rom::of(elf)?);
        let mut machine = Self { bus, cpu: Cpu::at(0), rom, starts: Vec::new(), instructions: 0, read: 0 };
        machine.start(Reset::PowerOn)?;
        Ok(machine)
    }

    /// Takes the power away and gives it again.
    ///
    /// # Errors
    /// What cannot be started.
    pub fn power_on(&mut self) -> Result<(), Fault> {
        self.bus.sram.fill(0xa5);
        self.bus.lp_ram.fill(0xa5);
        self.bus.flash.cut_at = None;
        self.start(Reset::PowerOn)
    }

    fn start(&mut self, reset: Reset) -> Result<(), Fault> {
        if reset == Reset::Watchdog {
            // The whole system: its memory too.
            self.bus.lp_ram.fill(0xa5);
        }
        self.bus.reset();
        self.rom.reset(reset as u32);
        let Started { slot, entry } = boot::load(&mut self.bus)?;
        self.cpu = Cpu::at(entry);
        self.starts.push((reset, slot));
        Ok(())
    }

    /// Lets the program hang: from now on it jumps to where it is. Interrupts are served.
    pub fn hang(&mut self) {
        let jump = 0xa001_u16.to_le_bytes();
        if let Some(end) = self.bus.sram.last_chunk_mut() {
            *end = jump;
        }
        self.cpu.pc = HANG;
        self.cpu.waits = false;
    }

    /// Microseconds since power-on.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.bus.now / PER_US
    }

    /// Runs until a line of the console has a text, or for so long.
    ///
    /// # Errors
    /// A fault, with its place and the last lines of the console.
    pub fn run(&mut self, text: Option<&str>, for_us: u64) -> Result<Stopped, Fault> {
        let end = self.bus.now + for_us * PER_US;
        let outcome = self.run_until(text, end);
        outcome.map_err(|why| {
            let console = self.lines();
            let last = console.len().saturating_sub(12);
            format!("{why}; {}; at {} us, after\n{}", self.cpu.place(), self.now_us(), console[last..].join("\n"))
        })
    }

    fn run_until(&mut self, text: Option<&str>, end: u64) -> Result<Stopped, Fault> {
        let mut due = 0;
        let mut line = None;
        loop {
            if self.bus.changed || self.bus.now >= due {
                self.bus.changed = false;
                if self.bus.watchdog.due().is_some_and(|due| due <= self.bus.now) {
                    self.start(Reset::Watchdog)?;
                }
                due = self.bus.advance().min(end);
                line = self.bus.line();
                if let Some(line) = text.and_then(|text| self.find(text)) {
                    return Ok(Stopped::Line(line));
                }
                if self.bus.now >= end {
                    return Ok(Stopped::Time);
                }
            }
            if line.is_some() {
                self.cpu.interrupt(line);
            }
            if self.cpu.waits && !self.bus.changed {
                self.bus.now = due.max(self.bus.now);
                continue;
            }
            if self.cpu.pc.wrapping_sub(0x4000_0000) < 0x5_0000 {
                match self.rom.call(&mut self.cpu, &mut self.bus)? {
                    Called::Returned => {}
                    // What has just begun decides when it goes on.
                    Called::Waits if self.bus.changed => {}
                    Called::Waits => self.bus.now = due.max(self.bus.now + 1),
                    Called::Reset => self.start(Reset::Software)?,
                    Called::PowerCut => return Ok(Stopped::PowerCut),
                }
                continue;
            }
            self.cpu.step(&mut self.bus)?;
            self.bus.now += 1;
            self.instructions += 1;
        }
    }

    /// Looks at the lines that came since it looked last.
    fn find(&mut self, text: &str) -> Option<String> {
        while let Some(length) = self.bus.console.get(self.read..)?.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.bus.console[self.read..self.read + length]).trim_end().to_owned();
            self.read += length + 1;
            if line.contains(text) {
                return Some(line);
            }
        }
        None
    }

    /// Returns all lines of the console.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.bus.console).lines().map(|line| line.trim_end().to_owned()).collect()
    }
}
