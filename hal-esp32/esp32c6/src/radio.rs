//! Wi-Fi: a network that is joined, or one of our own, as a device of `smoltcp`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use esp_hal::peripherals::WIFI;
use esp_hal::time::Duration;
use esp_radio::wifi::ap::AccessPointConfig;
use esp_radio::wifi::scan::ScanConfig;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{
    AuthenticationMethod, AuthenticationMethodConfig, Config, ControllerConfig, Interface, WifiController,
};
use esp_radio::wifi::{WifiRxToken, WifiTxToken};
use skiff_board::wifi::SetupNetwork;
use skiff_runtime::device::wifi::{Seen, Station, listed};
use skiff_runtime::net::smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use skiff_runtime::net::smoltcp::time::Instant;

/// Networks that the driver is asked for: each takes some 90 bytes until the strongest are picked.
const SCANNED_MAX: usize = 32;
/// Looks at whether the search is over, and the time between them: less in all than the watchdog waits.
const LOOKS: usize = 300;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// An Ethernet frame without its check sum, bytes.
const FRAME_BYTES: usize = 1514;

/// The radio.
pub struct Radio(WifiController<'static>);

impl Radio {
    /// Starts the radio; nothing is joined or made yet.
    ///
    /// # Errors
    /// A clause that says what the driver did not do.
    pub fn start(wifi: WIFI<'static>) -> Result<Self, String> {
        // Few buffers: what is lost is sent again, and the memory is the plugins'.
        let config = ControllerConfig::default()
            .with_rx_queue_size(4)
            .with_tx_queue_size(2)
            .with_static_rx_buf_num(4)
            .with_dynamic_rx_buf_num(8)
            .with_dynamic_tx_buf_num(8)
            .with_ampdu_rx_enable(false)
            .with_ampdu_tx_enable(false);
        WifiController::new(wifi, config).map(Self).map_err(|error| format!("radio: {error:?}"))
    }

    /// Looks which networks there are; call it before [`make`](Self::make), for a radio that makes a network cannot look.
    /// None where the driver does not say.
    pub fn look(&mut self) -> Vec<Seen> {
        if let Err(error) = self.0.set_config(&Config::Station(StationConfig::default())) {
            log::warn!("looking for networks: {error:?}");
            return Vec::new();
        }
        let config = ScanConfig::default().with_max(SCANNED_MAX);
        let mut search = pin!(self.0.scan_async(&config));
        for _ in 0..LOOKS {
            match search.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Ok(found)) => {
                    let seen = found.iter().map(|network| Seen {
                        ssid: network.ssid.as_str().to_string(),
                        dbm: network.signal_strength,
                        is_open: matches!(network.auth_method, Some(AuthenticationMethod::None)),
                    });
                    return listed(seen.collect());
                }
                Poll::Ready(Err(error)) => {
                    log::warn!("looking for networks: {error:?}");
                    return Vec::new();
                }
                Poll::Pending => esp_rtos::CurrentThreadHandle::get().delay(BETWEEN_LOOKS),
            }
        }
        log::warn!("looking for networks took too long");
        Vec::new()
    }

    /// Gets ready to join a network.
    ///
    /// # Errors
    /// A clause that says what cannot be used.
    pub fn join(&mut self, station: &Station) -> Result<Card, String> {
        let failed = |error| format!("network {}: {error:?}", station.ssid);
        let authentication = match &station.password {
            Some(password) => {
                AuthenticationMethodConfig::WpaWpa2Personal(password.as_str().try_into().map_err(failed)?)
            }
            None => AuthenticationMethodConfig::Open,
        };
        let ssid = station.ssid.as_str().try_into().map_err(failed)?;
        let config = StationConfig::default().with_ssid(ssid).with_authentication(authentication);
        self.0.set_config(&Config::Station(config)).map_err(failed)?;
        Ok(Card(Interface::try_station().ok_or("the station interface is taken")?))
    }

    /// Makes a network.
    ///
    /// # Errors
    /// A clause that says what cannot be used.
    pub fn make(&mut self, setup: &SetupNetwork) -> Result<Card, String> {
        let failed = |error| format!("network {}: {error:?}", setup.ssid);
        let password = setup.password.as_str().try_into().map_err(failed)?;
        let config = AccessPointConfig::default()
            .with_ssid(setup.ssid.as_str().try_into().map_err(failed)?)
            .with_authentication(AuthenticationMethodConfig::Wpa2Personal(password))
            .with_max_connections(2);
        self.0.set_config(&Config::AccessPoint(config)).map_err(failed)?;
        Ok(Card(Interface::try_access_point().ok_or("the access point's interface is taken")?))
    }

    /// Tells whether a network is joined.
    pub fn is_joined(&self) -> bool {
        self.0.is_connected()
    }

    /// Tries to join, and does not wait: [`is_joined`](Self::is_joined) tells when it has.
    pub fn try_to_join(&mut self) {
        // The future starts the attempt when it is polled first; what it waits for is seen elsewhere.
        let attempt = pin!(self.0.connect_async());
        if let Poll::Ready(Err(error)) = attempt.poll(&mut Context::from_waker(Waker::noop())) {
            log::warn!("joining: {error:?}");
        }
    }
}

/// One interface of the radio.
pub struct Card(Interface);

impl Card {
    /// Returns its hardware address.
    pub fn address(&self) -> [u8; 6] {
        self.0.mac_address()
    }
}

impl Device for Card {
    type RxToken<'a> = Received;
    type TxToken<'a> = Free;

    fn receive(&mut self, _: Instant) -> Option<(Received, Free)> {
        self.0.receive().map(|(received, free)| (Received(received), Free(free)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Free> {
        self.0.transmit().map(Free)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME_BYTES;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}

/// A packet that arrived.
pub struct Received(WifiRxToken);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        self.0.consume_token(|packet| f(packet))
    }
}

/// Room for a packet to send.
pub struct Free(WifiTxToken);

impl phy::TxToken for Free {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        self.0.consume_token(length, f)
    }
}
