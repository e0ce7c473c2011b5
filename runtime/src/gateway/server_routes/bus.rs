//! The devices of NMEA 2000: who is there, asking them anew, and what an installer sets on them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::gateway::Gateway;
use crate::gateway::input::Input;
use crate::gateway::interface::Interface;
use crate::json;
use crate::n2k::node::{PGN_GROUP, command, command_text};
use crate::n2k::{Pgn, SourceAddress};
use crate::server::Response;

/// Address claim: fields 3 and 4 are the two parts of the device instance.
const CLAIM: Pgn = Pgn(60_928);
/// Configuration information: fields 1 and 2 are the texts of the installer.
const CONFIGURATION: Pgn = Pgn(126_998);
/// Priority of a command (NMEA 2000, PGN 126208).
const PRIORITY: u8 = 3;
/// Highest device instance that is one.
const INSTANCE_MAX: u8 = 253;
/// Letters of an installer's text, so that the command fits one fast packet.
const TEXT_MAX: usize = 70;
/// Said where this gateway has no address on any bus.
const NO_NODE: &str = "this gateway only listens to the bus: `skiff run --node` takes part in it";

impl Gateway {
    /// Returns what `n2kDeviceStatus` says: devices by address, those that told their product, and who is heard.
    pub(super) fn bus_status(&self) -> String {
        let devices = || self.inputs.iter().flat_map(|input| input.devices().addresses());
        let addresses = |told: bool| {
            let mut addresses: Vec<u8> =
                devices().filter(|(_, has_told)| *has_told || !told).map(|(address, _)| address.0).collect();
            addresses.sort_unstable();
            addresses.dedup();
            addresses
        };
        let is_there = self.inputs.iter().filter_map(Input::interface).any(|interface| interface.address().is_some());
        json::object(|out| {
            for (name, told) in [("knownAddresses", false), ("discoveredAddresses", true)] {
                out.list(name, |out| addresses(told).iter().for_each(|address| _ = out.number(*address)));
            }
            out.boolean("n2kOutAvailable", is_there);
            out.object("pgnDataInstances", |_| {}).object("pgnSourceKeys", |_| {});
            out.json("sourceStatuses", &self.source_status());
        })
    }

    /// Returns each device with what it is called by, at each input that hears it.
    pub(super) fn device_identities(&self) -> String {
        let mut devices: Vec<(String, String, Vec<String>)> = Vec::new();
        for input in self.inputs.iter() {
            for (address, about) in input.devices().told() {
                let Some(name) = json::member(&about, "canName").and_then(json::string) else { continue };
                let references = [address.0.to_string(), name.to_string()].map(|it| [input.label(), ".", &it].concat());
                match devices.iter_mut().find(|(known, _, _)| *known == *name) {
                    Some((_, _, known)) => known.extend(references),
                    None => devices.push((name.to_string(), about, references.into())),
                }
            }
        }
        devices.sort();
        json::list(|out| {
            for (name, about, references) in &devices {
                out.object(|row| {
                    row.text("canName", name);
                    for member in ["manufacturerCode", "modelId", "productCode"] {
                        if let Some(value) = json::member(about, member) {
                            row.json(member, value);
                        }
                    }
                    row.list("sourceRefs", |out| references.iter().for_each(|it| _ = out.text(it)));
                });
            }
        })
    }

    /// Has the nodes of this gateway ask every device for its product and configuration information.
    pub(super) fn ask_devices(&mut self) -> Response {
        let mut asked = 0_usize;
        let mut has_node = false;
        for input in self.inputs.iter_mut().filter(|input| has_address(input)) {
            has_node = true;
            asked = asked.saturating_add(input.devices_mut().ask_again());
        }
        if has_node { done(&format!("{asked} devices are asked, two requests each")) } else { failed(503, NO_NODE) }
    }

    /// Sets the instance of a device, or one of the texts of its installer: `{dst, field, value}`.
    pub(super) fn set_device(&mut self, body: &str) -> Response {
        let member = |name| json::member(body, name);
        let address = member("dst").and_then(|text| text.parse::<u8>().ok()).map(SourceAddress);
        let (Some(address), Some(field)) = (address, member("field").and_then(json::string)) else {
            return failed(400, "dst, an address, and field are needed");
        };
        let payload = match &*field {
            "deviceInstance" => {
                let instance =
                    member("value").and_then(|text| text.parse::<u8>().ok()).filter(|it| *it <= INSTANCE_MAX);
                let Some(instance) = instance else { return failed(400, "deviceInstance must be 0 to 253") };
                command(CLAIM, &[(3, instance & 7), (4, instance >> 3)])
            }
            "deviceInstanceLower" => {
                let lower = member("value").and_then(|text| text.parse::<u8>().ok()).filter(|it| *it <= 7);
                let Some(lower) = lower else { return failed(400, "deviceInstanceLower must be 0 to 7") };
                command(CLAIM, &[(3, lower)])
            }
            "installationDescription1" | "installationDescription2" => {
                let text = member("value").and_then(json::string);
                let text =
                    text.filter(|text| text.len() <= TEXT_MAX && text.bytes().all(|it| matches!(it, b' '..=b'~')));
                let Some(text) = text else { return failed(400, "value must be an ASCII text of at most 70 letters") };
                command_text(CONFIGURATION, if field.ends_with('1') { 1 } else { 2 }, &text)
            }
            _ => return failed(501, "only instances of devices and the texts of their installer are set from here"),
        };
        let knows = |input: &&mut Input| input.devices().addresses().any(|(known, _)| known == address);
        if !self.inputs.iter().any(has_address) {
            return failed(503, NO_NODE);
        }
        let Some(input) = self.inputs.iter_mut().filter(|input| has_address(input)).find(knows) else {
            return failed(400, "no device of that address is known");
        };
        let message = (PGN_GROUP, PRIORITY, address.0, payload);
        if !input.interface_mut().is_some_and(|interface| interface.send(&message)) {
            return failed(503, "too many frames wait for the bus");
        }
        // It says then whether it took the text.
        input.devices_mut().ask_again_of(address);
        log::info!("{}: device {} is told another {field}", input.label(), address.0);
        done("the device was told; sources show what it says then")
    }
}

fn has_address(input: &Input) -> bool {
    input.interface().and_then(Interface::address).is_some()
}

pub(super) fn done(message: &str) -> Response {
    Response::json(
        200,
        json::object(|out| {
            out.text("state", "COMPLETED").number("statusCode", 200_u16).text("message", message);
        }),
    )
}

pub(super) fn failed(status: u16, message: &str) -> Response {
    let body = json::object(|out| {
        out.text("state", "FAILED").number("statusCode", status).text("message", message).text("error", message);
    });
    Response::json(status, body)
}
