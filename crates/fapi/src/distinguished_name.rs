//! Distinguished names as people write them (RFC 4514), compared for what they mean.

use std::{collections::BTreeSet, str::FromStr};

use x509_cert::name::RdnSequence;

/// Names of attribute types that are written in certificates of the ecosystem and that the parser does not know.
const SPELLINGS: [&str; 2] = ["organizationIdentifier", "OID.2.5.4.97"];
/// What they mean.
const ORGANISATION_IDENTIFIER: &str = "2.5.4.97";

/// Whether two names are the same: same types and values, whatever the order of their parts, the case and the number of
/// spaces (RFC 8705, 2.1.2; RFC 4518, 2). Names that cannot be read are not the same as any other.
pub(crate) fn same(one: &str, other: &str) -> bool {
    match (attributes(one), attributes(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// Whether the text is a distinguished name.
pub(crate) fn readable(text: &str) -> bool {
    attributes(text).is_some()
}

fn attributes(text: &str) -> Option<BTreeSet<(String, String)>> {
    let name = RdnSequence::from_str(&spelled(text)).ok()?;
    let attributes = name.0.iter().flat_map(|part| part.0.iter());
    let attributes: BTreeSet<_> = attributes
        .map(|attribute| {
            let value = String::from_utf8_lossy(attribute.value.value()).to_lowercase();
            (attribute.oid.to_string(), value.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect();
    (!attributes.is_empty()).then_some(attributes)
}

/// The text without spaces around separators, and with types spelled as the parser knows them.
fn spelled(text: &str) -> String {
    let mut spelled = String::new();
    for (index, part) in text.split(',').enumerate() {
        let escaped = spelled.ends_with('\\');
        if index > 0 {
            spelled.push(',');
        }
        match part.split_once('=') {
            Some((name, value)) if !escaped => {
                let known = SPELLINGS.iter().any(|spelling| spelling.eq_ignore_ascii_case(name.trim()));
                spelled.push_str(if known { ORGANISATION_IDENTIFIER } else { name.trim() });
                spelled.push('=');
                spelled.push_str(value.trim_start());
            }
            _ => spelled.push_str(part),
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "CN=Qk3,organizationIdentifier=PSDGB-FCA-730166,O=Larkspur\\, Money Ltd,C=GB";

    #[test]
    fn order_spelling_case_and_spaces_do_not_matter() {
        for other in [
            "C=GB,O=Larkspur\\, Money Ltd,2.5.4.97=PSDGB-FCA-730166,CN=Qk3",
            "CN=Qk3, OID.2.5.4.97=PSDGB-FCA-730166, O=larkspur\\,  money ltd, C=gb",
            "CN = Qk3,ORGANIZATIONIDENTIFIER = PSDGB-FCA-730166 , O = Larkspur\\, Money Ltd, C = GB",
            "cn=qk3,2.5.4.97=#0c105053444742 2d4643412d373330313636,o=Larkspur\\, Money Ltd,c=GB",
        ] {
            let other = other.replace("42 2d", "422d");
            assert!(same(NAME, &other), "{other}");
        }
    }

    #[test]
    fn other_values_missing_parts_and_nonsense_are_not_the_same() {
        for other in [
            "CN=Qk4,organizationIdentifier=PSDGB-FCA-730166,O=Larkspur\\, Money Ltd,C=GB",
            "CN=Qk3,O=Larkspur\\, Money Ltd,C=GB",
            "CN=Qk3,organizationIdentifier=PSDGB-FCA-730166,O=Larkspur\\, Money Ltd,C=GB,OU=x",
            "nonsense",
            "",
        ] {
            assert!(!same(NAME, other), "{other}");
        }
        assert!(!same("nonsense", "nonsense"));
    }
}
