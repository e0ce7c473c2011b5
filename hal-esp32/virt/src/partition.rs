//! The data partition of the flash, filled by QEMU's loader.
//!
//! Magic `SKPART01`, then entries of kind and length (32 bits each, little-endian) and data, padded to four bytes;
//! kind 0 ends it. Everything is read in place.

const MAGIC: &[u8; 8] = b"SKPART01";

unsafe extern "C" {
    static _partition_start: u8;
    static _partition_end: u8;
}

/// Visits kind and data of the entries; none where the magic is missing.
pub fn entries() -> impl Iterator<Item = (u32, &'static [u8])> + use<> {
    let start = &raw const _partition_start;
    let size = (&raw const _partition_end).addr() - start.addr();
    // SAFETY: link.x gives the range to the partition, and the flash is read-only from the start on.
    let bytes = unsafe { core::slice::from_raw_parts(start, size) };
    let mut rest = bytes.strip_prefix(MAGIC).unwrap_or_default();
    core::iter::from_fn(move || {
        let (kind, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (kind, length) = (u32::from_le_bytes(*kind), u32::from_le_bytes(*length) as usize);
        if kind == 0 {
            return None;
        }
        let data = after.get(..length)?;
        rest = after.get(length.checked_next_multiple_of(4)?..)?;
        Some((kind, data))
    })
}
