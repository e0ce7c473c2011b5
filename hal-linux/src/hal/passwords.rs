//! Hashes of passwords, on a thread of their own that lives while there is something to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use skiff_runtime::hal::{PASSWORDS_WAITING_MAX, PasswordAnswer, PasswordTask, Passwords, PasswordsBusy};

use crate::wake::Waker;

/// Bytes of a salt; RFC 9106 §3.1 recommends 16.
const SALT_BYTES: usize = 16;
/// Memory of a hash that is checked, KiB: more was made by nobody, and would take the machine's.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
/// Passes over that memory.
const PASSES_MAX: u32 = 16;
/// Cost of a bcrypt hash: rounds double with each, and at 14 a small computer takes seconds.
const BCRYPT_COST_MAX: u32 = 14;
/// Stack of the thread, bytes; the memory of a hash is on the heap.
const STACK_BYTES: usize = 128 * 1024;

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, PasswordTask)>,
    done: VecDeque<(u64, PasswordAnswer)>,
    is_at_work: bool,
}

/// Argon2id for what is set, and bcrypt for what a Signal K folder has.
pub struct PasswordThread {
    state: Arc<Mutex<State>>,
    waker: Waker,
}

impl PasswordThread {
    /// Makes a hasher that wakes the gateway's thread when an answer is there.
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        Self { state: Arc::default(), waker }
    }
}

impl Passwords for PasswordThread {
    fn ask(&mut self, ticket: u64, task: PasswordTask) -> Result<(), PasswordsBusy> {
        let mut state = lock(&self.state);
        if state.waiting.len() >= PASSWORDS_WAITING_MAX {
            return Err(PasswordsBusy);
        }
        state.waiting.push_back((ticket, task));
        if state.is_at_work {
            return Ok(());
        }
        let (shared, waker) = (Arc::clone(&self.state), self.waker.clone());
        let thread = std::thread::Builder::new().name("passwords".into()).stack_size(STACK_BYTES);
        match thread.spawn(move || work(&shared, &waker)) {
            Ok(_) => {
                state.is_at_work = true;
                Ok(())
            }
            Err(error) => {
                log::warn!("no thread for passwords: {error}");
                state.waiting.pop_back();
                Err(PasswordsBusy)
            }
        }
    }

    fn next(&mut self) -> Option<(u64, PasswordAnswer)> {
        lock(&self.state).done.pop_front()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // What a panic left behind is whole: each change is one push or pop.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Works until nothing waits.
fn work(shared: &Mutex<State>, waker: &Waker) {
    loop {
        let next = {
            let mut state = lock(shared);
            let next = state.waiting.pop_front();
            state.is_at_work = next.is_some();
            next
        };
        let Some((ticket, task)) = next else { return };
        let answer = answer(task);
        lock(shared).done.push_back((ticket, answer));
        waker.wake();
    }
}

/// Does a task; takes as long as a hash takes.
fn answer(task: PasswordTask) -> PasswordAnswer {
    match task {
        PasswordTask::Hash { password } => match hash_password(&password) {
            Ok(hash) => PasswordAnswer::Hash(hash),
            Err(reason) => PasswordAnswer::Failed(reason),
        },
        PasswordTask::Check { password, hash } => match check_password(&password, &hash) {
            Ok(true) => PasswordAnswer::Right,
            Ok(false) => PasswordAnswer::Wrong,
            Err(reason) => PasswordAnswer::Failed(reason),
        },
    }
}

/// Makes the hash of a password: argon2id with 19 MiB and two passes (OWASP, "Password Storage Cheat Sheet").
///
/// # Errors
/// What failed: no randomness, no memory.
pub fn hash_password(password: &str) -> Result<String, String> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

/// Tells whether a password is the one of a hash.
fn check_password(password: &str, hash: &str) -> Result<bool, String> {
    if hash.starts_with("$2") {
        let cost = hash.split('$').nth(2).and_then(|cost| cost.parse().ok());
        if cost.is_none_or(|cost: u32| cost > BCRYPT_COST_MAX) {
            return Err(format!("bcrypt with a cost above {BCRYPT_COST_MAX}"));
        }
        return bcrypt::verify(password, hash).map_err(|error| error.to_string());
    }
    let parsed = PasswordHash::new(hash).map_err(|error| error.to_string())?;
    let params = Params::try_from(&parsed).map_err(|error| error.to_string())?;
    if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
        return Err(format!("argon2 with more than {MEMORY_KIB_MAX} KiB or {PASSES_MAX} passes"));
    }
    match Argon2::default().verify_password(password.as_bytes(), &parsed) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Waits for one answer.
    fn next(passwords: &mut PasswordThread, waker: &Waker) -> (u64, PasswordAnswer) {
        loop {
            if let Some(answer) = passwords.next() {
                return answer;
            }
            waker.wait(&[], Some(Duration::from_secs(60)));
        }
    }

    #[test]
    fn a_password_is_hashed_and_found_again() {
        let waker = Waker::new().unwrap();
        let mut passwords = PasswordThread::new(waker.clone());
        passwords.ask(7, PasswordTask::Hash { password: "half past two".into() }).unwrap();
        let (7, PasswordAnswer::Hash(hash)) = next(&mut passwords, &waker) else { panic!("a hash") };
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        for (password, expected) in [("half past two", PasswordAnswer::Right), ("half past", PasswordAnswer::Wrong)] {
            let task = PasswordTask::Check { password: password.into(), hash: hash.clone() };
            passwords.ask(8, task).unwrap();
            assert_eq!(next(&mut passwords, &waker), (8, expected));
        }
    }

    #[test]
    fn hashes_of_a_signal_k_folder_are_known() {
        let hash = bcrypt::hash_with_salt("secret", 4, [7; 16]).unwrap().to_string();
        assert_eq!((check_password("secret", &hash), check_password("Secret", &hash)), (Ok(true), Ok(false)));
    }

    #[test]
    fn a_hash_cannot_take_the_machine() {
        let salt_and_hash = "c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG";
        for costly in [
            format!("$argon2id$v=19$m=4194304,t=2,p=1${salt_and_hash}"),
            format!("$argon2id$v=19$m=19456,t=4000000,p=1${salt_and_hash}"),
            "$2b$31$abcdefghijklmnopqrstuuMyQ3ZQ1XWV9QOZxmnZ7cLrIf1iLJZbm".into(),
            "$2b$".into(),
            "$other$x".into(),
            "plain".into(),
        ] {
            assert!(check_password("x", &costly).is_err(), "{costly}");
        }
    }

    #[test]
    fn so_many_wait_and_no_more() {
        let mut passwords = PasswordThread::new(Waker::new().unwrap());
        // Nobody works on what waits.
        lock(&passwords.state).is_at_work = true;
        let task = || PasswordTask::Hash { password: "x".into() };
        for ticket in 0..PASSWORDS_WAITING_MAX as u64 {
            assert_eq!(passwords.ask(ticket, task()), Ok(()));
        }
        assert_eq!(passwords.ask(9, task()), Err(PasswordsBusy));
    }
}
