//! Puts the gateway together and runs it.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::net::{Ipv4Addr, SocketAddr};

use esp_hal::gpio::{Input, Output};
use esp_hal::peripherals::{FLASH, GPIO4, GPIO5, TWAI0, WIFI};
use esp_hal::rtc_cntl::Rtc;
use esp_hal::time::Duration;
use skiff_board::button::{Button, Wish};
use skiff_board::light::{self, Health};
use skiff_board::neighbours::Neighbours;
use skiff_board::twai::Part;
use skiff_board::wifi::{self, Action, Mode, Plan, SetupNetwork};
use skiff_runtime::budget::{Board, Fixed, Limits, NetLimits};
use skiff_runtime::carrier::{Carrier, CarrierLimits};
use skiff_runtime::config::N2kConfig;
use skiff_runtime::device::factory_reset::{self, ShortBoots};
use skiff_runtime::device::firmware::{Start, Trial};
use skiff_runtime::device::wifi::{JoinFailure, Station};
use skiff_runtime::device::{self, ResetReason};
use skiff_runtime::flash::FlashStorage;
#[cfg(feature = "told")]
use skiff_runtime::gateway::Event;
use skiff_runtime::gateway::{BoardParts, Boot, Booted, BusPart, Gateway, SetUpParts};
use skiff_runtime::hal::{CanPort, Hal, StorageError};
use skiff_runtime::net::{self, Addressing, SmolNet, StaticAddress};
use skiff_runtime::plugin::PluginState;

use crate::bus::Bus;
use crate::clock::{self, BoardClock};
use crate::flash::{BoardFlash, layout};
use crate::radio::Radio;
use crate::random::Random;
use crate::slots::Slots;
use crate::storage::{BoardStorage, Shared};
use crate::{log_sink, mode};

/// Port of the web server.
const PORT: u16 = 80;
/// The board's address on its own network.
const OWN_ADDRESS: &str = "192.168.4.1/24";
/// Source label of the bus.
const LABEL: &str = "can0";
/// Pause when there is nothing to do; the queue of the bus takes what comes meanwhile.
const PAUSE: Duration = Duration::from_millis(2);

/// What the chip has for the gateway.
pub struct Parts {
    /// Clock domain with the watchdog.
    pub rtc: Rtc<'static>,
    /// Flash.
    pub flash: FLASH<'static>,
    /// Radio.
    pub wifi: WIFI<'static>,
    /// CAN controller.
    pub twai: TWAI0<'static>,
    /// From the transceiver.
    pub twai_rx: GPIO4<'static>,
    /// To the transceiver.
    pub twai_tx: GPIO5<'static>,
    /// Light.
    pub led: Output<'static>,
    /// Button, low when pressed.
    pub button: Input<'static>,
}

/// Runs until something breaks that only a reset can mend.
///
/// # Errors
/// A clause that says what.
pub fn run(parts: Parts) -> Result<Infallible, String> {
    let Parts { mut rtc, flash, wifi, twai, twai_rx, twai_tx, mut led, button } = parts;
    let storage = mount(flash)?;
    let reason = reset_reason();
    let (mut short_boots, start, slots) = begin(&storage, reason)?;
    let mut radio = Radio::start(wifi)?;
    let mut random = Random::open().ok_or("nothing feeds the random numbers")?;
    let station = Station::load(&mut Shared(storage.clone()));
    let (asked, is_opened) = mode::asked();
    let mode = wifi::choose(station.is_some(), asked);
    let address = esp_hal::efuse::base_mac_address();
    let address = address.as_bytes().first_chunk().copied().unwrap_or_default();
    let own_network = SetupNetwork::of(address, &mut Shared(storage.clone()), &mut random)
        .map_err(|error| format!("password of the own network: {error}"))?;
    let own: StaticAddress = OWN_ADDRESS.parse().map_err(|error| format!("{OWN_ADDRESS}: {error}"))?;
    let mut set_up = SetUpParts { name: own_network.ssid.clone(), is_opened, ..SetUpParts::default() };
    let (card, addressing) = match (&station, mode) {
        (Some(station), Mode::Join) => (radio.join(station)?, Addressing::Dhcp),
        _ => {
            // On USB only: the log can be read over the network.
            esp_println::println!("network {} password {}", own_network.ssid, own_network.password);
            set_up.seen = radio.look();
            rtc.rwdt.feed();
            note_failure(station.as_ref().filter(|_| asked.is_some() && !is_opened), &set_up, &storage);
            (radio.make(&own_network)?, Addressing::Static(own))
        }
    };
    let part = part(&storage);
    log::info!("bus: {}", if part == Part::Full { "a node" } else { "only listens" });
    let bus = Bus::open(twai, twai_rx, twai_tx, part);
    let limits = NetLimits::of(Board::Esp32C6);
    let setup = net::NetSetup { limits, hardware_address: card.address(), addressing, seed: random.seed() };
    let network = SmolNet::new(card, &setup, clock::now());
    let (chance, name) = (u32::try_from(random.seed() >> 32).unwrap_or_default(), set_up.name.clone());
    let hal = Hal {
        clock: Box::new(BoardClock::default()),
        rng: Box::new(random),
        storage: Box::new(Shared(storage.clone())),
        network: Some(Box::new(network)),
        fetch: None,
        serial: None,
        can: vec![CanPort { label: LABEL.into(), can: bus }],
    };
    let mut gateway = gateway(hal, part)?;
    gateway.attach(BoardParts {
        log: Some(Box::new(log_sink::Kept)),
        firmware: Some(Box::new(slots)),
        start: Some(start),
        reset_reason: Some(reason),
        factory_reset: true,
        wifi: Some(mode),
        built: None,
        passwords: None,
        web_files: false,
    });
    gateway.set_up_by(set_up);
    let server = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT);
    let carrier_limits = CarrierLimits::new(&limits, &Limits::of(Board::Esp32C6));
    let mut carrier = Carrier::listen(&mut gateway, server, carrier_limits).map_err(|error| format!("{error}"))?;
    let mut neighbours = Neighbours::open(&mut gateway, mode, own, (&name, PORT), chance)
        .map_err(|error| format!("neighbours: {error}"))?;
    log::info!("heap: {} bytes free", esp_alloc::HEAP.free());

    log::info!("serves on port {PORT}");
    let mut plan = Plan::begin(mode, station.is_some(), clock::now());
    let mut watched = Button::default();
    let mut was_joined = false;
    loop {
        let (polled, carried) = (gateway.poll(), carrier.poll(&mut gateway));
        rtc.rwdt.feed();
        #[cfg(feature = "told")]
        tell(&mut gateway);
        let now = clock::now();
        let answered = neighbours.poll(&mut gateway, now);
        let joined = mode == Mode::Join && radio.is_joined();
        if joined && !was_joined {
            was_joined = true;
            forget_failure(&storage);
        }
        let in_use = joined || mode == Mode::SetUp && carrier.connections() > 0;
        match plan.poll(in_use, now) {
            Action::None => {}
            Action::Join => radio.try_to_join(),
            Action::Restart(next) => mode::restart_in(next),
        }
        gateway.set_network_up(joined || mode == Mode::SetUp);
        if let Err(error) = short_boots.poll(&mut Shared(storage.clone()), now) {
            log::debug!("short starts: {error}");
        }
        let wish = watched.poll(button.is_low(), now);
        if wish == Wish::OpenSetUp {
            mode::restart_opened();
        }
        if wish == Wish::FactoryReset {
            factory_reset::request(&mut Shared(storage.clone())).map_err(|error| format!("factory reset: {error}"))?;
            mode::restart();
        }
        if let Some(restart) = gateway.restart_due() {
            log::info!("restart: {restart:?}");
            neighbours.farewell(&mut gateway, now);
            mode::restart();
        }
        led.set_level(light::is_on(health(&gateway, wish, mode), now).into());
        if !polled.busy && !carried.busy && !answered.busy {
            // The scheduler's other tasks, the radio's, have their turn; the next interrupt ends the wait.
            esp_rtos::CurrentThreadHandle::get().delay(PAUSE);
        }
    }
}

/// Keeps why the network of the record was not joined, for who looks at the set-up page: what the radio has seen tells.
fn note_failure(station: Option<&Station>, set_up: &SetUpParts, storage: &BoardStorage) {
    let Some(station) = station else { return };
    let is_there = set_up.seen.iter().any(|seen| seen.ssid == station.ssid);
    let failure = if is_there { JoinFailure::Other } else { JoinFailure::NotFound };
    log::warn!("{} was not joined: {}", station.ssid, failure.name());
    if let Err(error) = JoinFailure::keep(Some(failure), &mut Shared(storage.clone())) {
        log::debug!("why it was not joined: {error}");
    }
}

fn forget_failure(storage: &BoardStorage) {
    if let Err(error) = JoinFailure::keep(None, &mut Shared(storage.clone())) {
        log::debug!("that a network was joined: {error}");
    }
}

/// Mounts the storage; one that cannot be read is erased, for there is no other way in.
fn mount(flash: FLASH<'static>) -> Result<BoardStorage, String> {
    let storage = FlashStorage::mount_or_format(BoardFlash::open(flash), &layout());
    storage.map(|storage| Rc::new(RefCell::new(storage))).map_err(|error| format!("storage: {error}"))
}

/// Does what has to be done before anything is read: a factory reset that was asked for, the count of short starts, the
/// trial of new firmware.
fn begin(storage: &BoardStorage, reason: ResetReason) -> Result<(ShortBoots, Start, Slots), String> {
    let failed = |error: StorageError| format!("storage: {error}");
    let mut shared = Shared(storage.clone());
    let (short_boots, is_asked) = ShortBoots::start(&mut shared, reason).map_err(failed)?;
    if is_asked {
        factory_reset::request(&mut shared).map_err(failed)?;
    }
    if let Some(erased) = factory_reset::finish(&mut shared).map_err(failed)? {
        log::warn!("factory reset: {erased}");
    }
    let mut slots = Slots::open(storage.clone())?;
    let start = Trial::start(&mut slots, &mut shared).map_err(failed)?;
    if start == Start::Restart {
        mode::restart();
    }
    Ok((short_boots, start, slots))
}

/// Reads why the chip started.
fn reset_reason() -> ResetReason {
    use esp_hal::rtc_cntl::SocResetReason as Soc;
    match esp_hal::system::reset_reason() {
        Some(Soc::ChipPowerOn) => ResetReason::PowerOn,
        Some(Soc::SysBrownOut) => ResetReason::BrownOut,
        Some(Soc::CoreSw | Soc::Cpu0Sw) => ResetReason::Software,
        Some(
            Soc::CoreMwdt0
            | Soc::CoreMwdt1
            | Soc::CoreRtcWdt
            | Soc::Cpu0Mwdt0
            | Soc::Cpu0Mwdt1
            | Soc::Cpu0RtcWdt
            | Soc::SysRtcWdt
            | Soc::SysSuperWdt,
        ) => ResetReason::Watchdog,
        _ => ResetReason::Unknown,
    }
}

/// Reads which part the configuration asks for; one that cannot be read asks for none, and the core says so.
fn part(storage: &BoardStorage) -> Part {
    Part::of(N2kConfig::load(&mut Shared(storage.clone()), false).is_ok_and(|config| config.node.is_some()))
}

/// Puts on the console what plugins emit.
#[cfg(feature = "told")]
fn tell(gateway: &mut Gateway) {
    while let Some(Event::Emitted { package, delta }) = gateway.next_event() {
        esp_println::println!("> {package} {}", delta.text());
    }
}

fn gateway(hal: Hal, part: Part) -> Result<Gateway, String> {
    let mut limits = Limits::of(Board::Esp32C6);
    // The ledger takes gateway, network, model and queues off; what stack, static data and the radio have is gone from
    // the heap already.
    let gone = Fixed::OUTSIDE_HEAP_BYTES + Fixed::DEVICE_BYTES + Fixed::RADIO_BYTES;
    limits.total_bytes = limits.total_bytes.min((esp_alloc::HEAP.free() as u64).saturating_add(gone));
    let bus = if part == Part::Full { BusPart::AsConfigured } else { BusPart::ListenOnly };
    let events = cfg!(feature = "told");
    let boot = Boot { bus, unattended: true, events, ..Boot::new(limits, env!("CARGO_PKG_VERSION")) };
    let Booted { gateway, token, .. } = Gateway::boot(hal, boot).map_err(|error| format!("{error}"))?;
    if let Some(token) = token {
        // On USB only, once; a factory reset makes another one.
        esp_println::println!("token {}", token.as_str());
    }
    Ok(gateway)
}

fn health(gateway: &Gateway, wish: Wish, mode: Mode) -> Health {
    if matches!(wish, Wish::Warn | Wish::FactoryReset) {
        return Health::AboutToForget;
    }
    if gateway.plugins().plugins().any(|plugin| plugin.state() == PluginState::Error) {
        return Health::Fault;
    }
    match gateway.health() {
        device::Health::PluginCrashed | device::Health::PluginOverShare => Health::Fault,
        device::Health::NoBus => Health::NoBus,
        device::Health::NoNetwork => Health::SetUp,
        device::Health::Updating | device::Health::Good if mode == Mode::SetUp => Health::SetUp,
        device::Health::Updating | device::Health::Good => Health::Good,
    }
}
