//! Packs what a user names as a package: an archive is taken as it is, a folder and a bare module are packed as `npm pack`
//! does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use miniz_oxide::deflate::compress_to_vec;
use skiff_runtime::crc32::crc32;
use skiff_runtime::package::{ARCHIVE_FILES_MAX, Manifest, PACKAGE_JSON_BYTES_MAX, Package, UNPACKED_BYTES_MAX};

use super::{LoadError, read};

/// Bytes of a tar block (POSIX.1-1988 ustar).
const BLOCK: usize = 512;
/// Bytes of a name in a tar header.
const NAME_BYTES: usize = 100;
/// How hard deflate tries, of 10.
const LEVEL: u8 = 6;
/// Never packed, as with npm: other packages, and what builds and version control leave.
const LEFT_OUT: [&str; 2] = ["node_modules", "target"];

/// Returns what a user names as an `npm pack` archive of at most `bytes_max`.
///
/// # Errors
/// [`LoadError`], naming the file and what is wrong with it.
pub fn archive(path: &Path, bytes_max: u32) -> Result<Vec<u8>, LoadError> {
    let metadata = fs::metadata(path).map_err(|error| super::missing(path, &error))?;
    if metadata.is_dir() {
        return pack(files_of(path)?);
    }
    if path.extension().is_some_and(|extension| extension == "wasm") {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let wasm = read(path, super::module_bytes_max().into())?;
        let corrupt = |error| LoadError::Corrupt(format!("{}: {error}", path.display()));
        let name = Package::from_wasm(&stem, wasm.clone()).map_err(corrupt)?.name;
        let manifest = serde_json::json!({
            "name": name, "version": "0.0.0", "keywords": ["signalk-wasm-plugin"], "wasmManifest": "plugin.wasm",
        });
        let files = [("package.json", manifest.to_string().into_bytes()), ("plugin.wasm", wasm)];
        return pack(files.map(|(name, data)| (name.to_owned(), data)).into());
    }
    read(path, bytes_max.into())
}

/// Reads the files of a package folder, by their paths in it: those that `files` of its `package.json` names and the ones
/// that are always packed, all where it names none.
fn files_of(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, LoadError> {
    let json = folder.join("package.json");
    let text = read(&json, PACKAGE_JSON_BYTES_MAX as u64)?;
    let manifest =
        Manifest::parse(&text).map_err(|error| LoadError::Corrupt(format!("{}: {error}", json.display())))?;
    let values: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let named = values.get("files").and_then(serde_json::Value::as_array).map(|list| {
        let named = list.iter().filter_map(|entry| entry.as_str());
        let plain =
            named.map(|entry| entry.trim_start_matches("./").trim_start_matches('/').trim_end_matches(['/', '*']));
        plain.map(str::to_owned).collect::<Vec<_>>()
    });
    let own = values.get("wasmManifest").and_then(serde_json::Value::as_str).map(|path| path.trim_start_matches("./"));
    let always = ["package.json", "README.md", "LICENSE", manifest.wasm_path.as_str(), own.unwrap_or_default()];
    let mut files = BTreeMap::new();
    let (mut open, mut bytes) = (vec![PathBuf::new()], 0_usize);
    while let Some(below) = open.pop() {
        let listing =
            fs::read_dir(folder.join(&below)).map_err(|error| super::missing(&folder.join(&below), &error))?;
        for entry in listing.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            let path = below.join(&name);
            let text = path.to_string_lossy().into_owned();
            if kind.is_dir() {
                let left_out =
                    name.starts_with('.') || below.as_os_str().is_empty() && LEFT_OUT.contains(&name.as_str());
                if !left_out && name != LEFT_OUT[0] {
                    open.push(path);
                }
                continue;
            }
            let lies_in = |entry: &String| entry.is_empty() || text == *entry || text.starts_with(&format!("{entry}/"));
            let wanted = match &named {
                Some(named) => always.contains(&text.as_str()) || named.iter().any(lies_in),
                None => !name.starts_with('.'),
            };
            // Links stay behind, as with npm.
            if !wanted || !kind.is_file() {
                continue;
            }
            let data = read(&folder.join(&path), UNPACKED_BYTES_MAX as u64)?;
            bytes = bytes.saturating_add(data.len());
            if files.len() >= ARCHIVE_FILES_MAX || bytes > UNPACKED_BYTES_MAX {
                let clause = format!("more than {ARCHIVE_FILES_MAX} files or {UNPACKED_BYTES_MAX} bytes");
                let fix = "name those that belong to it in files of package.json";
                return Err(LoadError::Corrupt(format!("{}: {clause}: {fix}", folder.display())));
            }
            files.insert(text, data);
        }
    }
    Ok(files)
}

/// Packs files as a gzipped tar below `package/`.
fn pack(files: BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, LoadError> {
    let mut tar = Vec::new();
    for (path, data) in files {
        let name = format!("package/{path}");
        if name.len() > NAME_BYTES {
            // Read by every tar there is, unlike the two fields of ustar: a name in front (POSIX.1-2001, pax).
            let record = pax_record(&name);
            entry(&mut tar, "PaxHeader/path", b'x', record.as_bytes());
        }
        let cut: String =
            name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= NAME_BYTES).map(|(_, c)| c).collect();
        entry(&mut tar, &cut, b'0', &data);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    let too_long = |_| LoadError::Corrupt("the package is too long".into());
    let length = u32::try_from(tar.len()).map_err(too_long)?;
    // RFC 1952 §2.3: deflate, no name and no time, from an unknown system.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(compress_to_vec(&tar, LEVEL));
    out.extend(crc32(&tar).to_le_bytes());
    out.extend(length.to_le_bytes());
    Ok(out)
}

/// Writes `LENGTH path=NAME\n`, whose length counts itself.
fn pax_record(name: &str) -> String {
    let rest = format!(" path={name}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}")
}

fn entry(tar: &mut Vec<u8>, name: &str, kind: u8, data: &[u8]) {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, text: &[u8]| {
        if let Some(field) = header.get_mut(at..at + text.len()) {
            field.copy_from_slice(text);
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{:011o}\0", data.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    if let Some(field) = header.get_mut(148..156) {
        field.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    tar.extend(header);
    tar.extend(data);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use skiff_runtime::package::Archive;

    use super::super::tests::write_package;
    use super::*;

    fn paths(tgz: &[u8]) -> Vec<String> {
        Archive::unpack(tgz, UNPACKED_BYTES_MAX).unwrap().files().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_folder_is_packed_as_npm_does() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        write_package(folder, "@acme/tide", "plugin.wasm");
        let deep = format!("public/{}", "deep/".repeat(25));
        for path in ["src/lib.rs", "node_modules/other/index.js", "target/x", ".git/config", &format!("{deep}app.js")] {
            fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            fs::write(folder.join(path), path).unwrap();
        }
        symlink("/etc/passwd", folder.join("public/link")).unwrap();
        let all = archive(folder, 0).unwrap();
        assert_eq!(paths(&all), ["package.json", "plugin.wasm", &format!("{deep}app.js"), "src/lib.rs"]);
        assert_eq!(Package::from_tgz(&all).unwrap().name, "@acme/tide");
        let json = fs::read_to_string(folder.join("package.json"))
            .unwrap()
            .replace("{\"name", "{\"files\":[\"./public/\"],\"name");
        fs::write(folder.join("package.json"), json).unwrap();
        assert_eq!(paths(&archive(folder, 0).unwrap()), ["package.json", "plugin.wasm", &format!("{deep}app.js")]);
    }

    #[test]
    fn a_bare_module_is_a_package_that_asks_for_nothing() {
        let home = tempfile::tempdir().unwrap();
        write_package(home.path(), "x", "plugin.wasm");
        let module = home.path().join("Tide Table.wasm");
        fs::rename(home.path().join("plugin.wasm"), &module).unwrap();
        let package = Package::from_tgz(&archive(&module, 0).unwrap()).unwrap();
        assert_eq!((package.name.as_str(), package.version.as_str()), ("tide-table", "0.0.0"));
        assert!(package.asks().is_empty());
        assert!(matches!(archive(&home.path().join("none.tgz"), 9), Err(LoadError::Missing(_))));
    }

    #[test]
    fn a_long_path_says_its_length() {
        for length in 90..110 {
            let record = pax_record(&"n".repeat(length));
            assert_eq!(record.split(' ').next().unwrap(), record.len().to_string());
        }
    }
}
