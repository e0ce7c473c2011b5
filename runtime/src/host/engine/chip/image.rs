//! The image of a module, made in the heap.

use alloc::format;
use alloc::vec::Vec;

use skiff_engine::{Image, RefusalKind, translate, translation_heap_bytes};

use crate::budget::PluginLimits;
use crate::host::failure::{LoadError, short};
use crate::images::bounds;

/// Translates a module.
///
/// # Errors
/// [`LoadError`]: it is not valid, asks for too much, or the heap has no room for it.
pub(in crate::host) fn of(wasm: &[u8], limits: &PluginLimits) -> Result<Image, LoadError> {
    let bounds = bounds(limits);
    room_for(translation_heap_bytes(wasm, &bounds))?;
    // What is kept in flash is known by the hash of its module; this image goes with its instance.
    translate(wasm, [0; 32], &bounds).map_err(|refusal| match refusal.kind {
        RefusalKind::SegmentOutOfBounds | RefusalKind::NoRoom | RefusalKind::OutOfMemory => {
            LoadError::Instantiate(short(&refusal))
        }
        _ => LoadError::Invalid(short(&refusal)),
    })
}

/// Refuses a translation that the heap has no room for, before it begins.
fn room_for(bytes: usize) -> Result<(), LoadError> {
    let mut room: Vec<u8> = Vec::new();
    let refused = |_| LoadError::Instantiate(format!("no {bytes} bytes of memory to translate it"));
    room.try_reserve_exact(bytes).map_err(refused)
}
