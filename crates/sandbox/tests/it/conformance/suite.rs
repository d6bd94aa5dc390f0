//! A bank and two of its clients, as a certification suite has them: in one variant of client authentication, of the way
//! of requests and of the way of answers.

use http::Method;
use jose::{Algorithm, Jws, KeySet};
use psu::{Arrival, Destination, Intention, Psu};
use serde_json::{Value, json};
use transport::Answer as Response;
use url::Url;

use super::{Answer, changed};
use crate::{
    hand_made::{ASSERTION_TYPE, Shows, VERIFIER, World},
    profiles::{CALLBACK, Plain},
};

/// A client and how it authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) id: String,
    /// `private_key_jwt` or `tls_client_auth`.
    pub(super) by_assertion: bool,
    /// Its certificate.
    pub(super) shows: Shows,
}

pub(super) struct Suite<'a> {
    pub(super) world: &'a World,
    pub(super) bank: &'a aspsp::Running,
    /// The profile with intents.
    pub(super) uk: bool,
    pub(super) callback: Url,
    /// The client under test.
    pub(super) me: Client,
    /// The second client.
    pub(super) other: Client,
    pub(super) pushed: bool,
    pub(super) jarm: bool,
}

/// Both clients of the UK bank: the TPP's registration, and another one of its software with `tls_client_auth`.
pub(super) async fn registered(world: &World) -> [Client; 2] {
    let (id, token) = (world.client_id.clone(), world.client_token().await);
    let registered: Value = world.registration(Method::GET, &id, Some(&token), None).await.json().unwrap();
    let by_certificate = json!({
        "token_endpoint_auth_method": "tls_client_auth", "token_endpoint_auth_signing_alg": null,
        "tls_client_auth_subject_dn": world.certificate_subject(),
    });
    let text = world.request(&registered, &by_certificate);
    let answer = world.http(Shows::Own).post(&world.bank("/register")).body("application/jwt", text).send().await;
    let second: Value = answer.unwrap().json().unwrap();
    let second = second["client_id"].as_str().unwrap_or_else(|| panic!("{second}")).to_owned();
    [
        Client { id, by_assertion: true, shows: Shows::Own },
        Client { id: second, by_assertion: false, shows: Shows::Own },
    ]
}

/// The variants that apply to the UK profile.
pub(super) fn uk<'a>(world: &'a World, clients: &[Client; 2]) -> Vec<Suite<'a>> {
    let callback = world.hosted.tpp.public.join("/callback").unwrap();
    let suite = |me: usize| Suite {
        world,
        bank: &world.hosted.bank,
        uk: true,
        callback: callback.clone(),
        me: clients[me].clone(),
        other: clients[1 - me].clone(),
        pushed: false,
        jarm: false,
    };
    vec![suite(0), suite(1)]
}

/// The variants that apply to the plain profile.
pub(super) fn plain(plain: &Plain) -> Vec<Suite<'_>> {
    let clients = [
        Client { id: "suite-client-1".to_owned(), by_assertion: true, shows: Shows::Own },
        Client { id: "suite-client-2".to_owned(), by_assertion: false, shows: Shows::Other },
    ];
    let mut variants = Vec::new();
    for me in [0, 1] {
        for (pushed, jarm) in [(false, false), (false, true), (true, false), (true, true)] {
            variants.push(Suite {
                world: &plain.world,
                bank: &plain.bank,
                uk: false,
                callback: CALLBACK.parse().unwrap(),
                me: clients[me].clone(),
                other: clients[1 - me].clone(),
                pushed,
                jarm,
            });
        }
    }
    variants
}

impl Suite<'_> {
    /// The variant in the suite's words.
    pub(super) fn name(&self) -> String {
        let or = |yes: bool, one: &'static str, two: &'static str| if yes { one } else { two };
        [
            or(self.uk, "openbanking_uk", "plain_fapi"),
            or(self.me.by_assertion, "private_key_jwt", "mtls"),
            or(self.pushed, "pushed", "by_value"),
            or(self.jarm, "jarm", "plain_response"),
        ]
        .join(" ")
    }

    pub(super) fn api(&self, path: &str) -> Url {
        self.bank.urls.api(path).parse().unwrap()
    }

    pub(super) fn page(&self, path: &str) -> Url {
        self.bank.urls.page(path).parse().unwrap()
    }

    /// Where a token opens something in this profile.
    pub(super) fn resource(&self) -> Url {
        self.api(if self.uk { "/open-banking/v4.0/aisp/accounts" } else { "/userinfo" })
    }

    /// A form with what proves that it comes from this client.
    pub(super) fn form(&self, client: &Client, pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let now = self.world.now();
        let mut form: Vec<(String, String)> = Vec::new();
        if client.by_assertion {
            let assertion = self.world.sign(&json!({
                "iss": client.id, "sub": client.id, "aud": self.bank.urls.issuer(), "iat": now, "exp": now + 60,
                "jti": self.world.chance.uuid().to_string(),
            }));
            form.push(("client_assertion_type".to_owned(), ASSERTION_TYPE.to_owned()));
            form.push(("client_assertion".to_owned(), assertion));
        } else {
            form.push(("client_id".to_owned(), client.id.clone()));
        }
        form.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        form
    }

    pub(super) async fn send(&self, shows: Shows, path: &str, form: &[(String, String)]) -> Response {
        self.world.http(shows).post(&self.api(path)).form(form).send().await.unwrap()
    }

    pub(super) async fn direct(&self, client: &Client, path: &str, pairs: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.send(client.shows, path, &self.form(client, pairs)).await;
        (answer.status.as_u16(), answer.json().unwrap_or_default())
    }

    /// An intent of the client under test, where the profile has intents.
    pub(super) async fn consent(&self) -> Option<String> {
        if !self.uk {
            return None;
        }
        let pairs = [("grant_type", "client_credentials"), ("scope", "accounts")];
        let (_, token) = self.direct(&self.me, "/token", &pairs).await;
        let url = self.api("/open-banking/v4.0/aisp/account-access-consents");
        let request = self.world.http(self.me.shows).post(&url).bearer(token["access_token"].as_str().unwrap());
        let body = json!({ "Data": { "Permissions": ["ReadAccountsBasic"] }, "Risk": {} });
        let answer = request.header("x-fapi-auth-date", "Sun, 10 Sep 2017 19:43:31 GMT").json(&body).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status, 201);
        assert!(answer.header("x-fapi-interaction-id").is_some_and(|id| id.len() == 36));
        let body: Value = answer.json().unwrap();
        Some(body["Data"]["ConsentId"].as_str().unwrap().to_owned())
    }

    fn response_type(&self) -> &'static str {
        if self.jarm { "code" } else { "code id_token" }
    }

    /// Claims of a good request object of this client.
    pub(super) fn claims(&self, client: &Client, intent: Option<&str>, changes: &Value) -> Value {
        let now = self.world.now();
        let mut claims = json!({
            "iss": client.id, "client_id": client.id, "aud": self.bank.urls.issuer(),
            "response_type": self.response_type(), "scope": "openid accounts", "redirect_uri": self.callback,
            "state": "state-1", "nonce": "nonce-1", "nbf": now, "exp": now + 300,
            "claims": { "id_token": { "acr": {
                "essential": true, "values": ["urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"],
            } } },
        });
        if let Some(intent) = intent {
            claims["claims"]["id_token"]["openbanking_intent_id"] = json!({ "value": intent, "essential": true });
        }
        if self.jarm {
            claims["response_mode"] = json!("jwt");
        }
        if self.pushed {
            claims["code_challenge"] = json!("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
            claims["code_challenge_method"] = json!("S256");
        }
        changed(claims, changes)
    }

    /// The link for this request object; what the bank answered when it did not take the pushed request.
    pub(super) async fn link(&self, object: &str, outer: &[(&str, &str)]) -> Result<Url, (u16, Value)> {
        let mut url = self.page("/authorize");
        url.query_pairs_mut().append_pair("client_id", &self.me.id);
        if self.pushed {
            let mut pairs = vec![("request", object)];
            pairs.extend(outer);
            let (status, body) = self.direct(&self.me, "/par", &pairs).await;
            if status != 201 {
                return Err((status, body));
            }
            assert!(body["expires_in"].as_u64().unwrap() > 0, "{body}");
            url.query_pairs_mut().append_pair("request_uri", body["request_uri"].as_str().unwrap());
        } else {
            let usual = [("response_type", self.response_type()), ("scope", "openid accounts"), ("request", object)];
            let usual = usual.iter().filter(|(name, _)| outer.iter().all(|(given, _)| given != name));
            url.query_pairs_mut().extend_pairs(usual.chain(outer).filter(|(_, value)| !value.is_empty()));
        }
        Ok(url)
    }

    /// What this request object leads to before any customer does anything.
    pub(super) async fn probe(&self, object: &str, outer: &[(&str, &str)]) -> Answer {
        let link = match self.link(object, outer).await {
            Ok(link) => link,
            Err((status, body)) => {
                assert_eq!(status, 400, "{body}");
                return Answer::Pushed(body["error"].as_str().unwrap().to_owned());
            }
        };
        self.opened(&link).await
    }

    /// What a browser sees when it opens this link.
    pub(super) async fn opened(&self, link: &Url) -> Answer {
        let answer = self.world.browser().get(link).send().await.unwrap();
        match answer.header("location") {
            Some(location) if location.starts_with("/authorisation/") => Answer::Login,
            Some(location) => {
                let target: Url = location.parse().unwrap();
                assert!(location.starts_with(self.callback.as_str()), "{location}");
                let told = self.read(&target).await;
                for (name, _) in &told {
                    assert!(["error", "error_description", "state", "iss"].contains(&name.as_str()), "{name}");
                }
                Answer::Redirect(value(&told, "error").unwrap())
            }
            None => Answer::Page(super::error_on(&answer)),
        }
    }

    /// Parameters of an answer that arrived, taken out of its signature if it has one.
    pub(super) async fn read(&self, arrived: &Url) -> Vec<(String, String)> {
        let fragment = url::form_urlencoded::parse(arrived.fragment().unwrap_or_default().as_bytes());
        let own = self.callback.query_pairs().count();
        let all: Vec<(String, String)> = arrived.query_pairs().skip(own).chain(fragment).map(owned).collect();
        let Some(response) = value(&all, "response") else { return all };
        assert_eq!(all.len(), 1, "{all:?}");
        let response = Jws::parse(&response).unwrap();
        response.verify(&self.keys().await, &[Algorithm::Ps256]).unwrap();
        let claims: Value = response.claims().unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(self.bank.urls.issuer()), &json!(self.me.id)));
        let left = claims["exp"].as_i64().unwrap() - self.world.now();
        assert!(left > 0 && left <= 600, "{claims}");
        let claims = claims.as_object().unwrap().iter();
        let inside = claims.filter(|(name, _)| !["iss", "aud", "exp"].contains(&name.as_str()));
        inside.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    pub(super) async fn keys(&self) -> KeySet {
        let answer = self.world.http(Shows::Nothing).get(&self.page("/jwks")).send().await.unwrap();
        KeySet::from_json(&answer.body).unwrap()
    }

    pub(super) async fn customer(&self, link: &Url, intention: &Intention) -> Arrival {
        let credentials = sandbox::hosting::credentials(&self.bank.logins)["nora"].clone();
        let customer = Psu::new(self.world.browser(), credentials);
        let destination = Destination::Address(self.callback.clone());
        customer.fetch_answer(link, intention, destination, &self.world.journey()).await.unwrap()
    }

    /// The answer after a customer approved this request object.
    pub(super) async fn approved(&self, claims: &Value, typ: &str) -> Vec<(String, String)> {
        let object = self.world.signing.sign_claims(Some(typ), claims).unwrap();
        let link = self.link(&object, &[]).await.unwrap();
        let arrival = self.customer(&link, &Intention::Approve { accounts: Vec::new() }).await;
        assert!(arrival.at_destination, "{}: {}", self.name(), arrival.text);
        assert_eq!(arrival.url.query().is_some(), self.callback.query().is_some() || self.jarm);
        self.read(&arrival.url).await
    }

    /// A form that redeems a code, without what proves the client.
    pub(super) fn redemption<'a>(&'a self, code: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut pairs =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", self.callback.as_str())];
        if self.pushed {
            pairs.push(("code_verifier", VERIFIER));
        }
        pairs
    }

    /// The claims of an id_token of the bank.
    pub(super) async fn id_token(&self, text: &str) -> Value {
        let token = Jws::parse(text).unwrap();
        assert!(token.header().kid.is_some());
        token.verify(&self.keys().await, &[Algorithm::Ps256]).unwrap();
        token.claims().unwrap()
    }
}

fn owned(pair: (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)) -> (String, String) {
    (pair.0.into_owned(), pair.1.into_owned())
}

pub(super) fn value(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}
