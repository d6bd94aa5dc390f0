//! What steps kept, and where it is put in.
//!
//! `{name}` stands for what was kept. Some names are always there: `{now}` and `{today}` by the TPP's clock, `{epoch}` (the
//! same in seconds since 1970), each with an offset such as `{today+30d}` or `{epoch-1h}`, `{uuid}`,
//! and `{id}`: one without dashes, 32 characters, for fields that hold 35 at most.

use std::collections::BTreeMap;

use serde_json::{Number, Value};
use simulation::Chance;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Values by name.
#[derive(Debug)]
pub(crate) struct Variables {
    kept: BTreeMap<String, String>,
    now: OffsetDateTime,
    chance: Chance,
}

impl Variables {
    pub(crate) fn new(now: OffsetDateTime, chance: Chance) -> Self {
        Self { kept: BTreeMap::new(), now, chance }
    }

    pub(crate) fn keep(&mut self, name: &str, value: String) {
        self.kept.insert(name.to_owned(), value);
    }

    /// The TPP's clock was read.
    pub(crate) fn at(&mut self, now: OffsetDateTime) {
        self.now = now;
    }

    /// The text with every `{name}` replaced. Braces around anything that is no name stay.
    ///
    /// # Errors
    /// A name that nothing was kept under.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after.split_once('}').filter(|(name, _)| is_name(name)) {
                Some((name, behind)) => {
                    filled.push_str(&self.value(name, text)?);
                    rest = behind;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The JSON with every `{name}` in its texts replaced. A text that is `{epoch}` and nothing else becomes a number, and
    /// one that is `{json name}` the JSON that was kept.
    ///
    /// # Errors
    /// A name that nothing was kept under.
    pub(crate) fn fill_json(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => {
                if let Some(name) = text.strip_prefix("{json ").and_then(|rest| rest.strip_suffix('}')) {
                    let kept = self.value(name.trim(), text)?;
                    return serde_json::from_str(&kept)
                        .map_err(|error| format!("{text}: what was kept is no JSON: {error}"));
                }
                let filled = self.fill(text)?;
                let whole = text.starts_with("{epoch") && text.ends_with('}');
                match filled.parse::<i64>() {
                    Ok(number) if whole => Value::Number(Number::from(number)),
                    _ => Value::String(filled),
                }
            }
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill_json(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.fill_json(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    fn value(&self, name: &str, text: &str) -> Result<String, String> {
        if let Some(value) = self.kept.get(name) {
            return Ok(value.clone());
        }
        match name {
            "uuid" => return Ok(self.chance.uuid().to_string()),
            "id" => return Ok(self.chance.uuid().to_string().replace('-', "")),
            _ => {}
        }
        self.time(name).ok_or_else(|| format!("{text:?}: {}", unknown(name, self.kept.keys().map(String::as_str))))
    }

    fn time(&self, name: &str) -> Option<String> {
        let end = name.find(['+', '-']).unwrap_or(name.len());
        let (name, offset) = name.split_at(end);
        let at = self.now.checked_add(if offset.is_empty() { Duration::ZERO } else { parse_offset(offset)? })?;
        match name {
            "now" => at.replace_nanosecond(0).ok()?.format(&Rfc3339).ok(),
            "today" => at.format(format_description!("[year]-[month]-[day]")).ok(),
            "epoch" => Some(at.unix_timestamp().to_string()),
            _ => None,
        }
    }
}

/// The names in braces that a text has, also those of `{json name}`.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|after| {
        let (name, _) = after.split_once('}')?;
        let name = name.strip_prefix("json ").map_or(name, str::trim);
        is_name(name).then_some(name)
    })
}

/// Whether the name is always there: a time, with its offset, `uuid` or `id`.
pub(crate) fn always(name: &str) -> bool {
    let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    ["uuid", "id"].contains(&name) || Variables::new(now, Chance::from_seed(0)).time(name).is_some()
}

/// The name that is meant by one that nothing was kept under.
pub(crate) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(time) = ["now", "today", "epoch"]
        .iter()
        .find(|time| name.strip_prefix(**time).is_some_and(|offset| offset.starts_with(['+', '-'])))
    {
        return format!("{{{name}}} has no offset that is one: a number and d, h, m or s, such as {{{time}+30d}}");
    }
    let hint = crate::language::reading::nearest(name, known.clone());
    let hint = hint.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    let known: Vec<&str> = known.collect();
    format!("{{{name}}} is kept by no step before; kept are: {}{hint}", known.join(", "))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte))
}

/// `+30d`, `-1h`.
fn parse_offset(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let each = match unit {
        'd' => 24 * 3600,
        'h' => 3600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    Some(Duration::seconds(count.checked_mul(each)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::new(datetime!(2026-11-23 12:00 UTC), Chance::from_seed(1));
        variables.keep("account", "22".to_owned());
        variables
    }

    #[test]
    fn names_are_replaced_and_unknown_ones_told() {
        let variables = variables();
        assert_eq!(variables.fill("/accounts/{account}/balances").unwrap(), "/accounts/22/balances");
        let error = variables.fill("/accounts/{acount}").unwrap_err();
        assert!(error.contains("kept are: account; did you mean account?"), "{error}");
        assert_eq!(variables.fill(r#"{"a": {}} {account"#).unwrap(), r#"{"a": {}} {account"#);
    }

    #[test]
    fn time_is_that_of_the_tpp() {
        let variables = variables();
        for (text, filled) in [
            ("{now}", "2026-11-23T12:00:00Z"),
            ("{today+30d}", "2026-12-23"),
            ("{now-90m}", "2026-11-23T10:30:00Z"),
            ("{epoch}", "1795435200"),
        ] {
            assert_eq!(variables.fill(text).unwrap(), filled);
        }
        assert!(variables.fill("{now+3}").is_err());
        assert_ne!(variables.fill("{uuid}").unwrap(), variables.fill("{uuid}").unwrap());
        assert_ne!(variables.fill("{id}").unwrap(), variables.fill("{id}").unwrap());
        // InstructionIdentification holds 35 characters.
        assert_eq!(variables.fill("{id}").unwrap().len(), 32);
    }

    #[test]
    fn json_is_filled_in_its_depth() {
        let mut variables = variables();
        variables.keep("part", r#"{"b": [1]}"#.to_owned());
        assert_eq!(variables.fill_json(&json!({"a": "{json part}"})).unwrap(), json!({"a": {"b": [1]}}));
        let filled = variables.fill_json(&json!({"a": ["{account}", 1], "exp": "{epoch-1s}", "text": "{epoch}!"}));
        assert_eq!(filled.unwrap(), json!({"a": ["22", 1], "exp": 1_795_435_199, "text": "1795435200!"}));
    }
}
