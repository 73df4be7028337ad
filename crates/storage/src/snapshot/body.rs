//! The data of a snapshot (Java `SerializeUtils.deserializeSnapshot`, `DataTree.deserialize`):
//! sessions, access control lists, nodes.

use std::borrow::Cow;
use zooid_proto::{AclList, DecodeError, Jute, Reader, SessionId, StatPersisted};

/// One thing in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotItem<'a> {
    /// A session.
    Session {
        /// Its id.
        id: SessionId,
        /// Milliseconds.
        timeout_ms: i32,
    },
    /// An access control list, named by the nodes after it.
    Acl {
        /// Its name in this snapshot.
        id: i64,
        /// The list.
        acl: AclList,
    },
    /// A node; always after its parent.
    Node(SnapshotNode<'a>),
}

/// A node in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotNode<'a> {
    /// "" for the root.
    pub path: Cow<'a, str>,
    /// Null and empty are different.
    pub data: Option<&'a [u8]>,
    /// Of a [`SnapshotItem::Acl`], or -1 for `world:anyone` with all permissions.
    pub acl_id: i64,
    /// The rest.
    pub stat: StatPersisted,
}

/// Takes the data apart, wherever the bytes come from: a file, or a leader's stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct BodyParser {
    phase: Phase,
}

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    #[default]
    Start,
    Sessions(i32),
    Acls(i32),
    Nodes,
}

impl BodyParser {
    /// The next item; `None` at the end of the data, whose mark is then consumed.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] asks for a longer slice, with the same start: nothing was consumed,
    /// whatever `r` says. Every other error is final.
    pub fn next_item<'a>(
        &mut self,
        r: &mut Reader<'a>,
    ) -> Result<Option<SnapshotItem<'a>>, DecodeError> {
        let mut phase = self.phase;
        let item = loop {
            match phase {
                Phase::Start => phase = Phase::Sessions(r.i32()?),
                Phase::Sessions(left) if left > 0 => {
                    phase = Phase::Sessions(left - 1);
                    break Some(session(r)?);
                }
                Phase::Sessions(_) => phase = Phase::Acls(r.i32()?),
                Phase::Acls(left) if left > 0 => {
                    phase = Phase::Acls(left - 1);
                    break Some(acl(r)?);
                }
                Phase::Acls(_) => phase = Phase::Nodes,
                Phase::Nodes => break node(r)?,
            }
        };
        self.phase = phase;
        Ok(item)
    }
}

fn session<'a>(r: &mut Reader<'a>) -> Result<SnapshotItem<'a>, DecodeError> {
    Ok(SnapshotItem::Session {
        id: SessionId::decode(r)?,
        timeout_ms: r.i32()?,
    })
}

fn acl<'a>(r: &mut Reader<'a>) -> Result<SnapshotItem<'a>, DecodeError> {
    Ok(SnapshotItem::Acl {
        id: r.i64()?,
        acl: Jute::decode(r)?,
    })
}

fn node<'a>(r: &mut Reader<'a>) -> Result<Option<SnapshotItem<'a>>, DecodeError> {
    let path = r.str()?;
    if path == "/" {
        return Ok(None);
    }
    Ok(Some(SnapshotItem::Node(SnapshotNode {
        path,
        data: r.buffer()?,
        acl_id: r.i64()?,
        stat: StatPersisted::decode(r)?,
    })))
}
