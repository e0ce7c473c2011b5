//! Exports, and the host's texts in linear memory: with the imports the only unsafe code.
//!
//! Everything here exists for [`plugin!`](crate::plugin); a plugin does not call it.

/// Turns a [`Plugin`](crate::Plugin) into the exports of a wasm module.
///
/// `plugin!(Type, initial value, parts…)`: the value must be constant; the parts are `values`
/// (inputs and outputs, see [`values`](mod@crate::values)), `delta`, `poll`, `http(handler, …)`, and
/// `answers(export, …)` for what clients ask of an [`Offer`](crate::Offer), each giving the exports of that
/// name, and `fetch` for [`Host::fetch`](crate::Host::fetch). The host feeds every delta on the boat to a module with the part
/// `delta`, so leave it out when nothing is listened to, and where `values` stands, which has it. On
/// other targets than `wasm32` the macro only checks its arguments, so that tests can run there.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty, $new:expr $(, $part:ident $(($($handler:ident),+ $(,)?))?)* $(,)?) => {
        #[cfg(not(target_arch = "wasm32"))]
        const _: $plugin = $new;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            static PLUGIN: $crate::boundary::Single<$plugin> = $crate::boundary::Single::new($new);

            #[panic_handler]
            fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
                core::arch::wasm32::unreachable()
            }

            #[unsafe(no_mangle)]
            extern "C" fn allocate(bytes: u32) -> u32 {
                $crate::boundary::allocate(bytes)
            }

            #[unsafe(no_mangle)]
            extern "C" fn deallocate(from: u32, _bytes: u32) {
                $crate::boundary::deallocate(from);
            }

            #[unsafe(no_mangle)]
            extern "C" fn plugin_id(out: u32, max: u32) -> u32 {
                $crate::boundary::give(out, max, <$plugin as $crate::Plugin>::ID)
            }

            #[unsafe(no_mangle)]
            extern "C" fn plugin_name(out: u32, max: u32) -> u32 {
                $crate::boundary::give(out, max, <$plugin as $crate::Plugin>::NAME)
            }

            #[unsafe(no_mangle)]
            extern "C" fn plugin_schema(out: u32, max: u32) -> u32 {
                $crate::boundary::give(out, max, <$plugin as $crate::Plugin>::SCHEMA)
            }

            #[unsafe(no_mangle)]
            extern "C" fn plugin_start(from: u32, bytes: u32) -> i32 {
                $crate::boundary::start(&PLUGIN, from, bytes)
            }

            #[unsafe(no_mangle)]
            extern "C" fn plugin_stop() -> i32 {
                $crate::boundary::stop(&PLUGIN)
            }

            $($crate::plugin!(@ $part $plugin $(, $($handler),+)?);)*
        };
    };
    (@ values $plugin:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn skiff_values() -> u32 {
            $crate::boundary::values(&PLUGIN)
        }

        #[unsafe(no_mangle)]
        extern "C" fn skiff_update() -> i32 {
            $crate::boundary::update(&PLUGIN)
        }

        #[unsafe(no_mangle)]
        extern "C" fn delta_handler(from: u32, bytes: u32) {
            $crate::boundary::delta(&PLUGIN, from, bytes);
        }
    };
    (@ delta $plugin:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn delta_handler(from: u32, bytes: u32) {
            $crate::boundary::delta(&PLUGIN, from, bytes);
        }
    };
    (@ poll $plugin:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn poll() -> i32 {
            $crate::boundary::poll(&PLUGIN)
        }
    };
    (@ answers $plugin:ty, $($export:ident),+) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $export(from: u32, bytes: u32, out: u32, max: u32) -> u32 {
                $crate::boundary::answer(&PLUGIN, stringify!($export), (from, bytes), (out, max))
            }
        )+
    };
    (@ fetch $plugin:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn __new(bytes: u32, class: u32) -> u32 {
            $crate::boundary::new_object(bytes, class)
        }
    };
    (@ http $plugin:ty, $($handler:ident),+) => {
        #[unsafe(no_mangle)]
        extern "C" fn http_endpoints(out: u32, max: u32) -> u32 {
            $crate::boundary::give(out, max, <$plugin as $crate::Plugin>::ENDPOINTS)
        }
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $handler(from: u32, bytes: u32, out: u32, max: u32) -> u32 {
                $crate::boundary::http(&PLUGIN, stringify!($handler), (from, bytes), (out, max))
            }
        )+
    };
}

#[cfg(target_arch = "wasm32")]
pub use guest::*;

#[cfg(target_arch = "wasm32")]
mod guest {
    use core::cell::RefCell;

    use crate::imports::Imports;
    use crate::memory::Blocks;
    use crate::{Json, Plugin, Text, fallback};

    /// A value of a module that runs on one thread.
    pub struct Single<T>(RefCell<T>);

    impl<T> Single<T> {
        /// Wraps a value.
        pub const fn new(value: T) -> Self {
            Self(RefCell::new(value))
        }

        /// Runs `work` with the value, or not at all when it is in use further up the stack.
        fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
            self.0.try_borrow_mut().ok().map(|mut value| work(&mut value))
        }
    }

    // SAFETY: without the target feature `atomics` (refused below) a module has exactly one thread,
    // so no second one can reach the cell.
    unsafe impl<T> Sync for Single<T> {}

    #[cfg(target_feature = "atomics")]
    compile_error!("plugins run on one thread: build without the target feature `atomics`");

    static BLOCKS: Single<Blocks> = Single::new(Blocks::new());
    /// What the linker was told: pages of one byte, or those of the standard.
    const PAGE_BYTES: usize = if cfg!(feature = "small-pages") { 1 } else { 65_536 };

    unsafe extern "C" {
        /// First address behind the module's own data and stack, from the linker.
        static __heap_base: u8;
    }

    fn memory_bytes() -> u32 {
        u32::try_from(core::arch::wasm32::memory_size::<0>().saturating_mul(PAGE_BYTES)).unwrap_or(u32::MAX)
    }

    /// Export `allocate`: returns the address of a block, 0 when there is none.
    pub fn allocate(bytes: u32) -> u32 {
        let base = (&raw const __heap_base).addr() as u32;
        let grow = |bytes: u32| {
            let pages = (bytes as usize).div_ceil(PAGE_BYTES);
            (core::arch::wasm32::memory_grow::<0>(pages) != usize::MAX).then(memory_bytes)
        };
        BLOCKS.with(|blocks| blocks.allocate(bytes, base, memory_bytes(), grow)).unwrap_or(0)
    }

    /// Export `deallocate`.
    pub fn deallocate(from: u32) {
        BLOCKS.with(|blocks| blocks.deallocate(from));
    }

    /// Tells whether a range that a host names is one of linear memory.
    pub fn inside(from: u32, bytes: u32) -> bool {
        from != 0 && from.checked_add(bytes).is_some_and(|to| to <= memory_bytes())
    }

    /// Bytes in front of an object of AssemblyScript, of which `as-fetch` reads some and makes one: class, then bytes (plugin
    /// ABI §2.6).
    pub const OBJECT_HEAD: u32 = 8;

    /// Export `__new`: returns the address of an object of AssemblyScript, 0 when there is no room for it.
    pub fn new_object(bytes: u32, class: u32) -> u32 {
        let block = bytes.checked_add(OBJECT_HEAD).map_or(0, allocate);
        if block == 0 {
            return 0;
        }
        // SAFETY: the block is inside linear memory, aligned to 8 bytes, at least this long, and nobody else's.
        unsafe { (block as *mut [u32; 2]).write([class, bytes]) };
        block + OBJECT_HEAD
    }

    /// Runs `work` with a text of the host; `None` when it is out of memory bounds or not UTF-8.
    fn with_text<R>(from: u32, bytes: u32, work: impl FnOnce(&str) -> R) -> Option<R> {
        if bytes == 0 {
            return Some(work(""));
        }
        if !inside(from, bytes) {
            return None;
        }
        // SAFETY: the range is inside linear memory; by the contract of the buffer dialect it lies
        // in a block from `allocate` that the host filled and leaves alone until the call returns.
        let slice = unsafe { core::slice::from_raw_parts(from as *const u8, bytes as usize) };
        core::str::from_utf8(slice).ok().map(work)
    }

    /// Runs `work` with a buffer of the host.
    fn with_buffer<R>(out: u32, max: u32, work: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        if max == 0 || !inside(out, max) {
            return None;
        }
        // SAFETY: the range is inside linear memory; by the contract of the buffer dialect it lies
        // in a block from `allocate` that nothing else uses until the call returns.
        let slice = unsafe { core::slice::from_raw_parts_mut(out as *mut u8, max as usize) };
        Some(work(slice))
    }

    /// String getter: writes `text`, cut at `max` bytes, and returns the count.
    pub fn give(out: u32, max: u32, text: &str) -> u32 {
        with_buffer(out, max, |buffer| {
            let bytes = text.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(text.as_bytes()) {
                *to = *from;
            }
            bytes as u32
        })
        .unwrap_or(0)
    }

    /// Export `plugin_start`: 0 started, 1 refused.
    pub fn start<P: Plugin>(plugin: &Single<P>, from: u32, bytes: u32) -> i32 {
        let started =
            with_text(from, bytes, |text| plugin.with(|plugin| fallback::start(plugin, Json::new(text), &mut Imports)));
        i32::from(!matches!(started, Some(Some(Ok(())))))
    }

    /// Export `plugin_stop`.
    pub fn stop<P: Plugin>(plugin: &Single<P>) -> i32 {
        plugin.with(|plugin| plugin.stop(&mut Imports));
        0
    }

    /// Export `poll`.
    pub fn poll<P: Plugin>(plugin: &Single<P>) -> i32 {
        plugin.with(|plugin| {
            plugin.poll(&mut Imports);
            fallback::publish(plugin, &mut Imports);
        });
        0
    }

    /// Export `skiff_values`: the address of the descriptor, 0 when there is none.
    pub fn values<P: Plugin>(plugin: &Single<P>) -> u32 {
        let describe = |plugin: &mut P| plugin.rows().map(|rows| rows.describe().addr() as u32);
        plugin.with(describe).flatten().unwrap_or(0)
    }

    /// Export `skiff_update`: the host has written the inputs and reads the outputs afterwards.
    pub fn update<P: Plugin>(plugin: &Single<P>) -> i32 {
        plugin.with(|plugin| {
            fallback::is_not_needed(plugin);
            plugin.update(&mut Imports);
        });
        0
    }

    /// Export `delta_handler`.
    pub fn delta<P: Plugin>(plugin: &Single<P>, from: u32, bytes: u32) {
        with_text(from, bytes, |text| plugin.with(|plugin| fallback::delta(plugin, Json::new(text), &mut Imports)));
    }

    /// An HTTP handler export: returns the bytes written, 0 when the answer does not fit.
    pub fn http<P: Plugin>(plugin: &Single<P>, handler: &str, request: (u32, u32), answer: (u32, u32)) -> u32 {
        respond(plugin, request, answer, |plugin, request, text| plugin.http(handler, request, text, &mut Imports))
    }

    /// An export that answers what was asked of an offer, likewise.
    pub fn answer<P: Plugin>(plugin: &Single<P>, export: &str, request: (u32, u32), answer: (u32, u32)) -> u32 {
        respond(plugin, request, answer, |plugin, request, text| plugin.answer(export, request, text, &mut Imports))
    }

    fn respond<P: Plugin>(
        plugin: &Single<P>,
        request: (u32, u32),
        answer: (u32, u32),
        work: impl FnOnce(&mut P, Json<'_>, &mut Text<'_>),
    ) -> u32 {
        let written = with_text(request.0, request.1, |request| {
            with_buffer(answer.0, answer.1, |buffer| {
                let mut text = Text::new(buffer);
                plugin.with(|plugin| {
                    work(plugin, Json::new(request), &mut text);
                    fallback::publish(plugin, &mut Imports);
                });
                if text.is_complete() { text.len() as u32 } else { 0 }
            })
        });
        written.flatten().unwrap_or(0)
    }
}
