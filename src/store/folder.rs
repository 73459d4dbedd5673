//! The data folder: made when it is missing, readable by its owner alone, with the secret that all keys derive from.

use crate::model::SecretKey;
use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// A folder that exists.
#[derive(Debug)]
pub struct DataFolder(PathBuf);

/// The folder cannot be used; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It, or a file in it, cannot be made or read.
    #[error(
        "cannot use {path} ({error}): the folder of store.data_dir must be writable for the user that runs this program"
    )]
    Unusable {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The file with the secret holds something else.
    #[error(
        "{0} does not hold 32 random bytes in hexadecimal digits: restore it from a backup; a new one makes all old tokens invalid"
    )]
    NoSecret(String),
}

impl DataFolder {
    /// Opens the folder, made if it is missing.
    ///
    /// # Errors
    /// [`FolderError`] when it cannot be.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| unusable(path, error))?;
        Ok(Self(path.to_owned()))
    }

    /// The secret in this folder, made if there is none.
    ///
    /// # Errors
    /// [`FolderError`] when it can neither be read nor made.
    pub fn secret_key(&self) -> Result<SecretKey, FolderError> {
        let path = self.0.join("secret.key");
        if !path.exists() {
            match write_new(&path, &SecretKey::random().to_hex()) {
                // Another process was first: its secret is the secret.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                written => written.map_err(|error| unusable(&path, error))?,
            }
        }
        let text = fs::read_to_string(&path).map_err(|error| unusable(&path, error))?;
        SecretKey::parse(text.trim()).map_err(|_| FolderError::NoSecret(path.display().to_string()))
    }
}

/// All of it or nothing, also if the power goes in between, and never over a file that is there.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension(Uuid::new_v4().simple().to_string());
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    linked
}

fn unusable(path: &Path, error: io::Error) -> FolderError {
    FolderError::Unusable { path: path.display().to_string(), error }
}
