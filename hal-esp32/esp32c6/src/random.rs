//! Randomness: the generator of the chip, which is fed by noise while the radio runs (esp-hal, `rng`).

use skiff_runtime::hal::Rng;

/// The generator; made once the radio runs.
pub struct Random(esp_hal::rng::Trng);

impl Random {
    /// Takes the generator; `None` while nothing feeds it.
    pub fn open() -> Option<Self> {
        esp_hal::rng::Trng::try_new().ok().map(Self)
    }

    /// Returns a number for the network stack.
    pub fn seed(&mut self) -> u64 {
        u64::from(self.0.random()) << 32 | u64::from(self.0.random())
    }
}

impl Rng for Random {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0.read(buffer);
    }
}
