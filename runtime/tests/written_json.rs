//! JSON is written by the writers of `runtime/src/json`: no other source puts `"name":` into a text by hand.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of what is shipped, from the top of the repository; `*` is each folder there.
const SHIPPED: &[&str] = &["runtime/src", "runtime/abi", "hal-linux/src", "hal-esp32/*/src", "plugins/sdk/src"];

/// Who does it all the same, files and folders, and why.
const BY_HAND: &[(&str, &str)] = &[
    ("runtime/src/delta/", "the writer of deltas, which gives text and index in one"),
    (
        "runtime/src/model/notifications.rs",
        "for every notification: with the writer a frame takes 1 % more instructions than it may",
    ),
    ("runtime/src/n2k/map/propulsion.rs", "an engine tells of forty flags with each message, on the way of its frames"),
    ("runtime/src/host/call/plan.rs", "compares how a request begins"),
    ("runtime/src/model/sources.rs", "compares what the bus says of its source, for every frame"),
    ("runtime/src/gateway/own_meta.rs", "knows again what it wrote"),
    ("hal-linux/src/cli/test.rs", "an example in the help"),
    ("plugins/sdk/src/settings.rs", "when a plugin is compiled: no writer runs there"),
];

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" && name != "target" {
                sources(&path, out);
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            out.push(path);
        }
    }
}

/// Calls `visit` with each string literal of `code`, its line from 1 and its text; only the escape of a quote is undone.
fn literals(code: &str, mut visit: impl FnMut(usize, &str)) {
    let mut rest = code;
    let line = |rest: &str| code[..code.len() - rest.len()].matches('\n').count() + 1;
    let mut before = ' ';
    while let Some(letter) = rest.chars().next() {
        let hashes = rest[1..].chars().take_while(|letter| *letter == '#').count();
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if letter == 'r' && (before == 'b' || !is_word(before)) && rest[1 + hashes..].starts_with('"') {
            let from = hashes + 2;
            let text =
                rest[from..].split_once(&format!("\"{}", "#".repeat(hashes))).expect("the end of a raw string").0;
            visit(line(rest), text);
            from + text.len() + 1 + hashes
        } else if letter == '"' {
            let end = end_of(rest, '"');
            visit(line(rest), &rest[1..end - 1].replace("\\\"", "\""));
            end
        } else if letter == '\'' && (rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\'')) {
            end_of(rest, '\'')
        } else {
            letter.len_utf8()
        };
        before = letter;
        rest = &rest[skipped..];
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Returns the bytes of a literal that begins and ends with `quote`.
fn end_of(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    panic!("a literal without its end: {}", text.lines().next().unwrap_or_default());
}

/// Lines of `code`, tests left out, with a literal that has the name of a member in it.
fn names_by_hand(code: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let tests = ["", "pub(super) ", "pub(crate) ", "pub "].map(|whose| format!("#[cfg(test)]\n{whose}mod "));
    let end = tests.iter().filter_map(|tests| code.find(tests)).min();
    literals(&code[..end.unwrap_or(code.len())], |line, text| {
        if text.contains("\":") {
            lines.push(line);
        }
    });
    lines
}

#[test]
fn a_name_by_hand_is_seen_in_every_form() {
    let code = r####"
// "a": in a comment, and an apostrophe's quote
let quote = ('"', '\'', "a: b", "\"", ["x"], r"y");
let plain = "{\"a\":1}";
let part = "\",\"$source\":\"";
let lifetime: &'static str = format!(r#"{{"a":{}}}"#, 1);
let after = json!({ "board": 1 });
let shown = br##"
"b":"##;
#[cfg(test)]
mod tests { "\"a\":" }
"####;
    assert_eq!(names_by_hand(code), [4, 5, 6, 8]);
}

#[test]
fn members_are_written_by_the_writers_of_json() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in SHIPPED {
        match folder.split_once("/*/") {
            None => sources(&top.join(folder), &mut files),
            Some((above, below)) => {
                let folders = fs::read_dir(top.join(above)).unwrap().map(|entry| entry.unwrap().path().join(below));
                folders.filter(|folder| folder.is_dir()).for_each(|folder| sources(&folder, &mut files));
            }
        }
    }
    assert!(files.len() > 200, "the sources were not found");
    let mut used = vec![false; BY_HAND.len()];
    let mut found = Vec::new();
    for file in files {
        let name = file.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
        let lines = names_by_hand(&fs::read_to_string(&file).unwrap());
        match BY_HAND.iter().position(|(place, _)| name.starts_with(place)) {
            Some(index) => used[index] |= !lines.is_empty(),
            None => found.extend(lines.iter().map(|line| format!("{name}:{line}"))),
        }
    }
    assert!(found.is_empty(), "JSON by hand, use `skiff_runtime::json::object`:\n{}", found.join("\n"));
    let idle: Vec<&str> = BY_HAND.iter().zip(used).filter(|(_, used)| !used).map(|((place, _), _)| *place).collect();
    assert!(idle.is_empty(), "they no longer do, take them out of BY_HAND: {idle:?}");
}
