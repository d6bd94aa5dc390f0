//! Party: the Directory. It knows organisations and their software statements, signs their certificates and assertions
//! (SSAs), publishes their keys, and tells TPPs where banks are.
//!
//! An organisation comes through [`enrolment`], gets its certificates, and from then on uses the [`api`] with them: mutual
//! TLS and a token from the Directory's own token endpoint. What it publishes is at [`keystore`].
//!
//! - [`registry`]: what is kept: organisations, software statements, certificates, authorisation servers
//! - [`certification`]: from a certificate request to a certificate, and to the list of revoked ones
//! - [`assertion`]: software statement assertions
//! - [`start()`] brings the party up

pub mod api;
pub mod assertion;
pub mod certification;
mod control;
pub mod enrolment;
mod issued;
pub mod keystore;
pub mod participants;
mod progress;
pub mod refusal;
pub mod registry;
mod routes;
mod settings;
mod start;
mod surroundings;

use bytes::Bytes;
use fapi::Engine;
use jose::SigningKey;
use party::Tools;
use pki::Authority;
use rules::Rule;
use std::sync::Arc;
use store::{Change, CommitError, Store};
use transport::{Identity, ServerTls};
use url::Url;

pub use settings::{EnrolmentPolicy, Settings};
pub use start::{Running, start};

use crate::{
    api::UNCHANGED,
    refusal::{CONFLICT, DirectoryError},
    surroundings::Surroundings,
};

/// Where the Directory's two listeners are reached.
#[derive(Debug, Clone)]
pub struct Urls {
    /// Discovery, keys, revocations, enrolment.
    pub public: Url,
    /// Token endpoint and API, with client certificates.
    pub mtls: Url,
}

impl Urls {
    /// An absolute URL below the public listener.
    #[must_use]
    pub fn open(&self, path: &str) -> String {
        format!("{}{path}", self.public.as_str().trim_end_matches('/'))
    }

    /// An absolute URL below the listener with client certificates.
    #[must_use]
    pub fn api(&self, path: &str) -> String {
        format!("{}{path}", self.mtls.as_str().trim_end_matches('/'))
    }
}

/// Documents that are rendered once.
pub struct Documents {
    /// `/.well-known/openid-configuration`.
    pub configuration: Bytes,
    /// The Directory's own keys.
    pub jwks: Bytes,
    /// The trust anchor, PEM.
    pub trust_anchor: Bytes,
}

/// What the Directory's handlers share.
pub struct Context {
    /// The token endpoint's decisions.
    pub engine: Engine<Surroundings>,
    /// Clock, chance, journal.
    pub tools: Tools,
    /// The authority that signs certificates.
    pub authority: Authority,
    /// The key that signs assertions.
    pub signing: Arc<SigningKey>,
    /// Who may enrol.
    pub policy: EnrolmentPolicy,
    /// Where the listeners are.
    pub urls: Urls,
    /// Discovery, keys, trust anchor.
    pub documents: Documents,
    /// The list of revoked certificates, DER.
    pub revocations: tokio::sync::Mutex<Bytes>,
    /// The listener's TLS, which is renewed when a certificate is revoked.
    pub tls: Arc<ServerTls>,
    /// The listener's own certificate.
    pub server: Identity,
}

impl Context {
    /// The store.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.engine.backend().store()
    }

    /// Whether a lesson switched this rule off.
    pub(crate) fn off(&self, rule: &Rule) -> bool {
        self.engine.profile().switched_off.contains(rule)
    }

    /// Changes the store, all or nothing.
    ///
    /// # Errors
    /// Another request was faster, which is told as a conflict; or the store failed.
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), DirectoryError> {
        self.store().commit(changes).await.map_err(|error| match error {
            CommitError::Conflict { collection, found, .. } => {
                let expected = format!("what was read of the {collection}");
                DirectoryError::refused(&UNCHANGED, CONFLICT, expected, found.to_string())
            }
            error @ CommitError::Store(_) => error.into(),
        })
    }
}

/// Every rule that the Directory applies.
#[must_use]
pub fn catalogue() -> Vec<&'static Rule> {
    [
        fapi::parameters::RULES,
        fapi::client_authentication::RULES,
        fapi::token::RULES,
        fapi::access::RULES,
        enrolment::RULES,
        certification::RULES,
        keystore::RULES,
        api::RULES,
        assertion::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
}

/// The page of `docs/directory-rules.md`.
#[must_use]
pub fn rules_page() -> String {
    let introduction =
        "Every refusal of the Directory is one of these rules. Written by `ob-directory rules --markdown`.";
    party::catalogue::as_markdown("Rules of the Directory", introduction, &catalogue())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn rule_identifiers_are_unique() {
        let rules = super::catalogue();
        let ids: BTreeSet<_> = rules.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), rules.len());
    }

    #[test]
    fn the_page_in_docs_is_current() {
        let page = include_str!("../../../docs/directory-rules.md");
        let command = "cargo run -p directory --bin ob-directory -- rules --markdown > docs/directory-rules.md";
        assert!(page == super::rules_page(), "docs/directory-rules.md is not current; run {command}");
    }
}
