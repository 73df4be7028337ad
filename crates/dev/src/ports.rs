//! Whether the ports of an ensemble are free, before anything is started.

use std::net::{Ipv4Addr, TcpListener};

use crate::layout::{Layout, Purpose};

/// A port that an ensemble needs cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot use port {port}, which is for {purpose}: {error}; stop what listens there, or choose \
     other ports with --base-port"
)]
pub struct BusyPort {
    port: u16,
    purpose: Purpose,
    error: std::io::Error,
}

/// Binds each for a moment.
pub(crate) fn check(layout: &Layout) -> Result<(), BusyPort> {
    for (port, purpose) in layout.ports() {
        if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Err(BusyPort {
                port,
                purpose,
                error,
            });
        }
    }
    Ok(())
}
