//! What the Directory says about TPPs: whether their organisations may take part now, and which certificates were
//! revoked.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use openbanking::ssa::OrganisationStatus;
use party::{
    StartError,
    control::{self, Control},
    participant::{DirectoryAddress, DirectoryClient, Membership, ParticipantError},
};
use pki::Certificate;
use rules::SwitchedOff;
use simulation::Trace;
use transport::{CallError, ClientCertificates, HttpClient, Request, Route, ServerTls, Stop, TlsError, reply, route};
use url::Url;

use crate::Context;

rules::catalogue! {
    /// The rule of connections.
    pub RULES;
    NOT_REVOKED { id: "api.certificate.not-revoked",
        reason: "The certificate of a new connection is not on the Directory's list of revoked ones. TLS ends the handshake; with the rule switched off, the list counts no more from the next time that the Directory is asked.", clause: "RFC 5280, 6.3; OB Directory, certificates" }
}

/// How often the Directory is asked for statuses, true time.
const PERIOD: Duration = Duration::from_secs(30);
/// How often it is asked for certificates that were revoked, true time.
const REVOCATION_PERIOD: Duration = Duration::from_secs(60);

/// What the bank asks the Directory again and again.
pub(crate) struct Watch {
    /// The Directory's API.
    pub(crate) directory: DirectoryClient,
    /// Its list of revoked certificates.
    pub(crate) revocations: Revocations,
}

/// The list of revoked certificates, and the listener that refuses them.
pub(crate) struct Revocations {
    tls: Arc<ServerTls>,
    list: Url,
    http: HttpClient,
    membership: Arc<Membership>,
    trusted: Trusted,
    switched_off: SwitchedOff,
}

/// Which client certificates the listener takes.
pub(crate) struct Trusted {
    /// Authorities beside the Directory's.
    pub(crate) authorities: Vec<Certificate>,
    /// Whether those of unknown authorities are let through, for clients that registered them.
    pub(crate) self_signed: bool,
}

impl Trusted {
    /// The ecosystem's anchor, the authority that issued the bank's own certificate and so everybody's, and the further
    /// ones. Clients that send their certificate alone are many; what issued it need not come with it.
    fn anchors(&self, membership: &Membership) -> Vec<Certificate> {
        let issuing = membership.server.chain.iter().skip(1);
        std::iter::once(&membership.anchor).chain(issuing).chain(&self.authorities).cloned().collect()
    }

    fn accepted<'a>(&self, anchors: &'a [Certificate]) -> ClientCertificates<'a> {
        if self.self_signed { ClientCertificates::Any(anchors) } else { ClientCertificates::Anchored(anchors) }
    }
}

/// The list of revoked certificates could not be renewed; the one that was there stays.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// Its address is none.
    #[error("the address of the list of revoked certificates: {0}")]
    Address(String),
    /// The Directory cannot be reached.
    #[error("the list of revoked certificates: {0}")]
    Unreachable(#[from] CallError),
    /// The Directory answered something else.
    #[error("the list of revoked certificates: {url} answered {status}")]
    Answer {
        /// Where.
        url: Url,
        /// HTTP status.
        status: StatusCode,
    },
    /// It cannot be read.
    #[error("the list of revoked certificates: {0}")]
    Tls(#[from] TlsError),
}

/// The bank did not hear from the Directory; what it heard last stays.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Of statuses.
    #[error(transparent)]
    Statuses(#[from] ParticipantError),
    /// Of revoked certificates.
    #[error(transparent)]
    Revocations(#[from] RevocationError),
}

impl Revocations {
    /// Fetches the list and sets up the listener's TLS with it.
    ///
    /// # Errors
    /// The list cannot be fetched or read.
    pub(crate) async fn begin(
        directory: &DirectoryAddress,
        membership: Arc<Membership>,
        http: HttpClient,
        trusted: Trusted,
        switched_off: SwitchedOff,
    ) -> Result<Self, StartError> {
        let failed = |error: RevocationError| StartError::Other(error.to_string());
        let list = directory.public.join("/pki/issuing.crl");
        let list = list.map_err(|error| failed(RevocationError::Address(error.to_string())))?;
        let first = fetch(&http, &list).await.map_err(failed)?;
        let anchors = trusted.anchors(&membership);
        let tls = Arc::new(ServerTls::new(&membership.server, trusted.accepted(&anchors), &[first])?);
        Ok(Self { tls, list, http, membership, trusted, switched_off })
    }

    /// The TLS of the listener that takes client certificates.
    pub(crate) fn tls(&self) -> Arc<ServerTls> {
        Arc::clone(&self.tls)
    }

    /// Fetches the list anew; it counts from the next connection.
    ///
    /// # Errors
    /// The list cannot be fetched or read; the one that was there stays.
    async fn renew(&self) -> Result<(), RevocationError> {
        let list = fetch(&self.http, &self.list).await?;
        let lists = if self.switched_off.contains(&NOT_REVOKED) { Vec::new() } else { vec![list] };
        let anchors = self.trusted.anchors(&self.membership);
        Ok(self.tls.replace(&self.membership.server, self.trusted.accepted(&anchors), &lists)?)
    }
}

/// The list of revoked certificates, DER.
async fn fetch(http: &HttpClient, list: &Url) -> Result<Vec<u8>, RevocationError> {
    let answer = http.request(Method::GET, list).to("Directory").send().await?;
    if answer.status.is_success() {
        Ok(answer.body.to_vec())
    } else {
        Err(RevocationError::Answer { url: list.clone(), status: answer.status })
    }
}

/// Asks the Directory now for the statuses of organisations; answers how many may not take part.
///
/// # Errors
/// It cannot be reached or refuses; what it said last stays.
async fn statuses(context: &Context, directory: &DirectoryClient, trace: &Trace) -> Result<usize, ParticipantError> {
    let organisations = directory.organisations(trace).await?;
    let suspended: HashMap<String, String> = organisations
        .into_iter()
        .filter(|organisation| organisation.status != OrganisationStatus::Active)
        .map(|organisation| (organisation.organisation_id, format!("{:?}", organisation.status)))
        .collect();
    let many = suspended.len();
    context.engine.backend().suspend(suspended);
    Ok(many)
}

/// Asks for statuses again and again until the bank stops.
pub(crate) async fn keep_fresh(context: Arc<Context>, watch: Arc<Watch>) {
    let mut period = tokio::time::interval(PERIOD);
    let chance = context.tools.chance.fork();
    loop {
        tokio::select! {
            _ = period.tick() => {}
            () = context.tools.stop.wait() => return,
        }
        let trace = Trace::new(&chance);
        if let Err(error) = statuses(&context, &watch.directory, &trace).await {
            tracing::warn!(%error, "the Directory did not tell the statuses of participants");
        }
    }
}

/// Asks for revoked certificates again and again until the bank stops.
pub(crate) async fn keep_revocations(watch: Arc<Watch>, stop: Stop) {
    let mut period = tokio::time::interval(REVOCATION_PERIOD);
    period.tick().await;
    loop {
        tokio::select! {
            _ = period.tick() => {}
            () = stop.wait() => return,
        }
        if let Err(error) = watch.revocations.renew().await {
            tracing::warn!(%error, "the list of revoked certificates could not be renewed");
        }
    }
}

/// The row that the bank adds to its control port: `POST /directory/refresh` asks the Directory at once, and forgets
/// what the bank remembers of other parties' keys.
pub(crate) fn routes(watch: Arc<Watch>) -> Vec<Route<Control<Context>>> {
    let handler = move |control: Arc<Control<Context>>, request: Request| {
        let watch = Arc::clone(&watch);
        async move {
            match refresh(&control.party, &watch, &request.trace).await {
                Ok(suspended) => reply::json(StatusCode::OK, &serde_json::json!({ "suspended": suspended })),
                Err(error) => control::refuse(StatusCode::BAD_GATEWAY, error.to_string()),
            }
        }
    };
    vec![route(Method::POST, "/directory/refresh", handler)]
}

/// Asks the Directory at once, and forgets what is remembered of other parties' keys.
///
/// # Errors
/// It cannot be reached or refuses; what it said last stays.
pub(crate) async fn refresh(context: &Context, watch: &Watch, trace: &Trace) -> Result<usize, RefreshError> {
    context.engine.backend().forget_keys();
    watch.revocations.renew().await?;
    Ok(statuses(context, &watch.directory, trace).await?)
}
