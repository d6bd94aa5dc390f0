//! Several accounts' transactions as one list.

use super::{Cursor, History, Page, Position, Row, TransactionQuery};
use crate::{Account, AccountId, Books, BooksError, Kind};
use std::collections::HashSet;
use time::OffsetDateTime;

fn place(row: &Row) -> Position {
    Position { booked_at: row.transaction.booked_at, sequence: row.transaction.sequence }
}

impl History {
    /// The newest line of that kind for each name and reference up to that moment, newest first.
    pub(crate) fn last_of(&self, kind: Kind, to: OffsetDateTime, account: &Account) -> Vec<Row> {
        let told = self.recurring.iter().filter(|(story, _)| story.kind == kind);
        let last = told.filter_map(|(_, places)| {
            let before = places.partition_point(|place| place.booked_at <= to);
            places[..before].last().copied()
        });
        let mut last: Vec<Position> = last.collect();
        last.sort_unstable_by(|one, other| other.cmp(one));
        let mut seen = HashSet::new();
        let rows = last.into_iter().filter_map(|place| self.row_at(place, account));
        rows.filter(|row| {
            let entry = &row.transaction;
            seen.insert((entry.counterparty.as_ref().map(|other| other.name.clone()), entry.reference.clone()))
        })
        .collect()
    }
}

impl Books {
    /// A page of these accounts' transactions, newest first, as if they stood in one list; the filters of the query
    /// hold for each. Sequences are counted over all accounts, so a place in one list is a place in all. Costs as many
    /// pages as there are accounts.
    pub fn transactions_of_all(&self, ids: &[AccountId], query: &TransactionQuery) -> Result<Page, BooksError> {
        if let [id] = ids {
            return self.transactions(id, query);
        }
        let limit = query.limit.max(1);
        let pages = ids.iter().map(|id| self.transactions(id, query)).collect::<Result<Vec<_>, _>>()?;
        let total = pages.iter().map(|page| page.total).sum();
        let newer = ids.iter().zip(&pages).filter_map(|(id, page)| Some((id, page.previous?)));
        let previous = match query.after {
            Some(Cursor(Some(top))) => self.page_before(newer, top, query)?,
            _ => None,
        };
        let older = pages.iter().any(|page| page.next.is_some());
        let mut rows: Vec<Row> = pages.into_iter().flat_map(|page| page.rows).collect();
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(place(row)));
        let more = older || rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| Cursor(Some(place(row))));
        Ok(Page { rows, next, previous, total })
    }

    /// Where the page begins that ends before `top`, given where it would begin in each account's own list.
    fn page_before<'a>(
        &self,
        accounts: impl Iterator<Item = (&'a AccountId, Cursor)>,
        top: Position,
        query: &TransactionQuery,
    ) -> Result<Option<Cursor>, BooksError> {
        let mut newer = Vec::new();
        for (id, before) in accounts {
            let page = self.transactions(id, &TransactionQuery { after: Some(before), ..*query })?;
            newer.extend(page.rows.iter().map(place).filter(|position| *position >= top));
            newer.extend(before.0);
        }
        newer.sort_unstable();
        let begin = newer.get(query.limit.max(1)).map_or(Cursor::NEWEST, |position| Cursor(Some(*position)));
        Ok((!newer.is_empty()).then_some(begin))
    }
}
