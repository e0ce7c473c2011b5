//! Chunked transfer coding (RFC 9112 §7.1).

use super::Refusal;

/// Longest line that announces a chunk, bytes; extensions of chunks are read over.
const SIZE_LINE_BYTES_MAX: usize = 64;

/// Where in a chunked body the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// At the line that announces a chunk.
    Size,
    /// Inside a chunk of which this many bytes are missing.
    Data(usize),
    /// At the line break behind a chunk.
    DataEnd,
    /// In the trailer, of which this many bytes were read.
    Trailer(usize),
    /// Behind the body.
    End,
}

/// What to do with the beginning of the bytes that were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This many bytes are body.
    Body(usize),
    /// This many bytes are framing; they can be thrown away.
    Framing(usize),
    /// More bytes are needed.
    Pending,
}

impl Chunks {
    /// Looks at bytes that follow; at most `room` more may be body, `trailer_max` the trailer.
    pub(super) fn next(&mut self, bytes: &[u8], room: usize, trailer_max: usize) -> Result<Piece, Refusal> {
        match *self {
            Self::Size => match httparse::parse_chunk_size(bytes) {
                Ok(httparse::Status::Complete((line, size))) => {
                    let size = usize::try_from(size).unwrap_or(usize::MAX);
                    if size > room {
                        return Err(Refusal::BodyTooLarge { limit: room });
                    }
                    *self = if size == 0 { Self::Trailer(0) } else { Self::Data(size) };
                    Ok(Piece::Framing(line))
                }
                Ok(httparse::Status::Partial) if bytes.len() < SIZE_LINE_BYTES_MAX => Ok(Piece::Pending),
                Ok(httparse::Status::Partial) => Err(Refusal::Malformed("the line of a chunk is too long")),
                Err(_) => Err(Refusal::Malformed("a chunk without a size")),
            },
            Self::Data(_) if bytes.is_empty() => Ok(Piece::Pending),
            Self::Data(missing) => {
                let count = missing.min(bytes.len());
                let missing = missing.saturating_sub(count);
                *self = if missing == 0 { Self::DataEnd } else { Self::Data(missing) };
                Ok(Piece::Body(count))
            }
            Self::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Ok(Piece::Framing(2))
                }
                [] | [b'\r'] => Ok(Piece::Pending),
                _ => Err(Refusal::Malformed("a chunk is longer than it says")),
            },
            Self::Trailer(read) => match bytes.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    let line = end.saturating_add(1);
                    let read = read.saturating_add(line);
                    if read > trailer_max {
                        return Err(Refusal::HeadTooLarge);
                    }
                    let is_empty = matches!(bytes.get(..end), Some([] | [b'\r']));
                    *self = if is_empty { Self::End } else { Self::Trailer(read) };
                    Ok(Piece::Framing(line))
                }
                None if read.saturating_add(bytes.len()) >= trailer_max => Err(Refusal::HeadTooLarge),
                None => Ok(Piece::Pending),
            },
            Self::End => Ok(Piece::Framing(0)),
        }
    }
}
