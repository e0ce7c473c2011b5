//! Kinds of values in a word: `text`, `time`, `number`, `whole`, `flag`, `object`, `any`, words `a|b`, the name of a schema; `[]`
//! behind it is a list of them, `{}` an object of them by name.

use serde_json::{Value, json};

use super::schemas::SCHEMAS;

/// Returns the JSON schema of a kind; `whole` puts named schemas in place, else there is a reference to them.
///
/// # Errors
/// The kind that is none.
pub fn schema(kind: &str, whole: bool) -> Result<Value, String> {
    if let Some(of) = kind.strip_suffix("[]") {
        return Ok(json!({ "type": "array", "items": schema(of, whole)? }));
    }
    if let Some(of) = kind.strip_suffix("{}") {
        return Ok(json!({ "type": "object", "additionalProperties": schema(of, whole)? }));
    }
    if kind.contains('|') {
        return Ok(json!({ "type": "string", "enum": kind.split('|').collect::<Vec<_>>() }));
    }
    Ok(match kind {
        "any" => json!({}),
        "object" => json!({ "type": "object" }),
        "text" => json!({ "type": "string" }),
        "time" => json!({ "type": "string", "format": "date-time" }),
        "number" => json!({ "type": "number" }),
        "whole" => json!({ "type": "integer" }),
        "flag" => json!({ "type": "boolean" }),
        name if !SCHEMAS.iter().any(|(known, ..)| *known == name) => return Err(format!("no schema {name}")),
        name if whole => named(name, true)?,
        name => json!({ "$ref": format!("#/components/schemas/{name}") }),
    })
}

/// Returns a schema of the table.
///
/// # Errors
/// The name that is none.
pub fn named(name: &str, whole: bool) -> Result<Value, String> {
    let found = SCHEMAS.iter().find(|(known, ..)| *known == name);
    let (_, says, members) = found.ok_or_else(|| format!("no schema {name}"))?;
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for (member, kind, says) in *members {
        let name = member.strip_suffix('?').unwrap_or_else(|| {
            required.push(*member);
            member
        });
        let mut property = schema(kind, whole)?;
        if !says.is_empty() {
            property["description"] = (*says).into();
        }
        properties.insert(name.to_owned(), property);
    }
    let mut schema = json!({ "type": "object", "description": says, "properties": properties });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    Ok(schema)
}

/// Returns the name of the schema in a kind, if there is one.
pub fn name_in(kind: &str) -> Option<&str> {
    let kind = kind.trim_end_matches("[]").trim_end_matches("{}");
    SCHEMAS.iter().map(|(known, ..)| *known).find(|known| *known == kind)
}
