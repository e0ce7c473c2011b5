//! The floors of `runtime/docs/ARCHITECTURE.md`: a module imports only from floors below its own.

use std::fs;
use std::path::{Path, PathBuf};

/// Floor of each top-level module. Modules of one floor may not import each other unless listed in [`BESIDE`].
const FLOORS: &[(&str, u8)] = &[
    ("time", 1),
    ("http", 1),
    ("json", 1),
    ("delta", 1),
    ("sorted", 1),
    ("crc32", 1),
    ("paths", 1),
    ("queue", 1),
    ("n2k", 2),
    ("nmea0183", 2),
    ("hal", 2),
    ("flash", 3),
    ("fetch", 3),
    ("vfs", 2),
    ("budget", 3),
    ("clock", 3),
    ("course", 3),
    ("device", 3),
    ("stores", 3),
    ("images", 4),
    ("net", 4),
    ("model", 4),
    ("config", 4),
    ("discovery", 5),
    ("accounts", 5),
    ("history", 5),
    ("tracks", 5),
    ("host", 5),
    ("package", 5),
    ("plugin", 6),
    ("server", 7),
    ("gateway", 8),
    ("replay", 9),
    ("carrier", 9),
    ("scenario", 9),
    ("lib", 10),
];

/// Imports inside one floor, each with its reason.
const BESIDE: &[(&str, &str)] = &[
    ("delta", "json"), // a delta is JSON text
    ("delta", "time"), // stamped with the time
    ("json", "time"),
    ("http", "time"),    // the date of a response
    ("paths", "delta"),  // what a path may be
    ("n2k", "hal"),      // only the frame type
    ("nmea0183", "n2k"), // the form of a delta, names of ship types
    ("model", "config"), // the vessel's name
    ("package", "host"),
];

fn floor(module: &str) -> u8 {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .unwrap_or_else(|| panic!("module {module} has no floor: add it to FLOORS"))
        .1
}

fn rust_files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path);
        }
    }
}

/// Modules that `text` names as `crate::module` outside of its tests.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| line.split("crate::").skip(1).map(String::from).collect::<Vec<_>>())
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split([',', '}']).map(|name| name.trim().to_string()).collect::<Vec<_>>(),
            None => vec![rest],
        })
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

#[test]
fn a_module_imports_only_from_floors_below() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let mut upward = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&source).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_string();
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            let beside = BESIDE.contains(&(module.as_str(), import.as_str()));
            if import != module && floor(&import) >= floor(&module) && !beside {
                upward.push(format!(
                    "{}: {module} (floor {}) imports {import} (floor {})",
                    relative.display(),
                    floor(&module),
                    floor(&import)
                ));
            }
        }
    }
    assert!(upward.is_empty(), "imports that go up:\n{}", upward.join("\n"));
}

#[test]
fn only_the_engines_folder_knows_the_engine() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    for file in files {
        let relative = file.strip_prefix(&source).unwrap();
        if !relative.starts_with("host/engine") {
            let text = fs::read_to_string(&file).unwrap();
            // What keeps images in flash makes them, too.
            let names: &[&str] = if relative.starts_with("images") { &[] } else { &["skiff_engine"] };
            for name in ["wasmi::", "use wasmi"].iter().chain(names) {
                assert!(!text.contains(*name), "{} names an engine: {name}", relative.display());
            }
        }
    }
}

/// Returns what a module is, the first line of its documentation, without the brackets of links.
fn purpose(module: &str) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = fs::read_to_string(source.join(format!("{module}/mod.rs")))
        .or_else(|_| fs::read_to_string(source.join(format!("{module}.rs"))))
        .unwrap_or_else(|error| panic!("module {module}: {error}"));
    let line = text.lines().next().and_then(|line| line.strip_prefix("//! "));
    let mut line = line.unwrap_or_else(|| panic!("module {module} begins without `//! `")).to_owned();
    while let Some(from) = line.find("](") {
        let to = line[from..].find(')').map_or(line.len(), |to| from + to + 1);
        line.replace_range(from..to, "");
    }
    line.replace(['[', ']'], "").replace('|', "\\|")
}

/// Between these lines of `ARCHITECTURE.md` stands what [`FLOORS`] says; `BLESS=1` writes it.
const MARKS: [&str; 2] = ["<!-- floors: made by runtime/tests/floors.rs -->\n", "<!-- floors end -->\n"];

#[test]
fn the_floors_of_the_paper_are_those_of_this_test() {
    let mut rows: Vec<(u8, &str)> = FLOORS.iter().map(|(name, floor)| (*floor, *name)).collect();
    rows.retain(|(_, name)| *name != "lib");
    rows.sort_unstable();
    let mut table = String::from("| floor | module | what it is |\n| --- | --- | --- |\n");
    for (floor, name) in rows {
        table.push_str(&format!("| {floor} | `{name}` | {} |\n", purpose(name)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ARCHITECTURE.md");
    let paper = fs::read_to_string(&path).unwrap();
    let (before, rest) = paper.split_once(MARKS[0]).expect("the first mark");
    let (written, after) = rest.split_once(MARKS[1]).expect("the last mark");
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, [before, MARKS[0], &table, MARKS[1], after].concat()).unwrap();
    } else {
        assert_eq!(written, table, "run this test with BLESS=1");
    }
}
