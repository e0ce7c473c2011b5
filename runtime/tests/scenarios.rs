//! Conformance scenarios: `tests/data/scenarios/CASE/{scenario.json,plugin.wat,expected.jsonl}`.
//!
//! Each is played as `skiff test` plays it. `BLESS=1` writes what is found now; the change is then reviewed like code.

use std::fs;
use std::path::{Path, PathBuf};

use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::scenario::{self, Scenario};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn transcript(case: &Path) -> String {
    let text = fs::read_to_string(case.join("scenario.json")).unwrap();
    let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    let wasm = wat::parse_file(case.join("plugin.wat")).unwrap_or_else(|error| panic!("{error}"));
    let mut out = String::new();
    scenario::play(&scenario, &wasm, &Limits::of(Board::Linux).plugin, &mut |line| {
        out.push_str(line);
        out.push('\n');
    });
    out
}

#[test]
fn every_scenario_gives_its_transcript() {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let cases = cases();
    assert!(!cases.is_empty(), "no scenario was found");
    for case in cases {
        let (found, file) = (transcript(&case), case.join("expected.jsonl"));
        assert_eq!(found, transcript(&case), "{}: a second run differs", case.display());
        if bless {
            fs::write(&file, found).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for (number, (left, right)) in (1..).zip(expected.lines().zip(found.lines())) {
            assert_eq!(left, right, "{}:{number}", file.display());
        }
        assert_eq!(expected.lines().count(), found.lines().count(), "{} has another length", file.display());
    }
}

#[test]
fn every_difference_from_the_reference_host_has_its_reason() {
    // The rows of plugin ABI §13; `cargo xtask reference-host` compares the lines themselves.
    let known: Vec<String> = (1..=57).map(|number| format!("L-{number:02}")).collect();
    for file in cases().iter().map(|case| case.join("upstream.diff")).filter(|file| file.exists()) {
        let text = fs::read_to_string(&file).unwrap();
        let reasons: Vec<&str> = text.lines().take_while(|line| line.starts_with("# ")).collect();
        assert!(!reasons.is_empty(), "{} has no reason", file.display());
        for reason in reasons {
            let (rows, why) = reason[2..].split_once(": ").unwrap_or_else(|| panic!("{reason}"));
            assert!(rows.split(", ").all(|row| known.iter().any(|known| known == row)), "{reason}");
            assert!(why.ends_with('.'), "{reason}");
        }
        let differs = |line: &str| line.starts_with("- {") || line.starts_with("+ {");
        assert!(text.lines().filter(|line| !line.starts_with('#')).all(differs), "{}", file.display());
    }
}

#[test]
fn a_scenario_that_says_nonsense_is_refused_with_its_place() {
    for (text, clause) in [
        ("{", "EOF"),
        (r#"{"steps":[]}"#, "package"),
        (r#"{"package":"a","steps":[{"op":"start"},{"op":"dance"}]}"#, r#"step 2: there is no step "dance""#),
        (r#"{"package":"a","steps":[{"op":"http","method":"GET"}]}"#, "step 1: `http` needs the member `path`"),
        (
            r#"{"package":"a","datagrams":[{"afterPoll":1,"port":1,"hex":"0","from":"a","fromPort":1}],"steps":[]}"#,
            "no hex",
        ),
    ] {
        let error = Scenario::parse(text).unwrap_err().to_string();
        assert!(error.contains(clause), "{text}: {error}");
    }
}
