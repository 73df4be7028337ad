//! Access control lists.

use alloc::string::String;
use core::fmt;
use zooid_jute::record;

record! {
    /// An identity: who a connection is, or whom an ACL entry is for.
    #[derive(Hash, PartialOrd, Ord)]
    pub struct Id {
        /// `world`, `ip`, `digest`, …; null is representable and always invalid.
        scheme: Option<String>,
        /// The scheme's own syntax.
        id: Option<String>,
    }

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
            scheme: Some(scheme.into()),
            id: Some(id.into()),
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
