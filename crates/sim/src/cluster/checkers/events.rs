//! A client that watches a node's data hears of a change before it sees it, as the client itself can
//! tell: a second look that the oracle does not share code with.

use crate::checkers::events::Events;
use crate::cluster::fact::Fact;
use zooid_proto::xid;

pub(crate) fn observe(events: &mut Events, fact: &Fact<'_>) -> Result<(), String> {
    match fact {
        Fact::Asked { conn, xid, ask, .. } if *xid != xid::AUTH => {
            events.asked(*conn, ask.request());
            Ok(())
        }
        Fact::Received { conn, packet, .. } => events.received(*conn, packet),
        _ => Ok(()),
    }
}
