//! The network card: virtio-net as a device of `smoltcp`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use skiff_runtime::net::smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use skiff_runtime::net::smoltcp::time::Instant;
use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::transport::DeviceType;
use virtio_drivers::transport::mmio::MmioTransport;

use super::virtio::{self, Memory};

/// Descriptors of each queue.
const QUEUE: usize = 4;
/// Packets that can arrive between two polls.
const RECEIVE_SLOTS: usize = 4;
/// Packets on their way out.
const TRANSMIT_SLOTS: usize = 2;
/// An Ethernet frame without its check sum, bytes.
const FRAME_BYTES: usize = 1514;
/// A frame and virtio's header of 12 bytes before it.
const SLOT_BYTES: usize = FRAME_BYTES + 14;

/// A buffer. While it has a token it belongs to the device and nobody looks at its bytes.
struct Slot {
    token: Option<u16>,
    /// Bytes handed to the device.
    given: usize,
    bytes: [u8; SLOT_BYTES],
}

impl Slot {
    const fn new() -> Self {
        Self { token: None, given: 0, bytes: [0; SLOT_BYTES] }
    }
}

type Raw = VirtIONetRaw<Memory, MmioTransport<'static>, QUEUE>;

/// The card. Its buffers never move: they are boxed, and the device knows where they are.
pub struct Card {
    raw: Raw,
    receive: Box<[Slot; RECEIVE_SLOTS]>,
    transmit: Box<[Slot; TRANSMIT_SLOTS]>,
}

impl Card {
    /// Takes the card that is plugged in.
    ///
    /// # Errors
    /// A clause that says that there is none, or what it did not do.
    pub fn open() -> Result<Self, String> {
        let transport = virtio::find(DeviceType::Network).ok_or("there is no network card")?;
        let raw = Raw::new(transport).map_err(|error| format!("network card: {error}"))?;
        let (receive, transmit) = (Box::new([const { Slot::new() }; 4]), Box::new([const { Slot::new() }; 2]));
        let mut card = Self { raw, receive, transmit };
        card.raw.enable_interrupts();
        card.offer();
        Ok(card)
    }

    /// Returns its hardware address.
    pub fn address(&self) -> [u8; 6] {
        self.raw.mac_address()
    }

    /// Gives the device all receive buffers that it does not have.
    fn offer(&mut self) {
        for slot in self.receive.iter_mut().filter(|slot| slot.token.is_none()) {
            // SAFETY: the slot has a token from now on, so nobody touches its bytes until `collect` got it back; it
            // does not move, and `Card` is dropped only with the device's queues.
            slot.token = unsafe { self.raw.receive_begin(&mut slot.bytes) }.ok();
        }
    }

    /// Takes sent buffers back.
    fn collect_sent(&mut self) {
        while let Some(token) = self.raw.poll_transmit() {
            let Some(slot) = self.transmit.iter_mut().find(|slot| slot.token == Some(token)) else { return };
            // SAFETY: this is the buffer that was handed over for the token, with the same length.
            let done = unsafe { self.raw.transmit_complete(token, &slot.bytes[..slot.given]) };
            slot.token = None;
            if done.is_err() {
                return;
            }
        }
    }
}

impl Device for Card {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Free<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Free<'_>)> {
        // What waited for an interrupt is looked at now.
        self.raw.ack_interrupt();
        self.collect_sent();
        self.offer();
        let free = self.transmit.iter_mut().find(|slot| slot.token.is_none())?;
        let token = self.raw.poll_receive()?;
        let slot = self.receive.iter_mut().find(|slot| slot.token == Some(token))?;
        // SAFETY: this is the buffer that was handed over for the token.
        let got = unsafe { self.raw.receive_complete(token, &mut slot.bytes) };
        slot.token = None;
        let (header, length) = got.ok()?;
        let packet = slot.bytes.get(header..header.checked_add(length)?)?;
        Some((Received(packet), Free { raw: &mut self.raw, slot: free }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Free<'_>> {
        self.collect_sent();
        let slot = self.transmit.iter_mut().find(|slot| slot.token.is_none())?;
        Some(Free { raw: &mut self.raw, slot })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME_BYTES;
        capabilities.max_burst_size = Some(TRANSMIT_SLOTS);
        capabilities
    }
}

/// A packet that arrived.
pub struct Received<'c>(&'c [u8]);

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Room for a packet to send.
pub struct Free<'c> {
    raw: &'c mut Raw,
    slot: &'c mut Slot,
}

impl phy::TxToken for Free<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        // The header fits: a slot is longer than it.
        let header = self.raw.fill_buffer_header(&mut self.slot.bytes).unwrap_or(0);
        // The stack keeps to `max_transmission_unit`, for which the slot has room.
        let end = header + length;
        let result = f(&mut self.slot.bytes[header..end]);
        self.slot.given = end;
        // SAFETY: the slot has a token from now on, so nobody touches its bytes until `collect_sent` got it back; it
        // does not move, and `Card` is dropped only with the device's queues.
        self.slot.token = unsafe { self.raw.transmit_begin(&self.slot.bytes[..end]) }.ok();
        result
    }
}
