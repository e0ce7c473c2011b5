//! The NMEA 2000 bus: the TWAI controller at 250 kbit/s.
//!
//! esp-hal sets up pins, bit timing and filter; what the controller is told after that is `skiff_board::twai`, which is
//! tested on Linux.

mod fifo;

use alloc::boxed::Box;

use esp_hal::Blocking;
use esp_hal::gpio::interconnect::{PeripheralInput, PeripheralOutput};
use esp_hal::peripherals::TWAI0;
use esp_hal::twai::{BaudRate, Twai, TwaiConfiguration, TwaiMode};
use skiff_board::twai::{Controller, Part};
use skiff_runtime::hal::{Can, CanError, CanFrame, CanState};
use skiff_runtime::time::Instant;

use fifo::Chip;

/// The bus as the core sees it.
pub struct Bus {
    /// Keeps clock and pins of the controller.
    _twai: Twai<'static, Blocking>,
    controller: Controller<Chip>,
}

impl Bus {
    /// Opens the controller.
    pub fn open(
        twai: TWAI0<'static>,
        rx: impl PeripheralInput<'static>,
        tx: impl PeripheralOutput<'static>,
        part: Part,
    ) -> Box<Self> {
        let mode = if part == Part::Full { TwaiMode::Normal } else { TwaiMode::ListenOnly };
        let twai = TwaiConfiguration::new(twai, rx, tx, BaudRate::B250K, mode).start();
        fifo::listen();
        Box::new(Self { _twai: twai, controller: Controller::new(Chip, part) })
    }
}

impl Can for Bus {
    fn receive(&mut self) -> Option<(CanFrame, Instant)> {
        fifo::next()
    }

    fn transmit(&mut self, frame: &CanFrame) -> Result<(), CanError> {
        self.controller.transmit(frame)
    }

    fn state(&self) -> CanState {
        self.controller.state()
    }

    fn restart(&mut self) {
        // The core asks, with pauses that grow.
        self.controller.restart();
    }

    fn lost(&self) -> u64 {
        fifo::lost()
    }
}
