//! The words of the function that is being translated, and the fuel of its blocks.

use alloc::vec::Vec;

use crate::op;
use crate::refusal::{RefusalKind, at_most};

/// Words that the list of words grows by.
const WORDS_AT_ONCE: usize = 128;
/// End of a chain of branches that wait for their target.
pub(super) const NO_BRANCH: u32 = u32::MAX;

/// Who says what the block costs that is being written.
#[derive(Clone, Copy, Debug)]
enum Charge {
    /// The head of the function, in 16 bits.
    Head,
    /// The branch before it, in 8 bits; at this place.
    Branch(usize),
    /// A word of its own at this place, in 24 bits.
    Word(usize),
    /// A word of its own, which is written with the first word of the block.
    Later,
}

impl Charge {
    const fn max(self) -> u32 {
        match self {
            Self::Head => u16::MAX as u32,
            Self::Branch(_) => u8::MAX as u32,
            Self::Word(_) | Self::Later => 0xff_ffff,
        }
    }
}

/// The last operator, where nothing has come between.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: usize,
    /// The register its result goes to.
    result: u8,
}

/// Code of one function.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) words: Vec<u32>,
    words_max: u32,
    last: Option<Last>,
    charge: Option<Charge>,
    cost: u32,
}

impl Code {
    /// Begins a function; its head is written by [`finish`](Self::finish).
    pub(super) fn begin(&mut self, words_max: u32) -> Result<(), RefusalKind> {
        self.words.clear();
        self.words_max = words_max;
        (self.last, self.charge, self.cost) = (None, Some(Charge::Head), 0);
        (0..op::FUNCTION_HEAD_WORDS).try_for_each(|_| self.push(0))
    }

    /// Whether what is written now can be reached; where not, nothing is written.
    pub(super) fn is_live(&self) -> bool {
        self.charge.is_some()
    }

    fn push(&mut self, word: u32) -> Result<(), RefusalKind> {
        at_most("words of a function", (self.words.len() as u32).saturating_add(1), self.words_max)?;
        if self.words.len() == self.words.capacity() {
            // Not twice the room: on a chip it is scarce.
            self.words.try_reserve_exact(WORDS_AT_ONCE).map_err(|_| RefusalKind::OutOfMemory)?;
        }
        self.words.push(word);
        Ok(())
    }

    /// Writes a word that follows an operator.
    pub(super) fn follow(&mut self, word: u32) -> Result<(), RefusalKind> {
        if self.is_live() { self.push(word) } else { Ok(()) }
    }

    /// Writes an operator without a result; returns its place.
    pub(super) fn emit(&mut self, word: u32) -> Result<usize, RefusalKind> {
        self.last = None;
        match self.charge {
            None => return Ok(0),
            // What costs nothing goes before it.
            Some(Charge::Later) if self.cost > 0 => {
                self.charge = Some(Charge::Word(self.words.len()));
                self.push(op::CHARGE.into())?;
            }
            Some(_) => {}
        }
        let at = self.words.len();
        self.push(word)?;
        Ok(at)
    }

    /// Writes an operator whose result goes to register `a` of it.
    pub(super) fn emit_result(&mut self, word: u32) -> Result<(), RefusalKind> {
        let at = self.emit(word)?;
        let [_, result, ..] = word.to_le_bytes();
        self.last = self.is_live().then_some(Last { at, result });
        Ok(())
    }

    /// Lets the last operator put its result elsewhere, where it was meant for this register; false when it was not.
    pub(super) fn redirect(&mut self, from: u8, to: u8) -> bool {
        let Some(last) = self.last.filter(|last| last.result == from) else { return false };
        let Some(word) = self.words.get_mut(last.at) else { return false };
        *word = *word & !0xff00 | u32::from(to) << 8;
        // Not again: what reads it now is a local.
        self.last = None;
        true
    }

    /// Takes the last operator away, where it is one word, its result was meant for this register and `fits` says so.
    pub(super) fn take<T>(&mut self, result: u8, fits: impl FnOnce([u8; 4]) -> Option<T>) -> Option<T> {
        let last = self.last.filter(|last| last.result == result && last.at.wrapping_add(1) == self.words.len())?;
        let taken = fits(self.words.get(last.at)?.to_le_bytes())?;
        self.words.truncate(last.at);
        self.last = None;
        Some(taken)
    }

    /// The last result is used with another width: it stays where it is.
    pub(super) fn pin(&mut self) {
        self.last = None;
    }

    /// The block takes so much more fuel.
    pub(super) fn cost(&mut self, fuel: u32) -> Result<(), RefusalKind> {
        let Some(charge) = self.charge else { return Ok(()) };
        if self.cost.saturating_add(fuel) > charge.max() {
            self.settle()?;
            self.charge = Some(Charge::Later);
        }
        self.cost = self.cost.saturating_add(fuel);
        Ok(())
    }

    /// The block ends: what it costs is written down.
    fn settle(&mut self) -> Result<(), RefusalKind> {
        let (at, shift) = match self.charge {
            None => return Ok(()),
            Some(Charge::Head) => (2, 0),
            Some(Charge::Branch(at)) => (at, 24),
            Some(Charge::Word(at)) => (at, 8),
            Some(Charge::Later) if self.cost == 0 => return Ok(()),
            Some(Charge::Later) => {
                self.push(op::CHARGE.into())?;
                (self.words.len().wrapping_sub(1), 8)
            }
        };
        if let Some(word) = self.words.get_mut(at) {
            *word |= self.cost << shift;
        }
        self.cost = 0;
        Ok(())
    }

    /// What follows is reached from elsewhere too, or from there alone; returns its place.
    pub(super) fn label(&mut self) -> Result<u32, RefusalKind> {
        self.settle()?;
        self.last = None;
        self.charge = Some(Charge::Later);
        Ok(self.words.len() as u32)
    }

    /// What follows cannot be reached.
    pub(super) fn die(&mut self) -> Result<(), RefusalKind> {
        self.settle()?;
        self.last = None;
        self.charge = None;
        Ok(())
    }

    /// Writes a conditional branch; what it costs not to take it is written when that is known.
    pub(super) fn branch_if(&mut self, word: u32, target: Target<'_>) -> Result<(), RefusalKind> {
        let at = self.emit(word)?;
        self.distance(target)?;
        if self.is_live() {
            self.settle()?;
            self.charge = Some(Charge::Branch(at));
        }
        Ok(())
    }

    /// Writes a branch; what follows cannot be reached.
    pub(super) fn branch(&mut self, target: Target<'_>) -> Result<(), RefusalKind> {
        self.emit(op::BRANCH.into())?;
        self.distance(target)?;
        self.die()
    }

    /// Writes the distance to a target, or a link of the chain of those that wait for it.
    pub(super) fn distance(&mut self, target: Target<'_>) -> Result<(), RefusalKind> {
        if !self.is_live() {
            return Ok(());
        }
        let at = self.words.len() as u32;
        match target {
            Target::Back(to) => self.push(to.wrapping_sub(at)),
            Target::Ahead(chain) => {
                let before = core::mem::replace(chain, at);
                self.push(before)
            }
        }
    }

    /// Gives branches that waited their distance to this place.
    pub(super) fn resolve(&mut self, mut chain: u32, to: u32) {
        while let Some(word) = self.words.get_mut(chain as usize) {
            let next = core::mem::replace(word, to.wrapping_sub(chain));
            chain = next;
        }
    }

    /// Ends the function: writes its head.
    pub(super) fn finish(&mut self, head: [u32; op::FUNCTION_HEAD_WORDS]) -> Result<(), RefusalKind> {
        self.die()?;
        for (word, head) in self.words.iter_mut().zip(head) {
            *word |= head;
        }
        Ok(())
    }
}

/// Where a branch goes.
#[derive(Debug)]
pub(super) enum Target<'t> {
    /// To a place that was written.
    Back(u32),
    /// To one that will be; branches that wait for it are a chain through their words.
    Ahead(&'t mut u32),
}
