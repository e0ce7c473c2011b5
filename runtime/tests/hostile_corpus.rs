//! The hostile modules beside the project, when they are there: refused or contained, never a crash of the host.

mod guests;

use std::fs;
use std::path::Path;

use guests::{Guest, limits, try_load_binary};
use skiff_runtime::budget::PluginLimits;
use skiff_runtime::host::{Answer, Call, Failure};

/// Runs `plugin_start`, three polls and `plugin_stop`; returns what `plugin_start` gave.
fn run(guest: &mut Guest) -> Result<Answer, Failure> {
    let started = guest.start();
    if started == Ok(Answer::Code(Some(0))) {
        for _ in 0..3 {
            if guest.call(Call::Poll).is_err() {
                break;
            }
        }
        let _ = guest.call(Call::Stop);
    }
    started
}

/// What `plugin_start` must give, by the number of the module; others only must not hurt the host.
fn expected(name: &str) -> Option<Result<Answer, &'static str>> {
    let zero = Ok(Answer::Code(Some(0)));
    Some(match name.split('-').next().unwrap_or_default() {
        "00" | "20" | "21" | "30" | "32" | "34" | "35" | "64" | "70" => zero,
        "01" => Err("fuel"),
        "06" => Err("trap in start"),
        "11" => Err("linear memory"),
        "14" => Err("stack"),
        "17" => Err("cannot be set up"),
        "25" => Ok(Answer::Absent),
        "27" => Err("trap in start"),
        "63" => Ok(Answer::Code(Some(-7))),
        _ => return None,
    })
}

#[test]
fn every_hostile_module_is_refused_or_contained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/hostile");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: the hostile modules are not beside the project");
        return;
    };
    let limits = PluginLimits { linear_bytes_max: 16 * 1024 * 1024, ..limits() };
    let (mut seen, mut wrong) = (0, Vec::new());
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "wat"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let wasm = match wat::parse_file(&path) {
            Ok(wasm) => wasm,
            Err(error) => {
                eprintln!("SKIPPED {name}: the text does not parse: {error}");
                continue;
            }
        };
        seen += 1;
        let outcome = match try_load_binary(&wasm, "{}", &limits) {
            Ok(mut guest) => run(&mut guest).map_err(|failure| failure.to_string()),
            Err(refused) => Err(refused),
        };
        let ok = match (&outcome, expected(&name)) {
            (Ok(answer), Some(Ok(wanted))) => *answer == wanted,
            (Err(reason), Some(Err(clause))) => reason.contains(clause),
            (_, None) => true,
            _ => false,
        };
        println!("{name}: {outcome:?}");
        if !ok {
            wrong.push(format!("{name}: {outcome:?}, expected {:?}", expected(&name)));
        }
    }
    assert!(seen > 0, "the folder is there, but no module in it");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
