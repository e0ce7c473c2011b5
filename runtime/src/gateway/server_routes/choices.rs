//! What the owner chose about sources: which are preferred, what they are called. Kept in `skiff/priorities.json`, which has
//! the members of Signal K Server's `priorities.json` (2.32) and goes before that file member by member.

use alloc::string::String;
use core::time::Duration;

use crate::config::{ConfigError, ConfigReason, FILE_BYTES_MAX, read_object, write_object};
use crate::gateway::Gateway;
use crate::hal::{Storage, StorageError};
use crate::json::{self, JsonError};
use crate::model::{Priorities, PriorityError};
use crate::server::Response;

const FILE: &str = "skiff/priorities.json";
const FILE_OF_SIGNAL_K: &str = "priorities.json";
/// Time without a value after which the next source of a group stands in (signalk-server 2.32 `deltaPriority`).
const FALLBACK: Duration = Duration::from_secs(15);
/// Longer ones are slips of the pen, ms.
const FALLBACK_MS_MAX: f64 = 86_400_000.0;
/// Bytes of a source and of the name it was given.
const NAME_BYTES_MAX: usize = 255;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Sources that are ranked on every path they tell.
    Groups,
    /// Sources by path.
    Overrides,
    /// `fallbackMs` of the groups.
    Defaults,
    /// What sources are called.
    Aliases,
    /// Devices of one instance that the owner knows about.
    Conflicts,
}

impl Choice {
    const ALL: [Self; 5] = [Self::Groups, Self::Overrides, Self::Defaults, Self::Aliases, Self::Conflicts];

    /// Returns the member of the file, and what it is where nothing was chosen.
    const fn member(self) -> (&'static str, &'static str) {
        match self {
            Self::Groups => ("priorityGroups", "[]"),
            Self::Overrides => ("priorityOverrides", "{}"),
            Self::Defaults => ("priorityDefaults", "{}"),
            Self::Aliases => ("sourceAliases", "{}"),
            Self::Conflicts => ("ignoredInstanceConflicts", "{}"),
        }
    }

    /// Returns the server event that tells of it.
    pub fn event(self) -> &'static str {
        match self {
            Self::Groups => "PRIORITYGROUPS",
            Self::Overrides => "PRIORITYOVERRIDES",
            Self::Defaults => "PRIORITYDEFAULTS",
            Self::Aliases => "SOURCEALIASES",
            Self::Conflicts => "IGNOREDINSTANCECONFLICTS",
        }
    }

    /// Returns the choice that `/skServer/<name>` is about.
    pub fn of_route(name: &str) -> Option<Self> {
        Some(match name {
            "priorityGroups" => Self::Groups,
            "priorityOverrides" | "sourcePriorities" => Self::Overrides,
            "priorityDefaults" => Self::Defaults,
            "sourceAliases" => Self::Aliases,
            "ignoredInstanceConflicts" => Self::Conflicts,
            _ => return None,
        })
    }
}

/// Why something cannot be chosen.
#[derive(Clone, Debug)]
enum Refused {
    Priorities(PriorityError),
    Clause(&'static str),
}

impl From<PriorityError> for Refused {
    fn from(error: PriorityError) -> Self {
        Self::Priorities(error)
    }
}

impl Refused {
    fn response(&self) -> Response {
        match self {
            Self::Priorities(error) => Response::error(400, &alloc::format!("{error}")),
            Self::Clause(clause) => Response::error(400, clause),
        }
    }
}

/// All of them, compact JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::gateway) struct Choices {
    /// In the order of [`Choice::ALL`]; `None` where nothing was chosen.
    chosen: [Option<String>; 5],
}

impl Choices {
    /// Reads what was chosen; a file that cannot be read is told and left alone.
    pub fn load(storage: &mut dyn Storage) -> Self {
        let mut choices = Self::default();
        for file in [FILE_OF_SIGNAL_K, FILE] {
            match read_object(storage, file, FILE_BYTES_MAX) {
                Ok(Some(text)) => choices.take(&text),
                Ok(None) => {}
                Err(error) => log::warn!("{error}"),
            }
        }
        choices
    }

    fn take(&mut self, file: &str) {
        for (slot, choice) in self.chosen.iter_mut().zip(Choice::ALL) {
            let (name, nothing) = choice.member();
            // Before 2.30 the file called them otherwise.
            let older = (choice == Choice::Overrides).then_some("sourcePriorities");
            let member = json::member(file, name).or_else(|| json::member(file, older?));
            if let Some(text) = member.filter(|text| text.get(..1) == nothing.get(..1)) {
                *slot = Some(text.into());
            }
        }
    }

    pub fn get(&self, choice: Choice) -> &str {
        let at = Choice::ALL.iter().position(|one| *one == choice).unwrap_or(0);
        let chosen = self.chosen.get(at).and_then(Option::as_deref);
        chosen.unwrap_or(choice.member().1)
    }

    fn set(&mut self, choice: Choice, text: &str) {
        for (slot, one) in self.chosen.iter_mut().zip(Choice::ALL) {
            if one == choice {
                *slot = Some(text.into());
            }
        }
    }

    /// Returns what the model judges by.
    fn priorities(&self) -> Result<Priorities, PriorityError> {
        let fallback = fallback(self.get(Choice::Defaults)).unwrap_or(FALLBACK);
        Priorities::parse(self.get(Choice::Overrides))?.with_groups(self.get(Choice::Groups), fallback)
    }

    /// Checks that everything can be meant.
    fn check(&self) -> Result<Priorities, Refused> {
        let defaults = self.get(Choice::Defaults);
        if json::member(defaults, "fallbackMs").is_some() && fallback(defaults).is_none() {
            return Err(Refused::Clause("fallbackMs is a number of milliseconds above 0, a day at most"));
        }
        for choice in [Choice::Aliases, Choice::Conflicts] {
            let read = json::members::<JsonError>(self.get(choice), |source, name| {
                let name = json::string(name).filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX);
                if source.len() > NAME_BYTES_MAX {
                    Err(JsonError::WrongKind)
                } else {
                    name.map(|_| ()).ok_or(JsonError::WrongKind)
                }
            });
            read.map_err(|_| Refused::Clause("an object of texts of at most 255 bytes is needed"))?;
        }
        Ok(self.priorities()?)
    }

    fn save(&self, storage: &mut dyn Storage) -> Result<(), ConfigError> {
        let text = json::object(|file| {
            for (choice, chosen) in Choice::ALL.iter().zip(&self.chosen) {
                if let Some(text) = chosen {
                    file.json(choice.member().0, text);
                }
            }
        });
        // Half: it is written with blanks and line ends.
        if text.len() > FILE_BYTES_MAX as usize / 2 {
            return Err(ConfigError::new(FILE, ConfigReason::Storage(StorageError::Full)));
        }
        write_object(storage, FILE, &text)
    }
}

/// Reads `fallbackMs`.
fn fallback(defaults: &str) -> Option<Duration> {
    let millis = json::member(defaults, "fallbackMs").and_then(json::number)?;
    (millis > 0.0 && millis <= FALLBACK_MS_MAX).then(|| Duration::from_secs_f64(millis / 1000.0))
}

impl Gateway {
    /// Prefers sources as was chosen; `older` is `sourcePriorities` of `settings.json`, which holds where no file of
    /// priorities says otherwise.
    #[must_use]
    pub(in crate::gateway) fn prefer_as_chosen(mut self, older: Option<&str>) -> Self {
        let choices = &mut self.server_routes.choices;
        if let Some(older) = older.filter(|_| choices.get(Choice::Overrides) == Choice::Overrides.member().1) {
            choices.set(Choice::Overrides, older);
        }
        match choices.priorities() {
            Ok(priorities) => self.model.prefer(priorities),
            Err(error) => log::warn!("priorities of sources are not used: {error}"),
        }
        self
    }

    /// Answers `GET /skServer/priorities`: groups, overrides and defaults together.
    pub(super) fn priorities(&self) -> Response {
        let choices = &self.server_routes.choices;
        let body = json::object(|out| {
            out.json("groups", choices.get(Choice::Groups)).json("overrides", choices.get(Choice::Overrides));
            out.json("defaults", choices.get(Choice::Defaults));
        });
        Response::json(200, body)
    }

    /// Answers `PUT /skServer/priorities` with all three.
    pub(super) fn choose_priorities(&mut self, body: &str) -> Response {
        let members = ["groups", "overrides", "defaults"].map(|name| json::member(body, name));
        let [Some(groups), Some(overrides), Some(defaults)] = members else {
            return Response::error(400, "groups, overrides and defaults are needed");
        };
        self.choose(&[(Choice::Groups, groups), (Choice::Overrides, overrides), (Choice::Defaults, defaults)])
    }

    /// Forgets every choice, for `DELETE /skServer/priorities`.
    pub(super) fn forget_choices(&mut self) -> Response {
        self.choose(&Choice::ALL.map(|choice| (choice, choice.member().1)))
    }

    /// Keeps choices, and acts by them from now on.
    pub(super) fn choose(&mut self, made: &[(Choice, &str)]) -> Response {
        let mut choices = self.server_routes.choices.clone();
        for (choice, text) in made {
            if text.get(..1) != choice.member().1.get(..1) {
                return Response::error(400, "groups are a list, everything else is an object");
            }
            choices.set(*choice, text);
        }
        let priorities = match choices.check() {
            Ok(priorities) => priorities,
            Err(refused) => return refused.response(),
        };
        if let Err(error) = choices.save(&mut *self.hal.storage) {
            return Response::error(507, &alloc::format!("{error}"));
        }
        self.server_routes.choices = choices;
        if made.iter().any(|(choice, _)| !matches!(choice, Choice::Aliases | Choice::Conflicts)) {
            self.model.prefer(priorities);
        }
        for (choice, _) in made {
            self.tell_choice(*choice);
        }
        Response::json(200, json::object(|out| _ = out.text("result", "ok")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fake::Files;

    #[test]
    fn the_own_file_goes_before_that_of_signal_k_member_by_member() {
        let mut files = Files::with(
            FILE_OF_SIGNAL_K,
            r#"{"sourcePriorities":{"a":[{"sourceRef":"x"}]},"sourceAliases":{"x":"Bow"},"priorityGroups":7}"#,
        );
        let mut choices = Choices::load(&mut files);
        assert_eq!(choices.get(Choice::Overrides), r#"{"a":[{"sourceRef":"x"}]}"#);
        assert_eq!((choices.get(Choice::Aliases), choices.get(Choice::Groups)), (r#"{"x":"Bow"}"#, "[]"));
        choices = Choices::default();
        choices.set(Choice::Aliases, "{}");
        choices.save(&mut files).unwrap();
        let again = Choices::load(&mut files);
        assert_eq!((again.get(Choice::Aliases), again.get(Choice::Overrides).len()), ("{}", 25));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (choice, text) in [
            (Choice::Defaults, r#"{"fallbackMs":0}"#),
            (Choice::Defaults, r#"{"fallbackMs":"soon"}"#),
            (Choice::Aliases, r#"{"x":""}"#),
            (Choice::Aliases, r#"{"x":7}"#),
            (Choice::Overrides, r#"{"a":[{}]}"#),
            (Choice::Groups, r#"[{}]"#),
        ] {
            let mut choices = Choices::default();
            choices.set(choice, text);
            assert!(choices.check().is_err(), "{text}");
        }
        assert!(Choices::default().check().is_ok());
    }

    #[test]
    fn a_file_that_would_be_too_long_is_not_written() {
        let mut files = Files::default();
        let mut choices = Choices::default();
        choices.set(Choice::Aliases, &std::format!(r#"{{"x":"{}"}}"#, "y".repeat(FILE_BYTES_MAX as usize)));
        assert!(choices.save(&mut files).is_err() && files.files.is_empty());
    }
}
