//! Four-letter words: questions that an operator asks with `nc` (spec §8.1).

use crate::shared::Shared;
use bytes::BytesMut;

/// A known word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(&'static str);

const WORDS: &[&str] = &["ruok", "srvr"];

impl Word {
    pub(crate) fn from_bytes(bytes: [u8; 4]) -> Option<Word> {
        WORDS
            .iter()
            .find(|word| word.as_bytes() == bytes)
            .map(|word| Word(word))
    }
}

/// The text that answers a word. `received` starts with the word; `stmk` has its argument behind.
pub(crate) async fn answer(_shared: &Shared, word: Word, _received: &mut BytesMut) -> String {
    if word.0 == "ruok" {
        "imok".to_owned()
    } else {
        String::new()
    }
}
