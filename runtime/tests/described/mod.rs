//! The operations that the gateway's own API documents describe.
#![allow(dead_code)] // each test file uses its part

use serde_json::{Value, json};
use skiff_runtime::http::Method;

use crate::owned::Owned;

/// A method at an address, as a document describes it.
pub struct Described {
    pub document: String,
    pub method: Method,
    pub path: String,
    pub operation: Value,
    /// All parameters of the document, by name.
    pub parameters: Value,
}

/// Reads all OpenAPI documents.
pub fn operations(gateway: &mut Owned) -> Vec<Described> {
    let mut all = Vec::new();
    for (document, text) in documents(gateway, "openapi") {
        for (path, methods) in text["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters") {
                let method = [Method::Get, Method::Put, Method::Post, Method::Delete]
                    .into_iter()
                    .find(|known| known.to_string().eq_ignore_ascii_case(method))
                    .expect("a method");
                let parameters = text["components"]["parameters"].clone();
                let (document, path, operation) = (document.clone(), path.clone(), operation.clone());
                all.push(Described { document, method, path, operation, parameters });
            }
        }
    }
    all
}

/// Reads all documents of a form, with their names.
pub fn documents(gateway: &mut Owned, form: &str) -> Vec<(String, Value)> {
    let (status, rows) = gateway.as_owner(Method::Get, &format!("/skServer/{form}"), &json!({}));
    assert_eq!(status, 200);
    let mut read = |row: &Value| {
        let (status, text) = gateway.as_owner(Method::Get, row["jsonUrl"].as_str().unwrap(), &json!({}));
        assert_eq!(status, 200, "{row}");
        (row["name"].as_str().unwrap().to_owned(), text)
    };
    rows.as_array().unwrap().iter().map(&mut read).collect()
}

/// Tells whether an address is one of a described path.
pub fn is_of(path: &str, target: &str) -> bool {
    let target = target.split('?').next().unwrap_or(target);
    let (path, target): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), target.split('/').collect());
    path.len() == target.len() && path.iter().zip(&target).all(|(one, other)| one.starts_with('{') || one == other)
}
