//! Everybody who is known beside the owner, and what each may do.

use super::secret::SecretHash;
use super::{Known, Logins, Role, Tokens, Users};
use crate::config::ConfigError;
use crate::hal::Storage;
use crate::time::UnixMillis;

/// What somebody was let in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The owner's token.
    Owner,
    /// A token of the list.
    Token(SecretHash),
    /// A login, by its token or its cookie.
    Login(SecretHash),
}

/// Tokens, users and logins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Tokens beside the owner's.
    pub tokens: Tokens,
    /// People with a password.
    pub users: Users,
    /// Those of them who logged in.
    pub logins: Logins,
}

impl Accounts {
    /// Reads everybody.
    ///
    /// # Errors
    /// [`ConfigError`] when the list of tokens or of users is damaged: it is kept, and nobody but the owner gets in. Damaged
    /// logins are told, and everybody logs in again.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let logins = Logins::load(storage).unwrap_or_else(|error| {
            log::warn!("{error}; everybody has to log in again");
            Logins::default()
        });
        Ok(Self { tokens: Tokens::load(storage)?, users: Users::load(storage)?, logins })
    }

    /// Writes what is not as it was `before`.
    ///
    /// # Errors
    /// [`ConfigError`] when storage fails.
    pub fn save_changes(&self, before: &Self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        if self.tokens != before.tokens {
            self.tokens.save(storage)?;
        }
        if self.users != before.users {
            self.users.save(storage)?;
        }
        if self.logins != before.logins {
            self.logins.save(storage)?;
        }
        Ok(())
    }

    /// Finds what a token lets in by.
    #[must_use]
    pub fn of_token(&self, text: &str, now: UnixMillis) -> Option<Credential> {
        match self.tokens.look_up(text, now) {
            Known::Valid(token) => Some(Credential::Token(token.hash())),
            Known::Ended => None,
            Known::Unknown => self.logins.of_token(text, now).map(|login| Credential::Login(login.hash())),
        }
    }

    /// Returns what a credential allows now; `None` when it is good for nothing any more. `owner` is what the owner is called.
    #[must_use]
    pub fn role(&self, credential: &Credential, owner: &str, now: UnixMillis) -> Option<Role> {
        match credential {
            Credential::Owner => Some(Role::Admin),
            Credential::Token(hash) => match self.tokens.of_hash(hash, now) {
                Known::Valid(token) => Some(token.role),
                Known::Ended | Known::Unknown => None,
            },
            Credential::Login(hash) => {
                let login = self.logins.of_hash(hash, now)?;
                let user = self.users.of_name(&login.user).map(|user| user.role);
                // The owner logs in by the code, without a password.
                user.or((login.user == owner).then_some(Role::Admin)).map(|role| role.min(login.most))
            }
        }
    }

    /// Returns the name under which the bearer's own things are kept; `owner` is what the owner is called.
    #[must_use]
    pub fn name<'a>(&'a self, credential: &Credential, owner: &'a str, now: UnixMillis) -> Option<&'a str> {
        match credential {
            Credential::Owner => Some(owner),
            Credential::Token(hash) => match self.tokens.of_hash(hash, now) {
                Known::Valid(token) => Some(&token.name),
                Known::Ended | Known::Unknown => None,
            },
            Credential::Login(hash) => self.logins.of_hash(hash, now).map(|login| &*login.user),
        }
    }

    /// Returns when a credential ends, where it does.
    #[must_use]
    pub fn ends(&self, credential: &Credential, now: UnixMillis) -> Option<UnixMillis> {
        match credential {
            Credential::Owner => None,
            Credential::Token(hash) => match self.tokens.of_hash(hash, now) {
                Known::Valid(token) => token.ends,
                Known::Ended | Known::Unknown => None,
            },
            Credential::Login(hash) => self.logins.of_hash(hash, now).map(|login| login.ends),
        }
    }
}
