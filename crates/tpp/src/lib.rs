//! Party: a scripted TPP. It does every step of a journey from configuration and discovery alone, when it is told to
//! through its control port, and keeps what it gets.
//!
//! - [`steps`]: what it can be told, and what it answers
//! - [`journey`]: how it does each step, from onboarding at the Directory to calls of a bank's API
//! - [`id_token`]: what it checks before it trusts a bank's answer
//! - [`start()`] brings the party up

mod callback;
mod control;
pub mod id_token;
pub mod journey;
mod memory;
pub mod profile;
pub mod records;
mod settings;
mod start;
pub mod steps;

use std::{path::PathBuf, sync::Arc};

use party::{
    DataDirectory, Tools,
    participant::{DirectoryClient, Membership, enrol, find_directory},
};
use rules::SwitchedOff;
use simulation::{Chance, Clock, Trace};
use store::Store;
use tokio::{net::TcpListener, sync::Mutex};
use transport::{ClientSettings, HttpClient};
use url::Url;

pub use settings::Settings;
pub use start::{Running, start};

use crate::{
    callback::Pages,
    memory::{ClientTokens, KeySets},
    profile::Profile,
    records::Records,
    steps::Failure,
};

/// How long the TPP waits for an answer.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

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
    pub(crate) switched_off: SwitchedOff,
    pub(crate) key_sets: KeySets,
    pub(crate) client_tokens: ClientTokens,
    pub(crate) pages: Pages,
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

/// A TPP that the Directory knows.
pub struct Member {
    /// Its certificates and keys.
    pub membership: Membership,
    /// The Directory's API.
    pub directory: DirectoryClient,
    /// For calls to banks, with its transport certificate.
    pub http: HttpClient,
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

    /// Enrols at the Directory, or takes up an earlier enrolment, and begins to serve the callback.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn become_member(self: &Arc<Self>, trace: &Trace) -> Result<Arc<Member>, Failure> {
        let mut door = self.door.lock().await;
        if let Some(member) = &door.member {
            return Ok(Arc::clone(member));
        }
        let finding = find_directory(&self.directory, &self.trust_anchor, &self.tools, trace);
        let request = self.profile.enrolment();
        let (address, membership) =
            enrol(finding, &request, &self.server_names, &self.data, &self.tools, trace).await?;
        let scope = "TPPReadAccess TPPManage";
        let directory = DirectoryClient::new(address, &membership, scope, &self.tools)?;
        let settings = ClientSettings {
            party: self.tools.journal.party(),
            anchors: vec![membership.anchor.clone()],
            identity: Some(&membership.transport),
            journal: Some(self.tools.journal.clone()),
            clock: self.clock.clone(),
            chance: self.chance.clone(),
            cookies: false,
            timeout: TIMEOUT,
        };
        let http = HttpClient::new(settings).map_err(|error| Failure::new(error.to_string()))?;
        if let Some(listener) = door.callback.take() {
            callback::serve(Arc::clone(self), listener, &membership).map_err(Failure::new)?;
        }
        let member = Arc::new(Member { membership, directory, http });
        door.member = Some(Arc::clone(&member));
        Ok(member)
    }
}
