//! Reading the parties' journals: what happened since they were last read, and whether it is what a step expects.

use simulation::{Exchange, Filter};

use super::{Run, RunError, Runner};
use crate::{
    ecosystem::Bookmark,
    language::steps::{Event, ExpectJournalStep, Side},
    result::Spoke,
};

/// Exchanges that a problem lists.
const LISTED: usize = 4;

/// How far the journals were read, and what was in them.
#[derive(Default)]
pub(super) struct Seen {
    tpps: Vec<Bookmark>,
    browser: u64,
    others: Vec<Bookmark>,
    all: Vec<Exchange>,
}

impl Seen {
    pub(super) fn new(runner: &Runner) -> Self {
        Self {
            tpps: vec![Bookmark::default(); runner.tpps.len()],
            others: vec![Bookmark::default(); runner.others.len()],
            ..Self::default()
        }
    }
}

impl Run<'_> {
    /// What happened since the last step, in the order of time: what TPPs and browsers began, and what the others did.
    pub(super) async fn new_exchanges(&mut self) -> Result<(Vec<Exchange>, Vec<Exchange>), RunError> {
        let mut began = Vec::new();
        let mut served = Vec::new();
        for (client, seen) in self.runner.tpps.values().zip(&mut self.seen.tpps) {
            began.extend(client.journal(&self.trace, seen).await?);
        }
        for (client, seen) in self.runner.others.iter().zip(&mut self.seen.others) {
            served.extend(client.journal(&self.trace, seen).await?);
        }
        let filter = Filter { after: Some(self.seen.browser), ..Filter::default() };
        let pages = self.browser.recent(&filter);
        self.seen.browser = pages.iter().map(|exchange| exchange.sequence).max().unwrap_or(self.seen.browser);
        self.seen.all.extend(began.iter().chain(&pages).chain(&served).cloned());
        // What TPPs were asked (callbacks) they served.
        let (asked, callbacks): (Vec<_>, Vec<_>) =
            began.into_iter().partition(|exchange| exchange.side == simulation::Side::Client);
        let mut began = asked;
        served.extend(callbacks);
        began.extend(pages);
        began.sort_by_key(|exchange| exchange.at);
        served.sort_by_key(|exchange| exchange.at);
        Ok((began, served))
    }

    /// What is not as the step expects; none when everything is.
    ///
    /// # Errors
    /// The step names a party whose journal is not read: nothing can be said of it.
    pub(super) fn read_journals(&self, step: &ExpectJournalStep) -> Result<Option<String>, RunError> {
        for party in step.order.iter().chain(&step.never).filter_map(|event| event.party.as_deref()) {
            if party != "psu" {
                self.runner.party(party)?;
            }
        }
        let mut all: Vec<&Exchange> = self.seen.all.iter().collect();
        all.sort_by_key(|exchange| exchange.at);
        Ok(otherwise(step, &all))
    }
}

/// What is otherwise than the step expects of these exchanges, which are in the order of time.
fn otherwise(step: &ExpectJournalStep, all: &[&Exchange]) -> Option<String> {
    let mut after = 0;
    for (index, event) in step.order.iter().enumerate() {
        let left = all.get(after..).unwrap_or_default();
        if let Some(found) = left.iter().position(|exchange| fits(event, exchange)) {
            after += found + 1;
            continue;
        }
        let (number, of) = (index + 1, step.order.len());
        let wanted = format!("expected in the journals, in this order: {}, event {number} of {of}", said(event));
        let before = all.iter().take(after).filter(|exchange| fits(event, exchange)).count();
        let earlier = if before == 0 { "it is not there" } else { "it is there only before the events above it" };
        let like: Vec<String> = left
            .iter()
            .filter(|exchange| resembles(event, exchange))
            .take(LISTED)
            .map(|exchange| shown(exchange))
            .collect();
        let instead = match (like.is_empty(), left.is_empty()) {
            (false, _) => format!("what comes instead: {}", like.join("; ")),
            (true, false) => format!(
                "what comes then: {}",
                left.iter().take(LISTED).map(|exchange| shown(exchange)).collect::<Vec<_>>().join("; ")
            ),
            (true, true) => "nothing comes then".to_owned(),
        };
        return Some(format!("{wanted}; {earlier}; {instead}"));
    }
    step.never.iter().find_map(|event| {
        let wrong = all.iter().find(|exchange| fits(event, exchange))?;
        Some(format!("expected never in the journals: {}; it is there: {}", said(event), shown(wrong)))
    })
}

/// Whether an exchange is nearly the event: the same path, or the same rule.
fn resembles(event: &Event, exchange: &Exchange) -> bool {
    let same = Event { path: event.path.clone(), party: event.party.clone(), ..Event::default() };
    event.path.is_some() && fits(&same, exchange)
}

/// An exchange in a few words.
fn shown(exchange: &Exchange) -> String {
    let side = if exchange.side == simulation::Side::Client { "asking" } else { "answering" };
    let path = exchange.url.split(['?', '#']).next().unwrap_or_default();
    let status = exchange.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let rule = Spoke::of_exchange(exchange).map(|spoke| format!(" {}", spoke.rule)).unwrap_or_default();
    format!("{} {side} {} {path} {status}{rule}", exchange.party, exchange.method)
}

fn fits(event: &Event, exchange: &Exchange) -> bool {
    let side = match exchange.side {
        simulation::Side::Client => Side::Client,
        simulation::Side::Server => Side::Server,
    };
    let rule = Spoke::of_exchange(exchange).map(|spoke| spoke.rule);
    event.party.as_ref().is_none_or(|party| *party == exchange.party)
        && event.side.is_none_or(|wanted| wanted == side)
        && event.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(&exchange.method))
        && event.path.as_ref().is_none_or(|path| exchange.url.contains(path.as_str()))
        && event.status.is_none_or(|status| answered(exchange) == Some(status))
        && event.rule.as_ref().is_none_or(|wanted| rule.as_ref() == Some(wanted))
}

/// The status of the answer; where a fault kept the answer back, of that which was made.
fn answered(exchange: &Exchange) -> Option<u16> {
    exchange.status.or_else(|| exchange.fault.as_ref()?.instead_of)
}

fn said(event: &Event) -> String {
    let side = event.side.map(|side| match side {
        Side::Client => "asking".to_owned(),
        Side::Server => "answering".to_owned(),
    });
    let parts = [
        event.party.clone(),
        side,
        event.method.clone(),
        event.path.clone(),
        event.status.map(|status| status.to_string()),
        event.rule.clone(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_fits_where_everything_that_it_says_does() {
        let exchange: Exchange = serde_json::from_value(json!({
            "at": "2026-11-23T12:00:00Z", "party": "bank", "side": "server", "peer": "tpp", "method": "POST",
            "url": "/token", "status": 400, "duration-us": 1, "trace-id": "a"
        }))
        .unwrap();
        let event = |json: serde_json::Value| serde_json::from_value::<Event>(json).unwrap();
        for (wanted, right) in [
            (json!({}), true),
            (json!({"party": "bank", "side": "server", "method": "post", "path": "token", "status": 400}), true),
            (json!({"party": "tpp"}), false),
            (json!({"side": "client"}), false),
            (json!({"method": "GET"}), false),
            (json!({"path": "/accounts"}), false),
            (json!({"status": 200}), false),
            (json!({"rule": "fapi.token.scope"}), false),
        ] {
            assert_eq!(fits(&event(wanted.clone()), &exchange), right, "{wanted}");
        }
        assert_eq!(said(&event(json!({"party": "bank", "path": "/token"}))), "bank /token");
        let mut dropped = serde_json::to_value(&exchange).unwrap();
        dropped["fault"] = json!({ "id": "f", "when": "after", "what": "drop", "instead-of": 200 });
        dropped["status"] = serde_json::Value::Null;
        let dropped = serde_json::from_value(dropped).unwrap();
        assert!(fits(&event(json!({"status": 200})), &dropped), "the answer that was made");
        assert!(!fits(&event(json!({"status": 400})), &dropped));
    }

    #[test]
    fn what_is_missing_is_told_with_what_came_instead() {
        let exchange = |method: &str, url: &str, status: u16| -> Exchange {
            serde_json::from_value(json!({
                "at": "2026-11-23T12:00:00Z", "party": "bank", "side": "server", "peer": "tpp", "method": method,
                "url": url, "status": status, "duration-us": 1, "trace-id": "a"
            }))
            .unwrap()
        };
        let all =
            [exchange("POST", "/token?x=1", 200), exchange("GET", "/accounts", 200), exchange("POST", "/token", 400)];
        let all: Vec<&Exchange> = all.iter().collect();
        let told = |json: serde_json::Value| otherwise(&serde_json::from_value(json).unwrap(), &all);
        let accounts = json!({"path": "/accounts"});
        assert_eq!(told(json!({"order": [{"path": "/token"}, accounts], "never": [{"path": "/par"}]})), None);
        for (step, problem) in [
            (
                json!({"order": [accounts, {"path": "/token", "status": 200}]}),
                "/token 200, event 2 of 2; it is there only before the events above it; what comes instead: bank \
                 answering POST /token 400",
            ),
            (
                json!({"order": [{"path": "/par"}]}),
                "/par, event 1 of 1; it is not there; what comes then: bank answering POST /token 200; ",
            ),
            (
                json!({"order": [{"status": 400}, accounts]}),
                "/accounts, event 2 of 2; it is there only before the events above it; nothing comes then",
            ),
            (json!({"never": [accounts]}), "/accounts; it is there: bank answering GET /accounts 200"),
        ] {
            let found = told(step.clone()).unwrap();
            assert!(found.contains(problem), "{step}: {found}");
        }
    }
}
