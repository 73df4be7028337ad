//! Talking to the other servers of an ensemble: the election port and the quorum port.
//!
//! Carries bytes. What is said, and to whom, the core decides.

mod dial;
#[allow(dead_code, reason = "the server does not start it yet")]
mod election_port;
mod learner_port;
#[allow(dead_code, reason = "the server does not start the election port yet")]
mod line_limit;
mod link;
mod links;
mod log_history;
mod reader;
mod snapshot_stream;
mod writer;

#[allow(unused_imports, reason = "the server does not start it yet")]
pub(crate) use election_port::{ElectionPort, ElectionPortError};
pub(crate) use learner_port::LearnerPort;
pub(crate) use link::Link;
pub(crate) use links::Links;
