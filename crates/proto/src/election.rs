//! What servers tell each other on the election port (spec §5.1, §5.2; Java `QuorumCnxManager`,
//! `FastLeaderElection.Messenger`).
//!
//! A connection opens with an [`InitialMessage`] by whoever dialed. After that both ends send
//! messages, each behind its length; every message is a [`Notification`].

use crate::{DecodeError, Epoch, Jute, Limit, Reader, ServerId, Zxid};
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_jute::put_buffer;

mod initial_message;

pub use initial_message::{ElectionAddress, InitialMessage, InitialMessageError};

/// The longest message on the election port (Java `PACKETMAXSIZE`). The shortest is one byte.
pub const ELECTION_MESSAGE_BYTES_MAX: usize = 512 << 10;

/// What a server is doing (Java `QuorumPeer.ServerState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// It looks for a leader.
    Looking,
    /// It follows one.
    Following,
    /// It leads.
    Leading,
    /// It follows without a vote.
    Observing,
}

impl PeerState {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            PeerState::Looking => 0,
            PeerState::Following => 1,
            PeerState::Leading => 2,
            PeerState::Observing => 3,
        }
    }

    fn from_code(code: i32) -> Result<PeerState, DecodeError> {
        match code {
            0 => Ok(PeerState::Looking),
            1 => Ok(PeerState::Following),
            2 => Ok(PeerState::Leading),
            3 => Ok(PeerState::Observing),
            value => Err(DecodeError::Unknown {
                what: "peer state",
                value,
            }),
        }
    }
}

/// A server's vote, as it tells others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What the sender is doing.
    pub state: PeerState,
    /// Whom it wants to lead, or who does.
    pub leader: ServerId,
    /// The end of that server's history.
    pub zxid: Zxid,
    /// The sender's round of elections (Java: election epoch, logical clock).
    pub round: i64,
    /// The epoch of that server's history.
    pub peer_epoch: Epoch,
    /// Which form the message had; [`Notification::VERSION`] in what is sent.
    pub version: i32,
    /// The sender's committed configuration, as text (spec §6.13).
    pub config: Option<Bytes>,
}

impl Notification {
    /// The form with a configuration, which every release since 3.5 sends.
    pub const VERSION: i32 = 2;

    /// Reads a message of any release. The form of the oldest two is known by its length only:
    /// releases before 3.4 left the epoch out, and 40 bytes count as version 0 whatever they say.
    ///
    /// # Errors
    /// [`DecodeError`] when it is too short for its form, or its sender is in no known state.
    pub fn decode(message: &Bytes) -> Result<Notification, DecodeError> {
        const WITHOUT_EPOCH: usize = 28;
        const WITHOUT_CONFIG: usize = 40;
        let mut r = Reader::shared(message, Limit(message.len()));
        let state = PeerState::from_code(r.i32()?)?;
        let leader = Jute::decode(&mut r)?;
        let zxid: Zxid = Jute::decode(&mut r)?;
        let round = r.i64()?;
        let peer_epoch = match message.len() {
            WITHOUT_EPOCH => zxid.epoch(),
            _ => Epoch(r.i64()?),
        };
        let version = match message.len() {
            WITHOUT_EPOCH | WITHOUT_CONFIG => 0,
            _ => r.i32()?,
        };
        let config = if version > 1 {
            Some(r.bytes()?.ok_or(DecodeError::Null)?)
        } else {
            None
        };
        Ok(Notification {
            state,
            leader,
            zxid,
            round,
            peer_epoch,
            version,
            config,
        })
    }

    /// As version 2, whatever [`Notification::version`] says; older receivers read its beginning.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        self.state.code().encode(&mut out);
        self.leader.encode(&mut out);
        self.zxid.encode(&mut out);
        self.round.encode(&mut out);
        self.peer_epoch.0.encode(&mut out);
        Notification::VERSION.encode(&mut out);
        put_buffer(&mut out, Some(self.config.as_deref().unwrap_or_default()));
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests;
