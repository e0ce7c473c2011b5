//! Host functions, made of the types under which a module declares its imports (plugin ABI §2.5).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ::wasmi::{
    AsContextMut, Error, Extern, ExternType, Func, FuncType, Module, Store, StoreContextMut, Val as Value,
    errors::HostError,
};

use super::{Data, Val, write};
use crate::host::engine::{NO_LONG_RESULT, lent_by_wasmi, unknown_import};
use crate::host::imports::{self, Called, Caller, Linked};

/// Stops the interpreter while the pending call in the state is answered; then the guest is resumed.
#[derive(Debug)]
struct Suspended;

impl fmt::Display for Suspended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("waits for the core")
    }
}

impl HostError for Suspended {}

/// Builds one host function per function import of the module, in order.
///
/// # Errors
/// The name of an import that is no function.
pub(super) fn externs(store: &mut Store<Data>, module: &Module) -> Result<Vec<Extern>, String> {
    let mut externs = Vec::new();
    for entry in module.imports() {
        let ExternType::Func(ty) = entry.ty() else {
            return Err(format!("{}.{}", entry.module(), entry.name()));
        };
        let function = match imports::linked(entry.module(), entry.name()) {
            Some(import) => import_function(store, ty, import),
            None => unknown_function(store, ty, entry.module(), entry.name()),
        };
        externs.push(Extern::Func(function));
    }
    Ok(externs)
}

fn import_function(store: &mut Store<Data>, ty: &FuncType, import: Linked) -> Func {
    Func::new(store, ty.clone(), move |mut store, params, results| {
        called(store.as_context_mut(), import, params, results)
    })
}

/// Calls an import as the guest does.
pub(super) fn called(
    mut store: StoreContextMut<'_, Data>,
    import: Linked,
    params: &[Value],
    results: &mut [Value],
) -> Result<(), Error> {
    let args = &mut store.data_mut().host.args;
    args.clear();
    args.extend(params.iter().map(Val::from));
    match imports::call(&mut Caller::of(lent_by_wasmi(store)), import) {
        Called::Ret(ret) if write(ret, results) => Ok(()),
        Called::Ret(_) => Err(Error::new(NO_LONG_RESULT)),
        Called::Exit(code) => Err(Error::i32_exit(code)),
        Called::Asks => Err(Error::host(Suspended)),
    }
}

pub(super) fn unknown_function(store: &mut Store<Data>, ty: &FuncType, module: &str, name: &str) -> Func {
    let message = unknown_import(module, name);
    Func::new(store, ty.clone(), move |_, _, _| Err(Error::new(message.clone())))
}
