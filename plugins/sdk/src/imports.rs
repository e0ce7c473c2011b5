//! What a plugin asks of the real host: the imports of a wasm module, unsafe like [`boundary`](crate::boundary).

use crate::boundary::{OBJECT_HEAD, deallocate, inside, new_object};
use crate::{Capability, Handle, Host, Offer};

/// Classes of objects of AssemblyScript (plugin ABI §2.6).
const ARRAY_BUFFER: u32 = 1;
const STRING: u32 = 2;

/// An object of AssemblyScript that is given back at the end of its scope.
struct Managed(u32);

impl Managed {
    fn with(class: u32, bytes: impl Iterator<Item = u8> + Clone) -> Option<Self> {
        let count = u32::try_from(bytes.clone().count()).ok()?;
        let object = Self(Some(new_object(count, class)).filter(|at| *at != 0)?);
        for (at, byte) in (object.0..).zip(bytes) {
            // SAFETY: the object has as many bytes as the iterator.
            unsafe { (at as *mut u8).write(byte) };
        }
        Some(object)
    }

    fn string(text: &str) -> Option<Self> {
        Self::with(STRING, text.encode_utf16().flat_map(u16::to_le_bytes))
    }

    /// Bytes of an object that the host has filled.
    fn len(&self) -> u32 {
        // SAFETY: the address is one that `new_object` gave, which wrote this word.
        unsafe { ((self.0 - 4) as *const u32).read() }
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        deallocate(self.0 - OBJECT_HEAD);
    }
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
        pub fn sk_publish_notification(path: *const u8, path_bytes: usize, value: *const u8, value_bytes: usize)
        -> i32;
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

mod as_fetch {
    #[link(wasm_import_module = "as-fetch")]
    unsafe extern "C" {
        #[link_name = "_fetchGETSync"]
        pub fn get(url: u32, mode: i32, headers: u32) -> u32;
        #[link_name = "_fetchPOSTSync"]
        pub fn post(url: u32, mode: i32, headers: u32, body: u32) -> u32;
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
pub struct Imports;

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
        let written = unsafe { env::sk_get_self_path(path.as_ptr(), path.len(), buffer.as_mut_ptr(), buffer.len()) };
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

    fn fetch<'b>(&mut self, url: &str, body: Option<&[u8]>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let url = Managed::string(url)?;
        let answer = match body {
            // SAFETY: the object lives during the call, in which the host calls `__new` and nothing else of the module.
            None => unsafe { as_fetch::get(url.0, 0, 0) },
            Some(body) => {
                let body = Managed::with(ARRAY_BUFFER, body.iter().copied())?;
                // SAFETY: as above.
                unsafe { as_fetch::post(url.0, 0, 0, body.0) }
            }
        };
        // In front of it is what `new_object` wrote.
        let answer = Managed(Some(answer).filter(|at| inside(at.saturating_sub(OBJECT_HEAD), OBJECT_HEAD))?);
        if !inside(answer.0, answer.len()) {
            return None;
        }
        let whole = buffer.get_mut(..answer.len() as usize).filter(|whole| !whole.is_empty())?;
        for (at, byte) in (answer.0..).zip(whole.iter_mut()) {
            // SAFETY: the answer has as many bytes as the buffer, and the host has filled them.
            *byte = unsafe { (at as *const u8).read() };
        }
        Some(whole)
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
