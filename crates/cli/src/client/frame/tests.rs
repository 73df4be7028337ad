use super::*;
use std::collections::VecDeque;

/// Gives one scripted answer per read; an empty one stands for a timeout.
struct Script(VecDeque<Vec<u8>>);

impl Read for Script {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.pop_front() {
            None => Ok(0),
            Some(bytes) if bytes.is_empty() => Err(ErrorKind::WouldBlock.into()),
            Some(bytes) => {
                buf[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
        }
    }
}

fn reader(chunks: &[&[u8]]) -> FrameReader<Script> {
    FrameReader::new(Script(chunks.iter().map(|c| c.to_vec()).collect()))
}

#[test]
fn a_timeout_inside_a_packet_loses_nothing() {
    let mut r = reader(&[&[0, 0, 0], b"", &[3, b'a'], b"", b"bc"]);
    assert!(r.next().unwrap().is_none());
    assert!(r.next().unwrap().is_none());
    assert_eq!(&r.next().unwrap().unwrap()[..], b"abc");
    assert_eq!(r.next().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn packets_that_arrive_together_are_cut_apart() {
    let mut r = reader(&[&[0, 0, 0, 1, b'x', 0, 0, 0, 0, 0, 0, 0, 1, b'y']]);
    assert_eq!(&r.next().unwrap().unwrap()[..], b"x");
    assert_eq!(&r.next().unwrap().unwrap()[..], b"");
    assert_eq!(&r.next().unwrap().unwrap()[..], b"y");
}

#[test]
fn absurd_lengths_are_refused() {
    for prefix in [[0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff]] {
        let mut r = reader(&[&prefix]);
        assert_eq!(r.next().unwrap_err().kind(), ErrorKind::InvalidData);
    }
}

#[test]
fn a_packet_is_written_with_its_length() {
    let mut out = Vec::new();
    write_frame(&mut out, b"abc").unwrap();
    assert_eq!(out, [0, 0, 0, 3, b'a', b'b', b'c']);
}
