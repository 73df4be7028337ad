//! Operation codes of requests and transactions (spec §2.5; Java `ZooDefs.OpCode`).

macro_rules! op_codes {
    ($($(#[$meta:meta])* $name:ident = $value:literal, $java:literal;)+) => {
        /// An operation. Also the type of a transaction in the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum OpCode { $($(#[$meta])* $name,)+ }

        impl OpCode {
            /// Every operation.
            pub const ALL: &'static [OpCode] = &[$(OpCode::$name),+];

            /// The number on the wire.
            #[must_use]
            pub const fn code(self) -> i32 {
                match self { $(OpCode::$name => $value,)+ }
            }

            /// The operation with this number.
            #[must_use]
            pub const fn from_code(code: i32) -> Option<OpCode> {
                match code { $($value => Some(OpCode::$name),)+ _ => None }
            }

            /// Java's name, as `Request.op2String` and `TxnLogToolkit` print it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(OpCode::$name => $java,)+ }
            }
        }
    };
}

op_codes! {
    /// Watch event; never a request.
    Notification = 0, "notification";
    /// Create a node.
    Create = 1, "create";
    /// Delete a node.
    Delete = 2, "delete";
    /// Stat of a node.
    Exists = 3, "exists";
    /// Data and stat.
    GetData = 4, "getData";
    /// Replace data.
    SetData = 5, "setData";
    /// ACL and stat.
    GetAcl = 6, "getACL";
    /// Replace ACL.
    SetAcl = 7, "setACL";
    /// Names of children.
    GetChildren = 8, "getChildren";
    /// Wait for everything that was proposed before.
    Sync = 9, "sync";
    /// Heartbeat.
    Ping = 11, "ping";
    /// Names of children and stat.
    GetChildren2 = 12, "getChildren2";
    /// Version check; only inside a multi.
    Check = 13, "check";
    /// Several writes, all or none.
    Multi = 14, "multi";
    /// Create, answering with the stat too.
    Create2 = 15, "create2";
    /// Change the ensemble.
    Reconfig = 16, "reconfig";
    /// Ask whether a watch is set.
    CheckWatches = 17, "checkWatches";
    /// Remove a watch.
    RemoveWatches = 18, "removeWatches";
    /// Create a container node.
    CreateContainer = 19, "createContainer";
    /// Sweep a container or TTL node; internal.
    DeleteContainer = 20, "deleteContainer";
    /// Create a node with a time to live.
    CreateTtl = 21, "createTTL";
    /// Several independent reads.
    MultiRead = 22, "multiRead";
    /// Authenticate the connection.
    Auth = 100, "auth";
    /// Re-register watches after a reconnect.
    SetWatches = 101, "setWatches";
    /// One step of a SASL exchange.
    Sasl = 102, "sasl";
    /// Ephemerals of the own session.
    GetEphemerals = 103, "getEphemerals";
    /// Number of descendants.
    GetAllChildrenNumber = 104, "getAllChildrenNumber";
    /// Re-register watches, persistent ones included.
    SetWatches2 = 105, "setWatches2";
    /// Set a persistent watch.
    AddWatch = 106, "addWatch";
    /// The connection's identities.
    WhoAmI = 107, "whoAmI";
    /// Open a session; internal.
    CreateSession = -10, "createSession";
    /// Close the session.
    CloseSession = -11, "closeSession";
    /// A failed write, in the log.
    Error = -1, "error";
}
