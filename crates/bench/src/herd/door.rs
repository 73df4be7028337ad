//! A server, and how many sessions may try it at the same time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long nobody tries a server that has just failed somebody.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    /// Those that try now.
    trying: usize,
    /// Those that may, and how many that can become.
    limit: usize,
    limit_max: usize,
    closed_until: Option<Instant>,
}

impl Door {
    pub(crate) fn new(address: SocketAddr, limit_max: usize) -> Door {
        Door {
            address,
            trying: 0,
            limit: limit_max,
            limit_max,
            closed_until: None,
        }
    }

    pub(crate) fn is_open(&self, now: Instant) -> bool {
        self.trying < self.limit && self.closed_until.is_none_or(|until| now >= until)
    }

    pub(crate) fn enter(&mut self) {
        self.trying += 1;
    }

    pub(crate) fn succeed(&mut self) {
        self.trying -= 1;
        self.limit = self.limit_max.min(self.limit * 2);
        self.closed_until = None;
    }

    pub(crate) fn fail(&mut self, now: Instant) {
        self.trying -= 1;
        self.limit = 1;
        self.closed_until = Some(now + PAUSE);
    }
}

#[cfg(test)]
mod tests;
