//! Reaching another server, whichever of its addresses answers.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;
use zooid_config::HostPort;

/// Attempts to connect to a leader (Java `Learner.connectToLeader`).
const ATTEMPTS_MAX: u32 = 5;

/// How long to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// In all.
    pub(super) limit: Duration,
    /// Between attempts.
    pub(super) pause: Duration,
}

/// Connects, in several attempts. Names are resolved anew for each: they may have come to mean another
/// machine.
pub(super) async fn connect(addresses: &[HostPort], patience: Patience) -> io::Result<TcpStream> {
    let deadline = Instant::now() + patience.limit;
    let mut attempt = 1;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(result) = timeout(left, connect_once(addresses)).await else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        match result {
            Ok(stream) => return Ok(stream),
            Err(error) if attempt == ATTEMPTS_MAX => return Err(error),
            Err(error) => debug!(%error, attempt, "cannot connect yet"),
        }
        attempt += 1;
        sleep(patience.pause).await;
    }
}

/// Tries all addresses at once; the first that answers wins.
async fn connect_once(addresses: &[HostPort]) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    for address in addresses {
        let address = address.clone();
        attempts.spawn(async move {
            let found = lookup_host((address.host.as_str(), address.port)).await?;
            connect_to_any(found.collect()).await
        });
    }
    let mut failure = io::Error::other("the server has no address");
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = error,
            Err(error) => failure = io::Error::other(error),
        }
    }
    Err(failure)
}

async fn connect_to_any(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    TcpStream::connect(&addresses[..]).await
}

#[cfg(test)]
mod tests;
