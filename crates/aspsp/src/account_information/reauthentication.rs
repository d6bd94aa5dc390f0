//! What needs the customer to authenticate again (SCA-RTS, Article 10a), by the bank's profile.

use http::StatusCode;
use openbanking::error::ErrorCode;
use rules::{Check, holds};
use time::OffsetDateTime;

use crate::{
    Context,
    api::{ApiError, Wire, apply},
    bank::Sca,
    consents::AccountAccessConsent,
};

rules::catalogue! {
    /// Rules of re-authentication.
    pub(super) RULES;
    WINDOW { id: "ais.sca.window",
        reason: "The customer authenticated recently enough, or the endpoint needs no authentication.", clause: "SCA-RTS (FCA), Article 10a; OB Read/Write 4.0, 403 (Forbidden)" }
    HISTORY { id: "ais.sca.history",
        reason: "Data from before the days that need no authentication is not asked for.", clause: "SCA-RTS (FCA), Article 10a; OB Read/Write 4.0, 403 (Forbidden)" }
}

const REAUTHENTICATE: Wire = Wire::coded(StatusCode::FORBIDDEN, ErrorCode::Reauthenticate, None);

struct Facts<'a> {
    sca: &'a Sca,
    endpoint: &'a str,
    authenticated_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
}

fn checks<'a>() -> [Check<Facts<'a>, Wire>; 1] {
    [Check {
        rule: &WINDOW,
        error: REAUTHENTICATE,
        test: |facts| {
            let closes = facts.sca.closes(facts.authenticated_at);
            let expected = format!("an authentication within {} minutes", facts.sca.window_minutes);
            let found = facts.authenticated_at.map_or_else(|| "none".to_owned(), |at| format!("one at {at}"));
            holds(facts.now <= closes || facts.sca.exempts(facts.endpoint), expected, found)
        },
    }]
}

/// The earliest moment whose data may be shown; none when there is no limit.
pub(super) fn earliest(
    context: &Context,
    consent: &AccountAccessConsent,
    endpoint: &str,
    now: OffsetDateTime,
) -> Result<Option<OffsetDateTime>, ApiError> {
    let Some(sca) = &context.bank.sca else { return Ok(None) };
    let facts = Facts { sca, endpoint, authenticated_at: consent.authenticated_at, now };
    apply(&facts, &checks(), &context.engine.profile().switched_off)?;
    Ok(if now <= sca.closes(consent.authenticated_at) { None } else { sca.earliest(now) })
}

struct Asked {
    earliest: Option<OffsetDateTime>,
    from: Option<OffsetDateTime>,
}

/// Refuses data from before the earliest moment, when it is asked for by name.
pub(super) fn within(
    context: &Context,
    earliest: Option<OffsetDateTime>,
    from: Option<OffsetDateTime>,
) -> Result<(), ApiError> {
    let check = Check {
        rule: &HISTORY,
        error: REAUTHENTICATE,
        test: (|asked| match (asked.earliest, asked.from) {
            (Some(earliest), Some(from)) => holds(from >= earliest, format_args!("{earliest} or later"), from),
            _ => Ok(()),
        }) as fn(&Asked) -> _,
    };
    apply(&Asked { earliest, from }, &[check], &context.engine.profile().switched_off).map(|_| ())
}
