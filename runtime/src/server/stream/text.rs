//! A text on its way to a client.

use alloc::sync::Arc;
use core::ops::Deref;

use crate::delta::Delta;

/// A text for a stream client. That of a delta is shared by all clients it goes to, and by all other owners of the delta.
#[derive(Clone, Debug)]
pub enum StreamText {
    /// The text of a delta.
    Delta(Arc<Delta>),
    /// Anything else that is said to this client.
    Other(Arc<str>),
}

impl Deref for StreamText {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Delta(delta) => delta.text(),
            Self::Other(text) => text,
        }
    }
}

impl AsRef<[u8]> for StreamText {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<&str> for StreamText {
    fn from(text: &str) -> Self {
        Self::Other(text.into())
    }
}

impl PartialEq for StreamText {
    /// Texts are the same when their bytes are, wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for StreamText {}
