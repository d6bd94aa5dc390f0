//! What an attack does the TPP's requests with: other certificates, other keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jose::{Algorithm, SigningKey};
use pki::{Authority, Certificate as X509, Participant, PrivateKey, Profile, PspRole};
use transport::{ClientSettings, HttpClient, Identity};

use crate::{
    Member, TIMEOUT, Tpp,
    steps::Failure,
    tampering::{Certificate, Forger},
};

/// Clients with other certificates, made when they are first asked for.
#[derive(Default)]
pub(crate) struct Disguises(Mutex<HashMap<Certificate, HttpClient>>);

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

impl Tpp {
    /// The client for calls to banks: the TPP's own, or one in disguise.
    pub(crate) async fn client(self: &Arc<Self>, certificate: Certificate) -> Result<HttpClient, Failure> {
        let member = self.member().await?;
        match certificate {
            Certificate::Own => return Ok(member.http.clone()),
            Certificate::OwnAnew => return self.client_of(&member.anchors, Some(&member.transport)),
            Certificate::None | Certificate::SelfMade => {}
        }
        let known = self.disguises.0.lock().unwrap_or_else(PoisonError::into_inner).get(&certificate).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let made = match certificate {
            Certificate::SelfMade => {
                let identity = self.self_made(&member)?;
                self.client_of(&member.anchors, Some(&identity))?
            }
            _ => self.client_of(&member.anchors, None)?,
        };
        self.disguises.0.lock().unwrap_or_else(PoisonError::into_inner).insert(certificate, made.clone());
        Ok(made)
    }

    /// A client for calls to banks, with this certificate.
    pub(crate) fn client_of(&self, anchors: &[X509], identity: Option<&Identity>) -> Result<HttpClient, Failure> {
        HttpClient::https_only(ClientSettings {
            party: self.tools.journal.party(),
            anchors: anchors.to_vec(),
            identity,
            journal: Some(self.tools.journal.clone()),
            clock: self.clock.clone(),
            chance: self.chance.clone(),
            cookies: false,
            timeout: TIMEOUT,
        })
        .map_err(failed)
    }

    /// The names of the TPP's certificate, from an authority that nobody trusts.
    fn self_made(&self, member: &Member) -> Result<Identity, Failure> {
        let now = self.clock.true_now();
        let organisation = &self.profile.organisation;
        let authority = Authority::create(now, &organisation.legal_name).map_err(failed)?;
        let key = PrivateKey::generate_rsa().map_err(failed)?;
        let participant = Participant {
            organisation_identifier: format!(
                "PSDGB-{}-{}",
                organisation.competent_authority, organisation.registration_id
            ),
            organisation_id: member.organisation_id.clone(),
            legal_name: organisation.legal_name.clone(),
            roles: vec![PspRole::AccountInformation, PspRole::PaymentInitiation],
        };
        let certificate = authority
            .issue(key.public_key_der(), &Profile::Obwac(participant), self.chance.bytes(), now)
            .map_err(failed)?;
        Ok(Identity { chain: vec![certificate, authority.issuing().clone()], key })
    }

    /// Lets somebody forge with the TPP's keys.
    pub(crate) fn forger<T>(
        &self,
        member: &Member,
        forge: impl FnOnce(&Forger<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let own = &member.signing;
        let own_rs256 = || {
            let key = match &self.own {
                Some(files) => files.signing_key.clone(),
                // The file that onboarding keeps the signing key in.
                None => self.data.load_or_create_key("signing").map_err(failed)?,
            };
            SigningKey::from_pkcs8_der(own.kid(), Algorithm::Rs256, key.pkcs8_der()).map_err(failed)
        };
        forge(&Forger { own, own_rs256: &own_rs256, shelf: &self.shelf })
    }
}
