//! Lines in the bytes of one connection: records of a log, or deltas.

use skiff_runtime::delta::DELTA_BYTES_MAX;
use skiff_runtime::n2k::log::{LogStream, Mode};

use super::{Feed, Wire};
use crate::run::feed::InputEvent;

/// What reads the bytes of one connection.
pub(super) enum Reader {
    Records { stream: Box<LogStream>, bad: u64 },
    Deltas { line: Vec<u8>, is_too_long: bool },
}

impl Reader {
    pub fn new(wire: Wire) -> Self {
        match wire {
            Wire::Records(format) => Self::Records { stream: Box::new(LogStream::new(format, Mode::Auto)), bad: 0 },
            Wire::Deltas => Self::Deltas { line: Vec::new(), is_too_long: false },
        }
    }

    /// Reads bytes, the last line of which ends with them where `ends`; false without a receiver.
    pub fn read(&mut self, bytes: &[u8], ends: bool, feed: &Feed) -> bool {
        match self {
            Self::Records { stream, bad } => {
                stream.feed(bytes);
                if ends {
                    stream.end_line();
                }
                feed.give(stream, bad)
            }
            Self::Deltas { line, is_too_long } => {
                let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
                while let Some(part) = parts.next() {
                    if line.len().saturating_add(part.len()) > DELTA_BYTES_MAX {
                        (*is_too_long, *line) = (true, Vec::new());
                    } else if !*is_too_long {
                        line.extend_from_slice(part);
                    }
                    if parts.peek().is_none() && !ends {
                        break;
                    }
                    let text = String::from_utf8(std::mem::take(line));
                    let event = match text {
                        _ if std::mem::take(is_too_long) => InputEvent::Bad,
                        Ok(text) if text.trim().is_empty() => continue,
                        Ok(text) => InputEvent::Remote(text),
                        Err(_) => InputEvent::Bad,
                    };
                    if !feed.tell(event) {
                        return false;
                    }
                }
                true
            }
        }
    }
}
