//! The only unsafe code: imports, exports and the host's texts in linear memory.
//!
//! Everything here exists for [`plugin!`](crate::plugin); a plugin does not call it.

/// Turns a [`Plugin`](crate::Plugin) into the exports of a wasm module.
///
/// `plugin!(Type, initial value, parts…)`: the value must be constant; the parts are `values`
/// (inputs and outputs, see [`values`](mod@crate::values)), `delta`, `poll`, `http(handler, …)`, and
/// `answers(export, …)` for what clients ask of an [`Offer`](crate::Offer), each giving the exports of that
/// name. The host feeds every delta on the boat to a module with the part
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

    use crate::memory::Blocks;
    use crate::{Capability, Handle, Host, Json, Offer, Plugin, Text, fallback};

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

    fn inside(from: u32, bytes: u32) -> bool {
        from != 0 && from.checked_add(bytes).is_some_and(|to| to <= memory_bytes())
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

    mod env {
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            pub fn sk_debug(text: *const u8, bytes: usize);
            pub fn sk_set_status(text: *const u8, bytes: usize);
            pub fn sk_set_error(text: *const u8, bytes: usize);
            pub fn sk_read_config(buffer: *mut u8, max: usize) -> i32;
            pub fn sk_save_config(text: *const u8, bytes: usize) -> i32;
            pub fn sk_has_capability(text: *const u8, bytes: usize) -> i32;
            pub fn sk_handle_message(text: *const u8, bytes: usize);
            pub fn sk_get_self_path(path: *const u8, path_bytes: usize, buffer: *mut u8, max: usize) -> i32;
            pub fn sk_publish_notification(
                path: *const u8,
                path_bytes: usize,
                value: *const u8,
                value_bytes: usize,
            ) -> i32;
            pub fn sk_get_path(path: *const u8, path_bytes: usize, buffer: *mut u8, max: usize) -> i32;
            pub fn sk_register_put_handler(
                context: *const u8,
                context_bytes: usize,
                path: *const u8,
                path_bytes: usize,
            ) -> i32;
            pub fn sk_register_resource_provider(kind: *const u8, bytes: usize) -> i32;
            pub fn sk_register_weather_provider(name: *const u8, bytes: usize) -> i32;
            pub fn sk_register_radar_provider(name: *const u8, bytes: usize) -> i32;
            pub fn sk_emit_binary_stream(stream: *const u8, stream_bytes: usize, data: *const u8, bytes: usize) -> i32;
            pub fn sk_udp_create(family: i32) -> i32;
            pub fn sk_udp_bind(socket: u32, port: i32) -> i32;
            pub fn sk_udp_send(
                socket: u32,
                host: *const u8,
                host_bytes: usize,
                port: i32,
                data: *const u8,
                bytes: usize,
            ) -> i32;
            pub fn sk_udp_recv(socket: u32, buffer: *mut u8, max: usize, address: u32, port: u32) -> i32;
            pub fn sk_udp_close(socket: u32);
            pub fn sk_tcp_create() -> i32;
            pub fn sk_tcp_connect(socket: u32, host: *const u8, host_bytes: usize, port: i32) -> i32;
            pub fn sk_tcp_connected(socket: u32) -> i32;
            pub fn sk_tcp_send(socket: u32, data: *const u8, bytes: usize) -> i32;
            pub fn sk_tcp_recv_line(socket: u32, buffer: *mut u8, max: usize) -> i32;
            pub fn sk_tcp_close(socket: u32);
            pub fn sk_serial_open(
                device: *const u8,
                device_bytes: usize,
                baud: u32,
                data_bits: i32,
                parity: i32,
                stop_bits: i32,
            ) -> i32;
            pub fn sk_serial_read(port: u32, buffer: *mut u8, max: usize) -> i32;
            pub fn sk_serial_write(port: u32, data: *const u8, bytes: usize) -> i32;
            pub fn sk_serial_close(port: u32);
        }
    }

    mod wasi {
        /// Address and bytes of one piece of a read or write.
        #[repr(C)]
        pub struct Piece(pub *const u8, pub usize);

        #[link(wasm_import_module = "wasi_snapshot_preview1")]
        unsafe extern "C" {
            pub fn path_open(
                folder: u32,
                lookup: u32,
                path: *const u8,
                path_bytes: usize,
                how: u32,
                rights: u64,
                inheriting: u64,
                flags: u32,
                into: *mut u32,
            ) -> i32;
            pub fn fd_read(fd: u32, pieces: *const Piece, count: usize, read: *mut usize) -> i32;
            pub fn fd_write(fd: u32, pieces: *const Piece, count: usize, written: *mut usize) -> i32;
            pub fn fd_close(fd: u32) -> i32;
        }
    }

    /// The plugin's own folder, which every host opens as this descriptor.
    const FOLDER: u32 = 3;
    /// Rights of WASI preview 1: `fd_read`, `fd_write`.
    const READ: u64 = 1 << 1;
    const WRITE: u64 = 1 << 6;
    /// Make the file where there is none, and cut it.
    const ANEW: u32 = 1 | 8;

    fn open(path: &str, how: u32, rights: u64) -> Option<u32> {
        let mut fd = 0;
        // SAFETY: `path` is a live `str`, `fd` lives on this stack; the host writes one word into it.
        let error = unsafe { wasi::path_open(FOLDER, 0, path.as_ptr(), path.len(), how, rights, 0, 0, &raw mut fd) };
        (error == 0).then_some(fd)
    }

    fn close_file(fd: u32) -> bool {
        // SAFETY: takes no address.
        unsafe { wasi::fd_close(fd) == 0 }
    }

    /// A number that a host gives, from 1.
    fn opened(number: i32) -> Option<u32> {
        u32::try_from(number).ok().filter(|number| *number > 0)
    }

    /// The real host, behind the imports of module `env`.
    struct Imports;

    fn filled(buffer: &mut [u8], written: i32) -> Option<&str> {
        let bytes = usize::try_from(written).ok().filter(|bytes| *bytes > 0)?;
        core::str::from_utf8(buffer.get(..bytes)?).ok()
    }

    impl Host for Imports {
        fn debug(&mut self, text: &str) {
            // SAFETY: pointer and length are those of a live `str`; the host only reads them during the call.
            unsafe { env::sk_debug(text.as_ptr(), text.len()) }
        }

        fn set_status(&mut self, text: &str) {
            // SAFETY: as in `debug`.
            unsafe { env::sk_set_status(text.as_ptr(), text.len()) }
        }

        fn set_error(&mut self, text: &str) {
            // SAFETY: as in `debug`.
            unsafe { env::sk_set_error(text.as_ptr(), text.len()) }
        }

        fn emit(&mut self, delta: &str) {
            // SAFETY: as in `debug`; the host can re-enter exports, which never touch `delta`.
            unsafe { env::sk_handle_message(delta.as_ptr(), delta.len()) }
        }

        fn publish_notification(&mut self, path: &str, value: &str) -> bool {
            // SAFETY: both texts are live, as in `emit`.
            unsafe { env::sk_publish_notification(path.as_ptr(), path.len(), value.as_ptr(), value.len()) == 0 }
        }

        fn read_config<'b>(&mut self, buffer: &'b mut [u8]) -> Option<&'b str> {
            // SAFETY: the host writes at most `buffer.len()` bytes into the exclusively borrowed buffer.
            let written = unsafe { env::sk_read_config(buffer.as_mut_ptr(), buffer.len()) };
            filled(buffer, written)
        }

        fn save_config(&mut self, json: &str) -> bool {
            // SAFETY: as in `debug`.
            unsafe { env::sk_save_config(json.as_ptr(), json.len()) == 0 }
        }

        fn self_path<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b str> {
            // SAFETY: `path` is a live `str`; the host writes at most `buffer.len()` bytes into the buffer.
            let written =
                unsafe { env::sk_get_self_path(path.as_ptr(), path.len(), buffer.as_mut_ptr(), buffer.len()) };
            filled(buffer, written)
        }

        fn has_capability(&mut self, capability: Capability) -> bool {
            let name = capability.name();
            // SAFETY: as in `debug`.
            unsafe { env::sk_has_capability(name.as_ptr(), name.len()) == 1 }
        }

        fn path<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b str> {
            // SAFETY: `path` is a live `str`; the host writes at most `buffer.len()` bytes into the buffer.
            let written = unsafe { env::sk_get_path(path.as_ptr(), path.len(), buffer.as_mut_ptr(), buffer.len()) };
            filled(buffer, written)
        }

        fn offer(&mut self, offer: Offer<'_>) -> bool {
            let taken = match offer {
                // SAFETY: both texts are live during the call, as in `debug`.
                Offer::Put(context, path) => unsafe {
                    env::sk_register_put_handler(context.as_ptr(), context.len(), path.as_ptr(), path.len())
                },
                // SAFETY: as in `debug`.
                Offer::Resources(kind) => unsafe { env::sk_register_resource_provider(kind.as_ptr(), kind.len()) },
                // SAFETY: as in `debug`.
                Offer::Weather(name) => unsafe { env::sk_register_weather_provider(name.as_ptr(), name.len()) },
                // SAFETY: as in `debug`.
                Offer::Radar(name) => unsafe { env::sk_register_radar_provider(name.as_ptr(), name.len()) },
            };
            taken == 1
        }

        fn send_stream(&mut self, stream: &str, data: &[u8]) -> bool {
            // SAFETY: both ranges are live during the call, as in `debug`.
            unsafe { env::sk_emit_binary_stream(stream.as_ptr(), stream.len(), data.as_ptr(), data.len()) == 1 }
        }

        fn open_udp(&mut self, port: u16) -> Option<Handle> {
            // SAFETY: takes no address.
            let socket = opened(unsafe { env::sk_udp_create(0) })?;
            // SAFETY: takes no address.
            let bound = unsafe { env::sk_udp_bind(socket, port.into()) };
            (bound == 0).then_some(Handle::Udp(socket))
        }

        fn send_to(&mut self, socket: Handle, host: &str, port: u16, data: &[u8]) -> bool {
            let Handle::Udp(socket) = socket else { return false };
            let port = port.into();
            // SAFETY: both ranges are live during the call, as in `debug`.
            let sent = unsafe { env::sk_udp_send(socket, host.as_ptr(), host.len(), port, data.as_ptr(), data.len()) };
            usize::try_from(sent) == Ok(data.len())
        }

        fn open_tcp(&mut self, host: &str, port: u16) -> Option<Handle> {
            // SAFETY: takes no address.
            let socket = opened(unsafe { env::sk_tcp_create() })?;
            // SAFETY: as in `debug`.
            let begun = unsafe { env::sk_tcp_connect(socket, host.as_ptr(), host.len(), port.into()) };
            (begun == 0).then_some(Handle::Tcp(socket))
        }

        fn is_connected(&mut self, socket: Handle) -> Option<bool> {
            let Handle::Tcp(socket) = socket else { return None };
            // SAFETY: takes no address.
            let state = unsafe { env::sk_tcp_connected(socket) };
            (state >= 0).then_some(state == 1)
        }

        fn open_serial(&mut self, device: &str, baud: u32) -> Option<Handle> {
            // SAFETY: as in `debug`.
            opened(unsafe { env::sk_serial_open(device.as_ptr(), device.len(), baud, 0, 0, 0) }).map(Handle::Serial)
        }

        fn receive<'b>(&mut self, from: Handle, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
            let (into, max) = (buffer.as_mut_ptr(), buffer.len());
            let written = match from {
                // SAFETY: the host writes at most `max` bytes into the exclusively borrowed buffer.
                Handle::Udp(socket) => unsafe { env::sk_udp_recv(socket, into, max, 0, 0) },
                // SAFETY: as above.
                Handle::Tcp(socket) => unsafe { env::sk_tcp_recv_line(socket, into, max) },
                // SAFETY: as above.
                Handle::Serial(port) => unsafe { env::sk_serial_read(port, into, max) },
            };
            buffer.get(..usize::try_from(written).ok().filter(|bytes| *bytes > 0)?)
        }

        fn send(&mut self, to: Handle, data: &[u8]) -> bool {
            let sent = match to {
                Handle::Udp(_) => return false,
                // SAFETY: as in `debug`.
                Handle::Tcp(socket) => unsafe { env::sk_tcp_send(socket, data.as_ptr(), data.len()) },
                // SAFETY: as in `debug`.
                Handle::Serial(port) => unsafe { env::sk_serial_write(port, data.as_ptr(), data.len()) },
            };
            usize::try_from(sent) == Ok(data.len())
        }

        fn close(&mut self, handle: Handle) {
            match handle {
                // SAFETY: takes no address.
                Handle::Udp(socket) => unsafe { env::sk_udp_close(socket) },
                // SAFETY: takes no address.
                Handle::Tcp(socket) => unsafe { env::sk_tcp_close(socket) },
                // SAFETY: takes no address.
                Handle::Serial(port) => unsafe { env::sk_serial_close(port) },
            }
        }

        fn read_file<'b>(&mut self, path: &str, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
            let fd = open(path, 0, READ)?;
            let mut length = 0;
            // Ends with the file, or when the buffer is full, which is one byte too many.
            let whole = loop {
                let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) else { break false };
                let (piece, mut read) = (wasi::Piece(room.as_mut_ptr(), room.len()), 0);
                // SAFETY: the piece is the exclusively borrowed rest of the buffer, `read` lives on this stack.
                let error = unsafe { wasi::fd_read(fd, &raw const piece, 1, &raw mut read) };
                if error != 0 || read == 0 {
                    break error == 0;
                }
                length += read;
            };
            close_file(fd);
            if whole { buffer.get(..length) } else { None }
        }

        fn write_file(&mut self, path: &str, data: &[u8]) -> bool {
            let Some(fd) = open(path, ANEW, WRITE) else { return false };
            let (piece, mut written) = (wasi::Piece(data.as_ptr(), data.len()), 0);
            // SAFETY: the piece is a live slice that the host only reads, `written` lives on this stack.
            let error = unsafe { wasi::fd_write(fd, &raw const piece, 1, &raw mut written) };
            let closed = close_file(fd);
            error == 0 && written == data.len() && closed
        }
    }
}
