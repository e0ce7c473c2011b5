//! The form that OpenAPI 3.1 gives to an API.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::kind;
use super::operation::{Api, Needs, Operation};
use super::parameters::{PARAMETERS, Parameter};
use super::schemas::SCHEMAS;

/// Returns the document of an API.
///
/// # Errors
/// What the tables name that is not there.
pub fn document(api: &Api, version: &str) -> Result<Value, String> {
    let mut paths: Map<String, Value> = Map::new();
    let mut parameters = BTreeSet::new();
    let mut schemas = BTreeSet::from(["Refused"]);
    for operation in api.operations {
        let of_path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if of_path.get("parameters").is_none() && operation.path.contains('{') {
            let names: Vec<&str> = in_path(operation.path).collect();
            of_path["parameters"] = names.iter().map(|name| reference("parameters", name)).collect();
            parameters.extend(names);
        }
        if of_path.get(operation.method).is_some() {
            return Err(format!("{} {} stands there twice", operation.method, operation.path));
        }
        parameters.extend(operation.query);
        schemas.extend([operation.takes, operation.gives].into_iter().filter_map(kind::name_in));
        of_path[operation.method] = described(operation)?;
    }
    let mut of_parameters = Map::new();
    for name in parameters {
        let row = PARAMETERS.iter().find(|row| row.name == name).ok_or_else(|| format!("no parameter {name}"))?;
        of_parameters.insert(name.to_owned(), parameter(row)?);
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": { "title": api.title, "version": version, "description": api.says },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "parameters": of_parameters,
            "schemas": with_those_below(schemas)?,
            "responses": { "Refused": {
                "description": "Why not: 400 the request, 401 or 403 who asks, 404 what is asked for, 501 what is not here or off",
                "content": { "application/json": { "schema": kind::schema("Refused", false)? } },
            } },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A token of a login, of a device, or made by the owner" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "skiff-session", "description": "The session of a browser" },
            },
        },
    }))
}

fn described(operation: &Operation) -> Result<Value, String> {
    let Operation { method, path, says, needs, query, takes, status, also, gives } = *operation;
    let mut answer = json!({ "description": if gives.is_empty() { "Done" } else { "As asked" } });
    if let Some((_, media)) = MEDIA.iter().find(|(name, _)| *name == gives) {
        answer["content"] = json!({ (*media): {} });
    } else if !gives.is_empty() {
        answer["content"] = json!({ "application/json": { "schema": kind::schema(gives, false)? } });
    }
    let mut described = json!({
        "operationId": id(method, path),
        "summary": says,
        "responses": { (status.to_string()): answer, "default": reference("responses", "Refused") },
        "security": match needs {
            Needs::Nothing => json!([{}]),
            // A guest may be one who may read.
            Needs::Read => json!([{}, { "bearer": ["readonly"] }, { "cookie": ["readonly"] }]),
            Needs::Role(role) => json!([{ "bearer": [role] }, { "cookie": [role] }]),
        },
    });
    if also != 0 {
        described["responses"][also.to_string()] = described["responses"][status.to_string()].clone();
    }
    if !query.is_empty() {
        described["parameters"] = query.iter().map(|name| reference("parameters", name)).collect();
    }
    if let Some((_, media)) = MEDIA.iter().find(|(name, _)| *name == takes) {
        described["requestBody"] = json!({ "required": true, "content": { (*media): {} } });
    } else if !takes.is_empty() {
        let schema = kind::schema(takes, false)?;
        described["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    Ok(described)
}

/// Bodies that are no JSON.
const MEDIA: [(&str, &str); 4] =
    [("zip", "application/zip"), ("tgz", "application/gzip"), ("page", "text/html"), ("plain", "text/plain")];

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn in_path(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn parameter(row: &Parameter) -> Result<Value, String> {
    let mut schema = kind::schema(row.kind, false)?;
    schema["examples"] = json!([row.example]);
    let mut out = json!({ "name": row.name, "in": if row.of_query { "query" } else { "path" }, "description": row.says, "schema": schema });
    if !row.of_query {
        out["required"] = true.into();
    }
    Ok(out)
}

/// Returns schemas by name, with those that their members are of.
fn with_those_below(wanted: BTreeSet<&'static str>) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    let mut open: Vec<&str> = wanted.into_iter().collect();
    while let Some(name) = open.pop() {
        if out.contains_key(name) {
            continue;
        }
        out.insert(name.to_owned(), kind::named(name, false)?);
        let members = SCHEMAS.iter().filter(|(known, ..)| *known == name).flat_map(|(.., members)| members.iter());
        open.extend(members.filter_map(|(_, kind, _)| kind::name_in(kind)));
    }
    Ok(out)
}

/// Returns a name for programs: method and address in one word, `getVesselsSelfNavigationCourse`.
fn id(method: &str, path: &str) -> String {
    let words = path
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !matches!(*word, "" | "signalk" | "api"));
    words.fold(method.to_owned(), |id, word| {
        let (first, rest) = word.split_at(1);
        id + &first.to_ascii_uppercase() + rest
    })
}
