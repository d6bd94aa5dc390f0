//! One page of an account's transactions: the consent's window, the query's window, and the way from page to page.

use http::StatusCode;
use ledger::{Cursor, Direction, Page, TransactionQuery};
use openbanking::{
    dates::QueryDate,
    error::ErrorCode,
    links::{Envelope, Links, Meta},
    permissions::PermissionSet,
    transactions::TransactionData,
};
use rules::{Check, Evidence};
use time::OffsetDateTime;
use transport::{Response, reply};
use url::Url;

use super::{resources::View, shown};
use crate::api::{ApiError, Wire, apply};

/// Query parameter with the place at which a page begins.
const PAGE: &str = "page";
const FROM: &str = "fromBookingDateTime";
const TO: &str = "toBookingDateTime";

rules::catalogue! {
    /// Rules of the query.
    pub(super) RULES;
    FROM_DATE { id: "ais.transactions.from-booking-date-time",
        reason: "fromBookingDateTime is an ISO 8601 date or date-time.", clause: "OB Read/Write 4.0, Filtering; Date Formats" }
    TO_DATE { id: "ais.transactions.to-booking-date-time",
        reason: "toBookingDateTime is an ISO 8601 date or date-time.", clause: "OB Read/Write 4.0, Filtering; Date Formats" }
    PAGE_KNOWN { id: "ais.transactions.page",
        reason: "The page is one that an earlier page linked to.", clause: "OB Read/Write 4.0, Pagination" }
}

/// The query as it came; the first value of each parameter.
struct Query {
    from: Option<Result<QueryDate, Evidence>>,
    to: Option<Result<QueryDate, Evidence>>,
    page: Option<Result<Cursor, Evidence>>,
}

impl Query {
    fn of(pairs: &[(String, String)]) -> Self {
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let date = |text: &str| QueryDate::parse(text).map_err(|error| Evidence::new(error.expected, error.found));
        Self {
            from: value(FROM).map(date),
            to: value(TO).map(date),
            page: value(PAGE).map(|text| text.parse().map_err(|_| Evidence::new("a page that was linked to", text))),
        }
    }
}

fn readable<T>(value: &Option<Result<T, Evidence>>) -> Result<(), Evidence> {
    match value {
        Some(Err(evidence)) => Err(evidence.clone()),
        _ => Ok(()),
    }
}

const CHECKS: &[Check<Query, Wire>] = &[
    Check {
        rule: &FROM_DATE,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some(FROM)),
        test: |query| readable(&query.from),
    },
    Check {
        rule: &TO_DATE,
        error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some(TO)),
        test: |query| readable(&query.to),
    },
    Check {
        rule: &PAGE_KNOWN,
        error: Wire::bad_request(ErrorCode::FieldInvalid, Some(PAGE)),
        test: |query| readable(&query.page),
    },
];

/// The later of two beginnings, or the earlier of two ends.
fn narrower(
    one: Option<OffsetDateTime>,
    other: Option<OffsetDateTime>,
    choose: fn(OffsetDateTime, OffsetDateTime) -> OffsetDateTime,
) -> Option<OffsetDateTime> {
    match (one, other) {
        (Some(one), Some(other)) => Some(choose(one, other)),
        (one, other) => one.or(other),
    }
}

/// The direction that the permissions leave; none when they leave both.
fn direction(permissions: PermissionSet) -> Option<Direction> {
    match (permissions.can_read_credits(), permissions.can_read_debits()) {
        (true, false) => Some(Direction::Credit),
        (false, true) => Some(Direction::Debit),
        _ => None,
    }
}

/// Answers `GET /accounts/{AccountId}/transactions`.
pub(super) fn page(view: &View<'_>) -> Result<Response, ApiError> {
    let query = Query::of(&view.request.query_pairs());
    apply(&query, CHECKS, &view.context.engine.profile().switched_off)?;
    let [account] = view.accounts.as_slice() else {
        return Err(ApiError::Failed("transactions need one account".to_owned()));
    };
    let from = query.from.and_then(Result::ok).map(QueryDate::lower_bound);
    let to = query.to.and_then(Result::ok).map(QueryDate::upper_bound);
    let permissions = view.consent.permissions;
    let limit = view.context.bank.page_size;
    let wanted = TransactionQuery {
        from: narrower(view.consent.transactions_from, from, Ord::max),
        to: narrower(view.consent.transactions_to, to, Ord::min),
        direction: direction(permissions),
        after: query.page.and_then(Result::ok),
        limit,
    };
    let page = view.books.transactions(&account.id, &wanted)?;
    let mut transaction = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        transaction.extend(shown::transaction(view.version, permissions, &view.context.bank.name, row)?);
    }
    let span = view.books.span(&account.id)?;
    let pages = page.total.div_ceil(limit).max(1);
    let meta = Meta {
        total_pages: Some(u32::try_from(pages).unwrap_or(u32::MAX)),
        first_available_date_time: span
            .map(|(first, _)| view.consent.transactions_from.map_or(first, |from| from.max(first))),
        last_available_date_time: span.map(|(_, last)| view.consent.transactions_to.map_or(last, |to| to.min(last))),
    };
    let links = links(view, &page)?;
    Ok(reply::json(StatusCode::OK, &Envelope::new(TransactionData { transaction }, links, meta)))
}

/// Links to this page and those around it; filters come along.
fn links(view: &View<'_>, page: &Page) -> Result<Links, ApiError> {
    let this = view.this();
    let url = Url::parse(&this)?;
    let kept: Vec<(String, String)> = view.request.query_pairs().into_iter().filter(|(name, _)| name != PAGE).collect();
    let at = |cursor: Option<Cursor>| {
        let mut url = url.clone();
        url.set_query(None);
        if !kept.is_empty() || cursor.is_some() {
            url.query_pairs_mut().extend_pairs(&kept).extend_pairs(cursor.map(|cursor| (PAGE, cursor.to_string())));
        }
        url.to_string()
    };
    let several = page.next.is_some() || page.previous.is_some();
    Ok(Links {
        this,
        first: several.then(|| at(None)),
        prev: page.previous.map(|cursor| at(Some(cursor))),
        next: page.next.map(|cursor| at(Some(cursor))),
        last: None,
    })
}

#[cfg(test)]
mod tests {
    use rules::{SwitchedOff, judge};
    use time::macros::datetime;

    use super::*;

    fn verdict(name: &str, value: &str) -> Option<&'static str> {
        let query = Query::of(&[(name.to_owned(), value.to_owned())]);
        judge(&query, CHECKS, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (name, right, wrong, rule) in [
            (FROM, "2026-01-01", "yesterday", FROM_DATE.id),
            (TO, "2026-01-01T10:00:00", "2026-13-01", TO_DATE.id),
            (PAGE, "newest", "2", PAGE_KNOWN.id),
        ] {
            assert_eq!(verdict(name, right), None);
            assert_eq!(verdict(name, wrong), Some(rule));
        }
    }

    #[test]
    fn windows_meet() {
        let (early, late) = (datetime!(2026-01-01 0:00 UTC), datetime!(2026-02-01 0:00 UTC));
        assert_eq!(narrower(Some(early), Some(late), Ord::max), Some(late));
        assert_eq!(narrower(Some(early), None, Ord::max), Some(early));
        assert_eq!(narrower(None, None, Ord::min), None);
    }
}
