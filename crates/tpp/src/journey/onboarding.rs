//! Onboarding: from a name that nobody knows to a software statement.

use std::sync::Arc;

use openbanking::directory::{CertificateKind, SoftwareStatementRequest};
use simulation::Trace;

use crate::{
    Tpp,
    records::SoftwareRecord,
    steps::{Failure, Onboarded},
};

/// The TPP has one software statement.
const SOFTWARE: &str = "software";

impl Tpp {
    /// Enrols at the Directory, gets certificates and a software statement. What was done before is not done again.
    ///
    /// # Errors
    /// The Directory cannot be reached or refuses.
    pub async fn onboard(self: &Arc<Self>, trace: &Trace) -> Result<Onboarded, Failure> {
        let known = self.records.software.get(&*self.store, SOFTWARE).await?;
        let member = self.become_member(trace).await?;
        let onboarded = |software_id, again| Onboarded {
            organisation_id: member.organisation_id.clone(),
            software_id,
            transport_kid: member.transport_kid.clone(),
            signing_kid: member.signing.kid().to_owned(),
            again,
        };
        if let Some(own) = &self.own {
            return Ok(onboarded(own.software_id().unwrap_or_default().to_owned(), true));
        }
        if let Some((record, _)) = known {
            return Ok(onboarded(record.software_id, true));
        }
        let directory = member.directory()?;
        let software = &self.profile.software;
        let request = SoftwareStatementRequest {
            client_name: software.client_name.clone(),
            client_description: Some(software.description.clone()),
            redirect_uris: vec![self.redirect_uri.clone()],
            roles: self.profile.organisation.roles.clone(),
            on_behalf_of: software.on_behalf_of.clone(),
            ..SoftwareStatementRequest::default()
        };
        // An onboarding that was cut off may have left a statement behind.
        let before = directory.software_statements(trace).await?;
        let same = before.into_iter().find(|statement| {
            statement.active
                && statement.client_name == request.client_name
                && statement.redirect_uris == request.redirect_uris
                && statement.on_behalf_of == request.on_behalf_of
        });
        let statement = match same {
            Some(statement) => statement,
            None => directory.create_software_statement(&request, trace).await?,
        };
        for (kind, kid) in
            [(CertificateKind::Obwac, member.transport_kid.as_str()), (CertificateKind::Obseal, member.signing.kid())]
        {
            directory.link_certificate(&statement.software_statement_id, kind, kid, trace).await?;
        }
        let record = SoftwareRecord { software_id: statement.software_statement_id };
        let change = self.records.software.put(SOFTWARE, &record)?;
        self.store.commit(vec![change]).await?;
        Ok(onboarded(record.software_id, false))
    }

    /// Whether this TPP was onboarded before.
    ///
    /// # Errors
    /// The store failed.
    pub async fn onboarded(&self) -> Result<bool, store::StoreError> {
        Ok(self.own.is_some() || self.records.software.get(&*self.store, SOFTWARE).await?.is_some())
    }

    pub(crate) async fn software_id(&self) -> Result<String, Failure> {
        if let Some(own) = &self.own {
            return own.software_id().map(str::to_owned).ok_or_else(|| {
                Failure::new("this TPP has no software statement; identity.software-statement names one")
            });
        }
        let found = self.records.software.get(&*self.store, SOFTWARE).await?;
        found
            .map(|(record, _)| record.software_id)
            .ok_or_else(|| Failure::new("this TPP has no software statement; onboard first"))
    }
}
