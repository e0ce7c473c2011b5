//! The rows: what is measured, of which package, in which unit.

use std::sync::Arc;

use skiff_measure::clock::timed;
use skiff_measure::input::{self, feed, unwanted};
use skiff_measure::rounds::{Done, Work};
use skiff_runtime::budget::{Board, Limits};
use skiff_runtime::host::Call;
use skiff_runtime::package::Package;

use super::crossing;
use super::guest::{Guest, checked, delta, translated};
use super::whole::{self, Tally};

/// Numbers of plugins that a gateway is measured with.
pub const PLUGINS: [u32; 4] = [1, 5, 20, 50];
/// Most plugins that a gateway of this kind takes: those of the board `linux`.
const PLUGINS_MAX: u32 = Limits::of(Board::Linux).plugins_max as u32;
/// Seconds of the simulated boat in which a package shows what it answers.
const TRIAL_SECONDS: i64 = 20;
/// Deltas of those that are kept at most.
const ANSWERED_MAX: usize = 32;

/// What deltas reach the plugins of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// Those with a path that the package names, or else that it answers.
    Filtered,
    /// None: each plugin waits for a path that nothing sends.
    Uninterested,
    /// All.
    Unfiltered,
}

impl Handed {
    /// All kinds, the cheapest first.
    pub const ALL: [Self; 3] = [Self::Uninterested, Self::Filtered, Self::Unfiltered];

    /// Returns the word of tables and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Uninterested => "uninterested",
            Self::Unfiltered => "unfiltered",
        }
    }
}

/// A package to measure, and what it is fed.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The package.
    pub package: Package,
    /// Its configuration, a JSON object.
    pub config: String,
    /// Deltas before anything is measured.
    pub before: Vec<String>,
    /// Deltas in a circle; the plugin answers each.
    pub answered: Vec<String>,
    /// A delta that it does not want.
    pub unwanted: String,
    /// Paths of an operator's filter that lets through what it answers.
    pub filter: Option<Vec<String>>,
}

impl Subject {
    /// Looks at a package: what it is fed, or which deltas of the simulated boat it answers.
    ///
    /// # Errors
    /// That it cannot be loaded or started, in one clause.
    pub fn new(package: Package, config: &str) -> Result<Self, String> {
        let mut guest = Guest::load(&package)?;
        guest.start(config)?;
        let feed = feed(&package.name);
        let (before, answered) = match &feed {
            Some(feed) => (feed.before.clone(), feed.answered.clone()),
            None => (Vec::new(), answered_of(&mut guest)?),
        };
        let mut filter: Vec<String> = answered.iter().flat_map(|text| whole::paths_of(text)).collect();
        filter.sort();
        filter.dedup();
        let filter = package.subscribe.clone().or(Some(filter)).filter(|paths| !paths.is_empty());
        Ok(Self {
            package,
            config: config.to_owned(),
            before,
            answered,
            unwanted: feed.map_or_else(unwanted, |feed| feed.unwanted),
            filter,
        })
    }
}

/// The deltas of the simulated boat that a plugin answers.
fn answered_of(guest: &mut Guest) -> Result<Vec<String>, String> {
    let mut answered = Vec::new();
    for text in whole::sample_deltas(TRIAL_SECONDS) {
        if guest.call(Call::Delta(delta(&text)?))?.emitted > 0 {
            answered.push(text);
        }
        if answered.len() == ANSWERED_MAX {
            break;
        }
    }
    Ok(answered)
}

/// Reads a package again, from where it came.
pub type Read = Box<dyn Fn() -> Result<Package, String>>;

/// What a row is about: the part of it that is the same in two reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Short name, such as `delta.answered`.
    pub id: &'static str,
    /// What it is, in words.
    pub what: String,
    /// The package, where it is of one.
    pub package: Option<String>,
    /// Plugins in the gateway, and what reaches them.
    pub plugins: Option<(u32, Handed)>,
}

/// A row that is still to be measured.
pub struct Workload {
    /// What it is about.
    pub key: Key,
    /// What is to be done, or why it cannot.
    pub work: Result<Work<'static>, String>,
    /// Fuel of one unit, where it is known beforehand.
    pub fuel: Option<u64>,
    /// Bytes of one unit, where they are known beforehand.
    pub bytes: Option<u64>,
    /// Fuel and bytes that the work adds up itself.
    pub tally: Option<Arc<Tally>>,
}

impl Workload {
    fn new(id: &'static str, what: &str, package: Option<&str>) -> Self {
        let key = Key { id, what: what.to_owned(), package: package.map(str::to_owned), plugins: None };
        Self { key, work: Err("not tried".into()), fuel: None, bytes: None, tally: None }
    }
}

/// Rows that are of no package.
#[must_use]
pub fn of_machine() -> Vec<Workload> {
    let fuel = crossing::fuel().ok();
    let tally = Arc::new(Tally::default());
    vec![
        Workload {
            work: crossing::empty_call(),
            fuel: fuel.map(|(call, _)| call),
            ..Workload::new("call.empty", "call of an empty export", None)
        },
        Workload {
            work: crossing::empty_import(),
            fuel: fuel.map(|(_, import)| import),
            ..Workload::new("call.import", "call of an empty import", None)
        },
        Workload {
            work: Ok(whole::frames_to_deltas(&tally)),
            tally: Some(tally),
            ..Workload::new("frames.decode", "a frame to delta JSON", None)
        },
    ]
}

/// Rows of one plugin by itself.
#[must_use]
pub fn of_plugin(subject: &Subject, read: Read) -> Vec<Workload> {
    let name = Some(&*subject.package.name);
    let wasm_bytes = Some(subject.package.wasm.len() as u64);
    let mut rows = loads(subject, read);
    // The start reads none of the module.
    for row in rows.iter_mut().filter(|row| row.key.id != "load.start") {
        row.bytes = wasm_bytes;
    }
    let nothing = || Err(String::from("answers no delta of the simulated boat"));
    let answered = if subject.answered.is_empty() { nothing() } else { deltas(subject, &subject.answered) };
    let fuel_of = |texts: &[String]| fuel(subject, texts).ok().filter(|_| !texts.is_empty());
    rows.push(Workload {
        work: deltas(subject, std::slice::from_ref(&subject.unwanted)),
        fuel: fuel_of(std::slice::from_ref(&subject.unwanted)),
        bytes: Some(subject.unwanted.len() as u64),
        ..Workload::new("delta.unwanted", "a delta that it does not want", name)
    });
    rows.push(Workload {
        work: answered,
        fuel: fuel_of(&subject.answered),
        bytes: Some(average(&subject.answered)).filter(|bytes| *bytes > 0),
        ..Workload::new("delta.answered", "a delta that it answers", name)
    });
    rows.extend(as_text(subject));
    let tally = Arc::new(Tally::default());
    rows.push(Workload {
        work: whole::endpoint(subject, &tally),
        tally: Some(tally),
        ..Workload::new("http.endpoint", "a request to its endpoint", name)
    });
    rows.push(Workload {
        work: whole::reload_gap(subject),
        bytes: wasm_bytes,
        ..Workload::new("reload.gap", "no answer during a reload", name)
    });
    rows
}

/// Rows of a plugin that takes values, told of deltas as text as a plugin is that does not.
fn as_text(subject: &Subject) -> Vec<Workload> {
    let Some(wasm) = input::as_text(&subject.package.wasm) else { return Vec::new() };
    let subject = Subject { package: Package { wasm: wasm.into(), ..subject.package.clone() }, ..subject.clone() };
    let hears = started(&subject).and_then(|mut guest| {
        let heard = subject.answered.iter().try_fold(0, |sum: u64, text| {
            Ok::<_, String>(sum.saturating_add(guest.call(Call::Delta(delta(text)?))?.emitted))
        })?;
        if heard > 0 { Ok(()) } else { Err(String::from("its module takes values alone")) }
    });
    let unwanted = std::slice::from_ref(&subject.unwanted);
    [
        ("text.unwanted", "a delta it does not want, as text", unwanted),
        ("text.answered", "a delta it answers, as text", &subject.answered),
    ]
    .into_iter()
    .map(|(id, what, texts)| Workload {
        work: hears.clone().and_then(|()| deltas(&subject, texts)),
        fuel: fuel(&subject, texts).ok().filter(|_| hears.is_ok()),
        bytes: Some(average(texts)),
        ..Workload::new(id, what, Some(&subject.package.name))
    })
    .collect()
}

/// The mean length of some texts, bytes.
fn average(texts: &[String]) -> u64 {
    texts.iter().map(String::len).sum::<usize>() as u64 / texts.len().max(1) as u64
}

/// A gateway with so many copies of a plugin.
fn gateway(subject: &Subject, plugins: u32, handed: Handed) -> Workload {
    let tally = Arc::new(Tally::default());
    let what =
        if plugins == 0 { String::from("a frame, no plugin") } else { format!("a frame, {plugins} {}", handed.name()) };
    let mut row = Workload::new("gateway.frame", &what, Some(&subject.package.name));
    row.key.plugins = Some((plugins, handed));
    Workload { work: whole::boat(subject, plugins, handed, &tally), tally: Some(tally), ..row }
}

/// Finds one row by its name: `delta.answered`, or `gateway.frame:5:filtered` with the number of plugins and their kind.
#[must_use]
pub fn named(subject: &Subject, read: Read, name: &str) -> Option<Workload> {
    if let Some((plugins, handed)) = name.strip_prefix("gateway.frame:").and_then(|rest| rest.split_once(':')) {
        let handed = Handed::ALL.into_iter().find(|kind| kind.name() == handed)?;
        return Some(gateway(subject, plugins.parse().ok().filter(|plugins| *plugins <= PLUGINS_MAX)?, handed));
    }
    of_machine().into_iter().chain(of_plugin(subject, read)).find(|row| row.key.id == name)
}

/// Rows of a gateway with copies of a plugin.
#[must_use]
pub fn of_gateway(subject: &Subject) -> Vec<Workload> {
    let row = |plugins, handed| gateway(subject, plugins, handed);
    let kinds = Handed::ALL.into_iter().flat_map(|handed| PLUGINS.map(|plugins| (plugins, handed)));
    [(0, Handed::Uninterested)].into_iter().chain(kinds).map(|(plugins, handed)| row(plugins, handed)).collect()
}

/// From bytes to a plugin that runs, in the steps of a gateway.
fn loads(subject: &Subject, read: Read) -> Vec<Workload> {
    let (package, config) = (subject.package.clone(), subject.config.clone());
    let name = Some(&*subject.package.name);
    let repeated = |mut one: Box<dyn FnMut() -> Option<u64>>| -> Work<'static> {
        Box::new(move |times| {
            (0..times).map_while(|_| one()).fold(Done::default(), |sum, nanos| Done {
                nanos: sum.nanos.saturating_add(nanos),
                units: sum.units.saturating_add(1),
            })
        })
    };
    let read = repeated(Box::new(move || {
        let (read, nanos) = timed(&read);
        read.ok().map(|_| nanos)
    }));
    let of_check = package.clone();
    let check = repeated(Box::new(move || {
        let (facts, nanos) = timed(|| checked(&of_check));
        facts.ok().map(|_| nanos)
    }));
    let facts = checked(&package);
    let translate = facts.clone().map(|facts| {
        let package = package.clone();
        repeated(Box::new(move || {
            let (guest, nanos) = timed(|| translated(&package, &facts));
            guest.ok().map(|_| nanos)
        }))
    });
    let start_fuel = Guest::load(&package).and_then(|mut guest| guest.start(&config)).ok();
    let start = facts.map(|facts| {
        repeated(Box::new(move || {
            let mut guest = translated(&package, &facts).ok()?;
            let (started, nanos) = timed(|| guest.start(&config));
            started.ok().map(|_| nanos)
        }))
    });
    vec![
        Workload { work: Ok(read), ..Workload::new("load.read", "load: read the package", name) },
        Workload { work: Ok(check), ..Workload::new("load.check", "load: check the module", name) },
        Workload { work: translate, ..Workload::new("load.translate", "load: translate and link", name) },
        Workload { work: start, fuel: start_fuel, ..Workload::new("load.start", "load: name, schema, start", name) },
    ]
}

fn started(subject: &Subject) -> Result<Guest, String> {
    let mut guest = Guest::load(&subject.package)?;
    guest.start(&subject.config)?;
    for text in &subject.before {
        guest.call(Call::Delta(delta(text)?))?;
    }
    Ok(guest)
}

/// Deltas in a circle.
fn deltas(subject: &Subject, texts: &[String]) -> Result<Work<'static>, String> {
    let mut guest = started(subject)?;
    let deltas = texts.iter().map(|text| delta(text)).collect::<Result<Vec<_>, _>>()?;
    let mut next = 0_usize;
    Ok(Box::new(move |times| {
        guest.measured(times, |_| {
            next = next.checked_add(1).unwrap_or(0);
            // Invariant: there is one at least.
            Call::Delta(Arc::clone(&deltas[next % deltas.len()]))
        })
    }))
}

/// The mean fuel of some deltas.
fn fuel(subject: &Subject, texts: &[String]) -> Result<u64, String> {
    let mut guest = started(subject)?;
    let mut sum = 0_u64;
    for text in texts {
        sum = sum.saturating_add(guest.call(Call::Delta(delta(text)?))?.fuel);
    }
    Ok(sum / texts.len().max(1) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn subject(index: usize) -> Subject {
        let embedded = &sample::PACKAGES[index];
        Subject::new(embedded.package().unwrap(), embedded.config).unwrap()
    }

    fn rows(index: usize) -> Vec<Workload> {
        let read: Read = Box::new(move || sample::PACKAGES[index].package().map_err(|error| error.to_string()));
        of_plugin(&subject(index), read)
    }

    #[test]
    fn the_packages_of_the_project_answer_each_delta_of_their_feed() {
        for index in 0..sample::PACKAGES.len() {
            let subject = subject(index);
            let mut guest = started(&subject).unwrap();
            for text in subject.answered.iter().cycle().take(10) {
                let called = guest.call(Call::Delta(delta(text).unwrap())).unwrap();
                assert_eq!(called.emitted, 1, "{}: {text}", subject.package.name);
            }
            let called = guest.call(Call::Delta(delta(&subject.unwanted).unwrap())).unwrap();
            assert_eq!(called.emitted, 0, "{}", subject.package.name);
        }
    }

    #[test]
    fn a_row_is_found_by_its_name() {
        let found = |name: &str| {
            let read: Read = Box::new(|| Err(String::new()));
            named(&subject(1), read, name).map(|row| (row.key.id, row.key.plugins))
        };
        assert_eq!(found("delta.answered"), Some(("delta.answered", None)));
        assert_eq!(found("gateway.frame:2:filtered"), Some(("gateway.frame", Some((2, Handed::Filtered)))));
        for name in ["delta", "gateway.frame", "gateway.frame:2:all", "gateway.frame:1000:filtered"] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn a_package_of_somebody_else_is_fed_what_it_answers() {
        let package = Package { name: "@acme/wind".into(), subscribe: None, ..sample::PACKAGES[0].package().unwrap() };
        let subject = Subject::new(package, "{}").unwrap();
        assert_eq!(subject.answered.len(), ANSWERED_MAX);
        let filter = subject.filter.unwrap();
        assert!(filter.iter().any(|path| path == "environment.wind.speedApparent"), "{filter:?}");
    }

    #[test]
    fn every_row_of_a_plugin_works_or_says_why_not() {
        let reasons: Vec<String> = rows(0)
            .into_iter()
            .chain(of_machine())
            .filter_map(|mut row| match &mut row.work {
                Ok(work) => (work(1).units == 0).then(|| format!("{}: did nothing", row.key.id)),
                Err(reason) => Some(format!("{}: {reason}", row.key.id)),
            })
            .collect();
        let as_text = |id: &str| format!("{id}: its module takes values alone");
        let expected = [as_text("text.unwanted"), as_text("text.answered")];
        assert_eq!(reasons[..2], expected);
        assert_eq!(reasons[2..], ["http.endpoint: has no endpoint that can be read"]);
        assert!(rows(1).iter().all(|row| row.work.is_ok() || row.key.id.starts_with("text.")));
    }

    #[test]
    fn a_module_for_every_host_is_told_of_deltas_as_text_too() {
        let module = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/rust/true-wind/plugin.wasm");
        let wasm = std::fs::read(module).unwrap();
        let subject =
            Subject::new(Package { wasm: wasm.into(), ..sample::PACKAGES[0].package().unwrap() }, "{}").unwrap();
        let rows = as_text(&subject);
        let fuel: Vec<u64> = rows.iter().filter_map(|row| row.fuel).collect();
        assert!(rows.iter().all(|row| row.work.is_ok()) && fuel.len() == 2 && fuel[0] < fuel[1], "{fuel:?}");
    }
}
