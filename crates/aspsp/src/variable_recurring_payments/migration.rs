//! `PUT` and `PATCH /domestic-vrp-consents/{ConsentId}` (OB Read/Write 4.0, VRP Profile, Migration of a consent to a new
//! version): a consent that was lodged on an older version is written anew in the form of this one, with the same values.
//! Nothing else about it changes: who authorised it, its tokens, what was paid under it.

use http::{Method, StatusCode};
use openbanking::{consent::ConsentStatus, error::ErrorCode, version::ApiVersion, vrp::VrpConsentRequest};
use rules::{Check, holds};
use store::CommitError;
use time::OffsetDateTime;
use transport::{Request, Response};

use super::consents::{BODY, DEMAND, KIND, answer, content};
use crate::{
    Context,
    api::{
        ApiError, Progress, Wire, admit, apply,
        idempotency::{Key, Making, once},
        signature,
    },
    consents::{Consent, Content, VariableRecurringPayments, collection, owned},
    payer,
    payment_initiation::orders::under,
};

rules::catalogue! {
    /// Rules of migrations.
    pub(super) RULES;
    OLDER { id: "vrp.migration.older-version",
        reason: "The consent was lodged on an older version of the API.", clause: "OB Read/Write 4.0, Domestic VRP Consents, PUT and PATCH" }
    ALIVE { id: "vrp.migration.consent-alive",
        reason: "The consent was neither rejected nor has it expired.", clause: "OB Read/Write 4.0, Domestic VRP Consents, State Model" }
    SAME { id: "vrp.migration.same-values",
        reason: "Names and codes may change with the version, values may not.", clause: "OB Read/Write 4.0, Domestic VRP Consents, PUT and PATCH" }
}

struct Facts<'a> {
    consent: &'a Consent,
    version: ApiVersion,
    now: OffsetDateTime,
}

fn checks<'a>() -> [Check<Facts<'a>, Wire>; 2] {
    [
        Check {
            rule: &OLDER,
            error: Wire::coded(StatusCode::CONFLICT, ErrorCode::RulesResourceAlreadyExists, Some("ConsentId")),
            test: |facts| {
                let found = facts.consent.version;
                holds(found < facts.version, format!("older than {}", facts.version), found.to_string())
            },
        },
        Check {
            rule: &ALIVE,
            error: Wire::bad_request(ErrorCode::ResourceInvalidConsentStatus, Some("ConsentId")),
            test: |facts| {
                let status = facts.consent.status_at(facts.now);
                let over = matches!(status, ConsentStatus::Rejected | ConsentStatus::Expired);
                holds(!over, "neither rejected nor expired", format!("{status:?}"))
            },
        },
    ]
}

/// Writes a consent of an older version anew.
pub(super) async fn migrate(context: &Context, request: &Request, version: ApiVersion) -> Result<Response, ApiError> {
    let mut progress = Progress::default();
    let access = progress.add(admit(context, request, DEMAND).await)?;
    progress.judged(signature::check(context, request, &access.client).await)?;
    let client_id = access.client.client_id.clone();
    let making = Migrating { context, request, version, client_id: &client_id };
    let made = once(context, request, (&client_id, version), &mut progress, &making).await?;
    let (consent, _) = progress.add(owned::find(context, KIND, &made.id, &client_id, version).await)?;
    answer(context, StatusCode::OK, &consent).map(|response| progress.attach(response))
}

struct Migrating<'a> {
    context: &'a Context,
    request: &'a Request,
    version: ApiVersion,
    client_id: &'a str,
}

impl Making for Migrating<'_> {
    async fn make(&self, key: &Key, progress: &mut Progress) -> Result<Option<String>, ApiError> {
        let Self { context, request, version, client_id } = *self;
        let off = &context.engine.profile().switched_off;
        let id = request.params.get("ConsentId").unwrap_or_default();
        let (consent, stored) = progress.add(owned::sought(context, KIND, id, (client_id, version, true)).await)?;
        let facts = Facts { consent: &consent, version, now: context.tools.clock.now() };
        progress.judged(apply(&facts, &checks(), off))?;
        let vrp = content(&consent)?;
        let asked = match request.method {
            Method::PATCH => vrp.request.patched(version, &request.body),
            _ => VrpConsentRequest::read(version, &request.body),
        };
        let asked = progress.read(&BODY, asked)?;
        // Answers tell the account that the customer chose inside Initiation, and a migration may repeat it.
        let told = payer::chosen(context, &consent).filter(|_| asked.initiation().get("DebtorAccount").is_some());
        let before = told.map(|account| vrp.request.with_debtor_account(&account));
        let same = before.as_ref().unwrap_or(&vrp.request).says_the_same_as(&asked);
        progress.judged(under(&SAME, same, off))?;
        let migrated = VariableRecurringPayments { request: asked, limits: vrp.limits.clone() };
        let content = Content::VariableRecurringPayments(Box::new(migrated));
        let migrated = Consent { version, content, ..consent };
        let changes = vec![collection().update(&migrated.id, stored, &migrated)?, key.remember(&migrated.id)?];
        match context.store().commit(changes).await {
            Ok(()) => Ok(Some(migrated.id)),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
