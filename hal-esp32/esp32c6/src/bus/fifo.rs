//! What the interrupt handler does: it takes frames out of the controller's memory into a queue.
//!
//! Handler and queue lie in RAM, and nothing is called that does not: while a sector of the flash is erased, 45 ms and
//! more, no instruction can be read from it, and the controller holds only about five frames. So the registers are read
//! here and not by esp-hal. Register layout: ESP32-C6 technical reference manual, chapter "Two-wire Automotive
//! Interface", which is that of the SJA1000 in PeliCAN mode.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use esp_hal::handler;
use esp_hal::interrupt::Priority;
use esp_hal::ram;
use skiff_runtime::hal::CanFrame;
use skiff_runtime::time::Instant;

/// Frames between two polls: 268 ms of a saturated bus of 250 kbit/s. A power of two.
const QUEUE: usize = 512;
/// First register of the controller.
const BASE: usize = 0x6000_b000;
/// Command: releases the frame that was read.
const COMMAND: *mut u32 = (BASE + 0x04) as *mut u32;
const RELEASE: u32 = 1 << 2;
/// Status: the frame at the front was cut, for there was no room.
const STATUS: *const u32 = (BASE + 0x08) as *const u32;
const MISSED: u32 = 1 << 8;
/// Interrupts that are pending; reading says that they were seen.
const PENDING: *const u32 = (BASE + 0x0c) as *const u32;
/// Interrupts that are wanted.
const ENABLED: *mut u32 = (BASE + 0x10) as *mut u32;
const RECEIVE: u32 = 1;
/// The frame at the front, one byte in each register.
const FRAME: *const u32 = (BASE + 0x40) as *const u32;
/// Frames that wait.
const WAITING: *const u32 = (BASE + 0x74) as *const u32;
/// The system timer: 16 MHz, unit 0 (chapter "System Timer").
const TIMER_UPDATE: *mut u32 = 0x6000_a004 as *mut u32;
const TIMER_HIGH: *const u32 = 0x6000_a040 as *const u32;
const TIMER_LOW: *const u32 = 0x6000_a044 as *const u32;
const TIMER_TICKS_PER_US: u64 = 16;

/// A frame as the controller has it: information, identifier, data; and the timer.
#[derive(Clone, Copy)]
struct Raw {
    bytes: [u8; 13],
    ticks: [u32; 2],
}

struct Fifo {
    frames: UnsafeCell<[Raw; QUEUE]>,
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
    frames: UnsafeCell::new([Raw { bytes: [0; 13], ticks: [0; 2] }; QUEUE]),
    head: AtomicUsize::new(0),
    tail: AtomicUsize::new(0),
    lost: AtomicU32::new(0),
};

/// Takes what the controller has; above everything that waits while flash is written.
#[handler(priority = Priority::Priority3)]
#[ram]
pub fn on_frame() {
    // SAFETY: the registers are there, and only this handler takes frames out of the controller.
    let _ = unsafe { PENDING.read_volatile() };
    // SAFETY: as above.
    while unsafe { WAITING.read_volatile() } & 0x7f != 0 {
        let head = FIFO.head.load(Ordering::Relaxed);
        let is_full = head.wrapping_sub(FIFO.tail.load(Ordering::Acquire)) >= QUEUE;
        // SAFETY: as above.
        let was_cut = unsafe { STATUS.read_volatile() } & MISSED != 0;
        if is_full || was_cut {
            FIFO.lost.store(FIFO.lost.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        } else {
            let slot = FIFO.frames.get().cast::<Raw>().wrapping_add(head % QUEUE);
            // SAFETY: the slot is the handler's until `head` moves.
            unsafe { fill(slot) };
            FIFO.head.store(head.wrapping_add(1), Ordering::Release);
        }
        // SAFETY: as above.
        unsafe { COMMAND.write_volatile(RELEASE) };
    }
}

/// Reads the frame at the front.
///
/// # Safety
/// `slot` points to a slot that nobody else uses, and only the handler calls this.
#[inline(always)]
unsafe fn fill(slot: *mut Raw) {
    // SAFETY: the slot is valid, says the caller.
    let bytes = unsafe { &raw mut (*slot).bytes }.cast::<u8>();
    let mut at = 0;
    while at < 13 {
        // SAFETY: there are thirteen registers.
        let byte = unsafe { FRAME.wrapping_add(at).read_volatile() } as u8;
        // SAFETY: and as many bytes.
        unsafe { bytes.wrapping_add(at).write_volatile(byte) };
        at += 1;
    }
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
    // SAFETY: the slot is valid, says the caller.
    unsafe { (*slot).ticks = [high, low] };
}

/// Lets the controller interrupt for each frame.
pub fn listen() {
    // SAFETY: the controller runs, and nobody else uses this register.
    unsafe { ENABLED.write_volatile(RECEIVE) };
}

/// Takes the next frame of NMEA 2000; what has an identifier of 11 bits or asks remotely is none.
pub fn next() -> Option<(CanFrame, Instant)> {
    loop {
        let tail = FIFO.tail.load(Ordering::Relaxed);
        if FIFO.head.load(Ordering::Acquire) == tail {
            return None;
        }
        let slot = FIFO.frames.get().cast::<Raw>().wrapping_add(tail % QUEUE);
        // SAFETY: the slot is the main program's until `tail` moves.
        let raw = unsafe { slot.read() };
        FIFO.tail.store(tail.wrapping_add(1), Ordering::Release);
        if let Some(frame) = frame(&raw.bytes) {
            let ticks = u64::from(raw.ticks[0]) << 32 | u64::from(raw.ticks[1]);
            return Some((frame, Instant(ticks / TIMER_TICKS_PER_US)));
        }
    }
}

fn frame(bytes: &[u8; 13]) -> Option<CanFrame> {
    let [information, id @ .., _, _, _, _, _, _, _, _] = bytes;
    let (is_extended, is_remote) = (information & 0x80 != 0, information & 0x40 != 0);
    if !is_extended || is_remote {
        return None;
    }
    let length = usize::from(information & 0x0f).min(8);
    CanFrame::new(u32::from_be_bytes(*id) >> 3, bytes.get(5..5 + length)?)
}

/// Returns how many frames were lost so far.
pub fn lost() -> u64 {
    FIFO.lost.load(Ordering::Relaxed).into()
}
