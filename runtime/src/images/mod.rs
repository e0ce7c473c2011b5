//! Images of the engine for chips: made at installation, kept in flash, run where they lie.
//!
//! A module is translated once ([`Installation`]), into the area of images of the storage below ([`Images`](crate::hal::Images)), and
//! found again at each start ([`open`]) by what it was made of: the module's hash, the version of the engine, the limits. So another
//! firmware with another engine makes it again. What lies there was made by this machine: no other way leads there, and
//! its sums are looked at whenever it is opened.
//!
//! ```text
//!  module ─► hash ─► is it there? ─► measure ─► room ─► write ─► head ─► open ─► Held
//!                        └──────────────────────────────────────────────┘
//! ```
//!
//! Where a storage has no such area the image is made in RAM (Linux, tests).

mod installation;
mod predict;
mod share;
mod terms;
#[cfg(all(test, feature = "flash"))]
mod tests;

use alloc::format;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use skiff_engine::{ENGINE_VERSION, Image, Limits};

use crate::hal::{IMAGES_MADE, Key, Lease, Storage};

pub use installation::{Installation, Progress, Refused};
pub use predict::{Doubt, Prediction, Start, Trial, predict, try_start};
pub use share::{Share, Taken};
pub(crate) use terms::least_bytes;
pub use terms::{bounds, heap_bytes, quota};

/// SHA-256 of a module: what its image is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleHash(pub [u8; 32]);

impl ModuleHash {
    /// Hashes a module at once; [`Installation`] does it piece by piece.
    #[must_use]
    pub fn of(wasm: &[u8]) -> Self {
        Self(Sha256::digest(wasm).into())
    }
}

/// Half of a hash names a record; the image has all of it.
const NAMED_BYTES: usize = 16;
/// Bytes that are read at a time where nothing is read in place.
const PIECE_BYTES: usize = 256;

/// An image, and what keeps it where it lies. The lease must be kept as long as anything runs the image.
#[derive(Clone, Debug)]
pub struct Held {
    /// The image, its sums looked at.
    pub image: Image,
    /// `None` for one in RAM.
    pub lease: Option<Lease>,
}

/// Returns what an image is found by.
fn key(module: &ModuleHash, limits: &Limits) -> Option<Key> {
    let mut name = format!("{IMAGES_MADE}{ENGINE_VERSION}-{:08x}-", limits.fingerprint());
    for byte in module.0.iter().take(NAMED_BYTES) {
        name.push_str(&format!("{byte:02x}"));
    }
    Key::parse(&name).ok()
}

/// Returns the image of a module as it lies in the storage, its sums looked at; `None` where there is none of this engine and
/// these limits. A damaged one is removed.
pub fn open(storage: &mut dyn Storage, module: &ModuleHash, limits: &Limits) -> Option<Held> {
    let key = key(module, limits)?;
    let held = match storage.images()?.image(&key) {
        Some(mapped) => {
            let (bytes, lease) = mapped.into_parts();
            Image::in_flash(bytes).map(|image| Held { image, lease: Some(lease) })
        }
        None => Image::owned(read(storage, &key, limits)?).map(|image| Held { image, lease: None }),
    };
    match held {
        Ok(held) if held.image.is_of(&module.0, limits) => Some(held),
        other => {
            let why = other.err();
            log::warn!("images: {key} is not what was written ({why:?}), it is made again");
            // Where that fails a new one takes its place all the same.
            let _ = storage.remove(&key);
            None
        }
    }
}

/// Reads an image into RAM, piece by piece.
fn read(storage: &mut dyn Storage, key: &Key, limits: &Limits) -> Option<Vec<u32>> {
    let bytes = storage.len(key).ok()?;
    let count = bytes / 4;
    if count > limits.image_words_max {
        return None;
    }
    let mut words = Vec::new();
    words.try_reserve_exact(count as usize).ok()?;
    let mut piece = [0; PIECE_BYTES];
    while words.len() < count as usize {
        let at = u32::try_from(words.len()).ok()?.checked_mul(4)?;
        let wanted = bytes.saturating_sub(at).min(PIECE_BYTES as u32) as usize;
        let piece = piece.get_mut(..wanted)?;
        if storage.read(key, at, piece).ok()? != wanted {
            return None;
        }
        words.extend(piece.chunks_exact(4).filter_map(|word| word.first_chunk()).map(|word| u32::from_le_bytes(*word)));
    }
    Some(words)
}

/// Removes images that belong to none of these modules, or to another engine or limits: at a start, once it is known what
/// is installed. What is read in place stays until nobody reads it. Returns how many went.
pub fn prune(storage: &mut dyn Storage, wanted: &[ModuleHash], limits: &Limits) -> usize {
    let keep: Vec<Key> = wanted.iter().filter_map(|module| key(module, limits)).collect();
    let mut others: heapless::Vec<Key, PRUNED_MAX> = heapless::Vec::new();
    let listed = storage.list(IMAGES_MADE, &mut |key, _| {
        if !keep.contains(key) && others.push(key.clone()).is_err() {
            return core::ops::ControlFlow::Break(());
        }
        core::ops::ControlFlow::Continue(())
    });
    if listed.is_err() {
        return 0;
    }
    others.iter().filter(|key| storage.remove(key).is_ok()).count()
}

/// Images that go at one start; those beyond go at the next.
const PRUNED_MAX: usize = 8;
