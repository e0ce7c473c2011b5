//! Guests with rows, well laid out and not.

use super::arrival::Origin;
use crate::budget::{Board, Limits, PluginLimits};
use crate::delta::{DeltaVersion, ValueSink};
use crate::host::engine::GuestSlice;
use crate::host::{Answer, Call, Capabilities, Failure, Instance, InstanceSpec, ModuleFacts, Progress, Services};
use crate::json::Value;
use crate::time::{Instant, UnixMillis};
use skiff_abi::values::{
    BOOLEAN, FLAG_OTHER_DELTAS, JSON, MAGIC, NEW, NOTIFICATION, NULL, NUMBER, OTHER_TYPE, QUIET, SOUND, TEXT, VALID,
    VISUAL, WITHDRAWN,
};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// Where the tests' guests have their things.
const DESCRIPTOR: u32 = 1024;
const INPUTS: u32 = 1088;
const OUTPUTS: u32 = 1600;
const PATHS: u32 = 2400;
const BUFFER: u32 = 3200;
const TEXTS: u32 = 3400;

/// The first 4 KiB of a guest's memory.
struct Image {
    bytes: Vec<u8>,
    paths: u32,
    rows: [u16; 2],
}

impl Image {
    fn new() -> Self {
        let mut image = Self { bytes: std::vec![0; 4096], paths: PATHS, rows: [0; 2] };
        image.put(DESCRIPTOR, &MAGIC.to_le_bytes());
        image.word(DESCRIPTOR + 8, INPUTS);
        image.word(DESCRIPTOR + 12, OUTPUTS);
        image
    }

    fn put(&mut self, at: u32, bytes: &[u8]) {
        self.bytes[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    fn word(&mut self, at: u32, word: u32) {
        self.put(at, &word.to_le_bytes());
    }

    fn path(&mut self, row: u32, path: &str) {
        let at = self.paths;
        self.put(at, path.as_bytes());
        self.paths += path.len() as u32;
        self.word(row, at);
        self.put(row + 4, &(path.len() as u16).to_le_bytes());
    }

    fn counts(&mut self) {
        let [inputs, outputs] = self.rows;
        self.put(DESCRIPTOR + 4, &inputs.to_le_bytes());
        self.put(DESCRIPTOR + 6, &outputs.to_le_bytes());
    }

    fn input(mut self, path: &str, kind: u8) -> Self {
        let row = INPUTS + 32 * u32::from(self.rows[0]);
        self.path(row, path);
        self.put(row + 6, &[kind]);
        if kind == TEXT {
            self.word(row + 16, BUFFER);
            self.word(row + 20, 8);
        }
        self.rows[0] += 1;
        self.counts();
        self
    }

    fn output(mut self, path: &str, kind: u8) -> Self {
        let row = OUTPUTS + 32 * u32::from(self.rows[1]);
        self.path(row, path);
        self.put(row + 6, &[kind]);
        self.rows[1] += 1;
        self.counts();
        self
    }

    /// Changes something of a layout that was fine.
    fn with(mut self, at: u32, bytes: &[u8]) -> Self {
        self.put(at, bytes);
        self
    }

    fn wat(&self, exports: &str) -> String {
        let data: String = self.bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(module (memory (export "memory") 1 4) (data (i32.const 0) "{data}")
                (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
                (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
                (func (export "allocate") (param i32) (result i32) (i32.const 4096)) {exports})"#
        )
    }

    fn guest(&self, update: &str) -> Guest {
        let exports = format!(
            r#"(func (export "skiff_values") (result i32) (i32.const {DESCRIPTOR}))
            (func (export "skiff_update") (result i32) {update} (i32.const 0))"#
        );
        Guest::of(&self.wat(&exports))
    }
}

#[derive(Default)]
struct World {
    now_ms: u64,
    /// What was published, refused and logged.
    said: Vec<String>,
    refused: u64,
}

impl World {
    fn take(&mut self) -> Vec<String> {
        core::mem::take(&mut self.said)
    }
}

struct Published<'p>(&'p mut String);

impl ValueSink for Published<'_> {
    fn value_below(&mut self, base: &str, leaf: &str, value: Value<'_>) {
        let mut text = String::new();
        value.write(&mut text).unwrap();
        *self.0 += &format!("{}{base}{leaf}={text}", if self.0.is_empty() { "" } else { " " });
    }
}

impl Services for World {
    fn wall(&self) -> UnixMillis {
        UnixMillis(0)
    }
    fn monotonic(&self) -> Instant {
        Instant::from_millis(self.now_ms)
    }
    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
    fn log(&mut self, _: log::Level, text: &str) {
        self.said.push(text.to_string());
    }
    fn set_status(&mut self, _: &str) {}
    fn set_error(&mut self, _: &str) {}
    fn read_config(&mut self) -> Option<String> {
        None
    }
    fn save_config(&mut self, _: &str) -> bool {
        false
    }
    fn emit(&mut self, delta: &str, _: DeltaVersion) {
        self.said.push(format!("emit {delta}"));
    }
    fn publish(&mut self, _: usize, rows: &mut dyn FnMut(&mut dyn ValueSink)) {
        let mut text = String::new();
        rows(&mut Published(&mut text));
        self.said.push(text);
    }
    fn refuse(&mut self, count: u64, clause: &str) {
        self.refused += count;
        self.said.push(clause.to_string());
    }
    fn self_path(&mut self, _: &str) -> Option<String> {
        None
    }
    fn path(&mut self, _: &str) -> Option<String> {
        None
    }
    fn publish_notification(&mut self, _: &str, _: &str) -> bool {
        false
    }
}

struct Guest {
    instance: Instance,
    world: World,
}

fn limits() -> PluginLimits {
    PluginLimits {
        linear_bytes_max: 4 * 65_536,
        path_filter_max: 12,
        delta_queue_bytes: 4096,
        ..Limits::of(Board::Linux).plugin
    }
}

impl Guest {
    fn of(text: &str) -> Self {
        Self::with(text, r#"{"dataRead":true,"dataWrite":true}"#)
    }

    fn with(text: &str, capabilities: &str) -> Self {
        let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let spec = InstanceSpec {
            package: "@test/guest".to_string(),
            id: "_test_guest".to_string(),
            capabilities: Capabilities::parse(capabilities),
            limits: limits(),
            growth_bytes: u64::MAX,
        };
        let instance = Instance::load(&ModuleFacts::read(&wasm, &limits()).unwrap(), &wasm, &spec).unwrap();
        let mut guest = Self { instance, world: World::default() };
        assert_eq!(guest.call(Call::Start { config: "{}".to_string() }), Ok(Answer::Code(Some(0))));
        guest
    }

    fn call(&mut self, call: Call) -> Result<Answer, Failure> {
        self.instance.begin(call);
        loop {
            match self.instance.run(&mut self.world) {
                Progress::Done(answer) => return Ok(answer),
                Progress::Failed(failure) => return Err(failure),
                Progress::Running | Progress::Waiting => {}
            }
        }
    }

    fn update(&mut self) -> Vec<String> {
        assert_eq!(self.call(Call::Update), Ok(Answer::Code(Some(0))));
        self.world.take()
    }

    fn arrive(&mut self, path: &str, value: &str) -> bool {
        let origin = Origin { arrived_ms: self.world.now_ms as i64, time: 0, hops: 0 };
        self.instance.values_mut().unwrap().arrive(path, Value::Json(value), Some(&origin))
    }

    fn word(&self, at: u32) -> u32 {
        self.instance.linear().word(at).unwrap()
    }

    fn number(&self, row: u32) -> f64 {
        f64::from_bits(u64::from(self.word(row + 8)) | u64::from(self.word(row + 12)) << 32)
    }

    fn state(&self, row: u32) -> u8 {
        self.word(row + 4).to_le_bytes()[3]
    }

    /// The reason why it is given text.
    fn refusal(&mut self) -> String {
        assert!(self.instance.values().is_none());
        assert_eq!(self.world.refused, 1);
        assert_eq!(self.call(Call::Update), Ok(Answer::Code(Some(0))), "and it goes on");
        self.world.take().join("|")
    }
}

/// Adds 1 to the counter of an output.
fn count(output: u32) -> String {
    let at = OUTPUTS + 32 * output + 24;
    format!("(i32.store (i32.const {at}) (i32.add (i32.load (i32.const {at})) (i32.const 1)))")
}

fn row(input: u32) -> u32 {
    INPUTS + 32 * input
}

#[test]
fn inputs_stand_in_their_rows_when_a_call_begins() {
    let image = Image::new()
        .input("a.number", NUMBER)
        .input("a.text", TEXT)
        .input("a.flag", BOOLEAN | QUIET)
        .input("a.position#latitude", NUMBER)
        .input("a.never", NUMBER);
    let mut guest = image.guest("");
    let named: Vec<_> = guest.instance.values().unwrap().inputs().map(|(path, ..)| path.to_string()).collect();
    assert_eq!(named, ["a.number", "a.text", "a.flag", "a.position#latitude", "a.never"]);
    guest.world.now_ms = 1000;
    assert!(guest.arrive("a.flag", "true") && !guest.arrive("a.other", "1"));
    assert!(!guest.instance.values().unwrap().is_due(), "quiet alone");
    for (path, value) in [("a.number", "0.1"), ("a.text", r#""fünf Ätsch""#), ("a.position", r#"{"latitude":52.5}"#)]
    {
        assert!(guest.arrive(path, value));
    }
    assert_eq!(guest.word(row(0) + 4) >> 24, 0, "nothing is written before a call begins");
    guest.world.now_ms = 1500;
    guest.update();
    let new = [0, 1, 2, 3, 4].map(|input| guest.state(row(input)));
    assert_eq!(new, [VALID | NEW, VALID | NEW, VALID | NEW, VALID | NEW, 0]);
    assert_eq!((guest.number(row(0)), guest.number(row(2)), guest.number(row(3))), (0.1, 1.0, 52.5));
    assert!(guest.number(row(4)).is_nan());
    assert_eq!((guest.word(row(1) + 8), guest.word(row(1) + 12), guest.word(row(1) + 24)), (8, 0, 12));
    let text = guest.instance.linear().bytes(GuestSlice { ptr: BUFFER, len: 8 }).unwrap();
    assert_eq!(&*text, "fünf Ä".as_bytes());
    assert_eq!((guest.word(row(0) + 28), guest.word(row(4) + 28)), (500, u32::MAX), "age");
    assert_eq!((guest.word(DESCRIPTOR + 32), guest.word(DESCRIPTOR + 36)), (1, 4));
    guest.arrive("a.number", "null");
    guest.arrive("a.text", "5");
    guest.update();
    let states = [0, 1, 2].map(|input| guest.state(row(input)));
    assert_eq!(states, [WITHDRAWN | NEW, OTHER_TYPE | NEW, VALID]);
    assert_eq!((guest.word(DESCRIPTOR + 32), guest.word(DESCRIPTOR + 36)), (2, 2));
    assert!(guest.number(row(0)).is_nan() && guest.word(row(1) + 24) == 0);
}

#[test]
fn the_newest_time_stamp_of_what_arrived_is_told() {
    let mut guest = Image::new().input("a", NUMBER).guest("");
    let mut tell = |time| {
        let origin = Origin { time, ..Origin::default() };
        guest.instance.values_mut().unwrap().arrive("a", Value::Json("1"), Some(&origin));
    };
    tell(5_000_000_000);
    tell(4_000_000_000);
    guest.update();
    let time = |guest: &Guest| u64::from(guest.word(DESCRIPTOR + 24)) | u64::from(guest.word(DESCRIPTOR + 28)) << 32;
    assert_eq!(time(&guest), 5_000_000_000);
    let origin = Origin { time: 3_000_000_000, ..Origin::default() };
    guest.instance.values_mut().unwrap().arrive("a", Value::Json("1"), Some(&origin));
    guest.update();
    assert_eq!(time(&guest), 3_000_000_000, "one wrong clock does not stay for ever");
}

#[test]
fn rows_whose_counter_changed_are_published_together() {
    let image = Image::new()
        .output("a.number", NUMBER)
        .output("a.flag", BOOLEAN)
        .output("a.nothing", NULL)
        .output("a.position#latitude", NUMBER)
        .output("a.still", NUMBER)
        .output("a.position#longitude", NUMBER);
    let at = |output: u32| OUTPUTS + 32 * output;
    let update = format!(
        "(f64.store (i32.const {}) (f64.const 0.1)) (f64.store (i32.const {}) (f64.const 1)) {} {} {} {} {}
        (f64.store (i32.const {}) (f64.const 52.5)) (f64.store (i32.const {}) (f64.const -4))",
        at(0) + 8,
        at(1) + 8,
        count(0),
        count(1),
        count(2),
        count(3),
        count(5),
        at(3) + 8,
        at(5) + 8
    );
    let mut guest = image.guest(&update);
    assert_eq!(
        guest.update(),
        [r#"a.number=0.1 a.flag=true a.nothing=null a.position={"latitude":52.5,"longitude":-4}"#]
    );
    assert_eq!(guest.call(Call::Poll), Ok(Answer::Absent));
    assert!(guest.world.take().is_empty(), "nothing changed");
}

#[test]
fn texts_json_and_notifications_are_read_where_the_guest_has_them() {
    let said = |kind: u8, state: u8, text: &str| {
        let image = Image::new().output("a.b", kind).with(TEXTS, text.as_bytes()).with(OUTPUTS + 7, &[state]);
        let image =
            image.with(OUTPUTS + 16, &TEXTS.to_le_bytes()).with(OUTPUTS + 20, &(text.len() as u32).to_le_bytes());
        image.guest(&count(0)).update().join("|")
    };
    assert_eq!(said(TEXT, 0, "say \"ä\""), r#"a.b="say \"ä\"""#);
    assert_eq!(said(JSON, 0, r#"{ "a": [1.0] }"#), r#"a.b={"a":[1]}"#);
    assert_eq!(
        said(NOTIFICATION, 4 | VISUAL | SOUND, "Shallow"),
        r#"a.b={"state":"alarm","method":["visual","sound"],"message":"Shallow"}"#
    );
    assert_eq!(said(NOTIFICATION, VISUAL, ""), r#"a.b={"state":"normal","method":["visual"],"message":""}"#);
    assert_eq!(said(NOTIFICATION, 5 | SOUND, "x"), r#"a.b={"state":"emergency","method":["sound"],"message":"x"}"#);
    assert_eq!(said(NOTIFICATION, 1, "x"), r#"a.b={"state":"nominal","method":[],"message":"x"}"#);
    assert_eq!(said(NOTIFICATION, 6, "x"), "|output a.b: a state that is not known");
    assert_eq!(said(NOTIFICATION, 8, "x"), "|output a.b: a state that is not known");
    assert_eq!(said(JSON, 0, "{"), "|output a.b: its text is no JSON");
    assert_eq!(said(7, 0, ""), "|output a.b: a kind that is not known");
    let wild = Image::new().output("a.b", TEXT).with(OUTPUTS + 16, &65_530_u32.to_le_bytes());
    let wild = wild.with(OUTPUTS + 20, &7_u32.to_le_bytes());
    assert_eq!(wild.guest(&count(0)).update(), ["", "output a.b: its text leaves the memory or is no UTF-8"]);
}

#[test]
fn numbers_are_as_short_as_they_can_be_or_rounded() {
    let said = |number: f64, decimals: u8| {
        let image = Image::new().output("a", NUMBER).with(OUTPUTS + 8, &number.to_le_bytes());
        image.with(OUTPUTS + 28, &[decimals]).guest(&count(0)).update().join("|")
    };
    assert_eq!((said(1.0 / 3.0, 0), said(1.0 / 3.0, 1)), ("a=0.3333333333333333".into(), "a=0".into()));
    assert_eq!((said(2.345, 3), said(-2.5, 1), said(1e-9, 4)), ("a=2.35".into(), "a=-3".into(), "a=0".into()));
    assert_eq!((said(1e300, 16), said(-0.0, 0), said(100.0, 2)), ("a=1e+300".into(), "a=0".into(), "a=100".into()));
    assert_eq!(said(1.0, 17), "|output a: more decimals than there are");
    assert_eq!(said(f64::NAN, 0), "|output a: a number that its kind does not have");
    assert_eq!(said(f64::INFINITY, 3), "|output a: a number that its kind does not have");
}

#[test]
fn a_row_that_is_refused_is_counted_once_and_the_others_are_published() {
    let image = Image::new().output("a", BOOLEAN).output("b", NUMBER).output("..", NUMBER);
    let image = image.with(OUTPUTS + 8, &2.0_f64.to_le_bytes());
    let mut guest = image.guest(&[0, 1, 2].map(count).concat());
    assert_eq!(guest.update(), ["b=0", "output ..: a path that Signal K does not allow"]);
    assert_eq!(guest.world.refused, 2);
}

#[test]
fn texts_that_no_delta_takes_are_refused_before_they_are_read() {
    let image = Image::new().output("a", TEXT).output("b", TEXT);
    let image =
        [0, 1].into_iter().fold(image, |image, row| image.with(OUTPUTS + 32 * row + 20, &40_000_u32.to_le_bytes()));
    let mut guest = image.guest(&[0, 1].map(count).concat());
    assert_eq!(guest.update(), ["output : more at once than a delta takes"]);
    assert_eq!(guest.world.refused, 1);
}

#[test]
fn counters_may_run_backwards_and_wrap() {
    let image = Image::new().output("a", NUMBER).with(OUTPUTS + 24, &7_u32.to_le_bytes());
    let at = OUTPUTS + 24;
    let mut guest =
        image.guest(&format!("(i32.store (i32.const {at}) (i32.sub (i32.load (i32.const {at})) (i32.const 5)))"));
    assert!(guest.world.take().is_empty(), "what it began with is known");
    for _ in 0..3 {
        assert_eq!(guest.update(), ["a=0"]);
    }
}

#[test]
fn without_the_capability_nothing_is_published() {
    let image = Image::new().input("a", NUMBER).output("b", NUMBER);
    let exports = format!(
        r#"(func (export "skiff_values") (result i32) (i32.const {DESCRIPTOR}))
        (func (export "skiff_update") (result i32) {} (i32.const 0))"#,
        count(0)
    );
    let mut guest = Guest::with(&image.wat(&exports), r#"{"dataWrite":false}"#);
    assert!(guest.update().is_empty());
}

#[test]
fn a_call_that_trapped_publishes_nothing() {
    let mut guest = Image::new().output("a", NUMBER).guest(&format!("{} (unreachable)", count(0)));
    assert_eq!(guest.call(Call::Update), Err(Failure::Unreachable));
    assert!(guest.world.take().is_empty());
}

#[test]
fn a_call_whose_answer_is_refused_publishes_nothing_later_either() {
    let image = Image::new().output("a", NUMBER);
    let exports = format!(
        r#"(func (export "skiff_values") (result i32) (i32.const {DESCRIPTOR}))
        (func (export "skiff_update") (result i32) (i32.const 0))
        (func (export "handle") (param i32 i32 i32 i32) (result i32) {} (i32.const -1))"#,
        count(0)
    );
    let mut guest = Guest::of(&image.wat(&exports));
    let asked = guest.call(Call::Http { handler: "handle".to_string(), request: "{}".to_string() });
    assert!(matches!(asked, Err(Failure::BadAnswer(_))));
    assert!(guest.update().is_empty());
}

#[test]
fn what_the_call_emitted_comes_before_its_rows() {
    let image = Image::new().output("a", NUMBER).with(TEXTS, br#"{"updates":[]}"#);
    let data: String = image.bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module (import "env" "sk_handle_message" (func $emit (param i32 i32)))
            (memory (export "memory") 1) (data (i32.const 0) "{data}")
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "skiff_values") (result i32) (i32.const {DESCRIPTOR}))
            (func (export "skiff_update") (result i32) {} (call $emit (i32.const {TEXTS}) (i32.const 14)) (i32.const 0)))"#,
        count(0)
    );
    assert_eq!(Guest::of(&text).update(), [r#"emit {"updates":[]}"#, "a=0"]);
}

#[test]
fn memory_that_grew_or_rows_that_a_guest_changed_move_nothing() {
    let image = Image::new().input("a", NUMBER).output("b", NUMBER);
    let change = format!(
        "(drop (memory.grow (i32.const 2))) (i32.store (i32.const {INPUTS}) (i32.const -1))
        (i32.store (i32.const {OUTPUTS}) (i32.const -1)) (i32.store16 (i32.const {}) (i32.const 65535))
        (i32.store (i32.const {}) (i32.const -8)) (i32.store (i32.const {}) (i32.const 131072)) {}",
        OUTPUTS + 4,
        DESCRIPTOR + 8,
        DESCRIPTOR + 12,
        count(0)
    );
    let mut guest = image.guest(&change);
    guest.arrive("a", "5");
    assert_eq!(guest.update(), ["b=0"], "the path was copied");
    guest.arrive("a", "6");
    guest.update();
    assert_eq!(guest.number(row(0)), 6.0, "the row is where it was");
}

#[test]
fn a_descriptor_that_cannot_be_is_refused_with_the_reason() {
    let fine = || Image::new().input("a", NUMBER).input("t", TEXT).output("b", NUMBER);
    let reason = |at: u32, bytes: &[u8]| fine().with(at, bytes).guest("").refusal();
    let word = |at: u32, word: u32| reason(at, &word.to_le_bytes());
    assert_eq!(word(DESCRIPTOR, MAGIC + 1), "takes no values: the descriptor has another magic");
    for (at, word_there) in [(16, 60_001), (20, 2), (20, u32::MAX)] {
        assert_eq!(word(DESCRIPTOR + at, word_there), "takes no values: an interval or flag that is not known");
    }
    assert_eq!(word(DESCRIPTOR + 4, 13), "takes no values: too many rows");
    assert_eq!(word(DESCRIPTOR + 4, 13 << 16), "takes no values: too many rows");
    assert_eq!(word(DESCRIPTOR + 4, u32::MAX), "takes no values: too many rows");
    assert_eq!(word(DESCRIPTOR + 8, INPUTS + 4), "takes no values: an address is no multiple of 8");
    assert_eq!(word(DESCRIPTOR + 12, OUTPUTS + 1), "takes no values: an address is no multiple of 8");
    for rows in [65_536 - 24, 65_536, 0xffff_fff8] {
        assert_eq!(word(DESCRIPTOR + 8, rows), "takes no values: a range leaves the memory", "{rows}");
        assert_eq!(word(DESCRIPTOR + 12, rows), "takes no values: a range leaves the memory", "{rows}");
    }
    assert_eq!(word(INPUTS, 65_536), "takes no values: a range leaves the memory");
    assert_eq!(word(INPUTS + 32 + 20, u32::MAX), "takes no values: a range leaves the memory");
    assert_eq!(word(INPUTS + 32 + 20, 4097), "takes no values: the buffers of texts are too large");
    let over = "takes no values: the host would write over what is named elsewhere";
    assert_eq!(word(DESCRIPTOR + 8, OUTPUTS), over);
    assert_eq!(word(DESCRIPTOR + 8, DESCRIPTOR), over);
    assert_eq!(word(DESCRIPTOR + 12, INPUTS + 32), over);
    for buffer in [INPUTS - 1, INPUTS + 33, OUTPUTS, PATHS - 7, DESCRIPTOR + 39] {
        assert_eq!(word(INPUTS + 32 + 16, buffer), over, "{buffer}");
    }
    assert_eq!(word(INPUTS, INPUTS + 31), over, "a path in a row");
    let no_path = "takes no values: a path is no text of 1 to 255 bytes";
    assert_eq!(reason(INPUTS + 4, &0_u16.to_le_bytes()), no_path);
    assert_eq!(reason(OUTPUTS + 4, &256_u16.to_le_bytes()), no_path);
    assert_eq!(reason(PATHS, &[0xff]), no_path);
    assert_eq!(reason(INPUTS + 4, &u16::MAX.to_le_bytes()), "takes no values: a range leaves the memory");
    for kind in [0, 4, 0x11, 0x80, 0x8f] {
        assert_eq!(reason(INPUTS + 6, &[kind]), "takes no values: an input of no kind", "{kind}");
    }
}

#[test]
fn paths_may_share_their_ends_and_a_guest_may_have_no_rows() {
    let image = Image::new().input("a.b", NUMBER).input("xx", NUMBER).output("y", NUMBER);
    let image = image.with(INPUTS + 32, &(PATHS + 2).to_le_bytes()).with(INPUTS + 32 + 4, &1_u16.to_le_bytes());
    let guest = image.guest("");
    let named: Vec<_> = guest.instance.values().unwrap().input_paths().map(ToString::to_string).collect();
    assert_eq!(named, ["a.b", "b"]);
    let none = Image::new().with(DESCRIPTOR + 20, &FLAG_OTHER_DELTAS.to_le_bytes()).guest("");
    assert!(none.instance.values().is_some_and(super::Values::takes_others));
}

#[test]
fn exports_that_do_not_fit_leave_the_guest_with_text() {
    let image = Image::new();
    let of = |exports: &str| Guest::of(&image.wat(exports));
    let said = |exports: &str| {
        let mut guest = of(exports);
        assert!(guest.instance.values().is_none());
        assert_eq!(guest.world.refused, 1, "{exports}");
        guest.world.take().join("|")
    };
    let (values, update) = (
        r#"(func (export "skiff_values") (result i32) (i32.const 1024))"#,
        r#"(func (export "skiff_update") (result i32) (i32.const 0))"#,
    );
    let apart = "takes no values: skiff_values and skiff_update go together";
    assert_eq!((said(values), said(update)), (apart.to_string(), apart.to_string()));
    let kind = "takes no values: skiff_values or skiff_update is no () -> i32";
    for wrong in [
        "(param i32) (result i32) (i32.const 0)",
        "(result i64) (i64.const 0)",
        "",
        "(result i32 i32) (i32.const 0) (i32.const 0)",
    ] {
        assert_eq!(said(&format!(r#"{values} (func (export "skiff_update") {wrong})"#)), kind);
        assert_eq!(said(&format!(r#"{update} (func (export "skiff_values") {wrong})"#)), kind);
    }
    for (at, reason) in [
        (0, "there is no descriptor"),
        (1028, "the descriptor has another magic"),
        (65_504, "a range leaves the memory"),
        (-8, "a range leaves the memory"),
    ] {
        let text = format!(r#"{update} (func (export "skiff_values") (result i32) (i32.const {at}))"#);
        assert_eq!(said(&text), format!("takes no values: {reason}"), "{at}");
    }
    assert!(of("").world.take().is_empty(), "one that says nothing of it is told nothing");
}

#[test]
fn a_start_that_failed_is_asked_nothing_and_a_trap_in_it_is_a_failed_start() {
    let text = Image::new().wat(
        r#"(func (export "skiff_values") (result i32) (unreachable))
        (func (export "skiff_update") (result i32) (i32.const 0))"#,
    );
    let load = |text: &str| {
        let wasm = wat::parse_str(text).unwrap();
        let spec = InstanceSpec {
            package: "g".to_string(),
            id: "g".to_string(),
            capabilities: Capabilities::default(),
            limits: limits(),
            growth_bytes: 0,
        };
        let instance = Instance::load(&ModuleFacts::read(&wasm, &limits()).unwrap(), &wasm, &spec).unwrap();
        let mut guest = Guest { instance, world: World::default() };
        guest.call(Call::Start { config: "{}".to_string() })
    };
    assert_eq!(load(&text), Err(Failure::Unreachable));
    let failing = text.replace(
        r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))"#,
        r#"(func (export "plugin_start") (param i32 i32) (result i32) (i32.const 3))"#,
    );
    assert_eq!(load(&failing), Ok(Answer::Code(Some(3))));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_host_trap(noise in proptest::collection::vec((1000_u32..2600, 0_u32..8, 0_u32..=u32::MAX), 0..12)) {
        let mut image = Image::new().input("a", NUMBER).input("t", TEXT).output("b", JSON).output("c#d", NOTIFICATION);
        for (at, shift, word) in noise {
            image.word(at & !3, word >> (shift * 4));
        }
        let mut guest = image.guest(&[0, 1].map(count).concat());
        if let Some(values) = guest.instance.values_mut() {
            values.arrive("a", Value::Json("1"), Some(&Origin::default()));
            values.arrive("t", Value::Json("\"text\""), Some(&Origin::default()));
        }
        proptest::prop_assert!(guest.call(Call::Update).is_ok());
    }
}
