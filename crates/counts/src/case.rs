//! What is counted.

mod codec;
mod log;
mod order;
mod tree;
mod watch;

/// Something small.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What is done each time.
    pub(crate) what: &'static str,
    /// How often is often enough for the mean to be one.
    pub(crate) times: u32,
    pub(crate) run: fn(times: u32) -> anyhow::Result<()>,
}

pub(crate) const ALL: &[Case] = &[
    codec::DECODE_CREATE,
    codec::ENCODE_GET_REPLY,
    codec::ENCODE_TRANSACTION,
    codec::DECODE_TRANSACTION,
    codec::VALIDATE_PATH,
    codec::ENCODE_FORWARDED,
    codec::DECODE_FORWARDED,
    codec::DECODE_ACK,
    codec::ENCODE_PROPOSAL,
    tree::GET,
    tree::LIST,
    tree::LIST_AGAIN,
    tree::SET,
    tree::CREATE,
    tree::MULTI,
    order::SET,
    order::CREATE,
    order::MULTI,
    log::APPEND,
    watch::LEAVE,
    watch::FIRE,
];

/// Bytes of every value.
const VALUE: &[u8] = &[b'v'; 100];

#[cfg(test)]
mod tests;
