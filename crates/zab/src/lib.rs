//! ZAB without anything else in the room.
//!
//! Owns quorum arithmetic, election, synchronisation and broadcast: who leads, which zxid comes next,
//! who has acknowledged what, and what is therefore committed. Transactions are opaque bytes. No
//! clock, no socket, no file; the caller says what happened and asks what follows.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod broadcast;
mod election;
mod history;
mod leader;
mod learner;
mod membership;
mod mesh;
mod quorum;
mod settings;
mod vote;

pub use broadcast::Broadcast;
pub use election::{Election, ElectionAction};
pub use history::History;
pub use leader::{Leader, LeaderAction, LeaderPhase, LeaderStatus, LearnerStatus, Round};
pub use learner::{Learner, LearnerAction, LearnerKind, LearnerPhase};
pub use membership::{Membership, View};
pub use mesh::{CloseReason, Mesh, MeshAction, MeshConnId, MeshInput};
pub use quorum::{Group, QuorumVerifier};
pub use settings::{EnsembleSettings, Epochs, LinkId, LogProbe};
pub use vote::Vote;
