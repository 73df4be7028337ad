//! What is left after a loss of power. The rules are those of the parent module.

use super::image::{Image, pieces};
use super::random::Random;
use super::{Change, Directory, Inode, InodeId, State};
use crate::disk::SECTOR_LEN;
use crate::width::len64;
use std::collections::{BTreeMap, BTreeSet};

/// Which of the unsynced changes survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// None: the disk had cached everything.
    Nothing,
    /// All, the operation under way included.
    Everything,
    /// Each as the dice say, which follow from this seed.
    Chosen(u64),
}

struct Dice {
    survival: Survival,
    random: Random,
    /// Of eight; chosen per survivor, so that some keep nearly all and some nearly nothing.
    bias: usize,
}

pub(super) fn survivor(state: &State, survival: Survival) -> State {
    let mut dice = Dice::new(survival);
    let named = named_inodes(state);
    State {
        inodes: (state.inodes.iter().enumerate())
            .map(|(id, inode)| {
                if named.contains(&id) {
                    surviving_inode(inode, &mut dice)
                } else {
                    // Nobody can open it any more.
                    Inode::default()
                }
            })
            .collect(),
        dirs: (state.dirs.iter())
            .map(|(path, dir)| (path.clone(), surviving_dir(dir, &mut dice)))
            .collect(),
        operations: 0,
        faults: BTreeMap::new(),
        powered: true,
        sectors_max: state.sectors_max,
        busy_us: 0,
        random: state.random.clone(),
    }
}

impl Dice {
    fn new(survival: Survival) -> Dice {
        let seed = match survival {
            Survival::Nothing | Survival::Everything => 0,
            Survival::Chosen(seed) => seed,
        };
        let mut random = Random::new(seed);
        let bias = 1 + random.below(7);
        Dice {
            survival,
            random,
            bias,
        }
    }

    fn keep(&mut self) -> bool {
        match self.survival {
            Survival::Nothing => false,
            Survival::Everything => true,
            Survival::Chosen(_) => self.random.chance(self.bias),
        }
    }

    /// How many of an ordered list of changes survive.
    fn prefix(&mut self, len: usize) -> usize {
        match self.survival {
            Survival::Nothing => 0,
            Survival::Everything => len,
            Survival::Chosen(_) => self.random.below(len + 1),
        }
    }

    /// How much of the last sector of a write survives, given that the sector does.
    fn torn(&mut self, len: usize) -> usize {
        match self.survival {
            Survival::Chosen(_) if self.random.chance(1) => self.random.below(len + 1),
            _ => len,
        }
    }
}

/// The files that may have a name.
fn named_inodes(state: &State) -> BTreeSet<InodeId> {
    let of_dir = |dir: &Directory| {
        let pending = dir.pending.iter().map(|rename| rename.inode);
        let named = dir.durable.values().chain(dir.current.values());
        named.copied().chain(pending).collect::<Vec<_>>()
    };
    state.dirs.values().flat_map(of_dir).collect()
}

fn surviving_inode(inode: &Inode, dice: &mut Dice) -> Inode {
    let mut image = inode.durable.clone();
    let mut lengths = inode.durable.clone();
    let ordered = dice.prefix(inode.pending.len());
    for (i, change) in inode.pending.iter().enumerate() {
        let in_order = i < ordered;
        if in_order {
            change.apply(&mut lengths);
        }
        match change {
            Change::Write { offset, bytes } => write_pieces(&mut image, *offset, bytes, dice),
            // What a truncation that survived removed must not come back.
            Change::Truncate(len) if in_order => image.cut_to(*len),
            Change::Truncate(_) | Change::Lengthen(_) => {}
        }
    }
    image.cut_to(lengths.len());
    Inode {
        durable: image.clone(),
        current: image,
        pending: Vec::new(),
        reserved: inode
            .reserved
            .min(lengths.len().div_ceil(len64(SECTOR_LEN))),
        lost: inode.lost.clone(),
        uncached: Vec::new(),
    }
}

fn write_pieces(image: &mut Image, offset: u64, bytes: &[u8], dice: &mut Dice) {
    for piece in pieces(offset, bytes.len()) {
        if !dice.keep() {
            continue;
        }
        let data = &bytes[piece.start..piece.end];
        let is_last = piece.end == bytes.len();
        let kept = if is_last {
            dice.torn(data.len())
        } else {
            data.len()
        };
        image.write_piece(&piece, &data[..kept]);
        image.lengthen(offset + len64(piece.start + kept));
    }
}

fn surviving_dir(dir: &Directory, dice: &mut Dice) -> Directory {
    let mut names = dir.durable.clone();
    for rename in &dir.pending {
        if dice.keep() {
            rename.apply(&mut names);
        }
    }
    Directory {
        durable: names.clone(),
        current: names,
        pending: Vec::new(),
    }
}
