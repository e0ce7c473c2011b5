//! The named limits of each board.

use crate::n2k::ReceiverLimits;

/// A board Skiff knows the budget of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Board {
    /// A Linux gateway, the default.
    #[default]
    Linux,
    /// The 400 KiB RISC-V board that CI emulates.
    QemuRiscv32,
    /// ESP32-C6: 512 KiB SRAM of which Wi-Fi takes its part.
    Esp32C6,
    /// ESP32-S3 with PSRAM.
    Esp32S3,
    /// ESP32-C5 with PSRAM.
    Esp32C5,
    /// ESP32-P4 with PSRAM.
    Esp32P4,
}

impl Board {
    /// Every board, in the order listings show them.
    pub const ALL: [Self; 6] =
        [Self::Linux, Self::QemuRiscv32, Self::Esp32C6, Self::Esp32S3, Self::Esp32C5, Self::Esp32P4];

    /// Returns the name users type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::QemuRiscv32 => "qemu-riscv32",
            Self::Esp32C6 => "esp32c6",
            Self::Esp32S3 => "esp32s3",
            Self::Esp32C5 => "esp32c5",
            Self::Esp32P4 => "esp32p4",
        }
    }

    /// Finds a board by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|board| board.name() == name)
    }
}

/// How the interpreter of a board lays out what it translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeLayout {
    /// As wasmi is published, with words of eight bytes: an operator begins with the address of its handler.
    Addresses,
    /// As wasmi is edited for boards (`docs/wasmi-edits.md`), with words of four bytes: an operator begins with its number.
    Numbers,
}

/// What runs modules, of the engines that are compiled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// wasmi, which translates into the heap: the reference.
    #[default]
    Wasmi,
    /// skiff-engine, whose images can lie in flash and whose memory is taken by the kilobyte.
    Skiff,
}

impl Engine {
    /// Every engine, in the order that listings show them.
    pub const ALL: [Self; 2] = [Self::Wasmi, Self::Skiff];

    /// Returns the name users type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wasmi => "wasmi",
            Self::Skiff => "skiff",
        }
    }
}

/// Limits of one plugin. Bytes unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginLimits {
    /// What runs its module, where there is a choice: a program with one engine runs that.
    pub engine: Engine,
    /// The layout of translated code, from which its heap is predicted.
    pub code_layout: CodeLayout,
    /// Size of the `.wasm`.
    pub module_bytes_max: u32,
    /// Functions a module may define.
    pub functions_max: u32,
    /// Heap that translated code, tables and instance may take, as predicted before translation.
    pub code_heap_bytes_max: u32,
    /// Linear memory.
    pub linear_bytes_max: u32,
    /// Time that loading takes for each byte of a function body, nanoseconds: measured, see `docs/memory.md`.
    pub load_ns_per_code_byte: u32,
    /// The same for each function beside its body, microseconds.
    pub load_us_per_function: u32,
    /// The same for a module of nothing, microseconds.
    pub load_us_least: u32,
    /// Longest load, microseconds: it is one piece, and the receive queue of the bus must hold out.
    pub load_us_max: u32,
    /// Elements of all tables.
    pub table_elements_max: u32,
    /// Value stack of the interpreter.
    pub value_stack_bytes_max: u32,
    /// Nested wasm calls.
    pub recursion_depth_max: u32,
    /// Fuel of one call of an export; beyond it the call is trapped.
    pub fuel_per_call: u64,
    /// Fuel of `plugin_start` and of the start section, which may parse and allocate more.
    pub fuel_per_start: u64,
    /// Fuel of the start section while it runs in one piece, as part of the load: one slice. A longer one runs in slices.
    pub fuel_start_section: u64,
    /// Fuel between two looks at the bus.
    pub fuel_per_slice: u64,
    /// Deltas waiting for the plugin; the oldest is dropped and counted.
    pub delta_queue_len: u16,
    /// Bytes of the deltas waiting for the plugin.
    pub delta_queue_bytes: u32,
    /// Deltas the plugin may emit in one call; more are dropped and counted.
    pub emit_queue_len: u16,
    /// Bytes of the deltas the plugin may emit in one call.
    pub emit_queue_bytes: u32,
    /// HTTP requests waiting for the plugin; more get 503.
    pub request_queue_len: u16,
    /// Bytes of an HTTP response of the plugin.
    pub response_bytes_max: u32,
    /// Offers to clients: PUT handlers and resource types; more are refused.
    pub registrations_max: u16,
    /// Bytes of one frame of a binary stream; larger ones are refused.
    pub stream_frame_bytes_max: u32,
    /// Bytes of binary frames the plugin may emit in one call; more are dropped and counted.
    pub stream_bytes_per_call: u32,
    /// Patterns of the paths the plugin wants to be told of.
    pub path_filter_max: u16,
    /// Bytes of the body of an HTTP request the plugin makes.
    pub fetch_request_bytes_max: u32,
    /// Bytes of the body it gets, decoded; a longer one counts as no answer.
    pub fetch_body_bytes_max: u32,
    /// HTTP requests of the plugin on their way at the same time.
    pub fetches_max: u16,
    /// UDP and TCP sockets the plugin may have open.
    pub sockets_max: u16,
    /// Serial ports the plugin may have open.
    pub serial_ports_max: u16,
    /// Datagrams that wait at one UDP socket; the oldest makes room.
    pub socket_datagrams: u16,
    /// Bytes that wait at one socket: of datagrams, where the oldest makes room, or of a TCP connection, whose peer has
    /// to wait then.
    pub socket_receive_bytes: u32,
    /// Bytes a socket or a serial port takes for sending; more are refused.
    pub socket_send_bytes: u32,
    /// One file of the plugin.
    pub file_bytes_max: u32,
    /// All files of the plugin, `/tmp` apart.
    pub files_quota_bytes: u32,
    /// Number of its files and empty folders.
    pub files_max: u16,
    /// Files below its `/tmp`, which is memory.
    pub tmp_bytes_max: u32,
    /// File descriptors open at the same time.
    pub descriptors_max: u16,
    /// Content of its open files, which is held in memory.
    pub open_files_bytes_max: u32,
    /// Bytes of the saved configuration.
    pub config_bytes_max: u32,
    /// Bytes of a status or error text.
    pub status_bytes_max: u16,
    /// Lines of the plugin's own log kept.
    pub log_lines: u16,
}

/// Limits of the whole gateway. Bytes unless the name says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The board these are for.
    pub board: Board,
    /// RAM for everything the core allocates.
    pub total_bytes: u64,
    /// Whether there is a network, whose share of the RAM no plugin gets.
    pub network: bool,
    /// Installed plugins.
    pub plugins_max: u16,
    /// Limits of each plugin.
    pub plugin: PluginLimits,
    /// Paths in the data model, over all contexts.
    pub model_paths_max: u32,
    /// Bytes of all values in the data model.
    pub model_bytes_max: u32,
    /// Contexts (vessels, aids to navigation) in the data model; the oldest makes room.
    pub model_contexts_max: u16,
    /// Frames that the receive queue of a CAN interface holds.
    pub can_queue_len: u16,
    /// What one input remembers of an NMEA 2000 network.
    pub n2k: ReceiverLimits,
    /// Stream clients.
    pub clients_max: u16,
    /// Deltas waiting for one stream client; then it gets only the latest of each path.
    pub client_queue_len: u16,
    /// Body of an HTTP request.
    pub request_bytes_max: u32,
    /// HTTP requests answered at the same time.
    pub exchanges_max: u16,
    /// A package that is installed over the network, as `npm pack` makes it.
    pub package_bytes_max: u32,
    /// What such a package may unpack to.
    pub unpacked_bytes_max: usize,
    /// PUT requests whose state can be asked for; the oldest finished one makes room.
    pub requests_max: u16,
    /// Frames waiting for one client of a binary stream; the oldest is dropped and counted.
    pub stream_frames_max: u16,
    /// Bytes of the frames waiting for one client of a binary stream.
    pub stream_bytes_max: u32,
    /// Notifications that have an id; the oldest one that is back to normal makes room.
    pub notifications_max: u16,
}

const KIB: u32 = 1024;
const MIB: u32 = 1024 * KIB;
/// Time between two frames of a saturated bus, microseconds: 250 kbit/s, 131 bits a frame with its gap and stuff bits.
const FRAME_US: u32 = 524;
/// Longest poll beside a load, microseconds: 64 frames and a fuel slice at 160 MHz (measured, `docs/memory.md`).
const POLL_US_MAX: u32 = 19_000;

impl PluginLimits {
    /// Ranges of its memory that one import copies at most: two texts, data, an address.
    pub const IMPORT_RANGES_MAX: u64 = 4;
    /// Bytes that an import copies for one unit of fuel.
    pub const IMPORT_BYTES_PER_FUEL: u64 = 8;
    /// Fuel of an import that the host answers by itself, whatever it does (measured, `docs/memory.md`).
    pub const IMPORT_FUEL: u64 = 64;
    /// Fuel of an import for which the guest is suspended, besides that.
    pub const SUSPENSION_FUEL: u64 = 272;
    /// Bytes of copying that reading a byte of text counts as: it is checked, decoded and kept.
    pub const TEXT_WORK: u32 = 4;
    /// Bytes of copying that a random byte counts as.
    pub const RANDOM_WORK: u32 = 14;
    /// Bytes of copying that a byte counts as which is read as JSON, written as JSON or logged: letter by letter, and
    /// written again.
    pub const PARSE_WORK: u32 = 100;
    /// Bytes of one text a guest hands over, beyond its own limits elsewhere.
    pub const TEXT_BYTES_MAX: u32 = 256 * 1024;

    /// Bytes of work that looking a file up counts as.
    pub const PATH_WORK_BYTES: u32 = 16 * 1024;
    /// Bytes of work that making a change of a file durable counts as, besides those of the file: a medium takes
    /// milliseconds for it.
    pub const SYNC_WORK_BYTES: u32 = 512 * 1024;
    /// Fuel of each millisecond a guest sleeps, so that a call that does nothing but sleep ends too.
    pub const FUEL_PER_MS_ASLEEP: u64 = 1000;
    /// Longest sleep, milliseconds.
    pub const SLEEP_MS_MAX: u64 = 10_000;

    /// Tells whether a plugin with these limits is promised memory and takes it by the kilobyte, as the engine for chips
    /// does it; else all of it is reserved before its module is translated.
    #[must_use]
    pub const fn is_promised(&self) -> bool {
        cfg!(feature = "engine-chip") && (!cfg!(feature = "engine-wasmi") || matches!(self.engine, Engine::Skiff))
    }

    /// How far a call can run past its fuel limit, fuel.
    ///
    /// Instructions never do: they are paid before they run, bulk operations by their length. What an import does is paid
    /// for together with it, and only then is it seen that there was too little left: at most four ranges as long as the
    /// guest's whole memory, two of them texts that are parsed, a node of the whole data model or one file made durable.
    /// A sleep takes no work, and is paid when it begins.
    #[must_use]
    pub const fn fuel_overrun_max(&self, model_bytes_max: u32) -> u64 {
        let memory = self.linear_bytes_max as u64;
        let text = if self.linear_bytes_max < Self::TEXT_BYTES_MAX { memory } else { Self::TEXT_BYTES_MAX as u64 };
        let copied = memory.saturating_mul(Self::IMPORT_RANGES_MAX);
        let parsed =
            text.saturating_mul(2).saturating_add(model_bytes_max as u64).saturating_mul(Self::PARSE_WORK as u64);
        let random = memory.saturating_mul(Self::RANDOM_WORK as u64);
        let file = (Self::SYNC_WORK_BYTES as u64).saturating_add(self.open_files_bytes_max as u64);
        let bytes = copied.saturating_add(parsed).saturating_add(random).saturating_add(file);
        let asleep = Self::SLEEP_MS_MAX.saturating_add(1).saturating_mul(Self::FUEL_PER_MS_ASLEEP);
        let calls = Self::IMPORT_RANGES_MAX * 2 + Self::IMPORT_FUEL + Self::SUSPENSION_FUEL;
        bytes.div_ceil(Self::IMPORT_BYTES_PER_FUEL).saturating_add(calls).saturating_add(asleep)
    }
}

impl Limits {
    /// Returns the limits of a board; starting points, to be replaced by measured ones (`docs/memory.md`).
    #[must_use]
    pub const fn of(board: Board) -> Self {
        match board {
            Board::Linux => Self {
                board,
                total_bytes: 64 * MIB as u64,
                network: true,
                plugins_max: 64,
                plugin: PluginLimits {
                    engine: Engine::Wasmi,
                    code_layout: CodeLayout::Addresses,
                    // A plugin of standard Go that reads JSON has 4.4 MB, and 37 MB once translated.
                    module_bytes_max: 8 * MIB,
                    functions_max: 20_000,
                    code_heap_bytes_max: 64 * MIB,
                    linear_bytes_max: 16 * MIB,
                    load_ns_per_code_byte: 100,
                    load_us_per_function: 1,
                    load_us_least: 100,
                    load_us_max: 1_000_000,
                    table_elements_max: 100_000,
                    value_stack_bytes_max: MIB,
                    recursion_depth_max: 1000,
                    fuel_per_call: 100_000_000,
                    fuel_per_start: 500_000_000,
                    fuel_start_section: 500_000,
                    fuel_per_slice: 500_000,
                    delta_queue_len: 256,
                    delta_queue_bytes: 256 * KIB,
                    emit_queue_len: 256,
                    emit_queue_bytes: 512 * KIB,
                    request_queue_len: 64,
                    response_bytes_max: MIB,
                    registrations_max: 256,
                    stream_frame_bytes_max: 256 * KIB,
                    stream_bytes_per_call: 4 * MIB,
                    path_filter_max: 64,
                    fetch_request_bytes_max: 256 * KIB,
                    fetch_body_bytes_max: 2 * MIB,
                    fetches_max: 8,
                    sockets_max: 32,
                    serial_ports_max: 4,
                    socket_datagrams: 1000,
                    socket_receive_bytes: 256 * KIB,
                    socket_send_bytes: 256 * KIB,
                    file_bytes_max: 4 * MIB,
                    files_quota_bytes: 64 * MIB,
                    files_max: 1024,
                    tmp_bytes_max: 2 * MIB,
                    descriptors_max: 64,
                    open_files_bytes_max: 8 * MIB,
                    config_bytes_max: 256 * KIB,
                    status_bytes_max: 1024,
                    log_lines: 200,
                },
                model_paths_max: 20_000,
                model_bytes_max: 8 * MIB,
                model_contexts_max: 1000,
                can_queue_len: 1024,
                n2k: ReceiverLimits::COMPUTER,
                clients_max: 64,
                client_queue_len: 256,
                request_bytes_max: 10 * MIB,
                exchanges_max: 256,
                package_bytes_max: 8 * MIB,
                unpacked_bytes_max: 16 * MIB as usize,
                requests_max: 512,
                stream_frames_max: 256,
                stream_bytes_max: 256 * KIB,
                notifications_max: 512,
            },
            Board::QemuRiscv32 => Self::chip(board, 400 * KIB, 2, 64 * KIB, 160 * KIB, 400),
            // The firmware's heap of 336 KiB, and what `Fixed` counts beside it; the radio takes its part of that.
            Board::Esp32C6 => Self::chip(board, 416 * KIB, 4, 64 * KIB, 160 * KIB, 400),
            Board::Esp32S3 | Board::Esp32C5 => Self::chip(board, 4 * MIB, 4, MIB, 512 * KIB, 1024),
            Board::Esp32P4 => Self::chip(board, 16 * MIB, 8, 2 * MIB, MIB, 2048),
        }
    }

    /// The same for a program that has no network, as the emulated board has none while it plays a log.
    #[must_use]
    pub const fn without_network(self) -> Self {
        Self { network: false, ..self }
    }

    /// Returns what one plugin may take of the board: translated code and linear memory, bytes.
    #[must_use]
    pub const fn plugin_bytes_max(&self) -> u64 {
        let bytes = self.plugin.code_heap_bytes_max as u64 + self.plugin.linear_bytes_max as u64;
        if bytes < self.total_bytes { bytes } else { self.total_bytes }
    }

    const fn chip(
        board: Board,
        total_bytes: u32,
        plugins_max: u16,
        linear_bytes_max: u32,
        code_heap_bytes_max: u32,
        can_queue_len: u16,
    ) -> Self {
        Self {
            board,
            total_bytes: total_bytes as u64,
            network: true,
            plugins_max,
            plugin: PluginLimits {
                engine: Engine::Wasmi,
                code_layout: CodeLayout::Numbers,
                module_bytes_max: 512 * KIB,
                functions_max: 2000,
                code_heap_bytes_max,
                linear_bytes_max,
                load_ns_per_code_byte: 5800,
                load_us_per_function: 50,
                load_us_least: 2600,
                load_us_max: can_queue_len as u32 * FRAME_US - POLL_US_MAX,
                table_elements_max: 1000,
                value_stack_bytes_max: 16 * KIB,
                recursion_depth_max: 64,
                fuel_per_call: 20_000_000,
                fuel_per_start: 50_000_000,
                fuel_start_section: 20_000,
                fuel_per_slice: 20_000,
                delta_queue_len: 32,
                delta_queue_bytes: 16 * KIB,
                emit_queue_len: 16,
                emit_queue_bytes: 16 * KIB,
                request_queue_len: 2,
                response_bytes_max: 16 * KIB,
                registrations_max: 16,
                stream_frame_bytes_max: 4 * KIB,
                stream_bytes_per_call: 16 * KIB,
                path_filter_max: 16,
                fetch_request_bytes_max: 4 * KIB,
                fetch_body_bytes_max: 16 * KIB,
                fetches_max: 1,
                sockets_max: 2,
                serial_ports_max: 1,
                socket_datagrams: 16,
                socket_receive_bytes: 4 * KIB,
                socket_send_bytes: 2 * KIB,
                file_bytes_max: 8 * KIB,
                files_quota_bytes: 32 * KIB,
                files_max: 16,
                tmp_bytes_max: 2 * KIB,
                descriptors_max: 8,
                open_files_bytes_max: 8 * KIB,
                config_bytes_max: 4 * KIB,
                status_bytes_max: 128,
                log_lines: 16,
            },
            model_paths_max: 200,
            model_bytes_max: 24 * KIB,
            model_contexts_max: 16,
            can_queue_len,
            n2k: ReceiverLimits::CHIP,
            clients_max: 2,
            client_queue_len: 16,
            request_bytes_max: 8 * KIB,
            exchanges_max: 4,
            package_bytes_max: 32 * KIB,
            unpacked_bytes_max: 96 * KIB as usize,
            requests_max: 8,
            stream_frames_max: 8,
            stream_bytes_max: 8 * KIB,
            notifications_max: 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Limits};

    #[test]
    fn every_board_is_found_by_its_name() {
        for board in Board::ALL {
            assert_eq!(Board::from_name(board.name()), Some(board));
            assert_eq!(Limits::of(board).board, board);
        }
        assert_eq!(Board::from_name("amiga"), None);
    }

    #[test]
    fn a_slice_never_exceeds_a_call() {
        for board in Board::ALL {
            let plugin = Limits::of(board).plugin;
            assert!(plugin.fuel_per_slice <= plugin.fuel_per_call && plugin.fuel_per_call <= plugin.fuel_per_start);
        }
    }
}
