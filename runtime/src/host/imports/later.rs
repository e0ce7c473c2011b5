//! Imports that are linked and answer their failure value, with one warning each: not supported yet.
//!
//! A plugin that imports them loads, and sees what it would see without the capability.

use alloc::format;

use skiff_abi::import::ENV;

use super::{Args, Ask, Guest, Known, Outcome, Ret, WrongType};

/// Builds a table of imports that share the same refusal.
macro_rules! refused {
    ($($module:ident $name:literal => $failure:expr),+ $(,)?) => {
        pub(super) const TABLE: &[Known] = &[$(
            Known {
                module: $module,
                name: $name,
                handler: |guest, args| refuse(guest, args, $name, $failure),
                failure: $failure,
            },
        )+];
    };
}

refused! {
    ENV "sk_udp_create" => Ret::Int(-1),
    ENV "sk_udp_bind" => Ret::Int(-1),
    ENV "sk_udp_join_multicast" => Ret::Int(-1),
    ENV "sk_udp_leave_multicast" => Ret::Int(-1),
    ENV "sk_udp_set_multicast_ttl" => Ret::Int(-1),
    ENV "sk_udp_set_multicast_loopback" => Ret::Int(-1),
    ENV "sk_udp_set_broadcast" => Ret::Int(-1),
    ENV "sk_udp_send" => Ret::Int(-1),
    ENV "sk_udp_recv" => Ret::Int(-1),
    ENV "sk_udp_pending" => Ret::Int(-1),
    ENV "sk_udp_close" => Ret::Nothing,
    ENV "sk_tcp_create" => Ret::Int(-1),
    ENV "sk_tcp_connect" => Ret::Int(-1),
    ENV "sk_tcp_connected" => Ret::Int(-1),
    ENV "sk_tcp_set_line_buffering" => Ret::Int(-1),
    ENV "sk_tcp_send" => Ret::Int(-1),
    ENV "sk_tcp_recv_line" => Ret::Int(-1),
    ENV "sk_tcp_recv_raw" => Ret::Int(-1),
    ENV "sk_tcp_pending" => Ret::Int(-1),
    ENV "sk_tcp_close" => Ret::Nothing,
}

fn refuse(guest: &mut Guest<'_>, _: &Args<'_>, name: &'static str, failure: Ret) -> Result<Outcome, WrongType> {
    if !guest.state_mut().unsupported_seen.insert(name) {
        return Ok(Outcome::Done(failure));
    }
    let line = format!("{name} is not supported by this version of Skiff");
    Ok(match failure {
        Ret::Int(answer) => Outcome::Ask(Ask::LogThen(log::Level::Warn, line, answer)),
        Ret::Nothing | Ret::Float(_) => Outcome::Ask(Ask::Log(log::Level::Warn, line)),
    })
}
