//! Puts the gateway together and runs it.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use core::cell::RefCell;
use core::convert::Infallible;
use core::net::{Ipv4Addr, SocketAddr};

use embedded_storage::nor_flash::NorFlash;
use esp_hal::gpio::{Input, Output};
use esp_hal::peripherals::{FLASH, GPIO4, GPIO5, TWAI0, WIFI};
use esp_hal::rtc_cntl::Rtc;
use esp_hal::time::Duration;
use skiff_board::button::{Button, Wish};
use skiff_board::clock::BusClock;
use skiff_board::light::{self, Health};
use skiff_board::trial::{Signs, Trial, Verdict};
use skiff_board::wifi::{Action, Mode, Plan, Setup as SetupNetwork, Station};
use skiff_runtime::budget::{Board, Fixed, Limits, NetLimits};
use skiff_runtime::carrier::{Carrier, CarrierLimits};
use skiff_runtime::config::{ConfigError, Identity, Settings};
use skiff_runtime::flash::FlashStorage;
use skiff_runtime::gateway::{Gateway, Setup};
use skiff_runtime::hal::{CanPort, Hal};
use skiff_runtime::net::{self, Addressing, SmolNet, StaticAddress};
use skiff_runtime::package::store;
use skiff_runtime::plugin::{Enabled, State};
use skiff_runtime::server::Access;

use crate::bus::{Bus, Part};
use crate::clock::{self, BoardClock};
use crate::flash::{BoardFlash, layout};
use crate::radio::Radio;
use crate::random::Random;
use crate::storage::{BoardStorage, Shared};
use crate::{mode, update};

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
    let mut storage = mount(flash)?;
    let mut radio = Radio::start(wifi)?;
    let mut random = Random::open().ok_or("nothing feeds the random numbers")?;
    let station = Station::load(&mut Shared(storage.clone()));
    let mode = Mode::choose(station.is_some(), mode::asked());
    let (card, addressing) = match (&station, mode) {
        (Some(station), Mode::Join) => (radio.join(station)?, Addressing::Dhcp),
        _ => {
            let address = esp_hal::efuse::base_mac_address();
            let address = address.as_bytes().first_chunk().copied().unwrap_or_default();
            let setup = SetupNetwork::of(address, &mut Shared(storage.clone()), &mut random)
                .map_err(|error| format!("password of the own network: {error}"))?;
            // On USB only: the log can be read over the network.
            esp_println::println!("network {} password {}", setup.ssid, setup.password);
            let address: StaticAddress = OWN_ADDRESS.parse().map_err(|error| format!("{OWN_ADDRESS}: {error}"))?;
            (radio.make(&setup)?, Addressing::Static(address))
        }
    };
    let time = Rc::new(RefCell::new(BusClock::default()));
    let bus = Bus::open(twai, twai_rx, twai_tx, Part::Listen, time.clone());
    let limits = NetLimits::of(Board::Esp32C6);
    let setup = net::Setup { limits, hardware_address: card.address(), addressing, seed: random.seed() };
    let network = SmolNet::new(card, &setup, clock::now());
    let hal = Hal {
        clock: Box::new(BoardClock(time)),
        rng: Box::new(random),
        storage: Box::new(Shared(storage.clone())),
        network: Some(Box::new(network)),
        fetch: None,
        serial: None,
        can: vec![CanPort { label: LABEL.into(), can: bus }],
    };
    let mut gateway = gateway(hal)?;
    let server = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), PORT);
    let carrier_limits = CarrierLimits::new(&limits, &Limits::of(Board::Esp32C6));
    let mut carrier = Carrier::listen(&mut gateway, server, carrier_limits).map_err(|error| format!("{error}"))?;
    log::info!("heap: {} bytes free", esp_alloc::HEAP.free());

    let mut trial = Trial::begin(update::is_new(storage.borrow_mut().flash().raw()), clock::now());
    let mut plan = Plan::begin(mode, station.is_some(), clock::now());
    let mut watched = Button::default();
    loop {
        let (polled, carried) = (gateway.poll(), carrier.poll(&mut gateway));
        rtc.rwdt.feed();
        let now = clock::now();
        let joined = mode == Mode::Join && radio.is_joined();
        let in_use = joined || mode == Mode::SetUp && carrier.connections() > 0;
        match plan.poll(in_use, now) {
            Action::None => {}
            Action::Join => radio.try_to_join(),
            Action::Restart(next) => mode::restart_in(next),
        }
        let signs = Signs { storage: true, network: joined || mode == Mode::SetUp, server: true };
        match trial.poll(signs, now) {
            Verdict::Wait => {}
            Verdict::Confirm => {
                update::judge(storage.borrow_mut().flash().raw(), true)?;
                log::info!("this firmware stays");
            }
            Verdict::RollBack => {
                update::judge(storage.borrow_mut().flash().raw(), false)?;
                return Err("this firmware does not work here, the one before comes back".into());
            }
        }
        let wish = watched.poll(button.is_low(), now);
        if wish == Wish::FactoryReset {
            forget(&mut storage)?;
            mode::restart();
        }
        led.set_level(light::is_on(health(&gateway, wish, mode), now).into());
        if !polled.busy && !carried.busy {
            // The scheduler's other tasks, the radio's, have their turn; the next interrupt ends the wait.
            esp_rtos::CurrentThreadHandle::get().delay(PAUSE);
        }
    }
}

/// Mounts the storage; one that cannot be read is erased, for there is no other way in.
fn mount(flash: FLASH<'static>) -> Result<BoardStorage, String> {
    let storage = FlashStorage::mount_or_format(BoardFlash::open(flash), &layout());
    storage.map(|storage| Rc::new(RefCell::new(storage))).map_err(|error| format!("storage: {error}"))
}

/// Erases configuration, plugins, networks and the token.
fn forget(storage: &mut BoardStorage) -> Result<(), String> {
    log::warn!("everything is forgotten");
    let range = layout().records;
    NorFlash::erase(storage.borrow_mut().flash(), range.start, range.end).map_err(|error| format!("{error:?}"))
}

fn gateway(mut hal: Hal) -> Result<Gateway, String> {
    let told = |error: ConfigError| format!("{error}");
    let settings = Settings::load(&mut *hal.storage).map_err(told)?;
    let identity = Identity::open_or_create(&mut *hal.storage, &mut *hal.rng, settings.vessel.uuid.as_deref());
    let (access, token) = Access::open_or_create(&mut *hal.storage, &mut *hal.rng).map_err(told)?;
    if let Some(token) = token {
        // On USB only, once; a factory reset makes another one.
        esp_println::println!("token {}", token.as_str());
    }
    let mut limits = Limits::of(Board::Esp32C6);
    // The ledger takes gateway, network, model and queues off; what stack, static data and the radio have is gone from
    // the heap already.
    let gone = Fixed::OUTSIDE_HEAP_BYTES + Fixed::DEVICE_BYTES + Fixed::RADIO_BYTES;
    limits.total_bytes = limits.total_bytes.min((esp_alloc::HEAP.free() as u64).saturating_add(gone));
    let setup = Setup {
        limits,
        vessel: settings.vessel,
        self_context: identity.map_err(told)?.self_context(),
        access,
        strict: false,
        version: env!("CARGO_PKG_VERSION"),
        events: false,
        poll_on_whole_seconds: false,
    };
    let packages = store::load_all(&mut *hal.storage, u32::try_from(limits.unpacked_bytes_max).unwrap_or(u32::MAX));
    let mut gateway = Gateway::new(setup, hal);
    gateway.reserve_network();
    for (id, package) in packages {
        match package {
            Ok(package) => {
                if let Err(error) = gateway.install(package, Enabled::Always { config: None }) {
                    log::warn!("{id}: {error}");
                }
            }
            Err(error) => log::warn!("{id}: {error}"),
        }
    }
    Ok(gateway)
}

fn health(gateway: &Gateway, wish: Wish, mode: Mode) -> Health {
    let is_broken = |plugin: &skiff_runtime::plugin::Plugin| matches!(plugin.state(), State::Error | State::Crashed);
    match (wish, mode) {
        (Wish::Warn | Wish::FactoryReset, _) => Health::AboutToForget,
        _ if gateway.plugins().plugins().any(is_broken) => Health::Fault,
        (_, Mode::SetUp) => Health::SetUp,
        _ => Health::Good,
    }
}
