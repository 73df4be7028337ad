//! Watches and events (spec §2.7; Java `Watcher`, `AddWatchMode`).

use crate::{DecodeError, Jute, Reader};
use alloc::string::String;
use alloc::vec::Vec;
use zooid_jute::record;

macro_rules! wire_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $value:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self { $($name::$variant => $value),+ }
            }
        }

        impl Jute for $name {
            fn decode(r: &mut Reader<'_>) -> Result<$name, DecodeError> {
                match r.i32()? {
                    $($value => Ok($name::$variant),)+
                    value => Err(DecodeError::Unknown { what: stringify!($name), value }),
                }
            }
            fn encode(&self, out: &mut Vec<u8>) {
                self.code().encode(out);
            }
        }
    };
}

wire_enum! {
    /// What happened to a watched node.
    EventType {
        /// Only the connection's state changed.
        None = -1,
        /// Created.
        NodeCreated = 1,
        /// Deleted.
        NodeDeleted = 2,
        /// Data set.
        NodeDataChanged = 3,
        /// A child was created or deleted.
        NodeChildrenChanged = 4,
        /// A data watch was removed (clients only).
        DataWatchRemoved = 5,
        /// A child watch was removed (clients only).
        ChildWatchRemoved = 6,
        /// A persistent watch was removed (clients only).
        PersistentWatchRemoved = 7,
    }
}

wire_enum! {
    /// State of a client's connection; servers always send `SyncConnected`.
    KeeperState {
        /// Not connected.
        Disconnected = 0,
        /// Connected to a server of the quorum.
        SyncConnected = 3,
        /// Authentication failed.
        AuthFailed = 4,
        /// Connected to a read-only server.
        ConnectedReadOnly = 5,
        /// Authenticated with SASL.
        SaslAuthenticated = 6,
        /// The session has expired.
        Expired = -112,
        /// Closed by the client.
        Closed = 7,
    }
}

wire_enum! {
    /// The mode of an addWatch request.
    AddWatchMode {
        /// Stays when fired; data and children of one node.
        Persistent = 0,
        /// Stays when fired; the node and all its descendants.
        PersistentRecursive = 1,
    }
}

wire_enum! {
    /// Which watches checkWatches and removeWatches mean.
    WatcherType {
        /// One-shot child watches.
        Children = 1,
        /// One-shot data watches.
        Data = 2,
        /// Any watch.
        Any = 3,
        /// Persistent ones (since 3.9).
        Persistent = 4,
        /// Persistent recursive ones (since 3.9).
        PersistentRecursive = 5,
    }
}

record! {
    /// Body of a notification.
    pub struct WatcherEvent {
        /// An [`EventType`].
        event_type: i32,
        /// A [`KeeperState`].
        state: i32,
        /// The node.
        path: String,
    }
}
