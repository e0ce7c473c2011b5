//! What is written: `results.json`, tables, plots, and the rows of README.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use skiff_measure::plot::{self, Plot, Unit};

use super::{board_tables, ratio, value};
use crate::guests::GUESTS;
use crate::process;

/// Where everything lies, from the top.
pub const FOLDER: &str = "benches/results";
/// Skiff with values in rows: the other engines, and its own first row, are told of deltas as text.
pub const IN_ROWS: &str = "skiff-rows";
/// What stands beside it.
pub const ROWS_VERDICT: &str = "the same module on Skiff's gateway: it takes numbers, and no text is made";
/// Around the rows of README.
const MARKS: [&str; 2] = ["<!-- bench: made by cargo xtask bench -->\n", "<!-- bench end -->\n"];
/// Rows of an engine: id, heading, unit.
pub const ROWS: [(&str, &str, Unit); 4] = [
    ("load", "load and start", Unit::Nanoseconds),
    ("delta.unwanted", "delta not wanted", Unit::Nanoseconds),
    ("delta.answered", "delta answered", Unit::Nanoseconds),
    ("memory", "memory of a further plugin", Unit::Bytes),
];

/// Writes all files and README's rows.
///
/// # Errors
/// The file that cannot be written.
pub fn write(top: &Path, found: &Value) -> Result<(), String> {
    let json = serde_json::to_string_pretty(found).map_err(|error| error.to_string())?;
    process::write(&top.join(FOLDER).join("results.json"), &(json + "\n"))?;
    write_shown(top, found)
}

/// Writes all files anew but `results.json`, from that.
///
/// # Errors
/// The file that cannot be read or written.
pub fn rewrite(top: &Path) -> Result<(), String> {
    write_shown(top, &read(&top.join(FOLDER).join("results.json"))?)
}

/// Reads results.
///
/// # Errors
/// The file, and what is wrong with it.
pub fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn write_shown(top: &Path, found: &Value) -> Result<(), String> {
    let folder = top.join(FOLDER);
    for (name, plots) in plots(found) {
        process::write(&folder.join(name), &plot::svg(&plots))?;
    }
    process::write(&top.join("benches/RESULTS.md"), &document(found))?;
    let path = top.join("README.md");
    let readme = fs::read_to_string(&path).map_err(|error| format!("README.md: {error}"))?;
    let text = with_rows(&readme, &readme_rows(found)).ok_or("README.md has no place for the rows of the bench")?;
    process::write(&path, &text)
}

/// Every file of plots.
fn plots(found: &Value) -> [(&'static str, Vec<Plot>); 4] {
    [
        ("engines.svg", by_engine(found)),
        ("plugins.svg", by_plugins(found)),
        ("memory.svg", memory(found)),
        ("board.svg", board_tables::plots(found)),
    ]
}

/// Puts rows between the marks.
fn with_rows(readme: &str, rows: &str) -> Option<String> {
    let (before, rest) = readme.split_once(MARKS[0])?;
    let (_, after) = rest.split_once(MARKS[1])?;
    Some([before, MARKS[0], rows, MARKS[1], after].concat())
}

fn engines(found: &Value) -> impl Iterator<Item = &Value> {
    found["engines"].as_array().into_iter().flatten()
}

pub fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Why an engine has no value for a package.
pub fn reason(engine: &Value, package: &str) -> String {
    let packages = engine["packages"].as_array().into_iter().flatten();
    let failed =
        packages.into_iter().find(|found| found["package"] == package).and_then(|found| found["failed"].as_str());
    engine["void"].as_str().or(failed).unwrap_or("not measured").to_owned()
}

/// The tables by package, for the terminal and for the document.
pub fn tables(found: &Value) -> String {
    let mut out = String::new();
    for guest in &GUESTS {
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "\n### {}\n\n| engine | version | {} | |",
            guest.package,
            ROWS.map(|(_, heading, _)| heading).join(" | ")
        );
        let _ = writeln!(out, "| --- | --- | --- | --- | --- | --- | --- |");
        for engine in engines(found) {
            let cells = ROWS.map(|(id, _, unit)| {
                value(engine, guest.package, id).map_or_else(|| "-".into(), |value| unit.text(value))
            });
            let verdict = match value(engine, guest.package, "delta.answered") {
                None => reason(engine, guest.package),
                Some(_) => against(engine, guest.package),
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {verdict} |",
                word(&engine["title"]),
                word(&engine["version"]),
                cells.join(" | ")
            );
        }
    }
    out
}

/// Where Skiff wins and loses beside an engine, in words.
fn against(engine: &Value, package: &str) -> String {
    match word(&engine["name"]) {
        "skiff" => return String::new(),
        IN_ROWS => return ROWS_VERDICT.into(),
        _ => {}
    }
    let told = ROWS.iter().filter_map(|(id, heading, _)| Some(verdict(heading, ratio(engine, package, id)?)));
    told.collect::<Vec<_>>().join("; ")
}

/// What a ratio of Skiff to another says, in words.
pub fn verdict(heading: &str, ratio: f64) -> String {
    match ratio {
        ratio if ratio >= 1.05 => format!("**Skiff loses** {heading}: {ratio:.1} times as much"),
        ratio if ratio <= 0.95 => format!("Skiff wins {heading}: {:.1} times less", 1.0 / ratio),
        _ => format!("{heading}: equal"),
    }
}

/// Heading of the row that counts only where both did the same.
const MESSAGE: &str = "processor time of a message";
/// Rows of a server: heading, where it stands, unit.
const SERVER_ROWS: [(&str, &str, Unit, f64); 9] = [
    ("first HTTP answer", "/firstAnswerMs", Unit::Nanoseconds, 1e6),
    ("resident set", "/residentBytes", Unit::Bytes, 1.0),
    (MESSAGE, "/messageUs", Unit::Nanoseconds, 1e3),
    ("endpoint, 1 connection: requests a second", "/endpoint/1/rate", Unit::Count, 1.0),
    ("endpoint, 1 connection: processor time", "/endpoint/1/us", Unit::Nanoseconds, 1e3),
    ("endpoint, 32 connections: requests a second", "/endpoint/32/rate", Unit::Count, 1.0),
    ("endpoint, 32 connections: processor time", "/endpoint/32/us", Unit::Nanoseconds, 1e3),
    ("new configuration until answered", "/reloadMs", Unit::Nanoseconds, 1e6),
    ("resident set after HTTP load", "/residentAfterBytes", Unit::Bytes, 1.0),
];

/// The whole servers beside each other.
fn servers(found: &Value) -> String {
    let all: Vec<&Value> = found["servers"].as_array().into_iter().flatten().collect();
    let [skiff, other] = all[..] else { return "Not measured in this run.\n".into() };
    let mut out = format!(
        "| | plugins | {} | {} | |\n| --- | --- | --- | --- | --- |\n",
        word(&skiff["title"]),
        word(&other["title"])
    );
    let rows = |server: &Value| server["rows"].as_array().cloned().unwrap_or_default();
    for (ours, theirs) in rows(skiff).iter().zip(&rows(other)) {
        for (heading, place, unit, factor) in SERVER_ROWS {
            let of = |row: &Value| row.pointer(place).and_then(Value::as_f64).map(|value| value * factor);
            let (a, b) = (of(ours), of(theirs));
            // A row that neither has is of another number of plugins.
            if a.or(b).is_none() {
                continue;
            }
            let text = |value: Option<f64>, row: &Value| {
                value.map_or_else(|| row["failed"].as_str().unwrap_or("-").to_owned(), |value| unit.text(value))
            };
            let verdict = match (a, b) {
                _ if heading == MESSAGE && ours["answers"] != theirs["answers"] => "void: not the same work".into(),
                (Some(a), Some(b)) if a > 0.0 && b > 0.0 => {
                    let ratio = if unit == Unit::Count { b / a } else { a / b };
                    if ratio > 1.0 {
                        format!("**Skiff loses**: {ratio:.1} times")
                    } else {
                        format!("Skiff wins: {:.1} times", 1.0 / ratio)
                    }
                }
                _ => String::new(),
            };
            // Writing into a String cannot fail.
            let _ = writeln!(
                out,
                "| {heading} | {} | {} | {} | {verdict} |",
                ours["plugins"],
                text(a, ours),
                text(b, theirs)
            );
        }
        let (a, b) = (ours["answers"].as_u64(), theirs["answers"].as_u64());
        let equal = if a == b { "equal: nothing was dropped on either side" } else { "**not the same work**" };
        let number = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "| answers of plugins heard | {} | {} | {} | {equal} |",
            ours["plugins"],
            number(a),
            number(b)
        );
    }
    out
}

fn document(found: &Value) -> String {
    let machine = &found["machine"];
    let gateway = found["skiff"]["rows"].as_array().into_iter().flatten().filter(|row| row["id"] == "gateway.frame");
    let mut frames = String::new();
    for row in gateway {
        let number = |name: &str| row[name].as_f64().unwrap_or_default();
        // Writing into a String cannot fail.
        let _ = writeln!(
            frames,
            "| {} | {} {} | {} | {} | {} |",
            word(&row["package"]),
            row["plugins"],
            if row["plugins"] == 0 { "" } else { word(&row["handed"]) },
            Unit::Nanoseconds.text(number("median")),
            Unit::Count.text(1e9 / number("median").max(1.0)),
            row["fuel"].as_u64().unwrap_or_default()
        );
    }
    format!(
        "# Results\n\nMade by `{}`; nothing here is typed by hand.\n\n| | |\n| --- | --- |\n| machine | {}, {} processors, {}, {} |\n\
         | date | {} |\n| Skiff | {} |\n| compiler | {} |\n\n\
         Times are processor time of one thread, V8's of all its threads; medians of rounds, in each of which every engine is measured \
         once. What stands behind is the median of the rounds' ratios. Every engine runs the same modules with the same deltas as JSON text; a row whose \
         plugin answers otherwise is void. Ratios are to Skiff's first row, which is told the same way; in its second one the same \
         modules take values in rows, as they do in Skiff's gateway. Skiff's column has fuel metering, slices and limits in it, the others run without. `load and \
         start` is check, translation, linking and `plugin_start`; V8 gets a module that it has not compiled before, each time. V8's \
         column has the `JSON.stringify` of each delta in it that Signal K Server does for each plugin.\n\n## Engines\n{}\n![by engine](results/engines.svg)\n\n![memory](results/memory.svg)\n\n\
         ## A frame through Skiff's gateway\n\n| package | plugins | a frame | frames a second | fuel |\n| --- | --- | --- | --- | --- |\n{frames}\n\
         ![by number of plugins](results/plugins.svg)\n\n\
         ## Engines on a chip\n\n{}\n![on the board](results/board.svg)\n\n\
         ## The whole server\n\nBoth get 400 messages a second (100 with 20 plugins) over a WebSocket for 4 s, with copies of the alarm that are handed all of \
         them. The client runs on the same processors, so requests a second are rough.\n\n{}",
        word(&found["command"]),
        word(&machine["processor"]),
        machine["processors"],
        Unit::Bytes.text(machine["memoryBytes"].as_f64().unwrap_or_default()),
        word(&machine["system"]),
        word(&found["date"]),
        word(&found["skiff"]["skiff"]),
        word(&found["compiler"]),
        tables(found),
        board_tables::section(found),
        servers(found),
    )
}

fn bars(found: &Value, package: &str, id: &str) -> Vec<(String, Result<f64, String>)> {
    engines(found)
        .map(|engine| {
            (word(&engine["title"]).to_owned(), value(engine, package, id).ok_or_else(|| reason(engine, package)))
        })
        .map(|(title, value)| (title, value.map_err(|reason| reason.chars().take(60).collect())))
        .collect()
}

fn by_engine(found: &Value) -> Vec<Plot> {
    let plot = |package: &str, id: &str, heading: &str| Plot::Bars {
        title: format!("{package}: {heading}"),
        unit: Unit::Nanoseconds,
        bars: bars(found, package, id),
    };
    GUESTS.iter().flat_map(|guest| ROWS[..3].iter().map(|(id, heading, _)| plot(guest.package, id, heading))).collect()
}

fn memory(found: &Value) -> Vec<Plot> {
    let plot = |package: &str| Plot::Bars {
        title: format!("{package}: memory of a further plugin"),
        unit: Unit::Bytes,
        bars: bars(found, package, "memory"),
    };
    GUESTS.iter().map(|guest| plot(guest.package)).collect()
}

fn by_plugins(found: &Value) -> Vec<Plot> {
    let rows = || found["skiff"]["rows"].as_array().into_iter().flatten();
    let points = |package: &str, handed: &str| -> Vec<(f64, f64)> {
        rows()
            .filter(|row| row["package"] == package && row["handed"] == handed && row["plugins"].as_u64() > Some(0))
            .filter_map(|row| Some((row["plugins"].as_f64()?, row["median"].as_f64()?)))
            .collect()
    };
    let plot = |package: &str| Plot::Lines {
        title: format!("{package}: a frame through the gateway"),
        below: "plugins".into(),
        unit: Unit::Nanoseconds,
        lines: ["uninterested", "filtered", "unfiltered"]
            .map(|handed| (handed.to_owned(), points(package, handed)))
            .into(),
    };
    GUESTS.iter().map(|guest| plot(guest.package)).collect()
}

/// README's rows: a plot each, with the number that says most.
pub fn readme_rows(found: &Value) -> String {
    let named = |name: &str| engines(found).find(|engine| engine["name"] == name).cloned().unwrap_or(Value::Null);
    let of = |engine: &Value, guest: usize, row: &str, unit: Unit| {
        GUESTS
            .get(guest)
            .and_then(|guest| value(engine, guest.package, row))
            .map_or_else(|| "not measured".into(), |value| unit.text(value))
    };
    let frame = |plugins: u64, handed: &str| {
        let rows = found["skiff"]["rows"].as_array().into_iter().flatten();
        let row = rows.into_iter().find(|row| {
            row["id"] == "gateway.frame"
                && row["package"] == GUESTS[0].package
                && row["plugins"] == plugins
                && row["handed"] == handed
        });
        row.and_then(|row| row["median"].as_f64())
            .map_or_else(|| "not measured".into(), |value| Unit::Nanoseconds.text(value))
    };
    let (own, rows, v8) = (named("skiff"), named(IN_ROWS), named("v8"));
    let mut out = String::from("| plot | says |\n| --- | --- |\n");
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "| [by engine](benches/results/engines.svg) | true wind answers a delta in {}, as text in {}; on V8 in {}. The AssemblyScript alarm in {}, as text in {}; on V8 in {} |",
        of(&rows, 0, "delta.answered", Unit::Nanoseconds),
        of(&own, 0, "delta.answered", Unit::Nanoseconds),
        of(&v8, 0, "delta.answered", Unit::Nanoseconds),
        of(&rows, 1, "delta.answered", Unit::Nanoseconds),
        of(&own, 1, "delta.answered", Unit::Nanoseconds),
        of(&v8, 1, "delta.answered", Unit::Nanoseconds)
    );
    let _ = writeln!(
        out,
        "| [by number of plugins](benches/results/plugins.svg) | a frame takes {} without a plugin, {} with 20 that want nothing, {} with 20 true winds behind their filter, {} with 20 that are handed everything |",
        frame(0, "uninterested"),
        frame(20, "uninterested"),
        frame(20, "filtered"),
        frame(20, "unfiltered")
    );
    let _ = writeln!(
        out,
        "| [memory](benches/results/memory.svg) | a further true wind takes {}, a further alarm {} |",
        of(&own, 0, "memory", Unit::Bytes),
        of(&own, 1, "memory", Unit::Bytes)
    );
    out.push_str(&board_tables::readme_row(found));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_put_between_the_marks() {
        let readme = format!("a\n{}old\n{}b\n", MARKS[0], MARKS[1]);
        assert_eq!(with_rows(&readme, "new\n").unwrap(), format!("a\n{}new\n{}b\n", MARKS[0], MARKS[1]));
        assert_eq!(with_rows("a", "b"), None);
    }

    #[test]
    fn readme_and_the_document_are_what_results_json_gives() {
        let top = process::top();
        let read = |name: &str| fs::read_to_string(top.join(name)).unwrap();
        let found: Value = serde_json::from_str(&read("benches/results/results.json")).unwrap();
        assert_eq!(read("benches/RESULTS.md"), document(&found), "run cargo xtask bench");
        let readme = read("README.md");
        assert_eq!(with_rows(&readme, &readme_rows(&found)), Some(readme.clone()), "run cargo xtask bench");
        for (name, plots) in plots(&found) {
            assert_eq!(read(&format!("benches/results/{name}")), plot::svg(&plots), "{name}");
        }
    }
}
