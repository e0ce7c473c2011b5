//! `/signalk/v1/applicationData`: documents that apps keep, for all or for a user.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::Gateway;
use crate::http::{Method, Request};
use crate::json;
use crate::server::Response;
use crate::stores::{self, AppId, EditError, FILE_BYTES_MAX, Owner, Place, StoreError, Tree, Version};

impl Gateway {
    /// Answers what is asked for below `/signalk/v1/applicationData`; `None` where nothing is.
    pub(super) fn app_data(&mut self, below: &[Cow<'_, str>], request: &Request) -> Option<Response> {
        let below: Vec<&str> = below.iter().map(|segment| &**segment).collect();
        let [scope, app, rest @ ..] = below.as_slice() else { return None };
        let name = self.setup.access.name(request, self.wall()).map(ToString::to_string);
        let owner = match (*scope, &name) {
            ("global", _) => Owner::Global,
            ("user", Some(name)) => Owner::User(name),
            // Where anyone may read, nobody is a user yet.
            ("user", None) => return Some(Response::error(401, "a token is needed for what is a user's own")),
            _ => return None,
        };
        let Some(app) = AppId::parse(app) else { return Some(Response::error(400, "invalid application id")) };
        let Some((version, path)) = rest.split_first() else { return Some(self.app_versions(owner, app, request)) };
        let Some(version) = Version::parse(version) else {
            return Some(Response::error(400, "invalid application version"));
        };
        let Some(place) = Place::of(owner, app, &version) else {
            return Some(Response::error(400, "this user's name cannot be that of a folder"));
        };
        let path = match stores::segments(path) {
            Ok(path) => path,
            Err(error) => return Some(refused(&error)),
        };
        Some(match request.method {
            Method::Get | Method::Head => self.app_document(&place, &path, request),
            Method::Post => self.change_app_document(&place, &path, request),
            _ => Response::method_not_allowed("GET, HEAD, POST"),
        })
    }

    fn app_versions(&mut self, owner: Owner<'_>, app: AppId<'_>, request: &Request) -> Response {
        if !request.method.is_read() {
            return Response::method_not_allowed("GET, HEAD");
        }
        match stores::versions(&mut *self.hal.storage, owner, app) {
            Ok(versions) if versions.is_empty() => Response::error(404, "the app has no documents"),
            Ok(versions) => Response::json(200, json::list(|out| versions.iter().for_each(|name| _ = out.text(name)))),
            Err(error) => failed(&error),
        }
    }

    fn app_document(&mut self, place: &Place, path: &[&str], request: &Request) -> Response {
        let document = match stores::load(&mut *self.hal.storage, place) {
            Ok(document) => document,
            Err(error) => return failed(&error),
        };
        // A name with dots is found as it stands, too.
        let whole = path.join(".");
        let found = document.at(&[&whole]).filter(|_| !path.is_empty()).or_else(|| document.at(path));
        let keys = request.query().split('&').any(|parameter| parameter == "keys=true");
        match found.and_then(|found| if keys { found.keys() } else { Some(found.text()) }) {
            Some(text) => Response::json(200, text),
            None => Response::error(404, "the document has nothing there"),
        }
    }

    fn change_app_document(&mut self, place: &Place, path: &[&str], request: &Request) -> Response {
        if u32::try_from(request.body.len()).map_or(true, |bytes| bytes > FILE_BYTES_MAX) {
            return failed(&StoreError::TooLong);
        }
        let body = match core::str::from_utf8(&request.body).ok().map(Tree::parse) {
            Some(Ok(body)) => body,
            Some(Err(error)) => return Response::error(400, &error.to_string()),
            None => return Response::error(400, "the body is no UTF-8"),
        };
        let storage = &mut *self.hal.storage;
        let document = match (path, body) {
            ([], body @ (Tree::Object(_) | Tree::Leaf(_))) => Ok(Ok(body)),
            ([], patch) => {
                stores::load(storage, place).map(|mut document| stores::apply(&mut document, &patch).map(|()| document))
            }
            (path, body) => {
                stores::load(storage, place).map(|mut document| document.set(path, body).map(|()| document))
            }
        };
        match document {
            Err(error) => failed(&error),
            Ok(Err(error)) => refused(&error),
            Ok(Ok(document)) => match stores::save(storage, place, &document) {
                Ok(()) => Response::json(200, json::quoted("ApplicationData saved")),
                Err(error) => failed(&error),
            },
        }
    }
}

fn refused(error: &EditError) -> Response {
    Response::error(if *error == EditError::TooMuch { 413 } else { 400 }, &error.to_string())
}

fn failed(error: &StoreError) -> Response {
    let status = match error {
        StoreError::TooLong => 413,
        StoreError::NoRoom(_) | StoreError::Storage(crate::hal::StorageError::Full) => 507,
        _ => 500,
    };
    Response::error(status, &error.to_string())
}
