//! Configurations: read, or refused in one line that says what to do.

use zooid_config::parse_zoo_cfg;

/// More than the longest message, with a value in it.
const MESSAGE_BYTES_MAX: usize = 4000;

/// The bytes are a `zoo.cfg`.
pub fn run(data: &[u8]) {
    match parse_zoo_cfg(data) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                check(&warning.to_string());
            }
        }
        Err(refused) => {
            check(&refused.to_string());
            assert!(matches!(refused.exit_code(), 2 | 3));
        }
    }
}

fn check(message: &str) {
    assert!(!message.is_empty());
    assert!(!message.contains('\n'), "{message:?}");
    assert!(message.len() <= MESSAGE_BYTES_MAX, "{message:?}");
}
