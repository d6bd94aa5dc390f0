//! Statements: one for each month that is over, made from the books, whole or not at all within the consent's window.

mod file;

use http::StatusCode;
use ledger::{CalendarMonth, Statement};
use openbanking::{error::ErrorCode, statements as wire};
use rules::{Check, holds};
use transport::{Response, reply};

use super::{
    reauthentication,
    resources::View,
    shown, transactions,
    window::{Filter, Window},
};
use crate::api::{ApiError, Wire, apply};

rules::catalogue! {
    /// Rules of statements.
    pub(super) RULES;
    FROM_DATE { id: "ais.statements.from-statement-date-time",
        reason: "fromStatementDateTime is an ISO 8601 date or date-time.", clause: "OB Read/Write 4.0, Filtering; Date Formats" }
    TO_DATE { id: "ais.statements.to-statement-date-time",
        reason: "toStatementDateTime is an ISO 8601 date or date-time.", clause: "OB Read/Write 4.0, Filtering; Date Formats" }
    KNOWN { id: "ais.statement.known",
        reason: "The account has this statement.", clause: "OB Read/Write 4.0, 400 (Bad Request) v/s 404 (Not Found)" }
    PRINTABLE { id: "ais.statement.printable",
        reason: "The statement has no more transactions than the bank prints.", clause: "OB Read/Write 4.0, Statements, Get Statement File" }
    CONSENTED { id: "ais.statement.within-consent",
        reason: "The statement lies completely within the transaction window of the consent.", clause: "OB Read/Write 4.0, Account and Transaction API Profile, Transaction To/From Date Time" }
}

/// The filter by the statement's period: statements that lie completely inside.
pub(super) const FILTER: Filter =
    Filter { from: "fromStatementDateTime", from_rule: &FROM_DATE, to: "toStatementDateTime", to_rule: &TO_DATE };

/// Media type of statement files.
pub(super) const FILE: &str = "application/pdf";

/// How much of the account's identifier goes into a statement's, which has at most 40 characters.
const ACCOUNT_PART: usize = 32;

/// `StatementId`: the month, and the account.
fn id(account: &str, month: CalendarMonth) -> String {
    let cut = account.char_indices().rev().nth(ACCOUNT_PART - 1).map_or(0, |(index, _)| index);
    format!("{month}.{}", &account[cut..])
}

fn in_window(window: Window, statement: &Statement) -> bool {
    window.contains(statement.month.start(), statement.month.end())
}

/// Answers `GET /statements` and `GET /accounts/{AccountId}/statements`, the newest of each account first.
pub(super) fn list(view: &View<'_>) -> Result<Response, ApiError> {
    let asked = FILTER.read(&view.request.query_pairs(), view)?;
    let window = view.window().and(asked);
    let mut all = Vec::new();
    for account in &view.accounts {
        for statement in view.books.statements(&account.id, view.now)? {
            if in_window(window, &statement) {
                let id = id(account.id.as_str(), statement.month);
                all.push(shown::statement(account, id, &statement)?.shown(view.consent.permissions));
            }
        }
    }
    view.list(all, |one| one.statement_id.clone().unwrap_or_default(), |statement| wire::StatementData { statement })
}

struct Named<'a> {
    id: &'a str,
    statement: Option<Statement>,
    consented: Window,
}

fn checks<'a>() -> [Check<Named<'a>, Wire>; 2] {
    [
        Check {
            rule: &KNOWN,
            error: Wire::bad_request(ErrorCode::ResourceNotFound, Some("StatementId")),
            test: |named| holds(named.statement.is_some(), "a StatementId of this account", named.id),
        },
        Check {
            rule: &CONSENTED,
            error: Wire::status(StatusCode::FORBIDDEN),
            test: |named| {
                let inside = named.statement.as_ref().is_none_or(|one| in_window(named.consented, one));
                holds(inside, format_args!("a month within {:?}", named.consented), named.id)
            },
        },
    ]
}

/// The file of a statement is whole, or there is none: its transactions can be read page by page.
const PRINTED: Check<usize, Wire> = Check {
    rule: &PRINTABLE,
    error: Wire::bad_request(ErrorCode::ResourceNotFound, Some("StatementId")),
    test: |total| {
        holds(*total <= file::MOST_ROWS, format!("at most {} transactions", file::MOST_ROWS), total.to_string())
    },
};

/// The account and the statement that the path names.
fn named<'v>(view: &View<'v>) -> Result<(&'v ledger::Account, Statement), ApiError> {
    let [account] = view.accounts.as_slice() else {
        return Err(ApiError::Failed("a statement needs one account".to_owned()));
    };
    let wanted = view.request.params.get("StatementId").unwrap_or_default();
    let month = wanted.split_once('.').and_then(|(month, _)| month.parse().ok());
    let statement = match month.filter(|month| id(account.id.as_str(), *month) == wanted) {
        Some(month) => view.books.statement(&account.id, month, view.now)?,
        None => None,
    };
    let consented = Window { from: view.consent.transactions_from, to: view.consent.transactions_to };
    let facts = Named { id: wanted, statement, consented };
    apply(&facts, &checks(), &view.context.engine.profile().switched_off)?;
    let statement = statement.ok_or_else(|| ApiError::Failed("a statement was used that is not there".to_owned()))?;
    reauthentication::within(view.context, view.earliest, Some(statement.month.start()))?;
    Ok((account, statement))
}

/// Answers `GET /accounts/{AccountId}/statements/{StatementId}`.
pub(super) fn one(view: &View<'_>) -> Result<Response, ApiError> {
    let (account, statement) = named(view)?;
    let id = id(account.id.as_str(), statement.month);
    let statement = vec![shown::statement(account, id, &statement)?.shown(view.consent.permissions)];
    Ok(view.one_page(wire::StatementData { statement }))
}

/// Answers `GET /accounts/{AccountId}/statements/{StatementId}/transactions`.
pub(super) fn transactions_of(view: &View<'_>) -> Result<Response, ApiError> {
    let (_, statement) = named(view)?;
    let last = statement.month.next().start() - time::Duration::NANOSECOND;
    transactions::page_within(view, Window { from: Some(statement.month.start()), to: Some(last) })
}

/// Answers `GET /accounts/{AccountId}/statements/{StatementId}/file`: the statement as the bank prints it.
pub(super) fn file(view: &View<'_>) -> Result<Response, ApiError> {
    let (account, statement) = named(view)?;
    let last = statement.month.next().start() - time::Duration::NANOSECOND;
    let first = ledger::TransactionQuery {
        from: Some(statement.month.start()),
        to: Some(last),
        limit: 1,
        ..ledger::TransactionQuery::default()
    };
    let total = view.books.transactions(&account.id, &first)?.total;
    apply(&total, &[PRINTED], &view.context.engine.profile().switched_off)?;
    let rows = view.books.transactions(&account.id, &ledger::TransactionQuery { limit: total, ..first })?.rows;
    let holder = account.holders.first().and_then(|id| view.books.customer(id));
    let printed = file::print(&view.context.bank.name, account, holder, &statement, &rows);
    Ok(reply::bytes(StatusCode::OK, FILE, printed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_or_refused() {
        let off = rules::SwitchedOff::default();
        assert!(apply(&file::MOST_ROWS, &[PRINTED], &off).is_ok());
        assert!(
            matches!(apply(&(file::MOST_ROWS + 1), &[PRINTED], &off), Err(ApiError::Refused(refusal)) if refusal.rule == &PRINTABLE)
        );
    }

    #[test]
    fn identifiers_fit_and_name_month_and_account() {
        let month: CalendarMonth = "2026-10".parse().unwrap();
        assert_eq!(id("Qqv9bQHq8Ab8MCCNCUhWC2", month), "2026-10.Qqv9bQHq8Ab8MCCNCUhWC2");
        let long = id(&"a".repeat(40), month);
        assert_eq!(long.len(), 40);
        assert_eq!(id("", month), "2026-10.");
    }
}
