//! The flash below the storage, and its blocking calls as futures that are ready at once.

use core::ops::Range;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

/// NOR flash with sectors of 4,096 bytes and words of at most 4, which may be written twice to clear more bits.
pub trait Flash: MultiwriteNorFlash {
    /// Returns a range where the processor reads it in place; `None` where the flash is not mapped.
    ///
    /// The storage neither writes nor erases the range while the [`Lease`](crate::hal::Lease) it hands out with the
    /// bytes lives.
    fn mapped(&self, range: Range<u32>) -> Option<&'static [u8]> {
        let _ = range;
        None
    }
}

/// Gives blocking flash the asynchronous traits that `sequential-storage` asks for.
#[derive(Debug)]
pub struct Blocking<F>(pub F);

impl<F: ErrorType> ErrorType for Blocking<F> {
    type Error = F::Error;
}

impl<F: Flash> embedded_storage_async::nor_flash::ReadNorFlash for Blocking<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        ReadNorFlash::read(&mut self.0, offset, bytes)
    }

    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(&self.0)
    }
}

impl<F: Flash> embedded_storage_async::nor_flash::NorFlash for Blocking<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        NorFlash::erase(&mut self.0, from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        NorFlash::write(&mut self.0, offset, bytes)
    }
}

impl<F: Flash> embedded_storage_async::nor_flash::MultiwriteNorFlash for Blocking<F> {}

/// Polls a future once; `None` when it would wait, which none over [`Blocking`] flash does.
pub fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
