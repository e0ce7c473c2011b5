//! The interrupt handler of the bus, and the queue that it puts frames into.
//!
//! Handler and queue lie in RAM, and nothing is called that does not: while a sector of the flash is erased, 45 ms and
//! more, no instruction can be read from it, and the controller holds only about five frames. esp-hal's way to a handler does
//! not hold that: its dispatcher is in RAM and calls functions that are not (seen in the emulated chip). So the vector leads
//! here.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use esp_hal::interrupt::{DirectBindableCpuInterrupt, Priority, enable_direct};
use esp_hal::peripherals::Interrupt;
use esp_hal::ram;
use skiff_board::twai::{RAW_BYTES, Raw, Registers, Sink, drain, frame_of};
use skiff_runtime::hal::CanFrame;
use skiff_runtime::time::Instant;

/// Frames between two polls: 268 ms of a saturated bus of 250 kbit/s. A power of two.
const QUEUE: usize = 512;
/// First register of the controller.
const BASE: usize = 0x6000_b000;
/// The system timer: 16 MHz, unit 0 (ESP32-C6 technical reference manual, chapter "System Timer").
const TIMER_UPDATE: *mut u32 = 0x6000_a004 as *mut u32;
const TIMER_HIGH: *const u32 = 0x6000_a040 as *const u32;
const TIMER_LOW: *const u32 = 0x6000_a044 as *const u32;
const TIMER_TICKS_PER_US: u64 = 16;

/// The controller's registers.
pub struct Chip;

impl Registers for Chip {
    #[inline(always)]
    fn read(&self, offset: usize) -> u32 {
        let register = (BASE + offset) as *const u32;
        // SAFETY: the offset is one of the controller's, whose clock runs since it was opened.
        unsafe { register.read_volatile() }
    }

    #[inline(always)]
    fn write(&mut self, offset: usize, value: u32) {
        let register = (BASE + offset) as *mut u32;
        // SAFETY: as above; handler and main program write different registers.
        unsafe { register.write_volatile(value) }
    }
}

/// A frame as the controller has it, and the timer.
#[derive(Clone, Copy)]
struct Stamped {
    raw: Raw,
    ticks: [u32; 2],
}

struct Fifo {
    frames: UnsafeCell<[Stamped; QUEUE]>,
    /// Counts what was put in; only the handler writes it.
    head: AtomicUsize,
    /// Counts what was taken out; only the main program writes it.
    tail: AtomicUsize,
    lost: AtomicU32,
}

// SAFETY: the handler writes a slot before it moves `head` past it, and the main program reads one before it moves
// `tail` past it; neither touches the slots of the other.
unsafe impl Sync for Fifo {}

static FIFO: Fifo = Fifo {
    frames: UnsafeCell::new([Stamped { raw: [0; RAW_BYTES], ticks: [0; 2] }; QUEUE]),
    head: AtomicUsize::new(0),
    tail: AtomicUsize::new(0),
    lost: AtomicU32::new(0),
};

/// The end of the queue that the handler has.
struct Head;

impl Sink for Head {
    #[inline(always)]
    fn put(&mut self, raw: &Raw) -> bool {
        let head = FIFO.head.load(Ordering::Relaxed);
        if head.wrapping_sub(FIFO.tail.load(Ordering::Acquire)) >= QUEUE {
            return false;
        }
        let slot = FIFO.frames.get().cast::<Stamped>().wrapping_add(head % QUEUE);
        // SAFETY: the slot is the handler's until `head` moves.
        unsafe { slot.write(Stamped { raw: *raw, ticks: ticks() }) };
        FIFO.head.store(head.wrapping_add(1), Ordering::Release);
        true
    }
}

/// Leads the controller's interrupt here; above everything that waits while flash is written. The scheduler has the first of
/// the lines that can be led so.
pub fn listen() {
    enable_direct(Interrupt::TWAI0, Priority::Priority3, DirectBindableCpuInterrupt::Interrupt1, entry);
}

/// Keeps what a function of C may change, calls the handler, and goes back; no other interrupt comes meanwhile.
#[unsafe(naked)]
#[unsafe(link_section = ".rwtext")]
unsafe extern "C" fn entry() {
    core::arch::naked_asm!(
        "addi sp, sp, -64",
        "sw ra, 0(sp)",
        "sw t0, 4(sp)",
        "sw t1, 8(sp)",
        "sw t2, 12(sp)",
        "sw t3, 16(sp)",
        "sw t4, 20(sp)",
        "sw t5, 24(sp)",
        "sw t6, 28(sp)",
        "sw a0, 32(sp)",
        "sw a1, 36(sp)",
        "sw a2, 40(sp)",
        "sw a3, 44(sp)",
        "sw a4, 48(sp)",
        "sw a5, 52(sp)",
        "sw a6, 56(sp)",
        "sw a7, 60(sp)",
        "call {handler}",
        "lw ra, 0(sp)",
        "lw t0, 4(sp)",
        "lw t1, 8(sp)",
        "lw t2, 12(sp)",
        "lw t3, 16(sp)",
        "lw t4, 20(sp)",
        "lw t5, 24(sp)",
        "lw t6, 28(sp)",
        "lw a0, 32(sp)",
        "lw a1, 36(sp)",
        "lw a2, 40(sp)",
        "lw a3, 44(sp)",
        "lw a4, 48(sp)",
        "lw a5, 52(sp)",
        "lw a6, 56(sp)",
        "lw a7, 60(sp)",
        "addi sp, sp, 64",
        "mret",
        handler = sym on_frame,
    )
}

/// Takes what the controller has.
#[ram]
extern "C" fn on_frame() {
    let lost = drain(&mut Chip, &mut Head);
    FIFO.lost.store(FIFO.lost.load(Ordering::Relaxed).wrapping_add(lost), Ordering::Relaxed);
}

/// Reads the timer.
#[inline(always)]
fn ticks() -> [u32; 2] {
    // SAFETY: reading the timer disturbs nobody: who is interrupted between asking and reading gets this later time.
    unsafe { TIMER_UPDATE.write_volatile(1 << 30) };
    let mut tries = 0;
    // SAFETY: as above. The value is there after a few cycles.
    while unsafe { TIMER_UPDATE.read_volatile() } & 1 << 29 == 0 && tries < 100 {
        tries += 1;
    }
    // SAFETY: as above.
    let high = unsafe { TIMER_HIGH.read_volatile() };
    // SAFETY: as above.
    let low = unsafe { TIMER_LOW.read_volatile() };
    [high, low]
}

/// Takes the next frame of NMEA 2000.
pub fn next() -> Option<(CanFrame, Instant)> {
    loop {
        let tail = FIFO.tail.load(Ordering::Relaxed);
        if FIFO.head.load(Ordering::Acquire) == tail {
            return None;
        }
        let slot = FIFO.frames.get().cast::<Stamped>().wrapping_add(tail % QUEUE);
        // SAFETY: the slot is the main program's until `tail` moves.
        let Stamped { raw, ticks: [high, low] } = unsafe { slot.read() };
        FIFO.tail.store(tail.wrapping_add(1), Ordering::Release);
        if let Some(frame) = frame_of(&raw) {
            let ticks = u64::from(high) << 32 | u64::from(low);
            return Some((frame, Instant(ticks / TIMER_TICKS_PER_US)));
        }
    }
}

/// Returns how many frames were lost so far.
pub fn lost() -> u64 {
    FIFO.lost.load(Ordering::Relaxed).into()
}
