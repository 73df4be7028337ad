//! Result codes of replies and error transactions (spec §2.6; Java `KeeperException.Code`).

use crate::{DecodeError, Jute, Reader};
use alloc::vec::Vec;
use core::fmt;
use zooid_jute::Fixed;

macro_rules! error_codes {
    ($($(#[$meta:meta])* $name:ident = $value:literal, $java:literal;)+) => {
        /// A result code. A code is data: an operation that fails with one has succeeded in
        /// finding out so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$meta])* $name,)+
            /// A code that this version does not know.
            Other(i32),
        }

        impl ErrorCode {
            /// The number on the wire.
            #[must_use]
            pub fn code(self) -> i32 {
                match self { $(ErrorCode::$name => $value,)+ ErrorCode::Other(code) => code }
            }

            /// The name that Java prints, such as `NoNode`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(ErrorCode::$name => $java,)+ ErrorCode::Other(_) => "Unknown" }
            }
        }

        impl From<i32> for ErrorCode {
            fn from(code: i32) -> ErrorCode {
                match code { $($value => ErrorCode::$name,)+ other => ErrorCode::Other(other) }
            }
        }
    };
}

error_codes! {
    /// Success.
    Ok = 0, "Ok";
    /// Server-side fault; in a multi, an operation that was not tried.
    SystemError = -1, "SystemError";
    /// In a multi: this operation came after the one that failed.
    RuntimeInconsistency = -2, "RuntimeInconsistency";
    /// Data was inconsistent.
    DataInconsistency = -3, "DataInconsistency";
    /// The connection was lost (clients only).
    ConnectionLoss = -4, "ConnectionLoss";
    /// The request could not be decoded, or processing it failed unexpectedly.
    MarshallingError = -5, "MarshallingError";
    /// The operation does not exist here.
    Unimplemented = -6, "Unimplemented";
    /// Timed out (clients only).
    OperationTimeout = -7, "OperationTimeout";
    /// A path, flag or number is not legal.
    BadArguments = -8, "BadArguments";
    /// The session tracker does not know the session.
    UnknownSession = -12, "Unknown session";
    /// No quorum of the new configuration is connected.
    NewConfigNoQuorum = -13, "NewConfigNoQuorum";
    /// Another reconfiguration is under way.
    ReconfigInProgress = -14, "ReconfigInProgress";
    /// Bound of the API errors.
    ApiError = -100, "APIError";
    /// The node does not exist.
    NoNode = -101, "NoNode";
    /// The ACL does not permit it.
    NoAuth = -102, "NoAuth";
    /// The given version is not the node's.
    BadVersion = -103, "BadVersion";
    /// The parent is ephemeral.
    NoChildrenForEphemerals = -108, "NoChildrenForEphemerals";
    /// The node exists.
    NodeExists = -110, "NodeExists";
    /// The node has children.
    NotEmpty = -111, "Directory not empty";
    /// The session has expired or is closing.
    SessionExpired = -112, "Session expired";
    /// Invalid callback (clients only).
    InvalidCallback = -113, "Invalid callback";
    /// The ACL list is not valid.
    InvalidAcl = -114, "InvalidACL";
    /// Authentication failed.
    AuthFailed = -115, "AuthFailed";
    /// The session has moved to another server.
    SessionMoved = -118, "Session moved";
    /// A write reached a read-only server.
    NotReadOnly = -119, "Not a read-only call";
    /// An ephemeral on a local session that may not be upgraded.
    EphemeralOnLocalSession = -120, "Ephemeral node on local session";
    /// No such watcher.
    NoWatcher = -121, "No such watcher";
    /// Timed out (clients only).
    RequestTimeout = -122, "Request timeout";
    /// Reconfiguration is disabled.
    ReconfigDisabled = -123, "Reconfig is disabled";
    /// The session must authenticate with SASL first.
    SessionClosedRequireSaslAuth = -124, "Session closed because client failed to authenticate";
    /// A hard quota would be exceeded.
    QuotaExceeded = -125, "Quota has exceeded";
    /// The request waited too long and was dropped.
    ThrottledOp = -127, "Op throttled due to high load";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ErrorCode::Other(code) => write!(f, "Unknown({code})"),
            known => f.write_str(known.name()),
        }
    }
}

impl Jute for ErrorCode {
    fn decode(r: &mut Reader<'_>) -> Result<ErrorCode, DecodeError> {
        r.i32().map(ErrorCode::from)
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.code().encode(out);
    }
}

impl Fixed for ErrorCode {
    const LEN: usize = i32::LEN;
    #[inline]
    fn write<'a>(&self, out: &'a mut [u8]) -> &'a mut [u8] {
        self.code().write(out)
    }
}
