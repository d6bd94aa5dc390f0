//! The engine without HTTP and without a bank: a memory of maps, one client, one customer who agrees.
//!
//! Run with `cargo run -p fapi --example engine_alone`.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use fapi::{
    Change, Client, CommitError, Endpoints, Engine, Expect, Intent, Intents, Interaction, Keys, KeysError, Loaded,
    Participants, PresentedCertificate, Profile, Record, Repository, RepositoryError,
    client::{AuthenticationMethod, CertificateSubject},
    interaction::Decision,
    parameters::Parameters,
    response::Delivery,
};
use jose::{Algorithm, Jwks, KeySet, SigningKey};
use serde_json::json;
use time::OffsetDateTime;

/// A server's own memory would be durable; this one lasts as long as the program.
#[derive(Default)]
struct Memory(Mutex<HashMap<String, (u64, Vec<u8>)>>);

impl Repository for Memory {
    async fn load<R: Record>(&self, key: &str) -> Result<Option<Loaded<R>>, RepositoryError> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((version, value)) = records.get(&format!("{}/{key}", R::COLLECTION)) else { return Ok(None) };
        let record = serde_json::from_slice(value).map_err(|error| RepositoryError(error.to_string()))?;
        Ok(Some(Loaded { record, version: *version }))
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |change: &Change| format!("{}/{}", change.collection, change.key);
        for change in &changes {
            let found = records.get(&place(change)).map(|(version, _)| *version);
            let holds = match change.expect {
                Expect::Absent => found.is_none(),
                Expect::Version(version) => found == Some(version),
                Expect::Any => true,
            };
            if !holds {
                return Err(CommitError::Conflict {
                    collection: change.collection.to_owned(),
                    key: change.key.clone(),
                });
            }
        }
        for change in changes {
            let place = place(&change);
            let next = records.get(&place).map_or(1, |(version, _)| version + 1);
            match change.value {
                Some(value) => records.insert(place, (next, value)),
                None => records.remove(&place),
            };
        }
        Ok(())
    }
}

impl Keys for Memory {
    async fn keys(&self, jwks_uri: &str, _: Option<&str>) -> Result<Arc<KeySet>, KeysError> {
        Err(KeysError(format!("nobody fetches {jwks_uri} here")))
    }
}

impl Intents for Memory {
    async fn intent(&self, _: &str) -> Result<Option<Intent>, RepositoryError> {
        Ok(None)
    }
}

impl Participants for Memory {}

const CALLBACK: &str = "https://tpp.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn form(pairs: &[(&str, &str)]) -> Parameters {
    Parameters::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = "https://as.example";
    let endpoints = Endpoints {
        authorization: Some(format!("{issuer}/authorize")),
        token: format!("{issuer}/token"),
        mtls_token: format!("{issuer}/token"),
        registration: None,
        jwks: format!("{issuer}/jwks"),
        pushed: None,
        introspection: None,
        revocation: None,
        userinfo: None,
    };
    let profile = Profile::fapi1_advanced(issuer.to_owned(), String::new(), endpoints);
    let own = Arc::new(SigningKey::from_es256_pem(&SigningKey::generate_es256_pem()?)?);
    let tpp = SigningKey::from_es256_pem(&SigningKey::generate_es256_pem()?)?;
    // Whoever embeds the engine passes time and chance in.
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000)?;
    let drawn = Mutex::new(0_u8);
    let chance = move || {
        let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
        *drawn = drawn.wrapping_add(1);
        [*drawn; 32]
    };
    let engine = Engine::new(Memory::default(), Arc::new(profile), own, chance);

    let subject = "CN=tpp.example,O=TPP,C=GB";
    let client = Client {
        client_id: "tpp".into(),
        name: "An example".into(),
        on_behalf_of: None,
        organisation_id: String::new(),
        software_id: String::new(),
        redirect_uris: vec![CALLBACK.into()],
        authentication_method: AuthenticationMethod::TlsClientAuth,
        authentication_algorithm: Algorithm::Es256,
        request_object_algorithm: Algorithm::Es256,
        id_token_algorithm: Algorithm::Es256,
        response_algorithm: None,
        grant_types: vec!["authorization_code".into()],
        response_types: vec!["code id_token".into()],
        scopes: vec!["openid".into(), "accounts".into()],
        jwks_uri: String::new(),
        jwks: Some(Jwks { keys: vec![tpp.public_jwk().clone()] }),
        certificate_subject: Some(CertificateSubject::Dn(subject.into())),
        secret: None,
        id_token_encrypted: false,
        resource_server: false,
        registered_at: now,
        metadata: serde_json::Value::Null,
    };
    engine.backend().commit(vec![Change::put("tpp", Expect::Absent, &client)?]).await?;

    let object = tpp.sign_claims(
        Some("oauth-authz-req+jwt"),
        &json!({
            "iss": "tpp", "client_id": "tpp", "aud": issuer, "nbf": now.unix_timestamp(),
            "exp": now.unix_timestamp() + 300, "response_type": "code id_token", "scope": "openid accounts",
            "redirect_uri": CALLBACK, "state": "s", "nonce": "n",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        }),
    )?;
    let request = form(&[("client_id", "tpp"), ("response_type", "code id_token"), ("request", &object)]);
    let accepted = engine.authorize(request, now).await.map_err(|refused| refused.failure.description())?;
    tell(&format!("the request passed {} rules", accepted.passed.rules.len()));

    // Here an embedding server shows its own pages.
    let interaction = engine.backend().load::<Interaction>(&accepted.value.id).await?.ok_or("no interaction")?;
    let decision = Decision::Approved { subject: "customer-1".into(), authenticated_at: now };
    let completed = engine.complete(&interaction, &decision, now).await.map_err(|failure| failure.description())?;
    engine.backend().commit(completed.changes).await?;
    engine.settled(&completed.ended);
    if let Delivery::Redirect(address) = completed.response.delivery() {
        tell(&format!("the browser goes to {}", address.split('#').next().unwrap_or_default()));
    }
    let code = completed.response.parameters.iter().find(|(name, _)| *name == "code").ok_or("no code")?;

    let certificate = PresentedCertificate {
        thumbprint: "thumbprint".into(),
        subject: subject.into(),
        organisation_id: String::new(),
        software_id: None,
        san_dns: Vec::new(),
        san_uri: Vec::new(),
        san_ip: Vec::new(),
        san_email: Vec::new(),
        anchored: true,
    };
    let redeem = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "tpp"),
        ("code", &code.1),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    let tokens = engine.token(&redeem, Some(&certificate), now).await.map_err(|failure| failure.description())?;
    tell(&format!("a token for {} lives {} s", tokens.value.scope.unwrap_or_default(), tokens.value.expires_in));

    let again = engine.token(&redeem, Some(&certificate), now).await;
    if let Err(fapi::Failure::Refused(refusal)) = again {
        tell(&format!("the same code again: {} ({})", refusal.rule.id, refusal.rule.clause));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks")]
fn tell(text: &str) {
    println!("{text}");
}
