//! One shared PKI, a small party, and ways to talk to it.

use std::{
    net::SocketAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{Method, StatusCode};
use pki::{Authority, Certificate, Participant, PrivateKey, Profile, PspRole};
use rules::{Evidence, Refusal, Rule};
use serde_json::{Value, json};
use simulation::{Chance, Clock, Faults, Filter, Journal, SeenToken};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use transport::{
    ClientSettings, HttpClient, Identity, Observer, Problem, Request, Response, Router, ServerTls, Stop, reply, route,
    serve,
};
use url::Url;

/// A rule that the party's handler refuses by.
pub(crate) static POLITE: Rule =
    Rule { id: "test.polite", reason: "One says please.", unmet: "Not met: One says please.", clause: "Manners, 1" };

/// The PKI of all tests.
pub(crate) static PKI: LazyLock<Pki> = LazyLock::new(Pki::new);

pub(crate) struct Pki {
    pub(crate) now: OffsetDateTime,
    pub(crate) authority: Authority,
    pub(crate) stranger: Authority,
    pub(crate) server: Identity,
    pub(crate) client: Identity,
    /// A client whose certificate the strange authority issued.
    pub(crate) strange_client: Identity,
}

impl Pki {
    fn new() -> Self {
        let now = Clock::real().true_now();
        let authority = Authority::create(now, "Test").unwrap();
        let stranger = Authority::create(now, "Stranger").unwrap();
        let names = ["localhost", "bank.localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let client = obwac();
        Self {
            server: identity(&authority, &Profile::Server { names }, 1, now),
            client: identity(&authority, &client, 2, now),
            strange_client: identity(&stranger, &client, 3, now),
            now,
            authority,
            stranger,
        }
    }

    pub(crate) fn anchors(&self) -> Vec<Certificate> {
        vec![self.authority.root().clone()]
    }
}

/// What the certificate of the client says.
pub(crate) fn obwac() -> Profile {
    Profile::Obwac(Participant {
        organisation_identifier: "PSDGB-OB-Unknown0015800001041RHAAY".into(),
        organisation_id: "0015800001041RHAAY".into(),
        legal_name: "A Fintech".into(),
        roles: vec![PspRole::AccountInformation],
    })
}

pub(crate) fn identity(authority: &Authority, profile: &Profile, serial: u8, now: OffsetDateTime) -> Identity {
    let key = PrivateKey::generate_rsa().unwrap();
    let leaf = authority.issue(key.public_key_der(), profile, [serial; 16], now).unwrap();
    Identity { chain: vec![leaf, authority.issuing().clone()], key }
}

/// What the party's handlers share.
#[derive(Default)]
pub(crate) struct Context {
    /// A request has reached the slow handler.
    pub(crate) entered: Notify,
    /// The slow handler may answer.
    pub(crate) release: Notify,
    /// How often the working handler worked.
    pub(crate) worked: AtomicU64,
}

async fn echo(_: Arc<Context>, request: Request) -> Response {
    let certificate = request.caller.certificate.as_ref().map(|certificate| certificate.facts());
    let answer = json!({
        "method": request.method.as_str(),
        "item": request.params.get("item"),
        "query": request.query,
        "host": request.header("host"),
        "cookie": request.cookie("session"),
        "body": request.body.len(),
        "subject": certificate.map(|facts| facts.subject.clone()),
        "thumbprint": certificate.map(|facts| facts.thumbprint_s256.clone()),
        "anchored": request.caller.anchored,
        "tls": request.caller.tls,
    });
    let mut response = reply::json(StatusCode::OK, &answer);
    response.headers_mut().insert("set-cookie", "session=one; Path=/; Secure; HttpOnly".parse().unwrap());
    response
}

async fn refuse(_: Arc<Context>, _: Request) -> Result<Response, Response> {
    let refusal = Refusal::new(&POLITE, (), Evidence::missing("please"));
    let mut response = reply::empty(StatusCode::FORBIDDEN);
    response.extensions_mut().insert(refusal.verdict());
    let token = SeenToken::new("assertion", "h.c.s", |_| Some((json!({"alg": "PS256"}), json!({"iss": "me"}))));
    response.extensions_mut().insert(Vec::from_iter(token));
    Err(response)
}

async fn panicking(_: Arc<Context>, request: Request) -> Response {
    assert!(request.path.is_empty(), "a defect");
    reply::empty(StatusCode::OK)
}

async fn slow(context: Arc<Context>, _: Request) -> Response {
    context.entered.notify_one();
    context.release.notified().await;
    reply::text(StatusCode::OK, "at last")
}

/// Gives back the body and the signature that it got.
async fn work(context: Arc<Context>, request: Request) -> Response {
    context.worked.fetch_add(1, Ordering::SeqCst);
    let mut response = reply::bytes(StatusCode::CREATED, "text/plain", request.body.clone());
    if let Some(signature) = request.headers.get("x-jws-signature") {
        response.headers_mut().insert("x-jws-signature", signature.clone());
    }
    response
}

async fn elsewhere(_: Arc<Context>, _: Request) -> Response {
    reply::redirect(StatusCode::FOUND, "/items/1")
}

async fn large(_: Arc<Context>, _: Request) -> Response {
    reply::bytes(StatusCode::OK, "application/octet-stream", vec![0; 8 * 1024 * 1024 + 1])
}

fn problem(_: &Context, request: &Request, problem: &Problem) -> Response {
    let status = match problem {
        Problem::UnknownPath => StatusCode::NOT_FOUND,
        Problem::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Problem::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Problem::BodyUnreadable => StatusCode::BAD_REQUEST,
        Problem::HandlerPanicked => StatusCode::INTERNAL_SERVER_ERROR,
    };
    reply::json(status, &json!({"problem": problem.to_string(), "path": request.path}))
}

/// A party on a free port.
pub(crate) struct Party {
    pub(crate) address: SocketAddr,
    pub(crate) context: Arc<Context>,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    pub(crate) clock: Clock,
    pub(crate) tls: Option<Arc<ServerTls>>,
    pub(crate) stop: Stop,
    pub(crate) serving: JoinHandle<()>,
}

impl Party {
    /// Over TLS, asking for client certificates of the shared authority.
    pub(crate) async fn secure() -> Self {
        let tls = ServerTls::new(&PKI.server, transport::ClientCertificates::Anchored(&PKI.anchors()), &[]).unwrap();
        Self::start(Some(Arc::new(tls))).await
    }

    pub(crate) async fn plain() -> Self {
        Self::start(None).await
    }

    async fn start(tls: Option<Arc<ServerTls>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let context = Arc::new(Context::default());
        let routes = [
            route(Method::GET, "/items/{item}", echo),
            route(Method::POST, "/items", echo).body_limit(10),
            route(Method::GET, "/refused", refuse),
            route(Method::GET, "/defect", panicking),
            route(Method::GET, "/slow", slow),
            route(Method::GET, "/elsewhere", elsewhere),
            route(Method::GET, "/large", large),
            route(Method::POST, "/work/{item}", work),
        ];
        let router = Arc::new(Router::new(Arc::clone(&context), routes, problem).unwrap());
        let journal = Journal::new("bank", 100);
        let (faults, clock) = (Faults::default(), Clock::real());
        let observer = Observer {
            journal: Some(journal.clone()),
            clock: clock.clone(),
            chance: Chance::from_seed(1),
            faults: faults.clone(),
        };
        let stop = Stop::new();
        let serving = serve(listener, tls.clone(), router, observer, stop.clone());
        Self { address, context, journal, faults, clock, tls, stop, serving }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://bank.localhost:{}{path}", self.address.port()).parse().unwrap()
    }

    pub(crate) fn exchanges(&self) -> Vec<simulation::Exchange> {
        self.journal.recent(&Filter::default())
    }

    /// Sends bytes over plain TCP and reads until the party closes.
    pub(crate) async fn raw(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// The exchange with this number, as soon as it is in the journal.
pub(crate) async fn written(journal: &Journal, number: u64) -> simulation::Exchange {
    let recorded = async {
        while journal.last() < number {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), recorded).await.unwrap();
    journal.recent(&Filter { after: Some(number - 1), limit: Some(1), ..Filter::default() }).remove(0)
}

/// A client that trusts the shared authority.
pub(crate) fn client(identity: Option<&Identity>) -> HttpClient {
    HttpClient::new(settings(identity)).unwrap()
}

pub(crate) fn settings(identity: Option<&Identity>) -> ClientSettings<'_> {
    ClientSettings {
        party: "fintech",
        anchors: PKI.anchors(),
        identity,
        journal: None,
        clock: Clock::real(),
        chance: Chance::from_seed(2),
        cookies: false,
        timeout: Duration::from_secs(20),
    }
}

/// What the echo handler saw.
pub(crate) async fn seen(client: &HttpClient, url: &Url) -> Value {
    let answer = client.get(url).send().await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    answer.json().unwrap()
}
