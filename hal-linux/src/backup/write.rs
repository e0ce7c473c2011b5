//! Writes a backup.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::{BackupError, DEPTH_MAX, ENTRIES_MAX, belongs};

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files in it.
    pub files: usize,
    /// Links and the like, which are not.
    pub left_out: usize,
}

/// Writes the files of a configuration folder as a zip of at most `bytes_max`; with packages or without. Links are left
/// out. A gateway can run meanwhile: it replaces its files whole.
///
/// # Errors
/// [`BackupError`]; what was written until then is no backup.
pub fn write(config: &Path, packages: bool, bytes_max: u64, out: &mut dyn Write) -> Result<Written, BackupError> {
    let mut bounded = Bounded { out, left: bytes_max };
    let mut zip = ZipArchiveWriter::new(&mut bounded);
    let mut written = Written::default();
    let result = add_folder(&mut zip, config, "", packages, DEPTH_MAX, &mut written)
        .and_then(|()| zip.finish().map(drop).map_err(told));
    match result {
        Err(_) if bounded.left == 0 => Err(BackupError::TooLarge { limit: bytes_max }),
        result => result.map(|()| written),
    }
}

fn add_folder(
    zip: &mut ZipArchiveWriter<&mut Bounded<'_>>,
    folder: &Path,
    name: &str,
    packages: bool,
    depth_left: usize,
    written: &mut Written,
) -> Result<(), BackupError> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let Ok(file_name) = entry.file_name().into_string() else {
            written.left_out += 1;
            continue;
        };
        let path = if name.is_empty() { file_name } else { format!("{name}/{file_name}") };
        if !belongs(&path, packages) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() && depth_left > 0 {
            add_folder(zip, &entry.path(), &path, packages, depth_left - 1, written)?;
        } else if kind.is_file() {
            if written.files >= ENTRIES_MAX {
                return Err(BackupError::TooMany);
            }
            match File::open(entry.path()) {
                Ok(file) => add_file(zip, file, &path)?,
                // Removed since the folder was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            }
            written.files += 1;
        } else {
            written.left_out += 1;
        }
    }
    Ok(())
}

fn add_file(zip: &mut ZipArchiveWriter<&mut Bounded<'_>>, mut file: File, path: &str) -> Result<(), BackupError> {
    let new = zip.new_file(path).compression_method(CompressionMethod::DEFLATE).unix_permissions(0o600);
    let (mut entry, config) = new.start().map_err(told)?;
    let mut writer = config.wrap(DeflateEncoder::new(&mut entry, Compression::default()));
    io::copy(&mut file, &mut writer)?;
    let (encoder, descriptor) = writer.finish().map_err(told)?;
    encoder.finish()?;
    entry.finish(descriptor).map_err(told)?;
    Ok(())
}

fn told(error: rawzip::Error) -> BackupError {
    match error.into_kind() {
        rawzip::ErrorKind::IO(error) => BackupError::Disk(error),
        kind => BackupError::Disk(io::Error::other(kind.to_string())),
    }
}

/// Takes so many bytes and no more.
struct Bounded<'o> {
    out: &'o mut dyn Write,
    left: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
        match self.left.checked_sub(bytes) {
            // One byte too many, too, so that nothing that just fits looks like it.
            None | Some(0) => {
                self.left = 0;
                Err(ErrorKind::FileTooLarge.into())
            }
            Some(left) => {
                self.out.write_all(data)?;
                self.left = left;
                Ok(data.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
