//! A module on this engine and on the reference, line by line: results, traps, memory, globals, fuel.

use skiff_engine::{ExportKind, Fault, Limits, Machine, Outcome, Quota, RefusalKind, Value, ValueType, translate};
use wasm_smith::{Config, Module};
use wasmi::errors::ErrorKind;
use wasmi::{Extern, Func, OperatorCost, Store, StoreLimits, StoreLimitsBuilder, TrapCode, Val, ValType};

/// Fuel of one call.
const FUEL: u64 = 100_000;
/// What memories and tables may grow to, on both.
const MEMORY_BYTES_MAX: u32 = 1 << 20;
const TABLE_ELEMENTS_MAX: u32 = 10_000;

/// How a call ended.
#[derive(Debug, PartialEq)]
enum Ended {
    Done(Vec<Value>),
    Faulted(Fault),
    OutOfFuel,
}

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Calls that ended the same way on both.
    pub calls: u64,
    /// Fuel of the reference for calls that were done on both, and of this engine.
    pub fuel: (u64, u64),
}

/// Makes a module of nothing but what is enabled, out of any bytes.
pub fn generated(data: &[u8]) -> Option<Vec<u8>> {
    let imports = r#"(module
        (import "host" "a" (func (param i32 i64) (result i32)))
        (import "host" "b" (func (param f64) (result f64 i64)))
        (import "host" "c" (func)))"#;
    let (choice, data) = data.split_first()?;
    let config = Config {
        available_imports: Some(wat::parse_str(imports).ok()?),
        canonicalize_nans: true,
        custom_page_sizes_enabled: choice % 4 == 0,
        exceptions_enabled: false,
        export_everything: true,
        gc_enabled: false,
        max_instructions: 300,
        max_memory32_bytes: u64::from(MEMORY_BYTES_MAX) / 2,
        max_table_elements: u64::from(TABLE_ELEMENTS_MAX),
        max_tables: 3,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    };
    Module::new(config, &mut arbitrary::Unstructured::new(data)).ok().map(|module| module.to_bytes())
}

/// What an import gives on both.
fn given(ty: ValueType) -> Value {
    match ty {
        ValueType::I32 => Value::I32(3),
        ValueType::I64 => Value::I64(-5),
        ValueType::F32 => Value::F32(0.5),
        ValueType::F64 => Value::F64(-2.25),
        ValueType::FuncRef => Value::FuncRef(None),
        ValueType::ExternRef => Value::ExternRef(None),
    }
}

/// An argument for a call by the host.
fn argument(ty: ValueType, place: usize) -> Value {
    match ty {
        ValueType::I32 => Value::I32(7 - place as i32 * 3),
        ValueType::I64 => Value::I64(1 << (place * 9 % 60)),
        ValueType::F32 => Value::F32(-1.5 * place as f32),
        ValueType::F64 => Value::F64(1.0e10 / (place as f64 + 1.0)),
        other => given(other),
    }
}

fn to_reference(value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(value) => Val::F32(value.to_bits().into_float()),
        Value::F64(value) => Val::F64(value.to_bits().into_float()),
        Value::FuncRef(_) => Val::FuncRef(wasmi::Nullable::Null),
        Value::ExternRef(_) => Val::ExternRef(wasmi::Nullable::Null),
    }
}

trait IntoFloat<F> {
    fn into_float(self) -> F;
}

impl IntoFloat<wasmi::F32> for u32 {
    fn into_float(self) -> wasmi::F32 {
        wasmi::F32::from_bits(self)
    }
}

impl IntoFloat<wasmi::F64> for u64 {
    fn into_float(self) -> wasmi::F64 {
        wasmi::F64::from_bits(self)
    }
}

/// Of a reference only whether it is null can be compared.
fn comparable(value: &Val) -> Value {
    match value {
        Val::I32(value) => Value::I32(*value),
        Val::I64(value) => Value::I64(*value),
        Val::F32(value) => Value::F32(f32::from_bits(value.to_bits())),
        Val::F64(value) => Value::F64(f64::from_bits(value.to_bits())),
        Val::FuncRef(value) => Value::FuncRef((!value.is_null()).then_some(0)),
        Val::ExternRef(value) => Value::ExternRef((!value.is_null()).then_some(0)),
        other => panic!("no value of this kind is enabled: {other:?}"),
    }
}

fn without_number(value: Value) -> Value {
    match value {
        Value::FuncRef(number) => Value::FuncRef(number.map(|_| 0)),
        Value::ExternRef(number) => Value::ExternRef(number.map(|_| 0)),
        other => other,
    }
}

fn reference_ended(result: Result<(), wasmi::Error>, results: &[Val]) -> Ended {
    let Err(error) = result else { return Ended::Done(results.iter().map(comparable).collect()) };
    Ended::Faulted(match error.as_trap_code() {
        Some(TrapCode::OutOfFuel) => return Ended::OutOfFuel,
        Some(TrapCode::UnreachableCodeReached) => Fault::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Fault::MemoryOutOfBounds,
        Some(TrapCode::TableOutOfBounds) => Fault::TableOutOfBounds,
        Some(TrapCode::IndirectCallToNull) => Fault::IndirectCallToNull,
        Some(TrapCode::IntegerDivisionByZero) => Fault::DivideByZero,
        Some(TrapCode::IntegerOverflow) => Fault::IntegerOverflow,
        Some(TrapCode::BadConversionToInteger) => Fault::BadConversion,
        Some(TrapCode::StackOverflow) => Fault::StackOverflow,
        Some(TrapCode::BadSignature) => Fault::BadSignature,
        other => panic!("the reference ends by {other:?}: {error}"),
    })
}

/// Runs what was begun in slices of many sizes, so that it ends and goes on everywhere.
fn run(machine: &mut Machine) -> (Ended, u64) {
    let (mut spent, mut size) = (0, 1);
    loop {
        size = (size * 31 + 7) % 199;
        let mut slice = size.min(FUEL - spent);
        let full = slice;
        let mut outcome = machine.run(&mut slice);
        if let Outcome::OutOfFuel { required } = outcome {
            if required > FUEL - spent - (full - slice) {
                machine.abandon();
                return (Ended::OutOfFuel, spent);
            }
            // A step that takes more than this slice.
            spent += full - slice;
            slice = required;
            outcome = machine.run(&mut slice);
            spent += required - slice;
        } else {
            spent += full - slice;
        }
        match outcome {
            Outcome::OutOfFuel { .. } => {}
            Outcome::Done => return (Ended::Done(machine.finish().expect("results")), spent),
            Outcome::Faulted(fault) => {
                machine.abandon();
                return (Ended::Faulted(fault), spent);
            }
            Outcome::Asks { import } => {
                let ty = machine.image().type_of(import).expect("a type");
                let results: Vec<Value> = ty.results.iter().map(given).collect();
                assert_eq!(machine.arguments().len(), ty.params.len());
                machine.answer(&results).expect("an answer of the right types");
            }
        }
    }
}

/// The reference as the host sets it up.
fn reference(wasm: &[u8]) -> Option<(Store<StoreLimits>, wasmi::Module)> {
    let mut config = wasmi::Config::default();
    let costs = OperatorCost { memory_grow: u8::MAX, table_grow: u8::MAX, ..OperatorCost::default() };
    config
        .consume_fuel(true)
        .operator_cost(costs)
        .compilation_mode(wasmi::CompilationMode::Eager)
        .wasm_custom_page_sizes(true)
        .wasm_extended_const(true)
        .wasm_multi_memory(false)
        .wasm_tail_call(false);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm).ok()?;
    let limits = StoreLimitsBuilder::new()
        .memory_size(MEMORY_BYTES_MAX as usize)
        .table_elements(TABLE_ELEMENTS_MAX as usize)
        .build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(FUEL).ok()?;
    Some((store, module))
}

fn of_reference(ty: ValType) -> ValueType {
    match ty {
        ValType::I32 => ValueType::I32,
        ValType::I64 => ValueType::I64,
        ValType::F32 => ValueType::F32,
        ValType::F64 => ValueType::F64,
        ValType::FuncRef => ValueType::FuncRef,
        ValType::ExternRef => ValueType::ExternRef,
        other => panic!("no value of type {other:?} is enabled"),
    }
}

/// Instantiates on the reference; the start function runs.
fn instantiate(store: &mut Store<StoreLimits>, module: &wasmi::Module) -> Result<wasmi::Instance, wasmi::Error> {
    let imports: Vec<wasmi::FuncType> = module.imports().filter_map(|import| import.ty().func().cloned()).collect();
    let externs: Vec<Extern> = imports
        .into_iter()
        .map(|ty| {
            let values: Vec<Val> = ty.results().iter().map(|ty| to_reference(given(of_reference(*ty)))).collect();
            Extern::Func(Func::new(&mut *store, ty, move |_, _, results| {
                results.clone_from_slice(&values);
                Ok(())
            }))
        })
        .collect();
    wasmi::Instance::new(store, module, &externs)
}

/// Compares a module on both; `None` where one of them does not take it for a limit of its own.
///
/// # Panics
/// When they differ.
pub fn compare(wasm: &[u8]) -> Option<Compared> {
    let translated = translate(wasm, [0; 32], &Limits::LINUX);
    let (mut store, module) = reference(wasm)?;
    let image = match translated {
        Ok(image) => image,
        Err(refusal) if matches!(refusal.kind, RefusalKind::Limit { .. }) => return None,
        Err(refusal) if refusal.kind == RefusalKind::SegmentOutOfBounds => {
            assert!(instantiate(&mut store, &module).is_err(), "{refusal}, but the reference starts it");
            return Some(Compared::default());
        }
        Err(refusal) => panic!("a valid module is refused: {refusal}"),
    };
    let quota = Quota {
        memory_bytes_max: MEMORY_BYTES_MAX,
        table_elements_max: TABLE_ELEMENTS_MAX,
        registers: 256 << 10,
        ..Quota::default()
    };
    let mut machine = Machine::new(image, quota).expect("a machine");
    let mut compared = Compared::default();
    let instance = instantiate(&mut store, &module);
    if let Some(start) = machine.start() {
        machine.begin(start, &[]).expect("the start function begins");
        let (ended, spent) = run(&mut machine);
        let used = FUEL - store.get_fuel().expect("fuel");
        match &instance {
            Ok(_) => {
                if !same(ended, Ended::Done(Vec::new()), spent, used, &mut compared) {
                    return Some(compared);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::TrapCode(_)) => {
                let wanted = reference_ended(instance.map(|_| ()), &[]);
                same(ended, wanted, spent, used, &mut compared);
                return Some(compared);
            }
            Err(error) => panic!("the reference does not start it: {error}"),
        }
    }
    let instance = instance.unwrap_or_else(|error| panic!("the reference does not start it: {error}"));
    let exports: Vec<(String, u32)> = machine
        .image()
        .exports()
        .filter(|export| export.kind == ExportKind::Function)
        .map(|export| (export.name.to_string(), export.index))
        .collect();
    for (name, index) in exports {
        let ty = machine.image().type_of(index).expect("a type");
        let arguments: Vec<Value> = ty.params.iter().enumerate().map(|(place, ty)| argument(ty, place)).collect();
        let results: Vec<ValueType> = ty.results.iter().collect();
        machine.begin(index, &arguments).expect("a call begins");
        let (ended, spent) = run(&mut machine);
        let function = instance.get_func(&store, &name).expect("the same export");
        store.set_fuel(FUEL).expect("fuel");
        let inputs: Vec<Val> = arguments.iter().map(|value| to_reference(*value)).collect();
        let mut outputs: Vec<Val> = results.iter().map(|ty| to_reference(Value::zero(*ty))).collect();
        let result = function.call(&mut store, &inputs, &mut outputs);
        let used = FUEL - store.get_fuel().expect("fuel");
        if !same(ended, reference_ended(result, &outputs), spent, used, &mut compared) {
            break;
        }
        same_state(&machine, &instance, &store);
    }
    Some(compared)
}

/// Compares how a call ended; false where what follows cannot be compared.
fn same(ended: Ended, wanted: Ended, spent: u64, used: u64, compared: &mut Compared) -> bool {
    let stacks = |ended: &Ended| *ended == Ended::Faulted(Fault::StackOverflow);
    // The reference charges a straight run whole, so that it can be out of fuel earlier; stacks have their own limits.
    if wanted == Ended::OutOfFuel || stacks(&ended) || stacks(&wanted) {
        return false;
    }
    let ended = match ended {
        Ended::Done(values) => Ended::Done(values.into_iter().map(without_number).collect()),
        other => other,
    };
    assert_eq!(ended, wanted, "this engine and the reference");
    assert!(spent <= used, "{spent} fuel, the reference took {used}");
    compared.calls += 1;
    if matches!(ended, Ended::Done(_)) {
        compared.fuel.0 += used;
        compared.fuel.1 += spent;
    }
    true
}

fn same_state(machine: &Machine, instance: &wasmi::Instance, store: &Store<StoreLimits>) {
    for export in machine.image().exports() {
        match export.kind {
            ExportKind::Memory => {
                let memory = instance.get_memory(store, export.name).expect("the same export");
                let wanted = memory.data(store);
                assert_eq!(machine.memory().size_bytes() as usize, wanted.len());
                let pieces = machine.memory().pieces(0, wanted.len() as u32).expect("the whole memory");
                let mut rest = wanted;
                for piece in pieces {
                    let (now, later) = rest.split_at(piece.len());
                    assert!(piece == now, "memory differs at {}", wanted.len() - rest.len());
                    rest = later;
                }
            }
            ExportKind::Global => {
                let global = instance.get_global(store, export.name).expect("the same export");
                let found = machine.global(export.index).map(without_number);
                assert_eq!(found, Some(comparable(&global.get(store))), "global {}", export.name);
            }
            ExportKind::Table => {
                let table = instance.get_table(store, export.name).expect("the same export");
                assert_eq!(machine.table_size(export.index).map(u64::from), Some(table.size(store)));
            }
            ExportKind::Function => {}
        }
    }
}
