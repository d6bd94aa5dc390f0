//! A sequence diagram: who spoke with whom, from top to bottom.

use serde::Serialize;
use simulation::{Exchange, Side};
use url::Url;

use crate::result::{ScenarioResult, Spoke, StepResult, no_answer};

/// Pixels between two lanes, unless there are more than fit a page.
const WIDEST: usize = 330;
/// Pixels between two lanes at least.
const NARROWEST: usize = 110;
/// Pixels beside the first lane and the last.
const MARGIN: usize = 50;
/// Pixels of a page.
const PAGE: usize = 1090;
/// Pixels of a diagram at least: the longest label has its place.
const LABEL: usize = 560;
/// Pixels between two rows.
const ROW: usize = 30;
/// Pixels above the first row, for the names.
const TOP: usize = 40;
/// Pixels of a character of a label.
const CHARACTER: usize = 7;
/// Characters of a path that are shown.
const LONGEST_PATH: usize = 58;
/// Characters of an identifier above which its beginning is enough.
const LONGEST_IDENTIFIER: usize = 14;
/// Characters of that beginning.
const BEGINNING: usize = 8;

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
    /// Where the label has its `label_x`: its `start`, or its `end` where it would not fit otherwise.
    anchor: &'static str,
    full: String,
    refused: bool,
    /// Whether no answer came.
    lost: bool,
    /// The rule that refused it.
    rule: Option<String>,
    rule_y: usize,
}

/// The path of a URL, or the path that it is.
pub(super) fn path(url: &str) -> String {
    Url::parse(url)
        .map_or_else(|_| url.split(['?', '#']).next().unwrap_or_default().to_owned(), |url| url.path().to_owned())
}

/// The path as a label has it: identifiers shortened, and without its beginning when it is long all the same.
fn short_path(path: &str) -> String {
    let segment = |segment: &str| match is_identifier(segment) && segment.chars().count() > LONGEST_IDENTIFIER {
        true => segment.chars().take(BEGINNING).chain(['\u{2026}']).collect(),
        false => segment.to_owned(),
    };
    let segments: Vec<String> = path.split('/').map(segment).collect();
    let whole = segments.join("/");
    if whole.chars().count() <= LONGEST_PATH {
        return whole;
    }
    let mut kept = String::new();
    for segment in segments.iter().rev() {
        if kept.chars().count() + segment.chars().count() > LONGEST_PATH {
            break;
        }
        kept.insert_str(0, segment);
        kept.insert(0, '/');
    }
    format!("\u{2026}{kept}")
}

/// Whether a segment of a path names one of many, and not a kind: names of kinds are words.
fn is_identifier(segment: &str) -> bool {
    let digits = segment.chars().filter(char::is_ascii_digit).count();
    digits >= 3 || segment.contains(|sign: char| sign.is_ascii_uppercase())
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
        (None, Some(error)) => no_answer(error),
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
            let text = shortened(&format!("{}. {}", index + 1, step.title), LABEL / CHARACTER);
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
        let lane = WIDEST.min((PAGE - 2 * MARGIN) / (names.len() - 1).max(1)).max(NARROWEST);
        diagram.width = ((names.len() - 1) * lane + 2 * MARGIN).max(LABEL);
        let width = diagram.width;
        diagram.arrows = drawn
            .into_iter()
            .map(|(exchange, from, to, y, rule)| arrow(exchange, lane, width, (from, to), y, rule))
            .collect();
        diagram.lanes =
            names.into_iter().enumerate().map(|(place, name)| Lane { name, x: centre(place, lane) }).collect();
        diagram.height = y + ROW / 2;
        diagram
    }
}

fn centre(place: usize, lane: usize) -> usize {
    MARGIN + place * lane
}

fn arrow(
    exchange: &Exchange,
    lane: usize,
    width: usize,
    (from, to): (usize, usize),
    y: usize,
    rule: Option<String>,
) -> Arrow {
    let (start, tip) = (centre(from, lane), centre(to, lane));
    // A party that speaks with itself: a short stub.
    let tip = if tip == start { start + lane / 3 } else { tip };
    let back = if tip > start { tip - 8 } else { tip + 8 };
    let lost = exchange.status.is_none();
    let full = format!("{} {} {}", exchange.method, path(&exchange.url), came(exchange));
    let came = exchange.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let label = format!("{} {} {came}", exchange.method, short_path(&path(&exchange.url)));
    // A label begins where its arrow does, seen from the left, and may reach beyond it: its row is its own.
    let left = start.min(tip) + 4;
    let longest = label.chars().count().max(rule.as_ref().map_or(0, |rule| rule.chars().count()));
    let fits = left + longest * CHARACTER <= width;
    let (label_x, anchor) = if fits { (left, "start") } else { (width - 4, "end") };
    Arrow {
        from: start,
        to: tip,
        y,
        head: format!("{tip},{y} {back},{} {back},{}", y - 4, y + 4),
        label,
        label_x,
        label_y: y - 4,
        anchor,
        full,
        refused: refused(exchange) || rule.is_some(),
        lost,
        rule,
        rule_y: y + 13,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shortened_where_nothing_is_lost() {
        for (path, short) in [
            ("/token", "/token"),
            ("/open-banking/v4.0/pisp/domestic-payment-consents", "/open-banking/v4.0/pisp/domestic-payment-consents"),
            (
                "/open-banking/v4.0/aisp/account-access-consents/aac-39fd6d07-9c3e-41f3-a89d-255c11557b85",
                "/open-banking/v4.0/aisp/account-access-consents/aac-39fd\u{2026}",
            ),
            (
                "/v2.1/organisation/iAXkvPJZjFUyMHKsxO/software-statement/KdQyjiK7Th1BxgrnbgYjeE/certificate/obwac/C20k",
                "\u{2026}/software-statement/KdQyjiK7\u{2026}/certificate/obwac/C20k",
            ),
            (
                "/v2.1/organisation/iAXkvPJZjFUyMHKsxO/software-statement",
                "/v2.1/organisation/iAXkvPJZ\u{2026}/software-statement",
            ),
            ("/.well-known/openid-configuration", "/.well-known/openid-configuration"),
        ] {
            assert_eq!(short_path(path), short);
            assert!(short_path(path).chars().count() <= LONGEST_PATH + 1);
        }
    }
}
