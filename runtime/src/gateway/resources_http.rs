//! The gateway's own provider of resources: it answers the questions that plugins are asked (plugin ABI §10.1), from files.
//!
//! Plugins come first: a write goes here where no plugin stands behind the type, or the operator chose so. Reads ask all.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Gateway;
use crate::config::{ConfigError, FILE_BYTES_MAX, PluginConfig};
use crate::hal::{Storage, StorageError};
use crate::host::Call;
use crate::http::{Method, Request};
use crate::json::{self, JsonError};
use crate::plugin::Reply;
use crate::server::Response;
use crate::server::providers::{self, OwnProvider, Question};
use crate::stores::resources::{self, KINDS_MAX, ResourceError, SOURCE};
use crate::stores::{Search, Tree};
use skiff_abi::export;

/// Files of which it was told that they are damaged.
const TOLD_MAX: usize = 256;
/// The type whose resources lie in a folder of their own, too.
const CHARTS: &str = "charts";

/// Id and JSON of each chart in the chart folder, which the HAL looks through.
pub type ChartList = Box<dyn FnMut() -> Vec<(String, String)>>;

/// What the provider knows beside its files; `None` until [`Gateway::keep_resources`].
#[derive(Default)]
pub(super) struct OwnResources(Option<Kept>);

struct Kept {
    provider: OwnProvider,
    charts: ChartList,
    told: BTreeSet<String>,
}

/// Why a question was not answered.
enum Refusal {
    Store(ResourceError),
    /// A chart of the chart folder is changed there.
    InFolder,
}

impl From<ResourceError> for Refusal {
    fn from(error: ResourceError) -> Self {
        Self::Store(error)
    }
}

impl Refusal {
    /// Returns the refusal as the resources API takes it: `{"error","statusCode"}`.
    fn text(&self) -> String {
        let (status, clause) = match self {
            Self::InFolder => (405_u16, "the chart lies in the folder charts; it is changed and removed there".into()),
            Self::Store(error) => {
                let status = match error {
                    ResourceError::TooLong { .. } | ResourceError::LongListing => 413,
                    ResourceError::TooMany { .. }
                    | ResourceError::NoRoom { .. }
                    | ResourceError::Storage(StorageError::Full) => 507,
                    ResourceError::Name => 400,
                    ResourceError::Storage(_) => 500,
                };
                (status, error.to_string())
            }
        };
        json::object(|refusal| {
            refusal.text("error", &clause).number("statusCode", status);
        })
    }
}

impl Gateway {
    /// Keeps resources in files from now on, as the provider `resources-provider`; `charts` lists those of the chart folder.
    pub fn keep_resources(&mut self, charts: ChartList) {
        let storage = &mut *self.hal.storage;
        let kinds = known_kinds(storage);
        self.resources =
            OwnResources(Some(Kept { provider: OwnProvider { id: SOURCE, kinds }, charts, told: BTreeSet::new() }));
    }

    /// Returns the provider as the resources API lists it.
    pub(super) fn own_provider(&self) -> OwnProvider {
        self.resources.0.as_ref().map(|kept| kept.provider.clone()).unwrap_or_default()
    }

    /// Answers a question that is for the gateway itself; `None` where it is for a plugin.
    pub(super) fn own_reply(&mut self, question: &Question) -> Option<Reply> {
        let Call::Provider { export, request } = &question.call else { return None };
        let kept = self.resources.0.as_mut().filter(|kept| kept.provider.id == question.package)?;
        let text = |name: &str| json::member(request, name).and_then(json::string).unwrap_or_default();
        let (kind, id) = (&*text("resourceType"), &*text("id"));
        let storage = &mut *self.hal.storage;
        let now = self.hal.clock.wall().unwrap_or(crate::time::UnixMillis::UNKNOWN);
        let answer = match *export {
            export::RESOURCES_LIST => {
                let boat = self.model.position_of(&self.setup.self_context);
                kept.list(storage, kind, &Search::parse(request, boat)).map(Some)
            }
            export::RESOURCES_GET => kept.get(storage, kind, id, &text("property")),
            export::RESOURCES_SET => {
                kept.set(storage, kind, id, json::member(request, "value").unwrap_or_default(), now).map(|()| None)
            }
            export::RESOURCES_DELETE => kept.delete(storage, kind, id).map(|()| None),
            _ => return None,
        };
        Some(Reply::Text(answer.unwrap_or_else(|refusal| Some(refusal.text()))))
    }

    /// Answers what Signal K Server's provider has below `/plugins/resources-provider`: types of an app's own are listed, made
    /// and forgotten there. `None` for every other plugin.
    pub(super) fn own_plugin(&mut self, id: &str, what: &str, request: &Request) -> Option<Response> {
        let kept = self.resources.0.as_mut().filter(|kept| kept.provider.id == id)?;
        let storage = &mut *self.hal.storage;
        let answer = match (what.strip_prefix("/_config")?.trim_matches('/'), request.method) {
            ("", Method::Get | Method::Head) => {
                custom_kinds(storage).map(|custom| Response::json(200, config_text(&custom)))
            }
            ("", _) => Ok(Response::method_not_allowed("GET, HEAD")),
            (kind, Method::Post) => kept.add_kind(storage, kind, request),
            (kind, Method::Delete) => kept.forget_kind(storage, kind),
            _ => Ok(Response::method_not_allowed("POST, DELETE")),
        };
        Some(answer.unwrap_or_else(|error| providers::failed(500, &error.to_string())))
    }
}

impl Kept {
    /// Tells of a damaged file, once.
    fn tell(told: &mut BTreeSet<String>, name: &str) {
        if told.len() < TOLD_MAX && told.insert(name.into()) {
            log::warn!(
                "{name} is no resource, a JSON object of at most {} bytes; it is left out",
                resources::RESOURCE_BYTES_MAX
            );
        }
    }

    fn list(&mut self, storage: &mut dyn Storage, kind: &str, search: &Search) -> Result<String, Refusal> {
        let charts = if kind == CHARTS { (self.charts)() } else { Vec::new() };
        let told = &mut self.told;
        Ok(resources::list(storage, kind, search, &charts, &mut |name| Self::tell(told, name))?)
    }

    fn get(
        &mut self,
        storage: &mut dyn Storage,
        kind: &str,
        id: &str,
        property: &str,
    ) -> Result<Option<String>, Refusal> {
        let told = &mut self.told;
        let stored = resources::read(storage, kind, id, &mut |name| Self::tell(told, name))?;
        let found = stored.or_else(|| self.chart(kind, id));
        Ok(found.and_then(|found| if property.is_empty() { Some(found) } else { part(&found, property) }))
    }

    /// Returns a chart of the chart folder.
    fn chart(&mut self, kind: &str, id: &str) -> Option<String> {
        let charts = if kind == CHARTS { (self.charts)() } else { Vec::new() };
        charts.into_iter().find(|(known, _)| known == id).map(|(_, chart)| chart)
    }

    fn set(
        &mut self,
        storage: &mut dyn Storage,
        kind: &str,
        id: &str,
        value: &str,
        now: crate::time::UnixMillis,
    ) -> Result<(), Refusal> {
        if self.chart(kind, id).is_some() {
            return Err(Refusal::InFolder);
        }
        Ok(resources::save(storage, kind, id, value, now)?)
    }

    fn delete(&mut self, storage: &mut dyn Storage, kind: &str, id: &str) -> Result<(), Refusal> {
        if self.chart(kind, id).is_some() {
            return Err(Refusal::InFolder);
        }
        Ok(resources::delete(storage, kind, id)?)
    }

    fn add_kind(&mut self, storage: &mut dyn Storage, kind: &str, request: &Request) -> Result<Response, ConfigError> {
        if !resources::is_kind(kind) {
            return Ok(providers::failed(400, "the name of a collection has up to 32 letters, digits, _ and -"));
        }
        let mut custom = custom_kinds(storage)?;
        let known = |name: &str| name.eq_ignore_ascii_case(kind);
        if custom.iter().any(|(name, _)| known(name)) || resources::STANDARD_KINDS.iter().any(|name| known(name)) {
            return Ok(providers::failed(400, "there is a collection of this name already"));
        }
        if self.provider.kinds.len() >= KINDS_MAX {
            return Ok(providers::failed(507, "there are 32 collections already"));
        }
        let body =
            core::str::from_utf8(&request.body).ok().and_then(|body| json::compact(body).ok()).unwrap_or_default();
        let description = json::member(&body, "description").and_then(json::string).map(Cow::into_owned);
        custom.push((kind.into(), description.unwrap_or_default()));
        save_custom_kinds(storage, &custom)?;
        self.provider.kinds = known_kinds(storage);
        Ok(providers::state(200, "COMPLETED", "OK"))
    }

    /// Forgets a type; its files stay.
    fn forget_kind(&mut self, storage: &mut dyn Storage, kind: &str) -> Result<Response, ConfigError> {
        let mut custom = custom_kinds(storage)?;
        let before = custom.len();
        custom.retain(|(name, _)| !name.eq_ignore_ascii_case(kind));
        if custom.len() == before {
            return Ok(providers::failed(400, "there is no collection of this name"));
        }
        save_custom_kinds(storage, &custom)?;
        self.provider.kinds = known_kinds(storage);
        Ok(providers::state(200, "COMPLETED", "OK"))
    }
}

/// Returns `{"value","timestamp","$source"}` of a member of a resource, as Signal K Server's provider does.
fn part(resource: &str, property: &str) -> Option<String> {
    let path: Vec<&str> = property.split('.').collect();
    let value = Tree::parse(resource).ok()?.at(&path)?.text();
    Some(json::object(|out| {
        out.json("value", &value);
        for name in ["timestamp", "$source"] {
            if let Some(member) = json::member(resource, name) {
                out.json(name, member);
            }
        }
    }))
}

/// Returns the types: the standard ones, those that have files, those that apps made.
fn known_kinds(storage: &mut dyn Storage) -> Vec<String> {
    let mut kinds = resources::kinds(storage).unwrap_or_else(|error| {
        log::warn!("resources are not listed: {error}");
        resources::STANDARD_KINDS.iter().map(ToString::to_string).collect()
    });
    let custom = custom_kinds(storage).unwrap_or_else(|error| {
        log::warn!("types of resources not read: {error}");
        Vec::new()
    });
    for (name, _) in custom {
        if kinds.len() < KINDS_MAX && !kinds.contains(&name) {
            kinds.push(name);
        }
    }
    kinds
}

/// Reads the types that apps made, with what they are for: `plugin-config-data/resources-provider.json`, Signal K Server's
/// file, has them.
fn custom_kinds(storage: &mut dyn Storage) -> Result<Vec<(String, String)>, ConfigError> {
    let stored = PluginConfig::load(storage, SOURCE, FILE_BYTES_MAX)?.and_then(|config| config.configuration);
    let mut custom = Vec::new();
    let list = stored.as_deref().and_then(|stored| json::member(stored, "custom")).unwrap_or("[]");
    // What is no list of objects has no types.
    let _ = json::items::<JsonError>(list, |item| {
        let text = |name: &str| json::member(item, name).and_then(json::string).map(Cow::into_owned);
        if let Some(name) = text("name").filter(|name| custom.len() < KINDS_MAX && resources::is_kind(name)) {
            custom.push((name, text("description").unwrap_or_default()));
        }
        Ok(())
    });
    Ok(custom)
}

fn save_custom_kinds(storage: &mut dyn Storage, custom: &[(String, String)]) -> Result<(), ConfigError> {
    let mut config = PluginConfig::load(storage, SOURCE, FILE_BYTES_MAX)?.unwrap_or_default();
    let before = config.configuration.take().unwrap_or_else(|| config_text(&[]));
    config.configuration = Some(json::with_member(&before, "custom", &custom_text(custom)));
    config.enabled = config.enabled.or(Some(true));
    config.save(storage, SOURCE)
}

fn custom_text(custom: &[(String, String)]) -> String {
    json::list(|rows| {
        for (name, description) in custom {
            rows.object(|row| {
                row.text("name", name).text("description", description);
            });
        }
    })
}

/// Returns the configuration as Signal K Server's provider tells it.
fn config_text(custom: &[(String, String)]) -> String {
    json::object(|config| {
        config.object("standard", |standard| {
            for kind in resources::STANDARD_KINDS {
                standard.boolean(kind, true);
            }
        });
        config.json("custom", &custom_text(custom));
    })
}
