//! Index spaces of a component: what its numbers stand for.

use alloc::vec::Vec;

use super::binary::Reader;
use super::layout::{CoreFunc, CorePlace, Item};
use super::types::{self, Sort, Type};
use crate::host::facts::Refusal;

/// What a name or a number of the recipe stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Definition<'w> {
    Function(Function<'w>),
    /// By its index among the instances that were made.
    Instance(usize),
    Component(&'w [u8], usize),
    Type,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Function<'w> {
    Imported {
        interface: &'w str,
        name: &'w str,
    },
    /// By its index among the functions that were lifted.
    Lifted(usize),
}

/// Index spaces of one component; those of core items belong to the outermost alone.
#[derive(Default)]
pub(super) struct Spaces<'w> {
    pub(super) functions: Vec<Function<'w>>,
    pub(super) instances: Vec<usize>,
    pub(super) components: Vec<(&'w [u8], usize)>,
    pub(super) types: Vec<Type>,
    pub(super) core_functions: Vec<CoreFunc<'w>>,
    pub(super) tables: Vec<CorePlace<'w>>,
    pub(super) memories: Vec<CorePlace<'w>>,
    pub(super) globals: Vec<CorePlace<'w>>,
}

/// Named definitions: what a component is given, and what it exports.
pub(super) type Named<'w> = Vec<(&'w str, Definition<'w>)>;

/// Why a component with others inside is not taken.
pub(super) const IS_COMPOSED: &str =
    "it is composed of components with code of their own: flatten it, or give each its own package";

pub(super) fn export<'w>(
    section: &mut Reader<'w>,
    spaces: &mut Spaces<'w>,
) -> Result<(&'w str, Definition<'w>), Refusal> {
    let name = section.extern_name()?;
    let mut copy = section.clone();
    let sort = types::sort(&mut copy)?;
    let definition = spaces.definition(section)?;
    match section.byte()? {
        0 => {}
        1 => {
            types::described(section)?;
        }
        _ => return Err(section.strange("neither a type nor none")),
    }
    // What is exported is known under a number of its own, too.
    spaces.define(sort, definition);
    Ok((name, definition))
}

impl<'w> Spaces<'w> {
    /// Reads a sort and a number, and finds what they stand for.
    pub(super) fn definition(&self, section: &mut Reader<'w>) -> Result<Definition<'w>, Refusal> {
        let sort = types::sort(section)?;
        let number = section.number()?;
        let definition = match sort {
            Sort::Function => self.functions.at(number).map(|function| Definition::Function(*function)),
            Sort::Instance => self.instances.at(number).map(|instance| Definition::Instance(*instance)),
            Sort::Component => self.components.at(number).map(|(bytes, offset)| Definition::Component(bytes, *offset)),
            Sort::Type => self.types.at(number).map(|_| Definition::Type),
            Sort::Core(_) => return Err(Refusal::Component(IS_COMPOSED)),
        };
        definition.ok_or_else(|| not_there(section))
    }

    /// Gives a definition the next number of its sort; false where it is of another one.
    pub(super) fn define(&mut self, sort: Sort, definition: Definition<'w>) -> bool {
        match (sort, definition) {
            (Sort::Function, Definition::Function(function)) => self.functions.push(function),
            (Sort::Instance, Definition::Instance(instance)) => self.instances.push(instance),
            (Sort::Component, Definition::Component(bytes, offset)) => self.components.push((bytes, offset)),
            (Sort::Type, Definition::Type) => self.types.push(Type::Other),
            _ => return false,
        }
        true
    }

    pub(super) fn core_item(&self, sort: u8, number: u32) -> Option<Item<'w>> {
        match sort {
            0 => self.core_functions.at(number).map(|function| Item::Function(*function)),
            1 => self.tables.at(number).map(|place| Item::Other(*place)),
            2 => self.memories.at(number).map(|place| Item::Other(*place)),
            3 => self.globals.at(number).map(|place| Item::Other(*place)),
            _ => None,
        }
    }
}

/// A list that numbers of the recipe lead into.
pub(super) trait Numbered<T> {
    fn at(&self, number: u32) -> Option<&T>;
}

impl<T> Numbered<T> for Vec<T> {
    fn at(&self, number: u32) -> Option<&T> {
        self.get(index(number))
    }
}

pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn not_there(section: &Reader<'_>) -> Refusal {
    section.strange("it names what is not there")
}
