//! The memory of an instance in the ledger: reserved at once, or promised and taken bit by bit.

use super::version::Version;
use crate::budget::{Ledger, Reservation};
#[cfg(feature = "engine-chip")]
use crate::hal::Lease;
use crate::host::{Instance, PREDICTED_ROW_BYTES};
#[cfg(feature = "engine-chip")]
use crate::images::{Share, Taken};

/// Its bytes.
pub(super) enum Memory {
    /// All that was predicted, and what its linear memory has grown by.
    Reserved(Reservation),
    /// What the engine for chips takes by the kilobyte.
    #[cfg(feature = "engine-chip")]
    Promised(Promised),
}

/// A share, and what was last taken of it.
#[cfg(feature = "engine-chip")]
pub(super) struct Promised {
    share: Share,
    /// Bytes of its image, where that lies in the heap.
    image_bytes: u64,
    taken: Option<Taken>,
    /// What it was last allowed to hold in all, bytes.
    allowed: u64,
    /// Keeps the image where it lies.
    _lease: Option<Lease>,
}

#[cfg(feature = "engine-chip")]
impl Promised {
    pub(super) fn new(share: Share, image_bytes: u64, lease: Option<Lease>) -> Self {
        Self { share, image_bytes, taken: None, allowed: u64::MAX, _lease: lease }
    }
}

impl Memory {
    /// Returns the bytes that are reserved.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Reserved(reservation) => reservation.bytes(),
            #[cfg(feature = "engine-chip")]
            Self::Promised(promised) => promised.share.reserved(),
        }
    }

    /// Returns what it holds of them; `None` where that cannot be told.
    #[cfg(feature = "engine-chip")]
    pub(super) fn used(&self) -> Option<u64> {
        match self {
            Self::Reserved(_) => None,
            Self::Promised(promised) => promised.taken.map(|taken| taken.used),
        }
    }

    /// Returns how much more it may take, bytes; `None` where its linear memory alone is bounded.
    #[cfg(feature = "engine-chip")]
    fn left(&self) -> Option<u64> {
        match self {
            Self::Reserved(_) => None,
            Self::Promised(promised) => Some(promised.allowed.saturating_sub(self.used()?)),
        }
    }

    /// Lets an instance take, before a slice, what nobody else was promised: all plugins together never take more than the
    /// board has.
    pub(super) fn allow(&mut self, instance: &mut Instance, ledger: &Ledger) {
        match self {
            Self::Reserved(_) => instance.allow_growth(ledger.free()),
            #[cfg(feature = "engine-chip")]
            Self::Promised(promised) => {
                promised.allowed = promised.share.allowed(ledger);
                instance.allow_share(&promised.share, promised.image_bytes, ledger);
            }
        }
    }

    /// Notes after a slice what it holds; `heap_bytes` is what was predicted for it beside its linear memory.
    pub(super) fn note(&mut self, instance: &Instance, heap_bytes: u64) {
        match self {
            Self::Reserved(reservation) => {
                let usage = instance.usage();
                reservation.resize(
                    heap_bytes
                        .saturating_add(usage.linear_bytes)
                        .saturating_add(usage.file_bytes)
                        .saturating_add(usage.row_bytes.saturating_sub(PREDICTED_ROW_BYTES)),
                );
            }
            #[cfg(feature = "engine-chip")]
            Self::Promised(promised) => {
                promised.taken = instance.note_share(&mut promised.share, promised.image_bytes);
            }
        }
    }
}

impl Version {
    /// Returns what its instance may fill, bytes: its linear memory, or less where that is all it gets.
    pub(super) fn ceiling(&self) -> u64 {
        let linear = self.facts.as_ref().map_or(u64::MAX, |facts| facts.linear_bytes_max(&self.limits));
        #[cfg(feature = "engine-chip")]
        if let Some(live) = self.life.live()
            && let Some((filled, left)) = live.instance.filled_bytes().zip(live.memory.left())
        {
            return linear.min(filled.saturating_add(left));
        }
        linear
    }
}
