//! People with a password, and what each may do.
//!
//! A Signal K folder has its users in `security.json`, which is only read. What changes stands in a file of that name below
//! `skiff/`, which wins name by name: a user who was removed stays removed.

use alloc::string::String;
use alloc::vec::Vec;

use super::Role;
use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::Storage;
use crate::json::{self, JsonError};

/// Key of the file that is written.
pub const USERS_FILE: &str = "skiff/security.json";
/// Key of the file of a Signal K folder.
pub const FOUND_USERS_FILE: &str = "security.json";
/// Users, those that were removed counted.
pub const USERS_MAX: usize = 32;
/// Bytes of a user's name.
pub const USER_NAME_BYTES_MAX: usize = 64;
/// Bytes of a password that is set; shorter ones are guessed.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Bytes of a password; longer ones are refused unread.
pub const PASSWORD_BYTES_MAX: usize = 128;
/// Bytes of a hash as text.
const HASH_BYTES_MAX: usize = 256;

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Name to log in with.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Hash of the password: `$argon2id$…`, or `$2b$…` where the Signal K folder had it.
    pub hash: String,
    /// As the Signal K folder has it.
    found: bool,
}

impl core::fmt::Debug for User {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Why a user is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserError {
    /// The name is empty, too long, or has control characters.
    Name,
    /// The password is shorter than [`PASSWORD_BYTES_MIN`] or longer than [`PASSWORD_BYTES_MAX`].
    Password,
    /// There are [`USERS_MAX`] already.
    NoRoom,
}

impl core::fmt::Display for UserError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Name => write!(f, "a user's name has 1 to {USER_NAME_BYTES_MAX} bytes and no control characters"),
            Self::Password => write!(f, "a password has {PASSWORD_BYTES_MIN} to {PASSWORD_BYTES_MAX} bytes"),
            Self::NoRoom => write!(f, "there are {USERS_MAX} users already; remove one"),
        }
    }
}

impl core::error::Error for UserError {}

/// Checks a name for a new user.
///
/// # Errors
/// [`UserError::Name`].
pub fn check_name(name: &str) -> Result<(), UserError> {
    let fits = (1..=USER_NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(UserError::Name) }
}

/// Checks a password that is set.
///
/// # Errors
/// [`UserError::Password`].
pub fn check_password(password: &str) -> Result<(), UserError> {
    let fits = (PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&password.len());
    if fits { Ok(()) } else { Err(UserError::Password) }
}

/// The users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    rows: Vec<User>,
    /// Names of the Signal K folder that were removed.
    removed: Vec<String>,
    /// Names that the Signal K folder has: one of them comes back unless it is kept as removed.
    in_folder: Vec<String>,
}

impl Users {
    /// Reads the users.
    ///
    /// # Errors
    /// [`ConfigError`] when the own file is damaged: it is kept, and nobody gets in by it. A damaged file of a Signal K
    /// folder is told and left alone.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let mut users = Self::default();
        if let Some(text) = read_object(storage, USERS_FILE, FILE_BYTES_MAX)? {
            let what = "users must be a list of at most 32 users with username, type and password, or removed";
            users.read_own(&text).map_err(|_| ConfigError::new(USERS_FILE, ConfigReason::Member(what)))?;
        }
        match read_object(storage, FOUND_USERS_FILE, FILE_BYTES_MAX) {
            Ok(Some(text)) => users.add_found(&text),
            Ok(None) => {}
            Err(error) => log::warn!("{error}; its users cannot log in"),
        }
        Ok(users)
    }

    fn read_own(&mut self, text: &str) -> Result<(), JsonError> {
        json::items::<JsonError>(json::member(text, "users").unwrap_or("null"), |row| {
            if self.is_full() {
                return Err(JsonError::WrongKind);
            }
            if json::member(row, "removed") == Some("true") {
                let name = json::member(row, "username").and_then(json::string).ok_or(JsonError::WrongKind)?;
                self.removed.push(name.into_owned());
            } else {
                self.rows.push(read_user(row, false).ok_or(JsonError::WrongKind)?);
            }
            Ok(())
        })
    }

    /// Adds the users of a Signal K folder that are not known better.
    fn add_found(&mut self, text: &str) {
        let Some(list) = json::member(text, "users").filter(|list| *list != "null") else { return };
        let mut left_out = 0_usize;
        let read = json::items::<JsonError>(list, |row| {
            let user = read_user(row, true);
            // As many as a file of its size has.
            self.in_folder.extend(user.iter().map(|user| user.name.clone()));
            match user {
                Some(user) if self.of_name(&user.name).is_some() || self.removed.contains(&user.name) => {}
                Some(user) if !self.is_full() => self.rows.push(user),
                _ => left_out = left_out.saturating_add(1),
            }
            Ok(())
        });
        if read.is_err() || left_out > 0 {
            log::warn!("{FOUND_USERS_FILE}: {left_out} users cannot be used; `skiff user add` makes new ones");
        }
    }

    /// Writes the own file.
    ///
    /// # Errors
    /// [`ConfigError`] when storage fails; what was written before stays.
    pub fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|out| {
            out.list("users", |list| {
                for user in self.rows.iter().filter(|user| !user.found) {
                    list.object(|row| {
                        row.text("username", &user.name).text("type", user.role.name()).text("password", &user.hash);
                    });
                }
                for name in &self.removed {
                    list.object(|row| {
                        row.text("username", name).boolean("removed", true);
                    });
                }
            });
        });
        write_object(storage, USERS_FILE, &text)
    }

    /// Returns the users, in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.rows.iter()
    }

    /// Returns the user of a name.
    #[must_use]
    pub fn of_name(&self, name: &str) -> Option<&User> {
        self.rows.iter().find(|user| user.name == name)
    }

    /// Tells whether there is no room for one more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows.len().saturating_add(self.removed.len()) >= USERS_MAX
    }

    /// Adds a user with the hash of a password, or changes the one of this name.
    ///
    /// # Errors
    /// [`UserError`] for a name that is none, and when there is no room.
    pub fn set(&mut self, name: &str, role: Role, hash: &str) -> Result<(), UserError> {
        check_name(name)?;
        self.removed.retain(|removed| removed != name);
        let user = User { name: name.into(), role, hash: hash.into(), found: false };
        let has_room = !self.is_full();
        match self.rows.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = user,
            None if has_room => self.rows.push(user),
            None => return Err(UserError::NoRoom),
        }
        Ok(())
    }

    /// Gives a user another role; false when there is none of this name.
    pub fn set_role(&mut self, name: &str, role: Role) -> bool {
        let Some(user) = self.rows.iter_mut().find(|user| user.name == name) else { return false };
        user.role = role;
        user.found = false;
        true
    }

    /// Removes a user; false when there is none of this name.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.rows.len();
        self.rows.retain(|user| user.name != name);
        let is_known = self.rows.len() < before;
        if is_known && self.in_folder.iter().any(|known| known == name) {
            self.removed.push(name.into());
        }
        is_known
    }
}

fn read_user(row: &str, found: bool) -> Option<User> {
    let text = |name: &str| json::member(row, name).and_then(json::string);
    let name = text("username").filter(|name| check_name(name).is_ok())?;
    let hash = text("password").filter(|hash| hash.starts_with('$') && hash.len() <= HASH_BYTES_MAX)?;
    Some(User { name: name.into_owned(), role: Role::from_name(&text("type")?)?, hash: hash.into_owned(), found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Files;
    use std::format;
    use std::string::ToString;

    /// As Signal K Server writes it.
    const FOUND: &str = r#"{"allow_readonly":true,"secretKey":"x","users":[
        {"username":"skipper","type":"admin","password":"$2b$10$abc"},{"username":"crew","type":"readonly","password":"$2a$10$def"},
        {"username":"odd","type":"captain","password":"$2a$10$def"}],"devices":[]}"#;

    fn names(users: &Users) -> Vec<(&str, Role)> {
        users.iter().map(|user| (&*user.name, user.role)).collect()
    }

    #[test]
    fn those_of_a_signal_k_folder_are_known() {
        let mut files = Files::with(FOUND_USERS_FILE, FOUND);
        let mut users = Users::load(&mut files).unwrap();
        assert_eq!(names(&users), [("skipper", Role::Admin), ("crew", Role::ReadOnly)]);
        assert!(users.set_role("crew", Role::ReadWrite) && users.remove("skipper"));
        users.set("new", Role::ReadOnly, "$argon2id$x").unwrap();
        users.save(&mut files).unwrap();
        let again = Users::load(&mut files).unwrap();
        assert_eq!(names(&again), [("crew", Role::ReadWrite), ("new", Role::ReadOnly)], "the own file wins");
        assert_eq!(again.of_name("crew").unwrap().hash, "$2a$10$def");
        assert_eq!(files.text(FOUND_USERS_FILE), FOUND, "theirs stays");
    }

    #[test]
    fn one_who_was_changed_and_removed_does_not_come_back_as_the_folder_has_it() {
        let mut files = Files::with(FOUND_USERS_FILE, FOUND);
        let mut users = Users::load(&mut files).unwrap();
        assert!(users.set_role("skipper", Role::ReadOnly));
        users.save(&mut files).unwrap();
        let mut users = Users::load(&mut files).unwrap();
        assert!(users.remove("skipper"));
        users.save(&mut files).unwrap();
        assert_eq!(names(&Users::load(&mut files).unwrap()), [("crew", Role::ReadOnly)]);
    }

    #[test]
    fn one_who_comes_back_is_no_longer_removed() {
        let mut files = Files::with(FOUND_USERS_FILE, FOUND);
        let mut users = Users::load(&mut files).unwrap();
        assert!(users.remove("crew") && !users.remove("crew"));
        users.set("crew", Role::Admin, "$argon2id$y").unwrap();
        users.save(&mut files).unwrap();
        assert_eq!(Users::load(&mut files).unwrap().of_name("crew").unwrap().hash, "$argon2id$y");
    }

    #[test]
    fn there_is_room_for_so_many() {
        let mut users = Users::default();
        for index in 0..USERS_MAX {
            users.set(&format!("u{index}"), Role::ReadOnly, "$h").unwrap();
        }
        assert_eq!(users.set("more", Role::ReadOnly, "$h"), Err(UserError::NoRoom));
        assert_eq!(users.set("u3", Role::Admin, "$h"), Ok(()), "no more than before");
        let mut files = Files::default();
        users.save(&mut files).unwrap();
        assert_eq!(Users::load(&mut files).unwrap(), users);
    }

    #[test]
    fn names_and_passwords_have_bounds() {
        for wrong in ["", "a\nb", &"a".repeat(65)] {
            assert_eq!(check_name(wrong), Err(UserError::Name));
            assert_eq!(Users::default().set(wrong, Role::Admin, "$h"), Err(UserError::Name));
        }
        assert_eq!(check_name("Jörg ⛵"), Ok(()));
        assert_eq!(
            [7, 8, 128, 129].map(|count| check_password(&"x".repeat(count)).is_ok()),
            [false, true, true, false]
        );
    }

    #[test]
    fn a_damaged_file_of_ours_is_told_and_theirs_is_left_alone() {
        for text in ["{}", r#"{"users":7}"#, r#"{"users":[{"username":"x"}]}"#, "["] {
            let mut files = Files::with(USERS_FILE, text);
            assert!(Users::load(&mut files).unwrap_err().to_string().starts_with("skiff/security.json: "), "{text}");
            assert_eq!(Users::load(&mut Files::with(FOUND_USERS_FILE, text)), Ok(Users::default()), "{text}");
        }
    }
}
