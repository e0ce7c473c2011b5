//! Reads files out of a gzipped tar, the form `npm pack` makes.
//!
//! Only what such an archive holds is understood: regular files below one folder (`package/`), with names of ustar, and
//! longer ones as POSIX (`npm pack`) and as GNU tar put them in front. Everything is bounded and nothing is written
//! anywhere. An archive is taken as a whole or not at all: every path in it is checked before any file is used.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::{HAS_FILES, PackageError};
use crate::crc32::crc32;

/// Bytes an archive may unpack to.
pub const UNPACKED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Files an archive may hold.
pub const ARCHIVE_FILES_MAX: usize = 2000;
/// Bytes of a path in an archive; the longest of the web apps that Signal K Server ships has 120.
const PATH_BYTES_MAX: usize = 1024;
/// Bytes of a name in a path: what Linux takes (limits.h, NAME_MAX).
const NAME_BYTES_MAX: usize = 255;
/// Bytes of a tar block (POSIX.1-1988 ustar).
const BLOCK: usize = 512;

const GZIP_HEADER_BYTES: usize = 10;
const GZIP_TRAILER_BYTES: usize = 8;
const FLAG_CHECKSUM: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;

/// What `npm pack` makes, unpacked. No path leads out, and each file has one of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Archive {
    tar: Vec<u8>,
    tag: u64,
}

impl Archive {
    /// Unpacks to at most `limit` bytes.
    ///
    /// # Errors
    /// [`PackageError`] that names what is wrong.
    pub fn unpack(tgz: &[u8], limit: usize) -> Result<Self, PackageError> {
        let (tar, checksum) = gunzip(tgz, limit)?;
        if HAS_FILES {
            check_paths(&tar)?;
        }
        let tag = u64::from(checksum) << 32 | tar.len() as u64;
        Ok(Self { tar, tag })
    }

    /// Returns a number that tells its content from that of another archive: CRC-32 and length of the tar.
    #[must_use]
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Returns the bytes that its files take, and a little more.
    #[must_use]
    pub fn bytes_unpacked(&self) -> u64 {
        self.tar.len() as u64
    }

    /// Returns where a file lies, by its path in the package.
    pub(super) fn find(&self, path: &str) -> Result<Range<usize>, PackageError> {
        for file in entries(&self.tar) {
            let (name, place) = file?;
            if name == path {
                return Ok(place);
            }
        }
        Err(PackageError::MissingFile { path: path.into() })
    }

    /// Returns the bytes at a place that [`find`](Self::find) gave.
    pub(super) fn bytes(&self, place: &Range<usize>) -> &[u8] {
        self.tar.get(place.clone()).unwrap_or_default()
    }

    /// Visits all files, for hosts that have a disk: paths in the package and contents.
    pub fn files(&self) -> impl Iterator<Item = (String, &[u8])> {
        // An archive with an error in it was refused.
        entries(&self.tar).map_while(Result::ok).map(|(path, place)| (path, self.bytes(&place)))
    }
}

impl core::fmt::Debug for Archive {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Archive({} bytes)", self.tar.len())
    }
}

fn corrupt(clause: &'static str) -> PackageError {
    PackageError::Archive { clause }
}

/// Checks every path: none leads out, no two files have the same, and none is a folder of another.
fn check_paths(tar: &[u8]) -> Result<(), PackageError> {
    let lies_in = |file: &str, folder: &str| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('\0'));
    let mut paths: Vec<String> = Vec::new();
    for file in entries(tar) {
        // NUL is in no path and sorts first: what lies in a folder would stand right behind a file of its name.
        let path = file?.0.replace('/', "\0");
        let Err(at) = paths.binary_search(&path) else { return Err(corrupt("two files have the same path")) };
        let before = at.checked_sub(1).and_then(|before| paths.get(before));
        if before.is_some_and(|before| lies_in(&path, before)) || paths.get(at).is_some_and(|next| lies_in(next, &path))
        {
            return Err(corrupt("a path is both a file and a folder"));
        }
        paths.insert(at, path);
    }
    Ok(())
}

/// Unpacks gzip (RFC 1952) to at most `limit` bytes and checks length and CRC, which it returns.
fn gunzip(bytes: &[u8], limit: usize) -> Result<(Vec<u8>, u32), PackageError> {
    let cut = || corrupt("cut off");
    let header = bytes.get(..GZIP_HEADER_BYTES).ok_or(corrupt("not gzip"))?;
    let [0x1f, 0x8b, 8, flags, ..] = *header else { return Err(corrupt("not gzip")) };
    let mut at = GZIP_HEADER_BYTES;
    if flags & FLAG_EXTRA != 0 {
        let length: [u8; 2] = bytes.get(at..at + 2).and_then(|word| word.try_into().ok()).ok_or_else(cut)?;
        at += 2 + usize::from(u16::from_le_bytes(length));
    }
    for flag in [FLAG_NAME, FLAG_COMMENT] {
        if flags & flag != 0 {
            let rest = bytes.get(at..).ok_or_else(cut)?;
            at += rest.iter().position(|&byte| byte == 0).ok_or_else(cut)? + 1;
        }
    }
    if flags & FLAG_CHECKSUM != 0 {
        at += 2;
    }
    let end = bytes.len().checked_sub(GZIP_TRAILER_BYTES).filter(|&end| end >= at).ok_or_else(cut)?;
    let body = bytes.get(at..end).ok_or_else(cut)?;
    let trailer = bytes.get(end..).ok_or_else(cut)?;
    let unpacked = decompress_to_vec_with_limit(body, limit).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => PackageError::TooLarge { limit },
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => corrupt("cut off"),
        _ => corrupt("damaged gzip data"),
    })?;
    let (crc, length) = trailer.split_at(4);
    let same_length = length == (u32::try_from(unpacked.len()).unwrap_or(u32::MAX)).to_le_bytes();
    let checksum = crc32(&unpacked);
    if !same_length || crc != checksum.to_le_bytes() {
        return Err(corrupt("its checksum does not match"));
    }
    Ok((unpacked, checksum))
}

/// Visits the regular files with their paths below the archive's first folder; the first error is the last item.
fn entries(tar: &[u8]) -> impl Iterator<Item = Result<(String, Range<usize>), PackageError>> {
    let (mut at, mut count, mut renamed) = (Some(0_usize), 0_usize, None);
    core::iter::from_fn(move || {
        loop {
            let header_at = at?;
            match entry(tar, header_at, renamed.take()) {
                Ok(None) => return None,
                Err(error) => {
                    at = None;
                    return Some(Err(error));
                }
                Ok(Some(_)) if count == ARCHIVE_FILES_MAX => {
                    at = None;
                    return Some(Err(corrupt("more than 2000 files")));
                }
                Ok(Some(entry)) => {
                    count += 1;
                    at = Some(entry.next);
                    renamed = entry.renames;
                    if let Some(file) = entry.file {
                        return Some(Ok(file));
                    }
                }
            }
        }
    })
}

/// The entry that one header of the archive describes.
struct Entry {
    /// Path and place of its content, when it is a regular file below the first folder.
    file: Option<(String, Range<usize>)>,
    /// The name of what follows, when this says no more than that.
    renames: Option<String>,
    /// Where the next header is.
    next: usize,
}

/// Reads the header at `at`; `renamed` is the name that the one in front gave it.
fn entry(tar: &[u8], at: usize, renamed: Option<String>) -> Result<Option<Entry>, PackageError> {
    let header = at.checked_add(BLOCK).and_then(|end| tar.get(at..end));
    let Some(header) = header.filter(|header| header.iter().any(|&byte| byte != 0)) else { return Ok(None) };
    check_header(header)?;
    let size = octal(header, 124, 12).ok_or(corrupt("a file has no size"))?;
    let from = at.saturating_add(BLOCK);
    let place = from..from.saturating_add(size);
    let data = tar.get(place.clone()).ok_or(corrupt("a file is cut off"))?;
    let next = from.saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
    let mut entry = Entry { file: None, renames: None, next };
    let kind = header.get(156).copied().unwrap_or(0);
    match kind {
        // A file, a folder, and what npm leaves out: links.
        b'0' | 0 | b'1' | b'2' | b'5' => {
            let name = renamed.unwrap_or_else(|| name(header));
            let is_folder = kind == b'5';
            let path = below_first_folder(if is_folder { name.trim_end_matches('/') } else { &name })?;
            entry.file = path.filter(|_| matches!(kind, b'0' | 0)).map(|path| (path.into(), place));
        }
        // A POSIX header may say other things than a name, and stand behind one that gave it.
        b'x' => entry.renames = pax_path(data)?.or(renamed),
        b'L' => entry.renames = Some(text(data)),
        _ => {}
    }
    Ok(Some(entry))
}

/// Reads the path out of a POSIX header: lines `LENGTH KEY=VALUE\n`, whose length counts itself (POSIX.1-2001, pax
/// extended header); of two the last one holds.
fn pax_path(data: &[u8]) -> Result<Option<String>, PackageError> {
    let damaged = || corrupt("a pax header is damaged");
    let (mut rest, mut path) = (data, None);
    while !rest.is_empty() {
        let digits = rest.iter().position(|&byte| byte == b' ').ok_or_else(damaged)?;
        let number = rest.get(..digits).and_then(|digits| core::str::from_utf8(digits).ok());
        let length: usize = number.and_then(|number| number.parse().ok()).ok_or_else(damaged)?;
        let (line, behind) = rest.split_at_checked(length).ok_or_else(damaged)?;
        let record = line.get(digits + 1..).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(damaged)?;
        if let Some(value) = record.strip_prefix(b"path=") {
            path = Some(text(value));
        }
        rest = behind;
    }
    Ok(path)
}

/// Returns what stands before the first NUL.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned()
}

fn check_header(header: &[u8]) -> Result<(), PackageError> {
    let sum: usize = header
        .iter()
        .enumerate()
        .map(|(at, &byte)| usize::from(if (148..156).contains(&at) { b' ' } else { byte }))
        .sum();
    if octal(header, 148, 8) == Some(sum) { Ok(()) } else { Err(corrupt("a tar header is damaged")) }
}

/// Reads an octal field, ended by a blank or NUL.
fn octal(header: &[u8], at: usize, length: usize) -> Option<usize> {
    let field = header.get(at..at.checked_add(length)?)?;
    let text = core::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    usize::from_str_radix(text, 8).ok()
}

/// Joins prefix and name of a ustar header.
fn name(header: &[u8]) -> String {
    let field = |at: usize, length: usize| text(header.get(at..at.saturating_add(length)).unwrap_or_default());
    let (name, prefix) = (field(0, 100), field(345, 155));
    if prefix.is_empty() { name } else { format!("{prefix}/{name}") }
}

/// Returns the path below the archive's first folder; `None` for what lies beside that folder.
fn below_first_folder(name: &str) -> Result<Option<&str>, PackageError> {
    let name = name.strip_prefix("./").unwrap_or(name);
    if !HAS_FILES {
        // What leads out is none of the two that are looked for.
        return Ok(name.split_once('/').map(|(_, rest)| rest));
    }
    if name.len() > PATH_BYTES_MAX || name.split('/').any(|part| part.len() > NAME_BYTES_MAX) {
        return Err(corrupt("a path is too long"));
    }
    let leads_out = |part: &str| matches!(part, "" | "." | "..") || part.contains('\\');
    if name.split('/').any(leads_out) {
        return Err(corrupt("a path leads out of the package"));
    }
    Ok(name.split_once('/').map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Package;
    use std::vec;

    /// Writes a tar of these files as `npm pack` does.
    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        tar_of_kinds(&files.iter().map(|(name, data)| (b'0', *name, *data)).collect::<Vec<_>>())
    }

    /// Writes a tar of these entries, each with its kind in front.
    fn tar_of_kinds(files: &[(u8, &str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (kind, name, data) in files {
            let mut header = vec![0_u8; BLOCK];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..136].copy_from_slice(format!("{:011o} ", data.len()).as_bytes());
            header[148..156].copy_from_slice(b"        ");
            header[156] = *kind;
            let sum: usize = header.iter().map(|&byte| usize::from(byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            out.extend(header);
            out.extend(*data);
            out.resize(out.len().div_ceil(BLOCK) * BLOCK, 0);
        }
        out.resize(out.len() + 2 * BLOCK, 0);
        out
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0];
        out.extend(miniz_oxide::deflate::compress_to_vec(data, 6));
        out.extend(crc32(data).to_le_bytes());
        out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        out
    }

    fn files_of(tgz: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PackageError> {
        let archive = Archive::unpack(tgz, UNPACKED_BYTES_MAX)?;
        Ok(archive.files().map(|(path, data)| (path, data.to_vec())).collect())
    }

    const MANIFEST: &[u8] =
        br#"{"name":"@acme/tide","keywords":["signalk-wasm-plugin"],"wasmManifest":"build/p.wasm"}"#;
    const WASM: &[u8] = b"\0asm\x01\0\0\0";

    fn package() -> Vec<u8> {
        gzip(&tar(&[("package/README.md", b"x"), ("package/package.json", MANIFEST), ("package/build/p.wasm", WASM)]))
    }

    #[test]
    fn unpacks_what_npm_packs() {
        let package = Package::from_tgz(&package()).unwrap();
        assert_eq!((package.name.as_str(), &*package.wasm), ("@acme/tide", WASM));
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_an_error_or_harmless_but_never_a_panic() {
        let whole = package();
        for end in 0..whole.len() {
            assert!(Package::from_tgz(&whole[..end]).is_err(), "cut at {end}");
        }
        for at in 10..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            let _ = Package::from_tgz(&damaged);
        }
    }

    #[test]
    fn missing_files_are_named() {
        let without = gzip(&tar(&[("package/package.json", MANIFEST)]));
        assert_eq!(Package::from_tgz(&without), Err(PackageError::MissingFile { path: "build/p.wasm".into() }));
        assert!(matches!(Package::from_tgz(b"hello, this is no archive"), Err(PackageError::Archive { .. })));
    }

    #[test]
    fn all_files_are_unpacked_and_none_leads_out() {
        let files = files_of(&package()).unwrap();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["README.md", "package.json", "build/p.wasm"]);
        for path in [
            "package/../../etc/passwd",
            "package//etc/passwd",
            "/etc/passwd",
            "../etc/passwd",
            "package/a\\b",
            "a\\b/c",
            "package/./x",
            "package/",
        ] {
            for kind in *b"0125" {
                let hostile = tar_of_kinds(&[(b'0', "package/package.json", MANIFEST), (kind, path, b"x")]);
                let refused = files_of(&gzip(&hostile));
                let is_folder = kind == b'5' && path == "package/";
                assert_eq!(refused.is_ok(), is_folder, "{path}: {refused:?}");
            }
        }
    }

    #[test]
    fn a_path_belongs_to_one_file_alone() {
        let said = |names: &[&str]| {
            let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"x".as_slice())).collect();
            files_of(&gzip(&tar(&files))).map_err(|error| error.to_string())
        };
        assert_eq!(said(&["p/a", "p/a-b", "p/ab", "p/b/a", "p/a.b"]).unwrap().len(), 5);
        for twice in [&["p/a", "p/b", "p/a"][..], &["p/package.json", "q/package.json"], &["p/a", "./p/a"]] {
            assert_eq!(said(twice).unwrap_err(), "corrupt archive: two files have the same path", "{twice:?}");
        }
        for both in [&["p/a", "p/a-b", "p/a/b"][..], &["p/a/b/c", "p/a.b", "p/a"], &["p/x/y/z", "p/x/y"]] {
            assert_eq!(said(both).unwrap_err(), "corrupt archive: a path is both a file and a folder", "{both:?}");
        }
        let many: Vec<String> = (0..=ARCHIVE_FILES_MAX).map(|number| format!("p/{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(said(&many).unwrap_err().contains("more than 2000 files"));
        assert_eq!(said(&many[1..]).unwrap().len(), ARCHIVE_FILES_MAX);
    }

    #[test]
    fn a_path_has_a_length() {
        let named = |path: &str| {
            let gnu = [path.as_bytes(), b"\0"].concat();
            files_of(&gzip(&tar_of_kinds(&[(b'L', "././@LongLink", &gnu), (b'0', "package/cut", b"x")])))
        };
        let name = "n".repeat(NAME_BYTES_MAX);
        assert!(named(&format!("package/{name}")).is_ok());
        let longest = "d/".repeat(PATH_BYTES_MAX / 2 - 1);
        assert!(named(&format!("{longest}/p")[..]).is_err() && named(&format!("{longest}p")).is_ok());
        for long in [format!("package/{name}n"), format!("{longest}ddd")] {
            assert_eq!(named(&long).unwrap_err().to_string(), "corrupt archive: a path is too long");
        }
    }

    #[test]
    fn long_names_stand_in_front_of_their_files() {
        let long = format!("package/public/{}app.js", "deep/".repeat(30));
        let pax = |text: &str| {
            let length = text.len() + " \n".len() + 3;
            format!("{length} {text}\n").into_bytes()
        };
        let named = pax(&format!("path={long}"));
        assert_eq!(named.len().to_string().len(), 3);
        let other = b"16 comment=hello".iter().chain(b"\n").copied().collect::<Vec<_>>();
        let other = [b"17".as_slice(), &other[2..]].concat();
        let gnu = [long.as_bytes(), b"\0"].concat();
        let global = (b'g', "pax_global_header", b"not looked at".as_slice());
        let file = (b'0', "package/public/deep/cut", b"x".as_slice());
        for in_front in [
            &[(b'x', "PaxHeader/app.js", named.as_slice())][..],
            &[(b'x', "PaxHeader/app.js", &[other.as_slice(), &named].concat())],
            &[(b'x', "PaxHeader/app.js", &named), (b'x', "PaxHeader/app.js", &other)],
            &[(b'L', "././@LongLink", &gnu)],
        ] {
            let entries = [&[global, (b'0', "package/first", b"1")][..], in_front, &[file, file]].concat();
            let files = files_of(&gzip(&tar_of_kinds(&entries))).unwrap();
            let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
            // The name is that of one file only.
            assert_eq!(names, ["first", &long["package/".len()..], "public/deep/cut"]);
        }
    }

    #[test]
    fn damaged_and_hostile_long_names_are_refused() {
        let file = (b'0', "package/a", b"x".as_slice());
        for header in
            [b"path".as_slice(), b"8 path=a\n", b"99 path=package/a\n", b"x path=a\n", b"0 \n", b"10 path=abX"]
        {
            let archive = gzip(&tar_of_kinds(&[(b'x', "PaxHeader/a", header), file]));
            assert!(matches!(files_of(&archive), Err(PackageError::Archive { .. })), "{header:?}");
        }
        for (kind, name) in [(b'x', b"26 path=package/../secret\n".as_slice()), (b'L', b"package/../secret")] {
            let archive = gzip(&tar_of_kinds(&[(kind, "PaxHeader/a", name), file]));
            assert!(files_of(&archive).unwrap_err().to_string().contains("leads out"));
        }
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = gzip(&vec![0_u8; UNPACKED_BYTES_MAX + 1]);
        assert_eq!(Package::from_tgz(&bomb), Err(PackageError::TooLarge { limit: UNPACKED_BYTES_MAX }));
    }
}
