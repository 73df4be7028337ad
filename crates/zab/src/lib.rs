//! ZAB without anything else in the room.
//!
//! Owns quorum arithmetic and broadcast: which zxid comes next, who has acknowledged what, and what
//! is therefore committed. Transaction bodies never enter: a proposal is its zxid. No clock, no
//! socket, no file; the caller says what happened and asks what follows.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod broadcast;
mod quorum;

pub use broadcast::Broadcast;
pub use quorum::{Group, QuorumVerifier};
