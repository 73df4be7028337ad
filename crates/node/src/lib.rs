//! The server's protocol as two values that never block, fail or look at a clock.
//!
//! [`Node`] is one server: it validates writes against what is proposed but not yet applied,
//! orders them, tracks sessions, and says what to persist, apply, answer and close.
//! [`Connection`] is one client: it keeps the order of a session's replies, authenticates, and
//! runs reads at once against the [`zooid_tree::Replica`].
//!
//! # The driver's loop
//!
//! A driver (real or simulated) owns threads, sockets, disks and the time:
//!
//! 1. A socket's bytes are cut into frames; each goes to [`Connection::on_frame`] under the
//!    replica's read lock. What comes out as [`Input`] goes to the core.
//! 2. The core feeds every [`Input`] to [`Node::step`] and carries out the [`Output`]s in order:
//!    * [`Output::Append`] goes to the log; when it is durable, [`Input::Persisted`] comes back.
//!    * [`Output::Commit`], under the replica's write lock: [`Connection::before_commit`] of the owner
//!      (reads that stand before this write must not see it), then `Replica::apply`, then
//!      [`Connection::on_event`] for each watch fired, then [`Connection::on_commit`] of the owner.
//!    * The others concern one connection and are handed to it.
//! 3. A connection that was touched is woken: it runs the reads that no longer stand behind a
//!    write, and sends its outbox.
//! 4. [`Input::Timer`] comes no later than [`Node::next_wakeup_ms`].
//!
//! Nothing here is promised to a client before it is durable, because replies are made from
//! commits, and commits from [`Input::Persisted`].
#![forbid(unsafe_code)]

mod acl_list;
mod auth;
mod connection;
mod digest_algorithm;
mod look_ahead;
mod node;
mod prep;
mod sessions;
mod settings;
mod step;
mod sweep;
#[cfg(test)]
mod testing;

pub use auth::{AuthSettings, Authenticator};
pub use connection::{ByteChain, ConnStats, Connection, Context, Recent, Sent, Tally};
pub use digest_algorithm::DigestAlgorithm;
pub use look_ahead::{look_ahead, look_ahead_at_commits};
pub use node::{Member, Node, NodeStats, PeerPhase, PeerStatus};
pub use prep::{QuotaExceeded, Resource};
pub use sessions::{SessionInfo, Sessions};
pub use settings::{ContainerSettings, LocalSessions, Settings};
pub use step::{ClientRequest, ConnId, Input, Now, OpenSession, Output, Owner};
