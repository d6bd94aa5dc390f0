//! What steps kept, and where it is put in.

use std::collections::BTreeMap;

/// Values by name.
#[derive(Debug, Default)]
pub(crate) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(crate) fn keep(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// The text with every `{name}` replaced.
    ///
    /// # Errors
    /// A name that nothing was kept under, or a brace without its pair.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| format!("{text:?} has an opening brace without its pair"))?;
            let value = self.0.get(name).ok_or_else(|| {
                let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
                format!("{text:?} names {{{name}}}, which no step kept; kept are: {}", known.join(", "))
            })?;
            filled.push_str(before);
            filled.push_str(value);
            rest = behind;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_unknown_ones_told() {
        let mut variables = Variables::default();
        variables.keep("account", "22".to_owned());
        assert_eq!(variables.fill("/accounts/{account}/balances").unwrap(), "/accounts/22/balances");
        assert!(variables.fill("/accounts/{acount}").unwrap_err().contains("kept are: account"));
        assert!(variables.fill("/accounts/{account").is_err());
    }
}
