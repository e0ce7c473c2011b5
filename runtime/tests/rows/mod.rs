//! Guests with rows, written as text: one place for descriptor, rows and paths.
#![allow(dead_code)] // each test file uses its part

use skiff_abi::values::{DESCRIPTOR_BYTES, MAGIC, ROW_BYTES};

/// Where a guest has its descriptor; input rows follow, then output rows.
const DESCRIPTOR: u32 = 1024;
const PATHS: u32 = 3072;

/// The rows of a guest.
#[derive(Clone, Default)]
pub struct Rows {
    pub inputs: Vec<(&'static str, u8)>,
    pub outputs: Vec<(&'static str, u8)>,
    pub interval_ms: u32,
    pub flags: u32,
}

impl Rows {
    pub fn new(inputs: &[(&'static str, u8)], outputs: &[(&'static str, u8)]) -> Self {
        Self { inputs: inputs.into(), outputs: outputs.into(), ..Self::default() }
    }

    /// Address of an input row.
    pub fn input(&self, index: usize) -> u32 {
        DESCRIPTOR + DESCRIPTOR_BYTES + ROW_BYTES * index as u32
    }

    /// Address of an output row.
    pub fn output(&self, index: usize) -> u32 {
        self.input(self.inputs.len() + index)
    }

    /// Instructions that publish the `f64` on the stack of `number`.
    pub fn publish(&self, index: usize, number: &str) -> String {
        let row = self.output(index);
        format!(
            "(f64.store (i32.const {}) {number}) (i32.store (i32.const {}) (i32.add (i32.load (i32.const {1})) (i32.const 1)))",
            row + 8,
            row + 24
        )
    }

    /// Instructions that leave the number of an input on the stack.
    pub fn number(&self, index: usize) -> String {
        format!("(f64.load (i32.const {}))", self.input(index) + 8)
    }

    /// Instructions that leave the age of an input on the stack.
    pub fn age(&self, index: usize) -> String {
        format!("(f64.convert_i32_u (i32.load (i32.const {})))", self.input(index) + 28)
    }

    /// A guest of the buffer dialect whose `skiff_update` is `update`; `body` is added to the module.
    pub fn guest(&self, update: &str, body: &str) -> String {
        let mut image = vec![0_u8; 4096];
        let mut put = |at: u32, bytes: &[u8]| image[at as usize..][..bytes.len()].copy_from_slice(bytes);
        put(DESCRIPTOR, &MAGIC.to_le_bytes());
        put(DESCRIPTOR + 4, &(self.inputs.len() as u16).to_le_bytes());
        put(DESCRIPTOR + 6, &(self.outputs.len() as u16).to_le_bytes());
        put(DESCRIPTOR + 8, &self.input(0).to_le_bytes());
        put(DESCRIPTOR + 12, &self.output(0).to_le_bytes());
        put(DESCRIPTOR + 16, &self.interval_ms.to_le_bytes());
        put(DESCRIPTOR + 20, &self.flags.to_le_bytes());
        let mut paths = PATHS;
        for (index, (path, kind)) in self.inputs.iter().chain(&self.outputs).enumerate() {
            let row = self.input(index);
            put(paths, path.as_bytes());
            put(row, &paths.to_le_bytes());
            put(row + 4, &(path.len() as u16).to_le_bytes());
            put(row + 6, &[*kind]);
            paths += path.len() as u32;
        }
        let data: String = image[1024..].iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(module
                (import "env" "sk_set_status" (func $status (param i32 i32)))
                (memory (export "memory") 1) (data (i32.const 1024) "{data}")
                (global $next (mut i32) (i32.const 4096))
                (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
                (func (export "plugin_start") (param i32 i32) (result i32) (i32.const 0))
                (func (export "allocate") (param $bytes i32) (result i32)
                    (global.set $next (i32.add (global.get $next) (local.get $bytes)))
                    (i32.sub (global.get $next) (local.get $bytes)))
                (func (export "deallocate") (param i32 i32) (global.set $next (i32.sub (global.get $next) (local.get 1))))
                (func (export "skiff_values") (result i32) (i32.const {DESCRIPTOR}))
                (func (export "skiff_update") (result i32) {update} (i32.const 0))
                {body})"#
        )
    }
}
