//! Errands that a test answers.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;

use crate::hal::{ERRANDS_WAITING_MAX, Errand, ErrandDone, ErrandFailed, Errands, ErrandsBusy};

#[derive(Debug, Default)]
struct State {
    asked: VecDeque<(u64, Errand)>,
    done: VecDeque<(u64, Result<ErrandDone, ErrandFailed>)>,
}

/// Keeps errands until somebody answers them; clones share them.
#[derive(Clone, Debug, Default)]
pub struct SimErrands(Rc<RefCell<State>>);

impl SimErrands {
    /// Builds a runner that has nothing to do.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the errand that has waited longest.
    #[must_use]
    pub fn asked(&self) -> Option<(u64, Errand)> {
        self.0.borrow_mut().asked.pop_front()
    }

    /// Says what came of one.
    pub fn answer(&self, ticket: u64, done: Result<ErrandDone, ErrandFailed>) {
        self.0.borrow_mut().done.push_back((ticket, done));
    }
}

impl Errands for SimErrands {
    fn ask(&mut self, ticket: u64, errand: Errand) -> Result<(), ErrandsBusy> {
        let mut state = self.0.borrow_mut();
        if state.asked.len() >= ERRANDS_WAITING_MAX {
            return Err(ErrandsBusy);
        }
        state.asked.push_back((ticket, errand));
        Ok(())
    }

    fn next(&mut self) -> Option<(u64, Result<ErrandDone, ErrandFailed>)> {
        self.0.borrow_mut().done.pop_front()
    }
}
