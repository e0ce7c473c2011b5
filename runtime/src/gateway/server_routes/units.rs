//! `/signalk/v1/unitpreferences`: the units that people read, as Signal K Server 2.32 tells apps of them.
//!
//! What a user chose apps keep below `applicationData/user/unitpreferences`; here is what holds for who chose nothing.

use alloc::string::String;

use super::units_table::{BASES, CATEGORIES, Formula, PRESETS, category_of};
use crate::config::read_settings;
use crate::gateway::Gateway;
use crate::http::{Method, Request};
use crate::json::{self, Object};
use crate::server::Response;

/// The preset where none was chosen, its place in [`PRESETS`].
const DEFAULT: usize = 1;
/// Member of `skiff/settings.json` with the name of the preset.
const MEMBER: &str = "unitPreset";
/// Version of the form of presets.
const VERSION: &str = "1.0.0";
/// Said of presets of one's own.
const OWN: &str = "presets and units of one's own are not kept here: choose one of those there are";

impl Gateway {
    /// Answers what is asked for below `/signalk/v1/unitpreferences`.
    pub(in crate::gateway) fn unit_preferences(&mut self, what: &[&str], request: &Request) -> Response {
        let json = |text: String| Response::json(200, text);
        match (what, request.method) {
            (["config"], Method::Put) => self.choose_units(request),
            (["presets", "custom", ..], _)
            | (["custom-definitions" | "custom-categories" | "primary-categories"], Method::Put) => {
                Response::error(501, OWN)
            }
            (_, method) if !method.is_read() => Response::method_not_allowed("GET, HEAD"),
            (["config"], _) => {
                let name = PRESETS.get(self.unit_preset()).map_or("", |(name, ..)| name);
                json(json::object(|out| _ = out.text("activePreset", name)))
            }
            (["active"], _) => json(preset(self.unit_preset(), true)),
            (["presets"], _) => json(presets()),
            (["presets", name], _) => match place_of(name) {
                Some(place) => json(preset(place, false)),
                None => Response::error(404, "there is no such preset"),
            },
            (["definitions"], _) => json(definitions()),
            (["categories"], _) => json(categories()),
            (["default-categories"], _) => json(default_categories()),
            (["default-category", path], _) => {
                let unit = crate::model::known(path).map_or("", |known| known.units);
                json(json::object(|out| _ = out.text("path", path).text_or_null("category", category_of(path, unit))))
            }
            // Of the categories of one base unit, the one that is meant where nothing else is said.
            (["primary-categories"], _) => json(json::object(|out| _ = out.text("m", "distance"))),
            (["custom-definitions" | "custom-categories"], _) => json(json::object(|_| {})),
            _ => Response::unclaimed(),
        }
    }

    /// Returns the place of the preset that was chosen.
    fn unit_preset(&mut self) -> usize {
        // A damaged file is told at the start.
        let kept = read_settings(&mut *self.hal.storage).ok().flatten().unwrap_or_default();
        let name = json::member(&kept, "skiff").and_then(|own| json::member(own, MEMBER)).and_then(json::string);
        name.and_then(|name| place_of(&name)).unwrap_or(DEFAULT)
    }

    fn choose_units(&mut self, request: &Request) -> Response {
        let body = core::str::from_utf8(&request.body).ok().and_then(|text| json::compact(text).ok());
        let name = body.as_deref().and_then(|body| json::member(body, "activePreset")).and_then(json::string);
        let Some(name) = name.filter(|name| place_of(name).is_some()) else {
            return Response::error(400, "activePreset is the name of a preset");
        };
        match self.keep_setting("skiff", MEMBER, &json::quoted(&name)) {
            Ok(()) => Response::json(200, json::object(|out| _ = out.boolean("success", true))),
            Err(refused) => refused,
        }
    }
}

fn place_of(name: &str) -> Option<usize> {
    PRESETS.iter().position(|(known, ..)| *known == name)
}

fn presets() -> String {
    json::object(|out| {
        out.list("builtIn", |rows| {
            for (name, title, description) in PRESETS {
                rows.object(|row| {
                    row.text("name", name).text("displayName", title).text("description", description);
                });
            }
        });
        out.list("custom", |_| {});
    })
}

/// Writes a formula there and back.
fn write_formula(out: &mut Object<'_>, formula: Formula) {
    match formula {
        Formula::Times(factor) => {
            out.text("formula", &["value * ", factor].concat()).text("inverseFormula", &["value / ", factor].concat());
        }
        Formula::Texts(there, back) => _ = out.text("formula", there).text("inverseFormula", back),
    }
}

/// Returns a preset, with its conversions where `is_whole`.
fn preset(place: usize, is_whole: bool) -> String {
    json::object(|out| {
        let (_, title, description) = PRESETS.get(place).unwrap_or(&PRESETS[DEFAULT]);
        out.text("version", VERSION).text("name", title).text("description", description);
        out.object("categories", |out| {
            for (category, base, targets, format) in CATEGORIES {
                let target = targets.get(place).copied().unwrap_or_default();
                out.object(category, |row| {
                    row.text("baseUnit", base).text("targetUnit", target).text("displayFormat", format);
                    let units = BASES.iter().find(|(name, ..)| *name == base).map_or(&[][..], |(.., units)| units);
                    if let Some((_, symbol, _, formula)) = units.iter().find(|(name, ..)| is_whole && *name == target) {
                        write_formula(row, *formula);
                        row.text("symbol", symbol);
                    }
                });
            }
        });
    })
}

fn definitions() -> String {
    json::object(|out| {
        for (base, long_name, units) in BASES {
            out.object(base, |out| {
                out.text("longName", long_name).object("conversions", |out| {
                    for (name, symbol, long_name, formula) in units {
                        out.object(name, |unit| {
                            write_formula(unit, *formula);
                            unit.text("symbol", symbol).text("longName", long_name);
                        });
                    }
                });
            });
        }
    })
}

fn categories() -> String {
    json::object(|out| {
        out.object("categoryToBaseUnit", |out| {
            for (category, base, ..) in CATEGORIES {
                out.text(category, base);
            }
        });
        out.list("coreCategories", |out| CATEGORIES.iter().for_each(|(category, ..)| _ = out.text(category)));
    })
}

/// Returns the paths of the schema by category.
fn default_categories() -> String {
    json::object(|out| {
        out.text("version", VERSION).object("categories", |out| {
            for (category, base, ..) in CATEGORIES {
                let paths = crate::model::schema().filter(|(path, unit)| category_of(path, unit) == Some(category));
                out.object(category, |out| {
                    out.text("siUnit", base).list("paths", |out| paths.for_each(|(path, _)| _ = out.text(path)));
                });
            }
        });
    })
}
