//! This engine beside the reference: the project's own modules, and generated ones.

mod both;

use std::path::Path;

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

/// The modules that are checked in; what else lies in those folders somebody built.
const PLUGINS: [&str; 4] = [
    "assemblyscript/shallow-water-alarm/plugin.wasm",
    "assemblyscript/shallow-water-alarm/plugin-small.wasm",
    "rust/true-wind/plugin.wasm",
    "rust/true-wind/plugin-small.wasm",
];

#[test]
fn plugins_of_the_project_do_the_same_as_on_the_reference() {
    for plugin in PLUGINS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(plugin);
        let wasm = std::fs::read(&path).unwrap();
        let compared = compare(&wasm).unwrap_or_else(|| panic!("{} was not compared", path.display()));
        println!("{}: {compared:?}", path.display());
        assert!(compared.calls > 5, "{}: {compared:?}", path.display());
    }
}
