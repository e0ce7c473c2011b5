//! An image of the whole gateway on the simulated HAL, only to be measured: `cargo xtask size`.
//!
//! It decodes, maps, runs a plugin, answers a request and feeds a stream, so that the linker keeps all of the core.
//! Nothing in it can know its input, so that nothing is computed at build time. On a host it is an empty program.
#![cfg_attr(target_os = "none", no_std)]
#![cfg_attr(target_os = "none", no_main)]

#[cfg(target_os = "none")]
mod image {
    extern crate alloc;

    use alloc::string::String;
    use alloc::vec::Vec;
    use core::alloc::{GlobalAlloc, Layout};
    use core::hint::black_box;
    use core::sync::atomic::{AtomicUsize, Ordering};

    use skiff_runtime::budget::{Board, Limits};
    use skiff_runtime::n2k::log::{Format, LogReader, Mode};
    use skiff_runtime::package::Package;
    use skiff_runtime::replay::Replay;
    use skiff_runtime::server::{Method, Request};
    use skiff_runtime::time::UnixMillis;

    /// Hands out addresses and takes none back: the image is never run.
    struct Upward(AtomicUsize);

    // SAFETY: each call returns a range of its own, upward from where the last one ended.
    unsafe impl GlobalAlloc for Upward {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let at = self.0.fetch_add(layout.size() + layout.align(), Ordering::Relaxed);
            at.next_multiple_of(layout.align()) as *mut u8
        }

        unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
    }

    #[global_allocator]
    static HEAP: Upward = Upward(AtomicUsize::new(0x8000_0000));

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }

    /// Entry of the image.
    // SAFETY: no other symbol of this name is linked.
    #[unsafe(no_mangle)]
    pub extern "C" fn _start() -> ! {
        let mut replay =
            Replay::new(Limits::of(Board::QemuRiscv32), black_box("can0"), UnixMillis(black_box(0)), false);
        for package in [Package::from_tgz(black_box(&[])), Package::from_wasm(black_box("x"), black_box(Vec::new()))] {
            let _ = black_box(package.map(|package| replay.install(package, None)));
        }
        let mut reader = LogReader::new(black_box(Format::Auto), black_box(Mode::Auto));
        if let Ok(Some(record)) = reader.line(black_box(&[])) {
            replay.record(1, &record);
        }
        let request = Request::new(black_box(Method::Get), black_box("/"));
        let _ = black_box(replay.gateway_mut().request(&request));
        if let Ok(stream) = replay.gateway_mut().open_stream(&request) {
            replay.gateway_mut().stream_receive(stream, black_box(""));
            let _ = black_box(replay.gateway_mut().stream_next(stream));
        }
        replay.finish();
        let line: Option<String> = replay.next_line();
        black_box(line);
        loop {}
    }
}

#[cfg(not(target_os = "none"))]
fn main() {}
