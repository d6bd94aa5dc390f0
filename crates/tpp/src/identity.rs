//! A TPP with certificates and keys of its own, in files: it needs no Directory of ours, and is known to banks by a
//! software statement from elsewhere, or by a `client_id` that they gave by hand.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jose::{Algorithm, Jws, SigningKey};
use openbanking::ssa::SoftwareStatementAssertion;
use pki::{Certificate, PrivateKey};
use schemars::JsonSchema;
use serde::Deserialize;
use time::OffsetDateTime;
use transport::Identity;
use url::Url;

/// `identity` of a TPP's profile: files, beside the profile's own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityFiles {
    /// What the TPP shows in TLS handshakes.
    pub transport: KeyFiles,
    /// What it signs with.
    pub signing: SigningFiles,
    /// PEM file with the authorities that banks' servers are trusted by; the TPP's `--trust-anchor` when it is not said.
    #[serde(default)]
    pub trust: Option<PathBuf>,
    /// The software statement assertion that it registers with: a file with the JWT.
    #[serde(default)]
    pub software_statement: Option<PathBuf>,
    /// The `client_id` that its bank gave by hand; a step `register` can give another one.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The redirect URI that banks know; the TPP's own callback when it is not said.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub redirect_uri: Option<Url>,
    /// What the callback is served with. Without it nothing is served, and the simulated customer hands the bank's answer
    /// to the TPP's control port.
    #[serde(default)]
    pub callback: Option<KeyFiles>,
    /// Issuer in `x-jws-signature`; when it is not said that of the software statement (`org_id/software_id`), or the
    /// subject of the signing certificate.
    #[serde(default)]
    pub message_issuer: Option<String>,
}

/// A certificate and its key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KeyFiles {
    /// PEM file: the certificate, then those of its authorities.
    pub certificate: PathBuf,
    /// PEM file: the RSA key, without a passphrase.
    pub key: PathBuf,
}

/// A key that signs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SigningFiles {
    /// PEM file: the RSA key, without a passphrase.
    pub key: PathBuf,
    /// The key's name in the key set that banks read.
    pub kid: String,
    /// PEM file: its certificate, where it has one.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
}

/// The files, read and held against each other.
pub struct OwnIdentity {
    /// What it shows in TLS handshakes.
    pub transport: Identity,
    /// What it signs with.
    pub signing: Arc<SigningKey>,
    /// The same key.
    pub signing_key: PrivateKey,
    /// Whom it trusts; none when that is said elsewhere.
    pub trust: Option<Vec<Certificate>>,
    /// What it registers with.
    pub software_statement: Option<SoftwareStatement>,
    /// `client_id` at its bank.
    pub client_id: Option<String>,
    /// The redirect URI that banks know.
    pub redirect_uri: Option<Url>,
    /// What its callback is served with.
    pub callback: Option<Identity>,
    /// Issuer in `x-jws-signature`.
    pub message_issuer: Option<String>,
}

/// An assertion that somebody's Directory made.
#[derive(Debug, Clone)]
pub struct SoftwareStatement {
    /// The JWT.
    pub text: String,
    /// What it says.
    pub claims: SoftwareStatementAssertion,
}

/// A file of an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It cannot be read.
    #[error("{member}: {path} cannot be read: {error}")]
    Unreadable {
        /// Member of the profile.
        member: String,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{member}: {path} cannot be used: {why}")]
    Unusable {
        /// Member of the profile.
        member: String,
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Certificate and key do not belong together.
    #[error("{member}: the key in {key} is not that of the certificate in {certificate} ({subject})")]
    OtherKey {
        /// Member of the profile.
        member: String,
        /// File of the key.
        key: PathBuf,
        /// File of the certificate.
        certificate: PathBuf,
        /// Whose certificate it is.
        subject: String,
    },
    /// The certificate is not valid now.
    #[error("{member}: the certificate in {path} ({subject}) is valid from {from} to {until}, and now it is {now}")]
    NotValidNow {
        /// Member of the profile.
        member: String,
        /// The file.
        path: PathBuf,
        /// Whose certificate it is.
        subject: String,
        /// Begin of validity.
        from: OffsetDateTime,
        /// End of validity.
        until: OffsetDateTime,
        /// True time.
        now: OffsetDateTime,
    },
    /// The software statement is for other redirect URIs.
    #[error("identity.redirect-uri: {uri} is not among those of the software statement: {known}")]
    RedirectUri {
        /// The profile's.
        uri: Url,
        /// The statement's.
        known: String,
    },
}

/// Files of one member of the profile.
struct Reading<'a> {
    folder: &'a Path,
    member: &'a str,
}

impl Reading<'_> {
    fn text(&self, name: &str, file: &Path) -> Result<(PathBuf, String), IdentityError> {
        let path = self.folder.join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(error) => Err(IdentityError::Unreadable { member: format!("{}.{name}", self.member), path, error }),
        }
    }

    fn unusable(&self, name: &str, path: &Path, why: &dyn std::fmt::Display) -> IdentityError {
        let member = if name.is_empty() { self.member.to_owned() } else { format!("{}.{name}", self.member) };
        IdentityError::Unusable { member, path: path.to_owned(), why: why.to_string() }
    }

    fn key(&self, file: &Path) -> Result<(PathBuf, PrivateKey), IdentityError> {
        let (path, text) = self.text("key", file)?;
        let key = PrivateKey::from_pem(&text).map_err(|error| self.unusable("key", &path, &error))?;
        Ok((path, key))
    }

    /// A chain whose first certificate is that of the key and valid now.
    fn chain(
        &self,
        file: &Path,
        key: (&Path, &PrivateKey),
        now: OffsetDateTime,
    ) -> Result<Vec<Certificate>, IdentityError> {
        let (path, text) = self.text("certificate", file)?;
        let unusable = |error: pki::PkiError| self.unusable("certificate", &path, &error);
        let chain = Certificate::all_from_pem(&text).map_err(unusable)?;
        for leaf in chain.iter().take(1) {
            let facts = leaf.facts();
            let (member, subject) = (self.member.to_owned(), facts.subject.clone());
            if leaf.public_key_der().map_err(unusable)? != key.1.public_key_der() {
                return Err(IdentityError::OtherKey { member, key: key.0.to_owned(), certificate: path, subject });
            }
            let (from, until) = (facts.not_before, facts.not_after);
            if now < from || now >= until {
                return Err(IdentityError::NotValidNow { member, path, subject, from, until, now });
            }
        }
        Ok(chain)
    }

    fn identity(&self, files: &KeyFiles, now: OffsetDateTime) -> Result<Identity, IdentityError> {
        let (path, key) = self.key(&files.key)?;
        let chain = self.chain(&files.certificate, (&path, &key), now)?;
        Ok(Identity { chain, key })
    }
}

impl IdentityFiles {
    /// Reads the files, which are named from `folder`, and holds them against each other. `now` is true time.
    ///
    /// # Errors
    /// A file is missing or is not what it should be, a key is not that of its certificate, or a certificate is not valid.
    pub fn read(&self, folder: &Path, now: OffsetDateTime) -> Result<OwnIdentity, IdentityError> {
        let reading = |member| Reading { folder, member };
        let transport = reading("identity.transport").identity(&self.transport, now)?;
        let callback = self.callback.as_ref().map(|files| reading("identity.callback").identity(files, now));
        let (signing, signing_key, subject) = self.signing(&reading("identity.signing"), now)?;
        let software_statement = self.statement(&reading("identity"))?;
        let trust = self.trust.as_ref().map(|file| {
            let (path, text) = reading("identity").text("trust", file)?;
            Certificate::all_from_pem(&text).map_err(|error| reading("identity").unusable("trust", &path, &error))
        });
        if let (Some(uri), Some(SoftwareStatement { claims, .. })) = (&self.redirect_uri, &software_statement)
            && !claims.metadata.software_redirect_uris.iter().any(|known| known == uri.as_str())
        {
            let known = claims.metadata.software_redirect_uris.join(", ");
            return Err(IdentityError::RedirectUri { uri: uri.clone(), known });
        }
        let of_statement = software_statement.as_ref().map(|statement| {
            let metadata = &statement.claims.metadata;
            format!("{}/{}", metadata.org_id, metadata.software_id)
        });
        Ok(OwnIdentity {
            transport,
            signing,
            signing_key,
            trust: trust.transpose()?,
            message_issuer: self.message_issuer.clone().or(of_statement).or(subject),
            software_statement,
            client_id: self.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            callback: callback.transpose()?,
        })
    }

    /// The signing key, once for JWTs and as it is, and the subject of its certificate.
    fn signing(
        &self,
        reading: &Reading<'_>,
        now: OffsetDateTime,
    ) -> Result<(Arc<SigningKey>, PrivateKey, Option<String>), IdentityError> {
        let SigningFiles { key, kid, certificate } = &self.signing;
        let (path, key) = reading.key(key)?;
        let chain = certificate.as_ref().map(|file| reading.chain(file, (&path, &key), now)).transpose()?;
        let signing = SigningKey::from_pkcs8_der(kid, Algorithm::Ps256, key.pkcs8_der())
            .map_err(|error| reading.unusable("key", &path, &error))?;
        let subject = chain.and_then(|chain| chain.first().map(|leaf| leaf.facts().subject.clone()));
        Ok((Arc::new(signing), key, subject))
    }

    fn statement(&self, reading: &Reading<'_>) -> Result<Option<SoftwareStatement>, IdentityError> {
        let Some(file) = &self.software_statement else { return Ok(None) };
        let (path, text) = reading.text("software-statement", file)?;
        let text = text.trim().to_owned();
        let claims = Jws::parse(&text).and_then(|jws| jws.claims());
        let claims = claims.map_err(|error| reading.unusable("software-statement", &path, &error))?;
        Ok(Some(SoftwareStatement { text, claims }))
    }
}

impl OwnIdentity {
    /// `software_id`, when there is a software statement.
    #[must_use]
    pub fn software_id(&self) -> Option<&str> {
        self.software_statement.as_ref().map(|statement| statement.claims.metadata.software_id.as_str())
    }
}
