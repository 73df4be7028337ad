//! Node metadata.

use crate::Zxid;
use zooid_jute::fixed_record;

fixed_record! {
    /// What clients see of a node's metadata (68 bytes).
    #[derive(Copy, Default)]
    pub struct Stat {
        /// Transaction that created the node.
        czxid: Zxid,
        /// Transaction that last set its data.
        mzxid: Zxid,
        /// Creation time, milliseconds since 1970.
        ctime: i64,
        /// Time of the last data change, milliseconds since 1970.
        mtime: i64,
        /// Number of data changes.
        version: i32,
        /// Number of changes to the children: 2 × creations − present children.
        cversion: i32,
        /// Number of ACL changes.
        aversion: i32,
        /// The owning session of an ephemeral, else 0.
        ephemeral_owner: i64,
        /// Bytes of data.
        data_length: i32,
        /// Children.
        num_children: i32,
        /// Transaction that last changed the set of children.
        pzxid: Zxid,
    }

    /// What the disk has of a node's metadata (60 bytes).
    #[derive(Copy, Default, Hash)]
    pub struct StatPersisted {
        /// As in [`Stat`].
        czxid: Zxid,
        /// As in [`Stat`].
        mzxid: Zxid,
        /// As in [`Stat`].
        ctime: i64,
        /// As in [`Stat`].
        mtime: i64,
        /// As in [`Stat`].
        version: i32,
        /// Number of children ever created: not what clients see.
        cversion: i32,
        /// As in [`Stat`].
        aversion: i32,
        /// Raw owner, which also marks container and TTL nodes; see [`crate::EphemeralOwner`].
        ephemeral_owner: i64,
        /// As in [`Stat`].
        pzxid: Zxid,
    }
}
