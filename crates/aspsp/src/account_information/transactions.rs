//! One page of transactions, of one account, of all, or of a statement: the windows, and the way from page to page.

use http::StatusCode;
use ledger::{AccountId, Cursor, Direction, TransactionQuery};
use openbanking::{
    error::ErrorCode,
    links::{Envelope, Meta},
    permissions::PermissionSet,
    transactions::TransactionData,
};
use rules::{Check, Evidence};
use transport::{Response, reply};

use super::{
    paging::{self, PAGE},
    resources::View,
    shown,
    window::{Filter, Window},
};
use crate::api::{ApiError, Wire, apply};

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

/// The filter by booking date.
pub(super) const FILTER: Filter =
    Filter { from: "fromBookingDateTime", from_rule: &FROM_DATE, to: "toBookingDateTime", to_rule: &TO_DATE };

type Place = Option<Result<Cursor, Evidence>>;

const CHECKS: &[Check<Place, Wire>] = &[Check {
    rule: &PAGE_KNOWN,
    error: Wire::bad_request(ErrorCode::FieldInvalid, Some(PAGE)),
    test: |place| match place {
        Some(Err(evidence)) => Err(evidence.clone()),
        _ => Ok(()),
    },
}];

/// The page that the query names.
fn place(pairs: &[(String, String)]) -> Place {
    let (_, text) = pairs.iter().find(|(name, _)| name == PAGE)?;
    Some(text.parse().map_err(|_| Evidence::new("a page that was linked to", text.as_str())))
}

/// The direction that the permissions leave; none when they leave both.
fn direction(permissions: PermissionSet) -> Option<Direction> {
    match (permissions.can_read_credits(), permissions.can_read_debits()) {
        (true, false) => Some(Direction::Credit),
        (false, true) => Some(Direction::Debit),
        _ => None,
    }
}

/// Answers `GET /transactions` and `GET /accounts/{AccountId}/transactions`.
pub(super) fn page(view: &View<'_>) -> Result<Response, ApiError> {
    page_within(view, Window::default())
}

/// A page of what was booked in that window, cut to what the consent and the query leave of it.
pub(super) fn page_within(view: &View<'_>, window: Window) -> Result<Response, ApiError> {
    let pairs = view.request.query_pairs();
    let asked = FILTER.read(&pairs, view)?;
    let place = place(&pairs);
    apply(&place, CHECKS, &view.context.engine.profile().switched_off)?;
    let open = view.window();
    let Window { from, to } = open.and(window).and(asked);
    let permissions = view.consent.permissions;
    let limit = view.context.bank.page_size;
    let after = place.and_then(Result::ok);
    let wanted = TransactionQuery { from, to, direction: direction(permissions), after, limit };
    let ids: Vec<AccountId> = view.accounts.iter().map(|account| account.id.clone()).collect();
    let page = view.books.transactions_of_all(&ids, &wanted)?;
    let mut transaction = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        transaction.extend(shown::transaction(view.version, permissions, &view.context.bank.name, row)?);
    }
    let mut span = None;
    for id in &ids {
        span = match (span, view.books.span(id)?) {
            (Some((first, last)), Some((one, other))) => Some((one.min(first), other.max(last))),
            (one, other) => one.or(other),
        };
    }
    let meta = Meta { total_pages: paging::pages(page.total, limit), ..open.available(span) };
    let name = |cursor: Cursor| if cursor == Cursor::NEWEST { String::new() } else { cursor.to_string() };
    let (previous, next) = (page.previous.map(name), page.next.map(name));
    let links = view.links(previous.as_deref(), next.as_deref())?;
    Ok(reply::json(StatusCode::OK, &Envelope::new(TransactionData { transaction }, links, meta)))
}

#[cfg(test)]
mod tests {
    use rules::{SwitchedOff, judge};

    use super::*;

    #[test]
    fn a_wrong_page_is_named() {
        let verdict = |value: &str| {
            let place = place(&[(PAGE.to_owned(), value.to_owned())]);
            judge(&place, CHECKS, &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
        };
        assert_eq!(verdict("newest"), None);
        assert_eq!(verdict("2"), Some(PAGE_KNOWN.id));
        assert_eq!(place(&[]), None);
    }
}
