//! Transactions, as the log, the quorum links and the tree know them
//! (spec §4.3; Java `TxnHeader`, `SerializeUtils.deserializeTxn`).

use crate::{AclList, DecodeError, ErrorCode, Jute, OpCode, Reader, SessionId, Zxid};
use alloc::string::String;
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_jute::{Fixed, fixed_record, put_vec_len, record};

fixed_record! {
    /// First 16 bytes of a log or snapshot file.
    #[derive(Copy)]
    pub struct FileHeader {
        /// [`FileHeader::LOG_MAGIC`] or [`FileHeader::SNAPSHOT_MAGIC`].
        magic: i32,
        /// 2.
        version: i32,
        /// 0 in logs, -1 in snapshots.
        dbid: i64,
    }

    /// Who asked for a transaction, and where it stands in the order.
    #[derive(Copy)]
    pub struct TxnHeader {
        /// The session that asked.
        client_id: SessionId,
        /// That session's request id.
        cxid: i32,
        /// Place in the total order.
        zxid: Zxid,
        /// Wall clock of the leader, milliseconds since 1970.
        time: i64,
        /// An [`OpCode`]'s number, of the body that follows.
        op: i32,
    }

    /// Digest of the tree after a transaction (spec §3).
    #[derive(Copy)]
    pub struct TxnDigest {
        /// [`TxnDigest::VERSION`].
        version: i32,
        /// Sum of the nodes' digests.
        tree_digest: i64,
    }
}

record! {
    /// create, create2.
    pub struct CreateTxn {
        /// With its sequence suffix.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// Fixed up.
        acl: AclList,
        /// Whether the asking session owns the node.
        ephemeral: bool,
        /// The parent's count of created children afterwards; -1 in logs of 3.3: one more.
        parent_cversion: i32,
    }

    /// createTTL.
    pub struct CreateTtlTxn {
        /// With its sequence suffix.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// Fixed up.
        acl: AclList,
        /// As in [`CreateTxn`].
        parent_cversion: i32,
        /// Milliseconds.
        ttl: i64,
    }

    /// createContainer.
    pub struct CreateContainerTxn {
        /// The node.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// Fixed up.
        acl: AclList,
        /// As in [`CreateTxn`].
        parent_cversion: i32,
    }

    /// setData, reconfig.
    pub struct SetDataTxn {
        /// The node.
        path: String,
        /// Null and empty are different.
        data: Option<Bytes>,
        /// The version afterwards.
        version: i32,
    }

    /// setACL.
    pub struct SetAclTxn {
        /// The node.
        path: String,
        /// Fixed up.
        acl: AclList,
        /// The ACL version afterwards.
        version: i32,
    }
}

impl FileHeader {
    /// "ZKLG"
    pub const LOG_MAGIC: i32 = 0x5A4B_4C47;
    /// "ZKSN"
    pub const SNAPSHOT_MAGIC: i32 = 0x5A4B_534E;
    /// Bytes.
    pub const LEN: usize = <FileHeader as Fixed>::LEN;
    /// What a log file starts with.
    pub const LOG: FileHeader = FileHeader {
        magic: FileHeader::LOG_MAGIC,
        version: 2,
        dbid: 0,
    };
    /// What a snapshot starts with.
    pub const SNAPSHOT: FileHeader = FileHeader {
        magic: FileHeader::SNAPSHOT_MAGIC,
        version: 2,
        dbid: -1,
    };
}

impl TxnDigest {
    /// The only version there is.
    pub const VERSION: i32 = 2;
    /// Bytes.
    pub const LEN: usize = <TxnDigest as Fixed>::LEN;
}

/// A transaction's body: what to do, with everything already decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Txn {
    /// A session begins, with a timeout in milliseconds.
    CreateSession {
        /// Milliseconds.
        timeout_ms: i32,
    },
    /// A session ends. `None`: the record has no list (before 3.6, or
    /// `zookeeper.closeSessionTxn.enabled=false`), and the session's ephemerals are what the tree
    /// says.
    CloseSession {
        /// Ephemerals to delete, as the leader saw them.
        paths_to_delete: Option<Vec<String>>,
    },
    /// A write that failed: changes nothing but consumes a zxid.
    Error(ErrorCode),
    /// create
    Create(CreateTxn),
    /// create2
    Create2(CreateTxn),
    /// createTTL
    CreateTtl(CreateTtlTxn),
    /// createContainer
    CreateContainer(CreateContainerTxn),
    /// delete
    Delete {
        /// The node.
        path: String,
    },
    /// deleteContainer
    DeleteContainer {
        /// The node.
        path: String,
    },
    /// setData
    SetData(SetDataTxn),
    /// reconfig
    Reconfig(SetDataTxn),
    /// setACL
    SetAcl(SetAclTxn),
    /// check; only inside a multi.
    Check {
        /// The node.
        path: String,
        /// As Java stores it: the version found, plus one.
        version: i32,
    },
    /// Several at once; none of them a multi.
    Multi(Vec<Txn>),
}

impl Txn {
    /// The header's type for this body.
    #[must_use]
    pub fn op_code(&self) -> OpCode {
        match self {
            Txn::CreateSession { .. } => OpCode::CreateSession,
            Txn::CloseSession { .. } => OpCode::CloseSession,
            Txn::Error(_) => OpCode::Error,
            Txn::Create(_) => OpCode::Create,
            Txn::Create2(_) => OpCode::Create2,
            Txn::CreateTtl(_) => OpCode::CreateTtl,
            Txn::CreateContainer(_) => OpCode::CreateContainer,
            Txn::Delete { .. } => OpCode::Delete,
            Txn::DeleteContainer { .. } => OpCode::DeleteContainer,
            Txn::SetData(_) => OpCode::SetData,
            Txn::Reconfig(_) => OpCode::Reconfig,
            Txn::SetAcl(_) => OpCode::SetAcl,
            Txn::Check { .. } => OpCode::Check,
            Txn::Multi(_) => OpCode::Multi,
        }
    }

    /// The node that it is about, if that is one.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Txn::Create(txn) | Txn::Create2(txn) => Some(&txn.path),
            Txn::CreateTtl(txn) => Some(&txn.path),
            Txn::CreateContainer(txn) => Some(&txn.path),
            Txn::SetData(txn) | Txn::Reconfig(txn) => Some(&txn.path),
            Txn::SetAcl(txn) => Some(&txn.path),
            Txn::Delete { path } | Txn::DeleteContainer { path } | Txn::Check { path, .. } => {
                Some(path)
            }
            Txn::CreateSession { .. }
            | Txn::CloseSession { .. }
            | Txn::Error(_)
            | Txn::Multi(_) => None,
        }
    }

    /// Decodes the body of a transaction of type `op`.
    ///
    /// # Errors
    /// [`DecodeError`] when malformed, and for types that no log may hold.
    pub fn decode(r: &mut Reader<'_>, op: i32) -> Result<Txn, DecodeError> {
        match OpCode::from_code(op) {
            Some(op) if op != OpCode::Check => decode_body(r, op),
            _ => Err(unknown_type(op)),
        }
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Txn::CreateSession { timeout_ms } => timeout_ms.encode(out),
            Txn::CloseSession {
                paths_to_delete: Some(paths),
            } => paths.encode(out),
            Txn::CloseSession {
                paths_to_delete: None,
            } => {}
            Txn::Error(err) => err.encode(out),
            Txn::Create(txn) | Txn::Create2(txn) => txn.encode(out),
            Txn::CreateTtl(txn) => txn.encode(out),
            Txn::CreateContainer(txn) => txn.encode(out),
            Txn::Delete { path } | Txn::DeleteContainer { path } => path.encode(out),
            Txn::SetData(txn) | Txn::Reconfig(txn) => txn.encode(out),
            Txn::SetAcl(txn) => txn.encode(out),
            Txn::Check { path, version } => {
                path.encode(out);
                version.encode(out);
            }
            Txn::Multi(txns) => encode_multi(txns, out),
        }
    }

    /// Bytes of the encoding that [`FIXED_LEN_MAX`] does not allow for.
    fn variable_len(&self) -> usize {
        let data_len = |data: &Option<Bytes>| data.as_ref().map_or(0, Bytes::len);
        match self {
            Txn::Create(txn) | Txn::Create2(txn) => txn.path.len() + data_len(&txn.data),
            Txn::CreateTtl(txn) => txn.path.len() + data_len(&txn.data),
            Txn::CreateContainer(txn) => txn.path.len() + data_len(&txn.data),
            Txn::SetData(txn) | Txn::Reconfig(txn) => txn.path.len() + data_len(&txn.data),
            Txn::SetAcl(SetAclTxn { path, .. })
            | Txn::Delete { path }
            | Txn::DeleteContainer { path }
            | Txn::Check { path, .. } => path.len(),
            Txn::CloseSession { paths_to_delete } => {
                let paths = paths_to_delete.iter().flatten();
                paths.map(|path| LENGTH_LEN + path.len()).sum()
            }
            Txn::Multi(txns) => {
                let parts = txns.iter();
                parts.map(|txn| FIXED_LEN_MAX + txn.variable_len()).sum()
            }
            Txn::CreateSession { .. } | Txn::Error(_) => 0,
        }
    }
}

const LENGTH_LEN: usize = 4;
/// A part of a multi at its shortest: its type, its length, and what an error is.
const MULTI_PART_LEN_MIN: usize = 12;
/// What a transaction or a part of one takes beside paths and data, when its access control list is short.
const FIXED_LEN_MAX: usize = 64;

fn unknown_type(value: i32) -> DecodeError {
    DecodeError::Unknown {
        what: "transaction type",
        value,
    }
}

/// Whether it may stand inside a multi.
fn is_part(op: OpCode) -> bool {
    matches!(
        op,
        OpCode::Error
            | OpCode::Create
            | OpCode::Create2
            | OpCode::CreateTtl
            | OpCode::CreateContainer
            | OpCode::Delete
            | OpCode::DeleteContainer
            | OpCode::SetData
            | OpCode::Check
    )
}

fn decode_body(r: &mut Reader<'_>, op: OpCode) -> Result<Txn, DecodeError> {
    Ok(match op {
        OpCode::CreateSession => Txn::CreateSession {
            timeout_ms: r.i32()?,
        },
        OpCode::CloseSession => decode_close_session(r)?,
        OpCode::Error => Txn::Error(Jute::decode(r)?),
        OpCode::Create => Txn::Create(decode_create(r)?),
        OpCode::Create2 => Txn::Create2(Jute::decode(r)?),
        OpCode::CreateTtl => Txn::CreateTtl(Jute::decode(r)?),
        OpCode::CreateContainer => Txn::CreateContainer(Jute::decode(r)?),
        OpCode::Delete => Txn::Delete {
            path: Jute::decode(r)?,
        },
        OpCode::DeleteContainer => Txn::DeleteContainer {
            path: Jute::decode(r)?,
        },
        OpCode::SetData => Txn::SetData(Jute::decode(r)?),
        OpCode::Reconfig => Txn::Reconfig(Jute::decode(r)?),
        OpCode::SetAcl => Txn::SetAcl(Jute::decode(r)?),
        OpCode::Check => Txn::Check {
            path: Jute::decode(r)?,
            version: r.i32()?,
        },
        OpCode::Multi => decode_multi(r)?,
        other => return Err(unknown_type(other.code())),
    })
}

/// ZooKeeper 3.3 wrote no `parentCVersion`.
fn decode_create(r: &mut Reader<'_>) -> Result<CreateTxn, DecodeError> {
    let path = Jute::decode(r)?;
    let data = Jute::decode(r)?;
    let acl = Jute::decode(r)?;
    let ephemeral = r.bool()?;
    let parent_cversion = if r.is_empty() { -1 } else { r.i32()? };
    Ok(CreateTxn {
        path,
        data,
        acl,
        ephemeral,
        parent_cversion,
    })
}

/// A record without a list may be followed by a digest, whose first word is its version; a list is
/// never so short unless it is empty. Java needs a flag to tell them apart.
fn decode_close_session(r: &mut Reader<'_>) -> Result<Txn, DecodeError> {
    let rest = r.rest();
    let digest_only = rest.len() == TxnDigest::LEN
        && rest.starts_with(&TxnDigest::VERSION.to_be_bytes())
        && Vec::<String>::decode(&mut r.clone()).is_err();
    let paths_to_delete = if rest.is_empty() || digest_only {
        None
    } else {
        Some(Jute::decode(r)?)
    };
    Ok(Txn::CloseSession { paths_to_delete })
}

fn decode_multi(r: &mut Reader<'_>) -> Result<Txn, DecodeError> {
    let len = r.vec_len()?;
    // A claimed count allocates nothing by itself: every part consumes input.
    let mut txns = Vec::with_capacity(len.min(r.rest().len() / MULTI_PART_LEN_MIN));
    for _ in 0..len {
        let op = r.i32()?;
        let body = r.bytes()?.ok_or(DecodeError::Null)?;
        let mut body = Reader::shared(&body, zooid_jute::Limit(usize::MAX));
        let part = OpCode::from_code(op).filter(|op| is_part(*op));
        txns.push(decode_body(&mut body, part.ok_or(unknown_type(op))?)?);
    }
    Ok(Txn::Multi(txns))
}

fn encode_multi(txns: &[Txn], out: &mut Vec<u8>) {
    put_vec_len(out, txns.len());
    for txn in txns {
        txn.op_code().code().encode(out);
        let start = out.len() + LENGTH_LEN;
        0_i32.encode(out);
        txn.encode(out);
        let len = i32::try_from(out.len() - start).expect("a part is no longer than its request");
        out[start - LENGTH_LEN..start].copy_from_slice(&len.to_be_bytes());
    }
}

/// One whole transaction: what a log record's checksum covers, and what PROPOSAL and INFORM carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnRecord {
    /// Its `op` is always that of `txn`.
    pub header: TxnHeader,
    /// What to do.
    pub txn: Txn,
    /// Absent when the writer had digests switched off.
    pub digest: Option<TxnDigest>,
}

impl TxnRecord {
    /// The encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out
    }

    /// Appends the encoding.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        // Header and digest are no longer than what a part of a multi has for itself.
        out.reserve(2 * FIXED_LEN_MAX + self.txn.variable_len());
        self.header.encode(out);
        self.txn.encode(out);
        if let Some(digest) = &self.digest {
            digest.encode(out);
        }
    }

    /// Decodes a whole record. Data is shared with `bytes`, not copied.
    ///
    /// # Errors
    /// [`DecodeError`] when malformed.
    pub fn decode(bytes: &Bytes) -> Result<TxnRecord, DecodeError> {
        let mut r = Reader::shared(bytes, zooid_jute::Limit(bytes.len()));
        let header = TxnHeader::decode(&mut r)?;
        let txn = Txn::decode(&mut r, header.op)?;
        let digest = if r.is_empty() {
            None
        } else {
            Some(Jute::decode(&mut r)?)
        };
        Ok(TxnRecord {
            header,
            txn,
            digest,
        })
    }
}
