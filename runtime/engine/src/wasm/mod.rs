//! The binary format of modules: what a module declares, checked as it is read.

mod constant;
mod module;
mod reader;
mod sections;
mod types;

pub(crate) use constant::constant;
pub(crate) use module::{Elements, Global, Memory, Module, Table};
pub(crate) use reader::Reader;
pub(crate) use types::Types;
