//! `skiff:plugin`: the data model, the configuration, notifications, the log (`plugins/wit/skiff-plugin.wit`).

use alloc::borrow::Cow;
use alloc::string::String;

use skiff_abi::Capability;

use super::super::answer::Answered;
use super::super::contract::Flat;
use crate::budget::PluginLimits;
use crate::host::Services;
use crate::host::engine::GuestSlice;
use crate::host::imports::{Caller, ImportRow, Outcome, Ret, Run, publish_notification};

const MODEL: &str = "skiff:plugin/model@0.1.";
const CONFIG: &str = "skiff:plugin/config@0.1.";
const NOTIFY: &str = "skiff:plugin/notify@0.1.";
const LOG: &str = "skiff:plugin/log@0.1.";

/// Rows of these interfaces. What a missing capability gives is decided in each: an answer in memory is no number.
pub(in crate::host::component) const ROWS: &[(&ImportRow, Flat)] = &[
    (
        &ImportRow::of(
            MODEL,
            "get-self-path",
            Run::Core(|caller, services, args| {
                let (path, to): (GuestSlice, u32) = (args.take()?, args.take()?);
                Ok(node(caller, services, path, to, |services, path| services.self_path(path)))
            }),
        ),
        "iii>",
    ),
    (
        &ImportRow::of(
            MODEL,
            "get-path",
            Run::Core(|caller, services, args| {
                let (path, to): (GuestSlice, u32) = (args.take()?, args.take()?);
                Ok(node(caller, services, path, to, |services, path| services.path(path)))
            }),
        ),
        "iii>",
    ),
    (
        &ImportRow::of(
            CONFIG,
            "read",
            Run::Core(|caller, services, args| {
                let to: u32 = args.take()?;
                // The file is read and parsed however long it is.
                caller.pay(PluginLimits::PATH_WORK_BYTES, 1);
                let config = services.read_config();
                pay(caller, config.as_deref().unwrap_or_default());
                Ok(Answered::option(to, config).into())
            }),
        ),
        "i>",
    ),
    (
        &ImportRow::of(
            CONFIG,
            "save",
            Run::Core(|caller, services, args| {
                let (config, to): (GuestSlice, u32) = (args.take()?, args.take()?);
                let Some(config) = caller.text_to_parse(config, u32::MAX) else {
                    return Ok(Answered::result(to, Err(TOO_LONG)).into());
                };
                let saved = services.save_config(&config);
                caller.pay(PluginLimits::SYNC_WORK_BYTES, 1);
                Ok(Answered::result(
                    to,
                    if saved {
                        Ok(())
                    } else {
                        Err("it was not saved: it must be a JSON object, and the storage have room")
                    },
                )
                .into())
            }),
        ),
        "iii>",
    ),
    (
        &ImportRow::of(
            NOTIFY,
            "publish",
            Run::Core(|caller, services, args| {
                let (path, value, to): (GuestSlice, GuestSlice, u32) = (args.take()?, args.take()?, args.take()?);
                if !caller.state().capabilities.allows(Capability::DataWrite, false) {
                    return Ok(Answered::result(to, Err("the package has not the capability dataWrite")).into());
                }
                let published = publish_notification(caller, services, path, value);
                Ok(Answered::result(
                    to,
                    if published {
                        Ok(())
                    } else {
                        Err("it was refused: a path below notifications, and an object with a state")
                    },
                )
                .into())
            }),
        ),
        "iiiii>",
    ),
    (
        &ImportRow::of(
            LOG,
            "log",
            Run::Core(|caller, services, args| {
                let (level, text): (u32, GuestSlice) = (args.take()?, args.take()?);
                let level = match level {
                    0 => log::Level::Debug,
                    1 => log::Level::Info,
                    2 => log::Level::Warn,
                    _ => log::Level::Error,
                };
                if let Some(text) = caller.text_to_parse(text, u32::MAX) {
                    services.log(level, &text);
                }
                Ok(Outcome::Ret(Ret::Nothing))
            }),
        ),
        "iii>",
    ),
];

const TOO_LONG: &str = "the text lies outside of the memory or is too long";

/// Takes fuel for a text that was made.
fn pay(caller: &mut Caller<'_>, text: &str) {
    caller.pay(u32::try_from(text.len()).unwrap_or(u32::MAX), PluginLimits::PARSE_WORK);
}

/// Answers with a node of the model, none without the capability to read it.
fn node(
    caller: &mut Caller<'_>,
    services: &mut dyn Services,
    path: GuestSlice,
    to: u32,
    find: impl Fn(&mut dyn Services, &str) -> Option<String>,
) -> Outcome {
    let may = caller.state().capabilities.allows(Capability::DataRead, false);
    let path = if may { caller.text(path).map(Cow::into_owned) } else { None };
    let node = path.and_then(|path| find(services, &path)).filter(|node| node != "null");
    pay(caller, node.as_deref().unwrap_or_default());
    Answered::option(to, node).into()
}
