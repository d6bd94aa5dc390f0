//! What the rules are: a FAPI 1.0 Advanced authorization server as decisions, without HTTP and without a bank.
//!
//! A request travels like this: the party turns HTTP into parameters and a [`PresentedCertificate`]; the [`Engine`] loads
//! what it remembers through a [`Repository`], builds facts, judges them by the endpoint's table of named rules, and
//! answers with what to send and what to remember. What it remembers is committed entirely or not at all.
//!
//! - [`parameters`]: what came in a form or a query
//! - [`client_authentication`]: who calls (RFC 7523 `private_key_jwt`)
//! - [`registration`]: dynamic client registration with a software statement (OB DCR 3.3), and what is done with it later:
//!   [`client_configuration`]
//! - [`authorization`] and [`request_object`]: the authorization endpoint, up to the [`Interaction`] and its completion
//! - [`asked_customer`]: which customer a request asks for
//! - [`pushed`]: pushed authorization requests (RFC 9126)
//! - [`response`]: how answers travel: fragment, form post, JARM
//! - [`token`]: the token endpoint's grants
//! - [`introspection`] and [`revocation`]: what a token is good for, and its end
//! - [`access`]: what a resource server asks about a token
//! - [`deviation`]: misbehaving on purpose, for lessons
//! - [`metadata`]: the discovery document of the running [`Profile`]
//!
//! The engine knows consents only through [`Intents`]: it asks who owns one and whether it may be used.

pub mod access;
pub mod asked_customer;
pub mod authorization;
pub mod client;
pub mod client_authentication;
pub mod client_configuration;
pub mod deviation;
mod distinguished_name;
pub mod error;
pub mod grant;
pub mod interaction;
pub mod introspection;
pub mod metadata;
pub mod parameters;
pub mod profile;
pub mod pushed;
pub mod registration;
pub mod repository;
pub mod request_object;
pub mod response;
pub mod revocation;
pub mod token;

mod access_token;
mod engine;
mod id_token;
mod secret;
mod unfinished;

pub use client::Client;
pub use deviation::{Deviation, Deviations};
pub use engine::{Accepted, Engine, Failure, Outcome};
pub use error::ErrorCode;
pub use interaction::Interaction;
pub use profile::{Endpoints, Lifetimes, Profile};
pub use repository::{
    Change, CommitError, Expect, Intent, Intents, Keys, KeysError, Loaded, Participants, Record, Repository,
    RepositoryError, Surroundings, Usable,
};
pub use secret::{digest, random_secret};

use rules::Rule;

/// The certificate that the caller proved possession of in the TLS handshake, as far as the protocol cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedCertificate {
    /// RFC 8705, 3.1: base64url SHA-256 of the DER certificate.
    pub thumbprint: String,
    /// Subject distinguished name, RFC 4514.
    pub subject: String,
    /// Organisation id at the Directory that the subject names (common name of an OBWAC, organisational unit of an
    /// OBTransport certificate).
    pub organisation_id: String,
    /// Software statement id at the Directory, where the certificate is one software's alone (common name of an OBTransport
    /// certificate).
    pub software_id: Option<String>,
    /// Subject alternative names of the kind dNSName.
    pub san_dns: Vec<String>,
    /// Subject alternative names of the kind uniformResourceIdentifier.
    pub san_uri: Vec<String>,
    /// Subject alternative names of the kind iPAddress.
    pub san_ip: Vec<std::net::IpAddr>,
    /// Subject alternative names of the kind rfc822Name.
    pub san_email: Vec<String>,
    /// Whether it leads to an authority of the ecosystem. One that does not is only good for a client that registered it
    /// (RFC 8705, 2.2).
    pub anchored: bool,
}

impl PresentedCertificate {
    /// What stands in the place of a certificate that a lesson does not ask for.
    pub(crate) fn absent() -> Self {
        Self {
            thumbprint: "none".to_owned(),
            subject: String::new(),
            organisation_id: String::new(),
            software_id: None,
            san_dns: Vec::new(),
            san_uri: Vec::new(),
            san_ip: Vec::new(),
            san_email: Vec::new(),
            anchored: false,
        }
    }
}

/// Every rule of the engine, for the catalogue.
#[must_use]
pub fn catalogue() -> Vec<&'static Rule> {
    [
        parameters::RULES,
        client_authentication::RULES,
        registration::RULES,
        client_configuration::RULES,
        authorization::RULES,
        request_object::RULES,
        asked_customer::RULES,
        pushed::RULES,
        introspection::RULES,
        revocation::RULES,
        token::RULES,
        access::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
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
}
