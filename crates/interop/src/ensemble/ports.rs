//! Ports that stay a server's own while it is down.

use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{SystemTime, UNIX_EPOCH};

/// Free ports of the loopback address that no other test takes: a member that is down listens on none
/// of its own, and one that follows not on all of them.
///
/// They lie below those that the system gives to outgoing connections: a client must not come to sit on
/// the port of a server that is just being restarted.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) numbers: Vec<u16>,
    // Locked as long as it is open.
    _reservation: File,
}

impl Ports {
    /// Reserves so many.
    pub(super) fn reserve(count: usize) -> Result<Ports> {
        ensure!(
            count <= usize::from(BLOCK),
            "{count} ports are more than a block"
        );
        let directory = env::temp_dir().join("zooid-interop-ports");
        fs::create_dir_all(&directory)?;
        let start = u16::try_from(start_of_search() % u64::from(BLOCKS))?;
        for block in (0..BLOCKS).map(|offset| (start + offset) % BLOCKS) {
            let path = directory.join(format!("{block}.lock"));
            let reservation = File::options().create(true).append(true).open(&path);
            let reservation = reservation.with_context(|| path.display().to_string())?;
            if reservation.try_lock().is_err() {
                continue;
            }
            let first = FIRST + block * BLOCK;
            let numbers: Vec<u16> = (first..first + BLOCK)
                .filter(|port| is_free(*port))
                .collect();
            if let Some(numbers) = numbers.get(..count) {
                return Ok(Ports {
                    numbers: numbers.to_vec(),
                    _reservation: reservation,
                });
            }
        }
        bail!("no {count} free ports from {FIRST} on")
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Tests that run at the same time look in different places.
fn start_of_search() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let process = u64::from(std::process::id()).wrapping_mul(0x9e37_79b9);
    process.wrapping_add(u64::from(since.subsec_micros()))
}

// Above those of kazoo's harness, see tests/kazoo/own_ports.py.
const FIRST: u16 = 16_000;
const BLOCK: u16 = 32;
const BLOCKS: u16 = 500;
