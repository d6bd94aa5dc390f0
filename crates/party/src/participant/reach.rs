//! Finding the Directory: its trust anchor as a file, everything else from its discovery document.

use std::{path::Path, time::Duration};

use http::Method;
use openbanking::discovery::{ProviderMetadata, WELL_KNOWN};
use pki::Certificate;
use simulation::Trace;
use transport::{ClientSettings, HttpClient};
use url::Url;

use super::{ParticipantError, unusable};
use crate::Tools;

/// How long a participant waits for the Directory when both start at the same time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// Looks before the participant says what it waits for: about a second.
const SILENT_LOOKS: u32 = 50;

/// Where the Directory is and whom it trusts.
#[derive(Debug, Clone)]
pub struct DirectoryAddress {
    /// Base URL of its public listener.
    pub public: Url,
    /// The ecosystem's trust anchor.
    pub anchor: Certificate,
    /// `token_endpoint`, with mutual TLS.
    pub token: Url,
    /// Keys that sign SSAs.
    pub jwks: String,
}

impl DirectoryAddress {
    /// A URL of the API with mutual TLS.
    ///
    /// # Errors
    /// The path does not make a URL.
    pub fn api(&self, path: &str) -> Result<Url, ParticipantError> {
        self.token.join(path).map_err(|error| unusable(path, error))
    }
}

/// Waits for the Directory and reads its discovery document.
///
/// # Errors
/// Trust anchor or Directory did not appear within a minute, or cannot be used.
pub async fn find_directory(
    public: &Url,
    trust_anchor: &Path,
    tools: &Tools,
    trace: &Trace,
) -> Result<DirectoryAddress, ParticipantError> {
    let attempts = u32::try_from(PATIENCE.as_millis() / PAUSE.as_millis()).unwrap_or(u32::MAX);
    let mut why = String::new();
    let mut trust = None;
    for attempt in 0..attempts {
        match look(public, trust_anchor, &mut trust, tools, trace).await {
            Ok(found) => return Ok(found),
            Err(missing) => why = missing?,
        }
        if attempt == SILENT_LOOKS {
            tracing::warn!(directory = %public, %why, "waiting for the Directory");
        }
        tokio::select! {
            () = pause() => {}
            () = tools.stop.wait() => return Err(ParticipantError::Stopped),
        }
    }
    Err(ParticipantError::Unreachable { url: public.to_string(), why })
}

/// The trust anchor as it was found, and a client that trusts it.
struct Trust {
    pem: String,
    anchor: Certificate,
    client: HttpClient,
}

impl Trust {
    fn new(pem: String, tools: &Tools) -> Result<Self, ParticipantError> {
        let anchor = Certificate::from_pem(&pem)?;
        let client = HttpClient::new(ClientSettings {
            party: tools.journal.party(),
            anchors: vec![anchor.clone()],
            identity: None,
            journal: None,
            clock: tools.clock.clone(),
            chance: tools.chance.clone(),
            cookies: false,
            timeout: Duration::from_secs(10),
        })?;
        Ok(Self { pem, anchor, client })
    }
}

/// What is still missing is `Err(Ok(_))`; what will not get better is `Err(Err(_))`. The trust anchor is read each time: a
/// Directory that begins anew has another one.
async fn look(
    public: &Url,
    trust_anchor: &Path,
    trust: &mut Option<Trust>,
    tools: &Tools,
    trace: &Trace,
) -> Result<DirectoryAddress, Result<String, ParticipantError>> {
    let path = trust_anchor.to_owned();
    let pem = tokio::task::spawn_blocking(move || std::fs::read_to_string(path))
        .await
        .map_err(|error| Err(unusable("the trust anchor", error)))?
        .map_err(|error| Ok(format!("the trust anchor {}: {error}", trust_anchor.display())))?;
    let Trust { anchor, client, .. } = match trust.take() {
        Some(known) if known.pem == pem => trust.insert(known),
        _ => trust.insert(Trust::new(pem, tools).map_err(Err)?),
    };
    let discovery = public.join(WELL_KNOWN).map_err(|error| Err(unusable("discovery", error)))?;
    let answer = client
        .request(Method::GET, &discovery)
        .to("Directory")
        .trace(trace)
        .send()
        .await
        .map_err(|error| Ok(error.to_string()))?;
    if !answer.status.is_success() {
        return Err(Ok(format!("{discovery} answered {}", answer.status)));
    }
    let metadata: ProviderMetadata = answer.json().map_err(|error| Err(unusable("discovery", error)))?;
    let missing = |name: &str| Err(unusable("discovery", format!("no {name}")));
    let alias = metadata.with_certificate(|all| &all.token_endpoint, |all| &all.token_endpoint);
    let token = alias.ok_or_else(|| missing("token_endpoint"))?;
    let token = Url::parse(token).map_err(|error| Err(unusable("discovery", error)))?;
    let jwks = metadata.jwks_uri.clone().ok_or_else(|| missing("jwks_uri"))?;
    Ok(DirectoryAddress { public: public.clone(), anchor: anchor.clone(), token, jwks })
}

#[expect(clippy::disallowed_methods, reason = "another process starts in its own time; nothing here can tell when")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
