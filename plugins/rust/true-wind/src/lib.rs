//! Signal K plugin `@skiff/true-wind`: true wind from apparent wind, boat speed and heading.
//!
//! Every apparent wind (speed and angle, in one delta or in two) gives one delta with
//! `environment.wind.speedTrue`, `environment.wind.angleTrueWater` and, when the heading is known,
//! `environment.wind.directionTrue`. [`wind`] has the geometry, [`inputs`] remembers what was
//! heard, [`settings`] reads the configuration.
#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod inputs;
pub mod settings;
pub mod wind;

use inputs::Inputs;
use settings::Settings;
use skiff_plugin::time::millis;
use skiff_plugin::{Host, Json, Plugin, Refused, Text};

/// The plugin.
pub struct TrueWind {
    settings: Settings,
    inputs: Inputs,
    shown: Option<&'static str>,
}

impl TrueWind {
    /// Returns a plugin that has heard nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { settings: Settings::DEFAULT, inputs: Inputs::new(), shown: None }
    }

    /// Shows a status text when it differs from the last one.
    fn show<H: Host>(&mut self, status: &'static str, host: &mut H) {
        if self.shown != Some(status) {
            self.shown = Some(status);
            host.set_status(status);
        }
    }

    fn answer<H: Host>(&mut self, host: &mut H) {
        let Some(apparent) = self.inputs.take_wind(self.settings.age_max_ms) else { return };
        let Some(speed) = self.inputs.speed(self.settings.age_max_ms) else {
            return self.show(self.settings.speed.waiting(), host);
        };
        let wind = wind::true_wind(apparent, speed);
        let heading = self.inputs.heading(self.settings.age_max_ms);

        let mut buffer = [0; DELTA_BYTES];
        let mut delta = Text::new(&mut buffer);
        delta.push_str(
            r#"{"context":"vessels.self","updates":[{"values":[{"path":"environment.wind.speedTrue","value":"#,
        );
        delta.push_fixed(wind.speed, DECIMALS);
        delta.push_str(r#"},{"path":"environment.wind.angleTrueWater","value":"#);
        delta.push_fixed(wind.angle, DECIMALS);
        if let Some(heading) = heading {
            delta.push_str(r#"},{"path":"environment.wind.directionTrue","value":"#);
            delta.push_fixed(wind::direction(heading, wind.angle), DECIMALS);
        }
        delta.push_str("}]}]}");
        if delta.is_complete() {
            // The status goes first: a host can deliver other deltas while `emit` still runs.
            self.show(if heading.is_some() { COMPLETE } else { NO_HEADING }, host);
            host.emit(delta.as_str());
        }
    }
}

impl Default for TrueWind {
    fn default() -> Self {
        Self::new()
    }
}

impl Plugin for TrueWind {
    const ID: &'static str = PACKAGE;
    const NAME: &'static str = "True wind";
    const SCHEMA: &'static str = settings::SCHEMA;

    fn start<H: Host>(&mut self, config: Json<'_>, host: &mut H) -> Result<(), Refused> {
        *self = Self::new();
        self.settings = Settings::read(config).map_err(|reason| {
            host.set_error(reason);
            Refused
        })?;
        self.show("waiting for environment.wind.speedApparent and angleApparent", host);
        Ok(())
    }

    fn delta<H: Host>(&mut self, delta: Json<'_>, host: &mut H) {
        let context = delta.member("context").map_or(Some("vessels.self"), Json::string);
        let Some(context) = context else { return };
        for update in delta.elements_of("updates") {
            if update.member("$source").and_then(Json::string) == Some(PACKAGE) {
                continue;
            }
            let time = update.member("timestamp").and_then(Json::string).and_then(millis);
            for (path, value) in update.update_values() {
                if let Some(input) = self.settings.speed.input(path) {
                    self.inputs.hear(context, time, input, value.number());
                }
            }
            self.answer(host);
        }
    }
}

const PACKAGE: &str = "@skiff/true-wind";
const COMPLETE: &str = "true wind from apparent wind, speed and heading";
const NO_HEADING: &str =
    "true wind without direction: no navigation.headingTrue, nor headingMagnetic with magneticVariation";
/// Four decimals: 0.1 mm/s and 0.0001 rad, the resolution of PGN 130306 angles.
const DECIMALS: usize = 4;
/// The fixed parts have 204 bytes, each number at most 17.
const DELTA_BYTES: usize = 320;

skiff_plugin::plugin!(TrueWind, TrueWind::new(), delta);

#[cfg(test)]
mod tests;
