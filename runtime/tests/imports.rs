//! Every function that a guest can import is there under its documented type, and adapts to others; `docs/imports.md`
//! says what the table says.

mod guests;

use std::fmt::Write;
use std::{env, fs};

use guests::{limits, try_load};
use skiff_abi::import::{AS_FETCH, ENV, Failure, IMPORTS, Import, Kind, Value, WASI};
use skiff_runtime::host::{Answer, Call};

const ALL: &str = r#"{"network":true,"putHandlers":true,"resourceProvider":true,"weatherProvider":true,"radarProvider":true,"rawSockets":true,"serialPorts":true}"#;
/// What is allowed where it is not declared is denied in so many words.
const NOTHING: &str = r#"{"dataRead":false,"dataWrite":false}"#;

/// Every import of this build; chips have no room for JavaScript's `Math`, see `host/imports/math.rs`.
fn every() -> impl Iterator<Item = &'static Import> {
    IMPORTS.iter().filter(|import| cfg!(feature = "std") || !import.needs_std)
}

/// Those that return.
fn returning() -> impl Iterator<Item = &'static Import> {
    every().filter(|import| import.name != "proc_exit")
}

fn types(values: &[Value]) -> String {
    values.iter().map(|value| format!(" {}", value.name())).collect()
}

/// A guest whose `poll` calls one import with zeros, and returns what it gave when that is 32 bits, else 7.
fn calling(import: &Import, params: &[Value], result: Option<Value>) -> String {
    let zeros: String = params.iter().map(|value| format!("({}.const 0) ", value.name())).collect();
    let call = format!("(call $f {zeros})");
    let body = match result {
        None => format!("{call} (i32.const 7)"),
        Some(Value::I32) => call,
        Some(_) => format!("(drop {call}) (i32.const 7)"),
    };
    let declared = result.map(|result| format!("(result {})", result.name())).unwrap_or_default();
    format!(
        r#"(module
            (import "{}" "{}" (func $f (param{}) {declared}))
            (memory (export "memory") 1)
            (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
            (func (export "allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
            (func (export "poll") (result i32) {body}))"#,
        import.module,
        import.name,
        types(params)
    )
}

/// What `poll` returned.
fn poll(import: &Import, params: &[Value], result: Option<Value>, capabilities: &str) -> Result<i32, String> {
    let text = calling(import, params, result);
    let (module, name) = (import.module, import.name);
    let mut guest = try_load(&text, capabilities, &limits()).unwrap_or_else(|error| panic!("{module}.{name}: {error}"));
    assert!(guest.instance.unknown_imports().is_empty(), "{module}.{name}: {:?}", guest.instance.unknown_imports());
    guest.start().unwrap();
    match guest.call(Call::Poll).map_err(|failure| format!("{failure}"))? {
        Answer::Code(Some(code)) => Ok(code),
        other => panic!("{module}.{name}: {other:?}"),
    }
}

fn params(import: &Import) -> Vec<Value> {
    import.values().collect()
}

/// What [`poll`] returns where a call is refused.
fn refused(import: &Import) -> i32 {
    match import.failure {
        Failure::Int(number) => number,
        Failure::Nothing | Failure::Float(_) => 7,
    }
}

fn find(module: &str, name: &str) -> &'static Import {
    skiff_abi::import::find(module, name).unwrap_or_else(|| panic!("{module}.{name}"))
}

/// 38 of `env` (plugin ABI §3), and beside them `trace`, `sk_get_path`, three clocks and four more of `console`; 46 of
/// WASI (appendix B), 5 of `as-fetch` (§8.1). Extensions are free to grow.
#[test]
fn the_table_is_whole() {
    let is_specified = |import: &&Import| import.section != "abi-extensions.md";
    let count = |module| IMPORTS.iter().filter(is_specified).filter(|import| import.module == module).count();
    assert_eq!((count(ENV), count(WASI), count(AS_FETCH)), (38 + 9, 46, 5));
    for (index, import) in IMPORTS.iter().enumerate() {
        let again =
            IMPORTS.iter().skip(index + 1).any(|other| (other.module, other.name) == (import.module, import.name));
        assert!(!again, "{}.{} is there twice", import.module, import.name);
    }
}

#[test]
fn every_import_is_called_under_its_documented_type() {
    for import in every() {
        let polled = poll(import, &params(import), import.result, ALL);
        assert_eq!(polled.is_err(), import.name == "proc_exit", "{}.{}: {polled:?}", import.module, import.name);
    }
}

#[test]
fn fewer_parameters_more_parameters_and_results_left_out_adapt() {
    for import in returning() {
        let exact = params(import);
        let fewer = &exact[..exact.len().saturating_sub(1)];
        let more = [&exact[..], &[Value::I32, Value::I64]].concat();
        for (params, result) in [(fewer, import.result), (&more, import.result), (&exact, None)] {
            let polled = poll(import, params, result, ALL);
            assert!(polled.is_ok(), "{}.{} {params:?}: {polled:?}", import.module, import.name);
        }
    }
}

#[test]
fn a_result_nobody_gives_is_nothing_and_a_long_one_a_trap() {
    for name in ["sk_debug", "sk_udp_close", "sk_serial_close", "abort"] {
        let import = find(ENV, name);
        assert_eq!(poll(import, &params(import), Some(Value::I32), ALL), Ok(0), "{name}");
        assert_eq!(poll(import, &params(import), Some(Value::F64), ALL), Ok(7), "{name}");
        assert!(poll(import, &params(import), Some(Value::I64), ALL).is_err(), "{name}");
    }
}

#[test]
fn a_parameter_of_a_type_that_cannot_be_gives_the_failure_value_and_no_crash() {
    for import in returning().filter(|import| !import.parameters.is_empty()) {
        let wrong = |value| if value == Value::I64 { Value::F64 } else { Value::I64 };
        let wrong: Vec<Value> = import.values().map(wrong).collect();
        let polled = poll(import, &wrong, import.result, ALL);
        assert_eq!(polled, Ok(refused(import)), "{}.{}", import.module, import.name);
    }
}

/// A module with `as-fetch` is refused as a whole (`tests/fetch.rs`).
#[test]
fn without_its_capability_an_import_gives_the_failure_value() {
    let gated = every().filter(|import| import.capability.is_some() && import.module != AS_FETCH);
    for import in gated {
        let polled = poll(import, &params(import), import.result, NOTHING);
        assert_eq!(polled, Ok(refused(import)), "{}.{}", import.module, import.name);
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Bytes => "bytes",
        Kind::Room => "room",
        Kind::Vectors => "vectors",
        Kind::String => "string",
        Kind::Object => "object",
        Kind::Address => "address",
        Kind::I32 => "i32",
        Kind::U32 => "u32",
        Kind::Optional => "i32?",
        Kind::I64 => "i64",
        Kind::U64 => "u64",
        Kind::F64 => "f64",
    }
}

const INTRODUCTION: &str = "# Imports

Every function that a plugin can import, for authors of plugins. `runtime/tests/imports.rs` writes this page from
the table in `runtime/abi/src/table.rs` (`BLESS=1 cargo test --workspace --test imports`); what a function does in
full stands in the section of the [plugin ABI](plugin-abi.md) named above it.

| written | WebAssembly parameters |
| --- | --- |
| `text`, `bytes`, `room` | two `i32`: address and length of UTF-8, of bytes, of room for an answer |
| `vectors` | two `i32`: address and number of WASI vectors |
| `string`, `object` | `i32`: address of an AssemblyScript string or object, 0 for none |
| `address` | `i32`: address that something is read from or written to |
| `i32`, `u32`, `i32?` | `i32`; one with `?` may be left out |
| `i64`, `u64` | `i64` |
| `f64` | `f64` |

A guest may declare fewer parameters or more (§2.5). *Refused* is what a call gives that lacks the capability, names
memory that the guest does not have (`fault`, 21, of WASI), or has parameters of other types.
";

/// The page, as the table has it.
fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for import in IMPORTS {
        if !groups.contains(&(import.module, import.section)) {
            groups.push((import.module, import.section));
        }
    }
    for (module, section) in groups {
        let source = match section {
            "B" => "appendix B".into(),
            paper if paper.ends_with(".md") => format!("[{paper}]({paper})"),
            section => format!("§{section}"),
        };
        write!(
            page,
            "\n## `{module}`, {source}\n\n| name | type | capability | refused | |\n| --- | --- | --- | --- | --- |\n"
        )
        .unwrap();
        for import in IMPORTS.iter().filter(|import| (import.module, import.section) == (module, section)) {
            let parameters = import.parameters.iter().map(|one| format!("{}: {}", one.name, kind(one.kind)));
            let parameters = parameters.collect::<Vec<_>>().join(", ");
            let result = import.result.map_or(String::from("()"), |result| result.name().into());
            let capability = import.capability.map(|capability| format!("`{}`", capability.name())).unwrap_or_default();
            let refused = match import.failure {
                Failure::Nothing => String::new(),
                Failure::Int(number) => number.to_string(),
                Failure::Float(number) => number.to_string(),
            };
            let about = match (import.about.trim(), import.needs_std) {
                ("", true) => "As in JavaScript; not on chips.",
                (about, _) => about,
            };
            writeln!(page, "| `{}` | `({parameters}) -> {result}` | {capability} | {refused} | {about} |", import.name)
                .unwrap();
        }
    }
    page
}

#[test]
fn the_page_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/imports.md");
    if env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(path, page()).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == page(), "docs/imports.md is not what the table says: BLESS=1 writes it");
}
