//! A TCP connection as a byte stream of `embedded-io`, for code that reads serial ports and sockets alike.

use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write};

use super::{NetError, Network, Received, Socket};

/// One connection of a [`Network`], borrowed.
///
/// `embedded-io` streams block; this one cannot wait. Ask [`ReadReady::read_ready`] first: a read that finds nothing
/// answers [`NetError::Pending`], and so does a write without room.
pub struct Stream<'n> {
    network: &'n mut dyn Network,
    socket: Socket,
    /// Looked at by `read_ready`, given by the next read.
    ahead: Option<u8>,
}

impl<'n> Stream<'n> {
    /// Wraps a connection.
    pub fn new(network: &'n mut dyn Network, socket: Socket) -> Self {
        Self { network, socket, ahead: None }
    }
}

impl Error for NetError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Closed => ErrorKind::NotConnected,
            Self::TooMany => ErrorKind::OutOfMemory,
            Self::InUse => ErrorKind::AddrInUse,
            Self::Denied => ErrorKind::PermissionDenied,
            Self::Unreachable => ErrorKind::ConnectionRefused,
            Self::Reset => ErrorKind::ConnectionReset,
            Self::TooLong => ErrorKind::InvalidInput,
            Self::UnknownHost => ErrorKind::NotFound,
            Self::Unsupported => ErrorKind::Unsupported,
            Self::Pending => ErrorKind::Interrupted,
        }
    }
}

impl ErrorType for Stream<'_> {
    type Error = NetError;
}

impl Read for Stream<'_> {
    /// Reads what is there; 0 is the end of the stream.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, NetError> {
        let Some((first, rest)) = buffer.split_first_mut() else { return Ok(0) };
        if let Some(byte) = self.ahead.take() {
            *first = byte;
            let more = match rest.is_empty() {
                true => Received::Pending,
                false => self.network.receive(self.socket, rest).unwrap_or(Received::Pending),
            };
            return Ok(if let Received::Bytes(count) = more { count.saturating_add(1) } else { 1 });
        }
        match self.network.receive(self.socket, buffer)? {
            Received::Bytes(count) => Ok(count),
            Received::Pending => Err(NetError::Pending),
            Received::Closed => Ok(0),
        }
    }
}

impl ReadReady for Stream<'_> {
    fn read_ready(&mut self) -> Result<bool, NetError> {
        if self.ahead.is_some() {
            return Ok(true);
        }
        let mut byte = [0];
        match self.network.receive(self.socket, &mut byte)? {
            Received::Bytes(_) => {
                let [byte] = byte;
                self.ahead = Some(byte);
                Ok(true)
            }
            Received::Pending => Ok(false),
            // The end can be read at once.
            Received::Closed => Ok(true),
        }
    }
}

impl Write for Stream<'_> {
    /// Writes what fits.
    fn write(&mut self, data: &[u8]) -> Result<usize, NetError> {
        match self.network.send(self.socket, data)? {
            0 if !data.is_empty() => Err(NetError::Pending),
            count => Ok(count),
        }
    }

    /// Does nothing: the stack sends by itself.
    fn flush(&mut self) -> Result<(), NetError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::SimNetwork;
    use crate::time::Instant;

    #[test]
    fn bytes_pass_both_ways_and_waiting_is_an_error_of_its_own() {
        let mut network = SimNetwork::new();
        let listener = network.listen("127.0.0.1:7000".parse().unwrap()).unwrap();
        let client = network.connect("127.0.0.1:7000".parse().unwrap()).unwrap();
        network.poll(Instant(1));
        let (server, _) = network.accept(listener).unwrap();
        let mut buffer = [0; 8];
        assert_eq!(Stream::new(&mut network, server).read(&mut buffer), Err(NetError::Pending));
        assert_eq!(Stream::new(&mut network, client).write(b"depth"), Ok(5));
        network.poll(Instant(2));
        let mut stream = Stream::new(&mut network, server);
        assert_eq!((stream.read_ready(), stream.read_ready()), (Ok(true), Ok(true)));
        assert_eq!(stream.read(&mut buffer), Ok(5));
        assert_eq!(&buffer[..5], b"depth");
        assert_eq!(stream.read_ready(), Ok(false));
        network.close(client);
        network.poll(Instant(3));
        assert_eq!(Stream::new(&mut network, server).read(&mut buffer), Ok(0), "the end of the stream");
    }
}
