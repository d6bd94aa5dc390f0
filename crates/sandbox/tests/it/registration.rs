//! What a TPP does with its registration, through the bank's real interface.

use http::Method;
use serde_json::{Value, json};
use transport::Answer;

use crate::hand_made::{Shows, World, openssl_key};

impl World {
    pub(crate) async fn registration(
        &self,
        method: Method,
        client_id: &str,
        token: Option<&str>,
        text: Option<&str>,
    ) -> Answer {
        let url = self.bank(&format!("/register/{client_id}"));
        let mut request = self.http(Shows::Own).request(method, &url);
        if let Some(token) = token {
            request = request.bearer(token);
        }
        if let Some(text) = text {
            request = request.body("application/jose", text.to_owned());
        }
        request.send().await.unwrap()
    }

    /// A request that says what the registration says, with these changes.
    pub(crate) fn request(&self, registered: &Value, changes: &Value) -> String {
        let jti = self.chance.uuid().to_string();
        let mut claims = said_again(registered, &self.hosted.bank.urls.issuer(), self.now(), &jti);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.sign(&claims)
    }
}

/// Claims of a request that says what a registration says.
pub(crate) fn said_again(registered: &Value, issuer: &str, now: i64, jti: &str) -> Value {
    let mut claims =
        json!({ "iss": registered["software_id"], "aud": issuer, "iat": now, "exp": now + 300, "jti": jti });
    for name in [
        "software_id",
        "software_statement",
        "redirect_uris",
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "scope",
        "application_type",
        "id_token_signed_response_alg",
        "request_object_signing_alg",
        "token_endpoint_auth_signing_alg",
    ] {
        claims[name] = registered[name].clone();
    }
    claims
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reads_changes_and_deletes_its_registration() {
    let world = World::new().await;
    let (id, token, consent) = (world.client_id.clone(), world.client_token().await, world.consent().await);
    let read = world.registration(Method::GET, &id, Some(&token), None).await;
    let registered: Value = read.json().unwrap();
    assert_eq!((read.status.as_u16(), registered["client_id"].as_str()), (200, Some(id.as_str())));

    let less = world.request(&registered, &json!({ "grant_types": ["authorization_code", "client_credentials"] }));
    let changed = world.registration(Method::PUT, &id, Some(&token), Some(&less)).await;
    let now: Value = changed.json().unwrap();
    assert_eq!(
        (changed.status.as_u16(), &now["client_id"], now["grant_types"].as_array().unwrap().len()),
        (200, &json!(id), 2)
    );
    let read: Value = world.registration(Method::GET, &id, Some(&token), None).await.json().unwrap();
    assert_eq!(read["grant_types"], now["grant_types"]);
    let again = world.registration(Method::PUT, &id, Some(&token), Some(&less)).await;
    assert_eq!(again.status, 400, "the same request twice");

    let deleted = world.registration(Method::DELETE, &id, Some(&token), None).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    for method in [Method::GET, Method::DELETE] {
        let answer = world.registration(method, &id, Some(&token), None).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json::<Value>().unwrap()["error"], "invalid_token");
    }
    let url = world.bank(&format!("/open-banking/v4.0/aisp/account-access-consents/{consent}"));
    assert_eq!(world.http(Shows::Own).get(&url).bearer(&token).send().await.unwrap().status, 401);
    let (status, body) = world.direct("/token", &[("grant_type", "client_credentials"), ("scope", "accounts")]).await;
    assert_eq!((status, &body["error"]), (401, &json!("invalid_client")));

    let anew = world.request(&registered, &json!({}));
    let request = world.http(Shows::Own).post(&world.bank("/register")).body("application/jwt", anew);
    let answer = request.send().await.unwrap();
    let body: Value = answer.json().unwrap();
    assert_eq!(answer.status, 201, "{body}");
    assert_ne!(body["client_id"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_learns_of_a_registration_or_touches_it() {
    let world = World::new().await;
    let (id, token) = (world.client_id.clone(), world.client_token().await);
    for (client_id, token) in
        [(id.as_str(), None), (&id, Some("")), (&id, Some("guessed")), ("nobody", Some(token.as_str()))]
    {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let text = (method == Method::PUT).then_some("a.b.c");
            let answer = world.registration(method.clone(), client_id, token, text).await;
            let body: Value = answer.json().unwrap();
            assert_eq!(
                (answer.status.as_u16(), &body["error"]),
                (401, &json!("invalid_token")),
                "{method} {client_id}"
            );
        }
    }
    let misused = world.registration(Method::GET, &id, Some(&token), None).await;
    assert_eq!(misused.status, 401, "a token that was used on another registration is worth nothing any more");
    let token = world.client_token().await;
    let url = world.bank(&format!("/register/{id}"));
    for shows in [Shows::Other, Shows::Nothing] {
        assert_eq!(world.http(shows).get(&url).bearer(&token).send().await.unwrap().status, 401);
    }
    assert_eq!(world.registration(Method::GET, &id, Some(&token), None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_held_to_the_rules_of_registration() {
    let world = World::new().await;
    let (id, token) = (world.client_id.clone(), world.client_token().await);
    let registered: Value = world.registration(Method::GET, &id, Some(&token), None).await.json().unwrap();
    for (error, changes) in [
        ("invalid_redirect_uri", json!({ "redirect_uris": ["https://attacker.example/cb"] })),
        ("invalid_client_metadata", json!({ "iss": "somebody" })),
        ("invalid_client_metadata", json!({ "exp": world.now() - 60 })),
        ("invalid_client_metadata", json!({ "token_endpoint_auth_method": "tls_client_auth" })),
        ("invalid_client_metadata", json!({ "token_endpoint_auth_method": "client_secret_basic" })),
        ("invalid_client_metadata", json!({ "response_types": ["token"] })),
        ("invalid_client_metadata", json!({ "id_token_encrypted_response_alg": "RSA1_5" })),
    ] {
        let text = world.request(&registered, &changes);
        let answer = world.registration(Method::PUT, &id, Some(&token), Some(&text)).await;
        let body: Value = answer.json().unwrap();
        assert_eq!((answer.status.as_u16(), body["error"].as_str()), (400, Some(error)), "{changes} {body}");
    }
    let by_certificate = json!({
        "token_endpoint_auth_method": "tls_client_auth", "token_endpoint_auth_signing_alg": null,
        "tls_client_auth_subject_dn": world.certificate_subject(),
    });
    let text = world.request(&registered, &by_certificate);
    let answer = world.registration(Method::PUT, &id, Some(&token), Some(&text)).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let form: Vec<(String, String)> =
        [("grant_type", "client_credentials"), ("scope", "accounts"), ("client_id", id.as_str())]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    assert_eq!(world.token(&form, Shows::Own, &world.journey()).await.status, 200);
    assert_eq!(world.token(&form, Shows::Other, &world.journey()).await.status, 401);
    let (status, _) = world.direct("/token", &[("grant_type", "client_credentials")]).await;
    assert_eq!(status, 401, "the assertion is not its method any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_changes_at_the_directory_counts_at_the_bank() {
    let world = World::new().await;
    let token = world.client_token().await;
    let directory = format!("http://{}", world.hosted.directory.control);
    let bank = format!("http://{}", world.hosted.bank.control);
    let tell = async |url: String, body: Value| {
        let answer = world.http(Shows::Nothing).post(&url.parse().unwrap()).json(&body).send().await.unwrap();
        (answer.status.as_u16(), answer.json::<Value>().unwrap())
    };
    let all: Value = world
        .http(Shows::Nothing)
        .get(&format!("{directory}/organisations").parse().unwrap())
        .send()
        .await
        .unwrap()
        .json()
        .unwrap();
    let tpp = all.as_array().unwrap().iter().find(|one| one["name"] == "Larkspur Money Ltd").unwrap();
    let status = format!("{directory}/organisations/{}/status", tpp["organisation-id"].as_str().unwrap());
    let accounts = world.bank("/open-banking/v4.0/aisp/account-access-consents/x");
    for (to, suspended, api, endpoint) in
        [("Revoked", 1, 401, 401), ("Active", 0, 400, 200), ("Withdrawn", 1, 401, 401)]
    {
        assert_eq!(tell(status.clone(), json!({ "status": to })).await.0, 200);
        assert_eq!(
            tell(format!("{bank}/directory/refresh"), json!({})).await,
            (200, json!({ "suspended": suspended }))
        );
        let answer = world.http(Shows::Own).get(&accounts).bearer(&token).send().await.unwrap();
        assert_eq!(answer.status.as_u16(), api, "{to}");
        let (found, _) = world.direct("/token", &[("grant_type", "client_credentials"), ("scope", "accounts")]).await;
        assert_eq!(found, endpoint, "{to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_are_held_to_the_rules() {
    let world = World::new().await;
    let (id, token) = (world.client_id.clone(), world.client_token().await);
    let registered: Value = world.registration(Method::GET, &id, Some(&token), None).await.json().unwrap();
    let register = async |shows: Shows, text: String| {
        let request = world.http(shows).post(&world.bank("/register")).body("application/jose", text);
        let answer = request.send().await.unwrap();
        let body: Value = answer.json().unwrap();
        (answer.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned(), body)
    };
    let statement = registered["software_statement"].as_str().unwrap();
    let (signed, signature) = statement.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let claims = statement.split('.').nth(1).unwrap();
    let unsigned = format!("{}.{claims}.", jose::base64url::encode(br#"{"alg":"none"}"#));
    let now = world.now();
    let (metadata, ssa) = ("invalid_client_metadata", "invalid_software_statement");
    for (what, error, changes) in [
        ("expired", metadata, json!({ "iat": now - 900, "exp": now - 300 })),
        ("another issuer", metadata, json!({ "iss": "AAAAAAAAAAAAAAAAAAAAAA" })),
        ("another audience", metadata, json!({ "aud": "https://elsewhere.example" })),
        ("a jti that is no UUID", metadata, json!({ "jti": "once" })),
        ("another software", metadata, json!({ "software_id": "AAAAAAAAAAAAAAAAAAAAAA" })),
        ("a response type", metadata, json!({ "response_types": ["code"] })),
        ("a grant type", metadata, json!({ "grant_types": ["password"] })),
        ("RS256", metadata, json!({ "request_object_signing_alg": "RS256" })),
        ("a scope beyond the roles", metadata, json!({ "scope": "openid accounts everything" })),
        ("an application type", metadata, json!({ "application_type": "fridge" })),
        ("no redirect URI", "invalid_redirect_uri", json!({ "redirect_uris": [] })),
        ("another redirect URI", "invalid_redirect_uri", json!({ "redirect_uris": ["https://attacker.example/cb"] })),
        ("a forged statement", ssa, json!({ "software_statement": forged })),
        ("an unsigned statement", ssa, json!({ "software_statement": unsigned })),
        ("no statement", ssa, json!({ "software_statement": "" })),
        ("one's own statement", ssa, json!({ "software_statement": world.sign(&json!({ "iss": "OpenBanking Ltd" })) })),
    ] {
        let (status, found, body) = register(Shows::Own, world.request(&registered, &changes)).await;
        assert_eq!((status, found.as_str()), (400, error), "{what}: {body}");
    }
    let once = world.chance.uuid().to_string();
    let claims = said_again(&registered, &world.hosted.bank.urls.issuer(), now, &once);
    let rs256 = jose::SigningKey::from_pkcs8_der(world.signing.kid(), jose::Algorithm::Rs256, &openssl_key(&world));
    let other = world.other_signing.sign_claims(Some("JWT"), &claims).unwrap();
    for text in [rs256.unwrap().sign_claims(Some("JWT"), &claims).unwrap(), other, "hello".to_owned()] {
        assert_eq!(register(Shows::Own, text).await.1, metadata);
    }
    let text = world.sign(&claims);
    let trace = world.journey();
    let request = world.http(Shows::Own).post(&world.bank("/register")).trace(&trace);
    assert_eq!(request.body("application/json", text.clone()).send().await.unwrap().status, 415);
    assert_eq!(world.rule(&trace).await.as_deref(), Some("registration.media-type"));
    assert_eq!(register(Shows::Nothing, text.clone()).await.1, "invalid_client");
    assert_eq!(register(Shows::Other, text.clone()).await.1, "unapproved_software_statement");
    let (status, _, body) = register(Shows::Own, text.clone()).await;
    assert_eq!(status, 201, "{body}");
    for name in [
        "client_id",
        "client_id_issued_at",
        "redirect_uris",
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "software_id",
        "scope",
        "software_statement",
        "application_type",
        "id_token_signed_response_alg",
        "request_object_signing_alg",
        "token_endpoint_auth_signing_alg",
        "software_client_name",
        "org_id",
    ] {
        assert!(body.get(name).is_some(), "{name}: {body}");
    }
    assert!(body["client_id"].as_str().unwrap().len() <= 36 && body.get("client_secret").is_none());
    assert_eq!(register(Shows::Own, text).await.1, metadata, "the same request again");
}
