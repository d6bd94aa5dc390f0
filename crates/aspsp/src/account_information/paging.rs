//! Pages: the links around one, and lists that are cut into pages (OB Read/Write, Pagination).

use http::StatusCode;
use openbanking::{
    error::ErrorCode,
    links::{Envelope, Links, Meta},
};
use rules::{Check, holds};
use serde::Serialize;
use transport::{Response, reply};
use url::Url;

use super::resources::View;
use crate::api::{ApiError, Wire, apply};

/// Query parameter with the place at which a page begins.
pub(super) const PAGE: &str = "page";

rules::catalogue! {
    /// Rules of pages of lists.
    pub(super) RULES;
    PAGE_KNOWN { id: "ais.list.page",
        reason: "The page is one that an earlier page linked to.", clause: "OB Read/Write 4.0, Pagination" }
}

/// Which item of a list the page follows; none for the first page.
struct Place {
    after: Option<String>,
    found: Option<usize>,
}

const CHECKS: &[Check<Place, Wire>] = &[Check {
    rule: &PAGE_KNOWN,
    error: Wire::bad_request(ErrorCode::FieldInvalid, Some(PAGE)),
    test: |place| match &place.after {
        Some(after) => holds(place.found.is_some(), "a page that was linked to", after.clone()),
        None => Ok(()),
    },
}];

/// How many pages so many items fill; one when there are none.
pub(super) fn pages(items: usize, limit: usize) -> Option<u32> {
    Some(u32::try_from(items.div_ceil(limit).max(1)).unwrap_or(u32::MAX))
}

impl View<'_> {
    /// Links to this page and those around it; filters come along. A page is named by `page`, the first one also by the
    /// absence of it (an empty name).
    pub(super) fn links(&self, previous: Option<&str>, next: Option<&str>) -> Result<Links, ApiError> {
        let this = self.this();
        let url = Url::parse(&this)?;
        let kept: Vec<(String, String)> =
            self.request.query_pairs().into_iter().filter(|(name, _)| name != PAGE).collect();
        let at = |page: &str| {
            let mut url = url.clone();
            url.set_query(None);
            if !kept.is_empty() || !page.is_empty() {
                let page = Some((PAGE, page)).filter(|(_, page)| !page.is_empty());
                url.query_pairs_mut().extend_pairs(&kept).extend_pairs(page);
            }
            url.to_string()
        };
        Ok(Links {
            first: (previous.is_some() || next.is_some()).then(|| at("")),
            prev: previous.map(at),
            next: next.map(at),
            last: None,
            this,
        })
    }

    /// Answers with one page of a list. `key` names an item in the whole list and never changes: a page is named by the
    /// item that it follows, so that pages stay what they are while items come and go elsewhere.
    pub(super) fn list<T, D: Serialize>(
        &self,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
        data: impl FnOnce(Vec<T>) -> D,
    ) -> Result<Response, ApiError> {
        let after = self.request.query_pairs().into_iter().find(|(name, _)| name == PAGE).map(|(_, value)| value);
        let found = after.as_ref().and_then(|after| items.iter().position(|item| key(item) == *after));
        let place = Place { after, found };
        apply(&place, CHECKS, &self.context.engine.profile().switched_off)?;
        let (limit, total) = (self.context.bank.page_size, items.len());
        let begin = place.found.map_or(0, |index| index + 1);
        let end = begin.saturating_add(limit).min(total);
        let previous = (begin > 0).then(|| match begin.checked_sub(limit + 1) {
            Some(index) => items.get(index).map(&key).unwrap_or_default(),
            None => String::new(),
        });
        let next = (end < total).then(|| items.get(end - 1).map(&key)).flatten();
        let links = self.links(previous.as_deref(), next.as_deref())?;
        let meta = Meta { total_pages: pages(total, limit), ..Meta::default() };
        let page = items.into_iter().skip(begin).take(limit).collect();
        Ok(reply::json(StatusCode::OK, &Envelope::new(data(page), links, meta)))
    }
}
