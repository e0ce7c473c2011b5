//! The table of all functions a guest can import: one row each, from which everything else is made.
//!
//! A row of [`imports!`](crate::imports) reads
//!
//! ```text
//! /// What it does, for the author of a plugin.
//! core sk_get_self_path(path: Text, into: Room) -> I32 or 0, needs DataRead, shows Text;
//! ```
//!
//! - `core` where the gateway answers while the guest is suspended, `host` where the host answers by itself;
//! - the name of the host's function, `= "Date.now"` behind it where the guest's name is no Rust name;
//! - parameters, each a [`Kind`] that says how many WebAssembly parameters it takes;
//! - the result, and what a call gives that is refused ([`Failure`]);
//! - the [`Capability`](crate::Capability) without which every call is refused;
//! - how a transcript shows it ([`Shape`]).
//!
//! Rows are grouped under their import module, the room of the host that answers them (a file below
//! `runtime/src/host/imports`), the section of the plugin ABI that specifies them, and where they are: on `all` hosts, or
//! on those with the standard library (`std`). The host links the functions by the same rows: a row without its function,
//! or with one of other parameters, does not compile.

use crate::import::{AS_FETCH, DATE, ENV, Failure, Import, Kind, MATH, Parameter, Shape, WASI};

/// Hands every row to the macro `$make`; how a row reads stands at the top of its source, `table.rs`.
#[macro_export]
macro_rules! imports {
    ($make:ident) => {
        $make! {
            ENV basics "3.1" all {
                /// Logs message and place of a failed assertion; the guest traps by itself afterwards.
                core abort(message: String, file: String, line: U32, column: U32), shows Numbers;
                /// Milliseconds since 1970 times a random number below 1.
                core seed() -> F64 or 0.0, shows Nothing;
                /// Logs an AssemblyScript string and the first `count` numbers.
                core trace(message: String, count: U32, a: F64, b: F64, c: F64, d: F64, e: F64), shows Hidden;
                /// Logs a text at level debug: one parameter is an AssemblyScript string, two are a range of
                /// UTF-8.
                core console_log = "console.log"(text: Address, length: Optional), shows Console;
                /// Logs a text at level debug: one parameter is an AssemblyScript string, two are a range of
                /// UTF-8.
                core console_debug = "console.debug"(text: Address, length: Optional), shows Console;
                /// Logs a text at level info: one parameter is an AssemblyScript string, two are a range of
                /// UTF-8.
                core console_info = "console.info"(text: Address, length: Optional), shows Console;
                /// Logs a text at level warning: one parameter is an AssemblyScript string, two are a range of
                /// UTF-8.
                core console_warn = "console.warn"(text: Address, length: Optional), shows Console;
                /// Logs a text at level error: one parameter is an AssemblyScript string, two are a range of
                /// UTF-8.
                core console_error = "console.error"(text: Address, length: Optional), shows Console;
            }
            ENV basics "2.4" all {
                /// Milliseconds since 1970.
                host date_now = "Date.now"() -> F64 or 0.0, shows Hidden;
                /// Milliseconds since the gateway was started.
                host performance_now = "performance.now"() -> F64 or 0.0, shows Hidden;
                /// A random number below 1.
                core math_random = "Math.random"() -> F64 or 0.0, shows Hidden;
            }
            DATE basics "2.4" all {
                /// Milliseconds since 1970.
                host date_now = "now"() -> F64 or 0.0, shows Hidden;
            }
            MATH basics "2.4" all {
                /// A random number below 1.
                core math_random = "random"() -> F64 or 0.0, shows Hidden;
            }
            ENV status "3.2" all {
                /// Logs a line that is shown where debugging is on.
                core sk_debug(text: Text), shows Text;
                /// Sets the status that users see; an empty text removes it.
                core sk_set_status(text: Text), shows Text;
                /// Sets the error that users see; an empty text removes it.
                core sk_set_error(text: Text), shows Text;
                /// Writes the saved configuration, `{}` where there is none; bytes written, 0 when it does not
                /// fit.
                core sk_read_config(into: Room) -> I32 or 0, shows Nothing;
                /// Saves a configuration, a JSON object; 0 when it was saved.
                core sk_save_config(config: Text) -> I32 or -1, shows Text;
                /// 1 when the plugin may use the capability, else 0.
                host sk_has_capability(name: Text) -> I32 or 0, shows Text;
            }
            ENV data "3.3" all {
                /// Emits a delta in the name of the plugin; `version` 2 is v2, anything else v1.
                core sk_handle_message(delta: Text, version: Optional), needs DataWrite, shows Delta;
                /// Writes the node of the data model below the own vessel at a dotted path; bytes written, 0
                /// when there is nothing or it does not fit. Where the node does not fit it comes without
                /// `meta` and `values`.
                core sk_get_self_path(path: Text, into: Room) -> I32 or 0, needs DataRead, shows Text;
                /// Writes the node of the data model at a dotted path; bytes written, 0 when there is nothing
                /// or it does not fit. Where the node does not fit it comes without `meta` and `values`.
                core sk_get_path(path: Text, into: Room) -> I32 or 0, needs DataRead, shows Text;
                /// Publishes a notification, a JSON object with a `state`; 0 when it was published.
                core sk_publish_notification(path: Text, value: Text) -> I32 or -1, needs DataWrite, shows TwoTexts;
            }
            ENV providers "3.3" all {
                /// Offers to handle PUT requests for a path; 1 when it was taken, 0 when it was refused.
                core sk_register_put_handler(context: Text, path: Text) -> I32 or 0, needs PutHandlers, shows TwoTexts;
            }
            ENV providers "3.4" all {
                /// Offers to keep resources of one type; 1 when it was taken, 0 when it was refused.
                core sk_register_resource_provider(kind: Text) -> I32 or 0, needs ResourceProvider, shows Text;
                /// Offers weather under a name; 1 when it was taken, 0 when it was refused.
                core sk_register_weather_provider(name: Text) -> I32 or 0, needs WeatherProvider, shows Text;
                /// Offers radars under a name; 1 when it was taken, 0 when it was refused.
                core sk_register_radar_provider(name: Text) -> I32 or 0, needs RadarProvider, shows Text;
                /// Sends a frame to the clients of `radars/<id>` or of a stream below `plugins/<package>/`; 1
                /// when it was sent.
                core sk_emit_binary_stream(stream: Text, data: Bytes) -> I32 or 0, shows Blob;
                /// Sends spokes to the clients of a radar; 1 when they were sent.
                core sk_radar_emit_spokes(radar: Text, data: Bytes) -> I32 or 0, needs RadarProvider, shows Blob;
            }
            ENV sockets "3.5" all {
                /// Makes a UDP socket, of IPv6 where `family` is 1; its number, from 1.
                core sk_udp_create(family: I32) -> I32 or -1, needs RawSockets, shows Numbers;
                /// Binds to a port on all interfaces, 0 for any; 0 when done.
                core sk_udp_bind(socket: U32, port: I32) -> I32 or -1, needs RawSockets, shows IdPort;
                /// Joins a multicast group; a length of 0 means the default interface. 0 when done.
                core sk_udp_join_multicast(socket: U32, group: Text, interface: Text)
                    -> I32 or -1, needs RawSockets, shows Multicast;
                /// Leaves a multicast group; 0 when done.
                core sk_udp_leave_multicast(socket: U32, group: Text, interface: Text)
                    -> I32 or -1, needs RawSockets, shows Multicast;
                /// Sets how far multicast datagrams go; 0 when done.
                core sk_udp_set_multicast_ttl(socket: U32, hops: I32) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Sets whether own multicast datagrams come back; 0 when done.
                core sk_udp_set_multicast_loopback(socket: U32, on: I32)
                    -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Allows datagrams to broadcast addresses; 0 when done.
                core sk_udp_set_broadcast(socket: U32, on: I32) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Sends a datagram to a host by name or address; its length.
                core sk_udp_send(socket: U32, host: Text, port: I32, data: Bytes)
                    -> I32 or -1, needs RawSockets, shows Datagram;
                /// Takes one datagram; bytes written, 0 when there is none. Where not 0, `address` gets the
                /// sender's as text with a NUL (46 bytes of room) and `port` its port (16 bits).
                core sk_udp_recv(socket: U32, into: Room, address: Address, port: Address)
                    -> I32 or -1, needs RawSockets, shows IdOnly;
                /// Number of datagrams that wait.
                core sk_udp_pending(socket: U32) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Closes a UDP socket.
                core sk_udp_close(socket: U32), needs RawSockets, shows IdNumbers;
            }
            ENV sockets "3.6" all {
                /// Makes a TCP socket in line mode; its number, from 1.
                core sk_tcp_create() -> I32 or -1, needs RawSockets, shows Nothing;
                /// Begins to connect to a host by name or address; 0 when begun.
                core sk_tcp_connect(socket: U32, host: Text, port: I32) -> I32 or -1, needs RawSockets, shows Connect;
                /// 1 when connected, 0 when not yet, -1 when closed.
                core sk_tcp_connected(socket: U32) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Chooses between lines and raw bytes; 0 when done.
                core sk_tcp_set_line_buffering(socket: U32, on: I32) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Sends bytes, all or none; their number.
                core sk_tcp_send(socket: U32, data: Bytes) -> I32 or -1, needs RawSockets, shows IdHex;
                /// Takes one line without its end, cut to the room; bytes written, 0 when there is none.
                core sk_tcp_recv_line(socket: U32, into: Room) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Takes what has come, as much as there is room for; bytes written, 0 when there is nothing.
                core sk_tcp_recv_raw(socket: U32, into: Room) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Number of lines that wait, in raw mode 1 when bytes do.
                core sk_tcp_pending(socket: U32) -> I32 or -1, needs RawSockets, shows IdNumbers;
                /// Closes a TCP socket.
                core sk_tcp_close(socket: U32), needs RawSockets, shows IdNumbers;
            }
            ENV sockets "abi-extensions.md" all {
                /// Opens a serial port that the operator allows; 0 data bits are 8, 0 stop bits are 1, parity
                /// is 0 none, 1 odd, 2 even. Its number, from 1.
                core sk_serial_open(device: Text, baud: U32, data_bits: I32, parity: I32, stop_bits: I32)
                    -> I32 or -1, needs SerialPorts, shows IdNumbers;
                /// Takes what has come; bytes written, 0 when there is nothing.
                core sk_serial_read(port: U32, into: Room) -> I32 or -1, needs SerialPorts, shows IdNumbers;
                /// Writes; the number of bytes that were taken.
                core sk_serial_write(port: U32, data: Bytes) -> I32 or -1, needs SerialPorts, shows IdHex;
                /// Closes a serial port.
                core sk_serial_close(port: U32), needs SerialPorts, shows IdNumbers;
            }
            AS_FETCH fetch "8.1" all {
                /// Does nothing: the interpreter suspends the guest by itself.
                host init_asyncify = "_initAsyncify"(data: Address, end: Address), needs Network, shows Nothing;
                /// Gets a URL and waits for the answer: the address of a new `ArrayBuffer`, 0 when there is
                /// none.
                core fetch_get_sync = "_fetchGETSync"(url: String, mode: I32, headers: Object)
                    -> I32 or 0, needs Network, shows Nothing;
                /// Posts to a URL and waits for the answer likewise.
                core fetch_post_sync = "_fetchPOSTSync"(url: String, mode: I32, headers: Object, body: Object)
                    -> I32 or 0, needs Network, shows Nothing;
                /// Gets a URL; the answer comes to `responseHandler` with the number `callback`.
                core fetch_get = "_fetchGET"(url: String, mode: I32, headers: Object, callback: I32)
                    , needs Network, shows Nothing;
                /// Posts to a URL; the answer comes likewise.
                core fetch_post = "_fetchPOST"(url: String, mode: I32, headers: Object, body: Object, callback: I32)
                    , needs Network, shows Nothing;
            }
            WASI environment "B" all {
                /// There are no arguments.
                host args_get(list: Address, texts: Address) -> I32 or 28, shows Nothing;
                /// No arguments, 0 bytes.
                host args_sizes_get(count: Address, bytes: Address) -> I32 or 28, shows Nothing;
                /// The environment: `PLUGIN_ID=<package>`.
                host environ_get(list: Address, texts: Address) -> I32 or 28, shows Nothing;
                /// Size of the environment.
                host environ_sizes_get(count: Address, bytes: Address) -> I32 or 28, shows Nothing;
                /// Wall clock (0) or monotonic clock (1 to 3), nanoseconds.
                host clock_time_get(clock: I32, precision: I64, into: Address) -> I32 or 28, shows Nothing;
                /// Resolution of a clock: a millisecond.
                host clock_res_get(clock: I32, into: Address) -> I32 or 28, shows Nothing;
                /// Random bytes.
                core random_get(into: Room) -> I32 or 28, shows Nothing;
                /// Goes on.
                host sched_yield() -> I32 or 28, shows Nothing;
                /// Ends the call; 0 out of `_start` leaves the instance usable.
                host proc_exit(code: I32), shows Nothing;
                /// Not there (`nosys`).
                host proc_raise(signal: I32) -> I32 or 28, shows Nothing;
            }
            WASI poll "B" all {
                /// Waits for clocks, 10 s at most; files and standard streams are always ready.
                core poll_oneoff(subscriptions: Address, events: Address, count: U32, into: Address) -> I32 or 28, shows Nothing;
            }
            WASI files "B" all {
                /// Writes to a file, or to the log line by line (1 and 2).
                core fd_write(fd: U32, list: Vectors, written: Address) -> I32 or 28, shows Output;
                /// Writes at an offset.
                core fd_pwrite(fd: U32, list: Vectors, offset: U64, written: Address) -> I32 or 28, shows Nothing;
                /// Reads; standard input is at its end.
                core fd_read(fd: U32, list: Vectors, read: Address) -> I32 or 28, shows Nothing;
                /// Reads at an offset.
                core fd_pread(fd: U32, list: Vectors, offset: U64, read: Address) -> I32 or 28, shows Nothing;
                /// Closes, and writes down what waits.
                core fd_close(fd: U32) -> I32 or 28, shows Nothing;
                /// Moves the offset.
                host fd_seek(fd: U32, by: I64, whence: I32, into: Address) -> I32 or 28, shows Nothing;
                /// Returns the offset.
                host fd_tell(fd: U32, into: Address) -> I32 or 28, shows Nothing;
                /// Writes down what waits.
                core fd_sync(fd: U32) -> I32 or 28, shows Nothing;
                /// Writes down what waits.
                core fd_datasync(fd: U32) -> I32 or 28, shows Nothing;
                /// Lists a folder from a cookie on; the last entry may be cut.
                core fd_readdir(fd: U32, into: Room, cookie: U64, used: Address) -> I32 or 28, shows Nothing;
                /// Type, flags and rights of a descriptor.
                host fd_fdstat_get(fd: U32, into: Address) -> I32 or 28, shows Nothing;
                /// Switches appending; other flags mean nothing.
                host fd_fdstat_set_flags(fd: U32, flags: I32) -> I32 or 28, shows Nothing;
                /// Accepted for an open descriptor, without effect.
                host fd_fdstat_set_rights(fd: U32, base: U64, inheriting: U64) -> I32 or 28, shows Nothing;
                /// Accepted for an open descriptor, without effect.
                host fd_advise(fd: U32, offset: U64, length: U64, advice: I32) -> I32 or 28, shows Nothing;
                /// Type and size of what is open.
                host fd_filestat_get(fd: U32, into: Address) -> I32 or 28, shows Nothing;
                /// Cuts or fills a file.
                core fd_filestat_set_size(fd: U32, size: U64) -> I32 or 28, shows Nothing;
                /// Accepted for an open descriptor: no times are kept.
                host fd_filestat_set_times(fd: U32, accessed: U64, modified: U64, flags: I32)
                    -> I32 or 28, shows Nothing;
                /// Makes a file at least that long.
                core fd_allocate(fd: U32, offset: U64, length: U64) -> I32 or 28, shows Nothing;
                /// Moves a descriptor.
                core fd_renumber(from: U32, to: U32) -> I32 or 28, shows Nothing;
                /// The one preopened folder is 3.
                host fd_prestat_get(fd: U32, into: Address) -> I32 or 28, shows Nothing;
                /// Its name is `/`.
                host fd_prestat_dir_name(fd: U32, into: Room) -> I32 or 28, shows Nothing;
                /// Opens or makes a file, or opens a folder.
                core path_open(fd: U32, lookup: I32, path: Text, how: I32, rights: U64, inheriting: U64, flags: I32, into: Address)
                    -> I32 or 28, shows Nothing;
                /// Type and size of what is at a path.
                core path_filestat_get(fd: U32, lookup: I32, path: Text, into: Address) -> I32 or 28, shows Nothing;
                /// Makes a folder.
                core path_create_directory(fd: U32, path: Text) -> I32 or 28, shows Nothing;
                /// Removes an empty folder.
                core path_remove_directory(fd: U32, path: Text) -> I32 or 28, shows Nothing;
                /// Removes a file.
                core path_unlink_file(fd: U32, path: Text) -> I32 or 28, shows Nothing;
                /// Renames a file or folder.
                core path_rename(from_fd: U32, from: Text, to_fd: U32, to: Text) -> I32 or 28, shows Nothing;
                /// There are no links: `inval` for what is there.
                core path_readlink(fd: U32, path: Text, into: Room, used: Address) -> I32 or 28, shows Nothing;
                /// There are no links: `perm` for an absolute target, else `notsup`.
                host path_symlink(target: Text, fd: U32, path: Text) -> I32 or 28, shows Nothing;
                /// Not there (`notsup`).
                host path_filestat_set_times(fd: U32, lookup: I32, path: Text, accessed: U64, modified: U64, flags: I32)
                    -> I32 or 28, shows Nothing;
                /// Not there (`notsup`).
                host path_link(from_fd: U32, lookup: I32, from: Text, to_fd: U32, to: Text) -> I32 or 28, shows Nothing;
            }
            WASI no_sockets "B" all {
                /// No descriptor is a socket (`notsock`).
                host sock_accept(fd: U32, flags: I32, into: Address) -> I32 or 28, shows Nothing;
                /// No descriptor is a socket (`notsock`).
                host sock_recv(fd: U32, list: Vectors, flags: I32, read: Address, into: Address) -> I32 or 28, shows Nothing;
                /// No descriptor is a socket (`notsock`).
                host sock_send(fd: U32, list: Vectors, flags: I32, written: Address) -> I32 or 28, shows Nothing;
                /// No descriptor is a socket (`notsock`).
                host sock_shutdown(fd: U32, how: I32) -> I32 or 28, shows Nothing;
            }
            ENV autopilots "abi-extensions.md" std {
                /// Offers autopilots, a JSON list of their ids; 1 when all were taken, 0 when one was refused.
                core sk_register_autopilot_provider(devices: Text) -> I32 or 0, needs AutopilotProvider, shows Text;
                /// Tells what changed at an autopilot, an object with any of `mode`, `state`, `target`, `engaged`,
                /// `actions` and `alarm`; 0 when it was told.
                core sk_autopilot_update(device: Text, changes: Text)
                    -> I32 or -1, needs AutopilotProvider, shows TwoTexts;
            }
            MATH math "2.4" std {
                host abs(x: F64) -> F64 or f64::NAN, shows Hidden;
                host acos(x: F64) -> F64 or f64::NAN, shows Hidden;
                host acosh(x: F64) -> F64 or f64::NAN, shows Hidden;
                host asin(x: F64) -> F64 or f64::NAN, shows Hidden;
                host asinh(x: F64) -> F64 or f64::NAN, shows Hidden;
                host atan(x: F64) -> F64 or f64::NAN, shows Hidden;
                host atan2(y: F64, x: F64) -> F64 or f64::NAN, shows Hidden;
                host atanh(x: F64) -> F64 or f64::NAN, shows Hidden;
                host cbrt(x: F64) -> F64 or f64::NAN, shows Hidden;
                host ceil(x: F64) -> F64 or f64::NAN, shows Hidden;
                host clz32(x: F64) -> F64 or f64::NAN, shows Hidden;
                host cos(x: F64) -> F64 or f64::NAN, shows Hidden;
                host cosh(x: F64) -> F64 or f64::NAN, shows Hidden;
                host exp(x: F64) -> F64 or f64::NAN, shows Hidden;
                host expm1(x: F64) -> F64 or f64::NAN, shows Hidden;
                host floor(x: F64) -> F64 or f64::NAN, shows Hidden;
                host fround(x: F64) -> F64 or f64::NAN, shows Hidden;
                host hypot(x: F64, y: F64) -> F64 or f64::NAN, shows Hidden;
                host imul(x: F64, y: F64) -> F64 or f64::NAN, shows Hidden;
                host log(x: F64) -> F64 or f64::NAN, shows Hidden;
                host log10(x: F64) -> F64 or f64::NAN, shows Hidden;
                host log1p(x: F64) -> F64 or f64::NAN, shows Hidden;
                host log2(x: F64) -> F64 or f64::NAN, shows Hidden;
                host max(x: F64, y: F64) -> F64 or f64::NAN, shows Hidden;
                host min(x: F64, y: F64) -> F64 or f64::NAN, shows Hidden;
                host pow(base: F64, exponent: F64) -> F64 or f64::NAN, shows Hidden;
                host round(x: F64) -> F64 or f64::NAN, shows Hidden;
                host sign(x: F64) -> F64 or f64::NAN, shows Hidden;
                host sin(x: F64) -> F64 or f64::NAN, shows Hidden;
                host sinh(x: F64) -> F64 or f64::NAN, shows Hidden;
                host sqrt(x: F64) -> F64 or f64::NAN, shows Hidden;
                host tan(x: F64) -> F64 or f64::NAN, shows Hidden;
                host tanh(x: F64) -> F64 or f64::NAN, shows Hidden;
                host trunc(x: F64) -> F64 or f64::NAN, shows Hidden;
            }
        }
    };
}

macro_rules! failure {
    () => {
        Failure::Nothing
    };
    (I32 $failure:expr) => {
        Failure::Int($failure)
    };
    (F64 $failure:expr) => {
        Failure::Float($failure)
    };
}

macro_rules! name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $import:literal) => {
        $import
    };
}

macro_rules! optional {
    ($enumeration:ident) => {
        None
    };
    ($enumeration:ident $variant:ident) => {
        Some($crate::import::$enumeration::$variant)
    };
}

macro_rules! needs_std {
    (all) => {
        false
    };
    (std) => {
        true
    };
}

macro_rules! table {
    ($($module:ident $room:ident $section:literal $hosts:ident {
        $($(#[doc = $about:literal])* $by:ident $name:ident $(= $import:literal)?
            ($($parameter:ident : $kind:ident),*) $(-> $result:ident or $failure:expr)?,
            $(needs $capability:ident,)? shows $shape:ident;)*
    })*) => {
        /// Every function a guest can import, by module and section.
        pub static IMPORTS: &[Import] = &[$($(Import {
            module: $module,
            name: name!($name $($import)?),
            parameters: &[$(Parameter { name: stringify!($parameter), kind: Kind::$kind }),*],
            result: optional!(Value $($result)?),
            failure: failure!($($result $failure)?),
            capability: optional!(Capability $($capability)?),
            shows: Shape::$shape,
            section: $section,
            about: concat!($($about),*),
            needs_std: needs_std!($hosts),
        },)*)*];
    };
}

imports!(table);
