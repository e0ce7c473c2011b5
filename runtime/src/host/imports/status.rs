//! Logging, status, configuration, capability (plugin ABI §3.2).

use skiff_abi::{Capability, import::ENV};

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};

pub(super) const TABLE: &[Known] = &[
    Known { module: ENV, name: "sk_debug", handler: debug, failure: Ret::Nothing },
    Known { module: ENV, name: "sk_set_status", handler: set_status, failure: Ret::Nothing },
    Known { module: ENV, name: "sk_set_error", handler: set_error, failure: Ret::Nothing },
    Known { module: ENV, name: "sk_read_config", handler: read_config, failure: Ret::Int(0) },
    Known { module: ENV, name: "sk_save_config", handler: save_config, failure: Ret::Int(-1) },
    Known { module: ENV, name: "sk_has_capability", handler: has_capability, failure: Ret::Int(0) },
];

fn debug(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    Ok(match guest.text(args.slice(0)?) {
        Some(text) => Outcome::Ask(Ask::Log(log::Level::Debug, text)),
        None => Outcome::Done(Ret::Nothing),
    })
}

fn set_status(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    Ok(match guest.text(args.slice(0)?) {
        Some(text) => Outcome::Ask(Ask::Status(text)),
        None => Outcome::Done(Ret::Nothing),
    })
}

fn set_error(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    Ok(match guest.text(args.slice(0)?) {
        Some(text) => Outcome::Ask(Ask::ErrorText(text)),
        None => Outcome::Done(Ret::Nothing),
    })
}

fn read_config(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let into = args.slice(0)?;
    guest.charge(guest.state().limits.config_bytes_max.min(into.len));
    Ok(Outcome::Ask(Ask::ReadConfig { into }))
}

fn save_config(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    Ok(match guest.text(args.slice(0)?) {
        Some(text) => Outcome::Ask(Ask::SaveConfig(text)),
        None => Outcome::Done(Ret::Int(-1)),
    })
}

/// Answers truthfully for all eleven names; upstream knows two (plugin ABI §3.2 BETTER).
fn has_capability(guest: &mut Guest<'_>, args: &Args<'_>) -> Result<Outcome, WrongType> {
    let name = guest.text(args.slice(0)?);
    let capability = name.as_deref().and_then(Capability::from_name);
    let allowed = capability.is_some_and(|capability| guest.state().capabilities.allows(capability, false));
    Ok(Outcome::Done(Ret::Int(i32::from(allowed))))
}
