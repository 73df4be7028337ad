//! The client port.

use crate::shared::Shared;
use crate::workers::Workers;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::warn;

/// Pending connections that the kernel holds, when `clientPortListenBacklog` says nothing.
const DEFAULT_BACKLOG: i32 = 4096;
/// Pause after the kernel has refused to accept (no descriptors left), before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Binds the client port, which fails if a server listens there already; clients are refused until
/// [`listen`]. A wildcard takes IPv4 and IPv6, as in Java.
///
/// # Errors
/// What the kernel says.
pub(crate) fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Lets others connect.
///
/// # Errors
/// What the kernel says.
pub(crate) fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(DEFAULT_BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The wildcard address: IPv6 where the machine has it, which takes IPv4 as well.
pub(crate) fn wildcard() -> IpAddr {
    let v6 = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))
        .and_then(|socket| socket.bind(&SocketAddr::from((Ipv6Addr::LOCALHOST, 0)).into()));
    if v6.is_ok() {
        IpAddr::from([0_u16; 8])
    } else {
        IpAddr::from([0_u8; 4])
    }
}

/// Lets clients connect. What their sockets are to be like, they get from the one that listens.
///
/// # Errors
/// What the kernel says.
pub(crate) fn listen_for_clients(
    socket: Socket,
    backlog: Option<u32>,
    keep_alive: bool,
) -> io::Result<std::net::TcpListener> {
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(keep_alive)?;
    socket.set_nonblocking(false)?;
    let backlog = backlog.and_then(|n| i32::try_from(n).ok());
    socket.listen(backlog.unwrap_or(DEFAULT_BACKLOG))?;
    Ok(socket.into())
}

/// Lets clients in: a thread that waits for nothing else, and so is told of each by one call.
pub(crate) struct Reception {
    pub(crate) shared: Arc<Shared>,
    pub(crate) workers: Arc<Workers>,
}

impl Reception {
    /// Accepts clients until somebody has the port [`refuse`] them.
    pub(crate) fn accept(self, port: &std::net::TcpListener) {
        while !self.shared.is_draining() {
            match accept(port) {
                Ok((stream, remote)) => self.admit(stream, remote),
                // It has left before its turn.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) if self.shared.is_draining() => {}
                Err(error) => {
                    warn!(%error, "cannot accept a client");
                    thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, remote: SocketAddr) {
        let shared = &self.shared;
        let desk = self.workers.next();
        match shared.clients.add(remote, desk) {
            Ok(client) => {
                shared.stats.accepted(&remote);
                desk.welcome(client, stream);
            }
            Err(rejected) => {
                shared.stats.rejected();
                warn!(%remote, "{rejected}");
            }
        }
    }
}

/// Lets nobody connect any more, and has [`Reception::accept`] look up.
pub(crate) fn refuse(port: &std::net::TcpListener) {
    // A port that cannot be shut is not open.
    let _ = SockRef::from(port).shutdown(Shutdown::Both);
}

/// Waits for a client. Its socket does not block.
fn accept(port: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (stream, remote) = acceptfrom_with(port, flags)?;
    let remote = remote.ok_or(ErrorKind::ConnectionAborted)?;
    Ok((stream.into(), remote.try_into()?))
}

#[cfg(test)]
mod tests;
