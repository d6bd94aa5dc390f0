//! kill -9 of the bank under load: what it answered before is true afterwards.

use std::{path::Path, time::Duration};

use jose::SigningKey;
use psu::{Destination, Intention, Psu};
use sandbox::hosting::{certificate, credentials_in};
use serde_json::{Value, json};
use simulation::{Chance, Clock, Trace};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use transport::{ClientSettings, HttpClient, Identity};
use url::Url;

use crate::{
    hand_made::{ASSERTION_TYPE, identity, signing},
    processes::{Three, step},
    registration::said_again,
};

/// What the bank answered.
#[derive(Debug)]
enum Answered {
    Registration(String),
    Token(String),
    Revocation(String),
    Code(String),
}

impl Answered {
    fn kind(&self) -> usize {
        match self {
            Self::Registration(_) => 0,
            Self::Token(_) => 1,
            Self::Revocation(_) => 2,
            Self::Code(_) => 3,
        }
    }
}

/// A client with the keys that the TPP exported.
struct Hand {
    http: HttpClient,
    anchor: pki::Certificate,
    signing: SigningKey,
    chance: Chance,
    client_id: String,
    public: Url,
    mtls: Url,
    callback: Url,
    registered: Value,
}

fn client(anchor: &pki::Certificate, identity: Option<&Identity>) -> HttpClient {
    HttpClient::new(ClientSettings {
        party: "hand",
        anchors: vec![anchor.clone()],
        identity,
        journal: None,
        clock: Clock::real(),
        chance: Chance::from_system(),
        cookies: identity.is_none(),
        timeout: Duration::from_secs(20),
    })
    .unwrap()
}

impl Hand {
    async fn new(three: &Three, client_id: String) -> Self {
        let folder: &Path = three.folder.path();
        let exports = folder.join("tpp/exports");
        let anchor = certificate(&folder.join("directory/public/trust-anchor.pem")).unwrap();
        let mut hand = Self {
            http: client(&anchor, Some(&identity(&exports))),
            anchor,
            signing: signing(&exports),
            chance: Chance::from_system(),
            client_id,
            public: three.bank.urls[0].clone(),
            mtls: three.bank.urls[1].clone(),
            callback: three.tpp.urls[0].join("/callback").unwrap(),
            registered: Value::Null,
        };
        let token = hand.client_token(&hand.client_id).await.unwrap();
        let url = hand.mtls.join(&format!("/register/{}", hand.client_id)).unwrap();
        hand.registered = hand.http.get(&url).bearer(&token).send().await.unwrap().json().unwrap();
        hand
    }

    fn issuer(&self) -> &str {
        self.public.as_str().trim_end_matches('/')
    }

    fn now() -> i64 {
        Clock::real().now().unix_timestamp()
    }

    fn jti(&self) -> String {
        self.chance.uuid().to_string()
    }

    fn sign(&self, claims: &Value) -> String {
        self.signing.sign_claims(Some("JWT"), claims).unwrap()
    }

    /// Status and body; none when the bank did not answer.
    async fn direct(&self, client_id: &str, path: &str, pairs: &[(&str, &str)]) -> Option<(u16, Value)> {
        let now = Self::now();
        let assertion = self.sign(&json!({
            "iss": client_id, "sub": client_id, "aud": self.issuer(), "iat": now, "exp": now + 60, "jti": self.jti(),
        }));
        let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        let form = [proof.as_slice(), pairs].concat();
        let answer = self.http.post(&self.mtls.join(path).unwrap()).form(&form).send().await.ok()?;
        Some((answer.status.as_u16(), answer.json().ok()?))
    }

    async fn client_token(&self, client_id: &str) -> Option<String> {
        let own = [("grant_type", "client_credentials"), ("scope", "accounts")];
        let (status, body) = self.direct(client_id, "/token", &own).await?;
        assert_eq!(status, 200, "{body}");
        Some(body["access_token"].as_str().unwrap().to_owned())
    }

    async fn registration(&self) -> Option<Answered> {
        let text = self.sign(&said_again(&self.registered, self.issuer(), Self::now(), &self.jti()));
        let url = self.mtls.join("/register").unwrap();
        let answer = self.http.post(&url).body("application/jwt", text).send().await.ok()?;
        let body: Value = answer.json().ok()?;
        assert_eq!(answer.status, 201, "{body}");
        Some(Answered::Registration(body["client_id"].as_str().unwrap().to_owned()))
    }

    async fn token(&self) -> Option<Answered> {
        self.client_token(&self.client_id).await.map(Answered::Token)
    }

    async fn revocation(&self) -> Option<Answered> {
        let token = self.client_token(&self.client_id).await?;
        let (status, body) = self.direct(&self.client_id, "/revoke", &[("token", &token)]).await?;
        assert_eq!(status, 200, "{body}");
        Some(Answered::Revocation(token))
    }

    async fn code(&self) -> Option<Answered> {
        let token = self.client_token(&self.client_id).await?;
        let url = self.mtls.join("/open-banking/v4.0/aisp/account-access-consents").unwrap();
        let body = json!({ "Data": { "Permissions": ["ReadAccountsBasic"] }, "Risk": {} });
        let lodged: Value = self.http.post(&url).bearer(&token).json(&body).send().await.ok()?.json().ok()?;
        let now = Self::now();
        let object = self.sign(&json!({
            "iss": self.client_id, "client_id": self.client_id, "aud": self.issuer(), "nbf": now, "exp": now + 300,
            "response_type": "code id_token", "scope": "openid accounts", "redirect_uri": self.callback, "nonce": "n",
            "claims": { "id_token": { "openbanking_intent_id": { "value": lodged["Data"]["ConsentId"] } } },
        }));
        let mut link = self.public.join("/authorize").unwrap();
        link.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("response_type", "code id_token")
            .append_pair("request", &object);
        let customer = Psu::new(client(&self.anchor, None), credentials_in(None).unwrap()["nora"].clone());
        let intention = Intention::Approve { accounts: Vec::new() };
        let trace = Trace::new(&self.chance);
        let arrival = customer.fetch_answer(&link, &intention, Destination::Elsewhere, &trace).await.ok()?;
        let fragment = arrival.url.fragment()?.as_bytes().to_vec();
        let code = url::form_urlencoded::parse(&fragment).find(|(name, _)| name == "code")?.1.into_owned();
        Some(Answered::Code(code))
    }

    /// Does the same again and again until the bank does not answer.
    async fn keep(&self, kind: usize, answered: &UnboundedSender<Answered>) {
        loop {
            let next = match kind {
                0 => self.registration().await,
                1 => self.token().await,
                2 => self.revocation().await,
                _ => self.code().await,
            };
            let Some(one) = next else { return };
            if answered.send(one).is_err() {
                return;
            }
        }
    }

    /// Whether a token opens the API: an unknown consent is then 400, otherwise it is 401.
    async fn opens(&self, token: &str) -> bool {
        let url = self.mtls.join("/open-banking/v4.0/aisp/account-access-consents/x").unwrap();
        let answer = self.http.get(&url).bearer(token).send().await.unwrap();
        assert!([400, 401].contains(&answer.status.as_u16()), "{}", answer.status);
        answer.status == 400
    }

    async fn check(&self, answered: &Answered) {
        match answered {
            Answered::Registration(client_id) => {
                self.client_token(client_id).await.unwrap_or_else(|| panic!("{answered:?} is gone"));
            }
            Answered::Token(token) => assert!(self.opens(token).await, "a token is gone"),
            Answered::Revocation(token) => assert!(!self.opens(token).await, "a revocation is gone"),
            Answered::Code(code) => {
                let redeem = [
                    ("grant_type", "authorization_code"),
                    ("code", code.as_str()),
                    ("redirect_uri", self.callback.as_str()),
                ];
                let (status, body) = self.direct(&self.client_id, "/token", &redeem).await.unwrap();
                assert_eq!(status, 200, "a code is gone: {body}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_codes_tokens_and_revocations_that_were_answered_outlive_a_kill() {
    let mut three = Three::start();
    let http = client(&certificate(&three.folder.path().join("directory/public/trust-anchor.pem")).unwrap(), None);
    let tpp = three.tpp.control().url;
    step(&http, &tpp, "onboard", json!({})).await.unwrap();
    let registered = step(&http, &tpp, "register", json!({ "bank": "Ashdown Bank" })).await.unwrap();
    let hand = std::sync::Arc::new(Hand::new(&three, registered["client-id"].as_str().unwrap().to_owned()).await);
    let (answered, mut answers) = unbounded_channel();
    let running: Vec<_> = (0..8)
        .map(|number| {
            let (hand, answered) = (std::sync::Arc::clone(&hand), answered.clone());
            tokio::spawn(async move { hand.keep(number % 4, &answered).await })
        })
        .collect();
    drop(answered);
    let (mut all, mut counts) = (Vec::new(), [0_usize; 4]);
    while counts.iter().any(|count| *count < 3) {
        let one = answers.recv().await.unwrap();
        counts[one.kind()] += 1;
        all.push(one);
    }
    three.bank.kill_and_start();
    answers.close();
    while let Some(one) = answers.recv().await {
        all.push(one);
    }
    for task in running {
        task.await.unwrap();
    }
    // Codes first: they have a minute.
    all.sort_by_key(|one| std::cmp::Reverse(one.kind()));
    for one in &all {
        hand.check(one).await;
    }
}
