//! The storage contract under power cuts: after each one the old or the new content is there, never neither.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use crate::hal::{Key, Storage, StorageError};

/// Bytes of a record the checks ever read.
const LIMIT_BYTES: u32 = 1024 * 1024;

/// A medium whose power can be cut between two steps: calls of the system, words of flash.
pub trait Cuttable {
    /// Empties the medium.
    fn blank(&mut self);

    /// Mounts the medium as it lies there, as a start would.
    ///
    /// # Errors
    /// Why it cannot be mounted.
    fn mount(&mut self) -> Result<Box<dyn Storage>, String>;

    /// Lets this many steps be done, then cuts the power.
    fn cut_after(&mut self, steps: u32);

    /// Tells whether the power was cut; brings it back.
    fn power_on(&mut self) -> bool;
}

/// One write.
#[derive(Clone, Debug)]
enum Write {
    Replace(&'static str, Vec<u8>),
    Append(&'static str, Vec<u8>),
    Remove(&'static str),
    /// New content under another name, which then takes the name's place: how a new version of an image comes in.
    Adopt(&'static str, Vec<u8>),
}

/// Where the new content stands before it takes its place.
const STAGED: &str = "skiff/packages/acme.new";

impl Write {
    fn name(&self) -> &'static str {
        match self {
            Self::Replace(name, _) | Self::Append(name, _) | Self::Remove(name) | Self::Adopt(name, _) => name,
        }
    }

    fn run(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        let key = key(self.name())?;
        match self {
            Self::Replace(_, data) => storage.replace(&key, data),
            Self::Append(_, data) => storage.append(&key, data),
            Self::Remove(_) => storage.remove(&key),
            Self::Adopt(_, data) => {
                let staged = self::key(STAGED)?;
                storage.replace(&staged, data)?;
                storage.rename(&staged, &key)
            }
        }
    }

    /// Tells whether `found` may be there after this write was cut, `before` having been there.
    fn allows(&self, before: Option<&[u8]>, found: Option<&[u8]>) -> bool {
        match self {
            Self::Replace(_, data) | Self::Adopt(_, data) => found == before || found == Some(data),
            Self::Remove(_) => found == before || found.is_none(),
            // What was appended last can be lost in part, what stood before never.
            Self::Append(_, data) => {
                let old = before.unwrap_or_default();
                found == before
                    || found.is_some_and(|found| found.strip_prefix(old).is_some_and(|added| data.starts_with(added)))
            }
        }
    }

    fn after(&self, before: Option<Vec<u8>>) -> Option<Vec<u8>> {
        match self {
            Self::Replace(_, data) | Self::Adopt(_, data) => Some(data.clone()),
            Self::Append(_, data) => Some([before.unwrap_or_default().as_slice(), data].concat()),
            Self::Remove(_) => None,
        }
    }
}

fn key(name: &str) -> Result<Key, StorageError> {
    Key::parse(name).map_err(|_| StorageError::Failed)
}

fn content(storage: &mut dyn Storage, name: &str) -> Result<Option<Vec<u8>>, String> {
    match key(name).and_then(|key| storage.read_all(&key, LIMIT_BYTES)) {
        Ok(data) => Ok(Some(data)),
        Err(StorageError::NotFound) => Ok(None),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// Content of this many bytes that is told from others by `seed`.
fn filled(bytes: usize, seed: u8) -> Vec<u8> {
    (0..bytes).map(|index| (index as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

/// Records that nothing is written to; the last one is an image where the medium has such.
const BYSTANDERS: [(&str, usize); 3] =
    [("skiff/auth.json", 120), ("plugin-config-data/other.json", 2500), ("skiff/packages/other.pkg", 5000)];
/// A record, and an image.
const WRITTEN: [(&str, [usize; 3]); 2] =
    [("plugin-config-data/acme.json", [40, 2100, 300]), ("skiff/packages/acme.pkg", [90, 4300, 500])];

fn writes(name: &'static str, sizes: [usize; 3]) -> Vec<Write> {
    let [short, long, other] = sizes;
    let mut writes: Vec<Write> = [(short, 1), (long, 2), (short, 3), (other, 4), (other, 4), (other, 5)]
        .into_iter()
        .map(|(bytes, seed)| Write::Replace(name, filled(bytes, seed)))
        .collect();
    writes.push(Write::Remove(name));
    writes.push(Write::Replace(name, Vec::new()));
    writes.push(Write::Replace(name, filled(long, 6)));
    writes.push(Write::Adopt(name, filled(long, 7)));
    writes
}

fn appends(name: &'static str) -> Vec<Write> {
    [(10, 1), (700, 2), (900, 3), (1, 4)]
        .into_iter()
        .map(|(bytes, seed)| Write::Append(name, filled(bytes, seed)))
        .chain([Write::Remove(name)])
        .collect()
}

/// Cuts the power after every step of every write, and returns how many cuts that were.
///
/// `rounds` repeats the writes before the ones that are cut, so that a medium that moves its records about is cut
/// while it does.
///
/// # Errors
/// The clause of the contract that was broken, and by which cut.
pub fn storage_cuts(medium: &mut dyn Cuttable, rounds: u32) -> Result<u32, String> {
    let mut cuts = 0_u32;
    for (name, sizes) in WRITTEN {
        cuts = cuts.saturating_add(sequence(medium, &writes(name, sizes), rounds)?);
    }
    Ok(cuts.saturating_add(sequence(medium, &appends("plugin-config-data/acme/vfs/log"), rounds)?))
}

fn sequence(medium: &mut dyn Cuttable, writes: &[Write], rounds: u32) -> Result<u32, String> {
    let mut cuts = 0_u32;
    for (position, write) in writes.iter().enumerate() {
        for steps in 0.. {
            let told = |clause: String| format!("{} {position}, cut after {steps} steps: {clause}", write.name());
            medium.blank();
            let before = prepare(medium, writes, position, rounds).map_err(told)?;
            let mut storage = medium.mount()?;
            medium.cut_after(steps);
            let result = write.run(&mut *storage);
            drop(storage);
            let was_cut = medium.power_on();
            check(medium, write, before, result, was_cut).map_err(told)?;
            if !was_cut {
                break;
            }
            cuts = cuts.saturating_add(1);
        }
    }
    Ok(cuts)
}

/// Writes what stands before the write at `position`, returns what its record holds then.
fn prepare(
    medium: &mut dyn Cuttable,
    writes: &[Write],
    position: usize,
    rounds: u32,
) -> Result<Option<Vec<u8>>, String> {
    let mut storage = medium.mount()?;
    let failed = |error: StorageError| format!("before the cut: {error}");
    for (seed, (name, bytes)) in (90..).zip(BYSTANDERS) {
        key(name).and_then(|key| storage.replace(&key, &filled(bytes, seed))).map_err(failed)?;
    }
    let mut held = None;
    for _ in 0..rounds {
        for write in writes {
            write.run(&mut *storage).map_err(failed)?;
            held = write.after(held);
        }
    }
    for write in writes.iter().take(position) {
        write.run(&mut *storage).map_err(failed)?;
        held = write.after(held);
    }
    Ok(held)
}

fn check(
    medium: &mut dyn Cuttable,
    write: &Write,
    before: Option<Vec<u8>>,
    result: Result<(), StorageError>,
    was_cut: bool,
) -> Result<(), String> {
    if !was_cut {
        result.map_err(|error| error.to_string())?;
    }
    let mut storage = medium.mount()?;
    let storage = &mut *storage;
    if matches!(write, Write::Adopt(..)) {
        // What was staged when the power went is whole or not there, and is given up.
        let staged = content(storage, STAGED)?;
        if staged.is_some() && !write.allows(None, staged.as_deref()) {
            return Err("what was staged is in part there".to_string());
        }
        key(STAGED).and_then(|key| storage.remove(&key)).map_err(|error| error.to_string())?;
    }
    let found = content(storage, write.name())?;
    if !write.allows(before.as_deref(), found.as_deref()) {
        let bytes = |content: &Option<Vec<u8>>| content.as_ref().map(Vec::len);
        return Err(format!("neither the old nor the new content: {:?} then {:?}", bytes(&before), bytes(&found)));
    }
    if result.is_ok() && found != write.after(before) {
        return Err("the write was reported done, and is not".to_string());
    }
    for (seed, (name, bytes)) in (90..).zip(BYSTANDERS) {
        if content(storage, name)? != Some(filled(bytes, seed)) {
            return Err(format!("{name} was lost"));
        }
    }
    let mut listed = 0_usize;
    let mut count = |_: &Key, _: u32| {
        listed = listed.saturating_add(1);
        ControlFlow::Continue(())
    };
    storage.list("", &mut count).map_err(|error| format!("list: {error}"))?;
    if listed != BYSTANDERS.len() + usize::from(found.is_some()) {
        return Err(format!("{listed} records are listed"));
    }
    let again = filled(777, 55);
    key(write.name()).and_then(|key| storage.replace(&key, &again)).map_err(|error| format!("afterwards: {error}"))?;
    if content(storage, write.name())? != Some(again) {
        return Err("what is written afterwards does not stay".to_string());
    }
    Ok(())
}
