//! A load run against the bank's token endpoint: `cargo run --release -p sandbox --example token_load`.
//!
//! An ecosystem of its own, keep-alive connections over mutual TLS, a fresh assertion in every request. Assertions are
//! signed before the clock starts. Beside the result stands what the machine's cryptography alone allows: verifying the
//! assertion, and with a refresh also signing the id_token.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use jose::{Algorithm, Jwks, Jws, KeySet, SigningKey};
use pki::{Certificate, PrivateKey};
use psu::{Destination, Intention, Psu};
use sandbox::hosting::{self, Hosted, Place};
use scenario::Runner;
use serde_json::{Value, json};
use simulation::{Chance, Clock, Trace};
use transport::{ClientSettings, HttpClient, Identity, Stop};
use url::Url;

const REQUESTS: usize = 4_000;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Failed = Box<dyn Error + Send + Sync>;

struct Load {
    hosted: Hosted,
    client_id: String,
    signing: Arc<SigningKey>,
    identity: Identity,
    anchor: Certificate,
    chance: Chance,
}

impl Load {
    async fn new(place: &Place, stop: &Stop) -> Result<Self, Failed> {
        let hosted = hosting::start(place, stop).await?;
        let client_id = Runner::new(hosted.ecosystem()?)?.join(&hosted.bank.name).await?;
        let read = |name: &str| std::fs::read_to_string(hosted.tpp.exports.join(name));
        let kid = read("signing.kid")?;
        let signing = PrivateKey::from_pem(&read("signing.key")?)?;
        let signing = SigningKey::from_pkcs8_der(kid.trim(), Algorithm::Ps256, signing.pkcs8_der())?;
        let chain = read("transport.pem")?;
        let chain = chain.split_inclusive("-----END CERTIFICATE-----\n").map(Certificate::from_pem);
        let identity =
            Identity { chain: chain.collect::<Result<_, _>>()?, key: PrivateKey::from_pem(&read("transport.key")?)? };
        let anchor = hosting::certificate(&hosted.directory.trust_anchor)?;
        Ok(Self { hosted, client_id, signing: Arc::new(signing), identity, anchor, chance: Chance::from_system() })
    }

    fn client(&self, identity: Option<&Identity>) -> Result<HttpClient, Failed> {
        Ok(HttpClient::new(ClientSettings {
            party: "load",
            anchors: vec![self.anchor.clone()],
            identity,
            journal: None,
            clock: Clock::real(),
            chance: self.chance.clone(),
            cookies: identity.is_none(),
            timeout: Duration::from_secs(30),
        })?)
    }

    fn bank(&self, path: &str) -> Result<Url, Failed> {
        Ok(self.hosted.bank.urls.api(path).parse()?)
    }

    fn assertion(&self) -> Result<String, Failed> {
        let now = Clock::real().now().unix_timestamp();
        let claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.bank("/token")?, "iat": now, "exp": now + 600,
            "jti": self.chance.uuid().to_string(),
        });
        Ok(self.signing.sign_claims(Some("JWT"), &claims)?)
    }

    /// A refresh token of a customer's.
    async fn refresh_token(&self) -> Result<String, Failed> {
        let http = self.client(Some(&self.identity))?;
        let token = self.answer(&http, &[("grant_type", "client_credentials"), ("scope", "accounts")]).await?;
        let consent = json!({ "Data": { "Permissions": ["ReadAccountsBasic"] }, "Risk": {} });
        let url = self.bank("/open-banking/v4.0/aisp/account-access-consents")?;
        let bearer = token["access_token"].as_str().unwrap_or_default();
        let consent: Value = http.post(&url).bearer(bearer).json(&consent).send().await?.json()?;
        let now = Clock::real().now().unix_timestamp();
        let callback = self.hosted.tpp.public.join("/callback")?;
        let object = self.signing.sign_claims(
            Some("JWT"),
            &json!({
                "iss": self.client_id, "client_id": self.client_id, "aud": self.hosted.bank.urls.issuer(), "nbf": now,
                "exp": now + 300, "response_type": "code id_token", "scope": "openid accounts",
                "redirect_uri": callback, "nonce": "n",
                "claims": { "id_token": { "openbanking_intent_id": { "value": consent["Data"]["ConsentId"] } } },
            }),
        )?;
        let mut link: Url = self.hosted.bank.urls.page("/authorize").parse()?;
        link.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("response_type", "code id_token")
            .append_pair("request", &object);
        let credentials = hosting::credentials(&self.hosted.bank.logins)["nora"].clone();
        let (customer, intention) =
            (Psu::new(self.client(None)?, credentials), Intention::Approve { accounts: Vec::new() });
        let trace = Trace::new(&self.chance);
        let arrival = customer.fetch_answer(&link, &intention, Destination::Elsewhere, &trace).await?;
        let fragment = arrival.url.fragment().unwrap_or_default().as_bytes().to_vec();
        let code = url::form_urlencoded::parse(&fragment).find(|(name, _)| name == "code").ok_or("no code")?.1;
        let redeem = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", callback.as_str())];
        let tokens = self.answer(&http, &redeem).await?;
        Ok(tokens["refresh_token"].as_str().ok_or("no refresh token")?.to_owned())
    }

    async fn answer(&self, http: &HttpClient, pairs: &[(&str, &str)]) -> Result<Value, Failed> {
        let assertion = self.assertion()?;
        let mut form = vec![("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        form.extend(pairs);
        Ok(http.post(&self.bank("/token")?).form(&form).send().await?.json()?)
    }

    /// Requests per second and the slowest of a hundred, over so many connections.
    async fn run(&self, connections: usize, pairs: &[(&str, &str)]) -> Result<(f64, Duration), Failed> {
        let each = REQUESTS / connections;
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let http = self.client(Some(&self.identity))?;
            let assertions = (0..each).map(|_| self.assertion()).collect::<Result<Vec<_>, _>>()?;
            // The connection is there before the clock starts.
            self.answer(&http, pairs).await?;
            tasks.push((http, assertions));
        }
        let began = Instant::now();
        let running: Vec<_> = tasks
            .into_iter()
            .map(|(http, assertions)| {
                let url = self.bank("/token");
                let pairs: Vec<(String, String)> =
                    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                tokio::spawn(async move {
                    let url = url?;
                    let mut took = Vec::new();
                    for assertion in assertions {
                        let mut form = pairs.clone();
                        form.push(("client_assertion_type".into(), ASSERTION_TYPE.into()));
                        form.push(("client_assertion".into(), assertion));
                        let sent = Instant::now();
                        let answer = http.post(&url).form(&form).send().await?;
                        if answer.status != 200 {
                            return Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
                        }
                        took.push(sent.elapsed());
                    }
                    Ok::<_, Failed>(took)
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in running {
            all.extend(task.await??);
        }
        let elapsed = began.elapsed().as_secs_f64();
        all.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "thousands")]
        let rate = all.len() as f64 / elapsed;
        Ok((rate, all.get(all.len() * 99 / 100).copied().unwrap_or_default()))
    }

    /// How often one core signs and verifies in a second.
    fn floor(&self) -> Result<(f64, f64), Failed> {
        let keys = KeySet::from_jwks(&Jwks { keys: vec![self.signing.public_jwk().clone()] });
        let token = Jws::parse(&self.assertion()?)?;
        let per_second = |work: &dyn Fn() -> Result<(), Failed>| {
            let (began, mut times) = (Instant::now(), 0.0);
            while began.elapsed() < Duration::from_secs(1) {
                work()?;
                times += 1.0;
            }
            Ok::<f64, Failed>(times / began.elapsed().as_secs_f64())
        };
        let sign = per_second(&|| Ok(self.signing.sign_claims(None, &json!({ "a": 1 })).map(drop)?))?;
        let verify = per_second(&|| Ok(token.verify(&keys, &[Algorithm::Ps256])?))?;
        Ok((sign, verify))
    }
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let stop = Stop::new();
    let place = Place { data: folder.path().to_owned(), ..Place::default() };
    let load = Load::new(&place, &stop).await?;
    let (sign, verify) = load.floor()?;
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cores} cores, shared by bank and load; one core signs {sign:.0} and verifies {verify:.0} times a second"
    );
    let refresh = load.refresh_token().await?;
    for connections in [16, 64] {
        let own = [("grant_type", "client_credentials"), ("scope", "accounts")];
        let (rate, slow) = load.run(connections, &own).await?;
        println!(
            "{connections} connections, client_credentials: {rate:.0} requests a second, 99 of 100 within {slow:.1?}"
        );
        let renewal = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        let (rate, slow) = load.run(connections, &renewal).await?;
        println!("{connections} connections, refresh_token: {rate:.0} requests a second, 99 of 100 within {slow:.1?}");
    }
    stop.trigger();
    load.hosted.ended().await;
    Ok(())
}
