//! The journal: a bounded memory of exchanges, their totals, and lines in a file when asked for.

use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Exchange, SeenToken, Totals,
    lines::Lines,
    redact::{redact_claims, redact_query},
};

/// A party's journal. Clones write into the same one; when the last one is dropped, the file is complete.
#[derive(Clone)]
pub struct Journal(Arc<Inner>);

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("party", &self.0.party).finish_non_exhaustive()
    }
}

struct Inner {
    party: String,
    capacity: usize,
    entries: Mutex<Entries>,
    lines: Option<Lines>,
}

#[derive(Default)]
struct Entries {
    last: u64,
    recent: VecDeque<Recorded>,
    totals: Totals,
}

/// An exchange with tokens that nobody has decoded yet. That and taking out their secrets is left to whoever reads.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    exchange: Exchange,
    tokens: Vec<SeenToken>,
}

impl Recorded {
    /// The exchange for readers.
    pub(crate) fn read(&self) -> Exchange {
        let mut exchange = self.exchange.clone();
        exchange.tokens.extend(self.tokens.iter().filter_map(SeenToken::decoded));
        for token in &mut exchange.tokens {
            redact_claims(&mut token.header);
            redact_claims(&mut token.claims);
        }
        exchange
    }
}

#[cfg(test)]
impl From<Exchange> for Recorded {
    fn from(exchange: Exchange) -> Self {
        Self { exchange, tokens: Vec::new() }
    }
}

/// Which exchanges to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this journey.
    pub trace: Option<String>,
    /// Only those with this `x-fapi-interaction-id`, which clients send and error pages name.
    pub interaction: Option<String>,
    /// Only those with a higher sequence number.
    pub after: Option<u64>,
    /// At most so many: with `after` the first ones after it, so that a reader who asks again with the last number misses
    /// none; otherwise the latest ones. All when none.
    pub limit: Option<usize>,
}

impl Filter {
    /// Whether an exchange is looked for, the limit aside.
    #[must_use]
    pub fn fits(&self, exchange: &Exchange) -> bool {
        self.interaction.as_ref().is_none_or(|id| exchange.interaction_id.as_ref() == Some(id))
            && self.after.is_none_or(|after| exchange.sequence > after)
            && self.trace.as_ref().is_none_or(|trace| exchange.trace_id == *trace)
    }
}

impl Journal {
    /// A journal that remembers the last `capacity` exchanges, at least one.
    #[must_use]
    pub fn new(party: &str, capacity: usize) -> Self {
        Self::with(party, capacity, None)
    }

    /// A journal that also appends each exchange to a file, as one JSON object a line. A thread of its own writes, so
    /// that no request waits for the disk; exchanges that a disk is too slow for are left out of the file and counted.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn with_json_lines(party: &str, capacity: usize, path: &Path) -> io::Result<Self> {
        Ok(Self::with(party, capacity, Some(Lines::open(path)?)))
    }

    fn with(party: &str, capacity: usize, lines: Option<Lines>) -> Self {
        let capacity = capacity.max(1);
        Self(Arc::new(Inner { party: party.to_owned(), capacity, entries: Mutex::default(), lines }))
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The party whose journal it is.
    #[must_use]
    pub fn party(&self) -> &str {
        &self.0.party
    }

    /// Writes an exchange down. Its number and party are set here, and secrets that are still in its URL are removed;
    /// those in its tokens are removed before anybody reads them.
    pub fn record(&self, exchange: Exchange) {
        self.record_with(exchange, Vec::new());
    }

    /// As [`Journal::record`], with tokens that are decoded only when somebody reads them.
    pub fn record_with(&self, mut exchange: Exchange, tokens: Vec<SeenToken>) {
        exchange.party.clone_from(&self.0.party);
        if exchange.url.contains(['?', '#', '@']) {
            exchange.url = redact_query(&exchange.url);
        }
        let mut recorded = Recorded { exchange, tokens };
        // The file gets it under the same lock, so that it is in the order of the numbers. It does not wait.
        let mut entries = self.entries();
        entries.last += 1;
        recorded.exchange.sequence = entries.last;
        entries.totals.add(&recorded.exchange);
        if let Some(lines) = &self.0.lines {
            lines.append(&recorded);
        }
        let forgotten = if entries.recent.len() >= self.0.capacity { entries.recent.pop_front() } else { None };
        entries.recent.push_back(recorded);
        drop(entries);
        // Nobody waits for the lock while its many small texts are freed.
        drop(forgotten);
    }

    /// Remembered exchanges, the oldest first.
    #[must_use]
    pub fn recent(&self, filter: &Filter) -> Vec<Exchange> {
        let limit = filter.limit.unwrap_or(usize::MAX);
        let entries = self.entries();
        if let Some(after) = filter.after {
            let begin = entries.recent.partition_point(|recorded| recorded.exchange.sequence <= after);
            let later = entries.recent.range(begin..).filter(|recorded| filter.fits(&recorded.exchange)).take(limit);
            let later: Vec<Recorded> = later.cloned().collect();
            drop(entries);
            return later.iter().map(Recorded::read).collect();
        }
        let latest = entries.recent.iter().rev().filter(|recorded| filter.fits(&recorded.exchange)).take(limit);
        let latest: Vec<Recorded> = latest.cloned().collect();
        drop(entries);
        latest.iter().rev().map(Recorded::read).collect()
    }

    /// The number of the last exchange; 0 when there was none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.entries().last
    }

    /// What all exchanges add up to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.entries().totals.clone()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rules::{Outcome as Ruling, RefusedBy, Verdict};
    use serde_json::{Value, json};
    use time::OffsetDateTime;

    use super::*;
    use crate::{DecodedToken, Outcome, Side, Total, lines};

    pub(crate) fn exchange(trace: &str) -> Exchange {
        Exchange {
            sequence: 0,
            at: OffsetDateTime::UNIX_EPOCH,
            party: String::new(),
            side: Side::Server,
            peer: "tpp".into(),
            method: "GET".into(),
            url: "/".into(),
            status: Some(200),
            error: None,
            duration_us: 1,
            trace_id: trace.into(),
            interaction_id: None,
            tls: None,
            verdict: None,
            tokens: Vec::new(),
            fault: None,
        }
    }

    #[test]
    fn it_forgets_the_oldest_and_finds_a_journey() {
        let journal = Journal::new("bank", 3);
        assert_eq!(journal.last(), 0);
        for (trace, id) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")] {
            journal.record(Exchange { interaction_id: Some(id.to_owned()), ..exchange(trace) });
        }
        let numbers = |filter: &Filter| journal.recent(filter).iter().map(|e| e.sequence).collect::<Vec<_>>();
        assert_eq!(numbers(&Filter::default()), [2, 3, 4]);
        assert_eq!(numbers(&Filter { trace: Some("b".into()), ..Filter::default() }), [2, 4]);
        assert_eq!(numbers(&Filter { interaction: Some("3".into()), ..Filter::default() }), [3]);
        assert_eq!(numbers(&Filter { after: Some(3), ..Filter::default() }), [4]);
        assert_eq!(numbers(&Filter { limit: Some(1), ..Filter::default() }), [4]);
        assert_eq!(journal.recent(&Filter::default())[0].party, "bank");
        assert_eq!(journal.last(), 4);
    }

    #[test]
    fn a_reader_who_asks_for_what_came_after_misses_nothing() {
        let journal = Journal::new("bank", 10);
        for trace in ["a", "b", "a", "a", "b", "a"] {
            journal.record(exchange(trace));
        }
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let filter = Filter { trace: Some("a".into()), after: Some(after), limit: Some(2), ..Filter::default() };
            let page = journal.recent(&filter);
            let Some(last) = page.last() else { break };
            after = last.sequence;
            seen.extend(page.iter().map(|exchange| exchange.sequence));
        }
        assert_eq!(seen, [1, 3, 4, 6]);
    }

    #[test]
    fn secrets_do_not_get_into_it() {
        let journal = Journal::new("bank", 3);
        let token = DecodedToken {
            name: "registration".into(),
            header: json!({"alg": "PS256"}),
            claims: json!({"software_statement": "eyJh.eyJi.signature"}),
        };
        journal.record(Exchange { url: "/cb?code=abc".into(), tokens: vec![token], ..exchange("a") });
        let written = serde_json::to_string(&journal.recent(&Filter::default())).unwrap();
        assert!(written.contains("/cb?code=[removed]") && written.contains("eyJh.eyJi.[removed]"), "{written}");
        assert!(!written.contains("abc") && !written.contains("signature"), "{written}");
    }

    /// What parties hand over for JWS: here the parts are JSON that is not encoded at all.
    fn plain(jws: &str) -> Option<(Value, Value)> {
        let (header, claims) = jws.strip_suffix('.')?.split_once('.')?;
        Some((serde_json::from_str(header).ok()?, serde_json::from_str(claims).ok()?))
    }

    #[test]
    fn tokens_that_are_decoded_late_hold_no_secrets_either() {
        let seen = |text: &str| SeenToken::new("assertion", text, plain);
        let token = seen(r#"{"alg":"PS256"}.{"iss":"me","client_secret":"abc"}.signature"#).unwrap();
        assert!(!format!("{token:?}").contains("abc"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        let journal = Journal::with_json_lines("bank", 3, &path).unwrap();
        journal.record_with(exchange("a"), vec![token, seen("not.json.x").unwrap()]);
        let read = journal.recent(&Filter::default());
        let expected = DecodedToken {
            name: "assertion".into(),
            header: json!({"alg": "PS256"}),
            claims: json!({"iss": "me", "client_secret": "[removed]"}),
        };
        assert_eq!(read[0].tokens, [expected]);
        assert_eq!(journal.recent(&Filter { after: Some(0), ..Filter::default() }), read);
        drop(journal);
        assert_eq!(lines::read(&path), read);
    }

    #[test]
    fn only_a_compact_jws_is_kept() {
        for other in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e"] {
            assert!(SeenToken::new("assertion", other, plain).is_none(), "{other}");
        }
    }

    #[test]
    fn totals_outlive_what_is_forgotten() {
        let journal = Journal::new("bank", 1);
        let refused = RefusedBy {
            rule: "demo.rule".into(),
            reason: String::new(),
            clause: String::new(),
            expected: String::new(),
            found: String::new(),
        };
        let verdict = Verdict { outcome: Ruling::Refused(refused), passed: Vec::new(), skipped: Vec::new() };
        journal.record(exchange("a"));
        journal.record(Exchange { status: Some(400), verdict: Some(verdict), ..exchange("a") });
        journal.record(Exchange { status: Some(204), duration_us: 5, ..exchange("a") });
        journal.record(Exchange { status: None, side: Side::Client, ..exchange("a") });
        let totals = journal.totals();
        assert_eq!(totals.exchanges[&(Side::Server, Outcome::Status(2))], Total { count: 2, duration_us: 6 });
        assert_eq!(totals.exchanges[&(Side::Server, Outcome::Status(4))].count, 1);
        assert_eq!(totals.exchanges[&(Side::Client, Outcome::Failed)].count, 1);
        assert_eq!(totals.refusals["demo.rule"], 1);
        assert_eq!(Outcome::Status(4).to_string(), "4xx");
    }

    #[test]
    fn the_file_is_complete_and_in_order_when_the_journal_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        let journal = Journal::with_json_lines("bank", 2, &path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| journal.record(exchange("a"))));
            }
        });
        drop(journal);
        let read = lines::read(&path);
        assert_eq!(read.iter().map(|e| e.sequence).collect::<Vec<_>>(), (1..=400).collect::<Vec<_>>());
        assert!(Journal::with_json_lines("bank", 2, folder.path()).is_err());
    }
}
