//! The NMEA 2000 bus: the TWAI controller at 250 kbit/s.

mod fifo;

use alloc::boxed::Box;

use esp_hal::Blocking;
use esp_hal::gpio::interconnect::{PeripheralInput, PeripheralOutput};
use esp_hal::peripherals::TWAI0;
use esp_hal::twai::{BaudRate, EspTwaiFrame, ExtendedId, Twai, TwaiConfiguration, TwaiMode};
use skiff_board::back_off::BackOff;
use skiff_runtime::hal::{Can, CanError, CanFrame, CanState};
use skiff_runtime::time::Instant;

use crate::clock;

/// How the board takes part in the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It listens and sends nothing, not even an acknowledgement: the default.
    Listen,
    /// It sends, too.
    Full,
}

/// The bus as the core sees it.
pub struct Bus {
    twai: Twai<'static, Blocking>,
    part: Part,
    back_off: BackOff,
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
        let mut config = TwaiConfiguration::new(twai, rx, tx, BaudRate::B250K, mode);
        config.set_interrupt_handler(fifo::on_frame);
        let twai = config.start();
        fifo::listen();
        Box::new(Self { twai, part, back_off: BackOff::default() })
    }

    /// Brings a controller that went off the bus back, with pauses.
    fn recover(&mut self) {
        if self.back_off.poll(self.twai.is_bus_off(), clock::now()) {
            log::warn!("off the bus for the {}. time, coming back", self.back_off.attempts());
            self.twai.initiate_recovery();
        }
    }
}

impl Can for Bus {
    fn receive(&mut self) -> Option<(CanFrame, Instant)> {
        let next = fifo::next();
        if next.is_none() {
            self.recover();
        }
        next
    }

    fn transmit(&mut self, frame: &CanFrame) -> Result<(), CanError> {
        if self.part == Part::Listen {
            return Err(CanError::Off);
        }
        let id = ExtendedId::new(frame.id()).ok_or(CanError::Off)?;
        let frame = EspTwaiFrame::new(id, frame.data()).ok_or(CanError::Off)?;
        match self.twai.transmit(&frame) {
            Ok(()) => Ok(()),
            Err(nb::Error::WouldBlock) => Err(CanError::Full),
            Err(nb::Error::Other(_)) => Err(CanError::Off),
        }
    }

    fn state(&self) -> CanState {
        // ISO 11898-1 §12.1.4: passive from 128 on; controllers warn from 96 on.
        match self.twai.receive_error_count().max(self.twai.transmit_error_count()) {
            _ if self.twai.is_bus_off() => CanState::BusOff,
            128.. => CanState::Passive,
            96.. => CanState::Warning,
            _ => CanState::Active,
        }
    }

    fn lost(&self) -> u64 {
        fifo::lost()
    }
}
