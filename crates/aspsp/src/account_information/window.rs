//! The part of time that an answer is about: the consent's window, the query's, and what may be shown without
//! authentication.

use openbanking::{dates::QueryDate, error::ErrorCode, links::Meta};
use rules::{Check, Evidence};
use time::OffsetDateTime;

use super::{reauthentication, resources::View};
use crate::api::{ApiError, Wire, apply};

/// From when to when, both inclusive; none means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Option<OffsetDateTime>,
    pub(super) to: Option<OffsetDateTime>,
}

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

impl Window {
    /// What is in both.
    pub(super) fn and(self, other: Self) -> Self {
        Self { from: narrower(self.from, other.from, Ord::max), to: narrower(self.to, other.to, Ord::min) }
    }

    /// True when all of the time from `start` to `end` is in it.
    pub(super) fn contains(self, start: OffsetDateTime, end: OffsetDateTime) -> bool {
        self.from.is_none_or(|from| from <= start) && self.to.is_none_or(|to| end <= to)
    }

    /// `FirstAvailableDateTime` and `LastAvailableDateTime` of data that goes from the one to the other moment; absent
    /// when none of it is in the window.
    pub(super) fn available(self, span: Option<(OffsetDateTime, OffsetDateTime)>) -> Meta {
        let inside = span.map(|(first, last)| {
            (self.from.map_or(first, |from| from.max(first)), self.to.map_or(last, |to| to.min(last)))
        });
        let inside = inside.filter(|(first, last)| first <= last);
        Meta {
            first_available_date_time: inside.map(|(first, _)| first),
            last_available_date_time: inside.map(|(_, last)| last),
            ..Meta::default()
        }
    }
}

/// The two query parameters of a filter, with the rules that speak when they are wrong.
pub(super) struct Filter {
    /// Name of the beginning.
    pub(super) from: &'static str,
    /// Its rule.
    pub(super) from_rule: &'static rules::Rule,
    /// Name of the end.
    pub(super) to: &'static str,
    /// Its rule.
    pub(super) to_rule: &'static rules::Rule,
}

/// The first value of a query parameter, read as a date.
fn date(pairs: &[(String, String)], name: &str) -> Option<Result<QueryDate, Evidence>> {
    let text = pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())?;
    Some(QueryDate::parse(text).map_err(|error| Evidence::new(error.expected, error.found)))
}

fn readable<T>(value: &Option<Result<T, Evidence>>) -> Result<(), Evidence> {
    match value {
        Some(Err(evidence)) => Err(evidence.clone()),
        _ => Ok(()),
    }
}

type Dates = (Option<Result<QueryDate, Evidence>>, Option<Result<QueryDate, Evidence>>);

impl Filter {
    fn checks(&self) -> [Check<Dates, Wire>; 2] {
        [
            Check {
                rule: self.from_rule,
                error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some(self.from)),
                test: |(from, _)| readable(from),
            },
            Check {
                rule: self.to_rule,
                error: Wire::bad_request(ErrorCode::FieldInvalidDate, Some(self.to)),
                test: |(_, to)| readable(to),
            },
        ]
    }

    /// What the query asks for.
    pub(super) fn read(&self, pairs: &[(String, String)], view: &View<'_>) -> Result<Window, ApiError> {
        let dates = (date(pairs, self.from), date(pairs, self.to));
        apply(&dates, &self.checks(), &view.context.engine.profile().switched_off)?;
        let (from, to) = dates;
        let asked = Window {
            from: from.and_then(Result::ok).map(QueryDate::lower_bound),
            to: to.and_then(Result::ok).map(QueryDate::upper_bound),
        };
        reauthentication::within(view.context, view.earliest, asked.from.or(asked.to))?;
        Ok(asked)
    }
}

impl View<'_> {
    /// What the consent and the last authentication open.
    pub(super) fn window(&self) -> Window {
        let consented = Window { from: self.consent.transactions_from, to: self.consent.transactions_to };
        consented.and(Window { from: self.earliest, to: None })
    }
}

#[cfg(test)]
mod tests {
    use rules::{SwitchedOff, judge};
    use time::macros::datetime;

    use super::{super::statements, super::transactions, *};

    #[test]
    fn a_wrong_parameter_is_named() {
        for filter in [&transactions::FILTER, &statements::FILTER] {
            let verdict = |name: &str, value: &str| {
                let pairs = [(name.to_owned(), value.to_owned())];
                let dates = (date(&pairs, filter.from), date(&pairs, filter.to));
                judge(&dates, &filter.checks(), &SwitchedOff::default()).err().map(|refusal| refusal.rule.id)
            };
            for right in ["2026-01-01", "2026-01-01T10:00:00", "20160101T104012.345Z", "2016-01-01T10:40:12.34567+01"] {
                assert_eq!(verdict(filter.from, right), None, "{right}");
                assert_eq!(verdict(filter.to, right), None, "{right}");
            }
            for wrong in ["yesterday", "2026-13-01", ""] {
                assert_eq!(verdict(filter.from, wrong), Some(filter.from_rule.id));
                assert_eq!(verdict(filter.to, wrong), Some(filter.to_rule.id));
            }
        }
    }

    #[test]
    fn windows_meet() {
        let (early, late) = (datetime!(2026-01-01 0:00 UTC), datetime!(2026-02-01 0:00 UTC));
        let window = |from, to| Window { from, to };
        assert_eq!(window(Some(early), Some(late)).and(window(Some(late), None)), window(Some(late), Some(late)));
        assert_eq!(window(None, Some(late)).and(window(Some(early), Some(early))), window(Some(early), Some(early)));
        assert_eq!(Window::default().and(Window::default()), Window::default());
        assert!(window(Some(early), Some(late)).contains(early, late));
        assert!(!window(Some(early), Some(early)).contains(early, late));
        assert!(!window(Some(late), None).contains(early, late));
    }

    #[test]
    fn nothing_is_available_outside_the_window() {
        let (early, middle, late) =
            (datetime!(2026-01-01 0:00 UTC), datetime!(2026-01-15 0:00 UTC), datetime!(2026-02-01 0:00 UTC));
        let meta = Window { from: Some(middle), to: None }.available(Some((early, late)));
        assert_eq!((meta.first_available_date_time, meta.last_available_date_time), (Some(middle), Some(late)));
        let meta = Window { from: Some(late), to: None }.available(Some((early, middle)));
        assert_eq!((meta.first_available_date_time, meta.last_available_date_time), (None, None));
    }
}
