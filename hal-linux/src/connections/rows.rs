//! Connections as JSON: Skiff's own form, and that of the admin UI of Signal K Server.

use skiff_runtime::config::pretty;
use skiff_runtime::gateway::{Gateway, InputState};
use skiff_runtime::json::{self, JsonError, Object};

use super::connection::{Connection, Direction, Origin};
use super::keeper::{Keeper, Row, Run};
use super::piped;

impl Keeper {
    /// Returns the rows that are shown, with their places.
    pub(super) fn shown(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.rows.iter().enumerate().filter(|(_, row)| !row.connection.is_hidden)
    }

    /// Writes all connections.
    pub(super) fn list(&self, gateway: &Gateway) -> String {
        json::list(|out| self.shown().for_each(|(_, row)| _ = out.json(&self.row(row, gateway))))
    }

    /// Writes one connection.
    pub(super) fn row(&self, row: &Row, gateway: &Gateway) -> String {
        let one = &row.connection;
        let (state, reason, status) = self.state(row, gateway);
        json::object(|out| {
            out.text("id", &one.id()).text("direction", one.direction.name()).text("name", &one.key);
            out.text("kind", one.kind()).text("address", &one.address()).text("format", one.format());
            out.text("from", one.origin.name(one.direction)).boolean("editable", one.origin != Origin::Flag);
            out.boolean("enabled", one.is_enabled).text("state", state).text_or_null("reason", reason.as_deref());
            // To be edited: with what the address alone does not show, a token, too.
            if one.origin == Origin::Listed {
                out.text("url", &one.text);
            }
            if let Some(status) = status {
                out.json("status", &status);
            }
        })
    }

    /// Returns the word for how a connection is, why, and its counters.
    fn state(&self, row: &Row, gateway: &Gateway) -> (&'static str, Option<String>, Option<String>) {
        match &row.run {
            Run::Failed(reason) => ("waiting", Some(reason.clone()), None),
            Run::Off => match &row.connection.way {
                Err(reason) if row.connection.is_enabled => ("refused", Some(reason.clone()), None),
                _ => ("off", None, None),
            },
            Run::Fed(input, _) | Run::Can(input) => {
                let Some((state, status)) = gateway.input_status(*input) else { return ("off", None, None) };
                let reason = if let InputState::Waiting(reason) = &state { Some(reason.clone()) } else { None };
                (state.name(), reason, Some(status))
            }
            Run::Out(output) => match self.outputs().status(*output) {
                Some(status) => {
                    let text = json::object(|out: &mut Object<'_>| status.write(out));
                    (status.state, status.reason, Some(text))
                }
                None => ("off", None, None),
            },
        }
    }

    /// Writes the inputs as rows of the admin UI (signalk-server 2.32 `interfaces/providers.js`): what its form can hold can
    /// be edited there.
    pub(super) fn providers(&self, gateway: &Gateway) -> String {
        let inputs = self.shown().filter(|(_, row)| row.connection.direction == Direction::Input);
        json::list(|out| inputs.for_each(|(_, row)| _ = out.json(&self.provider(row, gateway))))
    }

    fn provider(&self, row: &Row, gateway: &Gateway) -> String {
        let one = &row.connection;
        let options = (one.origin == Origin::Piped).then(|| piped::options(&one.text)).flatten();
        json::object(|out| match options {
            Some(options) => {
                let written = json::members::<JsonError>(options, |name, value| {
                    let name = if name == "subOptions" { "options" } else { name };
                    out.json(name, value);
                    Ok(())
                });
                debug_assert!(written.is_ok(), "it was read before");
                out.text("id", &one.key).boolean("enabled", one.is_enabled).boolean("editable", true);
            }
            None => {
                let looked_at = if one.origin == Origin::Piped { one.text.clone() } else { self.row(row, gateway) };
                out.text("id", &one.key).boolean("enabled", one.is_enabled);
                let (_, _, status) = self.state(row, gateway);
                out.text("type", kind(one, status.as_deref())).text("json", &pretty(&looked_at));
                out.boolean("editable", false);
            }
        })
    }
}

/// Returns Signal K Server's word for what kind of data an input brings, by what came of it where nothing else tells.
fn kind(one: &Connection, status: Option<&str>) -> &'static str {
    let came = |name| status.and_then(|status| json::member(status, name)).is_some_and(|count| count != "0");
    match (one.kind(), one.format()) {
        ("signalk", _) | (_, "deltas") => "SignalK",
        ("can" | "sample", _) => "NMEA2000",
        ("none", _) => "Unknown",
        (_, "auto") if came("frames") => "NMEA2000",
        (_, "auto") if came("sentences") => "NMEA0183",
        ("file", _) => "FileStream",
        (_, "auto") => "Unknown",
        _ => "NMEA2000",
    }
}
