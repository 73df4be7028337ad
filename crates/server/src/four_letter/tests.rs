use super::*;
use crate::metrics::testing::readings;
use crate::stats::ServerStats;
use expect_test::expect_file;
use zooid_node::Now;
use zooid_proto::Zxid;

const ALL: [Word; 19] = [
    Word::Conf,
    Word::Cons,
    Word::Crst,
    Word::Dirs,
    Word::Dump,
    Word::Envi,
    Word::Gtmk,
    Word::Hash,
    Word::Isro,
    Word::Mntr,
    Word::Ruok,
    Word::Srst,
    Word::Srvr,
    Word::Stat,
    Word::Stmk,
    Word::Wchc,
    Word::Wchp,
    Word::Wchs,
    Word::TelnetClose,
];

#[test]
fn words_are_known_by_their_names() {
    for word in ALL {
        let bytes = match word {
            Word::TelnetClose => [0xff, 0xf4, 0xff, 0xfd],
            _ => word.name().as_bytes().try_into().unwrap(),
        };
        assert_eq!(Word::from_bytes(bytes), Some(word));
    }
    for stranger in [b"RUOK", b"orst", b"lsnp", b"\0\0\0\x2c"] {
        assert_eq!(Word::from_bytes(*stranger), None);
    }
}

#[test]
fn only_stmk_has_an_argument() {
    for word in ALL {
        let expected = if word == Word::Stmk { 12 } else { 4 };
        assert_eq!(word.request_bytes(), expected, "{word:?}");
    }
}

#[test]
fn a_server_that_does_not_serve_says_so() {
    assert_eq!(not_serving(Word::Isro), "null");
    assert_eq!(not_serving(Word::Srvr), format!("{NOT_SERVING}\n"));
    assert_eq!(not_serving(Word::Hash), NOT_SERVING);
    let always: Vec<Word> = ALL
        .into_iter()
        .filter(|word| word.is_always_answered())
        .collect();
    assert_eq!(
        always,
        [
            Word::Envi,
            Word::Gtmk,
            Word::Ruok,
            Word::Stmk,
            Word::TelnetClose
        ]
    );
}

#[test]
fn hash_has_a_line_per_digest() {
    let digests = [(Zxid(0x80), 7), (Zxid(0x1_0000_0080), -1_234_567_890_123)];
    let text = "80: 7\n100000080: -1234567890123\n";
    assert_eq!(hash_text(digests.into_iter()), text);
    assert_eq!(hash_text(std::iter::empty()), "");
}

#[test]
fn mntr_has_a_line_per_number() {
    let stats = ServerStats::new(Now::default());
    let text = mntr(&readings(&stats)).replace(FULL_VERSION, "<version>");
    expect_file!["mntr.txt"].assert_eq(&text);
}
