//! A sequence diagram: who spoke with whom, from top to bottom.

use serde::Serialize;
use simulation::{Exchange, Side};
use url::Url;

use crate::result::{ScenarioResult, Spoke, StepResult};

/// Pixels between two lanes, unless there are too many.
const WIDEST: usize = 250;
/// Pixels of a page.
const PAGE: usize = 1090;
/// Pixels between two rows.
const ROW: usize = 30;
/// Pixels above the first row, for the names.
const TOP: usize = 40;
/// Pixels of a character of a label.
const CHARACTER: usize = 7;

/// A diagram with its coordinates.
#[derive(Debug, Default, Serialize)]
pub(super) struct Diagram {
    pub(super) width: usize,
    pub(super) height: usize,
    lanes: Vec<Lane>,
    bands: Vec<Band>,
    pub(super) arrows: Vec<Arrow>,
}

#[derive(Debug, Serialize)]
struct Lane {
    name: String,
    x: usize,
}

/// The title of a step, across all lanes.
#[derive(Debug, Serialize)]
struct Band {
    top: usize,
    base: usize,
    text: String,
    problem: bool,
}

/// An exchange.
#[derive(Debug, Serialize)]
pub(super) struct Arrow {
    from: usize,
    to: usize,
    y: usize,
    head: String,
    label: String,
    label_x: usize,
    label_y: usize,
    full: String,
    refused: bool,
    /// The rule that refused it.
    rule: Option<String>,
    rule_y: usize,
}

/// The path of a URL, or the path that it is.
pub(super) fn path(url: &str) -> String {
    Url::parse(url)
        .map_or_else(|_| url.split(['?', '#']).next().unwrap_or_default().to_owned(), |url| url.path().to_owned())
}

/// The same exchange in the journal of the party that answered.
fn served<'a>(exchange: &Exchange, step: &'a StepResult) -> Option<&'a Exchange> {
    let wanted = path(&exchange.url);
    step.served.iter().find(|served| {
        served.side == Side::Server
            && served.method == exchange.method
            && path(&served.url) == wanted
            && served.status == exchange.status
    })
}

/// The party that answered what `exchange` asked: the one in whose journal the same request stands, otherwise the name
/// that the asking one gave.
fn answered_by(exchange: &Exchange, step: &StepResult) -> String {
    match served(exchange, step) {
        Some(served) => served.party.clone(),
        None if exchange.peer == "Directory" => "directory".to_owned(),
        None if exchange.party == "psu" => "tpp".to_owned(),
        None => exchange.peer.clone(),
    }
}

/// What was asked, by whichever party, in the order of time.
pub(super) fn asked(step: &StepResult) -> Vec<&Exchange> {
    let mut all: Vec<&Exchange> =
        step.exchanges.iter().chain(&step.served).filter(|exchange| exchange.side == Side::Client).collect();
    all.sort_by_key(|exchange| exchange.at);
    all
}

/// Whether the exchange came to nothing.
pub(super) fn refused(exchange: &Exchange) -> bool {
    exchange.status.is_none_or(|status| status >= 400) || Spoke::of_exchange(exchange).is_some()
}

/// What came of it: the status, or why there is none.
pub(super) fn came(exchange: &Exchange) -> String {
    match (exchange.status, &exchange.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => "no answer".to_owned(),
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most - 1).chain(['\u{2026}']).collect()
    }
}

impl Diagram {
    pub(super) fn of(result: &ScenarioResult) -> Self {
        let mut names: Vec<String> = vec!["psu".to_owned()];
        let mut add = |name: &str| match names.iter().position(|known| known == name) {
            Some(place) => place,
            None => {
                names.push(name.to_owned());
                names.len() - 1
            }
        };
        let mut diagram = Self::default();
        let mut y = TOP;
        let mut drawn = Vec::new();
        for (index, step) in result.steps.iter().enumerate() {
            let text = shortened(&format!("{}. {}", index + 1, step.title), 110);
            diagram.bands.push(Band { top: y, base: y + 15, text, problem: step.problem.is_some() });
            y += ROW;
            for exchange in asked(step) {
                let (from, to) = (add(&exchange.party), add(&answered_by(exchange, step)));
                y += ROW / 2;
                let rule = served(exchange, step).and_then(Spoke::of_exchange).map(|spoke| spoke.rule);
                drawn.push((exchange, from, to, y, rule.clone()));
                y += if rule.is_some() { ROW } else { ROW / 2 };
            }
            y += ROW / 3;
        }
        let lane = WIDEST.min(PAGE / names.len());
        diagram.arrows =
            drawn.into_iter().map(|(exchange, from, to, y, rule)| arrow(exchange, lane, (from, to), y, rule)).collect();
        diagram.width = (names.len() * lane).max(2 * WIDEST);
        diagram.lanes =
            names.into_iter().enumerate().map(|(place, name)| Lane { name, x: centre(place, lane) }).collect();
        diagram.height = y + ROW / 2;
        diagram
    }
}

fn centre(place: usize, lane: usize) -> usize {
    place * lane + lane / 2
}

fn arrow(exchange: &Exchange, lane: usize, (from, to): (usize, usize), y: usize, rule: Option<String>) -> Arrow {
    let (start, tip) = (centre(from, lane), centre(to, lane));
    // A party that speaks with itself: a short stub.
    let tip = if tip == start { start + lane / 3 } else { tip };
    let back = if tip > start { tip - 8 } else { tip + 8 };
    let full = format!("{} {} {}", exchange.method, path(&exchange.url), came(exchange));
    let room = start.abs_diff(tip) / CHARACTER;
    let last = path(&exchange.url).rsplit('/').find(|part| !part.is_empty()).unwrap_or_default().to_owned();
    let came = shortened(&came(exchange), 24);
    let around = exchange.method.len() + came.len() + 5;
    let label = match full.chars().count() <= room {
        true => full.clone(),
        false => {
            format!("{} \u{2026}/{} {came}", exchange.method, shortened(&last, room.saturating_sub(around).max(8)))
        }
    };
    Arrow {
        from: start,
        to: tip,
        y,
        head: format!("{tip},{y} {back},{} {back},{}", y - 4, y + 4),
        label,
        label_x: start.midpoint(tip),
        label_y: y - 4,
        full,
        refused: refused(exchange) || rule.is_some(),
        rule,
        rule_y: y + 13,
    }
}
