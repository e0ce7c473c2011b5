//! `/skServer/appstore/…`, `/skServer/backup` and its neighbours, `/skiff/v1/webapps`: as Signal K's server has them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::Gateway;
use super::appstore::Job;
use super::users_http::Answered;
use crate::hal::Key;
use crate::http::{Method, Request};
use crate::json;
use crate::package::{Asks, apps, check_name, plugin_id};
use crate::plugin::ExchangeId;
use crate::server::url::decode;
use crate::server::{Response, multipart};

/// Bytes of a version; semver.org says nothing of a limit, npm's is 256.
const VERSION_BYTES_MAX: usize = 256;

impl Gateway {
    /// Answers what is asked about the store, backups and web apps; `address` is whole. `None` for everything else.
    pub(super) fn store_request(
        &mut self,
        address: &[&str],
        request: &Request,
        exchange: ExchangeId,
    ) -> Option<Answered> {
        let reads = request.method.is_read();
        let posts = request.method == Method::Post;
        let allow = |methods| Some(Answered::Now(Response::method_not_allowed(methods)));
        let asked = match address {
            ["skServer", "appstore", what, name @ ..] => {
                let Some(name) = package_name(name, *what == "install") else { return Some(Answered::Now(no_name())) };
                let PackageName { name, version } = name;
                match *what {
                    "available" | "plugin" | "datasize" | "installLog" if !reads => return allow("GET, HEAD"),
                    "install" | "remove" | "refresh" | "install-with-deps" if !posts => return allow("POST"),
                    "available" => self.offers(exchange),
                    "plugin" => self.detail(&name, exchange),
                    "datasize" => Err(self.data_size(&plugin_id(&name))),
                    "installLog" => Err(self.install_log(&name)),
                    "refresh" => {
                        self.store.fresh = true;
                        Err(Response::json(200, json::object(|out| _ = out.boolean("ok", true))))
                    }
                    "install" => Err(self.install_named(&name, &version)),
                    "install-with-deps" => Err(self.install_by_body(request)),
                    "remove" => Err(self.remove_named(&name, request)),
                    _ => Err(Response::unclaimed()),
                }
            }
            ["skServer", "backup"] if !reads => return allow("GET, HEAD"),
            ["skServer", "validateBackup" | "restore"] if !posts => return allow("POST"),
            ["skServer", "backup"] => {
                let packages = request.query().split('&').any(|pair| pair == "includePlugins=true");
                self.backup(packages, exchange)
            }
            ["skServer", "validateBackup"] => match multipart::file(request) {
                Some(archive) => self.examine(archive.to_vec(), exchange),
                None => Err(Response::error(400, "the body must be a backup, as it is or as a file of a form")),
            },
            ["skServer", "restore"] => match wanted(&request.body) {
                Some(names) => self.restore(names, exchange),
                None => Err(Response::error(400, "the body must be an object of names, each true or false")),
            },
            ["skiff", "v1", "webapps"] if reads => Err(Response::json(200, self.web_app_rows())),
            ["skiff", "v1", "webapps"] => return allow("GET, HEAD"),
            ["skiff", "v1", "webapps", id] if posts => Err(self.serve_web_app(id, request)),
            ["skiff", "v1", "webapps", _] => return allow("POST"),
            _ => return None,
        };
        Some(asked.map_or_else(Answered::Now, |()| Answered::Later))
    }

    /// Queues a version of a package.
    fn install_named(&mut self, name: &str, version: &str) -> Response {
        // What is no version would stand in an address of the registry.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+');
        let begins = version.as_bytes().first().is_some_and(u8::is_ascii_digit);
        if !begins || version.len() > VERSION_BYTES_MAX || !version.bytes().all(is_plain) {
            return Response::error(400, "version must be valid semver");
        }
        let job = Job { name: name.to_string(), version: Some(version.to_string()), with_data: false };
        match self.queue_job(job) {
            Ok(()) => Response::json(200, json::quoted(&["Installing ", name, "..."].concat())),
            Err(refused) => refused,
        }
    }

    /// The same, as the page of one package asks for it: `{name, version}`. What it recommends or wants beside it is for
    /// the owner to choose.
    fn install_by_body(&mut self, request: &Request) -> Response {
        let text = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
        let text = text.unwrap_or_default();
        let string = |name: &str| json::member(&text, name).and_then(json::string).map(|text| text.to_string());
        let (Some(name), Some(version)) = (string("name"), string("version")) else {
            return Response::error(400, "name and version are required");
        };
        if check_name(&name).is_err() {
            return no_name();
        }
        let response = self.install_named(&name, &version);
        if response.status != 200 {
            return response;
        }
        Response::json(200, json::object(|out| _ = out.list("queued", |list| _ = list.text(&name))))
    }

    /// Queues the removal of a package; with `{"deleteData":true}` its configuration and files go, too.
    fn remove_named(&mut self, name: &str, request: &Request) -> Response {
        let text = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
        let with_data = text.as_deref().and_then(|text| json::member(text, "deleteData")) == Some("true");
        match self.queue_job(Job { name: name.to_string(), version: None, with_data }) {
            Ok(()) => Response::json(200, json::quoted(&["Removing ", name, "..."].concat())),
            Err(refused) => refused,
        }
    }

    fn install_log(&self, name: &str) -> Response {
        let Some(ended) = self.store.ended(name) else {
            return Response::error(404, "nothing was installed or removed under this name since the start");
        };
        let body = json::object(|out| {
            out.text("name", name).text_or_null("version", ended.job.version.as_deref());
            out.boolean("isRemove", ended.job.version.is_none()).number("code", u8::from(ended.failed));
            out.text("log", &ended.log);
        });
        Response::json(200, body)
    }

    /// Visits the records that belong to a plugin: its configuration and its own files.
    fn data_of(&mut self, id: &str) -> Vec<(Key, u32)> {
        let (file, folder) = (["plugin-config-data/", id, ".json"].concat(), ["plugin-config-data/", id, "/"].concat());
        let mut found = Vec::new();
        let listed = self.hal.storage.list(&["plugin-config-data/", id].concat(), &mut |key, bytes| {
            if key.as_str() == file || key.as_str().starts_with(&folder) {
                found.push((key.clone(), bytes));
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = listed {
            log::warn!("plugin-config-data: {error}");
        }
        found
    }

    fn data_size(&mut self, id: &str) -> Response {
        let found = self.data_of(id);
        let bytes = found.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(u64::from(*bytes)));
        let body = json::object(|out| {
            out.number("totalBytes", bytes).number("fileCount", found.len()).boolean("hasData", bytes > 0);
        });
        Response::json(200, body)
    }

    /// Removes what belongs to a plugin that is gone.
    pub(super) fn remove_data(&mut self, id: &str) {
        for (key, _) in self.data_of(id) {
            if let Err(error) = self.hal.storage.remove(&key) {
                log::warn!("{}: not removed: {error}", key.as_str());
            }
        }
    }

    /// Lists the web apps without a plugin that were installed here.
    fn web_app_rows(&mut self) -> String {
        let storage = &mut *self.hal.storage;
        let found = apps::list(storage).into_iter();
        let found: Vec<_> = found.map(|app| (apps::is_granted(storage, &app.name), app)).collect();
        json::list(|list| {
            for (is_granted, app) in found {
                list.object(|out| {
                    out.text("id", &app.id()).text("name", &app.name).text("packageName", &app.name);
                    out.text("version", &app.version).text("state", if is_granted { "enabled" } else { "disabled" });
                    out.boolean("webapp", true);
                    let missing = if is_granted { Asks::NONE } else { Asks::WEB_APP };
                    out.list("asks", |names| missing.list(names));
                });
            }
        })
    }

    /// Has a web app served, or no longer: `{"enabled":true}` with `?grant=webapp`.
    fn serve_web_app(&mut self, id: &str, request: &Request) -> Response {
        let app = decode(id).and_then(|id| apps::find(&mut *self.hal.storage, &id));
        let Some(app) = app else { return Response::error(404, "there is no such web app") };
        let text = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
        let enabled = text.as_deref().and_then(|text| json::member(text, "enabled"));
        let grant = match super::install::granted(request) {
            Ok(grant) => grant.unwrap_or_default(),
            Err(refused) => return refused,
        };
        let is_granted = apps::is_granted(&mut *self.hal.storage, &app.name);
        let changed = match enabled {
            Some("true") if is_granted => Ok(()),
            Some("true") if grant.within(Asks::WEB_APP).is_empty() => {
                return Response::asks("the web app is served once that is granted", Asks::WEB_APP);
            }
            Some("true") => self.grant(&app.name, Asks::WEB_APP),
            Some("false") => self.take_grant(&app.name, Asks::WEB_APP),
            _ => return Response::error(400, "enabled must be true or false"),
        };
        match changed {
            Ok(()) => super::access_http::said("saved"),
            Err(refused) => refused,
        }
    }
}

struct PackageName {
    name: String,
    version: String,
}

/// Reads `[scope/]name[/version]` as it stands in an address; a scope can also be coded as one segment with its name.
fn package_name(segments: &[&str], has_version: bool) -> Option<PackageName> {
    let mut parts = Vec::new();
    for segment in segments {
        parts.extend(decode(segment)?.split('/').map(str::to_string));
    }
    let version = if has_version { parts.pop()? } else { String::new() };
    if parts.is_empty() {
        // What is asked of the store as a whole.
        return (!has_version).then(|| PackageName { name: String::new(), version });
    }
    let name = parts.join("/");
    check_name(&name).is_ok().then_some(PackageName { name, version })
}

fn no_name() -> Response {
    Response::error(400, "that is no name of a package")
}

/// Reads `{"settings.json":true,…}`: the names that are true.
fn wanted(body: &[u8]) -> Option<Vec<String>> {
    let text = json::compact(core::str::from_utf8(body).ok()?).ok()?;
    let mut names = Vec::new();
    json::members::<json::JsonError>(&text, |name, value| {
        if value == "true" {
            names.push(name.to_string());
        }
        Ok(())
    })
    .ok()?;
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_as_pages_do() {
        let read = |segments: &[&str], has_version| {
            package_name(segments, has_version).map(|found| (found.name, found.version))
        };
        let kip = Some(("@mxtommy/kip".to_string(), "4.8.5".to_string()));
        assert_eq!(read(&["@mxtommy", "kip", "4.8.5"], true), kip);
        assert_eq!(read(&["%40mxtommy%2Fkip", "4.8.5"], true), kip);
        assert_eq!(read(&["tide"], false), Some(("tide".into(), String::new())));
        assert_eq!(read(&[], false), Some((String::new(), String::new())));
        for wrong in [&["..", "x"][..], &["a", "b", "c"], &["%ff"], &["A"], &["%2e%2e%2fx"]] {
            assert_eq!(read(wrong, false), None, "{wrong:?}");
        }
        assert_eq!(read(&[], true), None);
    }

    #[test]
    fn what_is_true_is_wanted() {
        let body = br#"{"settings.json":true,"node_modules/":false,"skiff/":true}"#;
        assert_eq!(wanted(body).unwrap(), ["settings.json", "skiff/"]);
        assert_eq!(wanted(b"[]"), None);
    }
}
