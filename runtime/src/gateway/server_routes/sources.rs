//! Who tells what: paths with several sources, those that are preferred now, groups of sources that tell the same.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::bus::{done, failed};
use super::choices::Choice;
use crate::gateway::Gateway;
use crate::http::Request;
use crate::json::{self, JsonError};
use crate::server::Response;
use crate::server::url::decode;
use crate::time::UnixMillis;

/// A source that was quiet for longer is not there any more, ms (signalk-server 2.32: 60 s).
const ONLINE_MS: i64 = 60_000;
/// The path of the position.
const POSITION: &str = "navigation.position";

/// A group as the admin UI draws it.
#[derive(Default)]
struct Group {
    /// `None` is one that the owner has not kept.
    saved: Option<(String, bool)>,
    sources: Vec<String>,
    paths: BTreeSet<String>,
    newcomers: BTreeSet<String>,
}

impl Gateway {
    /// Returns the paths of the own vessel that have a value, `""` for what stands at its root.
    pub(super) fn available_paths(&self) -> String {
        json::list(|out| {
            out.text("");
            self.model.own_sources().for_each(|row| _ = out.text(row.path));
        })
    }

    /// Returns what is known of each of those paths, by the pattern that Signal K Server has for it.
    pub(super) fn path_meta(&self) -> String {
        json::object(|out| {
            for row in self.model.own_sources() {
                if let Some(known) = crate::model::known(row.path) {
                    out.json(&format!("/vessels/*/{}", row.path.replace('.', "/")), &known.json());
                }
            }
        })
    }

    /// Returns the sources of each path that has several.
    pub(super) fn multi_source_paths(&self) -> String {
        json::object(|out| {
            for row in self.contested() {
                out.list(row.0, |out| row.1.iter().for_each(|source| _ = out.text(source)));
            }
        })
    }

    /// Returns the source that is preferred now, by context and path with a NUL between, of paths that are ranked; an empty
    /// text where none is.
    pub(super) fn preferred_sources(&self) -> String {
        let context = &self.setup.self_context;
        json::object(|out| {
            for row in self.model.own_sources() {
                let latest = row.sources.get(row.latest).map(|(source, _)| &**source);
                let preferred = latest.filter(|_| row.is_ranked && row.sources.len() > 1);
                out.text(&format!("{context}\0{}", row.path), preferred.unwrap_or_default());
            }
        })
    }

    /// Returns the sources that tell the position now.
    pub(super) fn position_sources(&self) -> String {
        let now = self.wall();
        let of = self.model.own_sources().find(|row| row.path == POSITION);
        let sources = of.map(|row| row.sources).unwrap_or_default();
        let mut names: Vec<_> =
            sources.into_iter().filter(|(_, at)| is_online(*at, now)).map(|(name, _)| name).collect();
        names.sort();
        json::list(|out| names.iter().for_each(|name| _ = out.text(name)))
    }

    /// Returns each source with the time it was last heard.
    pub(super) fn source_status(&self) -> String {
        let now = self.wall();
        json::list(|out| {
            for (source, at) in &self.sources_seen() {
                let (provider, src) = source.split_once('.').unwrap_or((source, ""));
                out.object(|row| {
                    row.text("sourceRef", source).text("providerId", provider).text("src", src);
                    row.boolean("online", is_online(*at, now));
                    if at.is_known() {
                        row.number("lastSeen", at.0);
                    }
                });
            }
        })
    }

    /// Returns when each source was last heard.
    fn sources_seen(&self) -> BTreeMap<String, UnixMillis> {
        let mut seen: BTreeMap<String, UnixMillis> = BTreeMap::new();
        for row in self.model.own_sources() {
            for (source, at) in row.sources {
                let last = seen.entry(source.into_owned()).or_insert(at);
                *last = (*last).max(at);
            }
        }
        seen
    }

    /// Returns the groups that the owner kept, with sources that came since, and those that could be made: sources that tell
    /// the same paths.
    pub(super) fn reconciled_groups(&self) -> String {
        let mut groups = saved_groups(self.server_routes.choices.get(Choice::Groups));
        for (path, sources) in self.contested() {
            let has = |group: &Group| sources.iter().filter(|source| group.sources.contains(source)).count();
            let saved = groups.iter_mut().filter(|group| group.saved.is_some()).max_by_key(|group| has(group));
            match saved.filter(|group| has(group) > 0) {
                Some(group) => {
                    group.paths.insert(path.to_owned());
                    let new = sources.iter().filter(|source| !group.sources.contains(source)).cloned();
                    group.newcomers.extend(new);
                }
                None => join(&mut groups, path, &sources),
            }
        }
        let claimed: BTreeSet<String> = groups
            .iter()
            .filter(|group| group.saved.is_some())
            .flat_map(|group| group.sources.iter().cloned())
            .collect();
        json::list(|out| {
            for group in &groups {
                let newcomers: Vec<&String> = group.newcomers.iter().filter(|new| !claimed.contains(*new)).collect();
                out.object(|row| {
                    match &group.saved {
                        Some((id, is_off)) => {
                            row.text("id", id).text("matchedSavedId", id).boolean("inactive", *is_off);
                        }
                        None => _ = row.text("id", &group.sources.join("")).null("matchedSavedId"),
                    }
                    row.list("sources", |out| {
                        group.sources.iter().chain(newcomers.iter().copied()).for_each(|source| _ = out.text(source));
                    });
                    row.list("paths", |out| group.paths.iter().for_each(|path| _ = out.text(path)));
                    row.list("newcomerSources", |out| newcomers.iter().for_each(|source| _ = out.text(source)));
                });
            }
        })
    }

    /// Answers `DELETE removeSource?sourceRef=` and `n2kRemoveSource`: the source goes with its values and its alias. One that
    /// tells something again is there again.
    pub(super) fn remove_source(&mut self, request: &Request) -> Response {
        let reference = match wanted(request) {
            Ok(reference) => reference,
            Err(refused) => return refused,
        };
        let aliases = self.server_routes.choices.get(Choice::Aliases);
        let is_called = json::member(aliases, &reference).is_some();
        if self.model.forget_sources(|source| source == reference) == 0 && !is_called {
            return failed(404, &format!("Source {reference} not found"));
        }
        if is_called {
            let others = json::rewritten(aliases, |out, name, value| {
                if name != reference {
                    out.json(name, value);
                }
            });
            let kept = self.choose(&[(Choice::Aliases, &others.unwrap_or_else(|_| "{}".into()))]);
            if kept.status != 200 {
                return kept;
            }
        }
        log::info!("an admin removed the source {reference}");
        self.server_routes.events.look_again();
        done(&format!("Removed source {reference}"))
    }

    /// Answers `POST resetN2kDevices`: devices of NMEA 2000 that were not heard for a while go.
    pub(super) fn reset_devices(&mut self) -> Response {
        let labels: Vec<String> =
            self.inputs.iter().filter(|input| input.is_n2k()).map(|input| [input.label(), "."].concat()).collect();
        let statuses = self.sources_seen();
        let now = self.wall();
        let is_stale = |source: &str| {
            let is_device = labels.iter().any(|label| source.starts_with(&**label));
            is_device && statuses.get(source).is_none_or(|at| !is_online(*at, now))
        };
        let count = self.model.forget_sources(is_stale);
        self.server_routes.events.look_again();
        done(&format!("Cleared {count} stale device entries"))
    }

    /// Answers `GET cacheInspect?sourceRef=`: where a source can be seen.
    pub(super) fn inspect_source(&self, request: &Request) -> Response {
        let reference = match wanted(request) {
            Ok(reference) => reference,
            Err(refused) => return refused,
        };
        let of = |row: &crate::model::PathSources<'_>| row.sources.iter().any(|(source, _)| *source == *reference);
        let paths: Vec<&str> = self.model.own_sources().filter(of).map(|row| row.path).collect();
        let context = &self.setup.self_context;
        let body = json::object(|out| {
            out.text("sourceRef", &reference);
            for name in ["deltaCachePaths", "fullSignalKPaths"] {
                out.list(name, |out| paths.iter().for_each(|path| _ = out.text(&[context, ".", path].concat())));
            }
            out.boolean("inSourceMeta", !paths.is_empty()).boolean("inSourceDeltas", false);
            out.boolean("clean", paths.is_empty());
        });
        Response::json(200, body)
    }

    /// Visits the paths that several sources tell; a notification has one by its nature.
    fn contested(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        let several = self.model.own_sources().filter(|row| row.sources.len() > 1);
        let several = several.filter(|row| !row.path.starts_with("notifications."));
        several.map(|row| (row.path, row.sources.into_iter().map(|(source, _)| source.into_owned()).collect()))
    }
}

/// Reads which source is meant.
fn wanted(request: &Request) -> Result<String, Response> {
    let pairs = request.query().split('&');
    let given = pairs.filter_map(|pair| pair.strip_prefix("sourceRef=")).next().and_then(decode);
    let given = given.filter(|reference| !reference.is_empty());
    given.map(Into::into).ok_or_else(|| failed(400, "sourceRef query parameter required"))
}

fn is_online(at: UnixMillis, now: UnixMillis) -> bool {
    at.is_known() && now.is_known() && now.0.saturating_sub(at.0) <= ONLINE_MS
}

/// Reads what was checked when it was chosen.
fn saved_groups(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let _ = json::items::<JsonError>(text, |item| {
        let id = json::member(item, "id").and_then(json::string).unwrap_or_default().into_owned();
        let mut sources = Vec::new();
        let _ = json::items::<JsonError>(json::member(item, "sources").unwrap_or("[]"), |source| {
            sources.extend(json::string(source).map(String::from));
            Ok(())
        });
        let is_off = json::member(item, "inactive") == Some("true");
        groups.push(Group { saved: Some((id, is_off)), sources, ..Group::default() });
        Ok(())
    });
    groups
}

/// Puts a path into the group of its sources, and groups that share one together.
fn join(groups: &mut Vec<Group>, path: &str, sources: &[String]) {
    let mut joined = Group::default();
    groups.retain_mut(|group| {
        let shares = group.saved.is_none() && group.sources.iter().any(|source| sources.contains(source));
        if shares {
            joined.sources.append(&mut group.sources);
            joined.paths.append(&mut group.paths);
        }
        !shares
    });
    joined.sources.extend(sources.iter().cloned());
    joined.sources.sort();
    joined.sources.dedup();
    joined.paths.insert(path.to_owned());
    groups.push(joined);
}
