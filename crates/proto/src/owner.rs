//! The kinds of nodes and how the owner field of a stat tells them apart
//! (spec §2.8; Java `CreateMode`, `EphemeralType`).

use crate::SessionId;

/// Longest time to live, in milliseconds (40 bits).
pub const MAX_TTL_MS: i64 = 0xff_ffff_ffff;

const CONTAINER_OWNER: i64 = i64::MIN;
const EXTENDED_MASK: i64 = 0xff00_0000_0000_0000_u64.cast_signed();
const FEATURE_MASK: i64 = 0x00ff_ff00_0000_0000;

/// The `flags` of a create request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CreateMode {
    /// 0
    Persistent,
    /// 1
    Ephemeral,
    /// 2
    PersistentSequential,
    /// 3
    EphemeralSequential,
    /// 4
    Container,
    /// 5
    PersistentWithTtl,
    /// 6
    PersistentSequentialWithTtl,
}

impl CreateMode {
    /// The mode with this number.
    #[must_use]
    pub fn from_flags(flags: i32) -> Option<CreateMode> {
        Some(match flags {
            0 => CreateMode::Persistent,
            1 => CreateMode::Ephemeral,
            2 => CreateMode::PersistentSequential,
            3 => CreateMode::EphemeralSequential,
            4 => CreateMode::Container,
            5 => CreateMode::PersistentWithTtl,
            6 => CreateMode::PersistentSequentialWithTtl,
            _ => return None,
        })
    }

    /// The number on the wire.
    #[must_use]
    pub fn flags(self) -> i32 {
        match self {
            CreateMode::Persistent => 0,
            CreateMode::Ephemeral => 1,
            CreateMode::PersistentSequential => 2,
            CreateMode::EphemeralSequential => 3,
            CreateMode::Container => 4,
            CreateMode::PersistentWithTtl => 5,
            CreateMode::PersistentSequentialWithTtl => 6,
        }
    }

    /// Whether the node goes with its session.
    #[must_use]
    pub fn is_ephemeral(self) -> bool {
        matches!(
            self,
            CreateMode::Ephemeral | CreateMode::EphemeralSequential
        )
    }

    /// Whether the name gets a counter.
    #[must_use]
    pub fn is_sequential(self) -> bool {
        matches!(
            self,
            CreateMode::PersistentSequential
                | CreateMode::EphemeralSequential
                | CreateMode::PersistentSequentialWithTtl
        )
    }

    /// Whether the node has a time to live.
    #[must_use]
    pub fn has_ttl(self) -> bool {
        matches!(
            self,
            CreateMode::PersistentWithTtl | CreateMode::PersistentSequentialWithTtl
        )
    }
}

/// Which readings of the owner field are switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnerRules {
    /// `zookeeper.extendedTypesEnabled`: TTL nodes exist.
    pub extended_types: bool,
    /// `zookeeper.emulate353TTLNodes`: TTL nodes as ZooKeeper 3.5.3 stored them.
    pub emulate_353_ttl: bool,
}

/// A node's kind, as its owner field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EphemeralOwner {
    /// A plain persistent node.
    Persistent,
    /// An ephemeral of this session.
    Session(SessionId),
    /// A container node.
    Container,
    /// A node with a time to live, in milliseconds.
    Ttl(i64),
}

impl EphemeralOwner {
    /// Reads an owner field.
    #[must_use]
    pub fn from_raw(raw: i64, rules: OwnerRules) -> EphemeralOwner {
        if raw == CONTAINER_OWNER {
            return EphemeralOwner::Container;
        }
        if rules.emulate_353_ttl && raw < 0 {
            return EphemeralOwner::Ttl(raw & i64::MAX);
        }
        // Java throws on an unknown extended feature; no server can have written one, and reading
        // it as a session keeps the node instead of losing the database.
        let is_ttl = raw & EXTENDED_MASK == EXTENDED_MASK && raw & FEATURE_MASK == 0;
        match raw {
            0 => EphemeralOwner::Persistent,
            _ if rules.extended_types && is_ttl => EphemeralOwner::Ttl(raw & MAX_TTL_MS),
            _ => EphemeralOwner::Session(SessionId(raw)),
        }
    }

    /// The owner field.
    #[must_use]
    pub fn to_raw(self) -> i64 {
        match self {
            EphemeralOwner::Persistent => 0,
            EphemeralOwner::Session(SessionId(id)) => id,
            EphemeralOwner::Container => CONTAINER_OWNER,
            EphemeralOwner::Ttl(ms) => EXTENDED_MASK | (ms & MAX_TTL_MS),
        }
    }

    /// What clients see in [`crate::Stat::ephemeral_owner`].
    #[must_use]
    pub fn visible(self) -> i64 {
        match self {
            EphemeralOwner::Session(SessionId(id)) => id,
            _ => 0,
        }
    }
}
