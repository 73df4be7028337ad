//! What a disk loses after it was durable.

use super::{SimulatedDisk, sectors};
use crate::width::index;
use std::io;
use std::path::Path;

impl SimulatedDisk {
    /// Flips a bit of a file, durably. Without effect beyond the file's end.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub fn flip_bit(&self, path: &Path, offset: u64, bit: u32) -> io::Result<()> {
        let mut state = self.lock();
        let id = state.resolve(path)?;
        let inode = &mut state.inodes[id];
        inode.durable.flip_bit(offset, bit);
        inode.current.flip_bit(offset, bit);
        Ok(())
    }

    /// Puts other bytes into a file, durably; only where it has some.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let id = state.resolve(path)?;
        let inode = &mut state.inodes[id];
        for image in [&mut inode.durable, &mut inode.current] {
            let len = index(image.len().saturating_sub(offset)).min(bytes.len());
            image.write(offset, &bytes[..len]);
        }
        Ok(())
    }

    /// Makes the sectors of a range unreadable.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`].
    pub fn lose(&self, path: &Path, offset: u64, len: usize) -> io::Result<()> {
        let mut state = self.lock();
        let id = state.resolve(path)?;
        state.inodes[id].lost.extend(sectors(offset, len));
        Ok(())
    }
}
