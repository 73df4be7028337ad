//! A connection as a stream of length-prefixed packets, with no idea of what they mean.

use anyhow::{Context, Result};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One TCP connection to a server.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(address: SocketAddr) -> Result<Wire> {
        let stream = TcpStream::connect_timeout(&address, READ_TIMEOUT)
            .with_context(|| format!("connect to {address}"))?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Wire { stream })
    }

    /// Whom it leads to.
    ///
    /// # Errors
    /// When the connection has failed.
    pub(crate) fn peer(&self) -> Result<SocketAddr> {
        Ok(self.stream.peer_addr()?)
    }

    /// Sends one packet. A server that has closed the connection is noticed by the next
    /// [`Wire::receive`], not here.
    ///
    /// # Errors
    /// When the connection fails in any other way.
    pub fn send(&mut self, packet: &[u8]) -> Result<()> {
        self.send_raw(&framed(packet))
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// As [`Wire::send`].
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        match self.stream.write_all(bytes) {
            Err(error) if !is_close(error.kind()) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Receives one packet; `None` when the server has closed the connection.
    ///
    /// # Errors
    /// When nothing comes, or the connection ends inside a packet.
    pub fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        let mut length = [0; 4];
        if !self.fill(&mut length)? {
            return Ok(None);
        }
        let length = usize::try_from(i32::from_be_bytes(length)).context("negative length")?;
        let mut packet = vec![0; length];
        Ok(self.fill(&mut packet)?.then_some(packet))
    }

    /// Whether anything comes, or the end, within so long.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn wait(&mut self, patience: Duration) -> Result<bool> {
        self.stream.set_read_timeout(Some(patience))?;
        let peeked = loop {
            match self.stream.peek(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                peeked => break peeked,
            }
        };
        self.stream.set_read_timeout(Some(READ_TIMEOUT))?;
        match peeked {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if !is_close(error.kind()) => Err(error.into()),
            _ => Ok(true),
        }
    }

    /// As [`Wire::receive`], from a server that may have forgotten the connection: it was just starting
    /// when it accepted it.
    ///
    /// # Errors
    /// As [`Wire::receive`].
    pub(crate) fn receive_soon(&mut self) -> Result<Option<Vec<u8>>> {
        self.stream.set_read_timeout(Some(SOON))?;
        let received = self.receive();
        self.stream.set_read_timeout(Some(READ_TIMEOUT))?;
        received
    }

    /// Receives everything until the server closes the connection.
    ///
    /// # Errors
    /// When it does not close it.
    pub fn receive_rest(&mut self) -> Result<Vec<u8>> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Err(error) if !is_close(error.kind()) => Err(error.into()),
            _ => Ok(rest),
        }
    }

    /// The address that the server sees.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn local_address(&self) -> Result<SocketAddr> {
        Ok(self.stream.local_addr()?)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<bool> {
        match self.stream.read_exact(buffer) {
            Ok(()) => Ok(true),
            Err(error) if is_close(error.kind()) => Ok(false),
            Err(error) => Err(error).context("no packet came"),
        }
    }
}

/// The packet with its length before it.
pub(crate) fn framed(packet: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(4 + packet.len());
    zooid_jute::put_buffer(&mut framed, Some(packet));
    framed
}

fn is_close(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

const SOON: Duration = Duration::from_secs(2);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
