//! Deltas, the data model, notifications (plugin ABI §3.3).

use skiff_abi::{
    Capability,
    import::{DELTA_VERSION_DEFAULT, ENV},
};

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};
use crate::delta::{DELTA_BYTES_MAX, DeltaVersion};
use crate::json;

pub(super) const TABLE: &[Known] = &[
    Known { module: ENV, name: "sk_handle_message", handler: handle_message, failure: Ret::Nothing },
    Known { module: ENV, name: "sk_get_self_path", handler: self_path, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_get_path", handler: path, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_publish_notification", handler: publish_notification, failure: Ret::Int(-1) },
];

/// States of a notification that upstream accepts (`nominal` is refused there, plugin ABI §3.3).
const NOTIFICATION_STATES: [&str; 5] = ["normal", "alert", "warn", "alarm", "emergency"];

fn allows(guest: &Guest<'_>, capability: Capability) -> bool {
    guest.state().capabilities.allows(capability, false)
}

fn handle_message(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let slice = args.slice(0)?;
    let version = if args.int_or(2, DELTA_VERSION_DEFAULT)? == 2 { DeltaVersion::V2 } else { DeltaVersion::V1 };
    if slice.len as usize > DELTA_BYTES_MAX || !allows(guest, Capability::DataWrite) {
        return Ok(Outcome::Done(Ret::Nothing));
    }
    Ok(match guest.text(slice) {
        Some(delta) => Outcome::Ask(Ask::Emit { delta, version }),
        None => Outcome::Done(Ret::Nothing),
    })
}

fn self_path(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let into = args.slice(2)?;
    Ok(match guest.text(args.slice(0)?).filter(|_| allows(guest, Capability::DataRead)) {
        Some(path) => Outcome::Ask(Ask::SelfPath { path, into }),
        None => Outcome::Done(Ret::Int(0)),
    })
}

fn path(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let into = args.slice(2)?;
    Ok(match guest.text(args.slice(0)?).filter(|_| allows(guest, Capability::DataRead)) {
        Some(path) => Outcome::Ask(Ask::Path { path, into }),
        None => Outcome::Done(Ret::Int(0)),
    })
}

fn publish_notification(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let (path, value) = (guest.text(args.slice(0)?), guest.text(args.slice(2)?));
    let refused = Outcome::Done(Ret::Int(-1));
    let (Some(path), Some(value)) = (path, value) else { return Ok(refused) };
    let Ok(value) = json::compact(&value) else { return Ok(refused) };
    let state = json::member(&value, "state").and_then(json::string);
    let known = state.is_some_and(|state| NOTIFICATION_STATES.contains(&&*state));
    if !known || !allows(guest, Capability::DataWrite) {
        return Ok(refused);
    }
    Ok(Outcome::Ask(Ask::Notify { path, value }))
}
