//! Developer commands of Skiff: `cargo xtask COMMAND`.
//!
//! Each command installs what it lacks by itself, asks nothing, and says in one line what went
//! wrong. What a command downloads or builds lies below `target/` and `~/.cache/`.

mod bench;
mod built;
mod can_guest;
mod chain;
mod chroot;
mod clients;
mod closed_list;
mod cross;
mod debian;
mod differential;
mod discovery;
mod esp32c6;
mod fuzz;
mod gates;
mod go_guest;
mod guests;
mod kits;
mod lint;
mod machine;
mod mqtt;
mod newcomer;
mod npm;
mod package;
mod page;
mod pgn_tables;
mod process;
mod qemu;
mod readme;
mod reference_host;
mod resident;
mod sample;
mod schema;
mod series;
mod setup;
mod shipped;
mod signalk_kits;
mod signalk_server;
mod size;
mod speed;
mod std_guest;
mod templates;
mod test;
mod toolchain;
mod unit_guest;
mod verdicts;
mod walk;
mod wasmi_edits;
mod webapps;

use std::process::ExitCode;

/// A command: its name, what it does in one line, and the function.
struct Task {
    name: &'static str,
    does: &'static str,
    run: fn(&[String]) -> Result<(), String>,
}

const TASKS: &[Task] = &[
    Task { name: "test", does: "installs what is missing, then runs every test; [PART]…", run: test::run },
    Task {
        name: "page",
        does: "builds the gateway's page; --check proves it equal and uses it in a browser, --walk [PART…] only uses it",
        run: page::run,
    },
    Task {
        name: "webapps",
        does: "opens KIP, Freeboard-SK and others in a real browser on a gateway with users",
        run: webapps::run,
    },
    Task {
        name: "series",
        does: "writes to InfluxDB through outages, to VictoriaMetrics, and has Prometheus read /metrics",
        run: series::run,
    },
    Task {
        name: "mqtt",
        does: "writes to Mosquitto through an outage and over a bridge, reads, puts; --boats N, --minutes N down",
        run: mqtt::run,
    },
    Task { name: "setup", does: "installs what the other commands need", run: setup::run },
    Task {
        name: "plugins",
        does: "rebuilds the plugin packages; --check compares instead of writing",
        run: guests::run,
    },
    Task {
        name: "lint",
        does: "checks packages that are no members of the workspace; --format or --chips, else both",
        run: lint::run,
    },
    Task {
        name: "no-std",
        does: "builds skiff-runtime and skiff-engine for riscv32imac without the standard library",
        run: cross::no_std,
    },
    Task {
        name: "cross-test",
        does: "runs the runtime's unit tests on emulated 64-bit ARM, builds for 32-bit ARM",
        run: cross::test,
    },
    Task {
        name: "qemu",
        does: "boots the emulated board and compares it with Linux; --net, --storage, --board esp32c6, --hostile [FOLDER]; \
               --only TEST",
        run: qemu::run,
    },
    Task {
        name: "wasmi-edits",
        does: "makes the edited interpreter that `cargo build` in hal-esp32 needs; commands that build boards do it too",
        run: wasmi_edits::run,
    },
    Task {
        name: "esp32c6",
        does: "builds the ESP32-C6's firmware to an image that can be flashed, and its table; --emulate runs it, without radio, in \
               an emulated chip",
        run: esp32c6::run,
    },
    Task {
        name: "flasher",
        does: "serves a page that writes that image onto a chip from a browser; [--port N]",
        run: esp32c6::flasher::run,
    },
    Task {
        name: "can-guest",
        does: "boots Debian's kernel in QEMU and tests Skiff on its CAN interfaces",
        run: can_guest::run,
    },
    Task {
        name: "pgn-tables",
        does: "regenerates the PGN tables; --check compares instead of writing",
        run: pgn_tables::run,
    },
    Task {
        name: "differential",
        does: "compares generated NMEA 2000 logs with the npm peers; [--seed N]…",
        run: differential::run,
    },
    Task {
        name: "n2k-speed",
        does: "measures NMEA 2000 decoding beside the npm peers; [LOG] [--check]",
        run: speed::run,
    },
    Task {
        name: "package",
        does: "makes Debian packages and static archives; [amd64|arm64|armhf]… [--deb|--static], --skiff FILE… packs what is \
               built, --quick does not optimise other systems', --try installs and starts them in a fresh Debian",
        run: package::run,
    },
    Task {
        name: "unit-guest",
        does: "boots Debian with systemd in QEMU, installs the package there and tries its units; [PACKAGE.deb]",
        run: unit_guest::run,
    },
    Task { name: "sample", does: "writes the simulated boat as a candump log", run: sample::run },
    Task { name: "readme", does: "runs every command of README.md", run: readme::run },
    Task {
        name: "reference-host",
        does: "plays the conformance scenarios on the JavaScript reference host; [--bless] [HARNESS]",
        run: reference_host::run,
    },
    Task { name: "std-guest", does: "builds a plugin with Rust's std for WASI and runs it", run: std_guest::run },
    Task { name: "go-guest", does: "builds a plugin in Go for WASI and runs it", run: go_guest::run },
    Task { name: "kits", does: "builds and plays the same plugins in every language", run: kits::run },
    Task { name: "templates", does: "builds and runs a plugin from each template", run: templates::run },
    Task { name: "fuzz", does: "runs the fuzz targets; [TARGET]… [--seconds N] [--seed N]", run: fuzz::run },
    Task {
        name: "bench",
        does: "measures the packages on Skiff and on other engines, and writes benches/RESULTS.md; --only ENGINE…, \
               --compare OTHER.json, --tables",
        run: bench::run,
    },
    Task {
        name: "chroot",
        does: "runs skiff bench in a minimal Debian with nothing else installed; as root, by hand",
        run: chroot::run,
    },
    Task {
        name: "gates",
        does: "counts fuel and instructions and compares them with benches/baseline.json; --bless writes it",
        run: gates::run,
    },
    Task {
        name: "clients",
        does: "tries @signalk/client, python's signalk-client, SensESP's and pypilot's ways on a gateway with users",
        run: clients::run,
    },
    Task { name: "schema", does: "checks tree and deltas with Signal K's own schema", run: schema::run },
    Task {
        name: "size",
        does: "measures flash [--board, --by-crate], the program's file and resident set [--linux]; --check",
        run: size::run,
    },
    Task {
        name: "signalk-server",
        does: "runs both plugin packages on a real Signal K server; --record; --kits: the packages of every language; \
               --walk [--record | --again]: every route and stream beside Skiff; --downstream, --upstream [--record]: one the client of the other",
        run: signalk_server::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        help();
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        help();
        return ExitCode::SUCCESS;
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("xtask: there is no command {name}");
        help();
        return ExitCode::from(2);
    };
    match (task.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn help() {
    eprintln!("cargo xtask COMMAND\n");
    for task in TASKS {
        eprintln!("  {:<15} {}", task.name, task.does);
    }
}
