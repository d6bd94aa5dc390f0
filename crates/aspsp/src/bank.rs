//! The bank's profile, from `fixtures/bank.yaml`.

use std::path::Path;

use party::settings::parse_yaml;
use serde::{Deserialize, Serialize};

use crate::{
    api::allowance::RateLimit,
    endpoints::{self, EndpointsOff},
    payment_initiation::PaymentSettings,
};

mod sca;

pub use sca::Sca;

/// The built-in profile.
const BUILT_IN: &str = include_str!("../../../fixtures/bank.yaml");

/// What customers see of the bank, and what the standard leaves to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bank {
    /// Name on the pages and at the Directory.
    pub name: String,
    /// Business identifier code: how other banks and `Servicer` name it.
    pub bic: String,
    /// Number for complaints.
    pub telephone: String,
    /// The organisation at the Directory.
    pub organisation: Organisation,
    /// Items on one page (OB Read/Write 4.0, Pagination: 25 to 1000).
    pub page_size: usize,
    /// Wrong passwords before an authorisation fails.
    pub attempts: u8,
    /// Seconds before the last page returns to the TPP by itself.
    pub outbound_seconds: u8,
    /// User name of the customer who confirms every authorisation, with every account that fits and without a page; nobody
    /// when left out. For tools that have no browser.
    #[serde(default)]
    pub auto_approve: Option<String>,
    /// Whether messages are signed over the payload as it is (`b64: false`), which was the form up to v3.1.3.
    #[serde(default)]
    pub unencoded_signatures: bool,
    /// Whether a card issuer may use each reference once only when it asks for a confirmation of funds.
    #[serde(default)]
    pub unique_references: bool,
    /// How often a client may ask; as often as it likes when left out.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// How payments are handled.
    #[serde(default)]
    pub payments: PaymentSettings,
    /// Endpoints of the Read/Write APIs that are not offered.
    #[serde(default)]
    pub endpoints_off: EndpointsOff,
    /// For how long an authentication counts; for ever when left out.
    #[serde(default)]
    pub sca: Option<Sca>,
}

/// How the bank is registered.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Organisation {
    /// Legal name.
    pub legal_name: String,
    /// Competent authority, for example `FCA`.
    pub competent_authority: String,
    /// Number at the competent authority.
    pub registration_id: String,
}

/// The profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// The file cannot be read.
    #[error("cannot read the bank profile {path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file says something that cannot be.
    #[error("the bank profile {path} is wrong: {error}")]
    Wrong {
        /// The file.
        path: String,
        /// What, and where.
        error: String,
    },
}

impl Bank {
    /// The profile in this file, or the built-in one.
    ///
    /// # Errors
    /// The file cannot be read, has unknown or missing members, or values out of range.
    pub fn load(path: Option<&Path>) -> Result<Self, BankError> {
        let name = path.map_or_else(|| "fixtures/bank.yaml".to_owned(), |path| path.display().to_string());
        let text = match path {
            None => BUILT_IN.to_owned(),
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| BankError::Unreadable { path: name.clone(), error })?
            }
        };
        let wrong = |error: String| BankError::Wrong { path: name.clone(), error };
        let bank: Self = parse_yaml(&text).map_err(wrong)?;
        if !(25..=1000).contains(&bank.page_size) {
            return Err(wrong(format!("page-size is {}, it must be between 25 and 1000", bank.page_size)));
        }
        if bank.attempts == 0 {
            return Err(wrong("attempts is 0, it must be 1 or more".to_owned()));
        }
        let exempt = bank.sca.as_ref().and_then(|sca| endpoints::unknown(&sca.exempt_endpoints));
        for (member, unknown) in [("endpoints-off", bank.endpoints_off.unknown()), ("sca exempt-endpoints", exempt)] {
            if let Some(name) = unknown {
                return Err(wrong(format!("{member} has {name}, which is no endpoint (docs/account-information.md)")));
            }
        }
        Ok(bank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_is_right() {
        assert_eq!(Bank::load(None).unwrap().name, "Ashdown Bank");
    }

    fn complaint(profile: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bank.yaml");
        std::fs::write(&file, profile).unwrap();
        Bank::load(Some(&file)).unwrap_err().to_string()
    }

    #[test]
    fn endpoints_that_do_not_exist_are_named() {
        let error = complaint(&BUILT_IN.replace("endpoints-off: []", "endpoints-off: [/aisp/offers, /aisp/gifts]"));
        assert!(error.contains("endpoints-off has /aisp/gifts"), "{error}");
        let sca = "sca: { window-minutes: 60, exempt-endpoints: [/aisp/transaction] }";
        let error = complaint(&format!("{BUILT_IN}\n{sca}\n"));
        assert!(error.contains("sca exempt-endpoints has /aisp/transaction"), "{error}");
    }

    #[test]
    fn a_page_size_out_of_range_is_named() {
        let error = complaint(&BUILT_IN.replace("page-size: 100", "page-size: 5"));
        assert!(error.contains("page-size is 5"), "{error}");
    }
}
