//! Clients that are configured in a file instead of registered: for test suites, and for users without a software
//! statement.

use std::{collections::BTreeSet, path::Path};

use fapi::{
    Client, Profile, Record,
    client::{AuthenticationMethod, CertificateSubject, Secret},
};
use jose::{Algorithm, Jwks};
use party::{StartError, settings::read_yaml};
use serde::Deserialize;
use store::{Collection, Store};
use time::OffsetDateTime;

/// A client as the file has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfiguredClient {
    /// `client_id`.
    pub client_id: String,
    /// Name on the pages.
    pub name: String,
    /// Exact redirect URIs.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// `token_endpoint_auth_method`.
    pub authentication: String,
    /// Algorithm of its signatures and of those made for it.
    #[serde(default = "usual")]
    pub algorithm: Algorithm,
    /// Its public keys.
    #[serde(default)]
    pub jwks: Option<Jwks>,
    /// Where its public keys are.
    #[serde(default)]
    pub jwks_uri: Option<String>,
    /// Whom its certificate names, with `tls_client_auth`.
    #[serde(default)]
    pub certificate: Option<CertificateSubject>,
    /// Its secret, with the methods that have one.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// Organisation id at the Directory, when its certificate must be that organisation's.
    #[serde(default)]
    pub organisation_id: String,
    /// Scopes; those of the profile when none are named.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether id_tokens are encrypted for it.
    #[serde(default)]
    pub id_token_encrypted: bool,
    /// Whether it is a resource server that may ask about all tokens.
    #[serde(default)]
    pub resource_server: bool,
}

fn usual() -> Algorithm {
    Algorithm::Ps256
}

/// The clients of this file; none without one.
///
/// # Errors
/// The file cannot be read or is wrong.
pub fn load(path: Option<&Path>) -> Result<Vec<ConfiguredClient>, StartError> {
    Ok(path.map(read_yaml::<Vec<ConfiguredClient>>).transpose()?.unwrap_or_default())
}

impl ConfiguredClient {
    fn client(self, profile: &Profile, now: OffsetDateTime) -> Result<Client, StartError> {
        let wrong = |what: &str| StartError::Configuration(format!("the client {}: {what}", self.client_id));
        let known: Vec<&str> = profile.authentication_methods.iter().map(|method| method.as_str()).collect();
        let method = AuthenticationMethod::parse(&self.authentication)
            .filter(|method| profile.authentication_methods.contains(method))
            .ok_or_else(|| {
                wrong(&format!("authentication is {}, expected {}", self.authentication, known.join(" or ")))
            })?;
        if self.jwks.is_none() && self.jwks_uri.is_none() {
            return Err(wrong("jwks or jwks-uri is needed"));
        }
        if (method == AuthenticationMethod::TlsClientAuth) != self.certificate.is_some() {
            return Err(wrong("certificate goes with tls_client_auth, and with nothing else"));
        }
        if method.has_secret() != self.secret.is_some() {
            return Err(wrong("secret goes with client_secret_basic and client_secret_jwt, and with nothing else"));
        }
        let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<String>>();
        Ok(Client {
            client_id: self.client_id,
            name: self.name,
            on_behalf_of: None,
            organisation_id: self.organisation_id,
            software_id: String::new(),
            redirect_uris: self.redirect_uris,
            authentication_method: method,
            authentication_algorithm: self.algorithm,
            request_object_algorithm: self.algorithm,
            id_token_algorithm: self.algorithm,
            response_algorithm: None,
            grant_types: texts(&profile.grant_types),
            response_types: texts(&profile.response_types),
            scopes: if self.scopes.is_empty() { profile.scopes.clone() } else { self.scopes },
            jwks_uri: self.jwks_uri.unwrap_or_default(),
            jwks: self.jwks,
            certificate_subject: self.certificate,
            secret: self.secret,
            id_token_encrypted: self.id_token_encrypted,
            resource_server: self.resource_server,
            registered_at: now,
            metadata: serde_json::Value::Null,
        })
    }
}

/// Ids of the clients that came from the file at the last start.
fn remembered() -> Collection<BTreeSet<String>> {
    Collection::new("configured-clients")
}

const ALL: &str = "all";

/// Brings the store in line with the file: what it names is there, what it no longer names is gone.
///
/// # Errors
/// A client is wrong, or the store failed.
pub async fn settle(
    store: &dyn Store,
    configured: Vec<ConfiguredClient>,
    profile: &Profile,
    now: OffsetDateTime,
) -> Result<(), StartError> {
    let clients: Collection<Client> = Collection::new(Client::COLLECTION);
    let before = remembered().get(store, ALL).await?.map(|(ids, _)| ids).unwrap_or_default();
    let mut changes = Vec::new();
    let mut ids = BTreeSet::new();
    for one in configured {
        let client = one.client(profile, now)?;
        ids.insert(client.client_id.clone());
        changes.push(clients.put(client.client_id.clone(), &client)?);
    }
    changes.extend(before.difference(&ids).map(|gone| clients.delete(gone.clone())));
    if changes.is_empty() {
        return Ok(());
    }
    changes.push(remembered().put(ALL, &ids)?);
    store.commit(changes).await.map_err(|error| StartError::Other(format!("the configured clients: {error}")))
}

#[cfg(test)]
mod tests {
    use fapi::Endpoints;
    use store::MemoryStore;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
    const EXAMPLE: &str = include_str!("../../../fixtures/clients.yaml");

    fn profile() -> Profile {
        let endpoints = Endpoints {
            authorization: None,
            token: String::new(),
            mtls_token: String::new(),
            registration: None,
            jwks: String::new(),
            pushed: None,
            introspection: None,
            revocation: None,
            userinfo: None,
        };
        Profile::fapi1_advanced(String::new(), String::new(), endpoints)
    }

    fn read(text: &str) -> Vec<ConfiguredClient> {
        party::settings::parse_yaml(text).unwrap()
    }

    #[tokio::test]
    async fn the_store_follows_the_file() {
        let store = MemoryStore::new();
        let clients: Collection<Client> = Collection::new(Client::COLLECTION);
        let all = read(EXAMPLE);
        let (first, second) = (all[0].client_id.clone(), all[1].client_id.clone());
        settle(&store, all.clone(), &profile(), NOW).await.unwrap();
        assert!(clients.get(&store, &first).await.unwrap().is_some());
        settle(&store, all[..1].to_vec(), &profile(), NOW).await.unwrap();
        assert!(clients.get(&store, &first).await.unwrap().is_some());
        assert!(clients.get(&store, &second).await.unwrap().is_none());
        settle(&store, Vec::new(), &profile(), NOW).await.unwrap();
        assert!(clients.get(&store, &first).await.unwrap().is_none());
    }

    #[test]
    fn a_client_that_cannot_be_is_named() {
        let told = |from: &str, to: &str| {
            let changed = EXAMPLE.replacen(from, to, 1);
            assert_ne!(changed, EXAMPLE, "{from}");
            read(&changed).remove(0).client(&profile(), NOW).unwrap_err().to_string()
        };
        for (from, to, expected) in [
            (
                "authentication: private_key_jwt",
                "authentication: client_secret_basic",
                "expected private_key_jwt or tls_client_auth",
            ),
            (
                "authentication: private_key_jwt",
                "authentication: tls_client_auth",
                "certificate goes with tls_client_auth",
            ),
            ("jwks:", "certificate: { dn: CN=x }\n  jwks:", "certificate goes with tls_client_auth"),
            ("jwks:", "secret: hidden\n  jwks:", "secret goes with"),
        ] {
            let error = told(from, to);
            assert!(error.contains(expected) && !error.contains("hidden"), "{error}");
        }
    }
}
