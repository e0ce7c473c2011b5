//! What a guest can import: module, name, parameters, result, and what a host function needs and shows.
//!
//! The functions themselves are the rows of [`IMPORTS`], written down once in `imports!` ([`table`](crate::table)).

pub use crate::capability::Capability;

pub use crate::table::IMPORTS;

/// Module of the host functions.
pub const ENV: &str = "env";
/// Module of the WASI preview 1 functions; other WASI module names are not provided.
pub const WASI: &str = "wasi_snapshot_preview1";
/// Module of the fetch functions, given only with the capability `network`.
pub const AS_FETCH: &str = "as-fetch";
/// Module of the legacy AssemblyScript `Math` imports.
pub const MATH: &str = "Math";
/// Module of the legacy AssemblyScript `Date` imports.
pub const DATE: &str = "Date";

/// Delta version that a two-parameter `sk_handle_message` means.
pub const DELTA_VERSION_DEFAULT: i32 = 1;

/// A WebAssembly value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 64-bit float.
    F64,
}

impl Value {
    /// Returns its name in WebAssembly text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F64 => "f64",
        }
    }
}

/// What a parameter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text: address and length.
    Text,
    /// Bytes: address and length.
    Bytes,
    /// Room for an answer: address and length.
    Room,
    /// WASI vectors: address of the list and their number.
    Vectors,
    /// Address of an AssemblyScript string.
    String,
    /// Address of an AssemblyScript object, 0 for none.
    Object,
    /// Address of something else, most often of a result.
    Address,
    /// Signed number.
    I32,
    /// Unsigned number.
    U32,
    /// Number that a guest may leave out.
    Optional,
    /// Signed number of 64 bits.
    I64,
    /// Unsigned number of 64 bits.
    U64,
    /// Floating-point number.
    F64,
}

impl Kind {
    /// Returns the WebAssembly parameters it takes.
    #[must_use]
    pub const fn values(self) -> &'static [Value] {
        match self {
            Self::Text | Self::Bytes | Self::Room | Self::Vectors => &[Value::I32, Value::I32],
            Self::String | Self::Object | Self::Address | Self::I32 | Self::U32 | Self::Optional => &[Value::I32],
            Self::I64 | Self::U64 => &[Value::I64],
            Self::F64 => &[Value::F64],
        }
    }
}

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for readers.
    pub name: &'static str,
    /// What it means.
    pub kind: Kind,
}

/// What a call gives that is refused: a capability is missing, an address lies outside of the memory (WASI has `fault`
/// for that), or the guest declares parameters of other types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Failure {
    /// Nothing.
    Nothing,
    /// An integer.
    Int(i32),
    /// A number.
    Float(f64),
}

/// How a transcript shows the arguments (scenario format, "Transcript lines").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not at all: the reference host does not wrap the import.
    Hidden,
    /// An empty object.
    Nothing,
    /// All as numbers.
    Numbers,
    /// One text.
    Text,
    /// Text, or one AssemblyScript string where the guest declares one parameter (plugin ABI §3.1).
    Console,
    /// Two texts.
    TwoTexts,
    /// A delta and its version.
    Delta,
    /// The number of a socket, then numbers.
    IdNumbers,
    /// The number of a socket.
    IdOnly,
    /// The number of a socket and a port.
    IdPort,
    /// The number of a socket and bytes.
    IdHex,
    /// The number of a socket, a group and an interface.
    Multicast,
    /// The number of a socket, whom a datagram is for, and its bytes.
    Datagram,
    /// The number of a socket and whom to connect to.
    Connect,
    /// A name, and length and hash of bytes.
    Blob,
    /// Nothing but what was written to standard output or standard error.
    Output,
}

/// One function a guest can import.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Import {
    /// Module.
    pub module: &'static str,
    /// Name in it.
    pub name: &'static str,
    /// Parameters; a guest may declare fewer or more (plugin ABI §2.5).
    pub parameters: &'static [Parameter],
    /// Result.
    pub result: Option<Value>,
    /// What a call gives that is refused.
    pub failure: Failure,
    /// Capability without which every call is refused.
    pub capability: Option<Capability>,
    /// How a transcript shows it.
    pub shows: Shape,
    /// Section of the plugin ABI that specifies it.
    pub section: &'static str,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// It is there on hosts with the standard library only.
    pub needs_std: bool,
}

impl Import {
    /// Returns the WebAssembly parameters.
    pub fn values(&self) -> impl Iterator<Item = Value> {
        self.parameters.iter().flat_map(|parameter| parameter.kind.values()).copied()
    }
}

/// Finds a function.
#[must_use]
pub fn find(module: &str, name: &str) -> Option<&'static Import> {
    IMPORTS.iter().find(|import| import.module == module && import.name == name)
}
