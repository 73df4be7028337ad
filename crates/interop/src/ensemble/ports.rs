//! Ports that stay a server's own while it is down.

use anyhow::{Result, ensure};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{SystemTime, UNIX_EPOCH};

/// Free ports of the loopback address, below those that the system gives to outgoing connections: a
/// client must not come to sit on the port of a server that is just being restarted.
pub(super) fn free_ports(count: usize) -> Result<Vec<u16>> {
    let mut candidate = FIRST + u16::try_from(start_of_search() % u64::from(SPAN))?;
    let mut found = Vec::with_capacity(count);
    for _ in 0..SPAN {
        if found.len() == count {
            break;
        }
        // All are held until all have been found.
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, candidate)) {
            found.push(listener);
        }
        candidate = if candidate == FIRST + SPAN {
            FIRST
        } else {
            candidate + 1
        };
    }
    ensure!(
        found.len() == count,
        "no {count} free ports from {FIRST} on"
    );
    let ports = found
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()));
    ports.collect()
}

/// Tests that run at the same time look in different places.
fn start_of_search() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let process = u64::from(std::process::id()).wrapping_mul(0x9e37_79b9);
    process.wrapping_add(u64::from(since.subsec_micros()))
}

const FIRST: u16 = 10_000;
const SPAN: u16 = 22_000;
