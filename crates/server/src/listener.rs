//! The client port.

use crate::client;
use crate::shared::Shared;
use crate::workers::Workers;
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

/// Pending connections that the kernel holds, when `clientPortListenBacklog` says nothing.
const DEFAULT_BACKLOG: i32 = 4096;
/// Pause after the kernel has refused to accept (no descriptors left), before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Binds the client port, which fails if a server listens there already; clients are refused until
/// [`listen`]. A wildcard takes IPv4 and IPv6, as in Java.
///
/// # Errors
/// What the kernel says.
pub(crate) fn bind(address: SocketAddr) -> std::io::Result<Socket> {
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

/// Lets clients connect.
///
/// # Errors
/// What the kernel says.
pub(crate) fn listen(socket: Socket, backlog: Option<u32>) -> std::io::Result<TcpListener> {
    let backlog = backlog
        .and_then(|n| i32::try_from(n).ok())
        .unwrap_or(DEFAULT_BACKLOG);
    socket.listen(backlog)?;
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

/// Lets clients in.
pub(crate) struct Reception {
    pub(crate) shared: Arc<Shared>,
    /// Each client is one of these.
    pub(crate) tasks: TaskTracker,
    pub(crate) workers: Arc<Workers>,
}

impl Reception {
    /// Accepts clients until the server drains.
    pub(crate) async fn accept(self, listener: TcpListener) {
        loop {
            // Dropping `accept` loses no connection: it stays with the kernel.
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.shared.drain_started() => return,
            };
            match accepted {
                Ok((stream, remote)) => self.admit(stream, remote),
                Err(error) => {
                    warn!(%error, "cannot accept a client");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, remote: SocketAddr) {
        let shared = &self.shared;
        let configured = configure(&stream, shared.config.client.tcp_keep_alive);
        // It is a worker's from now on.
        let stream = match configured.and_then(|()| stream.into_std()) {
            Ok(stream) => stream,
            Err(error) => {
                info!(%remote, %error, "a client left before it was served");
                return;
            }
        };
        match shared.clients.add(remote) {
            Ok(client) => {
                shared.stats.accepted(&remote);
                let served = client::serve(Arc::clone(shared), client, stream);
                self.tasks.spawn_on(served, self.workers.next());
            }
            Err(rejected) => {
                shared.stats.rejected();
                warn!(%remote, "{rejected}");
            }
        }
    }
}

fn configure(stream: &TcpStream, keep_alive: bool) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    if keep_alive {
        socket2::SockRef::from(stream).set_keepalive(true)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
