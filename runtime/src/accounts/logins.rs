//! Logins: what a person who gave a password gets, until it ends.
//!
//! Each has a token, for what sends header fields, and a cookie, for what a browser sends by itself. What it allows is what
//! its user may do now, and never more than the door it was made at.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::Role;
use super::secret::{self, Claims, SecretHash, TEXT_BYTES_MAX};
use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::{Rng, Storage};
use crate::json::{self, JsonError};
use crate::time::UnixMillis;

/// Key of the file.
pub const LOGINS_FILE: &str = "skiff/logins.json";
/// Logins in all.
const LOGINS_MAX: usize = 64;
/// Of these, those of one user.
const PER_USER_MAX: usize = 8;
/// Time until a login ends.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// The same, of a browser that is to remember it.
const KEPT_REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
const TOKEN_PURPOSE: &str = "skiff login token";
const COOKIE_PURPOSE: &str = "skiff login cookie";

/// One login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Name of the user.
    pub user: String,
    /// It allows no more than this, whatever the user may do.
    pub most: Role,
    /// When it ends.
    pub ends: UnixMillis,
    token: SecretHash,
    cookie: SecretHash,
}

impl Login {
    /// Returns what is kept of its token, which is another one for each login.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        self.token
    }
}

/// What is handed out for a login; it is stored nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct HandedOut {
    /// Token, in the form of a JWT.
    pub token: String,
    /// Value of the cookie.
    pub cookie: String,
    /// Time until it ends.
    pub time_to_live: Duration,
}

impl core::fmt::Debug for HandedOut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HandedOut").field("time_to_live", &self.time_to_live).finish_non_exhaustive()
    }
}

/// The time is not known, and a login ends at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTime;

impl core::fmt::Display for NoTime {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the time is not known yet, and a login ends at a time: log in later, or use a token")
    }
}

/// The logins that have not ended, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logins {
    rows: Vec<Login>,
}

impl Logins {
    /// Reads `skiff/logins.json`; without it there are none.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let Some(text) = read_object(storage, LOGINS_FILE, FILE_BYTES_MAX)? else { return Ok(Self::default()) };
        let mut rows = Vec::new();
        let read = json::items::<JsonError>(json::member(&text, "logins").unwrap_or("null"), |row| {
            match read_login(row) {
                Some(login) if rows.len() < LOGINS_MAX => rows.push(login),
                _ => return Err(JsonError::WrongKind),
            }
            Ok(())
        });
        let what = "logins must be a list of at most 64 logins with user, most, ends, token and cookie";
        read.map(|()| Self { rows }).map_err(|_| ConfigError::new(LOGINS_FILE, ConfigReason::Member(what)))
    }

    /// Writes `skiff/logins.json`.
    ///
    /// # Errors
    /// [`ConfigError`] when storage fails; what was written before stays.
    pub fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|out| {
            out.list("logins", |list| {
                for login in &self.rows {
                    list.object(|row| {
                        row.text("user", &login.user).text("most", login.most.name());
                        row.text("ends", &login.ends.text()).text("token", &login.token.text());
                        row.text("cookie", &login.cookie.text());
                    });
                }
            });
        });
        write_object(storage, LOGINS_FILE, &text)
    }

    /// Logs a user in; when there are too many logins, the oldest one of this user ends, else the oldest of all.
    ///
    /// # Errors
    /// [`NoTime`].
    pub fn open(
        &mut self,
        user: &str,
        most: Role,
        remember: bool,
        now: UnixMillis,
        rng: &mut dyn Rng,
    ) -> Result<HandedOut, NoTime> {
        if !now.is_known() {
            return Err(NoTime);
        }
        self.rows.retain(|login| login.ends > now);
        let of_user = self.rows.iter().filter(|login| login.user == user).count();
        let oldest = self.rows.iter().position(|login| of_user < PER_USER_MAX || login.user == user);
        if (of_user >= PER_USER_MAX || self.rows.len() >= LOGINS_MAX)
            && let Some(oldest) = oldest
        {
            self.rows.remove(oldest);
        }
        let time_to_live = if remember { KEPT_REMEMBERED } else { KEPT };
        let millis = i64::try_from(time_to_live.as_millis()).unwrap_or(i64::MAX);
        let ends = UnixMillis(now.0.saturating_add(millis));
        let token = secret::token(Claims { id: user, is_device: false, made: now, ends: Some(ends) }, rng);
        let cookie = secret::random(rng);
        self.rows.push(Login {
            user: user.into(),
            most,
            ends,
            token: SecretHash::of(TOKEN_PURPOSE, &token),
            cookie: SecretHash::of(COOKIE_PURPOSE, &cookie),
        });
        Ok(HandedOut { token, cookie, time_to_live })
    }

    /// Returns the login of a token that has not ended.
    #[must_use]
    pub fn of_token(&self, text: &str, now: UnixMillis) -> Option<&Login> {
        if text.len() > TEXT_BYTES_MAX || self.rows.is_empty() {
            return None;
        }
        self.of_hash(&SecretHash::of(TOKEN_PURPOSE, text), now)
    }

    /// Returns the login whose token has this hash, if it has not ended.
    #[must_use]
    pub fn of_hash(&self, hash: &SecretHash, now: UnixMillis) -> Option<&Login> {
        self.find(now, |login| login.token.is(hash))
    }

    /// Returns the login of a cookie that has not ended.
    #[must_use]
    pub fn of_cookie(&self, text: &str, now: UnixMillis) -> Option<&Login> {
        if text.len() > TEXT_BYTES_MAX || self.rows.is_empty() {
            return None;
        }
        let hash = SecretHash::of(COOKIE_PURPOSE, text);
        self.find(now, |login| login.cookie.is(&hash))
    }

    fn find(&self, now: UnixMillis, is_it: impl Fn(&Login) -> bool) -> Option<&Login> {
        // Each is looked at, so that the time does not tell which one it is.
        let found = self.rows.iter().filter(|login| is_it(login)).fold(None, |_, login| Some(login));
        found.filter(|login| now.is_known() && login.ends > now)
    }

    /// Ends one login; false when there is none.
    pub fn close(&mut self, hash: &SecretHash) -> bool {
        let before = self.rows.len();
        self.rows.retain(|login| !login.token.is(hash));
        self.rows.len() < before
    }

    /// Ends every login of a user.
    pub fn close_all_of(&mut self, user: &str) {
        self.rows.retain(|login| login.user != user);
    }
}

fn read_login(row: &str) -> Option<Login> {
    let text = |name: &str| json::member(row, name).and_then(json::string);
    Some(Login {
        user: text("user")?.into_owned(),
        most: Role::from_name(&text("most")?)?,
        ends: UnixMillis::parse_iso(&text("ends")?)?,
        token: SecretHash::parse(&text("token")?)?,
        cookie: SecretHash::parse(&text("cookie")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Files;
    use crate::hal::sim::SimRng;
    use std::format;
    use std::string::ToString;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const DAY: i64 = 86_400_000;

    fn open(logins: &mut Logins, user: &str, remember: bool, rng: &mut SimRng) -> HandedOut {
        logins.open(user, Role::ReadWrite, remember, NOW, rng).unwrap()
    }

    #[test]
    fn a_login_is_good_by_token_and_by_cookie_until_it_ends() {
        let (mut logins, mut files, mut rng) = (Logins::default(), Files::default(), SimRng::new(1));
        let short = open(&mut logins, "skipper", false, &mut rng);
        let long = open(&mut logins, "skipper", true, &mut rng);
        assert_eq!((short.time_to_live.as_secs(), long.time_to_live.as_secs()), (86_400, 2_592_000));
        logins.save(&mut files).unwrap();
        assert!(!files.text(LOGINS_FILE).contains(&short.cookie) && !files.text(LOGINS_FILE).contains(&short.token));
        let logins = Logins::load(&mut files).unwrap();
        let login = logins.of_cookie(&short.cookie, NOW).unwrap();
        assert_eq!((&*login.user, login.most), ("skipper", Role::ReadWrite));
        assert_eq!(logins.of_token(&short.token, NOW), Some(login));
        assert_eq!(logins.of_token(&short.cookie, NOW), None, "one is not the other");
        assert_eq!(logins.of_cookie(&short.token, NOW), None);
        let later = UnixMillis(NOW.0 + DAY);
        assert!(logins.of_cookie(&short.cookie, later).is_none() && logins.of_cookie(&long.cookie, later).is_some());
        assert_eq!(logins.of_token(&long.token, UnixMillis::UNKNOWN), None, "who knows what time it is");
        assert_eq!(logins.of_token(&"a".repeat(5000), NOW), None);
    }

    #[test]
    fn logging_out_ends_one_and_a_new_password_ends_all() {
        let (mut logins, mut rng) = (Logins::default(), SimRng::new(1));
        let [one, two] = [(); 2].map(|()| open(&mut logins, "a", false, &mut rng));
        let other = open(&mut logins, "b", false, &mut rng);
        let hash = logins.of_token(&one.token, NOW).unwrap().hash();
        assert!(logins.close(&hash) && !logins.close(&hash));
        assert!(logins.of_token(&one.token, NOW).is_none() && logins.of_token(&two.token, NOW).is_some());
        logins.close_all_of("a");
        assert!(logins.of_token(&two.token, NOW).is_none() && logins.of_token(&other.token, NOW).is_some());
    }

    #[test]
    fn nobody_takes_the_room_of_others() {
        let (mut logins, mut rng) = (Logins::default(), SimRng::new(1));
        let quiet = open(&mut logins, "quiet", false, &mut rng);
        let first = open(&mut logins, "busy", false, &mut rng);
        for _ in 0..PER_USER_MAX {
            open(&mut logins, "busy", false, &mut rng);
        }
        assert!(logins.of_token(&first.token, NOW).is_none() && logins.of_token(&quiet.token, NOW).is_some());
        for index in 0..LOGINS_MAX {
            open(&mut logins, &format!("u{index}"), false, &mut rng);
        }
        assert_eq!(logins.rows.len(), LOGINS_MAX);
    }

    #[test]
    fn without_the_time_nobody_logs_in() {
        let opened = Logins::default().open("a", Role::Admin, false, UnixMillis::UNKNOWN, &mut SimRng::new(1));
        assert_eq!(opened, Err(NoTime));
    }

    #[test]
    fn a_damaged_file_is_told() {
        for text in ["{}", r#"{"logins":[7]}"#, r#"{"logins":[{"user":"a","most":"x"}]}"#] {
            let error = Logins::load(&mut Files::with(LOGINS_FILE, text)).unwrap_err();
            assert!(error.to_string().starts_with("skiff/logins.json: "), "{text}");
        }
    }
}
