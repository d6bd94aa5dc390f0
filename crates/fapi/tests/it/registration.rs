//! Dynamic registration: a signed request that carries what the Directory vouches for.

use fapi::{Client, Outcome, PresentedCertificate, client::AuthenticationMethod, registration::Registered};
use jose::{Algorithm, Header, SigningKey};
use rules::SwitchedOff;
use serde_json::{Value, json};
use time::Duration;

use crate::world::{
    BANK_ID, DIRECTORY_JWKS, DIRECTORY_KEY, ISSUER, KeyPair, LARKSPUR, MAGPIE, World, assert_passed, changed, refused,
    signed, unsigned,
};

const SOFTWARE: &str = "4EEh9XwJd3Vq2mQhZ7aBcD";
const CALLBACK: &str = "https://larkspur.example/callback";
pub(crate) const METADATA: &str = "invalid_client_metadata";
const STATEMENT: &str = "invalid_software_statement";
const REDIRECT: &str = "invalid_redirect_uri";

/// A `jti` of its own for each number.
pub(crate) fn numbered(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

impl World {
    fn statement_claims(&self, changes: &Value) -> Value {
        let usual = json!({
            "iss": "OpenBanking Ltd", "iat": self.at(0), "jti": "ssa-1", "software_environment": "sandbox",
            "software_id": SOFTWARE, "software_client_name": "Larkspur Budget",
            "software_redirect_uris": [CALLBACK, "https://larkspur.example/other"], "software_roles": ["AISP", "PISP"],
            "software_jwks_endpoint": LARKSPUR.jwks_uri(), "software_on_behalf_of_org": "Thistle Ltd",
            "org_status": "Active", "org_id": LARKSPUR.organisation_id, "org_name": "Larkspur Money Ltd",
        });
        changed(usual, changes)
    }

    pub(crate) fn statement(&self, changes: &Value) -> String {
        signed(&DIRECTORY_KEY.ps256(), &Header::typed("JWT"), &self.statement_claims(changes))
    }

    pub(crate) fn registration_claims(&self, changes: &Value) -> Value {
        let usual = json!({
            "iss": SOFTWARE, "iat": self.at(0), "exp": self.at(300), "aud": BANK_ID, "jti": numbered(1),
            "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "PS256",
            "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
            "response_types": ["code id_token"], "software_id": SOFTWARE, "scope": "openid accounts",
            "software_statement": self.statement(&json!({})), "application_type": "web",
            "id_token_signed_response_alg": "PS256", "request_object_signing_alg": "PS256",
        });
        changed(usual, changes)
    }

    async fn register_signed(&self, key: &SigningKey, changes: &Value) -> Outcome<Registered> {
        let text = signed(key, &Header::typed("JWT"), &self.registration_claims(changes));
        self.engine.register(&text, Some(&LARKSPUR.certificate()), self.now).await
    }

    pub(crate) async fn register(&self, changes: &Value) -> Outcome<Registered> {
        self.register_signed(&LARKSPUR.key, changes).await
    }
}

/// The bank before anybody registered.
pub(crate) fn bank() -> World {
    bank_without(&[])
}

/// The same with these rules switched off.
fn bank_without(rules: &[&str]) -> World {
    let off = SwitchedOff::new(rules.iter().map(|rule| (*rule).to_owned()));
    let world = World::with(|profile| profile.switched_off = off);
    world.memory().publish(DIRECTORY_JWKS, &[&DIRECTORY_KEY.ps256()]);
    for tpp in [&*LARKSPUR, &*MAGPIE] {
        world.memory().forget::<Client>(tpp.client_id);
    }
    world
}

#[tokio::test]
async fn a_registration_that_keeps_every_rule_makes_a_client() {
    let world = bank();
    let accepted = world.register(&json!({})).await.unwrap();
    assert_passed(&accepted.passed, &[fapi::registration::RULES], &[]);
    let Registered { client, response } = accepted.value;
    assert!(client.client_id.len() == 22 && client.client_id.chars().all(|c| c.is_ascii_alphanumeric()));
    let expected = Client {
        client_id: client.client_id.clone(),
        software_id: SOFTWARE.to_owned(),
        redirect_uris: vec![CALLBACK.to_owned()],
        registered_at: world.now,
        metadata: serde_json::to_value(&response).unwrap(),
        ..LARKSPUR.client()
    };
    assert_eq!(client, expected);
    assert_eq!(world.memory().all(), [(client.client_id.clone(), client.clone())]);
    let shown = client.metadata;
    for (name, value) in [
        ("client_id", json!(client.client_id)),
        ("client_id_issued_at", json!(world.at(0))),
        ("redirect_uris", json!([CALLBACK])),
        ("scope", json!("openid accounts")),
        ("tls_client_certificate_bound_access_tokens", json!(true)),
        ("software_client_name", json!("Larkspur Budget")),
        ("org_id", json!(LARKSPUR.organisation_id)),
        ("client_secret", Value::Null),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
}

#[tokio::test]
async fn each_rule_of_requests_refuses_what_breaks_it() {
    let world = bank();
    let long = format!("https://larkspur.example/{}", "x".repeat(232));
    for (rule, error, changes) in [
        ("fapi.registration.request-readable", METADATA, json!({"jti": null})),
        ("fapi.registration.request-readable", METADATA, json!({"software_statement": null})),
        ("fapi.registration.request-readable", METADATA, json!({"exp": "soon"})),
        ("fapi.registration.statement-readable", STATEMENT, json!({"software_statement": "a.b.c"})),
        ("fapi.registration.iss", METADATA, json!({"iss": "another-software-00000"})),
        ("fapi.registration.aud", METADATA, json!({"aud": "0015800001041RHAAZ"})),
        ("fapi.registration.aud", METADATA, json!({"aud": []})),
        ("fapi.registration.jti-uuid", METADATA, json!({"jti": "registration-1"})),
        ("fapi.registration.jti-uuid", METADATA, json!({"jti": "7d0d7e3ab9a24aa4a1cfa1e0d3b7b3c1"})),
        ("fapi.registration.exp", METADATA, json!({"exp": world.at(-10)})),
        ("fapi.registration.request-readable", METADATA, json!({"exp": i64::MAX})),
        ("fapi.registration.request-readable", METADATA, json!({"iat": 1_u64 << 60})),
        ("fapi.registration.exp", METADATA, json!({"iat": world.at(11)})),
        ("fapi.registration.exp", METADATA, json!({"nbf": world.at(11)})),
        ("fapi.registration.software-id", METADATA, json!({"software_id": "another-software-00000"})),
        ("fapi.registration.redirect-uris-present", REDIRECT, json!({"redirect_uris": []})),
        ("fapi.registration.redirect-uris-https", REDIRECT, json!({"redirect_uris": ["http://larkspur.example/"]})),
        ("fapi.registration.redirect-uris-https", REDIRECT, json!({"redirect_uris": [CALLBACK, "callback"]})),
        ("fapi.registration.redirect-uris-https", REDIRECT, json!({"redirect_uris": [format!("{CALLBACK}#")]})),
        ("fapi.registration.redirect-uris-https", REDIRECT, json!({"redirect_uris": [long]})),
        ("fapi.registration.redirect-uris-in-statement", REDIRECT, json!({"redirect_uris": [format!("{CALLBACK}/")]})),
        (
            "fapi.registration.redirect-uris-in-statement",
            REDIRECT,
            json!({"redirect_uris": [CALLBACK, "https://magpie.example/callback"]}),
        ),
        (
            "fapi.registration.authentication-method",
            METADATA,
            json!({"token_endpoint_auth_method": "client_secret_basic"}),
        ),
        ("fapi.registration.authentication-method", METADATA, json!({"token_endpoint_auth_method": "none"})),
        ("fapi.registration.algorithms", METADATA, json!({"id_token_signed_response_alg": "RS256"})),
        ("fapi.registration.algorithms", METADATA, json!({"request_object_signing_alg": "none"})),
        ("fapi.registration.algorithms", METADATA, json!({"token_endpoint_auth_signing_alg": "RS256"})),
        ("fapi.registration.grant-types", METADATA, json!({"grant_types": []})),
        ("fapi.registration.grant-types", METADATA, json!({"grant_types": ["authorization_code", "implicit"]})),
        ("fapi.registration.response-types", METADATA, json!({"response_types": ["code"]})),
        ("fapi.registration.response-types", METADATA, json!({"response_types": ["code id_token", "token"]})),
        ("fapi.registration.scope", METADATA, json!({"scope": "openid accounts fundsconfirmations"})),
        ("fapi.registration.scope", METADATA, json!({"scope": " openid  accounts "})),
        ("fapi.registration.application-type", METADATA, json!({"application_type": "desktop"})),
    ] {
        assert_eq!(refused(world.register(&changes).await), (rule, error), "{changes}");
    }
    assert_eq!(world.memory().all::<Client>(), []);
}

#[tokio::test]
async fn each_rule_of_statements_refuses_what_breaks_it() {
    let world = bank();
    let long_ago = (world.now - Duration::days(180)).unix_timestamp() - 1;
    for (rule, error, changes) in [
        ("fapi.registration.statement-readable", STATEMENT, json!({"software_id": null})),
        ("fapi.registration.statement-readable", STATEMENT, json!({"org_status": "Asleep"})),
        ("fapi.registration.statement-iss", STATEMENT, json!({"iss": "Larkspur Money Ltd"})),
        ("fapi.registration.statement-age", STATEMENT, json!({"iat": long_ago})),
        ("fapi.registration.statement-age", STATEMENT, json!({"iat": world.at(11)})),
        ("fapi.registration.statement-readable", STATEMENT, json!({"iat": 1_u64 << 60})),
        ("fapi.registration.organisation-active", "unapproved_software_statement", json!({"org_status": "Revoked"})),
        ("fapi.registration.organisation-active", "unapproved_software_statement", json!({"org_status": "Withdrawn"})),
        ("fapi.registration.iss", METADATA, json!({"software_id": "another-software-00000"})),
        (
            "fapi.registration.certificate-of-organisation",
            "unapproved_software_statement",
            json!({"org_id": MAGPIE.organisation_id}),
        ),
        ("fapi.registration.redirect-uris-in-statement", REDIRECT, json!({"software_redirect_uris": []})),
        ("fapi.registration.scope", METADATA, json!({"software_roles": ["PISP"]})),
        ("fapi.registration.request-signature", METADATA, json!({"software_jwks_endpoint": MAGPIE.jwks_uri()})),
        (
            "fapi.registration.software-keys-available",
            "temporarily_unavailable",
            json!({"software_jwks_endpoint": "https://keystore.example/none.jwks"}),
        ),
    ] {
        let outcome = world.register(&json!({"software_statement": world.statement(&changes)})).await;
        assert_eq!(refused(outcome), (rule, error), "{changes}");
    }
    assert_eq!(world.memory().all::<Client>(), []);
}

#[tokio::test]
async fn only_the_directory_signs_statements_and_without_it_no_other_key_is_fetched() {
    let world = bank();
    let claims = world.statement_claims(&json!({"software_jwks_endpoint": "https://internal.example/"}));
    let as_directory = Header { kid: Some("directory".to_owned()), ..Header::default() };
    for (rule, statement) in [
        ("fapi.registration.statement-signature", signed(&LARKSPUR.key, &Header::default(), &claims)),
        ("fapi.registration.statement-signature", signed(&LARKSPUR.key, &as_directory, &claims)),
        ("fapi.registration.statement-alg", signed(&DIRECTORY_KEY.signing(Algorithm::Rs256), &as_directory, &claims)),
        ("fapi.registration.statement-alg", unsigned("none", &claims)),
    ] {
        let outcome = world.register(&json!({"software_statement": statement})).await;
        assert_eq!(refused(outcome), (rule, STATEMENT), "{statement}");
    }
    world.memory().withdraw(DIRECTORY_JWKS);
    let outcome = world.register(&json!({})).await;
    assert_eq!(refused(outcome), ("fapi.registration.directory-keys-available", "temporarily_unavailable"));
    assert!(world.memory().fetched().iter().all(|uri| uri == DIRECTORY_JWKS));
}

#[tokio::test]
async fn only_a_key_of_the_software_signs_requests() {
    let world = bank();
    let claims = world.registration_claims(&json!({}));
    let as_larkspur = Header { kid: Some("larkspur".to_owned()), ..Header::default() };
    for (rule, text) in [
        ("fapi.registration.request-signature", signed(&MAGPIE.key, &Header::default(), &claims)),
        ("fapi.registration.request-signature", signed(&MAGPIE.key, &as_larkspur, &claims)),
        ("fapi.registration.request-signature", signed(&DIRECTORY_KEY.ps256(), &as_larkspur, &claims)),
        (
            "fapi.registration.request-alg",
            signed(&LARKSPUR.pair.signing(Algorithm::Rs256), &Header::default(), &claims),
        ),
        ("fapi.registration.request-alg", unsigned("none", &claims)),
        ("fapi.registration.request-readable", claims.to_string()),
        ("fapi.registration.request-readable", String::new()),
    ] {
        let outcome = world.engine.register(&text, Some(&LARKSPUR.certificate()), world.now).await;
        assert_eq!(refused(outcome), (rule, METADATA), "{text}");
    }
}

#[tokio::test]
async fn the_certificate_is_one_of_the_softwares_organisation() {
    let world = bank();
    let text = signed(&LARKSPUR.key, &Header::default(), &world.registration_claims(&json!({})));
    let register =
        async |certificate: Option<&PresentedCertificate>| world.engine.register(&text, certificate, world.now).await;
    assert_eq!(refused(register(None).await), ("fapi.registration.certificate-presented", "invalid_client"));
    let foreign = refused(register(Some(&MAGPIE.certificate())).await);
    assert_eq!(foreign, ("fapi.registration.certificate-of-organisation", "unapproved_software_statement"));
    let of_software = |id: &str| PresentedCertificate { software_id: Some(id.to_owned()), ..LARKSPUR.certificate() };
    let sister = refused(register(Some(&of_software("another"))).await);
    assert_eq!(sister, ("fapi.registration.certificate-of-software", "unapproved_software_statement"));
    // Anybody writes into a certificate of one's own what it takes.
    let own = PresentedCertificate { anchored: false, ..of_software(SOFTWARE) };
    let outcome = refused(register(Some(&own)).await);
    assert_eq!(outcome, ("fapi.registration.certificate-anchored", "unapproved_software_statement"));
    let lax = bank_without(&["fapi.registration.certificate-anchored"]);
    assert!(lax.engine.register(&text, Some(&own), lax.now).await.is_ok());
    assert!(register(Some(&of_software(SOFTWARE))).await.is_ok());
}

#[tokio::test]
async fn a_request_registers_once_and_its_statement_as_often_as_wanted() {
    let world = bank();
    assert!(world.register(&json!({})).await.is_ok());
    assert_eq!(refused(world.register(&json!({})).await), ("fapi.registration.jti", METADATA));
    assert!(world.register(&json!({"jti": numbered(22)})).await.is_ok());
    assert_eq!(world.memory().all::<Client>().len(), 2);
}

#[tokio::test]
async fn variants_that_the_rules_allow_are_accepted() {
    let world = bank();
    let oldest = (world.now - Duration::days(180)).unix_timestamp();
    for (number, changes) in [
        json!({"aud": ISSUER}),
        json!({"aud": [BANK_ID, "https://other.example"]}),
        json!({"exp": world.at(-9)}),
        json!({"exp": 253_402_300_799_i64}),
        json!({"iat": world.at(10)}),
        json!({"software_id": null}),
        json!({"redirect_uris": ["https://larkspur.example/other", CALLBACK]}),
        json!({"token_endpoint_auth_signing_alg": null}),
        json!({"grant_types": ["client_credentials"]}),
        json!({"jti": "7D0D7E3A-B9A2-4AA4-A1CF-A1E0D3B7B3C1"}),
        json!({"application_type": "mobile"}),
        json!({"application_type": "native"}),
        json!({"scope": "accounts openid"}),
        json!({"favourite_colour": "green"}),
        json!({"software_statement": world.statement(&json!({"iat": oldest}))}),
        json!({"software_statement": world.statement(&json!({"iat": world.at(10)}))}),
    ]
    .into_iter()
    .enumerate()
    {
        let outcome = world.register(&changed(json!({"jti": numbered(100 + number)}), &changes)).await;
        assert!(outcome.is_ok(), "{changes}: {:?}", outcome.err());
    }
}

#[tokio::test]
async fn what_a_request_leaves_open_is_filled_from_the_profile_and_the_roles() {
    let world = bank();
    let open = json!({"scope": null, "response_types": null, "token_endpoint_auth_signing_alg": null});
    let Registered { client, response } = world.register(&open).await.unwrap().value;
    assert_eq!(
        (response.scope.as_str(), response.response_types),
        ("openid accounts payments", vec!["code id_token".to_owned()])
    );
    assert_eq!(client.scopes, ["openid", "accounts", "payments"]);
    assert_eq!(client.authentication_algorithm, Algorithm::Ps256);
    let statement = world.statement(&json!({"software_roles": ["PISP"]}));
    let by_code = World::with(|profile| profile.response_types = vec!["code", "code id_token"]);
    by_code.memory().publish(DIRECTORY_JWKS, &[&DIRECTORY_KEY.ps256()]);
    let registered = by_code.register(&json!({"response_types": null})).await.unwrap().value;
    assert_eq!(
        (registered.client.response_types, registered.response.response_types.len()),
        (vec!["code".to_owned()], 1)
    );
    let payments =
        world.register(&json!({"scope": null, "jti": numbered(2), "software_statement": statement})).await.unwrap();
    assert_eq!(payments.value.client.scopes, ["openid", "payments"]);
}

#[tokio::test]
async fn a_registered_client_can_ask_for_a_token_at_once() {
    let world = bank();
    let client_id = world.register(&json!({})).await.unwrap().value.client.client_id;
    let assertion = world.assertion(&LARKSPUR, &json!({"iss": client_id, "sub": client_id}));
    let parameters = [
        ("grant_type", "client_credentials"),
        ("scope", "accounts"),
        ("client_assertion_type", fapi::client_authentication::ASSERTION_TYPE),
        ("client_assertion", &*assertion),
    ];
    let form = crate::world::form(&parameters, &[]);
    let token = world.engine.token(&form, Some(&LARKSPUR.certificate()), world.now).await.unwrap().value.access_token;
    assert_eq!(world.open(&token).await.unwrap().value.client.client_id, client_id);
}

#[tokio::test]
async fn a_shared_secret_signs_with_its_own_algorithm_where_secrets_are_offered() {
    let mut world = bank();
    let shared = json!({"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": "HS256"});
    assert_eq!(refused(world.register(&shared).await), ("fapi.registration.authentication-method", METADATA));
    world = World::with(|profile| {
        profile
            .authentication_methods
            .extend([AuthenticationMethod::ClientSecretJwt, AuthenticationMethod::ClientSecretBasic]);
    });
    world.memory().publish(DIRECTORY_JWKS, &[&DIRECTORY_KEY.ps256()]);
    let client = world.register(&shared).await.unwrap().value;
    assert!(client.response.client_secret.is_some());
    let mixed = json!({"jti": numbered(5), "token_endpoint_auth_method": "client_secret_jwt"});
    assert_eq!(
        refused(world.register(&mixed).await),
        ("fapi.registration.algorithms", METADATA),
        "PS256 with a secret"
    );
    let mixed = json!({"jti": numbered(6), "token_endpoint_auth_signing_alg": "HS256"});
    assert_eq!(refused(world.register(&mixed).await), ("fapi.registration.algorithms", METADATA), "HS256 with a key");
}

#[tokio::test]
async fn a_subject_goes_with_tls_client_auth_and_encryption_with_what_there_is() {
    let world = bank();
    let name = "tls_client_auth_subject_dn";
    let subject = "fapi.registration.tls-client-auth-subject-dn";
    for (rule, changes) in [
        (subject, json!({"token_endpoint_auth_method": "tls_client_auth"})),
        (subject, json!({"token_endpoint_auth_method": "tls_client_auth", name: "nonsense"})),
        (subject, json!({name: "CN=x"})),
        ("fapi.registration.encryption", json!({"id_token_encrypted_response_alg": "RSA1_5"})),
        ("fapi.registration.encryption", json!({"id_token_encrypted_response_enc": "A128GCM"})),
    ] {
        assert_eq!(refused(world.register(&changes).await), (rule, METADATA), "{changes}");
    }
    let by_certificate = json!({"token_endpoint_auth_method": "tls_client_auth", name: "CN=x"});
    assert!(world.register(&by_certificate).await.unwrap().value.client.certificate_subject.is_some());
    let encrypted = json!({"jti": numbered(4), "id_token_encrypted_response_alg": "RSA-OAEP-256", "id_token_encrypted_response_enc": "A256GCM"});
    let refusal = refused(world.register(&encrypted).await);
    assert_eq!(refusal, ("fapi.registration.encryption-key", METADATA), "there is no key to encrypt for");
    let alone = json!({"id_token_encrypted_response_enc": "A256GCM"});
    assert_eq!(refused(world.register(&alone).await), ("fapi.registration.encryption", METADATA));
    let mut own = LARKSPUR.key.public_jwk().clone();
    let mut enc = KeyPair::rsa("for encryption").signing(Algorithm::Ps256).public_jwk().clone();
    (own.use_, enc.use_, enc.alg) = (Some("sig".to_owned()), Some("enc".to_owned()), None);
    world.memory().publish_jwks(&LARKSPUR.jwks_uri(), &jose::Jwks { keys: vec![own, enc] });
    let registered = world.register(&encrypted).await.unwrap().value;
    assert!(registered.client.id_token_encrypted);
    for member in [&registered.client.metadata, &serde_json::to_value(&registered.response).unwrap()] {
        assert_eq!(member["id_token_encrypted_response_alg"], "RSA-OAEP-256");
        assert_eq!(member["id_token_encrypted_response_enc"], "A256GCM");
    }
    let unknown = json!({"jti": numbered(5), "authorization_signed_response_alg": "RS256"});
    assert_eq!(refused(world.register(&unknown).await), ("fapi.registration.algorithms", METADATA));
    let mode = json!({"jti": numbered(6), "backchannel_token_delivery_mode": "poll"});
    let response = serde_json::to_value(world.register(&mode).await.unwrap().value.response).unwrap();
    assert!(response.get("backchannel_token_delivery_mode").is_none(), "there is no CIBA");
    let long = json!({"token_endpoint_auth_method": "tls_client_auth", name: format!("CN={}", "x".repeat(510))});
    assert_eq!(refused(world.register(&long).await), (subject, METADATA));
}

#[tokio::test]
async fn without_a_rule_what_breaks_only_it_registers() {
    let world = World::new();
    let statement = |changes: &Value| json!({"software_statement": world.statement(changes)});
    let forged = signed(&MAGPIE.key, &Header::default(), &world.statement_claims(&json!({})));
    let unsigned_statement = unsigned("none", &world.statement_claims(&json!({})));
    for (rule, changes) in [
        ("statement-signature", json!({"software_statement": forged})),
        ("statement-alg", json!({"software_statement": unsigned_statement})),
        ("statement-iss", statement(&json!({"iss": "Larkspur Money Ltd"}))),
        ("statement-age", statement(&json!({"iat": world.at(-20_000_000)}))),
        ("organisation-active", statement(&json!({"org_status": "Revoked"}))),
        ("certificate-of-organisation", statement(&json!({"org_id": MAGPIE.organisation_id}))),
        ("request-signature", statement(&json!({"software_jwks_endpoint": MAGPIE.jwks_uri()}))),
        ("iss", json!({"iss": "another-software-00000"})),
        ("aud", json!({"aud": "0015800001041RHAAZ"})),
        ("exp", json!({"exp": world.at(-60)})),
        ("software-id", json!({"software_id": "another-software-00000"})),
        ("redirect-uris-in-statement", json!({"redirect_uris": ["https://magpie.example/callback"]})),
        ("authentication-method", json!({"token_endpoint_auth_method": "client_secret_basic"})),
        ("algorithms", json!({"id_token_signed_response_alg": "RS256"})),
        ("grant-types", json!({"grant_types": ["authorization_code", "implicit"]})),
        ("response-types", json!({"response_types": ["code id_token", "token"]})),
        ("scope", json!({"scope": "openid accounts fundsconfirmations"})),
        ("application-type", json!({"application_type": "desktop"})),
    ] {
        let rule = format!("fapi.registration.{rule}");
        assert_eq!(refused(bank().register(&changes).await).0, rule);
        let accepted = bank_without(&[&rule]).register(&changes).await;
        let accepted = accepted.unwrap_or_else(|failure| panic!("{rule}: {failure:?}"));
        assert_eq!(accepted.passed.verdict().skipped, [rule]);
    }
    let nobody = bank_without(&["fapi.registration.certificate-presented"]);
    let text = signed(&LARKSPUR.key, &Header::typed("JWT"), &nobody.registration_claims(&json!({})));
    assert!(nobody.engine.register(&text, None, nobody.now).await.is_ok());
    let again = bank_without(&["fapi.registration.jti"]);
    for _ in 0..2 {
        assert!(again.register(&json!({})).await.is_ok());
    }
    // A method that nobody has cannot be registered, and nothing fails.
    let none = bank_without(&["fapi.registration.authentication-method"]);
    let outcome = none.register(&json!({"token_endpoint_auth_method": "none"})).await;
    assert_eq!(refused(outcome), ("fapi.registration.authentication-method", METADATA));
}
