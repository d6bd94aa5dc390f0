//! Bringing the Directory up: authority, keys, listeners.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use fapi::{Endpoints, Engine, Profile, metadata};
use jose::{Algorithm, Jwk, Jwks, SigningKey};
use party::{
    DataDirectory, Lesson, Owner, StartError, Tools, control as control_port,
    sweeping::{keep_swept, sweep, sweep_engine},
};
use pki::{Authority, AuthorityParts, Certificate, Participant, PrivateKey};
use store::{SledStore, Store};
use time::OffsetDateTime;
use tokio::task::{JoinHandle, spawn_blocking};
use transport::{ClientCertificates, Identity, ServerTls};
use url::Url;

use crate::{
    Context, Documents, Settings, Urls, certification, control, participants, refusal::DirectoryError, registry,
    routes, surroundings::Surroundings,
};

const PUBLIC: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8440);
const MTLS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8441);

/// Beginning of the authority's name.
const AUTHORITY: &str = "Open Banking Sandbox";
/// Organisation id of the Directory itself, in its own authorization server.
const OWN_ID: &str = "OpenBankingSandbox";

/// A Directory that runs.
pub struct Running {
    /// Base URL of its public listener.
    pub public: Url,
    /// Base URL of its listener with client certificates.
    pub api: Url,
    /// Its control port.
    pub control: SocketAddr,
    /// The file with the certificate that the ecosystem trusts.
    pub trust_anchor: PathBuf,
    /// Its listeners' tasks; they end when the tools' [`transport::Stop`] is triggered.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Starts a Directory and returns when it serves.
///
/// # Errors
/// A port is taken, or the configuration or the store cannot be used.
pub async fn start(settings: Settings, tools: Tools) -> Result<Running, StartError> {
    let lesson = Lesson::new(settings.lesson.unwrap_or_default(), crate::catalogue());
    let tools = Tools { lesson, ..tools };
    let participants = participants::load(settings.participants.as_deref())?;
    let data = DataDirectory::open(settings.data.as_deref().unwrap_or(".ob-directory".as_ref()))?;
    data.claim(&Owner::program("ob-directory"))?;
    party::clock::restore(&data, &tools.clock)?;
    let tools = tools.seeded(settings.chance_seed, &data)?;
    let (public, public_address) =
        party::listener::bind(settings.public_listen.unwrap_or(PUBLIC), "discovery, keys and enrolment").await?;
    let (mtls, mtls_address) = party::listener::bind(settings.mtls_listen.unwrap_or(MTLS), "the API").await?;
    let token = settings.control_token.clone();
    let (control, control_address) = control_port::bind(settings.control(), token.as_deref()).await?;
    let urls = Urls {
        public: party::own_url(settings.public_url, public_address)?,
        mtls: party::own_url(settings.mtls_url, mtls_address)?,
    };

    let keys = keys(&data, &tools);
    let path = data.join("store");
    let opening = spawn_blocking(move || SledStore::open(&path));
    let (keys, opened) = tokio::join!(keys, opening);
    let Keys { authority, server: server_key, signing } = keys?;
    let opened = opened.map_err(|error| StartError::Other(error.to_string()))??;
    if let Some(aside) = opened.set_aside {
        tracing::warn!(path = %aside.display(), "the store could not be read and was set aside; the Directory begins anew");
    }
    let store: Arc<dyn Store> = Arc::new(opened.store);
    participants::seed(&participants, &*store, &tools).await?;

    let server = server_identity(&authority, server_key, &urls, &tools)?;
    let revocations = certification::revocations(&*store, &authority, tools.clock.true_now()).await.map_err(failed)?;
    let anchors = std::slice::from_ref(authority.root());
    let public_tls = Arc::new(ServerTls::new(&server, ClientCertificates::Unasked, &[])?);
    let mtls_tls = Arc::new(ServerTls::new(&server, ClientCertificates::Anchored(anchors), &[revocations.to_vec()])?);
    let trust_anchor = data.write_public("public/trust-anchor.pem", authority.root().pem().as_bytes())?;

    let profile = Arc::new(Profile { switched_off: tools.lesson.switched_off(), ..profile(&urls) });
    let documents = documents(&profile, &signing, &authority)?;
    let chance = tools.chance.clone();
    let engine = Engine::new(Surroundings::new(store), profile, Arc::clone(&signing), move || chance.bytes());
    let context = Arc::new(Context {
        engine,
        tools: tools.clone(),
        authority,
        signing,
        policy: settings.enrolment.unwrap_or_default(),
        urls: urls.clone(),
        documents,
        revocations: tokio::sync::Mutex::new(revocations),
        tls: Arc::clone(&mtls_tls),
        server,
    });
    let (swept, clock) = (Arc::clone(&context), tools.clock.clone());
    let sweeper = tokio::spawn(keep_swept(tools.clone(), move || {
        let (context, now) = (Arc::clone(&swept), clock.now());
        async move {
            let store = context.store();
            let doors = sweep(store, registry::enrolments(), |enrolment| enrolment.expires_at <= now).await?;
            let invitations = sweep(store, registry::invitations(), |invitation| invitation.expires_at <= now).await?;
            Ok(doors + invitations + sweep_engine(store, now).await?)
        }
    }));
    let public_router = Arc::new(routes::public(Arc::clone(&context))?);
    let mtls_router = Arc::new(routes::mutual(Arc::clone(&context))?);
    let tasks = vec![
        transport::serve(public, Some(public_tls), public_router, tools.observer(), tools.stop.clone()),
        transport::serve(mtls, Some(mtls_tls), mtls_router, tools.observer(), tools.stop.clone()),
        control_port::serve(control, token, context, &data, &tools, control::routes())?,
        sweeper,
    ];
    Ok(Running { public: urls.public, api: urls.mtls, control: control_address, trust_anchor, tasks })
}

fn failed(error: DirectoryError) -> StartError {
    match error {
        DirectoryError::Failed(text) => StartError::Other(text),
        other => StartError::Other(format!("{other:?}")),
    }
}

/// What the Directory keeps secret.
struct Keys {
    authority: Authority,
    server: PrivateKey,
    signing: Arc<SigningKey>,
}

/// Loads or makes all keys, at the same time.
async fn keys(data: &DataDirectory, tools: &Tools) -> Result<Keys, StartError> {
    let key = |name: &'static str| {
        let data = data.clone();
        spawn_blocking(move || data.load_or_create_key(name))
    };
    let (server, signing) = (key("server"), key("signing"));
    let authority = spawn_blocking({
        let data = data.clone();
        let now = tools.clock.true_now();
        // Two sandboxes on one machine have authorities of different names, so that a certificate of the wrong one is
        // refused as unknown and not as a forgery.
        let name = format!("{AUTHORITY} {}", tools.chance.identifier(6));
        move || authority(&data, &name, now)
    });
    let joined = |error: tokio::task::JoinError| StartError::Other(error.to_string());
    let (authority, server, signing) = tokio::try_join!(authority, server, signing).map_err(joined)?;
    let (authority, signing) = (authority?, signing?);
    let kid = Jwk::from_rsa_public_der(signing.public_key_der()).map_err(|error| unusable(&error))?.thumbprint();
    let own = Participant {
        organisation_identifier: format!("PSDGB-OB-{OWN_ID}"),
        organisation_id: OWN_ID.to_owned(),
        legal_name: AUTHORITY.to_owned(),
        roles: Vec::new(),
    };
    let (serial, now) = (tools.chance.bytes(), tools.clock.true_now());
    let seal = authority.issue(signing.public_key_der(), &pki::Profile::Obseal(own), serial, now)?;
    let x5c = [&seal, authority.issuing()].map(Certificate::x5c).to_vec();
    let signing = SigningKey::from_pkcs8_der(&kid, Algorithm::Ps256, signing.pkcs8_der())
        .map_err(|error| unusable(&error))?
        .with_certificate(x5c, seal.facts().thumbprint_s256.clone());
    Ok(Keys { authority, server: server?, signing: Arc::new(signing) })
}

fn unusable(error: &jose::KeyError) -> StartError {
    StartError::Other(format!("the signing key cannot be used: {error}"))
}

/// The authority in the data directory, or a new one.
fn authority(data: &DataDirectory, name: &str, now: OffsetDateTime) -> Result<Authority, StartError> {
    let names = ["authority/root.pem", "authority/root.key", "authority/issuing.pem", "authority/issuing.key"];
    let [root, root_key, issuing, issuing_key] = names;
    let kept = (data.read(root)?, data.read(root_key)?, data.read(issuing)?, data.read(issuing_key)?);
    match kept {
        (Some(root_pem), Some(root_key_pem), Some(issuing_pem), Some(issuing_key_pem)) => {
            Ok(Authority::from_parts(&AuthorityParts { root_pem, root_key_pem, issuing_pem, issuing_key_pem })?)
        }
        // The root certificate is written last: without it, nobody has seen this authority yet.
        (None, ..) => {
            let authority = Authority::create(now, name)?;
            let parts = authority.to_parts();
            data.write_secret(root_key, parts.root_key_pem.as_bytes())?;
            data.write_secret(issuing_key, parts.issuing_key_pem.as_bytes())?;
            data.write_public(issuing, parts.issuing_pem.as_bytes())?;
            data.write_public(root, parts.root_pem.as_bytes())?;
            Ok(authority)
        }
        _ => Err(StartError::Other(format!(
            "the authority in {} is not complete: expected {}",
            data.path().display(),
            names.join(", ")
        ))),
    }
}

/// The Directory's own server certificate, made anew at each start.
fn server_identity(authority: &Authority, key: PrivateKey, urls: &Urls, tools: &Tools) -> Result<Identity, StartError> {
    let names = party::server_names([&urls.public, &urls.mtls]);
    let profile = pki::Profile::Server { names };
    let serial = tools.chance.bytes();
    let leaf: Certificate = authority.issue(key.public_key_der(), &profile, serial, tools.clock.true_now())?;
    Ok(Identity { chain: vec![leaf, authority.issuing().clone()], key })
}

fn profile(urls: &Urls) -> Profile {
    let endpoints = Endpoints {
        authorization: None,
        token: urls.api("/token"),
        mtls_token: urls.api("/token"),
        registration: None,
        jwks: urls.open("/keystore/openbanking.jwks"),
        pushed: None,
        introspection: None,
        revocation: None,
        userinfo: None,
    };
    let scopes = ["TPPReadAccess", "TPPManage", "ASPSPReadAccess", "ASPSPManage"].map(str::to_owned).to_vec();
    Profile::client_credentials_only(urls.open(""), OWN_ID.to_owned(), endpoints, scopes)
}

fn documents(profile: &Profile, signing: &SigningKey, authority: &Authority) -> Result<Documents, StartError> {
    let json = |value: serde_json::Result<Vec<u8>>| {
        value.map(Bytes::from).map_err(|error| StartError::Other(format!("a document cannot be written: {error}")))
    };
    let jwks = Jwks { keys: vec![signing.public_jwk().clone()] };
    Ok(Documents {
        configuration: json(serde_json::to_vec(&metadata::document(profile)))?,
        jwks: json(serde_json::to_vec(&jwks))?,
        trust_anchor: Bytes::from(authority.root().pem()),
    })
}
