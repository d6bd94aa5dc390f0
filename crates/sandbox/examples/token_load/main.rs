//! A load run against the bank's token endpoint: `cargo run --release -p sandbox --example token_load`.
//!
//! An ecosystem of its own, keep-alive connections over mutual TLS, a fresh assertion in every request. Assertions are
//! signed before the clock starts. Beside the result stands what the machine's cryptography alone allows: verifying the
//! assertion, and with a refresh also signing the id_token.
//!
//! With `token_load FOLDER CLIENT PID` the bank is the one of `ob-sandbox up --data FOLDER`, another process with this id,
//! at which the TPP is the client CLIENT. Then the result also says how much processor time of that process a request took
//! (Linux), which other work on the machine hardly changes, and how much of it is cryptography. The same is then measured of
//! a server that answers a constant behind the same TLS, without and with a commit ([`floor`]): less than that no request
//! can cost.
#![expect(clippy::print_stdout, reason = "this is what the program was asked for")]

mod floor;

use std::{
    error::Error,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use jose::{Algorithm, Jwks, Jws, KeySet, SigningKey};
use pki::{Certificate, PrivateKey};
use psu::{Credentials, Destination, Intention, Psu};
use sandbox::hosting::{self, Hosted, Place};
use scenario::Runner;
use serde_json::{Value, json};
use simulation::{Chance, Clock, Trace};
use transport::{ClientSettings, HttpClient, Identity, Stop};
use url::Url;

const REQUESTS: usize = 4_000;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Failed = Box<dyn Error + Send + Sync>;

/// What the connections speak.
#[derive(Clone, Copy)]
enum Protocol {
    /// One request at a time on a connection that is kept.
    Http1,
    /// The one that both ends prefer.
    Http2,
}

/// So many connections.
type Over = (Protocol, usize);

/// Where everything is.
struct Places {
    issuer: String,
    public: Url,
    mtls: Url,
    callback: Url,
    exports: PathBuf,
    anchor: PathBuf,
    credentials: Credentials,
    /// The bank's process, if it is not this one.
    process: Option<u32>,
}

impl Places {
    fn own(hosted: &Hosted) -> Result<Self, Failed> {
        Ok(Self {
            issuer: hosted.bank.urls.issuer(),
            public: hosted.bank.urls.public.clone(),
            mtls: hosted.bank.urls.mtls.clone(),
            callback: hosted.tpp.public.join("/callback")?,
            exports: hosted.tpp.exports.clone(),
            anchor: hosted.directory.trust_anchor.clone(),
            credentials: hosting::credentials(&hosted.bank.logins)["nora"].clone(),
            process: None,
        })
    }

    /// Those of `ob-sandbox up`.
    fn of_another_process(folder: &Path, process: u32) -> Result<Self, Failed> {
        Ok(Self {
            issuer: "https://localhost:8450".to_owned(),
            public: "https://localhost:8450/".parse()?,
            mtls: "https://localhost:8451/".parse()?,
            callback: "https://localhost:8460/callback".parse()?,
            exports: folder.join("tpp/exports"),
            anchor: folder.join("directory/public/trust-anchor.pem"),
            credentials: hosting::credentials_in(None)?["nora"].clone(),
            process: Some(process),
        })
    }

    fn token_endpoint(&self) -> Result<Target, Failed> {
        Ok(Target { url: self.mtls.join("/token")?, process: self.process })
    }
}

/// What requests are sent to.
struct Target {
    url: Url,
    /// Its process, if it is not this one.
    process: Option<u32>,
}

impl Target {
    /// Processor time that its process has used, in seconds.
    fn processor_time(&self) -> Option<f64> {
        processor_time(&self.process?.to_string())
    }
}

fn identity(chain: &Path, key: &Path) -> Result<Identity, Failed> {
    let chain = std::fs::read_to_string(chain)?;
    let chain = chain.split_inclusive("-----END CERTIFICATE-----\n").map(Certificate::from_pem);
    let key = PrivateKey::from_pem(&std::fs::read_to_string(key)?)?;
    Ok(Identity { chain: chain.collect::<Result<_, _>>()?, key })
}

/// The server of [`floor`] in a process of its own, which ends when this is dropped.
struct Floor {
    process: Child,
    base: Url,
}

impl Floor {
    fn start(folder: &Path) -> Result<Self, Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = command.arg("floor").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        let base = format!("https://localhost:{}/", port.trim()).parse()?;
        Ok(Self { process, base })
    }

    fn target(&self, path: &str) -> Result<Target, Failed> {
        Ok(Target { url: self.base.join(path)?, process: Some(self.process.id()) })
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It has nothing to lose.
        let _ = self.process.wait();
    }
}

/// Processor time that a process has used, in seconds: `utime` and `stime` of proc(5), in hundredths.
fn processor_time(process: &str) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = rest.split_whitespace().skip(11).take(2).filter_map(|text| text.parse().ok()).collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}

/// What a run measured.
struct Measured {
    /// Requests a second.
    rate: f64,
    /// 99 of 100 requests were answered within this.
    slow: Duration,
    /// Processor time of the bank's process for one request, in microseconds.
    processor: Option<f64>,
}

struct Load {
    places: Places,
    client_id: String,
    signing: Arc<SigningKey>,
    identity: Identity,
    anchor: Certificate,
    chance: Chance,
}

impl Load {
    fn new(places: Places, client_id: String) -> Result<Self, Failed> {
        let read = |name: &str| std::fs::read_to_string(places.exports.join(name));
        let kid = read("signing.kid")?;
        let signing = PrivateKey::from_pem(&read("signing.key")?)?;
        let signing = SigningKey::from_pkcs8_der(kid.trim(), Algorithm::Ps256, signing.pkcs8_der())?;
        let identity = identity(&places.exports.join("transport.pem"), &places.exports.join("transport.key"))?;
        let anchor = hosting::certificate(&places.anchor)?;
        Ok(Self { places, client_id, signing: Arc::new(signing), identity, anchor, chance: Chance::from_system() })
    }

    fn client(&self, identity: Option<&Identity>, protocol: Protocol) -> Result<HttpClient, Failed> {
        let settings = ClientSettings {
            party: "load",
            anchors: vec![self.anchor.clone()],
            identity,
            journal: None,
            clock: Clock::real(),
            chance: self.chance.clone(),
            cookies: identity.is_none(),
            timeout: Duration::from_secs(30),
        };
        Ok(match protocol {
            Protocol::Http1 => HttpClient::http1(settings)?,
            Protocol::Http2 => HttpClient::new(settings)?,
        })
    }

    fn bank(&self, path: &str) -> Result<Url, Failed> {
        Ok(self.places.mtls.join(path)?)
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
        let http = self.client(Some(&self.identity), Protocol::Http2)?;
        let endpoint = self.bank("/token")?;
        let own = [("grant_type", "client_credentials"), ("scope", "accounts")];
        let token = self.answer(&http, &endpoint, &own).await?;
        let consent = json!({ "Data": { "Permissions": ["ReadAccountsBasic"] }, "Risk": {} });
        let url = self.bank("/open-banking/v4.0/aisp/account-access-consents")?;
        let bearer = token["access_token"].as_str().unwrap_or_default();
        let consent: Value = http.post(&url).bearer(bearer).json(&consent).send().await?.json()?;
        let now = Clock::real().now().unix_timestamp();
        let callback = &self.places.callback;
        let object = self.signing.sign_claims(
            Some("JWT"),
            &json!({
                "iss": self.client_id, "client_id": self.client_id, "aud": self.places.issuer, "nbf": now,
                "exp": now + 300, "response_type": "code id_token", "scope": "openid accounts",
                "redirect_uri": callback, "nonce": "n",
                "claims": { "id_token": { "openbanking_intent_id": { "value": consent["Data"]["ConsentId"] } } },
            }),
        )?;
        let mut link = self.places.public.join("/authorize")?;
        link.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("response_type", "code id_token")
            .append_pair("request", &object);
        let customer = Psu::new(self.client(None, Protocol::Http2)?, self.places.credentials.clone());
        let intention = Intention::Approve { accounts: Vec::new() };
        let trace = Trace::new(&self.chance);
        let arrival = customer.fetch_answer(&link, &intention, Destination::Elsewhere, &trace).await?;
        let fragment = arrival.url.fragment().unwrap_or_default().as_bytes().to_vec();
        let code = url::form_urlencoded::parse(&fragment).find(|(name, _)| name == "code").ok_or("no code")?.1;
        let redeem = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", callback.as_str())];
        let tokens = self.answer(&http, &endpoint, &redeem).await?;
        Ok(tokens["refresh_token"].as_str().ok_or("no refresh token")?.to_owned())
    }

    async fn answer(&self, http: &HttpClient, url: &Url, pairs: &[(&str, &str)]) -> Result<Value, Failed> {
        let assertion = self.assertion()?;
        let mut form = vec![("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.as_str())];
        form.extend(pairs);
        Ok(http.post(url).form(&form).send().await?.json()?)
    }

    /// Sends requests over so many connections.
    async fn run(
        &self,
        target: &Target,
        (protocol, connections): Over,
        pairs: &[(&str, &str)],
    ) -> Result<Measured, Failed> {
        let each = REQUESTS / connections;
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let http = self.client(Some(&self.identity), protocol)?;
            let assertions = (0..each).map(|_| self.assertion()).collect::<Result<Vec<_>, _>>()?;
            // The connection is there before the clock starts.
            self.answer(&http, &target.url, pairs).await?;
            tasks.push((http, assertions));
        }
        let (began, used) = (Instant::now(), target.processor_time());
        let running: Vec<_> = tasks
            .into_iter()
            .map(|(http, assertions)| {
                let url = target.url.clone();
                let pairs: Vec<(String, String)> =
                    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
                tokio::spawn(async move {
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
        let many = all.len() as f64;
        let processor = target.processor_time().zip(used).map(|(after, before)| (after - before) * 1e6 / many);
        let slow = all.get(all.len() * 99 / 100).copied().unwrap_or_default();
        Ok(Measured { rate: many / elapsed, slow, processor })
    }

    /// How often one core signs and verifies in a second.
    fn floor(&self) -> Result<(f64, f64), Failed> {
        let keys = KeySet::from_jwks(&Jwks { keys: vec![self.signing.public_jwk().clone()] });
        let token = Jws::parse(&self.assertion()?)?;
        let per_second = |work: &dyn Fn() -> Result<(), Failed>| {
            let (began, used, mut times) = (Instant::now(), processor_time("self"), 0.0);
            while began.elapsed() < Duration::from_secs(2) {
                work()?;
                times += 1.0;
            }
            // By processor time where there is one to read: other work on the machine takes turns with this.
            let used = processor_time("self").zip(used).map(|(after, before)| after - before);
            Ok::<f64, Failed>(times / used.unwrap_or(began.elapsed().as_secs_f64()))
        };
        let sign = per_second(&|| Ok(self.signing.sign_claims(None, &json!({ "a": 1 })).map(drop)?))?;
        let verify = per_second(&|| Ok(token.verify(&keys, &[Algorithm::Ps256])?))?;
        Ok((sign, verify))
    }
}

/// Prints what a run measured; `floor` is the time that its cryptography takes, in microseconds.
fn tell((protocol, connections): Over, what: &str, measured: &Measured, floor: f64) {
    let Measured { rate, slow, processor } = measured;
    let protocol = match protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    };
    print!("{connections} connections, {protocol}, {what}: {rate:.0} requests a second, 99 of 100 within {slow:.1?}");
    if let Some(used) = processor {
        print!(", {used:.0} us of processor time each");
        if floor > 0.0 {
            print!(", {:.0} % of them cryptography", 100.0 * floor / used);
        }
    }
    println!();
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let temporary = tempfile::tempdir()?;
    let stop = Stop::new();
    let (mut own, mut floor) = (None, None);
    let load = match arguments.as_slice() {
        [] => {
            let data = temporary.path().to_owned();
            let place = Place { data, ..Place::default() };
            let hosted = hosting::start(&place, &stop).await?;
            let client_id = Runner::new(hosted.ecosystem()?)?.join(&hosted.bank.name).await?;
            let load = Load::new(Places::own(&hosted)?, client_id)?;
            own = Some(hosted);
            load
        }
        [floor, folder] if floor == "floor" => return floor::serve_until_closed(Path::new(folder)).await,
        [folder, client_id, process] => {
            floor = Some(Floor::start(Path::new(folder))?);
            Load::new(Places::of_another_process(Path::new(folder), process.parse()?)?, client_id.clone())?
        }
        _ => return Err("token_load [FOLDER CLIENT PID]".into()),
    };
    let (sign, verify) = load.floor()?;
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cores} cores, shared by bank and load; one core signs {sign:.0} and verifies {verify:.0} times a second"
    );
    let refresh = load.refresh_token().await?;
    let endpoint = load.places.token_endpoint()?;
    for over in [16, 64].into_iter().flat_map(|many| [(Protocol::Http1, many), (Protocol::Http2, many)]) {
        let own = [("grant_type", "client_credentials"), ("scope", "accounts")];
        tell(over, "client_credentials", &load.run(&endpoint, over, &own).await?, 1e6 / verify);
        let renewal = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        tell(over, "refresh_token", &load.run(&endpoint, over, &renewal).await?, 1e6 / verify + 1e6 / sign);
        if let Some(floor) = &floor {
            for (path, what) in [(floor::CONSTANT, "a constant"), (floor::COMMIT, "a constant after a commit")] {
                tell(over, what, &load.run(&floor.target(path)?, over, &own).await?, 0.0);
            }
        }
    }
    stop.trigger();
    if let Some(hosted) = own {
        hosted.ended().await;
    }
    Ok(())
}
