//! Records in memory, with the faults of a real medium.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::ControlFlow;

use crate::hal::{Capacity, Key, Storage, StorageError};
use crate::sorted::SortedMap;

/// State left by a write that the power cut interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivor {
    /// The record as it was before.
    Old,
    /// The record as it should have become.
    New,
    /// An append leaves the first half of what it appended; a replacement, being atomic, the old record.
    Part,
}

/// A power cut during a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerCut {
    /// Writes (replace, append, remove) that still succeed before it.
    pub after_writes: u32,
    /// State left by the interrupted one.
    pub leaves: Survivor,
}

/// Storage in memory; clones share the records.
#[derive(Clone, Debug)]
pub struct SimStorage(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    records: SortedMap<Key, Vec<u8>>,
    total_bytes: u64,
    writes_left: Option<u32>,
    power_cut: Option<PowerCut>,
    read_only: bool,
    without_power: bool,
}

/// Room of [`SimStorage::new`], the size of a small chip's data partition.
const TOTAL_BYTES: u64 = 1024 * 1024;

impl Default for SimStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl SimStorage {
    /// Builds an empty storage of 1 MiB.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(TOTAL_BYTES)
    }

    /// Builds an empty storage of `total_bytes`; only the contents of the records count.
    #[must_use]
    pub fn with_capacity(total_bytes: u64) -> Self {
        let records = SortedMap::new();
        Self(Rc::new(RefCell::new(State {
            records,
            total_bytes,
            writes_left: None,
            power_cut: None,
            read_only: false,
            without_power: false,
        })))
    }

    /// Lets `count` more writes succeed, then every write fails with [`StorageError::Failed`].
    pub fn fail_after_writes(&self, count: u32) {
        self.0.borrow_mut().writes_left = Some(count);
    }

    /// Plans a power cut; after it every call fails until [`power_on`](Self::power_on).
    pub fn cut_power(&self, cut: PowerCut) {
        self.0.borrow_mut().power_cut = Some(cut);
    }

    /// Tells whether the power was cut.
    #[must_use]
    pub fn is_without_power(&self) -> bool {
        self.0.borrow().without_power
    }

    /// Brings the medium back, with what it held when the power went.
    pub fn power_on(&self) {
        let mut state = self.0.borrow_mut();
        state.without_power = false;
        state.power_cut = None;
    }

    /// Makes every write fail with [`StorageError::ReadOnly`], or allows writing again.
    pub fn set_read_only(&self, read_only: bool) {
        self.0.borrow_mut().read_only = read_only;
    }
}

impl State {
    fn used_bytes(&self) -> u64 {
        self.records.values().map(|data| data.len() as u64).sum()
    }

    fn record(&self, key: &Key) -> Result<&Vec<u8>, StorageError> {
        if self.without_power {
            return Err(StorageError::Failed);
        }
        self.records.get(key).ok_or(StorageError::NotFound)
    }

    /// Makes `data` the record, `None` removes it; `torn` is what a torn append leaves.
    fn write(&mut self, key: &Key, data: Option<Vec<u8>>, torn: Option<Vec<u8>>) -> Result<(), StorageError> {
        if self.without_power {
            return Err(StorageError::Failed);
        }
        if self.read_only {
            return Err(StorageError::ReadOnly);
        }
        match &mut self.writes_left {
            Some(0) => return Err(StorageError::Failed),
            Some(left) => *left = left.saturating_sub(1),
            None => {}
        }
        let old_bytes = self.records.get(key).map_or(0, |old| old.len() as u64);
        let new_bytes = data.as_ref().map_or(0, |new| new.len() as u64);
        if self.used_bytes().saturating_sub(old_bytes).saturating_add(new_bytes) > self.total_bytes {
            return Err(StorageError::Full);
        }
        let result = match &mut self.power_cut {
            Some(PowerCut { after_writes: 0, leaves }) => {
                self.without_power = true;
                match (leaves, torn) {
                    (Survivor::New, _) => {}
                    (Survivor::Part, Some(torn)) => {
                        self.records.insert(key.clone(), torn);
                        return Err(StorageError::Failed);
                    }
                    (Survivor::Old | Survivor::Part, _) => return Err(StorageError::Failed),
                }
                Err(StorageError::Failed)
            }
            Some(cut) => {
                cut.after_writes = cut.after_writes.saturating_sub(1);
                Ok(())
            }
            None => Ok(()),
        };
        match data {
            Some(data) => self.records.insert(key.clone(), data),
            None => self.records.remove(key),
        };
        result
    }
}

impl Storage for SimStorage {
    fn len(&mut self, key: &Key) -> Result<u32, StorageError> {
        let state = self.0.borrow();
        u32::try_from(state.record(key)?.len()).map_err(|_| StorageError::TooLong { bytes: u32::MAX })
    }

    fn read(&mut self, key: &Key, offset: u32, buffer: &mut [u8]) -> Result<usize, StorageError> {
        let state = self.0.borrow();
        let rest = state.record(key)?.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(count)
    }

    fn replace(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        self.0.borrow_mut().write(key, Some(data.to_vec()), None)
    }

    fn append(&mut self, key: &Key, data: &[u8]) -> Result<(), StorageError> {
        let mut state = self.0.borrow_mut();
        let old = state.records.get(key).map(Vec::as_slice).unwrap_or_default();
        let whole = [old, data].concat();
        let torn = whole.get(..old.len().saturating_add(data.len() / 2)).map(<[u8]>::to_vec);
        state.write(key, Some(whole), torn)
    }

    fn remove(&mut self, key: &Key) -> Result<(), StorageError> {
        self.0.borrow_mut().write(key, None, None)
    }

    fn list(&mut self, prefix: &str, visit: &mut dyn FnMut(&Key, u32) -> ControlFlow<()>) -> Result<(), StorageError> {
        // Copied, so that the visitor can use another handle of the same storage.
        let listing: Vec<(Key, u32)> = {
            let state = self.0.borrow();
            if state.without_power {
                return Err(StorageError::Failed);
            }
            let matching = state.records.iter().filter(|(key, _)| key.as_str().starts_with(prefix));
            matching.map(|(key, data)| (key.clone(), u32::try_from(data.len()).unwrap_or(u32::MAX))).collect()
        };
        for (key, bytes) in &listing {
            if visit(key, *bytes).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn capacity(&mut self) -> Capacity {
        let state = self.0.borrow();
        Capacity { total_bytes: state.total_bytes, free_bytes: state.total_bytes.saturating_sub(state.used_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::contract;

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn keeps_the_storage_contract() {
        contract::storage(&mut SimStorage::new()).unwrap();
    }

    #[test]
    fn full_medium_keeps_the_old_record() {
        let mut storage = SimStorage::with_capacity(10);
        storage.replace(&key("a"), b"12345678").unwrap();
        assert_eq!(storage.replace(&key("b"), b"123"), Err(StorageError::Full));
        assert_eq!(storage.append(&key("a"), b"123"), Err(StorageError::Full));
        assert_eq!(storage.read_all(&key("a"), 100).unwrap(), b"12345678");
        assert_eq!(storage.replace(&key("a"), b"0123456789"), Ok(()));
        assert_eq!(storage.capacity(), Capacity { total_bytes: 10, free_bytes: 0 });
    }

    #[test]
    fn power_cut_leaves_old_new_or_part() {
        for (leaves, replaced, appended) in
            [(Survivor::Old, "old", "old"), (Survivor::New, "newer", "oldnewer"), (Survivor::Part, "old", "oldne")]
        {
            for (append, expected) in [(false, replaced), (true, appended)] {
                let medium = SimStorage::new();
                let mut storage = medium.clone();
                medium.cut_power(PowerCut { after_writes: 1, leaves });
                storage.replace(&key("a"), b"old").unwrap();
                let cut =
                    if append { storage.append(&key("a"), b"newer") } else { storage.replace(&key("a"), b"newer") };
                assert_eq!(cut, Err(StorageError::Failed));
                assert_eq!(storage.len(&key("a")), Err(StorageError::Failed));
                medium.power_on();
                assert_eq!(storage.read_all(&key("a"), 100).unwrap(), expected.as_bytes(), "{leaves:?}");
            }
        }
    }

    #[test]
    fn writes_fail_when_told() {
        let mut storage = SimStorage::new();
        storage.fail_after_writes(1);
        assert_eq!(storage.replace(&key("a"), b"1"), Ok(()));
        assert_eq!(storage.remove(&key("a")), Err(StorageError::Failed));
        assert_eq!(storage.len(&key("a")), Ok(1));
        let mut storage = SimStorage::new();
        storage.set_read_only(true);
        assert_eq!(storage.replace(&key("a"), b"1"), Err(StorageError::ReadOnly));
    }
}
