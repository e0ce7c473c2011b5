//! How long this engine and the reference take for the same calls: fuel and nanoseconds, in one run.
//!
//!     cargo run --release -p skiff-engine --example speed            # both, in turns
//!     cargo run --release -p skiff-engine --example speed engine     # one, for an instruction counter
//!
//! The kernels are a checksum by the bit, a sieve, calls of a small function, and floats; the plugins are the project's.

use std::time::Instant;

use skiff_engine::{Limits, Machine, Outcome, Quota, Value, translate};
use wasmi::{Func, OperatorCost, Store, Val};

const KERNELS: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "checksum") (result i32) (local $i i32) (local $k i32) (local $sum i32)
    (local.set $sum (i32.const -1))
    (loop $bytes
      (local.set $sum (i32.xor (local.get $sum) (i32.load8_u (local.get $i))))
      (local.set $k (i32.const 8))
      (loop $bits
        (local.set $sum (i32.xor (i32.shr_u (local.get $sum) (i32.const 1))
          (i32.and (i32.const 0xedb88320) (i32.sub (i32.const 0) (i32.and (local.get $sum) (i32.const 1))))))
        (br_if $bits (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
      (br_if $bytes (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16384))))
    (local.get $sum))
  (func (export "sieve") (result i32) (local $i i32) (local $j i32) (local $count i32)
    (memory.fill (i32.const 0) (i32.const 1) (i32.const 16384))
    (local.set $i (i32.const 2))
    (loop $next
      (if (i32.load8_u (local.get $i)) (then
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (local.set $j (i32.add (local.get $i) (local.get $i)))
        (block $done (loop $strike
          (br_if $done (i32.ge_u (local.get $j) (i32.const 16384)))
          (i32.store8 (local.get $j) (i32.const 0))
          (local.set $j (i32.add (local.get $j) (local.get $i)))
          (br $strike)))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 16384))))
    (local.get $count))
  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "calls") (result i32) (call $fib (i32.const 20)))
  (func (export "floats") (result f64) (local $i i32) (local $sum f64)
    (loop $next
      (local.set $sum (f64.add (local.get $sum) (f64.div (f64.const 1)
        (f64.convert_i32_s (local.tee $i (i32.add (local.get $i) (i32.const 1)))))))
      (br_if $next (i32.lt_s (local.get $i) (i32.const 20000))))
    (local.get $sum)))"#;

const ALARM: &[u8] = include_bytes!("../../../plugins/assemblyscript/shallow-water-alarm/plugin.wasm");
const WIND: &[u8] = include_bytes!("../../../plugins/rust/true-wind/plugin.wasm");
/// Calls of each export.
const ROUNDS: u32 = 40;
const FUEL: u64 = 1 << 40;

trait Engine {
    /// Calls an export with zeros; returns fuel.
    fn call(&mut self, name: &str) -> u64;
}

impl Engine for Machine {
    fn call(&mut self, name: &str) -> u64 {
        let function = self.image().function(name).expect("an export");
        let zeros = |machine: &Self, function, results| {
            let ty = machine.image().type_of(function).expect("a type");
            let types = if results { ty.results } else { ty.params };
            types.iter().map(Value::zero).collect::<Vec<_>>()
        };
        let arguments = zeros(self, function, false);
        self.begin(function, &arguments).expect("a call");
        let mut fuel = FUEL;
        loop {
            match self.run(&mut fuel) {
                Outcome::Done => break,
                Outcome::Asks { import } => {
                    let results = zeros(self, import, true);
                    self.answer(&results).expect("an answer");
                }
                other => panic!("{other:?}"),
            }
        }
        self.finish();
        FUEL - fuel
    }
}

impl Engine for (Store<()>, wasmi::Instance) {
    fn call(&mut self, name: &str) -> u64 {
        let function = self.1.get_func(&self.0, name).expect("an export");
        let ty = function.ty(&self.0);
        let arguments: Vec<Val> = ty.params().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
        self.0.set_fuel(FUEL).expect("fuel");
        function.call(&mut self.0, &arguments, &mut results).expect("a result");
        FUEL - self.0.get_fuel().expect("fuel")
    }
}

fn own(wasm: &[u8]) -> Machine {
    let image = translate(wasm, [0; 32], &Limits::LINUX).expect("an image");
    let mut machine = Machine::new(image, Quota::default()).expect("a machine");
    if let Some(start) = machine.start() {
        machine.begin(start, &[]).expect("a start");
        let mut fuel = FUEL;
        assert_eq!(machine.run(&mut fuel), Outcome::Done);
        machine.finish();
    }
    machine
}

fn reference(wasm: &[u8]) -> (Store<()>, wasmi::Instance) {
    let mut config = wasmi::Config::default();
    let costs = OperatorCost { memory_grow: u8::MAX, table_grow: u8::MAX, ..OperatorCost::default() };
    config.consume_fuel(true).operator_cost(costs).compilation_mode(wasmi::CompilationMode::Eager);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm).expect("a module");
    let mut store = Store::new(&engine, ());
    store.set_fuel(FUEL).expect("fuel");
    let imports: Vec<_> = module.imports().filter_map(|import| import.ty().func().cloned()).collect();
    let externs: Vec<wasmi::Extern> = imports
        .into_iter()
        .map(|ty| {
            let values: Vec<Val> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
            Func::new(&mut store, ty, move |_, _, results| {
                results.clone_from_slice(&values);
                Ok(())
            })
            .into()
        })
        .collect();
    let instance = wasmi::Instance::new(&mut store, &module, &externs).expect("an instance");
    (store, instance)
}

/// Calls an export several times; returns fuel and nanoseconds of one call.
fn timed(engine: &mut dyn Engine, name: &str) -> (u64, u64) {
    let mut fuel = 0;
    let start = Instant::now();
    for _ in 0..ROUNDS {
        fuel = engine.call(name);
    }
    (fuel, start.elapsed().as_nanos() as u64 / u64::from(ROUNDS))
}

fn main() {
    let kernels = wat::parse_str(KERNELS).expect("the kernels");
    let which = std::env::args().nth(1);
    let only = std::env::args().nth(2);
    let rows: [(&str, &[u8], &[&str]); 3] = [
        ("kernels", &kernels, &["checksum", "sieve", "calls", "floats"]),
        ("alarm", ALARM, &["plugin_schema", "__collect"]),
        ("true wind", WIND, &["plugin_schema", "plugin_start"]),
    ];
    println!(
        "| module | call | fuel | fuel of wasmi | ns | ns of wasmi | ratio |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    for (module, wasm, names) in rows {
        for name in names.iter().filter(|name| only.as_deref().is_none_or(|only| only == **name)) {
            match which.as_deref() {
                Some("engine") => {
                    timed(&mut own(wasm), name);
                }
                Some("wasmi") => {
                    timed(&mut reference(wasm), name);
                }
                _ => {
                    let (mut own, mut reference) = (own(wasm), reference(wasm));
                    timed(&mut own, name);
                    let (_, theirs) = (timed(&mut reference, name), timed(&mut reference, name));
                    let ours = timed(&mut own, name);
                    let ratio = ours.1 as f64 / theirs.1 as f64;
                    println!(
                        "| {module} | {name} | {} | {} | {} | {} | {ratio:.2} |",
                        ours.0, theirs.0, ours.1, theirs.1
                    );
                }
            }
        }
    }
}
