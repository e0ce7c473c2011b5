//! Imports and exports: what has a name.

use alloc::vec::Vec;

use crate::image::{ExportKind, List};
use crate::limits::Limits;
use crate::op;
use crate::out::Out;
use crate::refusal::{RefusalKind, at_most, invalid, malformed, push};
use crate::wasm::{Module, Reader};

fn name<'w>(reader: &mut Reader<'w>, limits: &Limits) -> Result<&'w str, RefusalKind> {
    let name = reader.name()?;
    at_most("bytes of a name", name.len() as u32, limits.name_bytes_max.min(u16::MAX.into()))?;
    Ok(name)
}

/// Writes imports: lengths of both names, the type, the names.
pub(super) fn imports(
    reader: &mut Reader<'_>,
    module: &mut Module,
    limits: &Limits,
    out: &mut Out<'_>,
    functions: &mut Vec<u32>,
) -> Result<List, RefusalKind> {
    let list = List { at: out.at(), count: reader.u32()? };
    for _ in 0..list.count {
        let from = name(reader, limits)?;
        let field = name(reader, limits)?;
        match reader.byte()? {
            0 => {}
            1 => return Err(RefusalKind::Unsupported("an imported table")),
            2 => return Err(RefusalKind::Unsupported("an imported memory")),
            3 => return Err(RefusalKind::Unsupported("an imported global")),
            4 => return Err(RefusalKind::Unsupported("exception handling")),
            _ => return malformed("malformed import kind"),
        }
        let ty = reader.u32()?;
        module.add_function(ty, limits)?;
        let ty = u32::from(module.types.shared(ty)?);
        push(functions, op::IMPORTED | ty)?;
        out.words(&[from.len() as u32 | (field.len() as u32) << 16, ty])?;
        out.bytes(from.as_bytes())?;
        out.bytes(field.as_bytes())?;
    }
    module.imported = list.count;
    Ok(list)
}

/// Writes exports: kind and length of the name, the number, the name.
pub(super) fn exports(
    reader: &mut Reader<'_>,
    module: &mut Module,
    limits: &Limits,
    out: &mut Out<'_>,
) -> Result<List, RefusalKind> {
    let list = List { at: out.at(), count: reader.u32()? };
    at_most("exports", list.count, limits.exports_max)?;
    let mut names: Vec<&str> = Vec::new();
    for _ in 0..list.count {
        let name = name(reader, limits)?;
        match names.binary_search(&name) {
            Ok(_) => return invalid("duplicate export name"),
            Err(place) => {
                names.try_reserve(1).map_err(|_| RefusalKind::OutOfMemory)?;
                names.insert(place, name);
            }
        }
        let kind = reader.byte()?;
        let index = reader.u32()?;
        match ExportKind::from_byte(kind) {
            Some(ExportKind::Function) => module.refer(index)?,
            Some(ExportKind::Table) => module.table(index).map(|_| ())?,
            Some(ExportKind::Memory) if index == 0 => module.has_memory()?,
            Some(ExportKind::Memory) => return invalid("unknown memory"),
            Some(ExportKind::Global) => module.global(index).map(|_| ())?,
            None => return malformed("malformed export kind"),
        }
        out.words(&[u32::from(kind) | (name.len() as u32) << 8, index])?;
        out.bytes(name.as_bytes())?;
    }
    Ok(list)
}
