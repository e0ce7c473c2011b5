//! What Skiff is held against its peers with: generated logs, and transcripts of both.

pub mod logs;
pub mod messages;
pub mod random;
pub mod sentences;
pub mod transcripts;
