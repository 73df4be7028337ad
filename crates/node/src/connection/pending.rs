//! Requests of a connection whose reply is not made yet, in order.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use zooid_proto::{ErrorCode, Id, OpCode};

/// Requests that one connection may have waiting.
const REQUESTS_MAX: usize = 1000;
/// Bytes of requests that one connection may have waiting.
const BYTES_MAX: usize = 16 << 20;
/// Places that a connection keeps which has nothing waiting.
const IDLE_CAPACITY_MAX: usize = 8;
/// A request's xid and its operation.
const HEADER_BYTES: usize = 8;

/// Who makes the reply to a request, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// This connection, as soon as nothing stands before it.
    Read,
    /// The core, when it commits.
    Write,
    /// None: it is answered with this error, in its place among the replies.
    Refuse(ErrorCode),
}

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) xid: i32,
    pub(super) op: OpCode,
    pub(super) work: Work,
    /// What its reply is made from: nothing for most writes, whose body the core has.
    pub(super) body: Bytes,
    /// Of the body as it came.
    pub(super) body_len: usize,
    /// Who the client was when it asked.
    pub(super) ids: Arc<[Id]>,
    pub(super) received_ms: i64,
}

impl Pending {
    fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.body_len
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct PendingQueue {
    requests: VecDeque<Pending>,
    body_bytes: usize,
}

impl PendingQueue {
    pub(super) fn push(&mut self, request: Pending) {
        self.body_bytes += request.body_len;
        self.requests.push_back(request);
    }

    pub(super) fn pop(&mut self) -> Option<Pending> {
        let oldest = self.requests.pop_front()?;
        self.body_bytes -= oldest.body_len;
        if self.requests.is_empty() && self.requests.capacity() > IDLE_CAPACITY_MAX {
            self.requests = VecDeque::new();
        }
        Some(oldest)
    }

    pub(super) fn oldest(&self) -> Option<&Pending> {
        self.requests.front()
    }

    /// Whether the oldest is answered without the core.
    pub(super) fn oldest_needs_no_core(&self) -> bool {
        self.oldest()
            .is_some_and(|oldest| oldest.work != Work::Write)
    }

    pub(super) fn clear(&mut self) {
        *self = PendingQueue::default();
    }

    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.requests.len() >= REQUESTS_MAX || self.body_bytes >= BYTES_MAX
    }

    /// Bytes of those larger than `size`.
    pub(super) fn bytes_over(&self, size: usize) -> usize {
        let sizes = self.requests.iter().map(Pending::frame_bytes);
        sizes.filter(|bytes| *bytes > size).sum()
    }
}
