//! Party: a scripted TPP. It does every step of a journey from configuration and discovery alone, when it is told to
//! through its control port, and keeps what it gets.
//!
//! - [`steps`]: what it can be told, and what it answers
//! - [`journey`]: how it does each step, from onboarding at the Directory to calls of a bank's API
//! - [`registered`], [`id_token`], [`jarm`], [`response`], [`resource`], [`message_signature`]: what it checks before it
//!   trusts a bank's answer
//! - [`identity`]: certificates and keys of its own, without a Directory
//! - [`tampering`]: what it does wrong when an attack asks for it
//! - [`start()`] brings the party up

pub mod api;
mod callback;
mod claims;
mod control;
mod disguise;
pub mod id_token;
pub mod identity;
pub mod jarm;
pub mod journey;
mod memory;
pub mod message_signature;
pub mod profile;
pub mod records;
pub mod registered;
pub mod resource;
pub mod response;
mod sameness;
mod settings;
mod start;
pub mod steps;
pub mod tampering;

use std::{path::PathBuf, sync::Arc};

use jose::SigningKey;
use party::{
    DataDirectory, Tools,
    participant::{DirectoryClient, enrol, find_directory},
};
use pki::Certificate;
use rules::SwitchedOff;
use simulation::{Chance, Clock, Trace};
use store::Store;
use tokio::{net::TcpListener, sync::Mutex};
use transport::{HttpClient, Identity};
use url::Url;

pub use settings::Settings;
pub use start::{Running, public_keys, start};

use crate::{
    callback::Pages,
    disguise::Disguises,
    identity::OwnIdentity,
    memory::{ClientTokens, KeySets},
    profile::Profile,
    records::Records,
    steps::Failure,
    tampering::Shelf,
};

/// How long the TPP waits for an answer.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Every rule that a TPP applies to what it receives, in the order in which it comes to them.
#[must_use]
pub fn rules_of_a_client() -> Vec<&'static rules::Rule> {
    [response::RULES, registered::RULES, jarm::RULES, id_token::RULES, message_signature::RULES, resource::RULES]
        .concat()
}

/// A TPP that runs. Before it is onboarded it has no certificates, and its callback listener is not served.
pub struct Tpp {
    /// What it tells about itself.
    pub profile: Profile,
    pub(crate) tools: Tools,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) records: Records,
    pub(crate) redirect_uri: String,
    /// Whether a browser that goes to the redirect URI reaches this TPP.
    pub(crate) serves_redirect_uri: bool,
    pub(crate) switched_off: SwitchedOff,
    pub(crate) key_sets: KeySets,
    pub(crate) client_tokens: ClientTokens,
    pub(crate) pages: Pages,
    pub(crate) disguises: Disguises,
    pub(crate) shelf: Shelf,
    /// Keys of its own, when it has them.
    pub(crate) own: Option<OwnIdentity>,
    data: DataDirectory,
    directory: Url,
    trust_anchor: PathBuf,
    server_names: Vec<String>,
    door: Mutex<Door>,
}

/// What onboarding opens.
#[derive(Default)]
struct Door {
    member: Option<Arc<Member>>,
    /// The callback listener, until there is a certificate to serve it with.
    callback: Option<TcpListener>,
}

/// A TPP with certificates: one that the Directory knows, or one with files of its own.
pub struct Member {
    /// Organisation id at the Directory; what its certificate says otherwise.
    pub organisation_id: String,
    /// Shown to servers that ask.
    pub transport: Identity,
    /// `kid` of the transport certificate at the Directory; its thumbprint otherwise.
    pub transport_kid: String,
    /// Signs.
    pub signing: Arc<SigningKey>,
    /// Whom the TPP trusts.
    pub anchors: Vec<Certificate>,
    /// The Directory's API; none for a TPP that did not come through it.
    directory: Option<DirectoryClient>,
    /// For calls to banks, with its transport certificate.
    pub http: HttpClient,
}

impl Member {
    /// The Directory's API.
    ///
    /// # Errors
    /// The TPP has an identity of its own.
    pub fn directory(&self) -> Result<&DirectoryClient, Failure> {
        self.directory.as_ref().ok_or_else(|| {
            Failure::new("this TPP has keys of its own and no Directory; name banks by their discovery URLs")
        })
    }
}

impl Tpp {
    /// The membership; taken up again after a restart.
    ///
    /// # Errors
    /// The TPP was never onboarded, or the Directory cannot be reached.
    pub async fn member(self: &Arc<Self>) -> Result<Arc<Member>, Failure> {
        if let Some(member) = &self.door.lock().await.member {
            return Ok(Arc::clone(member));
        }
        if self.onboarded().await? {
            return self.become_member(&Trace::new(&self.chance)).await;
        }
        Err(Failure::new("this TPP is not a member of the Directory; onboard first"))
    }

    /// Enrols at the Directory, or takes up an earlier enrolment, and begins to serve the callback. With an identity of its
    /// own it only takes that up.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn become_member(self: &Arc<Self>, trace: &Trace) -> Result<Arc<Member>, Failure> {
        let mut door = self.door.lock().await;
        if let Some(member) = &door.member {
            return Ok(Arc::clone(member));
        }
        let (member, server) = match &self.own {
            Some(own) => (self.with_own(own)?, own.callback.clone()),
            None => self.enrolled(trace).await?,
        };
        if let Some(server) = server
            && let Some(listener) = door.callback.take()
        {
            callback::serve(Arc::clone(self), listener, &server).map_err(Failure::new)?;
        }
        let member = Arc::new(member);
        door.member = Some(Arc::clone(&member));
        Ok(member)
    }

    /// A member of the Directory, and what its callback is served with.
    async fn enrolled(&self, trace: &Trace) -> Result<(Member, Option<Identity>), Failure> {
        let finding = find_directory(&self.directory, &self.trust_anchor, &self.tools, trace);
        let request = self.profile.enrolment();
        let (address, membership) =
            enrol(finding, &request, &self.server_names, &self.data, &self.tools, trace).await?;
        let scope = "TPPReadAccess TPPManage";
        let directory = DirectoryClient::new(address, &membership, scope, &self.tools)?;
        let anchors = vec![membership.anchor];
        let member = Member {
            http: self.client_of(&anchors, Some(&membership.transport))?,
            organisation_id: membership.organisation_id,
            transport: membership.transport,
            transport_kid: membership.transport_kid,
            signing: membership.signing,
            anchors,
            directory: Some(directory),
        };
        Ok((member, Some(membership.server)))
    }

    /// A TPP that no Directory of ours knows.
    fn with_own(&self, own: &OwnIdentity) -> Result<Member, Failure> {
        let facts = own.transport.chain.first().map(Certificate::facts);
        let anchors = own.trust.clone().unwrap_or_default();
        Ok(Member {
            http: self.client_of(&anchors, Some(&own.transport))?,
            organisation_id: facts.map(|facts| facts.common_name.clone()).unwrap_or_default(),
            transport: own.transport.clone(),
            transport_kid: facts.map(|facts| facts.thumbprint_s256.clone()).unwrap_or_default(),
            signing: Arc::clone(&own.signing),
            anchors,
            directory: None,
        })
    }
}
