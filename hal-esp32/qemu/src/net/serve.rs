//! The live gateway: the log at its own pace, plugins, clients.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};

use skiff_board::neighbours::Neighbours;
use skiff_runtime::budget::{Board, NETWORK, NetLimits};
use skiff_runtime::carrier::{Carrier, CarrierLimits};
use skiff_runtime::config::SAMPLE_SELF_CONTEXT;
use skiff_runtime::device::wifi::WifiMode;
use skiff_runtime::flash::FlashStorage;
use skiff_runtime::gateway::{BoardParts, Boot, Booted, Gateway, InputId, SetUpParts};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Clock, Hal, Storage};
use skiff_runtime::n2k::log::Record;
use skiff_runtime::n2k::sample;
use skiff_runtime::net::{self, Addressing, SmolNet, StaticAddress};
use skiff_runtime::plugin::Enabled;
use skiff_runtime::time::{Instant, UnixMillis};
use skiff_virt::clock::TICKS_PER_MS;
use skiff_virt::{clock, exit, heap, uart};

use super::device::Card;
use super::plic;
use super::radio::Radio;
use super::random::Random;
use crate::budget::Measured;
use crate::partition::Partition;
use crate::{flash, packages, report, watchdog};

/// Port of the web server.
const PORT: u16 = 80;
/// The board's address on the network that it makes, where no boot word says another: the one that the emulator forwards
/// ports to.
const OWN_ADDRESS: &str = "10.0.2.15/24";
/// Records of the log taken in one turn.
const RECORDS_PER_TURN: usize = 16;
/// A byte on the serial port that asks for a report.
const REPORT: u8 = b'r';
/// A byte on the serial port that resets the board.
const RESET: u8 = b'b';
/// A byte on the serial port that ends the board.
const QUIT: u8 = b'q';

/// Serves until the serial port says `q`.
///
/// # Errors
/// A clause that says why that was not possible.
pub fn run(partition: &Partition) -> Result<(), String> {
    let mut random = Random::open()?;
    let card = Card::open()?;
    plic::open();
    let (address, seed) = (card.address(), random.seed());
    let mut storage = storage(partition)?;
    let radio = Radio::open(partition, &mut *storage)?;
    let mode = radio.as_ref().map_or(WifiMode::Join, |radio| radio.mode);
    let fixed: StaticAddress = OWN_ADDRESS.parse().map_err(|error| format!("{OWN_ADDRESS}: {error}"))?;
    let (own, addressing) = match (addressing(partition)?, mode) {
        (Addressing::Static(own), _) => (own, Addressing::Static(own)),
        (Addressing::Dhcp, WifiMode::SetUp) => (fixed, Addressing::Static(fixed)),
        (Addressing::Dhcp, WifiMode::Join) => (fixed, Addressing::Dhcp),
    };
    // The network is this machine's own, whichever board's budget it has.
    let limits = NetLimits::of(Board::QemuRiscv32);
    let setup = net::NetSetup { limits, hardware_address: address, addressing, seed };
    let network = SmolNet::new(card, &setup, now());
    let (mut gateway, input) = gateway(partition, network, random, storage)?;
    let [.., high, low] = address;
    let name = format!("skiff-{high:02x}{low:02x}");
    let chance = u32::try_from(seed >> 32).unwrap_or_default();
    let mut neighbours = Neighbours::open(&mut gateway, mode, own, (&name, PORT), chance)
        .map_err(|error| format!("neighbours: {error}"))?;
    if let Some(radio) = radio {
        gateway.attach(BoardParts { wifi: Some(radio.mode), ..BoardParts::default() });
        gateway.set_up_by(SetUpParts { name, seen: radio.seen, is_opened: partition.asks_for("button") });
    }
    let server = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT);
    let carrier_limits = CarrierLimits::new(&limits, &partition.limits()?);
    let mut carrier = Carrier::listen(&mut gateway, server, carrier_limits).map_err(|error| format!("{error}"))?;
    log::info!("listening on port {PORT}");
    let mut feed = Feed::new(partition, now());
    loop {
        feed.turn(&mut gateway, input);
        let polled = gateway.poll();
        let carried = carrier.poll(&mut gateway);
        let answered = neighbours.poll(&mut gateway, now());
        watchdog::tick();
        if let Some(restart) = gateway.restart_due() {
            log::info!("restart: {restart:?}");
            neighbours.farewell(&mut gateway, now());
            exit::reboot();
        }
        match uart::receive() {
            Some(REPORT) => {
                report::mark("asked");
                report::print();
            }
            Some(RESET) => exit::reboot(),
            Some(QUIT) => {
                log::info!("status {}", gateway.status_json());
                return Ok(());
            }
            _ => {}
        }
        if !polled.busy && !carried.busy && !answered.busy {
            let wake = [polled.at, carried.at, answered.at, feed.due()].into_iter().flatten().min();
            plic::sleep_until(wake.map_or(u64::MAX, |at| at.0.saturating_mul(TICKS_PER_MS / 1000)));
        }
    }
}

fn now() -> Instant {
    Instant(clock::ticks() / (TICKS_PER_MS / 1000))
}

/// Reads the boot words `address=…/…` and `gateway=…`; without them DHCP gives an address.
fn addressing(partition: &Partition) -> Result<Addressing, String> {
    let word = |name: &str| partition.words().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let Some(text) = word("address") else { return Ok(Addressing::Dhcp) };
    let fixed: StaticAddress = text.parse().map_err(|error| format!("address={text}: {error}"))?;
    let gateway = word("gateway").map(|text| text.parse().map_err(|_| format!("gateway={text}: no IPv4 address")));
    Ok(Addressing::Static(StaticAddress { gateway: gateway.transpose()?, ..fixed }))
}

fn gateway(
    partition: &Partition,
    network: SmolNet<Card>,
    random: Random,
    storage: Box<dyn Storage>,
) -> Result<(Gateway, InputId), String> {
    // Nothing else has been built yet.
    let mut measured = Measured::default();
    measured.note(NETWORK, heap::usage().used);
    let hal = Hal {
        // The bus would tell the time; this one is the log's.
        clock: Box::new(MachineClock { wall: partition.log().map(|(start, _)| (start, now())) }),
        rng: Box::new(random),
        storage,
        network: Some(Box::new(network)),
        fetch: None,
        serial: None,
        can: Vec::new(),
    };
    let boot = Boot {
        self_context: Some(String::from(SAMPLE_SELF_CONTEXT)),
        unattended: true,
        ..Boot::new(partition.limits()?, env!("CARGO_PKG_VERSION"))
    };
    let Booted { mut gateway, token, .. } = Gateway::boot(hal, boot).map_err(|error| format!("{error}"))?;
    match token {
        Some(token) if partition.asks_for("storage") => log::info!("token, told once: {}", token.as_str()),
        Some(token) => log::info!("token for this run: {}", token.as_str()),
        None => log::info!("the token is known already"),
    }
    let input = gateway.input(sample::LABEL);
    report::mark("gateway and network");
    settle(&mut gateway);
    for plugin in gateway.plugins().plugins() {
        let (id, package) = (plugin.id(), plugin.package());
        let place = if package.lease.is_some() { "read in place" } else { "copied" };
        log::info!("stored package {id} {}, {place}", package.version);
        report::mark(id);
    }
    for stored in packages::stored(partition) {
        let package = match packages::read(&stored) {
            Ok(package) => package,
            Err(reason) => {
                log::warn!("refused: {reason}");
                continue;
            }
        };
        let name = package.name.clone();
        let span = report::begin();
        let enabled = Enabled::Always { config: stored.config.map(String::from) };
        gateway.install(package, enabled).map_err(|error| format!("{name}: {error}"))?;
        settle(&mut gateway);
        measured.note(&name, span.end(&name));
    }
    for plugin in gateway.plugins().plugins() {
        let reason = plugin.reason().unwrap_or_default();
        log::info!("{}: {} {reason}", plugin.package_name(), plugin.state().name());
    }
    measured.print(&gateway);
    Ok((gateway, input))
}

/// Lets the plugins come up.
fn settle(gateway: &mut Gateway) {
    while gateway.is_starting() {
        gateway.poll();
        watchdog::tick();
    }
}

/// Opens the flash where the boot word `storage` is set, else a storage that is gone with the run.
fn storage(partition: &Partition) -> Result<Box<dyn Storage>, String> {
    if !partition.asks_for("storage") {
        return Ok(Box::new(SimStorage::new()));
    }
    let mounted = FlashStorage::mount_or_format(flash::RamFlash::open(), &flash::layout(partition.limits()?.board));
    let mut storage = mounted.map_err(|error| format!("storage: {error}"))?;
    let room = storage.capacity();
    log::info!("storage: {} of {} bytes free", room.free_bytes, room.total_bytes);
    Ok(Box::new(storage))
}

/// The log, at its own pace, from the start again when it is over.
struct Feed {
    partition: Partition,
    records: Option<Box<dyn Iterator<Item = Record>>>,
    next: Option<Record>,
    start: UnixMillis,
    began: Instant,
}

impl Feed {
    fn new(partition: &Partition, began: Instant) -> Self {
        let mut feed = Self { partition: *partition, records: None, next: None, start: UnixMillis::default(), began };
        feed.rewind(began);
        feed
    }

    fn rewind(&mut self, began: Instant) {
        self.records = None;
        self.began = began;
        if let Some((start, records)) = self.partition.log() {
            self.start = start;
            let mut records: Box<dyn Iterator<Item = Record>> = Box::new(records);
            self.next = records.next();
            self.records = Some(records);
        }
    }

    /// Returns when the next record is due; `None` without a log.
    fn due(&self) -> Option<Instant> {
        let time = self.next.as_ref()?.time?;
        let since = u64::try_from(time.0.saturating_sub(self.start.0)).unwrap_or(0);
        Some(Instant(self.began.0.saturating_add(since.saturating_mul(1000))))
    }

    fn turn(&mut self, gateway: &mut Gateway, input: InputId) {
        for _ in 0..RECORDS_PER_TURN {
            if self.due().is_none_or(|due| due > now()) {
                return;
            }
            if let Some(record) = self.next.take() {
                // It happens now.
                gateway.receive(input, &Record { time: None, ..record });
            }
            self.next = self.records.as_mut().and_then(Iterator::next);
            if self.next.is_none() {
                self.rewind(now());
            }
        }
    }
}

/// The machine's timer; the wall clock is not known until somebody sets it.
struct MachineClock {
    wall: Option<(UnixMillis, Instant)>,
}

impl Clock for MachineClock {
    fn now(&self) -> Instant {
        now()
    }

    fn wall(&self) -> Option<UnixMillis> {
        let (wall, at) = self.wall?;
        let passed = i64::try_from(now().since(at).as_millis()).unwrap_or(i64::MAX);
        Some(UnixMillis(wall.0.saturating_add(passed)))
    }

    fn set_wall(&mut self, time: UnixMillis) {
        self.wall = Some((time, now()));
    }
}
