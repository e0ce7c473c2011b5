//! Open files and folders of one instance.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::path::{below, parent, resolve};
use super::{FOLDERS, FileError, FileLimits, KEEPER, Medium, MemoryMedium, TMP};

/// The descriptor of the root, the only one that is open from the start (plugin ABI §7).
pub const ROOT: u32 = 3;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file.
    File,
}

/// Attributes of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// Tells it from all others; made of the path, so that a renamed file gets another.
    pub inode: u64,
}

impl Stat {
    fn folder(path: &str) -> Self {
        Self { kind: Kind::Folder, size: 0, inode: inode(path) }
    }

    fn file(path: &str, size: u64) -> Self {
        Self { kind: Kind::File, size, inode: inode(path) }
    }
}

/// Returns a number for a path from the root, never 0: guests' C libraries look an entry up again where it is 0, and Go
/// takes two files with the same number for one (FNV-1a, 64 bits).
fn inode(path: &str) -> u64 {
    path.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) | 1
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// It is a folder.
    pub is_folder: bool,
    /// As in [`Stat`].
    pub inode: u64,
}

/// What an offset is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The beginning.
    Start,
    /// The present offset.
    Current,
    /// The end.
    End,
}

/// How a path is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Make the file when it is not there.
    pub create: bool,
    /// It must be a folder.
    pub folder: bool,
    /// It must not be there yet.
    pub exclusive: bool,
    /// Cut the file to nothing.
    pub truncate: bool,
    /// Reading is wanted.
    pub read: bool,
    /// Writing is wanted.
    pub write: bool,
    /// Each write goes to the end.
    pub append: bool,
}

/// An open file's content, shared by its descriptors.
#[derive(Debug)]
struct Content {
    path: String,
    data: Vec<u8>,
    dirty: bool,
    /// Its path leads elsewhere or nowhere now: nothing of it is kept.
    unlinked: bool,
    descriptors: u16,
}

#[derive(Clone, Debug)]
enum Descriptor {
    Folder { path: String },
    File { content: usize, offset: u64, read: bool, write: bool, append: bool },
}

/// The open files of one instance.
#[derive(Debug)]
pub struct Files {
    limits: FileLimits,
    /// From descriptor 3 on.
    descriptors: Vec<Option<Descriptor>>,
    contents: Vec<Option<Content>>,
    tmp: MemoryMedium,
    /// Bytes and number of the files in the medium, once they have been counted.
    used: Option<(u64, u32)>,
}

impl Files {
    /// Opens the root.
    #[must_use]
    pub fn new(limits: FileLimits) -> Self {
        let root = Descriptor::Folder { path: String::new() };
        Self {
            limits,
            descriptors: alloc::vec![Some(root)],
            contents: Vec::new(),
            tmp: MemoryMedium::default(),
            used: None,
        }
    }

    fn descriptor(&self, fd: u32) -> Result<&Descriptor, FileError> {
        let index = fd.checked_sub(ROOT).ok_or(FileError::BadDescriptor)?;
        self.descriptors.get(index as usize).and_then(Option::as_ref).ok_or(FileError::BadDescriptor)
    }

    fn descriptor_mut(&mut self, fd: u32) -> Result<&mut Descriptor, FileError> {
        let index = fd.checked_sub(ROOT).ok_or(FileError::BadDescriptor)?;
        self.descriptors.get_mut(index as usize).and_then(Option::as_mut).ok_or(FileError::BadDescriptor)
    }

    fn folder(&self, fd: u32) -> Result<&str, FileError> {
        match self.descriptor(fd)? {
            Descriptor::Folder { path } => Ok(path),
            Descriptor::File { .. } => Err(FileError::NotFolder),
        }
    }

    fn content(&self, index: usize) -> Result<&Content, FileError> {
        self.contents.get(index).and_then(Option::as_ref).ok_or(FileError::BadDescriptor)
    }

    fn content_mut(&mut self, index: usize) -> Result<&mut Content, FileError> {
        self.contents.get_mut(index).and_then(Option::as_mut).ok_or(FileError::BadDescriptor)
    }

    fn open_content(&self, path: &str) -> Option<usize> {
        self.contents
            .iter()
            .position(|content| content.as_ref().is_some_and(|open| open.path == path && !open.unlinked))
    }

    /// Resolves a guest path below the folder `fd`.
    fn path(&self, fd: u32, path: &str) -> Result<String, FileError> {
        resolve(self.folder(fd)?, path)
    }

    fn medium<'m>(&'m mut self, medium: &'m mut dyn Medium, path: &str) -> &'m mut dyn Medium {
        if is_tmp(path) { &mut self.tmp } else { medium }
    }

    /// Returns what lies at a path from the root.
    fn stat_path(&mut self, medium: &mut dyn Medium, path: &str) -> Result<Stat, FileError> {
        if path.is_empty() || FOLDERS.contains(&path) {
            return Ok(Stat::folder(path));
        }
        if let Some(content) = self.open_content(path) {
            return Ok(Stat::file(path, self.content(content)?.data.len() as u64));
        }
        let (mut found, inside) = (None, below(path));
        self.medium(medium, path).list(path, &mut |other, bytes| {
            if other == path {
                found = Some(Stat::file(path, bytes.into()));
            } else if other.starts_with(&inside) {
                found = Some(Stat::folder(path));
            }
        })?;
        let open_below = self.contents.iter().flatten().any(|open| !open.unlinked && open.path.starts_with(&inside));
        found.or(open_below.then(|| Stat::folder(path))).ok_or(FileError::NotFound)
    }

    /// Tells whether the folder that `path` lies in is there.
    fn parent_is_there(&mut self, medium: &mut dyn Medium, path: &str) -> Result<(), FileError> {
        let folder = parent(path).ok_or(FileError::NotPermitted)?;
        match self.stat_path(medium, folder)?.kind {
            Kind::Folder => Ok(()),
            Kind::File => Err(FileError::NotFolder),
        }
    }

    /// Returns what lies at a path below the folder `fd`.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn stat_at(&mut self, medium: &mut dyn Medium, fd: u32, path: &str) -> Result<Stat, FileError> {
        let path = self.path(fd, path)?;
        self.stat_path(medium, &path)
    }

    /// Returns what is open as `fd`.
    ///
    /// # Errors
    /// [`FileError::BadDescriptor`].
    pub fn stat(&self, fd: u32) -> Result<Stat, FileError> {
        match self.descriptor(fd)? {
            Descriptor::Folder { path } => Ok(Stat::folder(path)),
            Descriptor::File { content, .. } => {
                let content = self.content(*content)?;
                Ok(Stat::file(&content.path, content.data.len() as u64))
            }
        }
    }

    /// Tells whether a file is open for reading, for writing, and for appending.
    ///
    /// # Errors
    /// [`FileError::BadDescriptor`].
    pub fn modes(&self, fd: u32) -> Result<(bool, bool, bool), FileError> {
        match self.descriptor(fd)? {
            Descriptor::Folder { .. } => Ok((true, false, false)),
            Descriptor::File { read, write, append, .. } => Ok((*read, *write, *append)),
        }
    }

    /// Switches appending on or off.
    ///
    /// # Errors
    /// [`FileError::BadDescriptor`].
    pub fn set_append(&mut self, fd: u32, on: bool) -> Result<(), FileError> {
        match self.descriptor_mut(fd)? {
            Descriptor::Folder { .. } => Err(FileError::BadDescriptor),
            Descriptor::File { append, .. } => {
                *append = on;
                Ok(())
            }
        }
    }

    /// Opens a path below the folder `fd`; returns the new descriptor.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn open(
        &mut self,
        medium: &mut dyn Medium,
        fd: u32,
        path: &str,
        options: OpenOptions,
    ) -> Result<u32, FileError> {
        let path = self.path(fd, path)?;
        let open = self.descriptors.iter().flatten().count();
        if open >= usize::from(self.limits.descriptors_max) {
            return Err(FileError::TooManyOpen);
        }
        let descriptor = match self.stat_path(medium, &path) {
            Ok(_) if options.create && options.exclusive => return Err(FileError::Exists),
            Ok(Stat { kind: Kind::Folder, .. }) if options.write || options.truncate => {
                return Err(FileError::IsFolder);
            }
            Ok(Stat { kind: Kind::Folder, .. }) => Descriptor::Folder { path },
            Ok(Stat { kind: Kind::File, .. }) if options.folder => return Err(FileError::NotFolder),
            Ok(Stat { kind: Kind::File, .. }) => self.open_file(medium, path, options, false)?,
            Err(FileError::NotFound) if options.create && !options.folder => {
                self.parent_is_there(medium, &path)?;
                self.open_file(medium, path, options, true)?
            }
            Err(error) => return Err(error),
        };
        let free = self.descriptors.iter().position(Option::is_none);
        let index = free.unwrap_or(self.descriptors.len());
        match self.descriptors.get_mut(index) {
            Some(slot) => *slot = Some(descriptor),
            None => self.descriptors.push(Some(descriptor)),
        }
        // Bounded by `descriptors_max`, which is 16 bits wide.
        Ok(u32::try_from(index).unwrap_or(u32::MAX).saturating_add(ROOT))
    }

    fn open_file(
        &mut self,
        medium: &mut dyn Medium,
        path: String,
        options: OpenOptions,
        is_new: bool,
    ) -> Result<Descriptor, FileError> {
        let index = match self.open_content(&path) {
            Some(index) => index,
            None => {
                if is_new {
                    self.check_room(medium, &path, 0, 1)?;
                }
                let room = u64::from(self.limits.open_bytes_max).saturating_sub(self.open_bytes());
                let limit = self.limits.file_bytes_max.min(u32::try_from(room).unwrap_or(u32::MAX));
                let data = if is_new { Vec::new() } else { self.medium(medium, &path).read(&path, limit)? };
                if is_new {
                    // It is there at once, as others see it.
                    self.medium(medium, &path).write(&path, &[])?;
                    self.count(&path, 0, 1);
                }
                let content = Content { path, data, dirty: false, unlinked: false, descriptors: 0 };
                let free = self.contents.iter().position(Option::is_none);
                let index = free.unwrap_or(self.contents.len());
                match self.contents.get_mut(index) {
                    Some(slot) => *slot = Some(content),
                    None => self.contents.push(Some(content)),
                }
                index
            }
        };
        if options.truncate {
            self.resize(index, 0)?;
        }
        let content = self.content_mut(index)?;
        content.descriptors = content.descriptors.saturating_add(1);
        Ok(Descriptor::File {
            content: index,
            offset: 0,
            read: options.read,
            write: options.write,
            append: options.append,
        })
    }

    fn open_bytes(&self) -> u64 {
        self.contents.iter().flatten().map(|content| content.data.len() as u64).sum()
    }

    /// Returns what it holds in memory: content of open files, and `/tmp`.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.open_bytes().saturating_add(self.tmp.bytes())
    }

    /// Returns bytes and number of the files in the medium.
    fn usage(&mut self, medium: &mut dyn Medium) -> Result<(u64, u32), FileError> {
        if let Some(used) = self.used {
            return Ok(used);
        }
        let mut used = (0_u64, 0_u32);
        medium.list("", &mut |_, bytes| {
            used = (used.0.saturating_add(bytes.into()), used.1.saturating_add(1));
        })?;
        self.used = Some(used);
        Ok(used)
    }

    fn count(&mut self, path: &str, bytes: i64, files: i32) {
        if !is_tmp(path)
            && let Some((all, number)) = &mut self.used
        {
            *all = all.saturating_add_signed(bytes);
            *number = number.saturating_add_signed(files);
        }
    }

    /// Tells whether `bytes` more and `files` more fit.
    fn check_room(&mut self, medium: &mut dyn Medium, path: &str, bytes: u64, files: u32) -> Result<(), FileError> {
        let (mut used, number) = self.usage(medium)?;
        let number = number.saturating_add(u32::try_from(self.tmp.0.len()).unwrap_or(u32::MAX));
        if number.saturating_add(files) > self.limits.files_max.into() {
            return Err(FileError::NoSpace);
        }
        let limit = if is_tmp(path) {
            used = self.tmp.bytes();
            self.limits.tmp_bytes_max
        } else {
            self.limits.quota_bytes
        };
        if used.saturating_add(bytes) > limit.into() { Err(FileError::NoSpace) } else { Ok(()) }
    }

    /// Sets the length of an open file without asking for room.
    fn resize(&mut self, index: usize, length: usize) -> Result<(), FileError> {
        let content = self.content_mut(index)?;
        let before = content.data.len();
        if before == length {
            return Ok(());
        }
        if let Some(more) = length.checked_sub(before) {
            content.data.try_reserve(more).map_err(|_| FileError::NoSpace)?;
        }
        content.data.resize(length, 0);
        content.dirty = true;
        let (path, unlinked) = (content.path.clone(), content.unlinked);
        if !unlinked {
            let change = i64::try_from(length).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or(0);
            self.count(&path, change, 0);
        }
        Ok(())
    }

    /// Grows an open file to `length` where that fits.
    fn grow(&mut self, medium: &mut dyn Medium, index: usize, length: u64) -> Result<(), FileError> {
        let content = self.content(index)?;
        let (path, before) = (content.path.clone(), content.data.len() as u64);
        let Some(more) = length.checked_sub(before).filter(|more| *more > 0) else { return Ok(()) };
        if length > self.limits.file_bytes_max.into() {
            return Err(FileError::TooLarge);
        }
        self.check_room(medium, &path, more, 0)?;
        if self.open_bytes().saturating_add(more) > self.limits.open_bytes_max.into() {
            return Err(FileError::NoSpace);
        }
        self.resize(index, usize::try_from(length).map_err(|_| FileError::TooLarge)?)
    }

    /// Sets the length of the file `fd`.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn set_size(&mut self, medium: &mut dyn Medium, fd: u32, length: u64) -> Result<(), FileError> {
        let index = match self.descriptor(fd)? {
            Descriptor::File { content, write: true, .. } => *content,
            _ => return Err(FileError::BadDescriptor),
        };
        self.grow(medium, index, length)?;
        // What is longer was grown, and what is left is shorter than a file may be.
        self.resize(index, usize::try_from(length).map_err(|_| FileError::TooLarge)?)
    }

    /// Reads at `at`, or at the descriptor's offset, which moves on; returns the bytes there are, at most `bytes`.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn read(&mut self, fd: u32, at: Option<u64>, bytes: usize) -> Result<&[u8], FileError> {
        let (index, from) = match self.descriptor(fd)? {
            Descriptor::File { content, offset, read: true, .. } => (*content, at.unwrap_or(*offset)),
            Descriptor::File { .. } => return Err(FileError::BadDescriptor),
            Descriptor::Folder { .. } => return Err(FileError::IsFolder),
        };
        let length = self.content(index)?.data.len();
        let begin = usize::try_from(from).unwrap_or(usize::MAX).min(length);
        let end = begin.saturating_add(bytes).min(length);
        if at.is_none()
            && let Descriptor::File { offset, .. } = self.descriptor_mut(fd)?
        {
            *offset = offset.saturating_add((end - begin) as u64);
        }
        self.content(index)?.data.get(begin..end).ok_or(FileError::Failed)
    }

    /// Writes at `at`, or at the descriptor's offset, which moves on; all of `data` or nothing.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn write(&mut self, medium: &mut dyn Medium, fd: u32, at: Option<u64>, data: &[u8]) -> Result<(), FileError> {
        let (index, from) = match self.descriptor(fd)? {
            Descriptor::File { content, append: true, write: true, .. } if at.is_none() => {
                (*content, self.content(*content)?.data.len() as u64)
            }
            Descriptor::File { content, offset, write: true, .. } => (*content, at.unwrap_or(*offset)),
            Descriptor::File { .. } => return Err(FileError::BadDescriptor),
            Descriptor::Folder { .. } => return Err(FileError::IsFolder),
        };
        let end = from.checked_add(data.len() as u64).ok_or(FileError::TooLarge)?;
        self.grow(medium, index, end)?;
        let content = self.content_mut(index)?;
        // Both fit a file, which `grow` has checked.
        let begin = usize::try_from(from).map_err(|_| FileError::TooLarge)?;
        let room = content.data.get_mut(begin..begin.saturating_add(data.len())).ok_or(FileError::Failed)?;
        room.copy_from_slice(data);
        content.dirty |= !data.is_empty();
        if at.is_none()
            && let Descriptor::File { offset, .. } = self.descriptor_mut(fd)?
        {
            *offset = end;
        }
        Ok(())
    }

    /// Moves the offset; returns the new one.
    ///
    /// # Errors
    /// [`FileError::Invalid`] before the beginning.
    pub fn seek(&mut self, fd: u32, by: i64, whence: Whence) -> Result<u64, FileError> {
        let size = self.stat(fd)?.size;
        match self.descriptor_mut(fd)? {
            Descriptor::Folder { .. } => Err(FileError::BadDescriptor),
            Descriptor::File { offset, .. } => {
                let base = match whence {
                    Whence::Start => 0,
                    Whence::Current => *offset,
                    Whence::End => size,
                };
                *offset = base.checked_add_signed(by).ok_or(FileError::Invalid)?;
                Ok(*offset)
            }
        }
    }

    /// Writes one file down.
    fn flush(&mut self, medium: &mut dyn Medium, index: usize) -> Result<(), FileError> {
        let Some(mut content) = self.contents.get_mut(index).and_then(Option::take) else { return Ok(()) };
        let mut result = Ok(());
        if content.dirty && !content.unlinked {
            result = self.medium(medium, &content.path).write(&content.path, &content.data);
            content.dirty = result.is_err();
        }
        if let Some(slot) = self.contents.get_mut(index) {
            *slot = Some(content);
        }
        result
    }

    /// Writes the file `fd` down.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn sync(&mut self, medium: &mut dyn Medium, fd: u32) -> Result<(), FileError> {
        match self.descriptor(fd)? {
            Descriptor::Folder { .. } => Ok(()),
            Descriptor::File { content, .. } => {
                let index = *content;
                self.flush(medium, index)
            }
        }
    }

    /// Writes every file down, as at the end of a call.
    ///
    /// # Errors
    /// The first [`FileError`]; the others are tried all the same.
    pub fn sync_all(&mut self, medium: &mut dyn Medium) -> Result<(), FileError> {
        let mut result = Ok(());
        for index in 0..self.contents.len() {
            result = result.and(self.flush(medium, index));
        }
        result
    }

    /// Tells whether something waits to be written down.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.contents.iter().flatten().any(|content| content.dirty && !content.unlinked)
    }

    /// Closes a descriptor, and writes its file down.
    ///
    /// # Errors
    /// [`FileError`]; the descriptor is closed all the same.
    pub fn close(&mut self, medium: &mut dyn Medium, fd: u32) -> Result<(), FileError> {
        let index = fd.checked_sub(ROOT).ok_or(FileError::BadDescriptor)? as usize;
        let closed = self.descriptors.get_mut(index).and_then(Option::take).ok_or(FileError::BadDescriptor)?;
        let Descriptor::File { content, .. } = closed else { return Ok(()) };
        let result = self.flush(medium, content);
        let open = self.content_mut(content)?;
        open.descriptors = open.descriptors.saturating_sub(1);
        if open.descriptors == 0
            && let Some(slot) = self.contents.get_mut(content)
        {
            *slot = None;
        }
        result
    }

    /// Gives the descriptor `from` the number `to`, which is closed before.
    ///
    /// # Errors
    /// [`FileError::BadDescriptor`] when one of them is not open.
    pub fn renumber(&mut self, medium: &mut dyn Medium, from: u32, to: u32) -> Result<(), FileError> {
        self.descriptor(from)?;
        self.descriptor(to)?;
        if from == to {
            return Ok(());
        }
        let result = self.close(medium, to);
        let (from, to) = (from.saturating_sub(ROOT) as usize, to.saturating_sub(ROOT) as usize);
        let moved = self.descriptors.get_mut(from).and_then(Option::take);
        if let Some(slot) = self.descriptors.get_mut(to) {
            *slot = moved;
        }
        result
    }

    /// Lists the folder `fd`, sorted by name, without `.` and `..`.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn list(&mut self, medium: &mut dyn Medium, fd: u32) -> Result<Vec<FolderEntry>, FileError> {
        let folder = self.folder(fd)?.to_string();
        let prefix = below(&folder);
        let mut names = BTreeSet::new();
        let mut add = |path: &str| {
            let Some(rest) = path.strip_prefix(&prefix) else { return };
            let (name, is_folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            if name != KEEPER && !name.is_empty() {
                let inode = inode(&[&*prefix, name].concat());
                names.insert(FolderEntry { name: name.to_string(), is_folder, inode });
            }
        };
        if folder.is_empty() {
            for name in FOLDERS {
                add(&[name, "/"].concat());
            }
        }
        if is_tmp(&folder) {
            self.tmp.list(&prefix, &mut |path, _| add(path))?;
        } else {
            medium.list(&prefix, &mut |path, _| add(path))?;
        }
        Ok(names.into_iter().collect())
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn make_folder(&mut self, medium: &mut dyn Medium, fd: u32, path: &str) -> Result<(), FileError> {
        let path = self.path(fd, path)?;
        if self.stat_path(medium, &path).is_ok() {
            return Err(FileError::Exists);
        }
        self.parent_is_there(medium, &path)?;
        self.check_room(medium, &path, 0, 1)?;
        let keeper = below(&path) + KEEPER;
        self.medium(medium, &path).write(&keeper, &[])?;
        self.count(&path, 0, 1);
        Ok(())
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn remove_folder(&mut self, medium: &mut dyn Medium, fd: u32, path: &str) -> Result<(), FileError> {
        let path = self.path(fd, path)?;
        if path.is_empty() || FOLDERS.contains(&path.as_str()) {
            return Err(FileError::NotPermitted);
        }
        if self.stat_path(medium, &path)?.kind == Kind::File {
            return Err(FileError::NotFolder);
        }
        let keeper = below(&path) + KEEPER;
        let mut full = false;
        self.medium(medium, &path).list(&below(&path), &mut |other, _| full |= other != keeper)?;
        if full {
            return Err(FileError::NotEmpty);
        }
        self.medium(medium, &path).remove(&keeper)?;
        self.count(&path, 0, -1);
        Ok(())
    }

    /// Removes a file; who has it open keeps what they see.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn remove_file(&mut self, medium: &mut dyn Medium, fd: u32, path: &str) -> Result<(), FileError> {
        let path = self.path(fd, path)?;
        let stat = self.stat_path(medium, &path)?;
        if stat.kind == Kind::Folder {
            return Err(FileError::IsFolder);
        }
        self.keep_parent(medium, &path)?;
        self.medium(medium, &path).remove(&path)?;
        self.count(&path, -i64::try_from(stat.size).unwrap_or(i64::MAX), -1);
        if let Some(index) = self.open_content(&path) {
            self.content_mut(index)?.unlinked = true;
        }
        Ok(())
    }

    /// A folder stays when its last file goes: it is kept by a file of its own.
    fn keep_parent(&mut self, medium: &mut dyn Medium, path: &str) -> Result<(), FileError> {
        let Some(folder) = parent(path).filter(|folder| !folder.is_empty() && !FOLDERS.contains(folder)) else {
            return Ok(());
        };
        let (folder, prefix) = (folder.to_string(), below(folder));
        let mut others = false;
        self.medium(medium, path).list(&prefix, &mut |other, _| others |= other != path)?;
        if !others {
            self.medium(medium, path).write(&(prefix + KEEPER), &[])?;
            self.count(&folder, 0, 1);
        }
        Ok(())
    }

    /// Moves a file; folders are not moved.
    ///
    /// The new name has the content before the old one is gone, so that a power cut leaves one of them at least.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn rename(&mut self, medium: &mut dyn Medium, from: (u32, &str), to: (u32, &str)) -> Result<(), FileError> {
        let (from, to) = (self.path(from.0, from.1)?, self.path(to.0, to.1)?);
        let stat = self.stat_path(medium, &from)?;
        if stat.kind == Kind::Folder {
            return Err(FileError::NotSupported);
        }
        if from == to {
            return Ok(());
        }
        self.parent_is_there(medium, &to)?;
        let replaced = match self.stat_path(medium, &to) {
            Ok(Stat { kind: Kind::Folder, .. }) => return Err(FileError::IsFolder),
            Ok(Stat { size, .. }) => Some(size),
            Err(FileError::NotFound) => None,
            Err(error) => return Err(error),
        };
        if let Some(index) = self.open_content(&from) {
            self.flush(medium, index)?;
        }
        let limit = self.limits.file_bytes_max;
        let data = self.medium(medium, &from).read(&from, limit)?;
        if is_tmp(&from) != is_tmp(&to) {
            self.check_room(medium, &to, stat.size, 1)?;
        }
        self.medium(medium, &to).write(&to, &data)?;
        self.count(&to, i64::try_from(data.len()).unwrap_or(i64::MAX), 1);
        if let Some(size) = replaced {
            self.count(&to, -i64::try_from(size).unwrap_or(i64::MAX), -1);
            if let Some(index) = self.open_content(&to) {
                self.content_mut(index)?.unlinked = true;
            }
        }
        self.keep_parent(medium, &from)?;
        self.medium(medium, &from).remove(&from)?;
        self.count(&from, -i64::try_from(data.len()).unwrap_or(i64::MAX), -1);
        if let Some(index) = self.open_content(&from) {
            self.content_mut(index)?.path = to;
        }
        Ok(())
    }

    /// Tells whether `fd` is the root, which alone is preopened.
    #[must_use]
    pub fn is_root(&self, fd: u32) -> bool {
        fd == ROOT && self.descriptor(fd).is_ok()
    }
}

/// Tells whether a path lies in the folder that is kept in memory.
fn is_tmp(path: &str) -> bool {
    path == TMP || path.starts_with("tmp/")
}
