//! The quorum port: where learners connect to their leader (Java `Leader.LearnerCnxAcceptor`).
//!
//! It is open as long as the server runs: a learner may have decided before its leader has.

use super::links::Links;
use crate::listener;
use crate::server::{ServeError, resolve};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::{info, warn};
use zooid_config::{Config, HostPort, ServerSpec};

/// Pause after the kernel has refused to accept, before trying again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The port, open.
pub(crate) struct LearnerPort {
    listeners: Vec<TcpListener>,
}

impl LearnerPort {
    /// Opens it on each of the server's own addresses, or on every interface if so configured.
    pub(crate) async fn open(config: &Config, own: &ServerSpec) -> Result<LearnerPort, ServeError> {
        let mut listeners: Vec<TcpListener> = Vec::new();
        for address in &own.addresses {
            let address = if config.quorum.listen_on_all_ips {
                HostPort::wildcard(address.quorum_port)
            } else {
                HostPort {
                    host: address.host.clone(),
                    port: address.quorum_port,
                }
            };
            let resolved = resolve(address.clone()).await;
            let bound = resolved.and_then(listener::bind).and_then(listener::listen);
            match bound {
                Ok(listener) => listeners.push(listener),
                Err(error) => {
                    return Err(ServeError::Bind {
                        address: address.to_string(),
                        error,
                    });
                }
            }
            info!(%address, "waiting for learners");
        }
        Ok(LearnerPort { listeners })
    }

    /// Accepts until `links` are closed.
    pub(crate) fn serve(self, links: &Arc<Links>) {
        for listener in self.listeners {
            links.spawn(accept(Arc::clone(links), listener));
        }
    }
}

async fn accept(links: Arc<Links>, listener: TcpListener) {
    loop {
        // Dropping `accept` loses no connection: it stays with the kernel.
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = links.closed() => return,
        };
        match accepted {
            Ok((stream, remote)) => links.accept(stream, remote),
            Err(error) => {
                warn!(%error, "cannot accept a learner");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
