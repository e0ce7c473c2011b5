//! Records and images as one [`Storage`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

use super::head::{HEAD_BYTES_MAX, Head, HeadError, ItemKey, NameHash, PIECE_HEADER_BYTES, pieces};
use super::images::{Area, Run, sectors};
use super::made::Made;
use super::map::{Map, item_bytes, usable_bytes};
use super::{Flash, IMAGES, Layout, PIECE_BYTES, RECORD_BYTES_MAX, RECORDS_MAX, SECTOR_BYTES};
use crate::crc32::{Crc32, crc32};
use crate::hal::{Capacity, Key, Lease, Mapped, Storage, StorageError};

/// Pieces without a head that are looked up at once when a storage is mounted.
const ORPHANS_AT_ONCE: usize = 32;

/// Why a flash cannot be used as storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MountError {
    /// The layout is not of whole sectors, overlaps, or does not fit the flash.
    Layout,
    /// Reading, writing or erasing failed, or what lies there is none of ours and cannot be repaired.
    Failed,
}

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Layout => "the layout does not fit the flash",
            Self::Failed => "the flash failed or holds something else",
        })
    }
}

impl core::error::Error for MountError {}

/// Where the content of a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Pieces,
    Image(u16),
    /// A later firmware wrote it.
    Unknown,
}

/// The part of each record that is kept in RAM.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: NameHash,
    name_bytes: u8,
    pub(super) generation: u32,
    pub(super) bytes: u32,
    crc: u32,
    place: Place,
    pub(super) made: Made,
}

impl Entry {
    fn of(head: &Head<'_>) -> Self {
        let place = head.sector.map_or(Place::Pieces, Place::Image);
        Self {
            name: NameHash::default(),
            name_bytes: u8::try_from(head.name.len()).unwrap_or(u8::MAX),
            generation: head.generation,
            bytes: head.bytes,
            crc: head.crc,
            place,
            made: Made::of(head.name),
        }
    }

    pub(super) fn run(&self) -> Option<Run> {
        match self.place {
            Place::Image(sector) => Some(sector..sector.saturating_add(sectors(self.bytes))),
            Place::Pieces | Place::Unknown => None,
        }
    }

    /// Bytes it takes in the area of records.
    pub(super) fn record_bytes(&self) -> u32 {
        let head = item_bytes(1 + 2 + usize::from(self.name_bytes) + 3 * 5 + 4);
        match self.place {
            Place::Pieces => head.saturating_add(pieces_bytes(self.bytes)),
            Place::Image(_) | Place::Unknown => head,
        }
    }
}

/// Bytes that the pieces of `bytes` of content take in the area of records.
fn pieces_bytes(bytes: u32) -> u32 {
    let full = item_bytes(PIECE_HEADER_BYTES + PIECE_BYTES);
    let rest = (bytes as usize) % PIECE_BYTES;
    let last = if rest > 0 { item_bytes(PIECE_HEADER_BYTES + rest) } else { 0 };
    (bytes / PIECE_BYTES as u32).saturating_mul(full).saturating_add(last)
}

fn is_image(key: &Key) -> bool {
    key.as_str().starts_with(IMAGES)
}

/// Storage in NOR flash.
pub struct FlashStorage<F: Flash> {
    pub(super) map: Map<F>,
    pub(super) area: Area,
    /// Bytes of items the area of records is sure to take.
    usable: u32,
    pub(super) entries: Vec<Entry>,
    generation: u32,
    /// A write failed half-way: what is in RAM is read again before anything else.
    stale: bool,
}

impl<F: Flash> fmt::Debug for FlashStorage<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlashStorage").field("usable", &self.usable).field("entries", &self.entries.len()).finish()
    }
}

impl<F: Flash> FlashStorage<F> {
    /// Reads what lies in the flash and clears away what a power cut left half written. An erased flash is an empty
    /// storage.
    ///
    /// # Errors
    /// [`MountError`]; nothing was erased then that can be read, and [`format`](Self::format) is the way out.
    pub fn mount(flash: F, layout: &Layout) -> Result<Self, MountError> {
        let mut storage = Self::over(flash, layout)?;
        storage.read_heads().map_err(|_| MountError::Failed)?;
        Ok(storage)
    }

    /// Mounts, and erases everything where nothing can be read: a board has no other way to be used again.
    ///
    /// # Errors
    /// [`MountError`] when the layout or the flash does not allow it.
    pub fn mount_or_format(flash: F, layout: &Layout) -> Result<Self, MountError> {
        let mut storage = Self::over(flash, layout)?;
        if storage.read_heads().is_err() {
            log::error!("flash: nothing can be read, it is erased");
            storage.map.format().map_err(|_| MountError::Failed)?;
            storage.read_heads().map_err(|_| MountError::Failed)?;
        }
        Ok(storage)
    }

    /// Erases everything, for a first start or a factory reset.
    ///
    /// # Errors
    /// [`MountError`] when the layout or the flash does not allow it.
    pub fn format(flash: F, layout: &Layout) -> Result<Self, MountError> {
        let mut storage = Self::over(flash, layout)?;
        // Images without a head are free: only the records need be erased.
        storage.map.format().map_err(|_| MountError::Failed)?;
        Ok(storage)
    }

    /// Returns the flash, for what lies beside the two areas; what is written to them is not noticed.
    pub fn flash(&mut self) -> &mut F {
        self.map.flash().0
    }

    fn over(flash: F, layout: &Layout) -> Result<Self, MountError> {
        let words = F::WRITE_SIZE <= 4 && F::READ_SIZE <= 4 && F::ERASE_SIZE == SECTOR_BYTES as usize;
        if !words || !layout.is_sound(embedded_storage::nor_flash::ReadNorFlash::capacity(&flash)) {
            return Err(MountError::Layout);
        }
        let map = Map::new(flash, layout.records.clone()).ok_or(MountError::Layout)?;
        let usable = usable_bytes(layout.records.end.saturating_sub(layout.records.start) / SECTOR_BYTES);
        Ok(Self { map, area: Area::new(layout), usable, entries: Vec::new(), generation: 0, stale: false })
    }

    /// Reads all heads, then removes pieces that belong to none.
    fn read_heads(&mut self) -> Result<(), StorageError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut generation = 0;
        self.map.repair()?;
        let (mut damaged, mut unknown, mut too_many) = (0_u32, 0_u32, false);
        self.map.visit(&mut |key, value| {
            if key.as_piece().is_some() {
                return;
            }
            let entry = match Head::read(value) {
                Ok(head) if Key::parse(head.name).is_ok_and(|name| NameHash::of(&name) == key.name) => {
                    Entry { name: key.name, ..Entry::of(&head) }
                }
                Err(HeadError::Version) => {
                    unknown = unknown.saturating_add(1);
                    let none = Head { name: "", generation: 0, bytes: 0, crc: 0, sector: None };
                    Entry { name: key.name, place: Place::Unknown, ..Entry::of(&none) }
                }
                _ => {
                    damaged = damaged.saturating_add(1);
                    return;
                }
            };
            generation = generation.max(entry.generation);
            let has_room = entries.len() < RECORDS_MAX;
            match entries.iter_mut().find(|other| other.name == entry.name) {
                Some(other) => *other = entry,
                None if has_room => entries.push(entry),
                None => too_many = true,
            }
        })?;
        if damaged > 0 {
            log::warn!("flash: {damaged} records are damaged and left out");
        }
        self.generation = generation;
        self.entries = entries;
        self.stale = false;
        // Pieces whose head cannot be read here may be whole for another firmware.
        if unknown == 0 && damaged == 0 && !too_many { self.remove_orphans() } else { Ok(()) }
    }

    fn remove_orphans(&mut self) -> Result<(), StorageError> {
        let mut removed = 0_usize;
        loop {
            let mut orphans: heapless::Vec<ItemKey, ORPHANS_AT_ONCE> = heapless::Vec::new();
            let entries = &self.entries;
            self.map.visit(&mut |key, _| {
                let Some((parity, index)) = key.as_piece() else { return };
                let belongs = entries.iter().find(|entry| entry.name == key.name).is_some_and(|entry| {
                    entry.place == Place::Pieces
                        && entry.generation & 1 == parity
                        && index < u32::from(pieces(entry.bytes))
                });
                if !belongs && !orphans.contains(&key) {
                    // Those beyond are found in the next round.
                    let _ = orphans.push(key);
                }
            })?;
            if orphans.is_empty() {
                break;
            }
            removed = removed.saturating_add(orphans.len());
            for key in orphans {
                self.map.remove(key)?;
            }
        }
        if removed > 0 {
            log::info!("flash: {removed} pieces of writes that were cut, or of damaged records, cleared away");
        }
        Ok(())
    }

    fn fresh(&mut self) -> Result<(), StorageError> {
        if self.stale { self.read_heads() } else { Ok(()) }
    }

    pub(super) fn find(&self, name: NameHash) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.name == name).copied()
    }

    fn entry(&mut self, key: &Key) -> Result<Entry, StorageError> {
        self.fresh()?;
        self.find(NameHash::of(key)).ok_or(StorageError::NotFound)
    }

    /// Bytes of items that count.
    fn live(&self) -> u32 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.record_bytes()))
    }

    pub(super) fn runs(entries: &[Entry]) -> impl Iterator<Item = Run> {
        entries.iter().filter_map(Entry::run)
    }

    /// Those that do not go when there is no room; what is read in place does not either.
    pub(super) fn runs_that_stay(entries: &[Entry]) -> impl Iterator<Item = Run> {
        entries.iter().filter(|entry| !entry.made.can_go()).filter_map(Entry::run)
    }

    /// Finds room for an image.
    pub(super) fn run_for(&mut self, bytes: u32) -> Result<Run, StorageError> {
        match self.area.find(bytes, Self::runs(&self.entries)) {
            Err(StorageError::Full) => self.run_at_a_cost(bytes),
            found => found,
        }
    }

    /// Removes a head, and with it what it stands for.
    pub(super) fn forget(&mut self, name: NameHash) -> Result<(), StorageError> {
        self.map.remove(ItemKey::head(name))?;
        self.entries.retain(|entry| entry.name != name);
        Ok(())
    }

    /// Returns an image where it lies, its sum, and what keeps it there.
    pub(super) fn in_place(&mut self, key: &Key) -> Option<(&'static [u8], u32, Lease)> {
        let entry = self.entry(key).ok()?;
        let run = entry.run()?;
        let addresses = self.area.addresses(&run)?;
        let end = addresses.start.checked_add(entry.bytes)?;
        let bytes = self.map.flash().0.mapped(addresses.start..end)?;
        Some((bytes, entry.crc, self.area.lease(run)))
    }

    /// Refuses what the area of records might not take beside all that is there.
    pub(super) fn admit(&self, needed: u32, is_new: bool) -> Result<(), StorageError> {
        let full = is_new && self.entries.len() >= RECORDS_MAX;
        if full || self.live().saturating_add(needed) > self.usable { Err(StorageError::Full) } else { Ok(()) }
    }

    /// A generation whose pieces have other keys than those of `old`.
    fn next_generation(&mut self, old: Option<&Entry>) -> u32 {
        let next = self.generation.wrapping_add(1);
        let clashes = old.is_some_and(|old| old.generation & 1 == next & 1);
        self.generation = if clashes { next.wrapping_add(1) } else { next };
        self.generation
    }

    /// Writes a head, which makes its content the record's.
    pub(super) fn commit(&mut self, key: &Key, entry: Entry) -> Result<(), StorageError> {
        let sector = if let Place::Image(sector) = entry.place { Some(sector) } else { None };
        let head =
            Head { name: key.as_str(), generation: entry.generation, bytes: entry.bytes, crc: entry.crc, sector };
        let mut buffer = [0; HEAD_BYTES_MAX];
        let head = head.write(&mut buffer).ok_or(StorageError::Failed)?;
        self.map.store(ItemKey::head(entry.name), head)?;
        match self.entries.iter_mut().find(|other| other.name == entry.name) {
            Some(other) => *other = entry,
            None => self.entries.push(entry),
        }
        Ok(())
    }

    fn store_piece(&mut self, entry: &Entry, index: u16, content: &[u8]) -> Result<(), StorageError> {
        let mut value = Vec::new();
        value.try_reserve_exact(PIECE_HEADER_BYTES.saturating_add(content.len())).map_err(|_| StorageError::Full)?;
        value.extend_from_slice(&entry.generation.to_le_bytes());
        value.extend_from_slice(content);
        self.map.store(ItemKey::piece(entry.name, entry.generation, index), &value)
    }

    /// Returns the content of a piece, which must be of the record's generation and whole.
    fn piece(&mut self, entry: &Entry, index: u16) -> Result<&[u8], StorageError> {
        let wanted = (entry.bytes as usize).saturating_sub(usize::from(index).saturating_mul(PIECE_BYTES));
        let wanted = wanted.min(PIECE_BYTES);
        let value = self.map.fetch(ItemKey::piece(entry.name, entry.generation, index))?;
        let content = value
            .and_then(|value| value.strip_prefix(&entry.generation.to_le_bytes()))
            .and_then(|content| content.get(..wanted));
        content.ok_or_else(|| {
            log::warn!("flash: a piece of a record is damaged or missing");
            StorageError::Failed
        })
    }

    /// Clears away what a record has left behind. The new content is in force, so a failure is told in the log only.
    fn remove_pieces(&mut self, old: &Entry) {
        if old.place != Place::Pieces {
            return;
        }
        for index in 0..pieces(old.bytes) {
            if self.map.remove(ItemKey::piece(old.name, old.generation, index)).is_err() {
                self.stale = true;
                return;
            }
        }
    }

    fn replace_pieces(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        let bytes = u32::try_from(data.len()).map_err(|_| StorageError::TooLong { bytes: u32::MAX })?;
        if data.len() > RECORD_BYTES_MAX {
            return Err(StorageError::TooLong { bytes });
        }
        if Made::of(key.as_str()).can_go() {
            // What runs from there was made here, and by nobody else.
            return Err(StorageError::ReadOnly);
        }
        let entry = self.new_entry(key, bytes, crc32(data), Place::Pieces);
        let old = self.find(entry.name);
        self.admit(entry.record_bytes(), old.is_none())?;
        for (index, content) in (0..).zip(data.chunks(PIECE_BYTES)) {
            self.store_piece(&entry, index, content)?;
        }
        self.commit(key, entry)?;
        if let Some(old) = old {
            self.remove_pieces(&old);
        }
        Ok(())
    }

    fn replace_image(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        let bytes = u32::try_from(data.len()).map_err(|_| StorageError::TooLong { bytes: u32::MAX })?;
        let run = self.run_for(bytes)?;
        let entry = self.new_entry(key, bytes, crc32(data), Place::Image(run.start));
        let is_new = self.find(entry.name).is_none();
        self.admit(entry.record_bytes(), is_new)?;
        let (flash, buffer) = self.map.flash();
        self.area.write(flash, buffer, &run, data)?;
        self.commit(key, entry)
    }

    pub(super) fn new_entry(&mut self, key: &Key, bytes: u32, crc: u32, place: Place) -> Entry {
        let name = NameHash::of(key);
        let old = self.find(name);
        let generation = self.next_generation(old.as_ref());
        let name_bytes = u8::try_from(key.as_str().len()).unwrap_or(u8::MAX);
        Entry { name, name_bytes, generation, bytes, crc, place, made: Made::of(key.as_str()) }
    }

    fn append_pieces(&mut self, key: &Key, old: &Entry, data: &[u8]) -> Result<(), StorageError> {
        let added = u32::try_from(data.len()).map_err(|_| StorageError::TooLong { bytes: u32::MAX })?;
        let bytes = old.bytes.saturating_add(added);
        if bytes as usize > RECORD_BYTES_MAX {
            return Err(StorageError::TooLong { bytes });
        }
        let entry = Entry { bytes, crc: Crc32::after(old.crc).with(data).sum(), ..*old };
        let rest = (old.bytes as usize) % PIECE_BYTES;
        // The last piece is written anew, and stands beside the one before until it is.
        let again = if rest > 0 { item_bytes(PIECE_HEADER_BYTES + rest) } else { 0 };
        let head = item_bytes(HEAD_BYTES_MAX);
        let grown = pieces_bytes(bytes).saturating_sub(pieces_bytes(old.bytes));
        self.admit(grown.saturating_add(again).saturating_add(head), false)?;
        let first = u16::try_from(old.bytes as usize / PIECE_BYTES).map_err(|_| StorageError::Failed)?;
        let mut tail = Vec::new();
        tail.try_reserve_exact(rest.saturating_add(data.len())).map_err(|_| StorageError::Full)?;
        if rest > 0 {
            tail.extend_from_slice(self.piece(old, first)?);
        }
        tail.extend_from_slice(data);
        for (index, content) in (first..).zip(tail.chunks(PIECE_BYTES)) {
            self.store_piece(&entry, index, content)?;
        }
        self.commit(key, entry)
    }

    pub(super) fn write<T>(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        self.fresh()?;
        let result = write(self);
        // What was refused before anything was written changed nothing; reading again costs little.
        self.stale |= matches!(result, Err(StorageError::Failed));
        result
    }

    fn read_pieces(&mut self, entry: &Entry, offset: u32, buffer: &mut [u8]) -> Result<(), StorageError> {
        let mut at = offset as usize;
        let mut rest = buffer;
        while !rest.is_empty() {
            let index = u16::try_from(at / PIECE_BYTES).map_err(|_| StorageError::Failed)?;
            let content = self.piece(entry, index)?.get(at % PIECE_BYTES..).unwrap_or_default();
            let count = content.len().min(rest.len());
            if count == 0 {
                return Err(StorageError::Failed);
            }
            let (now, later) = rest.split_at_mut_checked(count).ok_or(StorageError::Failed)?;
            now.iter_mut().zip(content).for_each(|(to, from)| *to = *from);
            at = at.saturating_add(count);
            rest = later;
        }
        Ok(())
    }
}

impl<F: Flash> Storage for FlashStorage<F> {
    fn len(&mut self, key: &Key) -> Result<u32, StorageError> {
        Ok(self.entry(key)?.bytes)
    }

    fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError> {
        let entry = self.entry(key)?;
        let left = entry.bytes.saturating_sub(offset) as usize;
        let count = left.min(buffer.len());
        let out = buffer.get_mut(..count).unwrap_or_default();
        match (entry.place, entry.run()) {
            (Place::Image(_), Some(run)) => {
                let (flash, words) = self.map.flash();
                self.area.read(flash, words, &run, offset, out)?;
            }
            (Place::Pieces, _) => self.read_pieces(&entry, offset, out)?,
            _ => {
                log::warn!("flash: {key} was written by a later firmware");
                return Err(StorageError::Failed);
            }
        }
        let whole = offset == 0 && count == entry.bytes as usize;
        if whole && crc32(out) != entry.crc {
            log::warn!("flash: {key} is damaged");
            return Err(StorageError::Failed);
        }
        Ok(count)
    }

    fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.write(
            |storage| {
                if is_image(key) { storage.replace_image(key, data) } else { storage.replace_pieces(key, data) }
            },
        )
    }

    fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.write(|storage| match storage.find(NameHash::of(key)) {
            None if !is_image(key) => storage.replace_pieces(key, data),
            Some(old) if old.place == Place::Pieces => storage.append_pieces(key, &old, data),
            _ => {
                log::warn!("flash: {key} is an image, to which nothing is appended");
                Err(StorageError::ReadOnly)
            }
        })
    }

    fn remove(&mut self, key: &Key) -> Result<(), StorageError> {
        self.write(|storage| {
            let Some(old) = storage.find(NameHash::of(key)) else { return Ok(()) };
            storage.forget(old.name)?;
            storage.remove_pieces(&old);
            Ok(())
        })
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError> {
        self.fresh()?;
        for index in 0..self.entries.len() {
            let Some(entry) = self.entries.get(index).copied() else { break };
            let Some(value) = self.map.fetch(ItemKey::head(entry.name))? else { continue };
            let Ok(head) = Head::read(value) else { continue };
            if !head.name.starts_with(prefix) {
                continue;
            }
            let Ok(key) = Key::parse(&String::from(head.name)) else { continue };
            if visit(&key, entry.bytes).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn mapped(&mut self, key: &Key) -> Option<Mapped> {
        let (bytes, crc, lease) = self.in_place(key)?;
        if crc32(bytes) != crc {
            log::warn!("flash: {key} is damaged");
            return None;
        }
        Some(Mapped::new(bytes, lease))
    }

    fn reads_in_place(&mut self) -> bool {
        let word = self.area.addresses(&(0..1)).map(|sector| sector.start..sector.start.saturating_add(4));
        word.is_some_and(|word| self.map.flash().0.mapped(word).is_some())
    }

    fn rename(&mut self, from: &Key, to: &Key) -> Result<(), StorageError> {
        let old = self.entry(from)?;
        if from == to {
            return Ok(());
        }
        if !matches!(old.place, Place::Image(_)) || !is_image(to) {
            let data = self.read_all(from, u32::MAX)?;
            self.replace(to, &data)?;
            return self.remove(from);
        }
        self.write(|storage| {
            let entry = storage.new_entry(to, old.bytes, old.crc, old.place);
            let is_new = storage.find(entry.name).is_none();
            storage.admit(entry.record_bytes(), is_new)?;
            storage.commit(to, entry)?;
            storage.forget(old.name)
        })
    }

    #[cfg(feature = "engine-chip")]
    fn images(&mut self) -> Option<&mut dyn crate::hal::Images> {
        Some(self)
    }

    fn capacity(&mut self) -> Capacity {
        if self.fresh().is_err() {
            return Capacity::default();
        }
        let records = self.usable.saturating_sub(self.live());
        let images = self.area.free_bytes(Self::runs_that_stay(&self.entries));
        Capacity {
            total_bytes: u64::from(self.usable).saturating_add(self.area.bytes().into()),
            free_bytes: u64::from(records).saturating_add(images.into()),
        }
    }

    fn room_for(&mut self, key: &Key) -> u64 {
        if self.fresh().is_err() {
            return 0;
        }
        let left = self.usable.saturating_sub(self.live()).saturating_sub(item_bytes(HEAD_BYTES_MAX));
        if is_image(key) || Made::of(key.as_str()).can_go() {
            return if left == 0 { 0 } else { self.area.free_bytes(Self::runs_that_stay(&self.entries)).into() };
        }
        let full = item_bytes(PIECE_HEADER_BYTES + PIECE_BYTES);
        let last = (left % full).saturating_sub(item_bytes(PIECE_HEADER_BYTES) + 4);
        let content = u64::from(left / full) * PIECE_BYTES as u64 + u64::from(last);
        content.min(RECORD_BYTES_MAX as u64)
    }
}
