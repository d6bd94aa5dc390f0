//! The rules of a party as a list: for terminals, and as the page in `docs`.

use std::fmt::Write;

use rules::Rule;

/// One rule a paragraph, for a terminal.
#[must_use]
pub fn as_text(rules: &[&Rule]) -> String {
    let mut text = String::new();
    for rule in rules {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}\n    {}\n    {}", rule.id, rule.reason, rule.clause);
    }
    text
}

/// A Markdown page with a table for each area (the identifier up to its last part).
#[must_use]
pub fn as_markdown(title: &str, introduction: &str, rules: &[&Rule]) -> String {
    let mut text = format!("# {title}\n\n{introduction}\n");
    let mut area = "";
    for rule in rules {
        let (of, name) = rule.id.rsplit_once('.').unwrap_or(("", rule.id));
        if of != area {
            area = of;
            let _ = write!(text, "\n## `{area}`\n\n| Rule | Demand | Clause |\n|---|---|---|\n");
        }
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {} | {} |", name, cell(rule.reason), cell(rule.clause));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    rules::catalogue! {
        /// Rules of these tests.
        RULES;
        ONE { id: "area.one", reason: "One | is one.", clause: "Arithmetic, 1" }
        OTHER { id: "area.other", reason: "Two is two.", clause: "Arithmetic, 2" }
    }

    #[test]
    fn a_list_has_every_rule() {
        assert_eq!(as_text(RULES).lines().count(), 6);
        let page = as_markdown("Rules", "All.", RULES);
        assert_eq!(page.matches("## ").count(), 1);
        assert!(page.contains("| `one` | One \\| is one. | Arithmetic, 1 |"), "{page}");
        assert_eq!((ONE.id, OTHER.id), ("area.one", "area.other"));
    }
}
