//! Whether a configuration fits the JSON Schema that its plugin tells (plugin ABI §6.3).
//!
//! Schemas of plugins are written for a form, and the plugins are more lenient than they: what is in doubt fits. Read are
//! `type`, `enum`, `const`, `required`, `properties`, `items` (one schema for all), `minimum`, `maximum`,
//! `exclusiveMinimum`, `exclusiveMaximum`, `minLength`, `maxLength`, `minItems`, `maxItems`, with the meanings of JSON Schema
//! (draft 7, Validation §6). Every other keyword is ignored. `null` fits everywhere, since forms leave it where a field is
//! empty, and a required member may be missing where the schema has a default for it.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use crate::json::{self, JsonError};

/// Bytes of schema and configuration that are read in one check; what comes later fits. A list of a hundred objects with a
/// schema of 1 KiB takes a tenth of it.
const WORK_BYTES_MAX: usize = 1024 * 1024;
/// Characters of an `enum` that are shown.
const ENUM_SHOWN_MAX: usize = 120;

/// Returns the first thing in `value` that does not fit `schema`, both compact JSON, with its path; `None` where it fits.
#[must_use]
pub fn misfit(schema: &str, value: &str) -> Option<String> {
    let mut check = Check { work_left: WORK_BYTES_MAX };
    check.value(&Place::Root, schema, value).err()
}

/// Where in the configuration something stands.
enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(Self::Root, name) => name.to_string(),
            Self::Member(outer, name) => format!("{}.{name}", outer.path()),
            Self::Item(outer, index) => format!("{}[{index}]", outer.path()),
        }
    }

    fn misfit(&self, clause: &str) -> String {
        match self {
            Self::Root => format!("the configuration {clause}"),
            _ => format!("{} {clause}", self.path()),
        }
    }
}

/// The keywords of one schema that are read, compact JSON.
#[derive(Default)]
struct Keywords<'s> {
    type_: Option<&'s str>,
    enum_: Option<&'s str>,
    const_: Option<&'s str>,
    required: Option<&'s str>,
    properties: Option<&'s str>,
    items: Option<&'s str>,
    /// `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`.
    bounds: [Option<f64>; 4],
    /// `minLength`, `maxLength`, `minItems`, `maxItems`.
    sizes: [Option<f64>; 4],
}

impl<'s> Keywords<'s> {
    fn of(schema: &'s str) -> Self {
        let mut found = Self::default();
        // `true`, and what is no schema at all, has none: everything fits.
        let _ = json::members::<JsonError>(schema, |keyword, value| {
            let [minimum, maximum, above, below] = &mut found.bounds;
            let [length_min, length_max, items_min, items_max] = &mut found.sizes;
            let number = || json::number(value);
            match keyword {
                "type" => found.type_ = Some(value),
                "enum" => found.enum_ = Some(value),
                "const" => found.const_ = Some(value),
                "required" => found.required = Some(value),
                "properties" => found.properties = Some(value),
                "items" => found.items = Some(value),
                // Of an older draft, where an exclusive bound is true or false, that says nothing.
                "minimum" => *minimum = number(),
                "maximum" => *maximum = number(),
                "exclusiveMinimum" => *above = number(),
                "exclusiveMaximum" => *below = number(),
                "minLength" => *length_min = number(),
                "maxLength" => *length_max = number(),
                "minItems" => *items_min = number(),
                "maxItems" => *items_max = number(),
                _ => {}
            }
            Ok(())
        });
        found
    }
}

struct Check {
    work_left: usize,
}

impl Check {
    fn value(&mut self, place: &Place<'_>, schema: &str, value: &str) -> Result<(), String> {
        let Some(left) = self.work_left.checked_sub(schema.len().saturating_add(value.len())) else { return Ok(()) };
        self.work_left = left;
        if value == "null" {
            return Ok(());
        }
        let keywords = Keywords::of(schema);
        if let Some(clause) = keywords.type_.and_then(|names| wrong_type(names, value)) {
            return Err(place.misfit(&clause));
        }
        if let Some(only) = keywords.const_.filter(|only| !is_same(only, value)) {
            return Err(place.misfit(&format!("must be {only}")));
        }
        if let Some(list) = keywords.enum_.filter(|list| !is_among(list, value)) {
            let shown: String = list.chars().take(ENUM_SHOWN_MAX).collect();
            return Err(place.misfit(&format!("must be one of {shown}")));
        }
        let sized = |size: usize, of: &str, bounds: [Option<f64>; 2]| match bounds {
            [Some(least), _] if (size as f64) < least => Err(place.misfit(&format!("must have at least {least} {of}"))),
            [_, Some(most)] if size as f64 > most => Err(place.misfit(&format!("must have at most {most} {of}"))),
            _ => Ok(()),
        };
        let [length_min, length_max, items_min, items_max] = keywords.sizes;
        match value.as_bytes().first() {
            Some(b'{') => self.object(place, &keywords, value),
            Some(b'[') => {
                let count = self.list(place, &keywords, value)?;
                sized(count, "items", [items_min, items_max])
            }
            Some(b'"') => {
                let length = json::string(value).map_or(0, |text| text.chars().count());
                sized(length, "characters", [length_min, length_max])
            }
            _ => number(place, &keywords, value),
        }
    }

    fn object(&mut self, place: &Place<'_>, keywords: &Keywords<'_>, value: &str) -> Result<(), String> {
        let mut members: BTreeMap<String, &str> = BTreeMap::new();
        let _ = json::members::<JsonError>(value, |name, member| {
            members.insert(name.to_string(), member);
            Ok(())
        });
        let properties = keywords.properties.unwrap_or("{}");
        if let Some(list) = keywords.required {
            let has_default = |name: &str| {
                json::member(properties, name).is_some_and(|property| json::member(property, "default").is_some())
            };
            let mut missing = None;
            let _ = json::items::<JsonError>(list, |name| {
                let name = json::string(name).unwrap_or(Cow::Borrowed(""));
                if missing.is_none() && !members.contains_key(&*name) && !has_default(&name) {
                    missing = Some(name.into_owned());
                }
                Ok(())
            });
            if let Some(name) = missing {
                return Err(Place::Member(place, &name).misfit("is required"));
            }
        }
        let mut wrong = Ok(());
        let _ = json::members::<JsonError>(properties, |name, property| {
            if let (Ok(()), Some(member)) = (&wrong, members.get(name)) {
                wrong = self.value(&Place::Member(place, name), property, member);
            }
            Ok(())
        });
        wrong
    }

    fn list(&mut self, place: &Place<'_>, keywords: &Keywords<'_>, value: &str) -> Result<usize, String> {
        let (mut count, mut wrong) = (0, Ok(()));
        let _ = json::items::<JsonError>(value, |item| {
            if let (Ok(()), Some(schema)) = (&wrong, keywords.items) {
                wrong = self.value(&Place::Item(place, count), schema, item);
            }
            count = count.saturating_add(1);
            Ok(())
        });
        wrong.map(|()| count)
    }
}

fn number(place: &Place<'_>, keywords: &Keywords<'_>, value: &str) -> Result<(), String> {
    let Some(value) = json::number(value) else { return Ok(()) };
    let clause = match keywords.bounds {
        [Some(bound), ..] if value < bound => format!("must be at least {bound}"),
        [_, Some(bound), ..] if value > bound => format!("must be at most {bound}"),
        [_, _, Some(bound), _] if value <= bound => format!("must be above {bound}"),
        [_, _, _, Some(bound)] if value >= bound => format!("must be below {bound}"),
        _ => return Ok(()),
    };
    Err(place.misfit(&clause))
}

/// Says which type is wanted where a value has none of those that a schema names.
fn wrong_type(names: &str, value: &str) -> Option<String> {
    let mut wanted: Option<String> = None;
    let mut fits = false;
    let mut name = |name: &str| {
        let Some(name) = json::string(name) else { return };
        fits |= is_of_type(&name, value);
        wanted = Some(wanted.take().map_or_else(|| name.to_string(), |before| format!("{before} or {name}")));
    };
    if names.starts_with('[') {
        let _ = json::items::<JsonError>(names, |item| {
            name(item);
            Ok(())
        });
    } else {
        name(names);
    }
    wanted.filter(|_| !fits).map(|wanted| format!("must be of type {wanted}"))
}

fn is_of_type(name: &str, value: &str) -> bool {
    let first = value.as_bytes().first();
    match name {
        "object" => first == Some(&b'{'),
        "array" => first == Some(&b'['),
        "string" => first == Some(&b'"'),
        "boolean" => json::boolean(value).is_some(),
        "number" => json::number(value).is_some(),
        "integer" => json::number(value).is_some_and(|number| number.fract() == 0.0),
        // Of another draft: nobody knows what is meant.
        other => other != "null",
    }
}

fn is_same(one: &str, other: &str) -> bool {
    let numbers = || Some(json::number(one)? == json::number(other)?);
    one == other || numbers().unwrap_or(false)
}

fn is_among(list: &str, value: &str) -> bool {
    let mut found = false;
    let read = json::items::<JsonError>(list, |item| {
        found |= is_same(item, value);
        Ok(())
    });
    // What is no list rules nothing out.
    found || read.is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type":"object","required":["port","name","unit"],"properties":{
        "port":{"type":"integer","minimum":1,"maximum":65535},
        "name":{"type":"string","minLength":1,"maxLength":3,"format":"hostname"},
        "unit":{"type":"string","enum":["m","ft"],"default":"m"},
        "factor":{"type":["number","boolean"],"exclusiveMinimum":0},
        "list":{"type":"array","maxItems":2,"items":{"type":"object","required":["path"],"properties":{"path":{"type":"string"}}}}}}"#;

    fn said(config: &str) -> Option<String> {
        misfit(&json::compact(SCHEMA).unwrap(), &json::compact(config).unwrap())
    }

    #[test]
    fn what_fits_and_what_is_in_doubt_fits() {
        for config in [
            r#"{"port":3000,"name":"a","unit":"ft","factor":0.1,"list":[{"path":"x"}],"more":{}}"#,
            r#"{"port":3e3,"name":"äöü"}"#,
            r#"{"port":null,"name":null,"unit":null,"factor":true,"list":null}"#,
        ] {
            assert_eq!(said(config), None, "{config}");
        }
        for schema in [
            "{}",
            "true",
            "[]",
            r#"{"type":"date"}"#,
            r#"{"type":7,"enum":3,"required":true,"properties":[]}"#,
            r#"{"exclusiveMinimum":true,"additionalProperties":false,"oneOf":[]}"#,
        ] {
            assert_eq!(misfit(schema, r#"{"a":-1}"#), None, "{schema}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        for (config, clause) in [
            (r#"{"name":"a"}"#, "port is required"),
            (r#"{"port":0,"name":"a"}"#, "port must be at least 1"),
            (r#"{"port":65536,"name":"a"}"#, "port must be at most 65535"),
            (r#"{"port":1.5,"name":"a"}"#, "port must be of type integer"),
            (r#"{"port":"1","name":"a"}"#, "port must be of type integer"),
            (r#"{"port":1,"name":""}"#, "name must have at least 1 characters"),
            (r#"{"port":1,"name":"abcd"}"#, "name must have at most 3 characters"),
            (r#"{"port":1,"name":"a","unit":"yd"}"#, r#"unit must be one of ["m","ft"]"#),
            (r#"{"port":1,"name":"a","factor":0}"#, "factor must be above 0"),
            (r#"{"port":1,"name":"a","factor":"x"}"#, "factor must be of type number or boolean"),
            (r#"{"port":1,"name":"a","list":[{"path":"x"},{}]}"#, "list[1].path is required"),
            (r#"{"port":1,"name":"a","list":[{"path":1}]}"#, "list[0].path must be of type string"),
            (r#"{"port":1,"name":"a","list":[null,null,null]}"#, "list must have at most 2 items"),
            ("[]", "the configuration must be of type object"),
        ] {
            assert_eq!(said(config).as_deref(), Some(clause), "{config}");
        }
        assert_eq!(misfit(r#"{"const":1}"#, "2").as_deref(), Some("the configuration must be 1"));
        assert_eq!(misfit(r#"{"const":1}"#, "1.0"), None);
    }

    #[test]
    fn a_check_ends_however_long_schema_and_configuration_are() {
        let schema = format!(r#"{{"items":{{"description":"{}"}}}}"#, "x".repeat(50_000));
        let config = format!("[{}7]", "7,".repeat(30_000));
        assert_eq!(misfit(&schema, &config), None);
    }

    proptest::proptest! {
        #[test]
        fn no_schema_and_no_configuration_is_too_odd(schema: String, config: String) {
            let _ = misfit(&schema, &config);
        }
    }
}
