//! Bringing a bank up: listeners, keys, enrolment at the Directory, books, and the authorization server on top.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use fapi::{Deviations, Endpoints, Engine, Profile, client::AuthenticationMethod, deviation::Rogue, metadata};
use jose::{Algorithm, Jwk, Jwks, SigningKey, jwe::DecryptionKey};
use ledger::{Books, Personas, orders::Terms};
use openbanking::{
    directory::{AuthorisationServerRequest, EnrolmentRequest},
    discovery::WELL_KNOWN,
    ssa::Role,
};
use party::{
    DataDirectory, Lesson, Owner, StartError, Tools, control,
    participant::{DirectoryAddress, DirectoryClient, Membership, enrol, find_directory},
    sweeping::{keep_swept, sweep, sweep_engine},
};
use pki::Certificate;
use simulation::{Chance, Trace};
use store::{SledStore, Store};
use time::Date;
use tokio::task::JoinHandle;
use transport::{ClientCertificates, ClientSettings, HttpClient, ServerTls};
use url::Url;

use crate::{
    Context, Documents, ProfileName, Settings, Urls,
    api::{allowance::Allowance, idempotency},
    app,
    authorization::{login_page::LoginPage, session},
    back_office,
    bank::{Bank, Organisation},
    clients,
    customers::{self, Customers},
    dashboard::{
        self,
        uses::{self, Uses},
    },
    memory::{KEYS_TIMEOUT, Memory},
    money::{self, CommandFailure, Money},
    pages::Pages,
    participants::{self, Revocations, Trusted, Watch},
    rates::Rates,
    routes,
};

const PUBLIC: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8450);
const MTLS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8451);

/// A customer's credentials, for people who try the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
    /// One-time password.
    pub one_time_password: String,
    /// Name of the person.
    pub name: String,
}

/// A bank that runs.
pub struct Running {
    /// Name of the bank.
    pub name: String,
    /// Its listeners.
    pub urls: Urls,
    /// Its control port.
    pub control: SocketAddr,
    /// Where its certificates and keys were exported.
    pub exports: PathBuf,
    /// Who can log in.
    pub logins: Vec<Login>,
    /// Its listeners' tasks; they end when the tools' [`transport::Stop`] is triggered.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Starts a bank and returns when it serves and the Directory knows it.
///
/// # Errors
/// A port is taken, the configuration or the store cannot be used, or the Directory does not let the bank in.
pub async fn start(settings: Settings, tools: Tools) -> Result<Running, StartError> {
    let mut tools = tools;
    tools.lesson = Lesson::new(settings.lesson.unwrap_or_default(), crate::catalogue());
    let bank = Bank::load(settings.bank.as_deref()).map_err(|error| StartError::Configuration(error.to_string()))?;
    let personas = money::personas(settings.personas.as_deref())?;
    let login_page = LoginPage::load(settings.login_page.as_ref(), settings.login_keys.as_deref())?;
    let configured = clients::load(settings.clients.as_deref())?;
    let pages = Pages::new(tools.lesson.clone())
        .map_err(|error| StartError::Other(format!("a page cannot be used: {error}")))?;
    let data = DataDirectory::open(settings.data.as_deref().unwrap_or(".ob-aspsp".as_ref()))?;
    let Organisation { competent_authority, registration_id, .. } = &bank.organisation;
    data.claim(&Owner::organisation("ob-aspsp", competent_authority, registration_id, &bank.name))?;
    party::clock::restore(&data, &tools.clock)?;
    tools = tools.seeded(settings.chance_seed, &data)?;

    let (public, public_address) =
        party::listener::bind(settings.public_listen.unwrap_or(PUBLIC), "discovery and pages").await?;
    let (mtls, mtls_address) =
        party::listener::bind(settings.mtls_listen.unwrap_or(MTLS), "the token endpoint and the APIs").await?;
    let token = settings.control_token.clone();
    let (control, control_address) = control::bind(settings.control(), token.as_deref()).await?;
    let urls = Urls {
        public: party::own_url(settings.public_url.clone(), public_address)?,
        mtls: party::own_url(settings.mtls_url.clone(), mtls_address)?,
    };

    let path = data.join("store");
    let opened = tokio::task::spawn_blocking(move || SledStore::open(&path))
        .await
        .map_err(|error| StartError::Other(error.to_string()))??;
    if let Some(aside) = opened.set_aside {
        tracing::warn!(path = %aside.display(), "the store could not be read and was set aside; the bank begins anew");
    }
    let store: Arc<dyn Store> = Arc::new(opened.store);

    let seed = settings.seed.unwrap_or(1);
    let trace = Trace::new(&tools.chance);
    let directory_url = settings.directory.clone().unwrap_or(default_directory()?);
    let anchor = settings.trust_anchor.clone().unwrap_or_else(|| ".ob-directory/public/trust-anchor.pem".into());
    let finding = find_directory(&directory_url, &anchor, &tools, &trace);
    let request = enrolment(&bank);
    let names = party::server_names([&urls.public, &urls.mtls]);
    let enrolling = async { enrol(finding, &request, &names, &data, &tools, &trace).await.map_err(StartError::from) };
    let date = money::reference_date(&*store, seed, tools.clock.now()).await?;
    let ((directory, membership), (personas, books), keys) =
        tokio::try_join!(enrolling, books(personas, seed, date), Keys::load_or_create(&data))?;

    let membership = Arc::new(membership);
    let http = client(&membership, &tools)?;
    let trusted = Trusted {
        authorities: authorities(settings.client_authorities.as_deref())?,
        self_signed: settings.self_signed_clients.unwrap_or_default(),
    };
    let off = tools.lesson.switched_off();
    let revocations = Revocations::begin(&directory, Arc::clone(&membership), http.clone(), trusted, off).await?;
    let public_tls = Arc::new(ServerTls::new(&membership.server, ClientCertificates::Unasked, &[])?);

    if tools.lesson.is_on() {
        tools.lesson = tools.lesson.with_deviations(deviations(&data, membership.signing.kid()).await?);
    }
    let profile = Arc::new(Profile {
        switched_off: tools.lesson.switched_off(),
        deviations: tools.lesson.deviations(),
        ..profile(&settings, &urls, &directory, &membership)
    });
    let documents = documents(&profile, &membership, &keys)?;
    clients::settle(&*store, configured, &profile, tools.clock.now()).await?;
    let logins = logins(&personas, &books);
    let customers = Customers::new(&personas, &books);
    if let Some(username) = &bank.auto_approve {
        if customers.named(username).is_none() {
            return Err(StartError::Configuration(format!("auto-approve: there is no customer {username}")));
        }
        tracing::warn!("AUTO-APPROVAL: every authorisation is confirmed by {username} at once, and nobody sees a page");
    }
    let rates = Rates::of(&personas).map_err(|error| StartError::Configuration(error.to_string()))?;
    bank.payments.check(&rates).map_err(StartError::Configuration)?;
    let limits = rates.currencies().map(|currency| (currency, bank.payments.limits(currency))).collect();
    let terms = Terms { timing: bank.payments.settlement.into(), limits };
    let money = Money::restore(books, &*store, terms, tools.clock.now()).await.map_err(|error| match error {
        CommandFailure::Refused(error) => StartError::Configuration(format!("payments: {error}")),
        error => StartError::Other(format!("the books cannot be made again: {error}")),
    })?;
    let memory = Memory::new(store, http.clone(), tools.clock.clone());
    let memory = if settings.chance_seed.is_some() { memory.impatient() } else { memory };
    let chance: Chance = tools.chance.clone();
    let engine = Engine::new(memory, profile, Arc::clone(&membership.signing), move || chance.bytes())
        .with_elliptic(Arc::new(keys.elliptic))
        .with_decryption(Arc::new(keys.decryption));
    let context = Arc::new(Context {
        engine,
        tools: tools.clone(),
        pages,
        customers,
        login_page,
        money,
        rates,
        allowance: Allowance::default(),
        uses: Uses::default(),
        urls: urls.clone(),
        documents,
        bank,
    });
    // What goes on in its own time draws from a chance of its own.
    let aside = Tools { chance: tools.chance.fork(), ..tools.clone() };
    let asking = DirectoryClient::new(directory.clone(), &membership, "ASPSPReadAccess ASPSPManage", &aside)?;
    let mtls_tls = revocations.tls();
    let watch = Arc::new(Watch { directory: asking, revocations });
    let mut controls = participants::routes(Arc::clone(&watch));
    controls.extend(control::misbehaviour_routes());
    controls.extend(back_office::routes());
    let public_router = Arc::new(routes::public(Arc::clone(&context))?);
    let mtls_router = Arc::new(routes::mutual(Arc::clone(&context))?);
    let mut tasks = vec![
        transport::serve(public, Some(public_tls), public_router, tools.observer(), tools.stop.clone()),
        transport::serve(mtls, Some(mtls_tls), mtls_router, tools.observer(), tools.stop.clone()),
        control::serve(control, token, Arc::clone(&context), &data, &tools, controls)?,
    ];
    announce(&context, &watch.directory, &trace).await?;
    if settings.chance_seed.is_none() {
        tasks.push(tokio::spawn(participants::keep_fresh(Arc::clone(&context), Arc::clone(&watch))));
    }
    let name = context.bank.name.clone();
    let (swept, clock) = (Arc::clone(&context), tools.clock.clone());
    tasks.push(tokio::spawn(keep_swept(tools.clone(), move || {
        let (context, now) = (Arc::clone(&swept), clock.now());
        async move {
            let store = context.store();
            let sessions = sweep(store, session::collection(), |session| session.over(now)).await?;
            let logins = sweep(store, dashboard::session::collection(), |session| session.expires_at <= now).await?;
            let questions = sweep(store, uses::questions(), |question| question.at + uses::KEPT <= now).await?;
            let devices = sweep(store, app::device::collection(), |device| device.expires_at <= now).await?;
            let attempts = sweep(store, customers::attempts(), |attempts| attempts.over(now)).await?;
            let keys = sweep(store, idempotency::collection(), |key| key.expires_at <= now).await?;
            Ok(sessions + logins + questions + devices + attempts + keys + sweep_engine(store, now).await?)
        }
    })));
    if settings.chance_seed.is_none() {
        tasks.push(tokio::spawn(participants::keep_revocations(watch, tools.stop.clone())));
    } else {
        // A run that repeats does nothing at times of its own: it asks the Directory now, and when it is told to.
        participants::refresh(&context, &watch, &trace).await.map_err(|error| StartError::Other(error.to_string()))?;
    }
    Ok(Running { name, urls, control: control_address, exports: data.join("exports"), logins, tasks })
}

/// The certificates in this file; none without one.
fn authorities(path: Option<&Path>) -> Result<Vec<Certificate>, StartError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let wrong = |error: &dyn std::fmt::Display| {
        StartError::Configuration(format!("client-authorities: {}: {error}", path.display()))
    };
    let pem = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    Certificate::all_from_pem(&pem).map_err(|error| wrong(&error))
}

fn default_directory() -> Result<Url, StartError> {
    Url::parse("https://localhost:8440").map_err(|error| StartError::Other(error.to_string()))
}

fn enrolment(bank: &Bank) -> EnrolmentRequest {
    EnrolmentRequest {
        legal_entity_name: bank.organisation.legal_name.clone(),
        organisation_common_name: Some(bank.name.clone()),
        register_body: bank.organisation.competent_authority.clone(),
        registration_id: bank.organisation.registration_id.clone(),
        roles: vec![Role::Aspsp],
        contacts: Vec::new(),
    }
}

/// Makes the books beside everything else: two years of transactions take a moment.
async fn books(personas: Personas, seed: u64, date: Date) -> Result<(Personas, Books), StartError> {
    let made = tokio::task::spawn_blocking(move || {
        let books = ledger::generate(&personas, seed, date)?;
        Ok::<_, ledger::GenerateError>((personas, books))
    });
    let made = made.await.map_err(|error| StartError::Other(error.to_string()))?;
    made.map_err(|error| StartError::Configuration(format!("the personas cannot be used: {error}")))
}

fn logins(personas: &Personas, books: &Books) -> Vec<Login> {
    let login = |persona: &ledger::personas::Persona| Login {
        username: persona.username.clone(),
        password: persona.password.clone(),
        one_time_password: persona.one_time_password.as_str().to_owned(),
        name: books.customer_by_username(&persona.username).map(ledger::Customer::name).unwrap_or_default(),
    };
    personas.personas.iter().map(login).collect()
}

fn client(membership: &Membership, tools: &Tools) -> Result<HttpClient, StartError> {
    Ok(HttpClient::https_only(ClientSettings {
        party: tools.journal.party(),
        anchors: vec![membership.anchor.clone()],
        identity: Some(&membership.transport),
        journal: Some(tools.journal.clone()),
        clock: tools.clock.clone(),
        chance: tools.chance.fork(),
        cookies: false,
        timeout: KEYS_TIMEOUT,
    })?)
}

fn profile(settings: &Settings, urls: &Urls, directory: &DirectoryAddress, membership: &Membership) -> Profile {
    let endpoints = Endpoints {
        authorization: Some(urls.page("/authorize")),
        token: urls.api("/token"),
        mtls_token: urls.api("/token"),
        registration: Some(urls.api("/register")),
        jwks: urls.page("/jwks"),
        pushed: Some(urls.api("/par")),
        introspection: Some(urls.api("/introspect")),
        revocation: Some(urls.api("/revoke")),
        userinfo: Some(urls.api("/userinfo")),
    };
    let (issuer, own) = (urls.issuer(), membership.organisation_id.clone());
    let mut profile = match settings.profile.unwrap_or_default() {
        ProfileName::Fapi1AdvancedUk => Profile::fapi1_advanced_uk(issuer, own, endpoints),
        ProfileName::Fapi1Advanced => Profile::fapi1_advanced(issuer, own, endpoints),
    };
    let on = |setting: Option<bool>| setting.unwrap_or_default();
    profile.rotation = on(settings.rotate_refresh_tokens);
    profile.jwt_access_tokens = on(settings.jwt_access_tokens);
    profile.resource = urls.api("/open-banking");
    profile.unfinished_authorisations = settings.unfinished_authorisations.unwrap_or(profile.unfinished_authorisations);
    if on(settings.self_signed_clients) {
        profile.authentication_methods.push(AuthenticationMethod::SelfSignedTlsClientAuth);
    }
    if on(settings.client_secrets) {
        let with_secret = AuthenticationMethod::ALL.into_iter().filter(|method| method.has_secret());
        profile.authentication_methods.extend(with_secret);
    }
    profile.directory_jwks_uri = Some(directory.jwks.clone());
    profile
}

/// Keys that no certificate is about.
struct Keys {
    elliptic: SigningKey,
    decryption: DecryptionKey,
}

impl Keys {
    async fn load_or_create(data: &DataDirectory) -> Result<Self, StartError> {
        let data = data.clone();
        let made = tokio::task::spawn_blocking(move || {
            let key = data.load_or_create_key("encryption")?;
            let unusable =
                |error: jose::KeyError| StartError::Other(format!("the encryption key cannot be used: {error}"));
            let kid = Jwk::from_rsa_public_der(key.public_key_der()).map_err(unusable)?.thumbprint();
            let decryption = DecryptionKey::from_pkcs8_der(&kid, key.pkcs8_der()).map_err(unusable)?;
            Ok::<_, StartError>(Self { elliptic: data.load_or_create_es256("elliptic")?, decryption })
        });
        made.await.map_err(|error| StartError::Other(error.to_string()))?
    }
}

/// What the bank needs to misbehave: a key that is not its own, and its own one for another algorithm.
async fn deviations(data: &DataDirectory, kid: &str) -> Result<Deviations, StartError> {
    let (data, kid) = (data.clone(), kid.to_owned());
    let made = tokio::task::spawn_blocking(move || {
        let key = |name: &str, algorithm| {
            let key = data.load_or_create_key(name)?;
            SigningKey::from_pkcs8_der(&kid, algorithm, key.pkcs8_der())
                .map_err(|error| StartError::Other(format!("the key {name} cannot be used: {error}")))
        };
        let rogue = Rogue { other: key("rogue", Algorithm::Ps256)?, rs256: key("signing", Algorithm::Rs256)? };
        Ok::<_, StartError>(Deviations::armed(rogue))
    });
    made.await.map_err(|error| StartError::Other(error.to_string()))?
}

fn documents(profile: &Profile, membership: &Membership, keys: &Keys) -> Result<Documents, StartError> {
    let json = |value: serde_json::Result<Vec<u8>>| {
        value.map(Bytes::from).map_err(|error| StartError::Other(format!("a document cannot be written: {error}")))
    };
    let own = [membership.signing.public_jwk(), keys.elliptic.public_jwk(), keys.decryption.public_jwk()];
    let jwks = Jwks { keys: own.into_iter().cloned().collect() };
    Ok(Documents {
        configuration: json(serde_json::to_vec(&metadata::document(profile)))?,
        jwks: json(serde_json::to_vec(&jwks))?,
    })
}

/// Tells the Directory where the authorization server is, so that TPPs find it by asking.
async fn announce(context: &Context, client: &DirectoryClient, trace: &Trace) -> Result<(), StartError> {
    let configuration = context.urls.page(WELL_KNOWN);
    let mut server = AuthorisationServerRequest::new(&context.bank.name, &configuration);
    server.resource_base = Some(context.urls.api("/open-banking"));
    server.registration_endpoint = context.engine.profile().endpoints.registration.clone();
    server.api_families = context.bank.endpoints_off.offered();
    client.register_authorisation_server(&server, trace).await?;
    Ok(())
}
