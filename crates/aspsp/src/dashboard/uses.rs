//! What TPPs did with lasting consents, as their customers may see it (OB Customer Experience Guidelines, Access dashboards:
//! last access; CBPII: history of the questions).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use openbanking::money::Money;
use serde::{Deserialize, Serialize};
use store::{Change, Collection, Range, StoreError};
use time::{Date, Duration, OffsetDateTime};

use crate::Context;

/// How long an answered question is told.
pub const KEPT: Duration = Duration::days(90);

/// The newest questions of a consent that are told.
const MOST: usize = 20;

/// The last day on which each consent was used, as far as it is known without looking into the store: what is written down
/// already is not written again.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<String, Date>>);

/// Rows of [`Uses`]; when there are so many, it begins anew.
const ROWS: usize = 10_000;

impl Uses {
    /// Whether the use is the first of its day.
    fn first_of_the_day(&self, consent_id: &str, day: Date) -> bool {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if days.get(consent_id) == Some(&day) {
            return false;
        }
        if days.len() >= ROWS {
            days.clear();
        }
        days.insert(consent_id.to_owned(), day);
        true
    }
}

/// The day of the last use, by consent.
fn days() -> Collection<Date> {
    Collection::new("consent-uses")
}

/// Writes down that a TPP used a consent today; once a day.
pub(crate) async fn note(context: &Context, consent_id: &str) {
    let day = context.tools.clock.now().date();
    if !context.uses.first_of_the_day(consent_id, day) {
        return;
    }
    let written = async { context.store().commit(vec![days().put(consent_id, &day)?]).await };
    if let Err(error) = written.await {
        tracing::warn!(%error, "the use of a consent could not be written down");
    }
}

/// The day on which a TPP last used the consent.
pub(super) async fn last(context: &Context, consent_id: &str) -> Result<Option<Date>, StoreError> {
    Ok(days().get(context.store(), consent_id).await?.map(|(day, _)| day))
}

/// A question whether there is enough money, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// When it was asked.
    pub at: OffsetDateTime,
    /// How much was asked for.
    pub amount: Money,
    /// Whether it was there.
    pub available: bool,
}

/// The questions, by consent and time.
#[must_use]
pub fn questions() -> Collection<Question> {
    Collection::new("funds-questions")
}

/// Writes a question down. Several of one moment differ by `unique`.
pub(crate) fn asked(consent_id: &str, question: &Question, unique: &str) -> Result<Change, StoreError> {
    let moment = question.at.unix_timestamp_nanos();
    questions().put(format!("{consent_id}/{moment:030}/{unique}"), question)
}

/// The newest questions under a consent, newest first.
pub(super) async fn asked_under(context: &Context, consent_id: &str) -> Result<Vec<Question>, StoreError> {
    let newest = Range::prefix(format!("{consent_id}/")).backward().limit(MOST);
    let found = questions().range(context.store(), newest).await?;
    Ok(found.into_iter().map(|(_, question, _)| question).collect())
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_use_is_written_down_once_a_day() {
        let uses = Uses::default();
        let day = date!(2027 - 01 - 05);
        assert!(uses.first_of_the_day("consent-1", day));
        assert!(!uses.first_of_the_day("consent-1", day));
        assert!(uses.first_of_the_day("consent-2", day));
        assert!(uses.first_of_the_day("consent-1", day.next_day().unwrap()));
        for number in 0..=ROWS {
            uses.first_of_the_day(&number.to_string(), day);
        }
        assert!(uses.0.lock().unwrap().len() <= ROWS);
    }
}
