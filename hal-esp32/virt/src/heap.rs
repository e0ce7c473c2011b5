//! The heap: all RAM behind the static data, counted.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{NonNull, null_mut};

use linked_list_allocator::Heap;

/// How much of the heap is taken, bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// The whole arena.
    pub arena: usize,
    /// Taken now.
    pub used: usize,
    /// Most that was ever taken at once.
    pub peak: usize,
    /// Most that was taken at once since [`restart_peak`].
    pub recent_peak: usize,
    /// Highest address that was ever taken, as an offset in the arena: what fragmentation adds shows here.
    pub reach: usize,
    /// Allocations that found no room.
    pub refused: usize,
    /// Allocations so far.
    pub allocations: usize,
}

struct Arena {
    heap: Heap,
    peak: usize,
    recent_peak: usize,
    reach: usize,
    refused: usize,
    allocations: usize,
}

/// One processor, and the only interrupt never returns: nobody can interrupt a user of the arena and go on.
struct Single(UnsafeCell<Arena>);

// SAFETY: there is one processor, and no interrupt handler allocates or returns.
unsafe impl Sync for Single {}

#[global_allocator]
static HEAP: Single = Single(UnsafeCell::new(Arena {
    heap: Heap::empty(),
    peak: 0,
    recent_peak: 0,
    reach: 0,
    refused: 0,
    allocations: 0,
}));

unsafe extern "C" {
    static mut _heap_start: u8;
    static mut _heap_end: u8;
}

/// Gives the arena to the allocator; call it once, before anything allocates.
pub fn open() {
    let start = &raw mut _heap_start;
    let size = (&raw mut _heap_end).addr() - start.addr();
    HEAP.with(|arena| {
        // SAFETY: link.x gives this range to nobody else, and `main` calls this once.
        unsafe { arena.heap.init(start, size) }
    });
}

/// Returns what is taken.
pub fn usage() -> Usage {
    HEAP.with(|arena| Usage {
        arena: arena.heap.size(),
        used: arena.heap.used(),
        peak: arena.peak,
        recent_peak: arena.recent_peak,
        reach: arena.reach,
        refused: arena.refused,
        allocations: arena.allocations,
    })
}

/// Begins a new measurement of the recent peak; returns what is taken now.
pub fn restart_peak() -> usize {
    HEAP.with(|arena| {
        arena.recent_peak = arena.heap.used();
        arena.recent_peak
    })
}

impl Single {
    fn with<T>(&self, f: impl FnOnce(&mut Arena) -> T) -> T {
        // SAFETY: see `Sync` above; no closure of this module allocates, so the borrow is the only one.
        f(unsafe { &mut *self.0.get() })
    }
}

// SAFETY: memory comes from and goes back to the list allocator, which keeps this contract.
unsafe impl GlobalAlloc for Single {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with(|arena| match arena.heap.allocate_first_fit(layout) {
            Ok(block) => {
                arena.allocations = arena.allocations.wrapping_add(1);
                arena.recent_peak = arena.recent_peak.max(arena.heap.used());
                arena.peak = arena.peak.max(arena.recent_peak);
                let end = block.as_ptr().addr() + layout.size() - arena.heap.bottom().addr();
                arena.reach = arena.reach.max(end);
                block.as_ptr()
            }
            Err(()) => {
                arena.refused += 1;
                null_mut()
            }
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(block) = NonNull::new(block) else { return };
        self.with(|arena| {
            // SAFETY: the caller gives back what `alloc` gave, with the same layout.
            unsafe { arena.heap.deallocate(block, layout) }
        });
    }
}
