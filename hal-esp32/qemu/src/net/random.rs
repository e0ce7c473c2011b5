//! Randomness: seeded from virtio's entropy device, stretched by ChaCha20.

use alloc::format;
use alloc::string::String;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use skiff_runtime::hal::Rng;
use virtio_drivers::device::rng::VirtIORng;
use virtio_drivers::transport::DeviceType;

use super::virtio::{self, Memory};

/// Requests after which a device that gives nothing is given up.
const TRIES: usize = 64;

/// The board's randomness.
#[derive(Clone)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// Takes a seed from the device that is plugged in, which is not needed afterwards.
    ///
    /// # Errors
    /// A clause that says that there is none, or what it did not do. Without it there would be no secret token.
    pub fn open() -> Result<Self, String> {
        let transport = virtio::find(DeviceType::EntropySource).ok_or("there is no entropy device")?;
        let mut device = VirtIORng::<Memory, _>::new(transport).map_err(|error| format!("entropy device: {error}"))?;
        let mut seed = [0; 32];
        let mut filled = 0;
        for _ in 0..TRIES {
            if filled >= seed.len() {
                return Ok(Self(ChaCha20Rng::from_seed(seed)));
            }
            filled +=
                device.request_entropy(&mut seed[filled..]).map_err(|error| format!("entropy device: {error}"))?;
        }
        Err("the entropy device gives nothing".into())
    }

    /// Returns a seed for the network stack.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }
}

impl Rng for Random {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill_bytes(buffer);
    }
}
