//! The bytes to and from a server, with TLS or without.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "mqtt")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::trust::Identity;
use super::{Site, Trust};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for bytes before whoever reads looks at the clock.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time that a write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection.
pub enum Line {
    Plain(TcpStream),
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Line {
    /// Connects to the first address of the host that answers, and shows the certificate that is asked for where there is one.
    ///
    /// # Errors
    /// What the system said, or what is wrong with a certificate.
    pub fn open(site: &Site, trust: &Trust, identity: Option<&Identity<'_>>) -> Result<Self, String> {
        let stream = connect(site).map_err(|error| error.to_string())?;
        if !site.is_secure {
            return Ok(Self::Plain(stream));
        }
        let name =
            ServerName::try_from(site.host.clone()).map_err(|_| format!("{} is no name of a host", site.host))?;
        let client =
            ClientConnection::new(Arc::new(trust.config(identity)?), name).map_err(|error| error.to_string())?;
        let mut secure = StreamOwned::new(client, stream);
        // Now, so that a certificate that is not taken is told as such.
        secure.conn.complete_io(&mut secure.sock).map_err(|error| match error.get_ref() {
            Some(inner) => inner.to_string(),
            None => error.to_string(),
        })?;
        Ok(Self::Secure(Box::new(secure)))
    }
}

impl Line {
    /// Tells whether something was read from the socket that nobody has taken: no wait for the socket tells of it.
    #[cfg(feature = "mqtt")]
    pub fn has_more(&self) -> bool {
        matches!(self, Self::Secure(stream) if !stream.conn.wants_read())
    }

    /// Tells whether a read does not wait.
    #[cfg(feature = "mqtt")]
    pub fn is_readable(&self) -> bool {
        let mut waited = [PollFd::new(self.socket(), PollFlags::IN)];
        self.has_more() || poll(&mut waited, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Returns the socket below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secure(stream) => &stream.sock,
        }
    }
}

fn connect(site: &Site) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (site.host.as_str(), site.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(READ_TIMEOUT))?;
                stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Secure(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Secure(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Secure(stream) => stream.flush(),
        }
    }
}
