//! Who is known to the gateway: tokens with a name and a role, and devices that ask to be let in.
//!
//! The owner's token stands in `skiff/auth.json`; what is here is everybody else. Only hashes are stored: what a token is,
//! its device is told once.

mod access_requests;
mod role;
mod tokens;

pub use access_requests::{
    AccessAnswer, AccessRequest, AccessRequests, AskError, Asking, CLIENT_ID_BYTES_MAX, DESCRIPTION_BYTES_MAX,
    PENDING_MAX, PER_PEER_MAX, RequestState,
};
pub use role::Role;
pub use tokens::{FILE, Known, NewToken, NoRoom, TOKENS_MAX, Token, TokenKind, Tokens, expiry};

/// Tokens beside the owner's and access requests are there. Boards leave them out until their flash has the room
/// (`runtime/docs/size.md`): their one token is the owner's.
pub const IS_KEPT: bool = cfg!(any(test, feature = "accounts"));
