//! The data directory: keys (0600), certificates, exports, and what else a party keeps as files.

use std::{
    fmt, fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jose::SigningKey;
use pki::{Certificate, PkiError, PrivateKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Password of exported PKCS#12 files: tools insist on one, and the key lies beside it anyway.
pub const PKCS12_PASSWORD: &str = "changeit";

/// A folder that only its owner may read.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    path: PathBuf,
}

/// A file of the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not what it should be.
    #[error("{path} cannot be used: {error}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// It is another party's.
    #[error(
        "{path} is the folder of {owner}, and this is {claims}: give each a folder of its own, or delete that one to begin anew"
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: Box<Owner>,
        /// Who wants it.
        claims: Box<Owner>,
    },
    /// A key or certificate could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// Whose a data directory is: what is in it is of use to that party alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Owner {
    /// The program, for example `ob-aspsp`.
    pub program: String,
    /// The organisation as the register knows it, for example `FCA 204503`; none where there is but one of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)?;
        match (&self.name, &self.registration) {
            (Some(name), Some(registration)) => write!(f, " as {name} ({registration})"),
            _ => Ok(()),
        }
    }
}

impl Owner {
    /// A program that there is one of.
    #[must_use]
    pub fn program(program: &str) -> Self {
        Self { program: program.to_owned(), registration: None, name: None }
    }

    /// An organisation that a program plays.
    #[must_use]
    pub fn organisation(program: &str, authority: &str, registration_id: &str, name: &str) -> Self {
        let registration = Some(format!("{authority} {registration_id}"));
        Self { program: program.to_owned(), registration, name: Some(name.to_owned()) }
    }
}

/// Where the owner of a data directory stands.
const OWNER: &str = "owner.json";

impl DataDirectory {
    /// Opens the folder and makes it when it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        folder(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Takes the folder for a party: one that has no owner becomes its own.
    ///
    /// # Errors
    /// It is another party's, or cannot be written.
    pub fn claim(&self, claims: &Owner) -> Result<(), DataError> {
        match self.read_json::<Owner>(OWNER)? {
            None => self.write_json(OWNER, claims).map(drop),
            // The name is what people call it, and may change.
            Some(owner) if owner.program == claims.program && owner.registration == claims.registration => Ok(()),
            Some(owner) => {
                let (owner, claims) = (Box::new(owner), Box::new(claims.clone()));
                Err(DataError::Foreign { path: self.path.clone(), owner, claims })
            }
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path below the folder.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) -> Result<PathBuf, DataError> {
        let path = self.join(name);
        let failed = |error| DataError::Io { path: path.clone(), error };
        if let Some(parent) = path.parent() {
            folder(parent)?;
        }
        // Written beside and renamed, so that nobody ever reads half of it.
        let mut beside = path.clone().into_os_string();
        beside.push(".writing");
        // What a stop in the middle of writing left there is not written on: the mode is that of a new file only.
        gone(beside.as_ref()).map_err(failed)?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside).map_err(failed)?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&beside, &path).map_err(failed)?;
        Ok(path)
    }

    /// Writes a file that only its owner may read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_secret(&self, name: &str, content: &[u8]) -> Result<PathBuf, DataError> {
        self.write(name, content, 0o600)
    }

    /// Writes a file that everybody on the machine may read, as far as the folders allow.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_public(&self, name: &str, content: &[u8]) -> Result<PathBuf, DataError> {
        self.write(name, content, 0o644)
    }

    /// Deletes a file, if it is there.
    ///
    /// # Errors
    /// It is there and stays.
    pub fn remove(&self, name: &str) -> Result<(), DataError> {
        let path = self.join(name);
        gone(&path).map_err(|error| DataError::Io { path, error })
    }

    /// The text of a file; none when it is not there.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<String>, DataError> {
        let path = self.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataError::Io { path, error }),
        }
    }

    /// Reads a JSON file; none when it is not there.
    ///
    /// # Errors
    /// It is there and is not of this form.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, DataError> {
        match self.read(name)? {
            None => Ok(None),
            Some(text) => serde_json::from_str(&text)
                .map(Some)
                .map_err(|error| DataError::Content { path: self.join(name), error: error.to_string() }),
        }
    }

    /// Writes a JSON file that only its owner may read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<PathBuf, DataError> {
        let json = serde_json::to_vec_pretty(value)
            .map_err(|error| DataError::Content { path: self.join(name), error: error.to_string() })?;
        self.write_secret(name, &json)
    }

    /// The key of this name, made when it is not there. Takes some 40 ms of one core when it is made.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not a key.
    pub fn load_or_create_key(&self, name: &str) -> Result<PrivateKey, DataError> {
        let file = format!("keys/{name}.key");
        match self.read(&file)? {
            Some(pem) => PrivateKey::from_pem(&pem)
                .map_err(|error| DataError::Content { path: self.join(&file), error: error.to_string() }),
            None => {
                let key = PrivateKey::generate_rsa()?;
                self.write_secret(&file, key.to_pem().as_bytes())?;
                Ok(key)
            }
        }
    }

    /// Certificates of a PEM file; none when it is not there.
    ///
    /// # Errors
    /// It is there and is not a list of certificates.
    pub fn read_chain(&self, name: &str) -> Result<Option<Vec<Certificate>>, DataError> {
        let Some(text) = self.read(name)? else { return Ok(None) };
        Certificate::all_from_pem(&text)
            .map(Some)
            .map_err(|error| DataError::Content { path: self.join(name), error: error.to_string() })
    }

    /// The ES256 key of this name, made when it is not there.
    ///
    /// # Errors
    /// The file cannot be read or written, or is not such a key.
    pub fn load_or_create_es256(&self, name: &str) -> Result<SigningKey, DataError> {
        let file = format!("keys/{name}.key");
        let unusable = |error: jose::KeyError| DataError::Content { path: self.join(&file), error: error.to_string() };
        let pem = match self.read(&file)? {
            Some(pem) => pem,
            None => {
                let pem = SigningKey::generate_es256_pem().map_err(unusable)?;
                self.write_secret(&file, pem.as_bytes())?;
                pem
            }
        };
        SigningKey::from_es256_pem(&pem).map_err(unusable)
    }

    /// Writes a key with its chain for users' tools: `exports/NAME.pem` (certificate and issuing authorities),
    /// `exports/NAME.key` and `exports/NAME.p12`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn export(&self, name: &str, key: &PrivateKey, chain: &[Certificate]) -> Result<(), DataError> {
        let pem: String = chain.iter().map(Certificate::pem).collect();
        self.write_public(&format!("exports/{name}.pem"), pem.as_bytes())?;
        self.write_secret(&format!("exports/{name}.key"), key.to_pem().as_bytes())?;
        if let [leaf, authorities @ ..] = chain {
            let file = pki::pkcs12(key, leaf, authorities, PKCS12_PASSWORD, name)?;
            self.write_secret(&format!("exports/{name}.p12"), &file)?;
        }
        Ok(())
    }
}

/// Deletes a file, if it is there.
fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder that only its owner may enter, unless it is there.
fn folder(path: &Path) -> Result<(), DataError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| DataError::Io { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn keys_are_kept_and_nobody_else_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(&folder.path().join("bank")).unwrap();
        let first = data.load_or_create_key("server").unwrap();
        let second = data.load_or_create_key("server").unwrap();
        assert_eq!(first.pkcs8_der(), second.pkcs8_der());
        assert_eq!(mode(&data.join("keys/server.key")), 0o600);
        assert_eq!((mode(data.path()), mode(&data.join("keys"))), (0o700, 0o700));
    }

    #[test]
    fn what_a_stop_left_in_the_middle_of_writing_opens_no_key_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        let left = data.write_public("keys/server.key.writing", b"half of").unwrap();
        assert_eq!(mode(&left), 0o644);
        let key = data.write_secret("keys/server.key", b"a key").unwrap();
        assert_eq!((mode(&key), left.exists()), (0o600, false));
        assert_eq!(data.read("keys/server.key").unwrap().as_deref(), Some("a key"));
    }

    #[test]
    fn files_that_differ_in_their_endings_are_written_apart() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        // Were both written at transport.writing, this would be in the way of both.
        fs::create_dir_all(data.join("exports/transport.writing/occupied")).unwrap();
        let certificate = data.write_public("exports/transport.pem", b"a certificate").unwrap();
        let key = data.write_secret("exports/transport.key", b"a key").unwrap();
        assert_eq!((mode(&certificate), mode(&key)), (0o644, 0o600));
    }

    #[test]
    fn a_damaged_key_is_named_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        data.write_secret("keys/server.key", b"not a key").unwrap();
        let error = data.load_or_create_key("server").unwrap_err().to_string();
        assert!(error.contains("server.key"), "{error}");
        assert_eq!(data.read("keys/server.key").unwrap().as_deref(), Some("not a key"));
    }

    #[test]
    fn a_folder_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        let bank = |registration: &str, name: &str| Owner::organisation("ob-aspsp", "FCA", registration, name);
        data.claim(&bank("1", "Ashdown Bank")).unwrap();
        data.claim(&bank("1", "Ashdown")).unwrap();
        for (other, named) in [
            (bank("2", "Thistledown Bank"), "this is ob-aspsp as Thistledown Bank (FCA 2)"),
            (Owner::program("ob-directory"), "this is ob-directory:"),
        ] {
            let error = data.claim(&other).unwrap_err().to_string();
            assert!(
                error.contains("the folder of ob-aspsp as Ashdown Bank (FCA 1)") && error.contains(named),
                "{error}"
            );
        }
    }
}
