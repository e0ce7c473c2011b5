//! The virtio devices of QEMU's `virt`: eight places for one each (virtio 1.2, §4.2 over MMIO).

use alloc::alloc::{alloc_zeroed, dealloc};
use core::alloc::Layout;
use core::ptr::NonNull;

use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// First of the places.
const FIRST: usize = 0x1000_1000;
/// Distance between two places, and the size of each, bytes.
const STEP: usize = 0x1000;
/// Number of places.
pub const PLACES: usize = 8;

/// Finds a device that is plugged in.
///
/// Take each kind once: the caller is the only driver of the device it gets.
pub fn find(wanted: DeviceType) -> Option<MmioTransport<'static>> {
    (0..PLACES).find_map(|place| {
        let header = NonNull::new((FIRST + place * STEP) as *mut VirtIOHeader)?;
        // SAFETY: the place is there on this machine, mapped one to one, and each kind of device is asked for once.
        let transport = unsafe { MmioTransport::new(header, STEP) }.ok()?;
        (transport.device_type() == wanted).then_some(transport)
    })
}

/// Memory that devices read and write: the heap, which lies where the devices see it.
pub struct Memory;

fn pages_of(count: usize) -> Option<Layout> {
    Layout::from_size_align(count.checked_mul(PAGE_SIZE)?, PAGE_SIZE).ok().filter(|layout| layout.size() > 0)
}

// SAFETY: pages come from the global allocator, zeroed, aligned, and belong to nobody else until they are given back.
// Addresses are the same for processor and devices, and there is no cache between them.
unsafe impl Hal for Memory {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let block = pages_of(pages).and_then(|layout| {
            // SAFETY: the size is not zero.
            NonNull::new(unsafe { alloc_zeroed(layout) })
        });
        // Address 0 says that there is none.
        block.map_or((0, NonNull::dangling()), |block| (block.addr().get() as PhysAddr, block))
    }

    unsafe fn dma_dealloc(_: PhysAddr, block: NonNull<u8>, pages: usize) -> i32 {
        let Some(layout) = pages_of(pages) else { return -1 };
        // SAFETY: the caller gives back what `dma_alloc` gave, with the same number of pages.
        unsafe { dealloc(block.as_ptr(), layout) };
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        // Asked for by the PCI transport only, which this board does not use.
        NonNull::new(address as usize as *mut u8).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().addr().get() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}
