//! What a plugin takes on a chip whose engine translates it at installation: tried here, with the same engine.

use skiff_engine::{Limits, Quota};
use skiff_runtime::budget::{Board, Limits as Budget};
use skiff_runtime::images::{Doubt, Prediction, Trial, predict};
use skiff_runtime::package::Package;

use serde_json::{Value, json};

/// What the engine for chips says of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnChips {
    /// It takes it.
    Taken(Prediction),
    /// It does not, for this reason.
    Refused(String),
}

impl OnChips {
    /// Translates the module and tries its start with an empty configuration, where nothing leads outside.
    #[must_use]
    pub fn of(package: &Package) -> Self {
        let fuel = Budget::of(Board::Esp32C6).plugin.fuel_per_call;
        // What others give would be made up, and a start could take another way for it.
        let trial = Trial { quota: Quota::CHIP, fuel, config: "{}", is_plain: |module, _| module == "env" };
        match predict(&package.wasm, &Limits::CHIP, &trial) {
            Ok(prediction) => Self::Taken(prediction),
            Err(refusal) => Self::Refused(refusal.to_string()),
        }
    }

    /// Returns rows for a reader.
    #[must_use]
    pub fn as_rows(&self) -> Vec<(&'static str, String)> {
        let prediction = match self {
            Self::Refused(reason) => return vec![("on a chip", format!("not translated: {reason}"))],
            Self::Taken(prediction) => prediction,
        };
        let start = &prediction.start;
        let memory = match doubt(start.at_least) {
            None => format!("{} bytes of memory once it has started, with an empty configuration", start.ram_bytes),
            Some(why) => format!("{} bytes of memory or more: {why}", start.ram_bytes),
        };
        vec![
            (
                "image",
                format!(
                    "{} bytes of flash, translated within {} of heap",
                    prediction.image_bytes, prediction.translation_heap_bytes
                ),
            ),
            ("on a chip", memory),
        ]
    }

    /// Returns the same for a program.
    #[must_use]
    pub fn as_json(&self) -> Value {
        match self {
            Self::Refused(reason) => json!({ "refused": reason }),
            Self::Taken(prediction) => json!({
                "imageBytes": prediction.image_bytes,
                "translationHeapBytes": prediction.translation_heap_bytes,
                "startBytes": prediction.start.ram_bytes,
                "orMore": doubt(prediction.start.at_least),
            }),
        }
    }
}

/// Says why a start may take more than was seen.
fn doubt(doubt: Option<Doubt>) -> Option<String> {
    Some(match doubt? {
        Doubt::Asks => "its start asks what only a gateway can answer".into(),
        Doubt::Fuel => "its start takes more fuel than a call has".into(),
        Doubt::Fault(fault) => format!("its start ended with {fault:?}"),
        Doubt::Setup(error) => format!("it was not set up: {error:?}"),
        _ => "its start was not seen to its end".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_plugins_of_the_sample_fit_a_chip() {
        for package in &sample::PACKAGES {
            let told = OnChips::of(&package.package().unwrap());
            let OnChips::Taken(prediction) = &told else { panic!("{told:?}") };
            assert!(prediction.image_bytes > 8192 && prediction.start.at_least.is_none(), "{told:?}");
            // Some three of them beside Wi-Fi.
            assert!(prediction.start.ram_bytes < 24 * 1024, "{told:?}");
            assert_eq!(told.as_rows().len(), 2);
            assert_eq!(told.as_json()["startBytes"], prediction.start.ram_bytes);
        }
    }

    #[test]
    fn what_it_does_not_take_is_said() {
        let mut package = sample::PACKAGES[0].package().unwrap();
        package.wasm = wat::parse_str("(module (memory 17) (func (export \"plugin_start\")))").unwrap().into();
        let told = OnChips::of(&package);
        assert!(matches!(&told, OnChips::Refused(_)), "{told:?}");
        assert!(told.as_rows()[0].1.starts_with("not translated: "));
        assert!(told.as_json()["refused"].is_string());
    }
}
