//! From reset to the program's `main`, and what happens on a trap.
//!
//! No trap of this board returns: an exception is an error of ours, and the only interrupt is the timer's. So
//! the trap handler has a stack of its own and keeps no registers, which makes it work after a stack overflow too.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

use crate::{exit, uart};

/// Bytes of the stack that traps run on.
const TRAP_STACK_BYTES: usize = 1024;
/// `mcause` of the machine timer interrupt (RISC-V privileged architecture, table of machine causes).
const TIMER: usize = (1 << 31) | 7;

global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "csrw mie, zero",
    "la t0, _trap",
    "csrw mtvec, t0",
    // The stack is painted before it is used, so that its use can be measured.
    "la sp, _stack_top",
    "la t0, _stack_bottom",
    "li t1, {paint}",
    "1: sw t1, 0(t0)",
    "addi t0, t0, 4",
    "bltu t0, sp, 1b",
    "la t0, _data_start",
    "la t1, _data_end",
    "la t2, _data_load",
    "2: bgeu t0, t1, 3f",
    "lw t3, 0(t2)",
    "sw t3, 0(t0)",
    "addi t0, t0, 4",
    "addi t2, t2, 4",
    "j 2b",
    "3: la t0, _bss_start",
    "la t1, _bss_end",
    "4: bgeu t0, t1, 5f",
    "sw zero, 0(t0)",
    "addi t0, t0, 4",
    "j 4b",
    "5: call {protect}",
    "call {main}",
    // `main` never returns.
    "6: j 6b",
    ".balign 4",
    "_trap:",
    "la sp, {trap_stack} + {trap_stack_bytes}",
    "csrr a0, mcause",
    "csrr a1, mepc",
    "csrr a2, mtval",
    "call {trapped}",
    "7: j 7b",
    paint = const crate::stack::PAINT,
    protect = sym protect,
    main = sym entry,
    trap_stack = sym TRAP_STACK,
    trap_stack_bytes = const TRAP_STACK_BYTES,
    trapped = sym trapped,
);

#[repr(C, align(16))]
struct TrapStack(core::cell::UnsafeCell<[u8; TRAP_STACK_BYTES]>);

// SAFETY: only the trap handler uses it, and traps do not nest: it never returns and leaves interrupts off.
unsafe impl Sync for TrapStack {}

static TRAP_STACK: TrapStack = TrapStack(core::cell::UnsafeCell::new([0; TRAP_STACK_BYTES]));

unsafe extern "Rust" {
    /// The program ([`crate::entry!`]).
    safe fn _program() -> !;
    /// Its answer to the timer, with the address of the instruction that was about to run.
    safe fn _program_timer(at: usize) -> !;
}

/// Names what the start code calls, with interrupts off: `main`, a `fn() -> !`; and what ends a program whose timer rings,
/// a `fn(usize) -> !` that is given the address of the instruction that was about to run.
#[macro_export]
macro_rules! entry {
    ($main:path, timer: $timer:path) => {
        // SAFETY: the start code is the only one that links with these names, and declares them so.
        #[unsafe(no_mangle)]
        fn _program() -> ! {
            $main()
        }
        // SAFETY: as above.
        #[unsafe(no_mangle)]
        fn _program_timer(at: usize) -> ! {
            $timer(at)
        }
    };
}

extern "C" fn entry() -> ! {
    _program()
}

/// Makes the flash read-only and everything behind the RAM untouchable, for machine mode too (locked entries).
extern "C" fn protect() {
    const READ: usize = 1;
    const WRITE: usize = 2;
    const EXECUTE: usize = 4;
    const TOP_OF_RANGE: usize = 1 << 3;
    const LOCKED: usize = 1 << 7;
    const FLASH: usize = TOP_OF_RANGE | LOCKED | READ | EXECUTE;
    const RAM: usize = TOP_OF_RANGE | LOCKED | READ | WRITE;
    // Ranges end at: start of flash, end of the image, end of the storage, end of flash, end of RAM, end of what QEMU gives.
    let ends: [usize; 6] = [0x8000_0000, 0x8020_0000, 0x8030_0000, 0x8040_0000, 0x8040_0000 + 400 * 1024, 0xa000_0000];
    let modes = [0, FLASH, RAM, FLASH, RAM, TOP_OF_RANGE | LOCKED];
    let packed = |modes: &[usize]| modes.iter().rev().fold(0, |packed, mode| packed << 8 | mode);
    // SAFETY: the ranges are those of link.x; nothing of the image writes flash but the storage, or lies behind the RAM.
    unsafe {
        asm!(
            "csrw pmpaddr0, {0}", "csrw pmpaddr1, {1}", "csrw pmpaddr2, {2}", "csrw pmpaddr3, {3}", "csrw pmpaddr4, {4}",
            "csrw pmpaddr5, {5}", "csrw pmpcfg1, {7}", "csrw pmpcfg0, {6}",
            in(reg) ends[0] >> 2, in(reg) ends[1] >> 2, in(reg) ends[2] >> 2, in(reg) ends[3] >> 2, in(reg) ends[4] >> 2,
            in(reg) ends[5] >> 2, in(reg) packed(&modes[..4]), in(reg) packed(&modes[4..]),
        );
    }
}

/// The timer is the program's; everything else is an error of ours, told and ended.
extern "C" fn trapped(cause: usize, at: usize, value: usize) -> ! {
    if cause == TIMER {
        _program_timer(at);
    }
    uart::write_fmt(format_args!("# exception {cause} at {at:#010x}, value {value:#010x}\n"));
    exit::exit(exit::PANICKED)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    uart::write_fmt(format_args!("# {info}\n"));
    exit::exit(exit::PANICKED)
}
