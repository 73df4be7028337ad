//! The directory that an ensemble lives in, and what is there from an earlier run.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::DevError;
use crate::layout::{Layout, MEMBERS_MAX, Place, Shape, Wish};
use crate::zoo_cfg;

/// `--dir`, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    // Closing it is what unlocks.
    _lock: File,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> Result<Directory, DevError> {
        let failed = |action| file_error(action, path);
        fs::create_dir_all(path).map_err(failed("create"))?;
        let absolute = path.canonicalize().map_err(failed("find"))?;
        let lock = File::open(&absolute).map_err(failed("open"))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(DevError::InUse(absolute)),
            // A file system without locks; the ports still tell who is there.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(Directory {
            path: absolute,
            _lock: lock,
        })
    }

    /// Absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The shape that is wished for, provided that it is the one that is there, if there is one.
    pub(crate) fn agree(&self, wish: Wish) -> Result<Shape, DevError> {
        let held = self.held()?;
        let asked = wish.shape(held);
        match held {
            Some(held) if held != asked => Err(DevError::OtherEnsemble {
                directory: self.path.clone(),
                held,
                asked,
            }),
            _ => Ok(asked),
        }
    }

    /// The shape of the ensemble that is there. Any server's file tells: data of one may have been
    /// removed to see how it comes back.
    fn held(&self) -> Result<Option<Shape>, DevError> {
        for number in 1..=MEMBERS_MAX {
            let path = self.path.join(format!("server{number}")).join("zoo.cfg");
            if let Some(text) = read_if_there(&path)? {
                return Ok(zoo_cfg::shape(&text));
            }
        }
        Ok(None)
    }

    /// Writes the files that servers need, where they are missing or say something else.
    pub(crate) fn prepare(&self, layout: &Layout) -> Result<(), DevError> {
        layout
            .places
            .iter()
            .try_for_each(|place| prepare_place(layout, place))
    }
}

fn prepare_place(layout: &Layout, place: &Place) -> Result<(), DevError> {
    let data = place.data();
    fs::create_dir_all(&data).map_err(file_error("create", &data))?;
    if !layout.shape.is_standalone() {
        let my_id = place.my_id();
        let number = format!("{}\n", place.id);
        if read_if_there(&my_id)?.as_ref() != Some(&number) {
            fs::write(&my_id, number).map_err(file_error("write", &my_id))?;
        }
    }
    let config = place.config();
    if let Some(text) = zoo_cfg::text(read_if_there(&config)?.as_deref(), layout, place) {
        fs::write(&config, text).map_err(file_error("write", &config))?;
    }
    let log = place.log();
    match fs::rename(&log, place.old_log()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file_error("rename", &log)(error)),
        _ => Ok(()),
    }
}

fn read_if_there(path: &Path) -> Result<Option<String>, DevError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error("read", path)(error)),
    }
}

fn file_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DevError {
    let path = path.to_owned();
    move |error| DevError::File {
        action,
        path,
        error,
    }
}

#[cfg(test)]
mod tests;
