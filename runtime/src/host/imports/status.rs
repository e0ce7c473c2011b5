//! Logging, status, configuration, capability (plugin ABI §3.2).

use skiff_abi::Capability;

use super::Caller;
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::GuestSlice;

pub(super) fn sk_debug(caller: &mut Caller<'_>, services: &mut dyn Services, text: GuestSlice) {
    if let Some(text) = caller.text_to_parse(text, u32::MAX) {
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
    caller.pay(PluginLimits::PATH_WORK_BYTES, 1);
    let config = services.read_config();
    caller.pay(
        config.as_ref().map_or(0, |config| u32::try_from(config.len()).unwrap_or(u32::MAX)),
        PluginLimits::PARSE_WORK,
    );
    caller.write_text(into, config.as_deref().unwrap_or("{}"))
}

pub(super) fn sk_save_config(caller: &mut Caller<'_>, services: &mut dyn Services, config: GuestSlice) -> i32 {
    let Some(config) = caller.text_to_parse(config, u32::MAX) else { return -1 };
    let saved = services.save_config(&config);
    caller.pay(PluginLimits::SYNC_WORK_BYTES, 1);
    if saved { 0 } else { -1 }
}

/// Answers truthfully for all eleven names; upstream knows two (plugin ABI §3.2).
pub(super) fn sk_has_capability(caller: &mut Caller<'_>, name: GuestSlice) -> i32 {
    let capability = caller.text(name).as_deref().and_then(Capability::from_name);
    capability.is_some_and(|capability| caller.state().capabilities.allows(capability, false)).into()
}
