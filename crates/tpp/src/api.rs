//! The APIs of the Read/Write standard, as a TPP tells them apart: one row for each.

use openbanking::ssa::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An API of a bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// Accounts and transactions.
    #[default]
    Aisp,
    /// Payment initiation and variable recurring payments.
    Pisp,
    /// Confirmation of funds.
    Cbpii,
}

impl Api {
    /// The API of a kind of consent, by the name of its resource.
    #[must_use]
    pub fn of_kind(kind: &str) -> Self {
        match kind.trim_matches('/') {
            "account-access-consents" => Self::Aisp,
            "funds-confirmation-consents" => Self::Cbpii,
            _ => Self::Pisp,
        }
    }

    /// Segment of the path below the version.
    #[must_use]
    pub fn segment(self) -> &'static str {
        match self {
            Self::Aisp => "aisp",
            Self::Pisp => "pisp",
            Self::Cbpii => "cbpii",
        }
    }

    /// The role that an organisation needs for it.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Aisp => Role::Aisp,
            Self::Pisp => Role::Pisp,
            Self::Cbpii => Role::Cbpii,
        }
    }

    /// Scope of its tokens.
    #[must_use]
    pub fn scope(self) -> &'static str {
        self.role().scope().unwrap_or_default()
    }

    /// Whether bodies that are written to it, and its answers, carry `x-jws-signature` (OB Read/Write 4.0, Message
    /// Signing: payments and variable recurring payments).
    #[must_use]
    pub fn signs(self) -> bool {
        self == Self::Pisp
    }

    /// Whether what is written to it carries `x-idempotency-key` (OB Read/Write 4.0, Idempotency).
    #[must_use]
    pub fn idempotent(self) -> bool {
        self == Self::Pisp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_consent_tells_its_api() {
        for (kind, segment, scope, signs) in [
            ("account-access-consents", "aisp", "accounts", false),
            ("domestic-payment-consents", "pisp", "payments", true),
            ("domestic-vrp-consents", "pisp", "payments", true),
            ("funds-confirmation-consents", "cbpii", "fundsconfirmations", false),
        ] {
            let api = Api::of_kind(kind);
            assert_eq!((api.segment(), api.scope(), api.signs()), (segment, scope, signs), "{kind}");
        }
    }
}
