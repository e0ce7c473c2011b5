//! Logging, status, configuration, capability (plugin ABI §3.2).

use skiff_abi::Capability;

use super::Caller;
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::memory::GuestSlice;

pub(super) fn sk_debug(caller: &mut Caller<'_>, services: &mut dyn Services, text: GuestSlice) {
    if let Some(text) = caller.text(text) {
        services.log(log::Level::Debug, &text);
    }
}

pub(super) fn sk_set_status(caller: &mut Caller<'_>, services: &mut dyn Services, text: GuestSlice) {
    if let Some(text) = caller.text(text) {
        services.set_status(&text);
    }
}

pub(super) fn sk_set_error(caller: &mut Caller<'_>, services: &mut dyn Services, text: GuestSlice) {
    if let Some(text) = caller.text(text) {
        services.set_error(&text);
    }
}

pub(super) fn sk_read_config(caller: &mut Caller<'_>, services: &mut dyn Services, into: GuestSlice) -> i32 {
    caller.charge(caller.state().limits.config_bytes_max.min(into.len));
    // The file is read and parsed however small the buffer is.
    caller.pay(PluginLimits::PATH_WORK_BYTES);
    let config = services.read_config();
    caller.write_text(into, config.as_deref().unwrap_or("{}"))
}

pub(super) fn sk_save_config(caller: &mut Caller<'_>, services: &mut dyn Services, config: GuestSlice) -> i32 {
    let Some(config) = caller.text(config) else { return -1 };
    let saved = services.save_config(&config);
    caller.pay(PluginLimits::SYNC_WORK_BYTES);
    if saved { 0 } else { -1 }
}

/// Answers truthfully for all eleven names; upstream knows two (plugin ABI §3.2).
pub(super) fn sk_has_capability(caller: &mut Caller<'_>, name: GuestSlice) -> i32 {
    let capability = caller.text(name).as_deref().and_then(Capability::from_name);
    capability.is_some_and(|capability| caller.state().capabilities.allows(capability, false)).into()
}
