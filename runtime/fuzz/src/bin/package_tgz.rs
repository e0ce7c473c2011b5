//! Any bytes are a package or a reason why not, and what is unpacked keeps to its limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::package::{Archive, Incoming, Manifest, NAME_BYTES_MAX, Package, UNPACKED_BYTES_MAX, plugin_id};

/// A tar header with what the fuzzer may choose (POSIX.1-2001 ustar).
fn tar_entry(name: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let name = name.get(..name.len().min(100)).unwrap_or_default();
    header[..name.len()].copy_from_slice(name);
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut entry = header.to_vec();
    entry.extend_from_slice(content);
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

fn check(bytes: &[u8]) {
    if let Ok(incoming) = Incoming::read(bytes, &Limits::of(Board::Linux)) {
        assert!(incoming.record_bytes() <= UNPACKED_BYTES_MAX as u64 && !incoming.id().contains('/'));
    }
    let archive = Archive::unpack(bytes, UNPACKED_BYTES_MAX);
    let mut paths = std::collections::BTreeSet::new();
    for (path, data) in archive.iter().flat_map(Archive::files) {
        let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        assert!(!path.is_empty() && std::path::Path::new(&path).components().all(plain), "{path:?} leads out");
        assert!(data.len() <= UNPACKED_BYTES_MAX);
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        assert!(folders.into_iter().all(|folder| !paths.contains(folder)), "{path:?} lies in a file");
        assert!(paths.insert(path.clone()), "{path:?} twice");
    }
    let Ok(package) = Package::from_tgz(bytes) else { return };
    assert!(package.wasm.len() <= UNPACKED_BYTES_MAX && package.name.len() <= NAME_BYTES_MAX);
    let id = plugin_id(&package.name);
    assert!(!id.contains(['/', '@', '\0']) && id != "." && id != "..", "{id:?} is no file name");
}

fuzz_target!(|input: (Vec<u8>, Vec<(Vec<u8>, u8, Vec<u8>)>)| {
    let (raw, entries) = input;
    check(&raw);
    let _ = Manifest::parse(&raw);
    let mut tar: Vec<u8> = Vec::new();
    for (name, kind, content) in &entries {
        // The names that are looked for come up often enough this way.
        let name: &[u8] = match name.first() {
            Some(0) => b"package/package.json",
            Some(1) => b"package/plugin.wasm",
            _ => name,
        };
        tar.extend(tar_entry(name, *kind, content));
    }
    tar.extend_from_slice(&raw);
    check(&gzip(&tar));
});

/// Wraps bytes as gzip in stored blocks (RFC 1952, RFC 1951 §3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut chunks = bytes.chunks(0xffff).peekable();
    if chunks.peek().is_none() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(chunk) = chunks.next() {
        out.push(u8::from(chunks.peek().is_none()));
        let length = u16::try_from(chunk.len()).unwrap_or(u16::MAX);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
