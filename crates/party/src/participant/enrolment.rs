//! Enrolment: from a name to certificates. Keys are made here and stay here; the Directory sees requests only.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::Method;
use jose::{Algorithm, SigningKey};
use openbanking::{
    directory::{CertificateKind, CertificateRecord, EnrolmentAnswer, EnrolmentRequest},
    ssa::Role,
};
use pki::{Certificate, Participant, PrivateKey, Profile, PspRole};
use serde::{Deserialize, Serialize};
use simulation::Trace;
use transport::{ClientSettings, HttpClient, Identity};

use super::{DirectoryAddress, ParticipantError, succeeded, unusable};
use crate::{DataDirectory, Tools};

/// What is kept of a finished enrolment.
const MEMBERSHIP: &str = "membership.json";
/// What is kept of one that was begun, so that it can be finished after a stop in its middle. Its token opens the
/// organisation's door: once the enrolment is finished, it is deleted.
const BEGUN: &str = "enrolment.json";
/// Certificates are renewed when they end within this time.
const RENEW: time::Duration = time::Duration::days(7);

/// The kinds of certificates that a participant gets when it enrols, and the names of their files.
const KINDS: [(CertificateKind, &str); 3] =
    [(CertificateKind::Server, "server"), (CertificateKind::Obwac, "transport"), (CertificateKind::Obseal, "signing")];

/// A participant with its certificates.
pub struct Membership {
    /// Organisation id at the Directory.
    pub organisation_id: String,
    /// For its listeners.
    pub server: Identity,
    /// OBWAC: shown to servers that ask.
    pub transport: Identity,
    /// `kid` of the OBWAC at the Directory.
    pub transport_kid: String,
    /// OBSeal: signs.
    pub signing: Arc<SigningKey>,
    /// `kid` of the OBSeal at the Directory.
    pub signing_kid: String,
    /// Whom the participant trusts.
    pub anchor: Certificate,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Kept {
    organisation_id: String,
    transport_kid: String,
    signing_kid: String,
}

/// Keys of a participant, made at the same time.
struct Keys {
    by_kind: Vec<(CertificateKind, &'static str, PrivateKey)>,
}

/// Enrols an organisation, or takes up what is in the data directory. `directory` is awaited while the keys are made.
///
/// # Errors
/// The Directory cannot be reached or refuses, or a file cannot be used.
pub async fn enrol(
    directory: impl Future<Output = Result<DirectoryAddress, ParticipantError>>,
    request: &EnrolmentRequest,
    server_names: &[String],
    data: &DataDirectory,
    tools: &Tools,
    trace: &Trace,
) -> Result<(DirectoryAddress, Membership), ParticipantError> {
    let (keys, directory) = tokio::join!(Keys::load_or_create(data), directory);
    let (keys, directory) = (keys?, directory?);
    if let Some(membership) = taken_up(&directory, &keys, data, tools)? {
        // A stop after the enrolment was finished may have left its token.
        data.remove(BEGUN)?;
        return Ok((directory, membership));
    }
    let enrolled = Enrolling { directory: &directory, request, server_names, data, tools, trace }.run(&keys).await?;
    data.write_json(MEMBERSHIP, &enrolled)?;
    data.remove(BEGUN)?;
    match taken_up(&directory, &keys, data, tools)? {
        Some(membership) => Ok((directory, membership)),
        None => Err(unusable("enrolment", "the certificates are not valid long enough")),
    }
}

impl Keys {
    async fn load_or_create(data: &DataDirectory) -> Result<Self, ParticipantError> {
        let tasks: Vec<_> = KINDS
            .into_iter()
            .map(|(kind, name)| {
                let data = data.clone();
                (kind, name, tokio::task::spawn_blocking(move || data.load_or_create_key(name)))
            })
            .collect();
        let mut by_kind = Vec::new();
        for (kind, name, task) in tasks {
            let key = task.await.map_err(|error| unusable("a key", error))??;
            by_kind.push((kind, name, key));
        }
        Ok(Self { by_kind })
    }

    fn get(&self, wanted: CertificateKind) -> Result<&PrivateKey, ParticipantError> {
        let found = self.by_kind.iter().find(|(kind, ..)| *kind == wanted).map(|(_, _, key)| key);
        found.ok_or_else(|| unusable("a key", wanted))
    }
}

/// Makes the keys that an enrolment will need, unless they are there. They are made at the same time.
///
/// # Errors
/// A key cannot be made or kept.
pub async fn make_keys(data: &DataDirectory) -> Result<(), ParticipantError> {
    Keys::load_or_create(data).await.map(drop)
}

/// The membership in the data directory; none when there is none, or its certificates end soon.
fn taken_up(
    directory: &DirectoryAddress,
    keys: &Keys,
    data: &DataDirectory,
    tools: &Tools,
) -> Result<Option<Membership>, ParticipantError> {
    let Some(kept) = data.read_json::<Kept>(MEMBERSHIP)? else { return Ok(None) };
    let soon = tools.clock.true_now() + RENEW;
    let mut chains = Vec::new();
    for (_, name) in KINDS {
        match data.read_chain(&format!("certificates/{name}.pem"))? {
            Some(chain) if chain.first().is_some_and(|leaf| leaf.facts().not_after > soon) => chains.push(chain),
            _ => return Ok(None),
        }
    }
    let Ok([server, transport, signing]) = <[Vec<Certificate>; 3]>::try_from(chains) else { return Ok(None) };
    let identity = |kind, chain| Ok::<_, ParticipantError>(Identity { chain, key: keys.get(kind)?.clone() });
    let seal = keys.get(CertificateKind::Obseal)?;
    let x5c = signing.iter().map(Certificate::x5c).collect();
    let thumbprint = signing.first().map(|leaf| leaf.facts().thumbprint_s256.clone()).unwrap_or_default();
    let signing_key = SigningKey::from_pkcs8_der(&kept.signing_kid, Algorithm::Ps256, seal.pkcs8_der())?
        .with_certificate(x5c, thumbprint);
    for (name, kind, chain) in
        [("transport", CertificateKind::Obwac, &transport), ("signing", CertificateKind::Obseal, &signing)]
    {
        data.export(name, keys.get(kind)?, chain)?;
    }
    data.write_public("exports/trust-anchor.pem", directory.anchor.pem().as_bytes())?;
    // Who signs by hand needs to name the key.
    data.write_public("exports/signing.kid", format!("{}\n", kept.signing_kid).as_bytes())?;
    Ok(Some(Membership {
        organisation_id: kept.organisation_id,
        server: identity(CertificateKind::Server, server)?,
        transport: identity(CertificateKind::Obwac, transport)?,
        transport_kid: kept.transport_kid,
        signing: Arc::new(signing_key),
        signing_kid: kept.signing_kid,
        anchor: directory.anchor.clone(),
    }))
}

struct Enrolling<'a> {
    directory: &'a DirectoryAddress,
    request: &'a EnrolmentRequest,
    server_names: &'a [String],
    data: &'a DataDirectory,
    tools: &'a Tools,
    trace: &'a Trace,
}

impl Enrolling<'_> {
    async fn run(&self, keys: &Keys) -> Result<Kept, ParticipantError> {
        let client = HttpClient::https_only(ClientSettings {
            party: self.tools.journal.party(),
            anchors: vec![self.directory.anchor.clone()],
            identity: None,
            journal: Some(self.tools.journal.clone()),
            clock: self.tools.clock.clone(),
            chance: self.tools.chance.clone(),
            cookies: false,
            timeout: Duration::from_secs(30),
        })?;
        let begun = match self.data.read_json::<EnrolmentAnswer>(BEGUN)? {
            Some(begun) if begun.expires_at > self.tools.clock.now() => begun,
            _ => self.begin(&client).await?,
        };
        let mut kids = Vec::new();
        for (kind, name) in KINDS {
            let record = self.certificate(&client, &begun, kind, name, keys.get(kind)?).await?;
            kids.push(record.kid);
        }
        let [_, transport_kid, signing_kid] =
            <[String; 3]>::try_from(kids).map_err(|_| unusable("enrolment", "too few certificates"))?;
        Ok(Kept { organisation_id: begun.organisation_id, transport_kid, signing_kid })
    }

    async fn begin(&self, client: &HttpClient) -> Result<EnrolmentAnswer, ParticipantError> {
        let what = "enrolment";
        let url = self.directory.public.join("/enrolment").map_err(|error| unusable(what, error))?;
        let answer =
            client.request(Method::POST, &url).to("Directory").trace(self.trace).json(self.request).send().await?;
        let begun: EnrolmentAnswer = succeeded(what, answer)?.json()?;
        self.data.write_json(BEGUN, &begun)?;
        Ok(begun)
    }

    async fn certificate(
        &self,
        client: &HttpClient,
        begun: &EnrolmentAnswer,
        kind: CertificateKind,
        name: &str,
        key: &PrivateKey,
    ) -> Result<CertificateRecord, ParticipantError> {
        let what = format!("a certificate of the kind {kind}");
        let request = pki::certificate_request(key, &self.profile(kind, &begun.organisation_id))?;
        let path = format!("/enrolment/{}/certificate/{kind}", begun.organisation_id);
        let url = self.directory.public.join(&path).map_err(|error| unusable(&what, error))?;
        let answer = client
            .request(Method::POST, &url)
            .to("Directory")
            .trace(self.trace)
            .bearer(&begun.enrolment_token)
            .body("application/x-pem-file", request.into_bytes())
            .send()
            .await?;
        let record: CertificateRecord = succeeded(&what, answer)?.json()?;
        let chain: Vec<Certificate> = record
            .x5c
            .iter()
            .map(|der| {
                let der = STANDARD.decode(der).map_err(|error| unusable(&what, error))?;
                Ok(Certificate::from_der(&der)?)
            })
            .collect::<Result<_, ParticipantError>>()?;
        let own =
            chain.first().is_some_and(|leaf| leaf.public_key_der().is_ok_and(|found| found == key.public_key_der()));
        if !own {
            return Err(unusable(&what, "the certificate is for another key"));
        }
        let pem: String = chain.iter().map(Certificate::pem).collect();
        self.data.write_public(&format!("certificates/{name}.pem"), pem.as_bytes())?;
        Ok(record)
    }

    fn profile(&self, kind: CertificateKind, organisation_id: &str) -> Profile {
        let participant = || Participant {
            organisation_identifier: format!("PSDGB-{}-{}", self.request.register_body, self.request.registration_id),
            organisation_id: organisation_id.to_owned(),
            legal_name: self.request.legal_entity_name.clone(),
            roles: self.request.roles.iter().map(|role| psp_role(*role)).collect(),
        };
        match kind {
            CertificateKind::Obseal | CertificateKind::Obsigning => Profile::Obseal(participant()),
            CertificateKind::Obwac | CertificateKind::Obtransport => Profile::Obwac(participant()),
            CertificateKind::Server => Profile::Server { names: self.server_names.to_vec() },
        }
    }
}

/// The role as certificates name it.
#[must_use]
pub fn psp_role(role: Role) -> PspRole {
    match role {
        Role::Aisp => PspRole::AccountInformation,
        Role::Pisp => PspRole::PaymentInitiation,
        Role::Cbpii => PspRole::CardBasedPaymentInstruments,
        Role::Aspsp => PspRole::AccountServicing,
    }
}
