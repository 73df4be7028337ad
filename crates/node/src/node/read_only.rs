//! Serving reads without a leader (spec §2.17; Java `ReadOnlyZooKeeperServer`).
//!
//! Clients that allow it get sessions that only this server knows, whatever `localSessionsEnabled`
//! says: without them there would be nobody to serve. They end as soon as there is a leader.

use super::{Node, Role};
use crate::Sessions;
use crate::step::{ClientRequest, ConnId, Now, OpenSession, Output};
use zooid_proto::{ErrorCode, OpCode};
use zooid_tree::Replica;

impl Node {
    pub(super) fn serve_reads_if_due(&mut self, now: Now, out: &mut Vec<Output>) {
        // The election may just have ended.
        if !matches!(self.role, Role::Looking) {
            return;
        }
        let Some(peer) = &mut self.peer else {
            return;
        };
        let is_due = |from_ms: i64| now.mono_ms >= from_ms;
        if peer.read_only_from_ms().is_some_and(is_due) {
            peer.set_serving(true);
            out.push(Output::Serve(true));
            out.push(Output::RoleChanged);
        }
    }

    pub(super) fn stop_serving_reads(&mut self, out: &mut Vec<Output>) {
        let Some(peer) = self.peer.as_mut().filter(|peer| peer.is_serving()) else {
            return;
        };
        peer.set_serving(false);
        self.local = Sessions::new(self.settings.tick_ms, ErrorCode::SessionExpired);
        self.bound.clear();
        out.push(Output::Serve(false));
    }

    pub(super) fn open_read_only(
        &mut self,
        now: Now,
        conn: ConnId,
        open: OpenSession,
        replica: &Replica,
        out: &mut Vec<Output>,
    ) {
        let is_global = replica.session_timeout(open.session).is_some();
        if !open.read_only || is_global {
            // Another server may do better.
            out.push(Output::Close { conn });
        } else if open.session.0 == 0 {
            self.open_local(now, conn, open.timeout_ms, replica, out);
        } else if !self.reopen_local(now, conn, open, out) {
            // Without a leader nobody knows what this server has missed: the session may be alive, and its
            // client must not be told that it has ended. ZooKeeper's server refuses it with
            // `localSessionsEnabled`, and otherwise takes up whatever it is asked for.
            out.push(if open.password_matches {
                Output::Close { conn }
            } else {
                Output::Refused { conn }
            });
        }
    }

    /// All but the end of the session has been refused before it came here.
    pub(super) fn request_read_only(&mut self, request: &ClientRequest, out: &mut Vec<Output>) {
        if request.op == OpCode::CloseSession && self.is_local(request.session) {
            self.local_closed(request.conn, request.cxid, out);
        } else {
            out.push(Output::Close { conn: request.conn });
        }
    }
}
