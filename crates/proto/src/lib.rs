//! Every record that ZooKeeper puts on a wire or a disk, as a Rust type.
//!
//! Owns names, field orders and codes (spec §1–§4); makes no decision and does no I/O. Decoding
//! yields values that later code trusts. The one rule with logic in it that lives here is the path
//! grammar ([`path`]), because clients and servers share it.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acl;
mod connect;
pub mod election;
mod error_code;
mod header;
mod ids;
mod multi;
mod mutant;
mod op_code;
mod owner;
mod packet_run;
pub mod path;
pub mod quorum;
pub mod request;
pub mod response;
mod session_password;
mod stat;
mod txn;
mod watch;

pub use acl::{Acl, AclList, Id, perms};
pub use connect::{ConnectRequest, ConnectResponse};
pub use error_code::ErrorCode;
pub use header::{ReplyHeader, RequestHeader, xid};
pub use ids::{Epoch, ServerId, SessionId, Zxid};
pub use multi::{MultiHeader, MultiOp, MultiRead, MultiReadOp, MultiRequest, MultiResult};
pub use op_code::OpCode;
pub use owner::{CreateMode, EphemeralOwner, MAX_TTL_MS, OwnerRules};
pub use packet_run::PacketRun;
pub use quorum::{LearnerInfo, PacketDecoder, PacketType, QuorumPacket};
pub use session_password::{PASSWORD_LEN, session_password};
pub use stat::{Stat, StatPersisted};
pub use txn::{
    CreateContainerTxn, CreateTtlTxn, CreateTxn, FileHeader, SetAclTxn, SetDataTxn, Txn, TxnDigest,
    TxnHeader, TxnRecord,
};
pub use watch::{AddWatchMode, EventType, KeeperState, WatcherEvent, WatcherType};
pub use zooid_jute::{DecodeError, Jute, Limit, Reader};
#[cfg(feature = "mutants")]
#[doc(hidden)]
pub use zooid_mutants as mutants;

#[cfg(test)]
mod tests;
