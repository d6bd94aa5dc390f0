//! What a party's exchanges add up to, as Prometheus text.

use std::{fmt::Write, sync::Arc};

use http::StatusCode;
use simulation::{Outcome, Side, Total, Totals};
use transport::{Request, Response, reply};

use super::Control;

/// `GET /metrics`.
pub(super) async fn metrics<C>(control: Arc<Control<C>>, _: Request) -> Response {
    let text = text(&control.tools.journal.totals());
    reply::bytes(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
}

fn text(totals: &Totals) -> String {
    let mut text = String::new();
    let labels = |(side, outcome): &(Side, Outcome)| {
        let side = match side {
            Side::Client => "client",
            Side::Server => "server",
        };
        format!("side=\"{side}\",status=\"{outcome}\"")
    };
    let exchanges = || totals.exchanges.iter().map(|(ended, total)| (labels(ended), total));
    counter(
        &mut text,
        ("ob_exchanges_total", "Exchanges by side and class of status; failed: without an answer."),
        exchanges().map(|(labels, total)| (labels, total.count.to_string())),
    );
    counter(
        &mut text,
        ("ob_exchanges_seconds_total", "How long they took together, in seconds."),
        exchanges().map(|(labels, total)| (labels, seconds(total))),
    );
    counter(
        &mut text,
        ("ob_refusals_total", "Refusals by the rule that refused."),
        totals.refusals.iter().map(|(rule, count)| (format!("rule=\"{rule}\""), count.to_string())),
    );
    text
}

fn seconds(total: &Total) -> String {
    format!("{}.{:06}", total.duration_us / 1_000_000, total.duration_us % 1_000_000)
}

fn counter(text: &mut String, (name, help): (&str, &str), samples: impl Iterator<Item = (String, String)>) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{{{labels}}} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_written_as_prometheus_reads_them() {
        let mut totals = Totals::default();
        let total = |count, duration_us| Total { count, duration_us };
        totals.exchanges.insert((Side::Client, Outcome::Failed), total(1, 30_000_000));
        totals.exchanges.insert((Side::Server, Outcome::Status(2)), total(7, 1_000_042));
        totals.exchanges.insert((Side::Server, Outcome::Status(4)), total(2, 9));
        totals.refusals.insert("fapi.access.token-known".to_owned(), 2);
        let expected = r#"# HELP ob_exchanges_total Exchanges by side and class of status; failed: without an answer.
# TYPE ob_exchanges_total counter
ob_exchanges_total{side="client",status="failed"} 1
ob_exchanges_total{side="server",status="2xx"} 7
ob_exchanges_total{side="server",status="4xx"} 2
# HELP ob_exchanges_seconds_total How long they took together, in seconds.
# TYPE ob_exchanges_seconds_total counter
ob_exchanges_seconds_total{side="client",status="failed"} 30.000000
ob_exchanges_seconds_total{side="server",status="2xx"} 1.000042
ob_exchanges_seconds_total{side="server",status="4xx"} 0.000009
# HELP ob_refusals_total Refusals by the rule that refused.
# TYPE ob_refusals_total counter
ob_refusals_total{rule="fapi.access.token-known"} 2
"#;
        assert_eq!(text(&totals), expected);
    }
}
