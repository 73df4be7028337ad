//! What a session tells its user: its state, and events.

use zooid_proto::{EventType, KeeperState, Zxid};

/// State of a session, named as Java's `ZooKeeper.States` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not connected at the moment.
    Connecting,
    /// Connected.
    Connected,
    /// Connected to a server that takes no writes.
    ConnectedReadOnly,
    /// Closed or expired.
    Closed,
    /// The server refused the credentials; over.
    AuthFailed,
}

impl State {
    /// Whether the session may still be used.
    #[must_use]
    pub(crate) fn is_alive(self) -> bool {
        !matches!(self, State::Closed | State::AuthFailed)
    }

    pub(super) fn is_connected(self) -> bool {
        matches!(self, State::Connected | State::ConnectedReadOnly)
    }

    /// Java's name.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Connecting => "CONNECTING",
            State::Connected => "CONNECTED",
            State::ConnectedReadOnly => "CONNECTEDREADONLY",
            State::Closed => "CLOSED",
            State::AuthFailed => "AUTH_FAILED",
        }
    }
}

/// Something to tell the user of: a watch that fired, or a change of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// What happened.
    pub kind: EventType,
    /// State of the connection.
    pub state: KeeperState,
    /// The node, as the server names it; `None` for the connection.
    pub path: Option<String>,
    /// Transaction that did it, from servers that say so (3.9).
    pub zxid: Option<Zxid>,
}

impl Event {
    pub(super) fn of_state(state: KeeperState) -> Event {
        Event {
            kind: EventType::None,
            state,
            path: None,
            zxid: None,
        }
    }
}
