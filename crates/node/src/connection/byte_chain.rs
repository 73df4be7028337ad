//! Bytes for one client, in order. Most are its own; long ones may be shared with other clients, and are
//! never copied on their way to a socket.

use bytes::Bytes;

/// See the module.
#[derive(Debug, Default)]
pub struct ByteChain {
    own: Vec<u8>,
    /// Apart, and only while there is something: a client has several chains, and most share nothing.
    shared: Option<Box<Shares>>,
}

#[derive(Debug, Default)]
struct Shares {
    /// In their order.
    pieces: Vec<Shared>,
    /// Bytes of all of them.
    len: usize,
}

#[derive(Debug)]
struct Shared {
    /// How many of its own bytes come before.
    after: usize,
    bytes: Bytes,
}

impl ByteChain {
    /// All of its bytes, those of others included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own.len() + self.shared.as_ref().map_or(0, |shared| shared.len)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves all of another's to the end. An empty chain gets the other's buffer itself.
    pub fn append(&mut self, other: &mut ByteChain) {
        if self.is_empty() {
            *self = std::mem::take(other);
            return;
        }
        let before = self.own.len();
        self.own.append(&mut other.own);
        let Some(others) = other.shared.take() else {
            return;
        };
        let shares = self.shared.get_or_insert_default();
        shares.len += others.len;
        let pieces = others.pieces.into_iter().map(|piece| Shared {
            after: before + piece.after,
            ..piece
        });
        shares.pieces.extend(pieces);
    }

    /// Puts bytes that others are sent, too, to the end.
    pub(super) fn share(&mut self, bytes: Bytes) {
        let shares = self.shared.get_or_insert_default();
        shares.len += bytes.len();
        shares.pieces.push(Shared {
            after: self.own.len(),
            bytes,
        });
    }

    /// Its own bytes, to append to or to change.
    pub(super) fn own_mut(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    /// Its pieces from a place on; one if nothing is shared.
    pub fn pieces_from(&self, place: usize) -> impl Iterator<Item = &[u8]> {
        let mut skipped = place;
        self.pieces()
            .map(move |piece| {
                let here = skipped.min(piece.len());
                skipped -= here;
                &piece[here..]
            })
            .filter(|piece| !piece.is_empty())
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        let shared: &[Shared] = self.shared.as_ref().map_or(&[], |shared| &shared.pieces);
        let last = shared.last().map_or(0, |shared| shared.after);
        shared
            .iter()
            .flat_map(move |shared| {
                let own = &self.own[at..shared.after];
                at = shared.after;
                [own, &shared.bytes[..]]
            })
            .chain([&self.own[last..]])
    }

    /// A copy of everything from a place on.
    #[must_use]
    pub fn copied_from(&self, place: usize) -> Vec<u8> {
        self.pieces_from(place).collect::<Vec<_>>().concat()
    }
}

impl From<Vec<u8>> for ByteChain {
    fn from(own: Vec<u8>) -> ByteChain {
        ByteChain {
            own,
            ..ByteChain::default()
        }
    }
}

#[cfg(test)]
mod tests;
