//! Tokens beside the owner's: each has a name, a role and perhaps an end, and can be revoked.
//!
//! A token has the form of a JWT (RFC 7519), because apps decode its middle part. It is none: nobody checks a signature.
//! A token is valid while its hash is on the list. It holds 256 random bits, so that the hash needs no salt.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Role;
use super::secret::{self, Claims, SecretHash, TEXT_BYTES_MAX};
use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::hal::{Rng, Storage};
use crate::json::{self, JsonError};
use crate::time::UnixMillis;

/// Key of the file.
pub const FILE: &str = "skiff/tokens.json";
/// Tokens on the list.
pub const TOKENS_MAX: usize = 64;
/// Keeps the hash of a token apart from everything else that is hashed.
const PURPOSE: &str = "skiff token";

/// What a token was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A device that asked to be let in; its name is the `clientId` it gave.
    Device,
    /// Made by the owner for a program or a person.
    Named,
}

impl TokenKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Named => "named",
        }
    }
}

/// A token on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it was made for.
    pub kind: TokenKind,
    /// Name, one of its kind.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// What the bearer said of itself.
    pub description: String,
    /// When it ends; `None` is never.
    pub ends: Option<UnixMillis>,
    hash: SecretHash,
}

impl Token {
    /// Returns what is kept of its text.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        self.hash
    }
}

/// What is known of a token that somebody presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'t> {
    /// It is valid.
    Valid(&'t Token),
    /// It was, or it cannot be told while the time is not known.
    Ended,
    /// It is on no list.
    Unknown,
}

/// There are [`TOKENS_MAX`] tokens already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl core::fmt::Display for NoRoom {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "there are {TOKENS_MAX} tokens already; revoke one")
    }
}

/// The list of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    rows: Vec<Token>,
}

impl Tokens {
    /// Reads `skiff/tokens.json`; without it there are none.
    ///
    /// # Errors
    /// [`ConfigError`] when the file is damaged: it is kept, and nobody but the owner gets in.
    pub fn load(storage: &mut dyn Storage) -> Result<Self, ConfigError> {
        let Some(text) = read_object(storage, FILE, FILE_BYTES_MAX)? else { return Ok(Self::default()) };
        let mut rows = Vec::new();
        let read = json::items::<JsonError>(json::member(&text, "tokens").unwrap_or("null"), |row| {
            match read_token(row) {
                Some(token) if rows.len() < TOKENS_MAX => rows.push(token),
                _ => return Err(JsonError::WrongKind),
            }
            Ok(())
        });
        let what = "tokens must be a list of at most 64 tokens with kind, name, role and hash";
        read.map(|()| Self { rows }).map_err(|_| ConfigError::new(FILE, ConfigReason::Member(what)))
    }

    /// Writes `skiff/tokens.json`.
    ///
    /// # Errors
    /// [`ConfigError`] when storage fails; what was written before stays.
    pub fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|out| {
            out.list("tokens", |list| {
                for token in &self.rows {
                    list.object(|row| {
                        row.text("kind", token.kind.name()).text("name", &token.name);
                        row.text("role", token.role.name()).text("description", &token.description);
                        if let Some(ends) = token.ends {
                            row.text("ends", &ends.text());
                        }
                        row.text("hash", &token.hash.text());
                    });
                }
            });
        });
        write_object(storage, FILE, &text)
    }

    /// Makes a token; one of the same kind and name before is good for nothing then. Returns its text, which is stored
    /// nowhere.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn issue(&mut self, token: NewToken<'_>, now: UnixMillis, rng: &mut dyn Rng) -> Result<String, NoRoom> {
        let is_same = |row: &Token| row.kind == token.kind && row.name == token.name;
        if self.rows.len() >= TOKENS_MAX && !self.rows.iter().any(is_same) {
            return Err(NoRoom);
        }
        let is_device = token.kind == TokenKind::Device;
        let text = secret::token(Claims { id: token.name, is_device, made: now, ends: token.ends }, rng);
        self.rows.retain(|row| !is_same(row));
        self.rows.push(Token {
            kind: token.kind,
            name: token.name.into(),
            role: token.role,
            description: token.description.into(),
            ends: token.ends,
            hash: SecretHash::of(PURPOSE, &text),
        });
        Ok(text)
    }

    /// Says what is known of a token's text, in a time that does not depend on it.
    #[must_use]
    pub fn look_up(&self, text: &str, now: UnixMillis) -> Known<'_> {
        if text.len() > TEXT_BYTES_MAX || self.rows.is_empty() {
            return Known::Unknown;
        }
        self.of_hash(&SecretHash::of(PURPOSE, text), now)
    }

    /// Says what is known of a token whose hash was kept.
    #[must_use]
    pub fn of_hash(&self, hash: &SecretHash, now: UnixMillis) -> Known<'_> {
        // Each is looked at, so that the time does not tell which one it is.
        let found = self.rows.iter().filter(|row| row.hash.is(hash)).fold(None, |_, row| Some(row));
        match found {
            None => Known::Unknown,
            Some(Token { ends: Some(ends), .. }) if !now.is_known() || now.0 >= ends.0 => Known::Ended,
            Some(row) => Known::Valid(row),
        }
    }

    /// Returns the tokens of a kind, in the order they were made.
    pub fn of_kind(&self, kind: TokenKind) -> impl Iterator<Item = &Token> {
        self.rows.iter().filter(move |row| row.kind == kind)
    }

    /// Changes what a token has beside its name; false when there is no such token.
    pub fn change(&mut self, kind: TokenKind, name: &str, change: TokenChange<'_>) -> bool {
        let Some(row) = self.rows.iter_mut().find(|row| row.kind == kind && row.name == name) else { return false };
        row.role = change.role.unwrap_or(row.role);
        row.ends = change.ends.unwrap_or(row.ends);
        if let Some(description) = change.description {
            row.description = description.into();
        }
        true
    }

    /// Takes a token off the list; false when it is not there.
    pub fn revoke(&mut self, kind: TokenKind, name: &str) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| !(row.kind == kind && row.name == name));
        self.rows.len() < before
    }
}

/// What of a token is to be otherwise; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenChange<'t> {
    /// What its bearer may do.
    pub role: Option<Role>,
    /// What the owner reads of it.
    pub description: Option<&'t str>,
    /// When it ends; `Some(None)` takes the end away.
    pub ends: Option<Option<UnixMillis>>,
}

/// A token to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'t> {
    /// What it is for.
    pub kind: TokenKind,
    /// Its name.
    pub name: &'t str,
    /// What its bearer may do.
    pub role: Role,
    /// What the bearer says of itself.
    pub description: &'t str,
    /// When it ends; `None` is never.
    pub ends: Option<UnixMillis>,
}

/// Reads a time to live as Signal K writes it (`30d`, `12h`, `1y`, `NEVER`) and returns the end; `Some(None)` is never.
///
/// `None` when it is no such text, or when the time is not known and an end is asked for.
#[must_use]
pub fn expiry(text: &str, now: UnixMillis) -> Option<Option<UnixMillis>> {
    if text.is_empty() || text.eq_ignore_ascii_case("never") {
        return Some(None);
    }
    let unit = text.chars().next_back()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| (1..=100_000).contains(count))?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        // As the npm package `ms` has it, which Signal K's server reads these with.
        'y' => 31_557_600,
        _ => return None,
    };
    let ends = now.0.checked_add(count.checked_mul(seconds)?.checked_mul(1000)?)?;
    Some(Some(UnixMillis(ends))).filter(|_| now.is_known())
}

fn read_token(row: &str) -> Option<Token> {
    let text = |name: &str| json::member(row, name).and_then(json::string);
    let ends = match text("ends") {
        Some(ends) => Some(UnixMillis::parse_iso(&ends)?),
        None => None,
    };
    let kind = text("kind")?;
    Some(Token {
        kind: [TokenKind::Device, TokenKind::Named].into_iter().find(|known| known.name() == kind)?,
        name: text("name").filter(|name| !name.is_empty())?.to_string(),
        role: Role::from_name(&text("role")?)?,
        description: text("description").unwrap_or_default().into_owned(),
        ends,
        hash: SecretHash::parse(&text("hash")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::{Counting, Files};
    use base64ct::{Base64UrlUnpadded, Encoding};
    use std::format;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn role(known: Known<'_>) -> Option<Role> {
        match known {
            Known::Valid(token) => Some(token.role),
            Known::Ended | Known::Unknown => None,
        }
    }

    fn device<'t>(name: &'t str, role: Role, ends: Option<UnixMillis>) -> NewToken<'t> {
        NewToken { kind: TokenKind::Device, name, role, description: "wind \"mast\"", ends }
    }

    #[test]
    fn a_token_is_valid_while_it_is_on_the_list() {
        let (mut tokens, mut files, mut rng) = (Tokens::default(), Files::default(), Counting(3));
        let text = tokens.issue(device("mast-1", Role::ReadWrite, None), NOW, &mut rng).unwrap();
        tokens.save(&mut files).unwrap();
        assert!(!files.text(FILE).contains(text.rsplit('.').next().unwrap()), "only its hash is kept");
        let mut tokens = Tokens::load(&mut files).unwrap();
        assert_eq!(role(tokens.look_up(&text, NOW)), Some(Role::ReadWrite));
        assert_eq!(role(tokens.look_up(&text, UnixMillis::UNKNOWN)), Some(Role::ReadWrite), "it has no end");
        assert_eq!(tokens.of_kind(TokenKind::Device).next().unwrap().description, "wind \"mast\"");
        for wrong in ["", &text[1..], &text.to_uppercase(), &"a".repeat(5000)] {
            assert_eq!(tokens.look_up(wrong, NOW), Known::Unknown);
        }
        assert!(!tokens.revoke(TokenKind::Named, "mast-1"), "another kind");
        assert!(tokens.revoke(TokenKind::Device, "mast-1"));
        assert_eq!(tokens.look_up(&text, NOW), Known::Unknown);
    }

    #[test]
    fn apps_can_read_the_middle_part() {
        let ends = Some(UnixMillis(NOW.0 + 90_500));
        let text = Tokens::default().issue(device("a b", Role::ReadOnly, ends), NOW, &mut Counting(1)).unwrap();
        let parts: Vec<&str> = text.split('.').collect();
        assert_eq!(parts.len(), 3);
        let payload = Base64UrlUnpadded::decode_vec(parts[1]).unwrap();
        let expected = r#"{"id":"a b","device":"a b","iat":1800000000,"exp":1800000090}"#;
        assert_eq!(core::str::from_utf8(&payload), Ok(expected));
    }

    #[test]
    fn a_token_with_an_end_needs_the_time() {
        let mut tokens = Tokens::default();
        let ends = Some(UnixMillis(NOW.0 + 1000));
        let text = tokens.issue(device("d", Role::Admin, ends), NOW, &mut Counting(1)).unwrap();
        assert_eq!(role(tokens.look_up(&text, UnixMillis(NOW.0 + 999))), Some(Role::Admin));
        assert_eq!(tokens.look_up(&text, UnixMillis(NOW.0 + 1000)), Known::Ended);
        assert_eq!(tokens.look_up(&text, UnixMillis::UNKNOWN), Known::Ended);
    }

    #[test]
    fn a_new_token_of_a_name_takes_the_place_of_the_one_before() {
        let (mut tokens, mut rng) = (Tokens::default(), Counting(0));
        let names: Vec<String> = (0..TOKENS_MAX).map(|index| format!("d{index}")).collect();
        let first = tokens.issue(device("d0", Role::ReadOnly, None), NOW, &mut rng).unwrap();
        for name in &names {
            tokens.issue(device(name, Role::ReadWrite, None), NOW, &mut rng).unwrap();
        }
        assert_eq!(tokens.look_up(&first, NOW), Known::Unknown);
        assert_eq!(tokens.of_kind(TokenKind::Device).count(), TOKENS_MAX);
        assert_eq!(tokens.issue(device("more", Role::ReadOnly, None), NOW, &mut rng), Err(NoRoom));
        assert!(tokens.issue(device("d7", Role::ReadOnly, None), NOW, &mut rng).is_ok(), "no more than before");
        let change = TokenChange { role: Some(Role::ReadWrite), ..TokenChange::default() };
        assert!(tokens.change(TokenKind::Device, "d7", change));
        assert!(!tokens.change(TokenKind::Device, "more", change));
    }

    #[test]
    fn a_damaged_list_lets_nobody_in_and_is_kept() {
        for text in
            ["", "{}", r#"{"tokens":7}"#, r#"{"tokens":[{"kind":"device","name":"x","role":"captain","hash":""}]}"#]
        {
            let mut files = Files::with(FILE, text);
            assert!(Tokens::load(&mut files).unwrap_err().to_string().starts_with("skiff/tokens.json: "), "{text}");
            assert_eq!(files.text(FILE), text);
        }
        assert_eq!(Tokens::load(&mut Files::default()), Ok(Tokens::default()));
    }

    #[test]
    fn times_to_live_are_signal_ks() {
        assert_eq!(expiry("NEVER", NOW), Some(None));
        assert_eq!(expiry("", NOW), Some(None));
        assert_eq!(expiry("2d", NOW), Some(Some(UnixMillis(NOW.0 + 172_800_000))));
        assert_eq!(expiry("1y", NOW), Some(Some(UnixMillis(NOW.0 + 31_557_600_000))));
        for wrong in ["d", "1", "-1d", "0d", "1 d", "1x", "9999999999d", "1ü"] {
            assert_eq!(expiry(wrong, NOW), None, "{wrong}");
        }
        assert_eq!(expiry("1d", UnixMillis::UNKNOWN), None);
    }
}
