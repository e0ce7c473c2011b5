//! `sock_*`: no descriptor is a socket.

use super::{Done, Errno};
use crate::host::engine::GuestSlice;
use crate::host::imports::Caller;

pub(in crate::host::imports) fn sock_accept(_: &mut Caller<'_>, _fd: u32, _flags: i32, _into: u32) -> Done {
    Err(Errno::NOTSOCK)
}

pub(in crate::host::imports) fn sock_recv(
    _: &mut Caller<'_>,
    _fd: u32,
    _list: GuestSlice,
    _flags: i32,
    _read: u32,
    _into: u32,
) -> Done {
    Err(Errno::NOTSOCK)
}

pub(in crate::host::imports) fn sock_send(
    _: &mut Caller<'_>,
    _fd: u32,
    _list: GuestSlice,
    _flags: i32,
    _written: u32,
) -> Done {
    Err(Errno::NOTSOCK)
}

pub(in crate::host::imports) fn sock_shutdown(_: &mut Caller<'_>, _fd: u32, _how: i32) -> Done {
    Err(Errno::NOTSOCK)
}
