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
}

#[derive(Clone, Debug)]
struct Link {
    conn: MeshConnId,
    since_ms: i64,
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

    pub(super) fn send(&mut self, message: Bytes, out: &mut Vec<MeshAction>) {
        self.slot = Some(message);
        self.advance(out);
    }

    pub(super) fn written(&mut self, out: &mut Vec<MeshAction>) {
        if let Some(link) = &mut self.link {
            link.writing = None;
        }
        self.advance(out);
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
        let replaced = self.part();
        if self.slot.is_none() {
            self.slot = self.last.clone();
        }
        self.retry_at_ms = None;
        self.link = Some(Link {
            conn,
            since_ms: now_ms,
            writing: None,
        });
        self.advance(out);
        replaced
    }

    /// It asks to be called back. Returns the connection that it does not believe in.
    pub(super) fn called(
        &mut self,
        addresses: Vec<ElectionAddress>,
        out: &mut Vec<MeshAction>,
    ) -> Option<MeshConnId> {
        let stale = self.part();
        self.told = addresses;
        self.dial(out);
        stale
    }

    /// A dial has led to a connection.
    pub(super) fn dialed(&mut self) {
        self.dialing = false;
    }

    /// The other server has been asked to dial; if it does not, it is asked again.
    pub(super) fn await_call_back(&mut self, now_ms: i64) {
        if self.link.is_none() {
            self.retry_at_ms = Some(now_ms.saturating_add(CALL_BACK_WAIT_MS));
        }
    }

    pub(super) fn dial_failed(&mut self, now_ms: i64) {
        self.dialing = false;
        if self.link.is_none() {
            self.told.clear();
            self.retry_later(now_ms);
        }
    }

    pub(super) fn closed(&mut self, now_ms: i64) {
        let since_ms = self.link.as_ref().map(|link| link.since_ms);
        self.part();
        // If both dial at a time and their connections overtake each other, each may keep the one that
        // the other closes, and what was sent over it is lost.
        let is_young = since_ms.is_some_and(|since_ms| now_ms - since_ms < YOUNG_LINK_MS);
        if is_young && self.slot.is_none() {
            self.slot = self.last.clone();
        }
        self.retry_later(now_ms);
    }

    pub(super) fn timer(&mut self, now_ms: i64, out: &mut Vec<MeshAction>) {
        if self.retry_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.retry_at_ms = None;
            self.advance(out);
        }
    }

    /// Gets the message in the slot on its way.
    fn advance(&mut self, out: &mut Vec<MeshAction>) {
        match &mut self.link {
            Some(Link {
                conn,
                writing: writing @ None,
                ..
            }) => {
                let Some(message) = self.slot.take() else {
                    return;
                };
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
            self.retry_at_ms = Some(now_ms.saturating_add(self.retry_wait_ms));
            self.retry_wait_ms = (self.retry_wait_ms * 2).min(RETRY_WAIT_MS_MAX);
        }
    }
}

/// Between dials for a message that waits.
const RETRY_WAIT_MS_MIN: i64 = 100;
const RETRY_WAIT_MS_MAX: i64 = 1000;
/// How long the other server may take to call back.
const CALL_BACK_WAIT_MS: i64 = 1000;
/// A connection that ends sooner may never have been the other server's, too.
const YOUNG_LINK_MS: i64 = 1000;
