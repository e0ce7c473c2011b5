//! Types of a component: those of exported functions are read, all others are passed over.

use alloc::vec::Vec;

use super::NESTING_MAX;
use super::binary::{Entries, Reader};
use crate::host::facts::Refusal;

/// A type as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Of a function: its parameters and its result.
    Function(Vec<Value>, Option<Value>),
    /// Of a value.
    Value(Value),
    /// Any other: nothing that crosses an export is made of it.
    Other,
}

/// A type of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text,
    S32,
    /// Another one.
    Other,
}

/// Parameters that a function has, at most; more are no function of the contract.
const PARAMETERS_KEPT: usize = 8;

/// Reads a type that stands in a component's type section, behind those that are known.
pub(super) fn read(reader: &mut Reader<'_>, entries: &mut Entries, known: &[Type]) -> Result<Type, Refusal> {
    match reader.peek()? {
        0x40 => {
            reader.byte()?;
            function(reader, entries, Some(known))
        }
        byte => {
            pass(reader, entries, 0)?;
            Ok(primitive(byte).map_or(Type::Other, Type::Value))
        }
    }
}

/// Tells what a byte means that stands for a built-in type.
fn primitive(byte: u8) -> Option<Value> {
    match byte {
        0x73 => Some(Value::Text),
        0x7a => Some(Value::S32),
        0x64 | 0x74..=0x7f => Some(Value::Other),
        _ => None,
    }
}

/// Reads the type of a function; where no types are known, those it names are others.
fn function(reader: &mut Reader<'_>, entries: &mut Entries, known: Option<&[Type]>) -> Result<Type, Refusal> {
    let mut parameters = Vec::new();
    for _ in 0..reader.count(entries)? {
        reader.name()?;
        let value = value(reader, known)?;
        if parameters.len() < PARAMETERS_KEPT {
            parameters.push(value);
        }
    }
    let result = match reader.byte()? {
        0 => Some(value(reader, known)?),
        1 if reader.byte()? == 0 => None,
        _ => return Err(reader.strange("a function with several results")),
    };
    Ok(Type::Function(parameters, result))
}

fn value(reader: &mut Reader<'_>, known: Option<&[Type]>) -> Result<Value, Refusal> {
    if let Some(value) = primitive(reader.peek()?) {
        reader.byte()?;
        return Ok(value);
    }
    let index = reader.type_index()?;
    let Some(known) = known else { return Ok(Value::Other) };
    match usize::try_from(index).ok().and_then(|index| known.get(index)) {
        Some(Type::Value(value)) => Ok(*value),
        Some(_) => Ok(Value::Other),
        None => Err(reader.strange("a type that is not there yet")),
    }
}

/// Passes over a type.
fn pass(reader: &mut Reader<'_>, entries: &mut Entries, depth: u8) -> Result<(), Refusal> {
    if depth >= NESTING_MAX {
        return Err(too_deep());
    }
    match reader.byte()? {
        0x3f => Err(Refusal::Component("it defines resources of its own, and only those of the host can be used")),
        0x40 => function(reader, entries, None).map(|_| ()),
        0x41 | 0x42 => {
            for _ in 0..reader.count(entries)? {
                declaration(reader, entries, depth.saturating_add(1))?;
            }
            Ok(())
        }
        0x43 => Err(Refusal::Component(IS_ASYNC)),
        byte if primitive(byte).is_some() => Ok(()),
        byte => defined(byte, reader, entries),
    }
}

/// Returns the refusal of types or components within one another.
pub(super) fn too_deep() -> Refusal {
    Refusal::TooMuch {
        what: "nesting of the component",
        needed: u64::from(NESTING_MAX).saturating_add(1),
        limit: NESTING_MAX.into(),
    }
}

/// Passes over a type of values that is made of others.
fn defined(byte: u8, reader: &mut Reader<'_>, entries: &mut Entries) -> Result<(), Refusal> {
    match byte {
        // A record.
        0x72 => {
            for _ in 0..reader.count(entries)? {
                reader.name()?;
                value(reader, None)?;
            }
        }
        // A variant; the byte behind each case has never meant anything.
        0x71 => {
            for _ in 0..reader.count(entries)? {
                reader.name()?;
                optional(reader)?;
                reader.byte()?;
            }
        }
        // A list, an option.
        0x70 | 0x6b => {
            value(reader, None)?;
        }
        // A tuple.
        0x6f => {
            for _ in 0..reader.count(entries)? {
                value(reader, None)?;
            }
        }
        // Flags, an enum.
        0x6e | 0x6d => {
            for _ in 0..reader.count(entries)? {
                reader.name()?;
            }
        }
        // A result.
        0x6a => {
            optional(reader)?;
            optional(reader)?;
        }
        // A handle that is owned, one that is lent.
        0x69 | 0x68 => {
            reader.number()?;
        }
        // A future, a stream.
        0x65 | 0x66 => return Err(Refusal::Component(IS_ASYNC)),
        _ => return Err(reader.strange("a kind of type that is not known")),
    }
    Ok(())
}

fn optional(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    match reader.byte()? {
        0 => Ok(()),
        1 => value(reader, None).map(|_| ()),
        _ => Err(reader.strange("neither a type nor none")),
    }
}

/// Passes over a declaration of a type of components or instances.
fn declaration(reader: &mut Reader<'_>, entries: &mut Entries, depth: u8) -> Result<(), Refusal> {
    match reader.byte()? {
        1 => pass(reader, entries, depth),
        2 => {
            sort(reader)?;
            match reader.byte()? {
                0 | 1 => {
                    reader.number()?;
                    reader.name().map(|_| ())
                }
                2 => {
                    reader.number()?;
                    reader.number().map(|_| ())
                }
                _ => Err(reader.strange("an alias of a kind that is not known")),
            }
        }
        3 | 4 => {
            reader.extern_name()?;
            described(reader).map(|_| ())
        }
        _ => Err(reader.strange("a declaration of a kind that is not known")),
    }
}

/// What an import or an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Function,
    Type,
    Component,
    Instance,
    /// A core item by its kind: function, table, memory, global, module or instance.
    Core(u8),
}

/// Reads of which sort something is.
pub(super) fn sort(reader: &mut Reader<'_>) -> Result<Sort, Refusal> {
    match reader.byte()? {
        0 => Ok(Sort::Core(reader.byte()?)),
        1 => Ok(Sort::Function),
        3 => Ok(Sort::Type),
        4 => Ok(Sort::Component),
        5 => Ok(Sort::Instance),
        _ => Err(reader.strange("a sort that is not known")),
    }
}

/// Reads the type of an import or export, which says of which sort it is.
pub(super) fn described(reader: &mut Reader<'_>) -> Result<Sort, Refusal> {
    let sort = sort(reader)?;
    // A type is equal to another one, or it is any resource.
    if sort != Sort::Type || reader.byte()? == 0 {
        reader.number()?;
    }
    Ok(sort)
}

/// Why a component of WASI 0.3 does not run.
pub(super) const IS_ASYNC: &str = "it uses the asynchronous ABI of WASI 0.3: build it for WASI 0.2";
