//! The first packet in each direction (spec §2.2).

use crate::{DecodeError, Jute, Reader, SessionId, Zxid};
use alloc::vec::Vec;
use bytes::Bytes;

/// What a client opens with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectRequest {
    /// Ignored by servers.
    pub protocol_version: i32,
    /// Newest state that the client has seen.
    pub last_zxid_seen: Zxid,
    /// Wished session timeout, in milliseconds.
    pub timeout_ms: i32,
    /// 0 for a new session.
    pub session_id: SessionId,
    /// The session's password; null or of any length when wrong.
    pub password: Option<Bytes>,
    /// Whether a read-only server will do; `None` from clients older than 3.4, which omit it.
    pub read_only: Option<bool>,
}

impl Jute for ConnectRequest {
    fn decode(r: &mut Reader<'_>) -> Result<ConnectRequest, DecodeError> {
        Ok(ConnectRequest {
            protocol_version: r.i32()?,
            last_zxid_seen: Zxid(r.i64()?),
            timeout_ms: r.i32()?,
            session_id: SessionId(r.i64()?),
            password: r.bytes()?,
            read_only: if r.is_empty() { None } else { Some(r.bool()?) },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.protocol_version.encode(out);
        self.last_zxid_seen.encode(out);
        self.timeout_ms.encode(out);
        self.session_id.encode(out);
        self.password.encode(out);
        if let Some(read_only) = self.read_only {
            read_only.encode(out);
        }
    }
}

/// A server's answer; all zero when the session is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectResponse {
    /// Always 0.
    pub protocol_version: i32,
    /// Negotiated session timeout, in milliseconds; 0 when refused.
    pub timeout_ms: i32,
    /// The session; 0 when refused.
    pub session_id: SessionId,
    /// The session's password.
    pub password: Option<Bytes>,
    /// Whether this server is read-only; `None` is not written, for old clients.
    pub read_only: Option<bool>,
}

impl ConnectResponse {
    /// The answer to an unknown, expired or wrongly authenticated session.
    #[must_use]
    pub fn refused(read_only: Option<bool>) -> ConnectResponse {
        ConnectResponse {
            protocol_version: 0,
            timeout_ms: 0,
            session_id: SessionId(0),
            password: Some(Bytes::from_static(&[0; crate::PASSWORD_LEN])),
            read_only,
        }
    }
}

impl Jute for ConnectResponse {
    fn decode(r: &mut Reader<'_>) -> Result<ConnectResponse, DecodeError> {
        Ok(ConnectResponse {
            protocol_version: r.i32()?,
            timeout_ms: r.i32()?,
            session_id: SessionId(r.i64()?),
            password: r.bytes()?,
            read_only: if r.is_empty() { None } else { Some(r.bool()?) },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.protocol_version.encode(out);
        self.timeout_ms.encode(out);
        self.session_id.encode(out);
        self.password.encode(out);
        if let Some(read_only) = self.read_only {
            read_only.encode(out);
        }
    }
}
