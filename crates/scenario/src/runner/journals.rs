//! Reading the parties' journals: what happened since they were last read, and whether it is what a step expects.

use simulation::{Exchange, Filter};

use super::{Run, RunError, Runner};
use crate::{
    ecosystem::Bookmark,
    language::steps::{Event, ExpectJournalStep, Side},
    result::Spoke,
};

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
    pub(super) fn read_journals(&self, step: &ExpectJournalStep) -> Option<String> {
        let mut all: Vec<&Exchange> = self.seen.all.iter().collect();
        all.sort_by_key(|exchange| exchange.at);
        let mut left = all.iter();
        let missing = step.order.iter().find(|event| !left.any(|exchange| fits(event, exchange)));
        if let Some(event) = missing {
            return Some(format!("expected in the journals, in this order: {}; it is not there", said(event)));
        }
        let wrong = step.never.iter().find(|event| all.iter().any(|exchange| fits(event, exchange)));
        wrong.map(|event| format!("expected never in the journals: {}; it is there", said(event)))
    }
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
        && event.status.is_none_or(|status| exchange.status == Some(status))
        && event.rule.as_ref().is_none_or(|wanted| rule.as_ref() == Some(wanted))
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
    }
}
