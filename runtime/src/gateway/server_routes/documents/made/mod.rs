//! How the API documents are made, when this crate is built: tables in our own words, and the two forms that tools read.
//!
//! `build.rs` alone compiles this; the gateway has what came out, compressed. A route that is not in [`operations`] and an
//! operation that nothing answers are both found by `tests/api_documents.rs`, which asks a gateway.

mod apps;
mod boat;
mod kind;
mod openapi;
mod operation;
mod parameters;
mod schemas;
mod server;
mod streams;

use serde_json::{Map, Value};

use operation::Api;

/// All that is described, in the order in which it is listed.
fn apis() -> impl Iterator<Item = &'static Api> {
    boat::APIS.iter().chain(apps::APIS).chain(server::APIS)
}

/// What the gateway needs of the documents: all of them as one JSON object, by form and name, and the lists of names and titles.
pub struct Documents {
    /// `{"openapi":{NAME:DOCUMENT},"asyncapi":{NAME:DOCUMENT}}`.
    pub text: String,
    /// Name and title of each OpenAPI document.
    pub openapi: Vec<(String, String)>,
    /// Name and title of each AsyncAPI document.
    pub asyncapi: Vec<(String, String)>,
}

/// Makes the documents of this version of the gateway.
///
/// # Errors
/// What the tables name that is not there.
pub fn documents(version: &str) -> Result<Documents, String> {
    let mut all = Map::new();
    let (mut openapi, mut asyncapi) = (Vec::new(), Vec::new());
    let mut of_form = Map::new();
    for api in apis() {
        openapi.push((api.name.to_owned(), api.title.to_owned()));
        of_form.insert(api.name.to_owned(), openapi::document(api, version)?);
    }
    all.insert("openapi".into(), Value::Object(std::mem::take(&mut of_form)));
    for api in streams::APIS {
        asyncapi.push((api.name.to_owned(), api.title.to_owned()));
        of_form.insert(api.name.to_owned(), streams::document(api, version)?);
    }
    all.insert("asyncapi".into(), Value::Object(of_form));
    Ok(Documents { text: Value::Object(all).to_string(), openapi, asyncapi })
}
