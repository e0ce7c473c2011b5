//! Name, numbers and measures of the own vessel as its owner gives them: `/skServer/vessel`, kept as one delta of
//! `skiff/baseDeltas.json`.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::super::own_meta;
use super::super::server_events::vessel_info;
use crate::config::Vessel;
use crate::delta::{Delta, Stamp};
use crate::gateway::Gateway;
use crate::json::{self, Object, Value};
use crate::model::Model;
use crate::server::Response;

/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;
/// As long as a call sign can be, see `config::settings`.
const CALL_SIGN_BYTES_MAX: usize = 16;
/// Longest measure of a ship that is believed, m; the longest ever built had 458.
const METRES_MAX: f64 = 1000.0;
/// AIS ship types (ITU-R M.1371-5, table 53).
const SHIP_TYPES: core::ops::RangeInclusive<f64> = 0.0..=99.0;

/// A number of the page: its member, the path it is at, and the member of the path's object, `""` where it is the value.
type Measure = (&'static str, &'static str, &'static str);
const MEASURES: [Measure; 7] = [
    ("draft", "design.draft", "maximum"),
    ("length", "design.length", "overall"),
    ("beam", "design.beam", ""),
    ("height", "design.airHeight", ""),
    ("gpsFromBow", "sensors.gps.fromBow", ""),
    ("gpsFromCenter", "sensors.gps.fromCenter", ""),
    ("aisShipType", "design.aisShipType", "id"),
];
/// What the page calls the texts, and where they are.
const TEXTS: [(&str, &str); 3] = [("name", "name"), ("mmsi", "mmsi"), ("callsignVhf", "communication.callsignVhf")];

/// Returns the vessel with what the model knows of it: a Signal K folder's `baseDeltas.json` and what was set here go
/// before `settings.json`.
pub(in crate::gateway) fn described(model: &Model, mut vessel: Vessel) -> Vessel {
    let text = |path: &str| model.described(path).map(String::from);
    vessel.name = text("name").or(vessel.name);
    vessel.mmsi = text("mmsi").or(vessel.mmsi);
    vessel.call_sign = text("communication.callsignVhf").or(vessel.call_sign);
    vessel
}

/// What the page sends.
#[derive(Debug, Default, PartialEq)]
struct Given {
    texts: [Option<String>; 3],
    numbers: [Option<f64>; 7],
}

impl Given {
    /// Reads the body, compact JSON; members that are missing, `null` or empty are taken away.
    fn read(body: &str, own_uuid: Option<&str>) -> Result<Self, (u16, String)> {
        let refuse = |clause: &str| Err((400, clause.to_owned()));
        let mut given = Self::default();
        for ((name, _), slot) in TEXTS.iter().zip(&mut given.texts) {
            let text = json::member(body, name).filter(|text| *text != "null");
            // Some pages send the MMSI as a number.
            let text = text.map(|text| json::string(text).map_or_else(|| text.to_owned(), String::from));
            *slot = text.filter(|text| !text.is_empty());
        }
        let [name, mmsi, call_sign] = &given.texts;
        if name.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
            return refuse("name is a text of at most 128 bytes");
        }
        let is_mmsi = |mmsi: &String| mmsi.len() == 9 && mmsi.bytes().all(|byte| byte.is_ascii_digit());
        if mmsi.as_ref().is_some_and(|mmsi| !is_mmsi(mmsi)) {
            return refuse("mmsi has nine digits");
        }
        let is_sign = |sign: &String| {
            sign.len() <= CALL_SIGN_BYTES_MAX && sign.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        if call_sign.as_ref().is_some_and(|sign| !is_sign(sign)) {
            return refuse("callsignVhf has at most 16 letters and digits");
        }
        let uuid = json::member(body, "uuid").and_then(json::string).filter(|uuid| !uuid.is_empty());
        if uuid.is_some_and(|uuid| Some(&*uuid) != own_uuid) {
            return Err((
                501,
                "the uuid is made at the first start and stays; vessel.uuid of settings.json, before it".into(),
            ));
        }
        for ((name, ..), slot) in MEASURES.iter().zip(&mut given.numbers) {
            let Some(text) = json::member(body, name).filter(|text| !matches!(*text, "null" | "\"\"")) else {
                continue;
            };
            let number = match json::string(text) {
                Some(text) => text.trim().parse().ok(),
                None => json::number(text),
            };
            let is_meant = |number: &f64| match *name {
                "aisShipType" => SHIP_TYPES.contains(number) && libm::trunc(*number) == *number,
                _ => (-METRES_MAX..=METRES_MAX).contains(number),
            };
            match number.filter(is_meant) {
                Some(number) => *slot = Some(number),
                None => return Err((400, format!("{name} is a number: metres up to 1000, a ship type from 0 to 99"))),
            }
        }
        Ok(given)
    }

    /// Writes the members of the root value.
    fn write_root(&self, out: &mut Object<'_>) {
        let [name, mmsi, call_sign] = &self.texts;
        for (member, text) in [("name", name), ("mmsi", mmsi)] {
            if let Some(text) = text {
                out.text(member, text);
            }
        }
        if let Some(sign) = call_sign {
            out.object("communication", |out| _ = out.text("callsignVhf", sign));
        }
    }

    /// Returns the delta that is kept: it begins as [`own_meta::VESSEL_START`] says.
    fn delta(&self) -> String {
        json::object(|delta| {
            delta.text("context", "vessels.self").list("updates", |updates| {
                updates.object(|update| {
                    update.text("$source", own_meta::SOURCE).list("values", |values| {
                        values.object(|entry| {
                            entry.text("path", "").object("value", |out| self.write_root(out));
                        });
                        for ((_, path, member), number) in MEASURES.iter().zip(self.numbers) {
                            if let Some(number) = number {
                                values.object(|entry| {
                                    entry.text("path", path);
                                    write_number(entry, "value", member, number);
                                });
                            }
                        }
                    });
                });
            });
        })
    }
}

fn write_number(out: &mut Object<'_>, name: &str, member: &str, number: f64) {
    match member {
        "" => _ = out.number(name, number),
        "id" => {
            out.object(name, |value| {
                value.number("id", number);
                if let Some(kind) = ship_type(number) {
                    value.text("name", kind);
                }
            });
        }
        _ => _ = out.object(name, |value| _ = value.number(member, number)),
    }
}

/// Returns what a ship of a type is called.
fn ship_type(number: f64) -> Option<&'static str> {
    // It was checked to be one.
    #[allow(clippy::cast_possible_truncation)]
    crate::n2k::map::ship_type(number as i64)
}

impl Gateway {
    /// Answers `GET /skServer/vessel`.
    pub(super) fn vessel(&self) -> Response {
        let body = json::object(|out| {
            for (name, path) in TEXTS {
                if let Some(text) = self.model.described(path) {
                    out.text(name, &text);
                }
            }
            if let Some(uuid) = self.setup.self_context.strip_prefix("vessels.") {
                out.text("uuid", uuid);
            }
            for (name, path, member) in MEASURES {
                if let Some(number) = self.set_by_owner(path, member) {
                    out.number(name, number);
                }
            }
        });
        Response::json(200, body)
    }

    /// Returns a number that the owner gave, not one that the bus tells.
    fn set_by_owner(&self, path: &str, member: &str) -> Option<f64> {
        let mut found = None;
        self.model.visit_own(path, &mut |value: Value<'_>, _, source| {
            if source == own_meta::SOURCE {
                let text = value.shown();
                found = json::number(if member.is_empty() { &text } else { json::member(&text, member).unwrap_or("") });
            }
        });
        found
    }

    /// Answers `PUT /skServer/vessel`: what is given holds at once, and is kept.
    pub(super) fn set_vessel(&mut self, body: &str) -> Response {
        let own_uuid = self.setup.self_context.strip_prefix("vessels.");
        let given = match Given::read(body, own_uuid) {
            Ok(given) => given,
            Err((status, clause)) => return Response::error(status, &clause),
        };
        let delta = given.delta();
        if let Err(error) = own_meta::keep_vessel(&mut *self.hal.storage, &delta) {
            return Response::error(507, &format!("{error}"));
        }
        for ((_, path), text) in TEXTS.iter().zip(&given.texts) {
            if text.is_none() {
                self.model.forget_described(path);
            }
        }
        self.take_in_own(&delta);
        for ((_, path, _), number) in MEASURES.iter().zip(given.numbers) {
            if number.is_none() && self.is_told_by_owner(path) {
                self.take_in_own(&without_value(path));
            }
        }
        let [name, mmsi, call_sign] = given.texts;
        self.setup.vessel = Vessel { name, mmsi, call_sign, ..self.setup.vessel.clone() };
        self.tell_all(&vessel_info(&self.setup.vessel, &self.setup.self_context));
        Response::new(200, "text/plain; charset=utf-8", "Vessel changed")
    }

    fn is_told_by_owner(&self, path: &str) -> bool {
        let mut told = false;
        self.model.visit_own(path, &mut |value: Value<'_>, _, source| {
            told |= source == own_meta::SOURCE && !matches!(value, Value::Null);
        });
        told
    }

    fn take_in_own(&mut self, delta: &str) {
        let stamp = Stamp { source_ref: own_meta::SOURCE, self_context: &self.setup.self_context, now: self.wall() };
        match Delta::parse(delta, &stamp) {
            // Not as what others say of it, out of which names and measures are taken.
            Ok(delta) => {
                let (delta, now) = (Arc::new(delta), self.hal.clock.now());
                self.model.tick(now);
                self.model.apply(&delta);
                self.publish(&delta, 0, now);
            }
            Err(error) => log::warn!("the vessel's description is not taken in: {error}"),
        }
    }
}

/// Returns the delta that takes a value away.
fn without_value(path: &str) -> String {
    json::object(|delta| {
        delta.list("updates", |updates| {
            updates.object(|update| {
                update.list("values", |values| {
                    values.object(|entry| _ = entry.text("path", path).null("value"));
                });
            });
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_come_as_pages_send_them() {
        let given = Given::read(
            r#"{"name":"Pinta","mmsi":230099999,"draft":"1.9","beam":3.2,"aisShipType":36,"height":""}"#,
            None,
        );
        let delta = given.unwrap().delta();
        assert!(delta.starts_with(own_meta::VESSEL_START), "{delta}");
        for part in [
            r#"{"path":"","value":{"name":"Pinta","mmsi":"230099999"}}"#,
            r#"{"path":"design.draft","value":{"maximum":1.9}}"#,
            r#"{"path":"design.beam","value":3.2}"#,
            r#"{"path":"design.aisShipType","value":{"id":36,"name":""#,
        ] {
            assert!(delta.contains(part), "{part} {delta}");
        }
        assert!(!delta.contains("airHeight"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (body, status) in [
            (r#"{"mmsi":"12"}"#, 400),
            (r#"{"callsignVhf":"a very long call sign"}"#, 400),
            (r#"{"draft":"deep"}"#, 400),
            (r#"{"beam":5000}"#, 400),
            (r#"{"aisShipType":36.5}"#, 400),
            (r#"{"uuid":"urn:mrn:signalk:uuid:other"}"#, 501),
        ] {
            assert_eq!(Given::read(body, Some("urn:own")).unwrap_err().0, status, "{body}");
        }
        assert_eq!(Given::read(r#"{"uuid":"urn:own"}"#, Some("urn:own")), Ok(Given::default()));
    }
}
