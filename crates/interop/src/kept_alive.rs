//! An established connection whose client pings while it waits, as every client does.
//!
//! ZooKeeper 3.8.0 needs that: its `CommitProcessor` looks for work and goes to sleep in two steps, and a
//! commit that comes between them waits for the next request.

use crate::Wire;
use anyhow::Result;
use std::net::SocketAddr;
use std::time::Duration;
use zooid_proto::{Jute, Limit, OpCode, Reader, ReplyHeader, RequestHeader, xid};

/// See the module.
#[derive(Debug)]
pub(crate) struct KeptAlive {
    wire: Wire,
    /// Pings that nobody asked for, and that are not answered yet.
    own_pings: u32,
}

impl KeptAlive {
    pub(crate) fn new(wire: Wire) -> KeptAlive {
        KeptAlive { wire, own_pings: 0 }
    }

    pub(crate) fn into_wire(self) -> Wire {
        self.wire
    }

    /// As [`Wire::wait`], without a ping.
    pub(crate) fn wait(&mut self, patience: Duration) -> Result<bool> {
        self.wire.wait(patience)
    }

    /// As [`Wire::peer`].
    pub(crate) fn peer(&self) -> Result<SocketAddr> {
        self.wire.peer()
    }

    /// As [`Wire::send`].
    pub(crate) fn send(&mut self, packet: &[u8]) -> Result<()> {
        self.wire.send(packet)
    }

    /// As [`Wire::send_raw`].
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire.send_raw(bytes)
    }

    /// As [`Wire::receive`], without the answers to the pings sent meanwhile.
    pub(crate) fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        let mut patience = PINGS_MAX;
        loop {
            while patience > 0 && !self.wire.wait(PING_INTERVAL)? {
                self.ping()?;
                patience -= 1;
            }
            let packet = self.wire.receive()?;
            let is_own = match &packet {
                Some(packet) => self.is_own_ping(packet)?,
                None => false,
            };
            if !is_own {
                return Ok(packet);
            }
        }
    }

    fn ping(&mut self) -> Result<()> {
        let ping = RequestHeader {
            xid: xid::PING,
            op: OpCode::Ping.code(),
        };
        self.own_pings += 1;
        self.wire.send(&ping.to_vec())
    }

    /// Whether it answers a ping that nobody asked for; pings are answered in order.
    fn is_own_ping(&mut self, packet: &[u8]) -> Result<bool> {
        let header = ReplyHeader::decode(&mut Reader::new(packet, Limit::default()))?;
        let is_own = header.xid == xid::PING && self.own_pings > 0;
        self.own_pings -= u32::from(is_own);
        Ok(is_own)
    }
}

const PING_INTERVAL: Duration = Duration::from_secs(2);
const PINGS_MAX: usize = 14;
