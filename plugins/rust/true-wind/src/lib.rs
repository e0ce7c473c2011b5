//! Signal K plugin `@skiff/true-wind`: true wind from apparent wind, boat speed and heading.
//!
//! Every apparent wind (speed and angle, in one delta or in two) gives one delta with
//! `environment.wind.speedTrue`, `environment.wind.angleTrueWater` and, when the heading is known,
//! `environment.wind.directionTrue`. [`wind`] has the geometry, [`inputs`] what is heard and told,
//! [`settings`] reads the configuration.
#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod inputs;
pub mod settings;
pub mod wind;

use inputs::{Halves, Values};
use settings::Settings;
use skiff_plugin::{Host, Json, Plugin, Refused, Rows};

/// The plugin.
pub struct TrueWind {
    settings: Settings,
    values: Values,
    halves: Halves,
    shown: Option<&'static str>,
}

impl TrueWind {
    /// Returns a plugin that has heard nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { settings: Settings::DEFAULT, values: Values::new(), halves: Halves::NONE, shown: None }
    }

    /// Shows a status text when it differs from the last one.
    fn show<H: Host>(&mut self, status: &'static str, host: &mut H) {
        if self.shown != Some(status) {
            self.shown = Some(status);
            host.set_status(status);
        }
    }
}

impl Default for TrueWind {
    fn default() -> Self {
        Self::new()
    }
}

impl Plugin for TrueWind {
    const ID: &'static str = "@skiff/true-wind";
    const NAME: &'static str = "True wind";
    const SCHEMA: &'static str = settings::SCHEMA;

    fn start<H: Host>(&mut self, config: Json<'_>, host: &mut H) -> Result<(), Refused> {
        (self.halves, self.shown) = (Halves::NONE, None);
        self.settings = Settings::read(config).map_err(|reason| {
            host.set_error(reason);
            Refused
        })?;
        self.values.paths().speed(&[self.settings.speed.path()]);
        self.show("waiting for environment.wind.speedApparent and angleApparent", host);
        Ok(())
    }

    fn rows(&mut self) -> Option<Rows<'_>> {
        Some(self.values.rows())
    }

    fn update<H: Host>(&mut self, host: &mut H) {
        let Some(apparent) = self.halves.take_wind(&self.values, &self.settings) else { return };
        let Some(speed) = self.values.boat_speed(&self.settings) else {
            return self.show(self.settings.speed.waiting(), host);
        };
        let wind = wind::true_wind(apparent, speed);
        self.values.speed_true().set(wind.speed);
        self.values.angle_true().set(wind.angle);
        let heading = self.values.heading(&self.settings);
        if let Some(heading) = heading {
            self.values.direction_true().set(wind::direction(heading, wind.angle));
        }
        self.show(if heading.is_some() { COMPLETE } else { NO_HEADING }, host);
    }
}

const COMPLETE: &str = "true wind from apparent wind, speed and heading";
const NO_HEADING: &str =
    "true wind without direction: no navigation.headingTrue, nor headingMagnetic with magneticVariation";

skiff_plugin::plugin!(TrueWind, TrueWind::new(), values);

#[cfg(test)]
mod tests;
