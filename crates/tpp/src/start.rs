//! Bringing a TPP up: its control port at once, its callback as soon as it has a certificate.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use jose::Jwks;
use openbanking::directory::{Contact, ContactType, EnrolmentRequest};
use party::{
    DataDirectory, Lesson, Owner, StartError, Tools, control as control_port,
    participant::{ParticipantError, make_keys},
};
use pki::Certificate;
use simulation::{Clock, Trace};
use store::{SledStore, Store};
use tokio::{sync::Mutex, task::JoinHandle};
use url::Url;

use crate::{
    Door, Settings, Tpp,
    callback::Pages,
    control,
    disguise::Disguises,
    identity::OwnIdentity,
    memory::{ClientTokens, KeySets},
    profile::{Organisation, Profile},
    records::Records,
    tampering::Shelf,
};

const PUBLIC: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8460);

/// A TPP that runs.
pub struct Running {
    /// Name of the organisation.
    pub name: String,
    /// Where its callback is served once it is onboarded.
    pub public: Url,
    /// Its control port.
    pub control: SocketAddr,
    /// Where its certificates and keys are exported when it is onboarded.
    pub exports: PathBuf,
    /// Whom a TPP with keys of its own trusts, and so its customers do; none of one that the Directory knows.
    pub trusts: Vec<Certificate>,
    /// The control port's task; it ends when the tools' [`transport::Stop`] is triggered.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Starts a TPP. It does not look for the Directory before it is told to onboard, unless it was onboarded before.
///
/// # Errors
/// A port is taken, or the configuration or the store cannot be used.
pub async fn start(settings: Settings, tools: Tools) -> Result<Running, StartError> {
    let lesson = Lesson::new(settings.lesson.unwrap_or_default(), crate::rules_of_a_client());
    let tools = Tools { lesson, ..tools };
    let profile =
        Profile::load(settings.profile.as_deref()).map_err(|error| StartError::Configuration(error.to_string()))?;
    let anchor = settings.trust_anchor.clone().unwrap_or_else(|| ".ob-directory/public/trust-anchor.pem".into());
    let own = own_identity(&profile, &anchor, &tools)?;
    let pages = Pages::new().map_err(|error| StartError::Other(format!("a page cannot be used: {error}")))?;
    let data = DataDirectory::open(settings.data.as_deref().unwrap_or(".ob-tpp".as_ref()))?;
    let Organisation { legal_name, competent_authority, registration_id, .. } = &profile.organisation;
    data.claim(&Owner::organisation("ob-tpp", competent_authority, registration_id, legal_name))?;
    party::clock::restore(&data, &tools.clock)?;
    let tools = tools.seeded(settings.chance_seed, &data)?;
    let (callback, address) =
        party::listener::bind(settings.public_listen.unwrap_or(PUBLIC), "the callback server").await?;
    let token = settings.control_token.clone();
    let (control, control_address) = control_port::bind(settings.control(), token.as_deref()).await?;
    let public = party::own_url(settings.public_url, address)?;
    let callback_uri =
        public.join(&profile.software.callback).map_err(|error| StartError::Configuration(error.to_string()))?;
    let known_uri = own.as_ref().and_then(|own| own.redirect_uri.clone());
    let redirect_uri = known_uri.unwrap_or_else(|| callback_uri.clone());
    let serves_redirect_uri = redirect_uri == callback_uri && own.as_ref().is_none_or(|own| own.callback.is_some());
    if own.is_none() {
        // Onboarding then has no keys to wait for.
        make_keys(&data).await?;
    }
    let trusts = own.as_ref().and_then(|own| own.trust.clone()).unwrap_or_default();
    let path = data.join("store");
    let opened = tokio::task::spawn_blocking(move || SledStore::open(&path))
        .await
        .map_err(|error| StartError::Other(error.to_string()))??;
    if let Some(aside) = opened.set_aside {
        tracing::warn!(path = %aside.display(), "the store could not be read and was set aside; the TPP begins anew");
    }
    let store: Arc<dyn Store> = Arc::new(opened.store);
    let default_directory =
        || Url::parse("https://localhost:8440").map_err(|error| StartError::Other(error.to_string()));
    let directory = settings.directory.map_or_else(default_directory, Ok)?;

    let tpp = Arc::new(Tpp {
        clock: tools.clock.clone(),
        chance: tools.chance.clone(),
        store,
        records: Records::default(),
        redirect_uri: redirect_uri.into(),
        serves_redirect_uri,
        own,
        switched_off: tools.lesson.switched_off(),
        key_sets: KeySets::default(),
        client_tokens: ClientTokens::default(),
        pages,
        disguises: Disguises::default(),
        shelf: Shelf::default(),
        directory,
        trust_anchor: anchor,
        server_names: party::server_names([&public]),
        door: Mutex::new(Door { member: None, callback: Some(callback) }),
        data: data.clone(),
        profile,
        tools: tools.clone(),
    });
    let tasks = vec![control_port::serve(control, token, Arc::clone(&tpp), &data, &tools, control::routes())?];
    if tpp.onboarded().await? {
        let trace = Trace::new(&tools.chance);
        if let Err(failure) = tpp.become_member(&trace).await {
            if tools.stop.is_triggered() {
                return Err(ParticipantError::Stopped.into());
            }
            return Err(StartError::Other(format!("cannot take up its membership: {}", failure.what)));
        }
    }
    let name = tpp.profile.organisation.legal_name.clone();
    Ok(Running { name, public, control: control_address, exports: data.join("exports"), trusts, tasks })
}

/// The public key of the profile's identity as a JWK set (RFC 7517, 5).
///
/// # Errors
/// The profile cannot be used, or has no identity of its own: the keys of a TPP that enrols are at the Directory.
pub fn public_keys(settings: &Settings) -> Result<String, StartError> {
    let wrong = |error: String| StartError::Configuration(error);
    let profile = Profile::load(settings.profile.as_deref()).map_err(|error| wrong(error.to_string()))?;
    let files = profile.identity.as_ref().ok_or_else(|| {
        wrong("the profile has no identity: the keys of a TPP that enrols are in the Directory's key sets".to_owned())
    })?;
    let now = Clock::real().true_now();
    let own = files.read(&profile.folder, now).map_err(|error| wrong(error.to_string()))?;
    let keys = Jwks { keys: vec![own.signing.public_jwk().clone()] };
    serde_json::to_string_pretty(&keys).map_err(|error| StartError::Other(error.to_string()))
}

/// The identity that the profile names, with whom it trusts; none of a TPP that enrols.
fn own_identity(profile: &Profile, anchor: &Path, tools: &Tools) -> Result<Option<OwnIdentity>, StartError> {
    let wrong = |error: String| StartError::Configuration(format!("the TPP profile cannot be used: {error}"));
    let Some(files) = &profile.identity else { return Ok(None) };
    let mut own = files.read(&profile.folder, tools.clock.true_now()).map_err(|error| wrong(error.to_string()))?;
    if own.trust.is_none() {
        let told = |error: &dyn std::fmt::Display| {
            wrong(format!(
                "identity.trust is not said, and the trust anchor {} cannot be used: {error}",
                anchor.display()
            ))
        };
        let text = std::fs::read_to_string(anchor).map_err(|error| told(&error))?;
        own.trust = Some(Certificate::all_from_pem(&text).map_err(|error| told(&error))?);
    }
    Ok(Some(own))
}

impl Profile {
    /// What the Directory is told when the TPP enrols.
    #[must_use]
    pub fn enrolment(&self) -> EnrolmentRequest {
        let organisation = &self.organisation;
        EnrolmentRequest {
            legal_entity_name: organisation.legal_name.clone(),
            organisation_common_name: None,
            register_body: organisation.competent_authority.clone(),
            registration_id: organisation.registration_id.clone(),
            roles: organisation.roles.clone(),
            contacts: organisation
                .contact
                .iter()
                .map(|contact| Contact {
                    r#type: ContactType::PrimaryTechnical,
                    name: contact.name.clone(),
                    email_address: contact.email.clone(),
                    phone_number: Some(contact.phone.clone()),
                })
                .collect(),
        }
    }
}
