//! The papers are true where a program can tell: tests, paths and sections that are named are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of `upstream-differences.md` (plugin ABI §13).
const ROWS: usize = 57;
/// Groups of `conformance.md` (plugin ABI appendix D).
const GROUPS: usize = 13;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Folders that hold the project's own files.
const FOLDERS: [&str; 5] = ["runtime", "hal-linux", "hal-esp32", "plugins", "benches"];
/// Papers that are read by everybody who opens the project.
const TOP_PAPERS: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
/// The paper whose sections the sources cite.
const PLUGIN_ABI: &str = "runtime/docs/plugin-abi.md";
/// Names of other standards; a section behind one of them is none of the plugin ABI.
const STANDARDS: [&str; 9] = ["RFC ", "ISO ", "SAE ", "IEEE ", "ECMA-262", "CSP ", "Unicode ", "virtio ", "MQTT "];

/// Returns the files below a folder whose names end in `.` and `ending`; nothing that was built or installed.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if name != "target" && name != "node_modules" {
                files(&path, ending, found);
            }
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
}

/// Returns every paper of the project.
fn papers() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = TOP_PAPERS.iter().map(|name| top().join(name)).collect();
    for folder in FOLDERS {
        files(&top().join(folder), "md", &mut found);
    }
    // What a template says is about the package that is made of it.
    found.retain(|path| !path.starts_with(top().join("hal-linux/templates")));
    found
}

/// Returns the sources of the project.
fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        for ending in ["rs", "ts", "toml"] {
            files(&top().join(folder), ending, &mut found);
        }
    }
    found
}

/// Returns comments as one text each, and every other line as it is.
fn passages(text: &str) -> Vec<String> {
    let mut passages: Vec<String> = Vec::new();
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        let comment = ["//!", "///", "//"].iter().find_map(|mark| line.strip_prefix(mark));
        match (comment, passages.last_mut()) {
            (Some(words), Some(passage)) if in_comment => passage.push_str(words),
            (words, _) => passages.push(words.unwrap_or(line).to_owned()),
        }
        in_comment = comment.is_some();
    }
    passages
}

/// Returns the sections, rows and appendices of the plugin ABI that a passage cites.
fn cited(passage: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in passage.match_indices('§') {
        let before = &passage[..at];
        let standard = STANDARDS.iter().filter_map(|name| before.rfind(name)).max();
        if standard.is_none() || before.rfind("ABI").is_some_and(|ours| Some(ours) > standard) {
            let number = passage[at + '§'.len_utf8()..].chars().take_while(|c| c.is_ascii_digit() || *c == '.');
            found.push(number.collect::<String>().trim_end_matches('.').to_owned());
        }
    }
    found.retain(|number| !number.is_empty());
    for (at, mark) in passage.match_indices("plugin ABI appendix ") {
        let letter = passage[at + mark.len()..].chars().next().filter(char::is_ascii_uppercase);
        found.extend(letter.map(|letter| format!("Appendix {letter}")));
    }
    found
}

/// Returns the numbers of a paper's headings: `3`, `3.3`, `Appendix B`.
fn headings(paper: &str) -> BTreeSet<String> {
    let titles = paper.lines().filter(|line| line.starts_with("##")).map(|line| line.trim_start_matches(['#', ' ']));
    titles
        .map(|title| match title.strip_prefix("Appendix ") {
            Some(rest) => format!("Appendix {}", &rest[..1]),
            None => title.split(' ').next().unwrap_or_default().trim_end_matches('.').to_owned(),
        })
        .collect()
}

/// Returns what a paper links to and which paths of the project it names, outside of its blocks of code.
fn named_paths(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut links, mut names, mut in_block) = (Vec::new(), Vec::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        links.extend(targets.filter(|to| !to.is_empty() && !to.contains("://")).map(str::to_owned));
        let code = line.split('`').skip(1).step_by(2).filter_map(|code| code.split(' ').next());
        let ours = code.filter(|word| {
            let folder = word.split_once('/').map(|(folder, _)| folder);
            folder.is_some_and(|folder| FOLDERS.contains(&folder) || [".ci", ".cargo", ".vscode"].contains(&folder))
        });
        // A pattern is no path, and a build's folder is there only after the build.
        let kept = ours.filter(|word| !word.contains(['<', '*', '{', '…']) && !word.ends_with("/target"));
        names.extend(kept.map(str::to_owned));
    }
    (links, names)
}

/// Tells whether a text defines the function that `name` ends in (`Type::function`).
fn defines(text: &str, name: &str) -> bool {
    let function = name.rsplit("::").next().unwrap_or(name);
    text.split("fn ").skip(1).any(|rest| rest.strip_prefix(function).is_some_and(|rest| rest.starts_with(['(', '<'])))
}

/// Returns the sources that a line of a paper names, each with the functions that are named right behind it:
/// "`gateway/mod.rs` `poll`", "`tests/wasi.rs`: `one`, `another`".
fn named_sources(line: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    let parts: Vec<&str> = line.split('`').collect();
    let is_name = |code: &str| code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let mut listed = false;
    for pair in parts.chunks_exact(2) {
        let [between, code] = pair else { continue };
        match found.last_mut() {
            _ if code.ends_with(".rs") && !code.contains(' ') => {
                found.push((code, Vec::new()));
                listed = true;
            }
            Some((_, names)) if listed && is_name(code) && [" ", ": ", ", "].contains(between) => names.push(code),
            _ => listed = false,
        }
    }
    found
}

/// Reads the names of all functions below a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                functions(&path, names);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let found = text.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            names.extend(found.map(str::to_owned));
        }
    }
}

/// Returns the names of all tests and other functions.
fn known_functions() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for folder in ["runtime/src", "runtime/tests", "hal-linux/src", "hal-linux/tests"] {
        functions(&top().join(folder), &mut known);
    }
    known
}

/// Demands that every name in backquotes of a table's last column is a test.
fn tests_exist(row: &str, known: &BTreeSet<String>) {
    let tests = row.trim_end_matches('|').rsplit('|').next().unwrap();
    for name in tests.split('`').skip(1).step_by(2).filter(|name| name.matches('_').count() >= 3) {
        assert!(known.contains(name), "{name} is not a test: {row}");
    }
}

#[test]
fn every_upstream_defect_has_a_row_and_every_test_in_it_exists() {
    let known = known_functions();
    let text = fs::read_to_string(top().join("runtime/docs/upstream-differences.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| L-")).collect();
    let numbers: Vec<String> = rows.iter().map(|row| row[2..6].to_owned()).collect();
    let expected: Vec<String> = (1..=ROWS).map(|number| format!("L-{number:02}")).collect();
    assert_eq!(numbers, expected);
    for row in rows {
        tests_exist(row, &known);
    }
}

#[test]
fn every_group_of_conformance_has_scenarios_and_tests_that_exist() {
    let known = known_functions();
    let text = fs::read_to_string(top().join("runtime/docs/conformance.md")).unwrap();
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("| ---")).skip(1).collect();
    assert_eq!(rows.len(), GROUPS);
    let folder = top().join("runtime/tests/data/scenarios");
    let mut unlisted: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for (number, row) in (1..).zip(rows) {
        assert!(row.starts_with(&format!("| {number} ")), "{row}");
        tests_exist(row, &known);
        for scenario in row.split('|').nth(2).unwrap().split('`').skip(1).step_by(2) {
            assert!(folder.join(scenario).is_dir(), "{scenario} is not a scenario");
            unlisted.remove(scenario);
        }
    }
    assert!(unlisted.is_empty(), "scenarios in no group: {unlisted:?}");
}

#[test]
fn every_section_of_the_plugin_abi_that_is_cited_is_there() {
    let known = headings(&fs::read_to_string(top().join(PLUGIN_ABI)).unwrap());
    let mut count = 0;
    let mut missing = BTreeSet::new();
    for path in sources().into_iter().chain(papers()) {
        for passage in passages(&fs::read_to_string(&path).unwrap()) {
            for section in cited(&passage) {
                count += 1;
                if !known.contains(&section) {
                    missing.insert(format!("{}: {section}", path.display()));
                }
            }
        }
    }
    assert!(count > 90, "only {count} citations were found");
    assert!(missing.is_empty(), "no heading of {PLUGIN_ABI} (or a standard without its name): {missing:#?}");
}

#[test]
fn a_citation_belongs_to_the_standard_in_front_of_it() {
    assert_eq!(cited("Streams (plugin ABI §12.4) or binary ones (§10.4)."), ["12.4", "10.4"]);
    assert_eq!(cited("A close frame (RFC 6455 §5.5.1, §7.4)"), [""; 0]);
    assert_eq!(cited("RFC 9112 §6.3, then plugin ABI §9.2."), ["9.2"]);
    assert_eq!(cited("by its id too (plugin ABI appendix E)"), ["Appendix E"]);
    assert_eq!(
        passages("/// frees nothing (plugin ABI\n/// §2.6).\ncode"),
        [" frees nothing (plugin ABI §2.6).", "code"]
    );
}

#[test]
fn every_path_that_a_paper_names_is_there() {
    let mut missing = Vec::new();
    let mut count = 0;
    for paper in papers() {
        let (links, names) = named_paths(&fs::read_to_string(&paper).unwrap());
        let folder = paper.parent().unwrap();
        let paths = links.iter().map(|link| folder.join(link)).chain(names.iter().map(|name| top().join(name)));
        for path in paths {
            count += 1;
            if !path.exists() {
                missing.push(format!("{}: {}", paper.display(), path.display()));
            }
        }
    }
    assert!(count > 100, "only {count} paths were found");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_source_and_function_that_a_paper_names_is_there() {
    let mut known = Vec::new();
    FOLDERS.iter().for_each(|folder| files(&top().join(folder), "rs", &mut known));
    let mut count = 0;
    let mut missing = Vec::new();
    for paper in papers() {
        let text = fs::read_to_string(&paper).unwrap();
        for (file, functions) in text.lines().flat_map(named_sources) {
            // A path is the end of the whole one: `map/rule.rs`.
            let texts = known.iter().filter(|path| path.ends_with(file)).map(|path| fs::read_to_string(path).unwrap());
            let texts: Vec<String> = texts.collect();
            count += 1;
            if texts.is_empty() {
                missing.push(format!("{}: {file}", paper.display()));
            }
            for function in functions.into_iter().filter(|name| !texts.iter().any(|text| defines(text, name))) {
                missing.push(format!("{}: {file} {function}", paper.display()));
            }
        }
    }
    assert!(count > 150, "only {count} sources were found");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn functions_belong_to_the_source_in_front_of_them() {
    let line = "1. `a/b.rs` `S::one`, called by `c.rs` `two`: then `three`; `d.rs`: `four`, `five` → `e.rs`";
    let expected =
        [("a/b.rs", vec!["S::one"]), ("c.rs", vec!["two"]), ("d.rs", vec!["four", "five"]), ("e.rs", vec![])];
    assert_eq!(named_sources(line), expected);
    assert!(defines("pub fn one<T>(", "S::one") && !defines("fn one_more(", "one"));
}

#[test]
fn every_paper_that_a_source_names_is_there() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for rest in text.split("`docs/").skip(1).chain(text.split("runtime/docs/").skip(1)) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_./".contains(*c)).collect();
            let there = name.is_empty() || top().join("runtime/docs").join(name.trim_end_matches('.')).exists();
            assert!(there, "{} names runtime/docs/{name}", path.display());
        }
    }
}

#[test]
fn every_decision_is_listed_and_says_why_what_and_at_which_price() {
    let folder = top().join("runtime/docs/decisions");
    let list = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut notes = Vec::new();
    files(&folder, "md", &mut notes);
    notes.retain(|path| !path.ends_with("README.md"));
    assert_eq!(list.lines().filter(|line| line.starts_with("- [")).count(), notes.len());
    for note in notes {
        let name = note.file_name().unwrap().to_str().unwrap();
        assert!(list.contains(name), "{name} is not listed");
        let text = fs::read_to_string(&note).unwrap();
        assert!(text.lines().count() <= 60, "{name} is longer than a page");
        for part in ["**Context.**", "**Choice.**", "**Price.**"] {
            assert!(text.contains(part), "{name} has no {part}");
        }
    }
}
