//! How a connection on the election port introduces itself (Java `QuorumCnxManager.InitialMessage`).

use crate::{DecodeError, Jute, Limit, Reader, ServerId};
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use zooid_jute::put_buffer;

/// Where a server takes votes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ElectionAddress {
    /// A name or an address, an IPv6 one without brackets.
    pub host: String,
    /// The election port.
    pub port: u16,
}

/// Who has dialed, and where it can be dialed in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialMessage {
    /// Whoever dialed.
    pub from: ServerId,
    /// Its own addresses; none from a 3.4 server, and wildcards are left out.
    pub addresses: Vec<ElectionAddress>,
}

/// Why a connection's first bytes introduce nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InitialMessageError {
    /// Another protocol, or none.
    #[error("unrecognized protocol version {0}")]
    UnknownVersion(i64),
    /// The addresses are too long, or missing.
    #[error("unreasonable length of addresses: {0}")]
    UnreasonableLength(i32),
    /// Not `host:port`.
    #[error("badly formed address: {0:?}")]
    BadAddress(String),
}

impl InitialMessage {
    /// The id that observers without one dial with.
    pub const ANONYMOUS: ServerId = ServerId(i64::MAX);

    /// The most bytes that an initial message has.
    pub const BYTES_MAX: usize = HEADER_BYTES + ADDRESSES_BYTES_MAX;

    /// Decodes the message at the front of `input` and says how long it is; `None` when it is not whole
    /// yet. A number that is no protocol version is the id of a 3.4 server, which says nothing else.
    ///
    /// # Errors
    /// [`InitialMessageError`] when more bytes cannot make it one.
    pub fn split(input: &[u8]) -> Result<Option<(InitialMessage, usize)>, InitialMessageError> {
        let mut r = Reader::new(input, Limit(ADDRESSES_BYTES_MAX));
        let Ok(version) = r.i64() else {
            return Ok(None);
        };
        if version >= 0 {
            let message = InitialMessage {
                from: ServerId(version),
                addresses: Vec::new(),
            };
            return Ok(Some((message, input.len() - r.rest().len())));
        }
        if version != VERSION_ONE_ADDRESS && version != VERSION_MANY_ADDRESSES {
            return Err(InitialMessageError::UnknownVersion(version));
        }
        let Ok(from) = Jute::decode(&mut r) else {
            return Ok(None);
        };
        let text = match r.buffer() {
            Ok(Some(text)) if !text.is_empty() => String::from_utf8_lossy(text),
            Ok(Some(_)) => return Err(InitialMessageError::UnreasonableLength(0)),
            Err(DecodeError::UnreasonableLength(len)) => {
                return Err(InitialMessageError::UnreasonableLength(len));
            }
            Ok(None) => return Err(InitialMessageError::UnreasonableLength(-1)),
            Err(_) => return Ok(None),
        };
        let parsed = text.split(SEPARATOR).map(ElectionAddress::parse);
        let mut addresses = parsed.collect::<Result<Vec<_>, _>>()?;
        addresses.retain(|address| !address.is_wildcard());
        let message = InitialMessage { from, addresses };
        Ok(Some((message, input.len() - r.rest().len())))
    }

    /// With the first address only, as every release reads it.
    #[must_use]
    pub fn encode_one_address(&self) -> Vec<u8> {
        self.encode(VERSION_ONE_ADDRESS, 1)
    }

    /// With every address, which takes `multiAddress.enabled` on every server.
    #[must_use]
    pub fn encode_many_addresses(&self) -> Vec<u8> {
        self.encode(VERSION_MANY_ADDRESSES, self.addresses.len())
    }

    fn encode(&self, version: i64, addresses_max: usize) -> Vec<u8> {
        let addresses = self.addresses.iter().take(addresses_max);
        let texts: Vec<String> = addresses.map(ToString::to_string).collect();
        let mut out = Vec::new();
        version.encode(&mut out);
        self.from.encode(&mut out);
        put_buffer(&mut out, Some(texts.join("|").as_bytes()));
        out
    }
}

impl ElectionAddress {
    fn parse(text: &str) -> Result<ElectionAddress, InitialMessageError> {
        let bad = || InitialMessageError::BadAddress(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once("]:").ok_or_else(bad)?,
            None => text.split_once(':').ok_or_else(bad)?,
        };
        if host.is_empty() {
            return Err(bad());
        }
        Ok(ElectionAddress {
            host: host.to_owned(),
            port: port.parse().map_err(|_| bad())?,
        })
    }

    /// Whether it means every interface, which is no place to dial.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.host
            .parse()
            .is_ok_and(|ip: IpAddr| ip.is_unspecified())
    }
}

impl fmt::Display for ElectionAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Since 3.5 (ZOOKEEPER-107).
const VERSION_ONE_ADDRESS: i64 = -65536;
/// Since 3.6 (ZOOKEEPER-3188).
const VERSION_MANY_ADDRESSES: i64 = -65535;
const HEADER_BYTES: usize = 8 + 8 + 4;
const ADDRESSES_BYTES_MAX: usize = 2048;
const SEPARATOR: char = '|';
