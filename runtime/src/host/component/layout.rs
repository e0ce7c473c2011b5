//! The recipe of a component, read in one pass: index spaces in, places out.

use alloc::vec::Vec;

use super::binary::{Entries, Reader};
use super::spaces::{Definition, Function, IS_COMPOSED, Named, Numbered, Spaces, export, index, not_there};
use super::types::{self, IS_ASYNC, Sort, Type, Value, too_deep};
use super::{CANONICAL_MAX, CORE_INSTANCES_MAX, GATHERED_MAX, MODULES_MAX, NESTING_MAX};
use crate::host::facts::{Refusal, at_most};

/// An export of a core instance that is made of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) struct CorePlace<'w> {
    pub(in crate::host) instance: usize,
    pub(in crate::host) name: &'w str,
}

/// A core function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum CoreFunc<'w> {
    Export(CorePlace<'w>),
    /// Stands for an import, by its index among [`Layout::lowered`].
    Lowered(usize),
    /// Ends a handle.
    Drop,
}

/// What a core instance gives to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Item<'w> {
    Function(CoreFunc<'w>),
    /// A table, memory or global.
    Other(CorePlace<'w>),
}

/// Exports that are gathered under names of their own.
pub(in crate::host) type Gathered<'w> = Vec<(&'w str, Item<'w>)>;

/// A core instance.
#[derive(Clone, Debug)]
pub(in crate::host) enum CoreInstance<'w> {
    /// Of a module, whose imports are found in earlier instances by the name of their module.
    Made {
        module: usize,
        with: Vec<(&'w str, usize)>,
    },
    Gathered(Gathered<'w>),
}

/// An import as a core function.
#[derive(Clone, Copy, Debug)]
pub(in crate::host) struct Lowered<'w> {
    /// Its interface, such as `wasi:cli/environment@0.2.6`; empty for a function of the world.
    pub(in crate::host) interface: &'w str,
    pub(in crate::host) name: &'w str,
    pub(in crate::host) realloc: Option<CoreFunc<'w>>,
}

/// A core function as an export.
#[derive(Clone, Debug)]
pub(in crate::host) struct Lift<'w> {
    pub(in crate::host) function: CoreFunc<'w>,
    pub(in crate::host) realloc: Option<CoreFunc<'w>>,
    pub(in crate::host) post_return: Option<CoreFunc<'w>>,
    /// It takes so many texts and nothing else; `None` for other parameters.
    pub(in crate::host) texts: Option<usize>,
    /// It gives a text, a number, or nothing; `None` for another result.
    pub(in crate::host) gives: Option<Gives>,
}

/// What an export gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Gives {
    Nothing,
    Number,
    Text,
}

/// The recipe.
#[derive(Debug, Default)]
pub(in crate::host) struct Layout<'w> {
    pub(in crate::host) modules: Vec<&'w [u8]>,
    pub(in crate::host) instances: Vec<CoreInstance<'w>>,
    pub(in crate::host) lowered: Vec<Lowered<'w>>,
    /// Exported functions: interface, name, and what is behind them.
    pub(in crate::host) exports: Vec<(&'w str, &'w str, Lift<'w>)>,
    /// Names of everything that is exported.
    pub(in crate::host) exported: Vec<&'w str>,
    /// The linear memory that texts lie in.
    pub(in crate::host) memory: Option<CorePlace<'w>>,
}

impl<'w> Layout<'w> {
    /// Reads a component.
    ///
    /// # Errors
    /// [`Refusal`] for damage, for what is beyond a limit of [`super`], and for what this host does not understand.
    pub(in crate::host) fn read(component: &'w [u8]) -> Result<Self, Refusal> {
        let mut reading =
            Reading { layout: Self::default(), lifts: Vec::new(), made: Vec::new(), entries: Entries::new() };
        let exports = reading.component(component, 0, None, 0)?;
        let Reading { mut layout, lifts, made, mut entries } = reading;
        for (interface, definition) in exports {
            layout.exported.push(interface);
            let functions = match definition {
                Definition::Instance(instance) => made.get(instance),
                _ => None,
            };
            let Some(Instance::Of(functions)) = functions else { continue };
            for (name, definition) in functions {
                // An instance can be exported again and again: its functions count each time.
                entries.take(1)?;
                if let Definition::Function(Function::Lifted(lift)) = *definition
                    && let Some(lift) = lifts.get(lift)
                {
                    layout.exports.push((interface, name, lift.clone()));
                }
            }
        }
        Ok(layout)
    }
}

#[derive(Debug)]
enum Instance<'w> {
    Imported(&'w str),
    Of(Vec<(&'w str, Definition<'w>)>),
}

/// A recipe that is being read.
struct Reading<'w> {
    layout: Layout<'w>,
    lifts: Vec<Lift<'w>>,
    made: Vec<Instance<'w>>,
    entries: Entries,
}

impl<'w> Reading<'w> {
    /// Reads one component; one within another is `given` its imports.
    fn component(
        &mut self,
        bytes: &'w [u8],
        offset: usize,
        given: Option<&Named<'w>>,
        depth: u8,
    ) -> Result<Named<'w>, Refusal> {
        if depth >= NESTING_MAX {
            return Err(too_deep());
        }
        let mut sections = Reader::of_component(bytes, offset)?;
        let mut spaces = Spaces::default();
        let mut exports = Vec::new();
        while !sections.is_at_end() {
            self.entries.take(1)?;
            let (id, mut section) = sections.section()?;
            let is_within = given.is_some();
            match id {
                // Custom sections, core types: nothing here is made of them.
                0 | 3 => continue,
                1 | 2 | 8 if is_within => return Err(Refusal::Component(IS_COMPOSED)),
                1 => {
                    at_most("core modules", self.layout.modules.len().saturating_add(1) as u64, MODULES_MAX as u64)?;
                    self.layout.modules.push(section.rest()?);
                }
                4 => {
                    let offset = section.offset();
                    spaces.components.push((section.rest()?, offset));
                }
                9 => return Err(Refusal::Component("it has a start function of its own")),
                2 | 5..=8 | 10 | 11 => {
                    for _ in 0..section.count(&mut self.entries)? {
                        match id {
                            2 => self.core_instance(&mut section, &mut spaces)?,
                            5 => self.instance(&mut section, &mut spaces, depth)?,
                            6 => self.alias(&mut section, &mut spaces, is_within)?,
                            7 => {
                                let ty = types::read(&mut section, &mut self.entries, &spaces.types)?;
                                spaces.types.push(ty);
                            }
                            8 => self.canonical(&mut section, &mut spaces)?,
                            10 => self.import(&mut section, &mut spaces, given)?,
                            _ => {
                                let (name, definition) = export(&mut section, &mut spaces)?;
                                exports.push((name, definition));
                            }
                        }
                    }
                }
                _ => return Err(section.strange("a section of a kind that is not known")),
            }
            section.end()?;
        }
        Ok(exports)
    }

    fn add(&mut self, instance: Instance<'w>, spaces: &mut Spaces<'w>) {
        spaces.instances.push(self.made.len());
        self.made.push(instance);
    }

    fn import(
        &mut self,
        section: &mut Reader<'w>,
        spaces: &mut Spaces<'w>,
        given: Option<&Named<'w>>,
    ) -> Result<(), Refusal> {
        let name = section.extern_name()?;
        let sort = types::described(section)?;
        if let Some(given) = given {
            let definition = given.iter().find(|(other, _)| *other == name).map(|(_, definition)| *definition);
            return match definition {
                Some(definition) if spaces.define(sort, definition) => Ok(()),
                _ => Err(section.strange("an import that is not given")),
            };
        }
        match sort {
            Sort::Instance => self.add(Instance::Imported(name), spaces),
            Sort::Function => spaces.functions.push(Function::Imported { interface: "", name }),
            Sort::Type => spaces.types.push(Type::Other),
            Sort::Component | Sort::Core(_) => {
                return Err(Refusal::Component("it imports a module or a component, which no host gives"));
            }
        }
        Ok(())
    }

    fn instance(&mut self, section: &mut Reader<'w>, spaces: &mut Spaces<'w>, depth: u8) -> Result<(), Refusal> {
        let kind = section.byte()?;
        let of = match kind {
            0 => Some(section.number()?),
            1 => None,
            _ => return Err(section.strange("an instance of a kind that is not known")),
        };
        let mut named = Vec::new();
        for _ in 0..section.count(&mut self.entries)? {
            let name = if of.is_some() { section.name()? } else { section.extern_name()? };
            named.push((name, spaces.definition(section)?));
        }
        if let Some(component) = of {
            let (bytes, offset) = *spaces.components.at(component).ok_or_else(|| not_there(section))?;
            named = self.component(bytes, offset, Some(&named), depth.saturating_add(1))?;
        }
        self.add(Instance::Of(named), spaces);
        Ok(())
    }

    fn core_instance(&mut self, section: &mut Reader<'w>, spaces: &mut Spaces<'w>) -> Result<(), Refusal> {
        let count = self.layout.instances.len();
        at_most("core instances", count.saturating_add(1) as u64, CORE_INSTANCES_MAX as u64)?;
        let instance = match section.byte()? {
            0 => {
                let module = index(section.number()?);
                if module >= self.layout.modules.len() {
                    return Err(not_there(section));
                }
                let again = |made: &CoreInstance<'_>| matches!(made, CoreInstance::Made { module: other, .. } if *other == module);
                if self.layout.instances.iter().any(again) {
                    return Err(Refusal::Component("it makes two instances of one core module"));
                }
                let mut with = Vec::new();
                for _ in 0..section.count(&mut self.entries)? {
                    let name = section.name()?;
                    let (sort, instance) = (section.byte()?, index(section.number()?));
                    if sort != CORE_INSTANCE || instance >= count {
                        return Err(not_there(section));
                    }
                    with.push((name, instance));
                }
                at_most("arguments of a core instance", with.len() as u64, CORE_INSTANCES_MAX as u64)?;
                CoreInstance::Made { module, with }
            }
            1 => {
                let mut items = Vec::new();
                for _ in 0..section.count(&mut self.entries)? {
                    let name = section.name()?;
                    let sort = section.byte()?;
                    let item = spaces.core_item(sort, section.number()?).ok_or_else(|| not_there(section))?;
                    items.push((name, item));
                }
                at_most("items of a core instance", items.len() as u64, GATHERED_MAX as u64)?;
                CoreInstance::Gathered(items)
            }
            _ => return Err(section.strange("a core instance of a kind that is not known")),
        };
        self.layout.instances.push(instance);
        Ok(())
    }

    fn alias(&mut self, section: &mut Reader<'w>, spaces: &mut Spaces<'w>, is_within: bool) -> Result<(), Refusal> {
        let sort = types::sort(section)?;
        match section.byte()? {
            0 => {
                let instance = *spaces.instances.at(section.number()?).ok_or_else(|| not_there(section))?;
                let name = section.name()?;
                let definition = match self.made.get(instance) {
                    Some(Instance::Imported(interface)) => match sort {
                        Sort::Function => Some(Definition::Function(Function::Imported { interface, name })),
                        Sort::Type => Some(Definition::Type),
                        _ => None,
                    },
                    Some(Instance::Of(exports)) => {
                        exports.iter().find(|(other, _)| *other == name).map(|(_, definition)| *definition)
                    }
                    None => None,
                };
                match definition {
                    Some(definition) if spaces.define(sort, definition) => Ok(()),
                    _ => Err(not_there(section)),
                }
            }
            1 => {
                let instance = index(section.number()?);
                let name = section.name()?;
                let Sort::Core(sort) = sort else { return Err(not_there(section)) };
                let item = match self.layout.instances.get(instance).filter(|_| !is_within) {
                    Some(CoreInstance::Made { .. }) => {
                        let place = CorePlace { instance, name };
                        Some(if sort == 0 { Item::Function(CoreFunc::Export(place)) } else { Item::Other(place) })
                    }
                    Some(CoreInstance::Gathered(items)) => {
                        items.iter().find(|(other, _)| *other == name).map(|(_, item)| *item)
                    }
                    None => None,
                };
                match (sort, item) {
                    (0, Some(Item::Function(function))) => spaces.core_functions.push(function),
                    (1, Some(Item::Other(place))) => spaces.tables.push(place),
                    (2, Some(Item::Other(place))) => spaces.memories.push(place),
                    (3, Some(Item::Other(place))) => spaces.globals.push(place),
                    _ => return Err(not_there(section)),
                }
                Ok(())
            }
            // Of what lies around a component only types are of use to it.
            2 if sort == Sort::Type => {
                section.number()?;
                section.number()?;
                spaces.types.push(Type::Other);
                Ok(())
            }
            2 => Err(Refusal::Component(IS_COMPOSED)),
            _ => Err(section.strange("an alias of a kind that is not known")),
        }
    }

    fn canonical(&mut self, section: &mut Reader<'w>, spaces: &mut Spaces<'w>) -> Result<(), Refusal> {
        match section.byte()? {
            0 if section.byte()? == 0 => {
                let function = *spaces.core_functions.at(section.number()?).ok_or_else(|| not_there(section))?;
                let options = self.options(section, spaces)?;
                let ty = spaces.types.at(section.number()?);
                let Some(Type::Function(parameters, result)) = ty else { return Err(not_there(section)) };
                let texts = parameters.iter().all(|value| *value == Value::Text).then_some(parameters.len());
                let gives = match result {
                    None => Some(Gives::Nothing),
                    Some(Value::S32) => Some(Gives::Number),
                    Some(Value::Text) => Some(Gives::Text),
                    Some(Value::Other) => None,
                };
                at_most("exported functions", self.lifts.len().saturating_add(1) as u64, CANONICAL_MAX as u64)?;
                spaces.functions.push(Function::Lifted(self.lifts.len()));
                let Options { realloc, post_return } = options;
                self.lifts.push(Lift { function, realloc, post_return, texts, gives });
                Ok(())
            }
            1 if section.byte()? == 0 => {
                let function = *spaces.functions.at(section.number()?).ok_or_else(|| not_there(section))?;
                let Options { realloc, .. } = self.options(section, spaces)?;
                let Function::Imported { interface, name } = function else {
                    return Err(Refusal::Component("it imports what it exports"));
                };
                let lowered = &mut self.layout.lowered;
                at_most("imported functions", lowered.len().saturating_add(1) as u64, CANONICAL_MAX as u64)?;
                spaces.core_functions.push(CoreFunc::Lowered(lowered.len()));
                lowered.push(Lowered { interface, name, realloc });
                Ok(())
            }
            3 => {
                section.number()?;
                spaces.core_functions.push(CoreFunc::Drop);
                Ok(())
            }
            2 | 4 => Err(Refusal::Component("it makes resources of its own, and only those of the host can be used")),
            _ => Err(Refusal::Component(IS_ASYNC)),
        }
    }

    fn options(&mut self, section: &mut Reader<'w>, spaces: &Spaces<'w>) -> Result<Options<'w>, Refusal> {
        let mut options = Options::default();
        for _ in 0..section.count(&mut self.entries)? {
            match section.byte()? {
                0 => {}
                1 | 2 => return Err(Refusal::Component("its texts are UTF-16: build it with UTF-8 texts")),
                3 => {
                    let place = *spaces.memories.at(section.number()?).ok_or_else(|| not_there(section))?;
                    if self.layout.memory.replace(place).is_some_and(|before| before != place) {
                        return Err(Refusal::Component("it has more than one linear memory"));
                    }
                }
                kind @ (4 | 5) => {
                    let function = *spaces.core_functions.at(section.number()?).ok_or_else(|| not_there(section))?;
                    if !matches!(function, CoreFunc::Export(_)) {
                        return Err(Refusal::Component("an import of its own is to allocate"));
                    }
                    *(if kind == 4 { &mut options.realloc } else { &mut options.post_return }) = Some(function);
                }
                6 | 7 => return Err(Refusal::Component(IS_ASYNC)),
                _ => return Err(section.strange("an option that is not known")),
            }
        }
        Ok(options)
    }
}

/// Options of a function of the canonical ABI that are not the same for all.
#[derive(Default)]
struct Options<'w> {
    realloc: Option<CoreFunc<'w>>,
    post_return: Option<CoreFunc<'w>>,
}

/// The sort of a core instance among core items.
const CORE_INSTANCE: u8 = 0x12;
