//! Who is known to the gateway: people with a password, tokens with a name and a role, devices that ask to be let in.
//!
//! The owner's token stands in `skiff/auth.json`; what is here is everybody else. Only hashes are stored: what a token is,
//! its bearer is told once.

mod access_requests;
mod attempts;
mod book;
mod logins;
mod role;
mod secret;
mod sign_in;
mod tokens;
mod users;

pub use access_requests::{
    AccessAnswer, AccessRequest, AccessRequests, AskError, Asking, CLIENT_ID_BYTES_MAX, DESCRIPTION_BYTES_MAX,
    PENDING_MAX, PER_PEER_MAX, RequestState,
};
pub use attempts::Attempts;
pub use book::{Accounts, Credential};
pub use logins::{HandedOut, LOGINS_FILE, Login, Logins, NoTime};
pub use role::Role;
pub use secret::SecretHash;
pub use sign_in::{CODE_KEPT, SignInCode};
pub use tokens::{FILE, Known, NewToken, NoRoom, TOKENS_MAX, Token, TokenChange, TokenKind, Tokens, expiry};
pub use users::{
    FOUND_USERS_FILE, PASSWORD_BYTES_MAX, PASSWORD_BYTES_MIN, USER_NAME_BYTES_MAX, USERS_FILE, USERS_MAX, User,
    UserError, Users, check_name, check_password,
};

/// Everybody beside the owner's token is there. Boards leave them out until their flash has the room
/// (`runtime/docs/size.md`): their one token is the owner's.
pub const IS_KEPT: bool = cfg!(any(test, feature = "accounts"));
