//! Access control lists.

use crate::{DecodeError, Jute, Reader};
use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use zooid_jute::{put_buffer, put_str, put_vec_len, record};

/// An identity: who a connection is, or whom an ACL entry is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// `world`, `ip`, `digest`, …; null is representable and always invalid.
    pub scheme: Option<Cow<'static, str>>,
    /// The scheme's own syntax.
    pub id: Option<Cow<'static, str>>,
}

record! {
    /// One entry of an access control list.
    #[derive(Hash, PartialOrd, Ord)]
    pub struct Acl {
        /// Bits of [`perms`].
        perms: i32,
        /// Whom it is for.
        id: Id,
    }
}

/// Permission bits (spec §2.5).
pub mod perms {
    /// Read data, list children.
    pub const READ: i32 = 1;
    /// Set data.
    pub const WRITE: i32 = 2;
    /// Create children.
    pub const CREATE: i32 = 4;
    /// Delete children.
    pub const DELETE: i32 = 8;
    /// Set the ACL.
    pub const ADMIN: i32 = 16;
    /// All of them.
    pub const ALL: i32 = 31;
}

impl Id {
    /// An identity from its two parts.
    #[must_use]
    pub fn new(scheme: &str, id: &str) -> Id {
        Id {
            scheme: Some(Cow::Owned(scheme.into())),
            id: Some(Cow::Owned(id.into())),
        }
    }

    /// The scheme; "" when null.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.scheme.as_deref().unwrap_or("")
    }

    /// The id; "" when null.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or("")
    }

    /// Whether this is `world:anyone`.
    #[must_use]
    pub fn is_anyone(&self) -> bool {
        self.scheme() == "world" && self.id() == "anyone"
    }
}

impl Jute for Id {
    fn decode(r: &mut Reader<'_>) -> Result<Id, DecodeError> {
        Ok(Id {
            scheme: decode_str(r)?,
            id: decode_str(r)?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) {
        for part in [&self.scheme, &self.id] {
            match part {
                Some(text) => put_str(out, text),
                None => put_buffer(out, None),
            }
        }
    }
}

fn decode_str(r: &mut Reader<'_>) -> Result<Option<Cow<'static, str>>, DecodeError> {
    Ok(r.opt_str()?.map(|text| Cow::Owned(text.into_owned())))
}

/// An access control list, shared by everybody who has it. The one that nearly all nodes have,
/// `world:anyone` with all permissions, is told from others at once and takes no memory.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclList(List);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum List {
    Open,
    /// Any other.
    Other(Arc<[Acl]>),
}

impl AclList {
    /// `world:anyone` with all permissions (Java `ZooDefs.Ids.OPEN_ACL_UNSAFE`).
    pub const OPEN: AclList = AclList(List::Open);
    const OPEN_ENTRIES: &[Acl] = &[Acl {
        perms: perms::ALL,
        id: Id {
            scheme: Some(Cow::Borrowed("world")),
            id: Some(Cow::Borrowed("anyone")),
        },
    }];
    const OPEN_ENCODED: &[u8] = b"\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06anyone";

    /// Whether it is [`AclList::OPEN`].
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.0, List::Open)
    }
}

impl Deref for AclList {
    type Target = [Acl];

    fn deref(&self) -> &[Acl] {
        match &self.0 {
            List::Open => AclList::OPEN_ENTRIES,
            List::Other(entries) => entries,
        }
    }
}

impl fmt::Debug for AclList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl From<&[Acl]> for AclList {
    fn from(entries: &[Acl]) -> AclList {
        AclList(if entries == AclList::OPEN_ENTRIES {
            List::Open
        } else {
            List::Other(Arc::from(entries))
        })
    }
}

impl From<Vec<Acl>> for AclList {
    fn from(entries: Vec<Acl>) -> AclList {
        AclList::from(entries.as_slice())
    }
}

impl Jute for AclList {
    fn decode(r: &mut Reader<'_>) -> Result<AclList, DecodeError> {
        if r.rest().starts_with(AclList::OPEN_ENCODED) {
            r.take(AclList::OPEN_ENCODED.len())?;
            return Ok(AclList::OPEN);
        }
        Ok(AclList::from(Vec::decode(r)?))
    }
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.0 {
            List::Open => out.extend_from_slice(AclList::OPEN_ENCODED),
            List::Other(entries) => {
                put_vec_len(out, entries.len());
                for entry in entries.iter() {
                    entry.encode(out);
                }
            }
        }
    }
}

impl Acl {
    /// An entry.
    #[must_use]
    pub fn new(perms: i32, scheme: &str, id: &str) -> Acl {
        Acl {
            perms,
            id: Id::new(scheme, id),
        }
    }

    /// `world:anyone` with the given permissions.
    #[must_use]
    pub fn anyone(perms: i32) -> Acl {
        Acl::new(perms, "world", "anyone")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme(), self.id())
    }
}

#[cfg(test)]
mod tests;
