//! Resources of the host that a component holds: what each handle stands for.

use alloc::vec::Vec;

use crate::time::Instant;

/// Handles that one component holds at a time; more are a trap, as the canonical ABI has it.
const HANDLES_MAX: usize = 256;

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Handle {
    /// Standard input, which is at its end.
    Input,
    /// Standard output (0) or standard error (1): the log.
    Output(usize),
    /// Something to wait for: it is ready from this time on.
    Pollable(Instant),
}

/// The handles of a component, numbered from 1.
#[derive(Debug, Default)]
pub(in crate::host) struct Handles(Vec<Option<Handle>>);

impl Handles {
    /// Gives a number to a handle; `None` where the component holds too many.
    pub(in crate::host) fn add(&mut self, handle: Handle) -> Option<u32> {
        let free = self.0.iter().position(Option::is_none);
        let at = match free {
            Some(at) => at,
            None if self.0.len() < HANDLES_MAX => {
                self.0.push(None);
                self.0.len().checked_sub(1)?
            }
            None => return None,
        };
        *self.0.get_mut(at)? = Some(handle);
        u32::try_from(at).ok()?.checked_add(1)
    }

    /// Finds what a number stands for.
    pub(in crate::host) fn get(&self, number: u32) -> Option<Handle> {
        let at = usize::try_from(number.checked_sub(1)?).ok()?;
        self.0.get(at).copied().flatten()
    }

    /// Ends a handle; false where there is none with this number.
    pub(in crate::host) fn end(&mut self, number: u32) -> bool {
        let at = number.checked_sub(1).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.0.get_mut(at)?.take()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_end_at_the_limit() {
        let mut handles = Handles::default();
        for number in 1..=256 {
            assert_eq!(handles.add(Handle::Output(0)), Some(number));
        }
        assert_eq!(handles.add(Handle::Input), None);
        assert!(handles.end(7) && !handles.end(7) && !handles.end(0) && !handles.end(257));
        assert_eq!(handles.get(7), None);
        assert_eq!((handles.add(Handle::Input), handles.get(7)), (Some(7), Some(Handle::Input)));
    }
}
