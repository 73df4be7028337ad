//! Session passwords (spec §2.3; Java `ZooKeeperServer.generatePasswd`).

use crate::SessionId;

/// Bytes of a session password.
pub const PASSWORD_LEN: usize = 16;

const SECRET: i64 = 0xB341_5C00;
const MASK_48: i64 = (1 << 48) - 1;

/// The password that every ZooKeeper server derives for a session: `java.util.Random` seeded with
/// the id and a constant, so any server can check any session's.
#[must_use]
pub fn session_password(id: SessionId) -> [u8; PASSWORD_LEN] {
    const MULTIPLIER: i64 = 0x5_DEEC_E66D;
    let mut state = (id.0 ^ SECRET ^ MULTIPLIER) & MASK_48;
    let mut password = [0; PASSWORD_LEN];
    for chunk in password.chunks_exact_mut(4) {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xb) & MASK_48;
        let [_, _, a, b, c, d, _, _] = state.to_be_bytes();
        chunk.copy_from_slice(&[d, c, b, a]);
    }
    password
}
