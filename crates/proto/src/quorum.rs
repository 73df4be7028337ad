//! Packets between a leader and its learners (spec §6.1; Java `QuorumPacket`, `LearnerInfo`).

mod decoder;

pub use decoder::PacketDecoder;

use crate::{DecodeError, Epoch, Id, Jute, Limit, OpCode, Reader, ServerId, SessionId, Zxid};
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_jute::{put_buffer, put_vec_len, record};

/// What a [`QuorumPacket`] says. Codes are those of Java's `Leader`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PacketType {
    /// A learner forwards a client's request.
    Request,
    /// A leader proposes a transaction.
    Proposal,
    /// A follower has made everything up to a zxid durable.
    Ack,
    /// A transaction is committed.
    Commit,
    /// Both ways: sign of life, with the sessions that a learner has heard of.
    Ping,
    /// Both ways: whether a session may be taken up.
    Revalidate,
    /// A sync that a learner forwarded is due.
    Sync,
    /// A committed transaction, for an observer.
    Inform,
    /// A committed change of configuration.
    CommitAndActivate,
    /// Ends the synchronisation: the learner now has the epoch's initial history.
    NewLeader,
    /// A follower introduces itself.
    FollowerInfo,
    /// A learner may serve clients.
    UpToDate,
    /// Transactions follow.
    Diff,
    /// The learner must cut its log, then transactions may follow.
    Trunc,
    /// A snapshot follows, outside of any packet.
    Snap,
    /// An observer introduces itself.
    ObserverInfo,
    /// The leader announces its epoch.
    LeaderInfo,
    /// A learner accepts the epoch and tells its history's end.
    AckEpoch,
    /// A committed change of configuration, for an observer.
    InformAndActivate,
}

const CODES: [(PacketType, i32); 19] = [
    (PacketType::Request, 1),
    (PacketType::Proposal, 2),
    (PacketType::Ack, 3),
    (PacketType::Commit, 4),
    (PacketType::Ping, 5),
    (PacketType::Revalidate, 6),
    (PacketType::Sync, 7),
    (PacketType::Inform, 8),
    (PacketType::CommitAndActivate, 9),
    (PacketType::NewLeader, 10),
    (PacketType::FollowerInfo, 11),
    (PacketType::UpToDate, 12),
    (PacketType::Diff, 13),
    (PacketType::Trunc, 14),
    (PacketType::Snap, 15),
    (PacketType::ObserverInfo, 16),
    (PacketType::LeaderInfo, 17),
    (PacketType::AckEpoch, 18),
    (PacketType::InformAndActivate, 19),
];

impl PacketType {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> i32 {
        let found = CODES.iter().find(|(kind, _)| *kind == self);
        found.map_or(0, |(_, code)| *code)
    }

    /// The type of a number.
    #[must_use]
    pub fn from_code(code: i32) -> Option<PacketType> {
        let found = CODES.iter().find(|(_, known)| *known == code);
        found.map(|(kind, _)| *kind)
    }
}

impl Jute for PacketType {
    fn decode(r: &mut Reader<'_>) -> Result<PacketType, DecodeError> {
        let code = r.i32()?;
        PacketType::from_code(code).ok_or(DecodeError::Unknown {
            what: "quorum packet type",
            value: code,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.code().encode(out);
    }
}

/// A null vector.
const NULL: [u8; 4] = (-1i32).to_be_bytes();

/// One packet between leader and learner. Packets follow each other without any framing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumPacket {
    /// What it says.
    pub kind: PacketType,
    /// About which transaction, or which epoch.
    pub zxid: Zxid,
    /// Depends on the type; null in most.
    pub data: Option<Bytes>,
    /// Who the client of a REQUEST is; null in everything else.
    pub auth: Option<Arc<[Id]>>,
}

impl QuorumPacket {
    /// What a packet has around its data, unless that is a client's.
    const BYTES_BESIDES: usize = 20;

    /// A packet without data.
    #[must_use]
    pub fn new(kind: PacketType, zxid: Zxid) -> QuorumPacket {
        QuorumPacket {
            kind,
            zxid,
            data: None,
            auth: None,
        }
    }

    /// A packet with data.
    #[must_use]
    pub fn with_data(kind: PacketType, zxid: Zxid, data: impl Into<Bytes>) -> QuorumPacket {
        QuorumPacket {
            data: Some(data.into()),
            ..QuorumPacket::new(kind, zxid)
        }
    }

    /// Decodes the packet at the front of `input` and says how long it is; `None` when it is not whole
    /// yet. Data is shared with `input`, not copied. The caller bounds how much it gathers for one.
    ///
    /// # Errors
    /// [`DecodeError`] when more bytes cannot make it a packet, one with more than `limit` among them.
    pub fn split(
        input: &Bytes,
        limit: Limit,
    ) -> Result<Option<(QuorumPacket, usize)>, DecodeError> {
        let mut r = Reader::shared(input, limit);
        let packet = PacketDecoder::default().next(&mut r)?;
        Ok(packet.map(|packet| (packet, input.len() - r.rest().len())))
    }
}

impl Jute for QuorumPacket {
    fn decode(r: &mut Reader<'_>) -> Result<QuorumPacket, DecodeError> {
        PacketDecoder::default().decode(r)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let data = self.data.as_deref();
        out.reserve(QuorumPacket::BYTES_BESIDES + data.map_or(0, <[u8]>::len));
        self.kind.encode(out);
        self.zxid.encode(out);
        put_buffer(out, data);
        match &self.auth {
            Some(ids) => {
                put_vec_len(out, ids.len());
                for id in ids.iter() {
                    id.encode(out);
                }
            }
            None => out.extend_from_slice(&NULL),
        }
    }
}

record! {
    /// What FOLLOWERINFO and OBSERVERINFO carry. Releases before 3.5 leave fields out at the end.
    #[derive(Copy)]
    pub struct LearnerInfo {
        /// Who it is.
        server_id: ServerId,
        /// [`LearnerInfo::PROTOCOL_VERSION`].
        protocol_version: i32,
        /// The version of the configuration it has.
        config_version: i64,
    }

    /// One session that a learner has heard of, in a PING.
    #[derive(Copy)]
    pub struct SessionTouch {
        /// Which.
        session: SessionId,
        /// Its timeout in milliseconds.
        timeout_ms: i32,
    }

    /// The leader's answer to a REVALIDATE.
    #[derive(Copy)]
    pub struct Revalidated {
        /// Which session.
        session: SessionId,
        /// Whether it lives.
        valid: bool,
    }
}

impl LearnerInfo {
    /// What every release since 3.4 speaks: LEADERINFO and ACKEPOCH.
    pub const PROTOCOL_VERSION: i32 = 0x1_0000;

    /// Decodes what a learner sent, however much of it there is.
    ///
    /// # Errors
    /// [`DecodeError`] when not even the server's id is there.
    pub fn decode_prefix(data: &[u8]) -> Result<LearnerInfo, DecodeError> {
        let mut r = Reader::new(data, Limit::default());
        Ok(LearnerInfo {
            server_id: ServerId(r.i64()?),
            protocol_version: if r.rest().len() >= 4 { r.i32()? } else { 0 },
            config_version: if r.rest().len() >= 8 { r.i64()? } else { 0 },
        })
    }
}

/// A client's request on its way from a learner to the leader: the data of a REQUEST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedRequest {
    /// Who asks.
    pub session: SessionId,
    /// The client's request id.
    pub cxid: i32,
    /// What is asked, perhaps something unknown.
    pub op: i32,
    /// The encoded request record.
    pub body: Bytes,
    /// Who the client is.
    pub ids: Arc<[Id]>,
}

impl ForwardedRequest {
    /// As a packet.
    #[must_use]
    pub fn to_packet(&self) -> QuorumPacket {
        let mut data = Vec::with_capacity(size_of::<[i64; 2]>() + self.body.len());
        self.session.encode(&mut data);
        self.cxid.encode(&mut data);
        self.op.encode(&mut data);
        data.extend_from_slice(&self.body);
        QuorumPacket {
            auth: Some(Arc::clone(&self.ids)),
            ..QuorumPacket::with_data(PacketType::Request, Zxid::NONE, data)
        }
    }

    /// From a packet.
    ///
    /// # Errors
    /// [`DecodeError`] when it has no or too little data.
    pub fn from_packet(packet: &QuorumPacket) -> Result<ForwardedRequest, DecodeError> {
        let data = packet.data.as_ref().ok_or(DecodeError::Null)?;
        let mut r = Reader::shared(data, Limit(data.len()));
        let session = Jute::decode(&mut r)?;
        let cxid = r.i32()?;
        let op = r.i32()?;
        Ok(ForwardedRequest {
            session,
            cxid,
            op,
            body: data.slice_ref(r.rest()),
            ids: packet.auth.clone().unwrap_or_default(),
        })
    }

    /// The operation, if it is known.
    #[must_use]
    pub fn op_code(&self) -> Option<OpCode> {
        OpCode::from_code(self.op)
    }
}

/// The sessions in a learner's PING.
///
/// # Errors
/// [`DecodeError`] when the data ends inside one.
pub fn decode_touches(data: &[u8]) -> Result<Vec<SessionTouch>, DecodeError> {
    let mut r = Reader::new(data, Limit::default());
    let mut touches = Vec::with_capacity(data.len() / 12);
    while !r.is_empty() {
        touches.push(Jute::decode(&mut r)?);
    }
    Ok(touches)
}

/// The data of an ACKEPOCH: the learner's current epoch; `None` when the acknowledgement must not
/// count, the epoch having been accepted before.
#[must_use]
pub fn ack_epoch_data(current: Option<Epoch>) -> Vec<u8> {
    let code = current.map_or(-1, |epoch| i32::try_from(epoch.0).unwrap_or(-1));
    code.to_vec()
}

#[cfg(test)]
mod tests;
