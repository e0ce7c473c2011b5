//! WASI preview 1: clocks, environment, randomness, and files below the plugin's own root (plugin ABI appendix B).

pub(super) mod environment;
pub(super) mod files;
mod folder;
pub(super) mod no_sockets;
mod output;
mod path;
pub(super) mod poll;

use alloc::vec::Vec;

use super::{Caller, Outcome};
use crate::host::engine::{GuestSlice, Linear};
use crate::vfs::FileError;

/// An error number of preview 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errno(i32);

impl Errno {
    /// Bad file descriptor.
    const BADF: Self = Self(8);
    /// Bad address.
    const FAULT: Self = Self(21);
    /// Illegal byte sequence.
    const ILSEQ: Self = Self(25);
    /// Invalid argument.
    const INVAL: Self = Self(28);
    /// Name too long.
    const NAMETOOLONG: Self = Self(37);
    /// Function not implemented.
    const NOSYS: Self = Self(52);
    /// Not a socket; what `sock_*` answers where there are none.
    const NOTSOCK: Self = Self(57);
    /// Not supported.
    const NOTSUP: Self = Self(58);
    /// Not permitted.
    const PERM: Self = Self(63);
    /// Invalid seek.
    const SPIPE: Self = Self(70);
}

impl From<FileError> for Errno {
    fn from(error: FileError) -> Self {
        Self(error.errno())
    }
}

/// Success, or an error number.
type Done = Result<(), Errno>;

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        Self::from(match done {
            Ok(()) => 0,
            Err(Errno(number)) => number,
        })
    }
}

/// Vectors of one read or write; POSIX allows 1024.
const IOVECS_MAX: u32 = 1024;
/// Descriptors of standard input, output and error.
const STDIO: core::ops::RangeInclusive<u32> = 0..=2;

/// Writes `bytes` at `ptr`, all or nothing.
fn put(caller: &mut Caller<'_>, ptr: u32, bytes: &[u8]) -> Done {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if caller.write(GuestSlice { ptr, len }, bytes) { Ok(()) } else { Err(Errno::FAULT) }
}

/// Asks for `bytes` of room at `ptr` before something happens that cannot be taken back.
fn check(caller: &Caller<'_>, ptr: u32, bytes: u32) -> Done {
    if caller.holds(GuestSlice { ptr, len: bytes }) { Ok(()) } else { Err(Errno::FAULT) }
}

/// Reads the vectors of a list, each checked against the memory.
fn vectors(memory: Linear<'_>, list: GuestSlice) -> Result<Vec<GuestSlice>, Errno> {
    if list.len > IOVECS_MAX {
        return Err(Errno::INVAL);
    }
    let vector = |index: u32| {
        let at = list.ptr.checked_add(index.checked_mul(8)?)?;
        let slice = GuestSlice { ptr: memory.word(at)?, len: memory.word(at.checked_add(4)?)? };
        memory.holds(slice).then_some(slice)
    };
    (0..list.len).map(vector).collect::<Option<_>>().ok_or(Errno::FAULT)
}
