//! Names of subjects and issuers.

use std::net::IpAddr;

use x509_parser::x509::X509Name;

/// Attribute types by their object identifiers, as RFC 4514 and the Open Banking profiles write them.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.97", "organizationIdentifier"),
];

/// The name as RFC 4514 writes it: most specific part first.
pub(crate) fn rfc4514(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = name
        .iter_attributes()
        .map(|attribute| {
            let id = attribute.attr_type().to_id_string();
            let short = SHORT_NAMES.iter().find(|(oid, _)| *oid == id).map_or(id.as_str(), |(_, short)| short);
            format!("{short}={}", escape(attribute.as_str().unwrap_or_default()))
        })
        .collect();
    parts.reverse();
    parts.join(",")
}

/// The first value of an attribute.
pub(crate) fn attribute(name: &X509Name<'_>, oid: &str) -> Option<String> {
    name.iter_attributes()
        .find(|attribute| attribute.attr_type().to_id_string() == oid)
        .and_then(|attribute| attribute.as_str().ok())
        .map(str::to_owned)
}

/// The address in an iPAddress name.
pub(crate) fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn escape(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    value
        .chars()
        .enumerate()
        .flat_map(|(index, c)| {
            let special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
                || (index == 0 && matches!(c, ' ' | '#'))
                || (index == last && c == ' ');
            special.then_some('\\').into_iter().chain(std::iter::once(c))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escape("A, B + \"C\" "), "A\\, B \\+ \\\"C\\\"\\ ");
        assert_eq!(escape("#1"), "\\#1");
        assert_eq!(escape("plain"), "plain");
    }
}
