//! One other server, as the mesh sees it.

use super::{MeshAction, MeshConnId};
use alloc::vec::Vec;
use bytes::Bytes;
use zooid_proto::ServerId;
use zooid_proto::election::ElectionAddress;

#[derive(Clone, Debug)]
pub(super) struct Peer {
    id: ServerId,
    /// `None` for a stranger.
    configured: Option<Vec<ElectionAddress>>,
    /// What it has said of itself when it asked to be called back.
    told: Vec<ElectionAddress>,
    link: Option<Link>,
    /// At most one dial at a time.
    dialing: bool,
    /// Until when not to dial.
    retry_at_ms: Option<i64>,
    retry_wait_ms: i64,
    /// Not sent yet.
    slot: Option<Bytes>,
    /// Sent last.
    last: Option<Bytes>,
    /// There is no connection, and the last dial has failed.
    is_unreachable: bool,
}

#[derive(Clone, Debug)]
struct Link {
    conn: MeshConnId,
    since_ms: i64,
    /// When a message was handed to the driver last.
    used_ms: i64,
    /// Handed to the driver, and not written yet.
    writing: Option<Bytes>,
}

impl Peer {
    pub(super) fn stranger(id: ServerId) -> Peer {
        Peer {
            id,
            configured: None,
            told: Vec::new(),
            link: None,
            dialing: false,
            retry_at_ms: None,
            retry_wait_ms: RETRY_WAIT_MS_MIN,
            slot: None,
            last: None,
            is_unreachable: false,
        }
    }

    pub(super) fn configure(&mut self, addresses: Option<Vec<ElectionAddress>>) {
        self.configured = addresses;
    }

    pub(super) fn is_stranger(&self) -> bool {
        self.configured.is_none()
    }

    pub(super) fn is_apart(&self) -> bool {
        self.link.is_none() && !self.dialing
    }

    pub(super) fn conn(&self) -> Option<MeshConnId> {
        self.link.as_ref().map(|link| link.conn)
    }

    pub(super) fn retry_at_ms(&self) -> Option<i64> {
        self.retry_at_ms
    }

    pub(super) fn send(&mut self, now_ms: i64, message: Bytes, out: &mut Vec<MeshAction>) {
        self.slot = Some(message);
        self.advance(now_ms, out);
    }

    pub(super) fn written(&mut self, now_ms: i64, out: &mut Vec<MeshAction>) {
        if let Some(link) = &mut self.link {
            link.writing = None;
        }
        self.advance(now_ms, out);
    }

    /// It lives, so the next failure is a new one.
    pub(super) fn heard(&mut self) {
        self.retry_wait_ms = RETRY_WAIT_MS_MIN;
    }

    /// Takes a connection, and returns the one that it replaces.
    pub(super) fn join(
        &mut self,
        now_ms: i64,
        conn: MeshConnId,
        out: &mut Vec<MeshAction>,
    ) -> Option<MeshConnId> {
        self.found(out);
        let replaced = self.part();
        if self.slot.is_none() {
            self.slot = self.last.clone();
        }
        self.retry_at_ms = None;
        self.link = Some(Link {
            conn,
            since_ms: now_ms,
            used_ms: now_ms,
            writing: None,
        });
        self.advance(now_ms, out);
        replaced
    }

    /// It asks to be called back. Returns the connection that it does not believe in.
    pub(super) fn called(
        &mut self,
        addresses: Vec<ElectionAddress>,
        out: &mut Vec<MeshAction>,
    ) -> Option<MeshConnId> {
        self.found(out);
        let stale = self.part();
        self.told = addresses;
        self.dial(out);
        stale
    }

    /// A dial has led to a connection.
    pub(super) fn dialed(&mut self, out: &mut Vec<MeshAction>) {
        self.dialing = false;
        self.found(out);
    }

    /// The other server has been asked to dial; if it does not, it is asked again. One that was killed
    /// may have been reached while its kernel still closed its sockets: asked again it refuses.
    pub(super) fn await_call_back(&mut self, now_ms: i64) {
        if self.link.is_none() {
            self.retry_after(now_ms, self.retry_wait_ms.max(CALL_BACK_WAIT_MS_MIN));
        }
    }

    pub(super) fn dial_failed(&mut self, now_ms: i64, out: &mut Vec<MeshAction>) {
        self.dialing = false;
        if self.link.is_some() {
            return;
        }
        self.told.clear();
        self.retry_later(now_ms);
        if !self.is_stranger() && !self.is_unreachable {
            self.is_unreachable = true;
            out.push(MeshAction::Unreachable(self.id));
        }
    }

    pub(super) fn closed(&mut self, now_ms: i64, out: &mut Vec<MeshAction>) {
        let Some(link) = &self.link else {
            return;
        };
        let [is_young, was_used] =
            [link.since_ms, link.used_ms].map(|at_ms| now_ms - at_ms < YOUNG_LINK_MS);
        self.part();
        // Written is not received. And if both dial at a time and their connections overtake each other,
        // each may keep the one that the other closes, and what was sent over it is lost.
        if (is_young || was_used) && self.slot.is_none() {
            self.slot = self.last.clone();
        }
        // Whether the other server is still there is known only after another dial, for which an
        // election waits. Connections that end as soon as they are made must not be made at once.
        if is_young {
            self.retry_later(now_ms);
        } else {
            self.advance(now_ms, out);
        }
    }

    pub(super) fn timer(&mut self, now_ms: i64, out: &mut Vec<MeshAction>) {
        if self.retry_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.retry_at_ms = None;
            self.advance(now_ms, out);
        }
    }

    /// It has given a sign of life.
    fn found(&mut self, out: &mut Vec<MeshAction>) {
        if self.is_unreachable {
            self.is_unreachable = false;
            out.push(MeshAction::Reachable(self.id));
        }
    }

    /// Gets the message in the slot on its way.
    fn advance(&mut self, now_ms: i64, out: &mut Vec<MeshAction>) {
        match &mut self.link {
            Some(Link {
                conn,
                used_ms,
                writing: writing @ None,
                ..
            }) => {
                let Some(message) = self.slot.take() else {
                    return;
                };
                *used_ms = now_ms;
                *writing = Some(message.clone());
                self.last = Some(message.clone());
                let conn = *conn;
                out.push(MeshAction::Write { conn, message });
            }
            Some(_) => {}
            None if self.slot.is_some() && self.retry_at_ms.is_none() => self.dial(out),
            None => {}
        }
    }

    fn dial(&mut self, out: &mut Vec<MeshAction>) {
        let mut addresses = self.told.clone();
        for address in self.configured.iter().flatten() {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        if self.dialing || addresses.is_empty() {
            return;
        }
        self.dialing = true;
        self.retry_at_ms = None;
        let to = self.id;
        out.push(MeshAction::Dial { to, addresses });
    }

    /// Gives the connection up. What may not have left goes back into the slot.
    fn part(&mut self) -> Option<MeshConnId> {
        let link = self.link.take()?;
        if self.slot.is_none() {
            self.slot = link.writing;
        }
        Some(link.conn)
    }

    fn retry_later(&mut self, now_ms: i64) {
        if self.slot.is_some() {
            self.retry_after(now_ms, self.retry_wait_ms);
        }
    }

    fn retry_after(&mut self, now_ms: i64, wait_ms: i64) {
        self.retry_at_ms = Some(now_ms.saturating_add(wait_ms));
        self.retry_wait_ms = (wait_ms * 2).min(RETRY_WAIT_MS_MAX);
    }
}

/// Between dials for a message that waits, the first time. An election may be waiting for the evidence
/// that a killed server is gone, so the first dial that comes too early must not cost much.
const RETRY_WAIT_MS_MIN: i64 = 10;
/// And after many.
const RETRY_WAIT_MS_MAX: i64 = 1000;
/// How long the other server may take to call back, the first time: being asked once more it gives up
/// the connection that it is just making.
const CALL_BACK_WAIT_MS_MIN: i64 = 50;
/// A connection that ends sooner may never have been the other server's, too; and a message may be lost
/// with one that ends so soon after.
const YOUNG_LINK_MS: i64 = 1000;
