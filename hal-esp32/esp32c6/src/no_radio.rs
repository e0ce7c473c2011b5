//! No radio, for an emulated chip: a card that hears nothing and whose packets nobody gets.

use alloc::string::String;
use alloc::vec::Vec;

use esp_hal::peripherals::{ADC1, RNG, WIFI};
use esp_hal::rng::TrngSource;
use skiff_board::wifi::SetupNetwork;
use skiff_runtime::device::wifi::{Seen, Station};
use skiff_runtime::net::smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use skiff_runtime::net::smoltcp::time::Instant;

/// An Ethernet frame without its check sum, bytes.
const FRAME_BYTES: usize = 1514;

/// What stands for the radio.
pub struct Radio {
    /// Its noise feeds the random numbers where no radio does.
    _noise: TrngSource<'static>,
}

impl Radio {
    /// Starts nothing but the converter whose noise feeds the random numbers.
    ///
    /// # Errors
    /// None.
    pub fn start(_: WIFI<'static>) -> Result<Self, String> {
        // SAFETY: this firmware has no other use for the generator.
        let generator = unsafe { RNG::steal() };
        // SAFETY: nor for the converter.
        let converter = unsafe { ADC1::steal() };
        Ok(Self { _noise: TrngSource::new(generator, converter) })
    }

    /// Finds no network.
    pub fn look(&mut self) -> Vec<Seen> {
        Vec::new()
    }

    /// Joins nothing.
    ///
    /// # Errors
    /// None.
    pub fn join(&mut self, _: &Station) -> Result<Card, String> {
        Ok(Card)
    }

    /// Makes nothing.
    ///
    /// # Errors
    /// None.
    pub fn make(&mut self, _: &SetupNetwork) -> Result<Card, String> {
        Ok(Card)
    }

    /// Is never joined.
    pub fn is_joined(&self) -> bool {
        false
    }

    /// Never joins.
    pub fn try_to_join(&mut self) {}
}

/// A card without a cable.
pub struct Card;

impl Card {
    /// Returns its hardware address: the chip's.
    pub fn address(&self) -> [u8; 6] {
        esp_hal::efuse::base_mac_address().as_bytes().first_chunk().copied().unwrap_or_default()
    }
}

impl Device for Card {
    type RxToken<'a> = Never;
    type TxToken<'a> = Lost;

    fn receive(&mut self, _: Instant) -> Option<(Never, Lost)> {
        None
    }

    fn transmit(&mut self, _: Instant) -> Option<Lost> {
        Some(Lost)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME_BYTES;
        capabilities.max_burst_size = Some(1);
        capabilities
    }
}

/// A packet that never arrives.
pub enum Never {}

impl phy::RxToken for Never {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, _: F) -> R {
        match self {}
    }
}

/// A packet that nobody gets.
pub struct Lost;

impl phy::TxToken for Lost {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        f(&mut alloc::vec![0; length])
    }
}
