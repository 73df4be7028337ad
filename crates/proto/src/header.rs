//! Headers of requests and replies.

use crate::{ErrorCode, Zxid};
use zooid_jute::fixed_record;

fixed_record! {
    /// Starts every client request after the first packet.
    pub struct RequestHeader {
        /// Chosen by the client and echoed; see [`xid`] for the special ones.
        xid: i32,
        /// An operation's number, perhaps an unknown one.
        op: i32,
    }

    /// Starts every server packet after the first.
    pub struct ReplyHeader {
        /// The request's, or [`xid::NOTIFICATION`].
        xid: i32,
        /// The server's last processed zxid at reply time.
        zxid: Zxid,
        /// Anything but [`ErrorCode::Ok`] means that no body follows (except for SASL).
        err: ErrorCode,
    }
}

/// Special request ids (spec §2.4).
pub mod xid {
    /// Watch events.
    pub const NOTIFICATION: i32 = -1;
    /// Pings.
    pub const PING: i32 = -2;
    /// Auth packets.
    pub const AUTH: i32 = -4;
    /// setWatches and setWatches2.
    pub const SET_WATCHES: i32 = -8;
}
