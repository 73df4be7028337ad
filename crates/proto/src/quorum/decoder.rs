//! Taking the packets of one link apart.

use super::{NULL, QuorumPacket};
use crate::{DecodeError, Id, Jute, Reader};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use bytes::Bytes;

/// Decodes what comes on one link. It makes little of what has come before: the clients of a learner tell
/// with each request who they are, which is the same each time.
#[derive(Debug, Default)]
pub struct PacketDecoder {
    seen: [Option<Seen>; SEEN_MAX],
}

/// Identities, and their encoding.
#[derive(Debug)]
struct Seen {
    encoded: Box<[u8]>,
    ids: Arc<[Id]>,
}

/// Identities that are remembered.
const SEEN_MAX: usize = 16;
/// Longer ones are not.
const SEEN_BYTES_MAX: usize = 1 << 10;

impl PacketDecoder {
    /// Takes the next packet of several off the reader; `None` when it is not whole yet, and the reader is
    /// then left where it was. The caller bounds how much it gathers for one.
    ///
    /// # Errors
    /// [`DecodeError`] when more bytes cannot make it a packet, one with more than the reader's limit
    /// among them.
    pub fn next(&mut self, r: &mut Reader<'_>) -> Result<Option<QuorumPacket>, DecodeError> {
        let before = r.clone();
        match self.decode(r) {
            Ok(packet) => Ok(Some(packet)),
            Err(DecodeError::Truncated { .. }) => {
                *r = before;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn decode(&mut self, r: &mut Reader<'_>) -> Result<QuorumPacket, DecodeError> {
        let kind = Jute::decode(r)?;
        let zxid = Jute::decode(r)?;
        let data = r.bytes()?;
        let auth = if r.rest().starts_with(&NULL) {
            r.take(NULL.len())?;
            None
        } else {
            Some(self.decode_ids(r, data.as_ref())?)
        };
        Ok(QuorumPacket {
            kind,
            zxid,
            data,
            auth,
        })
    }

    /// Those that begin with the encoding of others are the same.
    fn decode_ids(
        &mut self,
        r: &mut Reader<'_>,
        request: Option<&Bytes>,
    ) -> Result<Arc<[Id]>, DecodeError> {
        let place = &mut self.seen[place_of(request)];
        if let Some(seen) = place
            && r.rest().starts_with(&seen.encoded)
        {
            r.take(seen.encoded.len())?;
            return Ok(Arc::clone(&seen.ids));
        }
        let before = r.rest();
        let ids: Arc<[Id]> = Vec::decode(r)?.into();
        let encoded = &before[..before.len() - r.rest().len()];
        if encoded.len() <= SEEN_BYTES_MAX {
            *place = Some(Seen {
                encoded: encoded.into(),
                ids: Arc::clone(&ids),
            });
        }
        Ok(ids)
    }
}

/// Where the identities of a request's session are, and of some others: by the last byte of its number, of
/// which a server counts the lowest ones.
fn place_of(request: Option<&Bytes>) -> usize {
    let session = request.and_then(|data| data.first_chunk::<8>());
    session.map_or(0, |[.., last]| usize::from(*last) % SEEN_MAX)
}
