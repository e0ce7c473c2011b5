//! Hashes of passwords that cost nothing.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::rc::Rc;
use core::cell::RefCell;

use crate::hal::{PASSWORDS_WAITING_MAX, PasswordAnswer, PasswordTask, Passwords, PasswordsBusy};

#[derive(Debug, Default)]
struct State {
    tasks: VecDeque<(u64, PasswordTask)>,
    is_held: bool,
}

/// "Hashes" a password by putting `$sim$` before it; clones share their tasks. Never use it for a real password.
#[derive(Clone, Debug, Default)]
pub struct SimPasswords(Rc<RefCell<State>>);

impl SimPasswords {
    /// Builds a hasher that answers at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets tasks wait from now on, or no longer.
    pub fn hold(&self, hold: bool) {
        self.0.borrow_mut().is_held = hold;
    }
}

impl Passwords for SimPasswords {
    fn ask(&mut self, ticket: u64, task: PasswordTask) -> Result<(), PasswordsBusy> {
        let mut state = self.0.borrow_mut();
        // The one that is worked at is not among those that wait.
        if state.tasks.len() > PASSWORDS_WAITING_MAX {
            return Err(PasswordsBusy);
        }
        state.tasks.push_back((ticket, task));
        Ok(())
    }

    fn next(&mut self) -> Option<(u64, PasswordAnswer)> {
        let mut state = self.0.borrow_mut();
        if state.is_held {
            return None;
        }
        let (ticket, task) = state.tasks.pop_front()?;
        let of = |password: &str| format!("$sim${password}");
        let answer = match task {
            PasswordTask::Hash { password } => PasswordAnswer::Hash(of(&password)),
            PasswordTask::Check { hash, .. } if !hash.starts_with("$sim$") => {
                PasswordAnswer::Failed("not a kind of hash that is known".into())
            }
            PasswordTask::Check { password, hash } if of(&password) == hash => PasswordAnswer::Right,
            PasswordTask::Check { .. } => PasswordAnswer::Wrong,
        };
        Some((ticket, answer))
    }
}
