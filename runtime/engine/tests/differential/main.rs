//! This engine beside the reference: the project's own modules, and generated ones.

mod both;

use std::path::{Path, PathBuf};

use self::both::{Compared, compare, generated};

/// Bytes that look like chance, the same each time.
struct Bytes(u64);

impl Bytes {
    fn take(&mut self, count: usize) -> Vec<u8> {
        let mut next = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 24) as u8
        };
        (0..count).map(|_| next()).collect()
    }
}

/// Generated modules of one run of the test.
const MODULES: u64 = 2000;

#[test]
fn generated_modules_do_the_same_as_on_the_reference() {
    let (mut modules, mut all) = (0, Compared::default());
    for seed in 1..=MODULES {
        let data = Bytes(seed * 0x9e37_79b9).take(1 << (10 + seed % 5));
        let Some(wasm) = generated(&data) else { continue };
        let Some(compared) = compare(&wasm) else { continue };
        modules += 1;
        all.calls += compared.calls;
        all.fuel.0 += compared.fuel.0;
        all.fuel.1 += compared.fuel.1;
    }
    println!("{modules} modules, {all:?}");
    assert!(modules > MODULES / 8 && all.calls > MODULES / 4, "too little was compared: {modules} modules, {all:?}");
}

fn plugins(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != "node_modules" {
            plugins(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "wasm") {
            found.push(path);
        }
    }
}

#[test]
fn plugins_of_the_project_do_the_same_as_on_the_reference() {
    let mut found = Vec::new();
    plugins(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins"), &mut found);
    assert!(found.len() >= 4, "{found:?}");
    for path in found {
        let wasm = std::fs::read(&path).unwrap();
        let compared = compare(&wasm).unwrap_or_else(|| panic!("{} was not compared", path.display()));
        println!("{}: {compared:?}", path.display());
        assert!(compared.calls > 5, "{}: {compared:?}", path.display());
    }
}
