//! Packages as `npm pack` makes them.
#![allow(dead_code)] // each test file uses its part

use miniz_oxide::deflate::compress_to_vec;

/// Packs `package.json` and `plugin.wasm`.
pub fn npm_pack(package_json: &str, wasm: &[u8]) -> Vec<u8> {
    npm_pack_with(package_json, wasm, &[])
}

/// Packs `package.json`, `plugin.wasm` and other files, named by their paths in the package.
pub fn npm_pack_with(package_json: &str, wasm: &[u8], others: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    let own = [("package.json", package_json.as_bytes()), ("plugin.wasm", wasm)];
    for (name, data) in own.iter().chain(others) {
        let name = format!("package/{name}");
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        header[156] = b'0';
        header[257..262].copy_from_slice(b"ustar");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(data);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    out.extend(compress_to_vec(&tar, 6));
    out.extend_from_slice(&crc32(&tar).to_le_bytes());
    out.extend_from_slice(&u32::try_from(tar.len()).unwrap().to_le_bytes());
    out
}

/// CRC-32 of gzip (RFC 1952 §8).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
}
