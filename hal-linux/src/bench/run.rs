//! Measures all rows and makes the report.

use skiff_measure::rounds::{Plan, Work, interleaved};
use skiff_measure::statistics::Summary;
use skiff_runtime::time::UnixMillis;

use super::Machine;
use super::memory;
use super::report::{Report, Row, Unit};
use super::workloads::{Key, Read, Subject, Workload, of_gateway, of_machine, of_plugin};

/// What is to be measured.
pub struct Bench {
    /// Packages, each with the way to read it again.
    pub subjects: Vec<(Subject, Read)>,
    /// How long.
    pub plan: Plan,
    /// The command line, for the report.
    pub command: String,
    /// The date, for the report.
    pub date: UnixMillis,
}

/// Measures everything; `tell` hears what is measured and which part of it is done, 0 to 1.
#[must_use]
pub fn run(bench: Bench, tell: &mut dyn FnMut(&str, f64)) -> Report {
    let mut rows = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "a few packages")]
    let (parts, mut part) = (1.0 + 2.0 * bench.subjects.len() as f64, 0.0);
    let Bench { subjects, plan, command, date } = bench;
    let resident = resident(memory::resident_bytes());
    tell("memory", 0.0);
    // First: what is freed later would be taken again, and the resident set would not grow.
    let mut memory: Vec<Vec<Row>> = subjects.iter().map(|(subject, _)| memory_rows(subject)).collect();
    let mut group = |name: &str, workloads: Vec<Workload>, rows: &mut Vec<Row>| {
        measure(workloads, plan, &mut |done| tell(name, (part + done) / parts), rows);
        part += 1.0;
    };
    group("calls", of_machine(), &mut rows);
    rows.push(resident);
    for (subject, read) in subjects {
        let name = subject.package.name.clone();
        group(&name, of_plugin(&subject, read), &mut rows);
        rows.append(&mut memory.remove(0));
        group(&format!("{name} in a gateway"), of_gateway(&subject), &mut rows);
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Report { machine: Machine::this(), version, date: date.text().to_string(), command, rows }
}

fn resident(bytes: Option<u64>) -> Row {
    let key = key("process.resident", "memory of this program, no plugin", None);
    known(key, bytes)
}

/// A row of bytes that the system tells, or does not.
fn known(key: Key, bytes: Option<u64>) -> Row {
    match bytes {
        Some(bytes) => Row::exact(key, Unit::Bytes, bytes),
        None => Row::void(key, Unit::Bytes, "the system does not tell".into()),
    }
}

fn key(id: &'static str, what: &str, package: Option<&str>) -> Key {
    Key { id, what: what.to_owned(), package: package.map(str::to_owned), plugins: None }
}

/// Measures a group of rows, each in every round.
fn measure(workloads: Vec<Workload>, plan: Plan, tell: &mut dyn FnMut(f64), rows: &mut Vec<Row>) {
    let mut works: Vec<Work<'_>> = Vec::new();
    let mut measured: Vec<(Row, Option<(usize, Workload)>)> = Vec::new();
    for mut workload in workloads {
        let work = std::mem::replace(&mut workload.work, Err(String::new()));
        let row =
            Row { fuel: workload.fuel, bytes: workload.bytes, ..Row::new(workload.key.clone(), Unit::Nanoseconds) };
        match work {
            Ok(work) => {
                measured.push((row, Some((works.len(), workload))));
                works.push(work);
            }
            Err(reason) => measured.push((Row { note: Some(reason), ..row }, None)),
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "turns of a bench")]
    let samples = interleaved(&mut works, plan, &mut |done, all| tell(done as f64 / all.max(1) as f64));
    for (mut row, of) in measured {
        if let Some((index, workload)) = of {
            row.summary = samples.get(index).and_then(|samples| Summary::of(samples));
            if let Some(tally) = &workload.tally {
                let (fuel, bytes) = tally.each();
                row.fuel = Some(fuel).filter(|fuel| *fuel > 0).or(row.fuel);
                row.bytes = Some(bytes).filter(|bytes| *bytes > 0).or(row.bytes);
                if tally.lost() > 0 {
                    row.note = Some(format!("{} deltas were dropped, so this row did less", tally.lost()));
                }
            }
            if row.summary.is_none() {
                row.note = Some("failed while it was measured".into());
            }
        }
        rows.push(row);
    }
}

fn memory_rows(subject: &Subject) -> Vec<Row> {
    let name = Some(&*subject.package.name);
    let linear = key("memory.linear", "linear memory of a plugin", name);
    let resident = key("memory.resident", "resident set of a further one", name);
    let heap = key("memory.heap", "heap: that without linear memory", name);
    match memory::per_plugin(subject) {
        Err(reason) => [linear, resident, heap].map(|key| Row::void(key, Unit::Bytes, reason.clone())).into(),
        Ok(found) => {
            let rest = found.resident_bytes.map(|all| all.saturating_sub(found.linear_bytes));
            vec![known(linear, Some(found.linear_bytes)), known(resident, found.resident_bytes), known(heap, rest)]
        }
    }
}
