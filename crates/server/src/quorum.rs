//! Talking to the other servers of an ensemble: the election port and the quorum port.
//!
//! Carries bytes. What is said, and to whom, the core decides.

mod dial;
mod election_port;
mod learner_port;
mod line_limit;
mod link;
mod links;
mod log_history;
mod progress;
mod reader;
mod received;
mod snapshot_stream;
mod writer;

pub(crate) use election_port::ElectionPort;
pub(crate) use learner_port::LearnerPort;
pub(crate) use link::Link;
pub(crate) use links::Links;
pub(crate) use received::{ReceivedFile, ReceivedSnapshot};
