//! What several tests begin with.

use std::path::Path;

use crate::ensemble::Ensemble;
use crate::layout::{Layout, Shape};
use crate::status::{Answer, Role, Status};

pub(crate) fn layout(servers: u16, observers: u16) -> Layout {
    let shape = Shape { servers, observers };
    Layout::new(Path::new("/dev-test"), shape, 2181).unwrap()
}

pub(crate) fn ensemble(servers: u16, observers: u16) -> Ensemble {
    Ensemble::new(layout(servers, observers))
}

/// A server that says something ordinary.
pub(crate) fn serving(role: Role, received: u64) -> Option<Answer> {
    Some(Answer::Serving(Status {
        role,
        epoch: 2,
        zxid: 0x2_0000_0007,
        connections: 3,
        sessions: Some(5),
        received,
    }))
}
