//! The commands that end by themselves, run as a user runs them.

mod support;

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use support::{assert_refused, data, run, run_with, skiff, talk};
use tempfile::tempdir;

/// A position (PGN 129025) from source address 7.
const FRAME: &str = "(1700000000.000000) can0 09F80107#0102030405060708\n";

const TRUE_WIND: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugins/rust/true-wind");

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn decode_gives_one_delta_a_line() {
    let home = tempdir().unwrap();
    let log = write(home.path(), "a.log", &format!("# comment\n{FRAME}nonsense\n{FRAME}"));
    let output = run(home.path(), &["decode", &log]);
    let expected = "{\"_line\":2,\"updates\":[{\"source\":{\"label\":\"\",\"type\":\"NMEA2000\",\"pgn\":129025,\"src\":\"7\"},\
                    \"timestamp\":\"2023-11-14T22:13:20.000Z\",\"values\":[{\"path\":\"navigation.position\",\
                    \"value\":{\"latitude\":6.7305985,\"longitude\":13.4678021}}]}]}";
    let lines = data(&output);
    assert_eq!((output.status.code(), lines.len()), (Some(0), 2), "{}", talk(&output));
    assert_eq!(lines[0], expected);
    assert_eq!(lines[1], expected.replace("\"_line\":2", "\"_line\":4"));
    assert!(talk(&output).contains("line 3: "), "{}", talk(&output));
    assert_eq!(data(&run_with(home.path(), &["decode", "-"], FRAME.as_bytes())).len(), 1);
}

#[test]
fn decode_tells_what_was_lost_on_the_way() {
    let home = tempdir().unwrap();
    // Two first frames of a fast packet (PGN 129029), and a message without a mapping (PGN 65280).
    let begun = "(1700000000.0) can0 0DF80507#002B010203040506\n(1700000000.1) can0 0DF80507#202B010203040506\n";
    let log = write(home.path(), "a.log", &format!("{FRAME}{begun}(1700000000.2) can0 18FF0007#FFFFFFFFFFFFFFFF\n"));
    let output = run(home.path(), &["decode", &log]);
    assert_eq!((output.status.code(), data(&output).len()), (Some(0), 1));
    for part in ["2 messages, 1 deltas; 1 are not mapped", "restarted 1, unfinished 1"] {
        assert!(talk(&output).contains(part), "{}", talk(&output));
    }
    let packed = home.path().join("a.log.gz");
    fs::write(&packed, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).unwrap();
    assert_refused(&run(home.path(), &["decode", packed.to_str().unwrap()]), 4, &["packed by gzip", "gunzip"]);
}

#[test]
fn decode_writes_a_log_in_another_format_and_reads_it_again() {
    let home = tempdir().unwrap();
    let log = write(home.path(), "a.log", FRAME);
    let deltas = data(&run(home.path(), &["decode", &log]));
    for (to, line) in [
        ("candump", FRAME.trim_end()),
        ("ydwg", "22:13:20.000 R 09F80107 01 02 03 04 05 06 07 08"),
        ("n2kascii", "A221320.000 07FF2 1F801 0102030405060708"),
        ("canboat", "# format=FAST\n2023-11-14T22:13:20.000Z,2,129025,7,255,8,01,02,03,04,05,06,07,08"),
    ] {
        let output = run(home.path(), &["decode", &log, "--to", to]);
        assert_eq!(
            (output.status.code(), data(&output)),
            (Some(0), line.lines().map(String::from).collect()),
            "{}",
            talk(&output)
        );
        // Without the head, so that the lines have the same numbers.
        let line = line.trim_start_matches("# format=FAST\n");
        let again = data(&run_with(home.path(), &["decode", "-"], format!("{line}\n").as_bytes()));
        // The time of day is all that these two have, and that is no time stamp.
        let stamp = "\"timestamp\":\"2023-11-14T22:13:20.000Z\",";
        assert!(deltas[0].contains(stamp));
        let gone = if matches!(to, "ydwg" | "n2kascii") { stamp } else { "" };
        assert_eq!(again, [deltas[0].replacen(gone, "", 1)], "{to}");
    }
}

/// 2026-06-01T10:00:00Z by the system time (126992) of a GNSS receiver, and a depth before it.
const UNDATED: &str =
    "09:59:59.500 R 09F50B09 00 F4 01 00 00 00 00 FF\n10:00:00.100 R 09F01003 01 F0 7D 50 00 2A 75 15\n";

#[test]
fn a_log_without_a_date_gets_the_one_that_is_told_in_it() {
    let home = tempdir().unwrap();
    let log = write(home.path(), "boat.log", UNDATED);
    for command in ["decode", "replay"] {
        let output = run(home.path(), &[command, &log]);
        let lines = data(&output);
        assert_eq!((output.status.code(), lines.len()), (Some(0), 2), "{command}: {}", talk(&output));
        assert!(lines[0].contains("\"timestamp\":\"2026-06-01T09:59:59.500Z\""), "{command}: {}", lines[0]);
        assert!(lines[1].contains("\"timestamp\":\"2026-06-01T10:00:00.100Z\""), "{command}: {}", lines[1]);
        // Nobody tells the time: none is made up.
        let depth = UNDATED.lines().next().unwrap();
        let [line] = data(&run_with(home.path(), &[command, "-"], depth.as_bytes())).try_into().unwrap();
        assert!(line.contains("belowTransducer") && !line.contains("timestamp"), "{command}: {line}");
    }
}

#[test]
fn replay_takes_sentences_of_nmea_0183_and_decode_says_that_it_does_not() {
    let home = tempdir().unwrap();
    let log = write(home.path(), "gps.log", "$IIMTW,17.75,C*27\n$IIMTW,17.75,C*00\n");
    let output = run(home.path(), &["replay", &log]);
    let line = "{\"_line\":1,\"updates\":[{\"source\":{\"label\":\"\",\"type\":\"NMEA0183\",\"sentence\":\"MTW\",\
                \"talker\":\"II\"},\"values\":[{\"path\":\
                \"environment.water.temperature\",\"value\":290.9}]}]}";
    assert_eq!((output.status.code(), data(&output)), (Some(0), vec![line.to_owned()]), "{}", talk(&output));
    let output = run(home.path(), &["decode", &log]);
    assert_eq!((output.status.code(), data(&output).len()), (Some(0), 0));
    assert!(talk(&output).contains("2 sentences of NMEA 0183"), "{}", talk(&output));
}

#[test]
fn a_log_of_sentences_is_played_with_its_own_time() {
    let home = tempdir().unwrap();
    let rmc = "$GPRMC,100010.00,A,5104.6828,N,00415.3691,E,1.0,90.0,081023,,,A*67\n";
    let log = write(home.path(), "gps.log", &format!("$IIMTW,17.9,C*1C\n$GPGSA,A,3,,,*1C\n{rmc}$IIHDM,100.0,M*23\n"));
    let output = run(home.path(), &["replay", &log]);
    let lines = data(&output);
    assert_eq!((output.status.code(), lines.len()), (Some(0), 3), "{}", talk(&output));
    assert!(lines.iter().all(|line| line.contains("2023-10-08T10:00:10.000Z")), "{lines:?}");
    assert!(talk(&output).contains("not mapped: GSA 1"), "{}", talk(&output));
}

#[test]
fn each_kind_of_bad_input_has_its_exit_code() {
    let home = tempdir().unwrap();
    let cut = write(home.path(), "cut.log", &format!("{FRAME}(1700000000.1"));
    let nonsense = write(home.path(), "nonsense.log", "no log\nat all\n");
    let folder = home.path().to_str().unwrap();
    for command in ["decode", "replay"] {
        assert_refused(&run(home.path(), &[command, "/nowhere/gone.log"]), 3, &["/nowhere/gone.log", "No such file"]);
        assert_refused(&run(home.path(), &[command, folder]), 3, &[folder]);
        assert_refused(&run(home.path(), &[command, &cut]), 4, &["cut.log", "cut off"]);
        assert_refused(&run(home.path(), &[command, &nonsense]), 4, &["nonsense.log"]);
        assert_refused(&run_with(home.path(), &[command, "-"], b""), 4, &["standard input"]);
    }
    assert_refused(&run(home.path(), &["decode", &cut, "--format", "pcap"]), 4, &["not in the format pcap"]);
    assert_refused(&run(home.path(), &["decode", &cut, "--format", "morse"]), 2, &["formats are auto", "candump"]);
    assert_refused(&run(home.path(), &["decode", &cut, "--to", "pcap"]), 2, &["can be written", "canboat"]);
    assert_refused(&run(home.path(), &["decode", &cut, "--mode", "odd"]), 2, &["modes are"]);
    assert_refused(&run(home.path(), &["fly"]), 2, &["fly"]);
    assert_refused(&run(home.path(), &["run", "--input", "tcp://boat"]), 2, &["host and port"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let input = format!("tcp-listen://{}", taken.local_addr().unwrap());
    assert_refused(&run(home.path(), &["run", "--input", &input]), 5, &[&input]);
    assert_refused(&run(home.path(), &["run", "--input", "/nowhere/gone.log"]), 3, &["/nowhere/gone.log"]);
    assert_refused(&run(home.path(), &["run", "--can", "lo"]), 5, &["lo is no CAN", "ip -brief link"]);
    assert!(!home.path().join(".skiff").exists(), "a refused start left something behind");
}

#[test]
fn untrusted_names_cannot_steer_the_terminal() {
    let home = tempdir().unwrap();
    let output = run(home.path(), &["decode", "\u{1b}]0;title\u{7}"]);
    assert_refused(&output, 3, &["\u{fffd}]0;title"]);
    assert!(!talk(&output).contains('\u{1b}'));
}

#[test]
fn a_reader_that_has_enough_ends_decode_quietly() {
    let home = tempdir().unwrap();
    let log = write(home.path(), "long.log", &FRAME.repeat(20_000));
    let mut child =
        skiff(home.path(), &["decode", &log]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut beginning = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut beginning).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), talk(&output)), (Some(0), String::new()));
}

#[test]
fn the_sample_replays_to_the_same_bytes() {
    let home = tempdir().unwrap();
    let first = run(home.path(), &["replay", "--sample"]);
    assert_eq!(first.status.code(), Some(0), "{}", talk(&first));
    for package in ["@skiff/true-wind", "@skiff/shallow-water-alarm"] {
        let begin = format!(
            "{{\"_plugin\":\"{package}\",\"context\":\"vessels.urn:mrn:signalk:uuid:00000000-0000-4000-8000-000000000001\""
        );
        assert!(data(&first).iter().any(|line| line.starts_with(&begin)), "{package} says nothing");
    }
    let expected = home.path().join("expected.ndjson");
    fs::write(&expected, &first.stdout).unwrap();
    let again = run(home.path(), &["replay", "--sample", "--expect", expected.to_str().unwrap()]);
    assert_eq!((again.status.code(), again.stdout == first.stdout), (Some(0), true), "{}", talk(&again));
}

#[test]
fn a_summary_says_what_plugins_came_to_and_is_the_same_each_time() {
    let home = tempdir().unwrap();
    let output = run(home.path(), &["replay", "--sample", "--summary"]);
    assert_eq!(output, run(home.path(), &["replay", "--sample", "--summary"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    let wind = summary["plugins"].as_array().unwrap().iter().find(|plugin| plugin["package"] == "@skiff/true-wind");
    let wind = wind.unwrap();
    assert_eq!((&wind["state"], &wind["faults"]["restarts"]), (&"running".into(), &0.into()));
    assert!(wind["paths"]["environment.wind.speedTrue"]["values"].as_u64() > Some(10), "{text}");
    assert!(wind["fuel"].as_u64() > Some(1000) && wind["peaks"]["linear_bytes"].as_u64() >= Some(16_384), "{text}");
    assert_refused(&run(home.path(), &["replay", "--sample", "--summary", "--expect", "x"]), 2, &["--expect"]);
}

#[test]
fn a_damaged_or_refused_module_ends_a_replay_before_its_first_line() {
    let home = tempdir().unwrap();
    let cut = home.path().join("cut.wasm");
    fs::write(&cut, b"\0asm\x01\0\0\0\x01\x7f").unwrap();
    let component = home.path().join("component.wasm");
    fs::write(&component, b"\0asm\x0d\0\x01\0").unwrap();
    let archive = write(home.path(), "broken.tgz", "no archive");
    for (plugin, code, part) in [
        (cut.to_str().unwrap(), 4, "corrupt module"),
        (component.to_str().unwrap(), 1, "component"),
        (archive.as_str(), 4, "corrupt archive"),
    ] {
        let output = run(home.path(), &["replay", "--sample", "--plugin", plugin]);
        assert_refused(&output, code, &[part]);
        assert!(output.stdout.is_empty(), "{plugin}");
    }
}

#[test]
fn expect_names_the_first_line_that_differs() {
    let home = tempdir().unwrap();
    let log = write(home.path(), "a.log", &FRAME.repeat(3));
    let lines = data(&run(home.path(), &["replay", &log]));
    assert_eq!(lines.len(), 3);
    let changed =
        write(home.path(), "changed", &format!("{}\n{}\n{}\n", lines[0], lines[1].replace("13.4", "13.5"), lines[2]));
    assert_refused(&run(home.path(), &["replay", &log, "--expect", &changed]), 1, &["line 2 differs", "13.5"]);
    let longer = write(home.path(), "longer", &format!("{}\nmore\n", lines.join("\n")));
    assert_refused(&run(home.path(), &["replay", &log, "--expect", &longer]), 1, &["line 4 differs", "got nothing"]);
    let shorter = write(home.path(), "shorter", &format!("{}\n", lines[0]));
    assert_refused(
        &run(home.path(), &["replay", &log, "--expect", &shorter]),
        1,
        &["line 2 differs", "expected nothing"],
    );
    assert_refused(&run(home.path(), &["replay", &log, "--expect", "/nowhere/gone"]), 3, &["/nowhere/gone"]);
}

#[test]
fn replay_takes_packages_and_their_configurations() {
    let home = tempdir().unwrap();
    let config = write(home.path(), "config.json", "{\"speed\":\"water\",\"maxAgeSeconds\":5}");
    let with_config = format!("@skiff/true-wind={config}");
    let output = run(home.path(), &["replay", "--sample", "--plugin", TRUE_WIND, "--plugin-config", &with_config]);
    assert_eq!(output.status.code(), Some(0), "{}", talk(&output));
    let plugins = data(&output).into_iter().filter(|line| line.starts_with("{\"_plugin\"")).collect::<Vec<_>>();
    assert!(!plugins.is_empty() && plugins.iter().all(|line| line.starts_with("{\"_plugin\":\"@skiff/true-wind\"")));

    let unknown = format!("other={config}");
    assert_refused(&run(home.path(), &["replay", "--sample", "--plugin-config", &unknown]), 2, &["other"]);
    assert_refused(&run(home.path(), &["replay", "--sample", "--plugin", "/nowhere/p.wasm"]), 3, &["/nowhere/p.wasm"]);
    let corrupt = write(home.path(), "corrupt.wasm", "not wasm");
    assert_refused(&run(home.path(), &["replay", "--sample", "--plugin", &corrupt]), 4, &["corrupt.wasm"]);
    let array = format!("@skiff/true-wind={}", write(home.path(), "array.json", "[]"));
    assert_refused(
        &run(home.path(), &["replay", "--sample", "--plugin-config", &array]),
        4,
        &["array.json", "not a JSON object"],
    );
    assert_eq!(run(home.path(), &["replay"]).status.code(), Some(2));
}

/// Puts the built true wind package into a configuration folder.
fn install_true_wind(config: &Path) {
    let package = config.join("node_modules/@skiff/true-wind");
    fs::create_dir_all(&package).unwrap();
    for file in ["package.json", "plugin.wasm", "plugin-small.wasm"] {
        fs::copy(Path::new(TRUE_WIND).join(file), package.join(file)).unwrap();
    }
}

#[test]
fn plugins_are_administered_offline() {
    let home = tempdir().unwrap();
    let config = home.path().join(".skiff");
    install_true_wind(&config);
    let listed = run(home.path(), &["plugin", "list"]);
    assert!(data(&listed)[1].starts_with("@skiff/true-wind  "), "{:?}", data(&listed));
    assert!(data(&listed)[1].contains("disabled"));

    assert_eq!(run(home.path(), &["plugin", "enable", "@skiff/true-wind"]).status.code(), Some(0));
    let set = run_with(home.path(), &["plugin", "config", "_skiff_true-wind", "--set", "-"], b"{\"speed\":\"ground\"}");
    assert_eq!(set.status.code(), Some(0), "{}", talk(&set));
    let stored = fs::read_to_string(config.join("plugin-config-data/_skiff_true-wind.json")).unwrap();
    assert_eq!(stored.trim_end(), "{\n  \"configuration\": {\n    \"speed\": \"ground\"\n  },\n  \"enabled\": true\n}");
    assert_eq!(
        data(&run(home.path(), &["plugin", "config", "@skiff/true-wind"])),
        ["{", "  \"speed\": \"ground\"", "}"]
    );
    let json: serde_json::Value =
        serde_json::from_slice(&run(home.path(), &["plugin", "list", "--json"]).stdout).unwrap();
    assert_eq!(json[0]["enabled"], true);

    assert_refused(
        &run_with(home.path(), &["plugin", "config", "@skiff/true-wind", "--set", "-"], b"[1]"),
        4,
        &["not a JSON object"],
    );
    assert_refused(&run(home.path(), &["plugin", "enable", "gone"]), 3, &["gone", "@skiff/true-wind"]);
    assert_refused(&run(home.path(), &["plugin", "list", "--url", "http://127.0.0.1:1"]), 5, &["127.0.0.1:1"]);
    assert_refused(&run(home.path(), &["plugin", "list", "--url", "ftp://x"]), 2, &["ftp://x"]);
    fs::write(config.join("plugin-config-data/_skiff_true-wind.json"), "{\"enabled\":").unwrap();
    assert_refused(
        &run(home.path(), &["plugin", "disable", "@skiff/true-wind"]),
        4,
        &["plugin-config-data/_skiff_true-wind.json"],
    );
    assert_eq!(fs::read_to_string(config.join("plugin-config-data/_skiff_true-wind.json")).unwrap(), "{\"enabled\":");
}

#[test]
fn help_speaks_to_a_newcomer() {
    let home = tempdir().unwrap();
    for arguments in
        [&["--help"][..], &["run", "--help"], &["replay", "--help"], &["decode", "--help"], &["plugin", "--help"]]
    {
        let output = run(home.path(), arguments);
        let text = data(&output).join("\n");
        assert_eq!(output.status.code(), Some(0));
        assert!(
            text.contains("skiff ") && (text.contains("Examples:") || text.contains("Try it")),
            "{arguments:?}: {text}"
        );
    }
    assert_eq!(data(&run(home.path(), &["--version"])), [format!("skiff {}", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn doctor_says_what_is_bad_and_what_to_type() {
    let home = tempdir().unwrap();
    let config = home.path().join("config");
    let folder = config.to_str().unwrap();
    let well = run(home.path(), &["doctor", "--config", folder, "--listen", "127.0.0.1:0", "--json"]);
    let findings: serde_json::Value = serde_json::from_slice(&well.stdout).unwrap();
    let verdict = |what: &str| {
        let rows = findings.as_array().unwrap().iter().find(|row| row["what"] == what);
        rows.map(|row| row["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!((verdict("folder").as_deref(), verdict("port").as_deref()), (Some("good"), Some("good")), "{findings}");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("settings.json"), "{").unwrap();
    let ill = run(home.path(), &["doctor", "--config", folder, "--listen", "127.0.0.1:0", "--can", "nocan7"]);
    assert_refused(&ill, 1, &["one thing is bad"]);
    let lines = data(&ill).join("\n");
    assert!(lines.contains("settings.json.bad") && lines.contains("no CAN interface of this name"), "{lines}");
    assert_eq!(fs::read_dir(&config).unwrap().count(), 1, "the doctor only looks");
}

#[test]
fn a_new_package_says_how_it_goes_on_and_is_not_written_over() {
    let home = tempdir().unwrap();
    let folder = home.path().join("tide");
    let new = ["plugin", "new", "@acme/tide", "--folder", folder.to_str().unwrap()];
    let written = run(home.path(), &new);
    assert_eq!(written.status.code(), Some(0), "{}", talk(&written));
    assert!(talk(&written).contains("skiff plugin dev"));
    assert!(folder.join("src/lib.rs").is_file());
    assert_refused(&run(home.path(), &new), 3, &["not empty"]);
    assert_refused(&run(home.path(), &["plugin", "new", "../x"]), 2, &["package name"]);
    assert_refused(&run(home.path(), &["plugin", "build", home.path().to_str().unwrap()]), 3, &["package.json"]);
}
