//! What consents are for: one row each.

use openbanking::{payments::PaymentKind, version::ApiVersion, vrp};

use uuid::Uuid;

use crate::api::base;

/// What a consent is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentKind {
    /// Reading accounts.
    AccountAccess,
    /// A payment.
    Payment(PaymentKind),
    /// Payments of varying amounts (VRP).
    VariableRecurringPayments,
    /// Being told whether the money is there (CBPII).
    FundsConfirmation,
}

/// What is the same for all consents of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Resource group of the API, the path below the version.
    pub group: &'static str,
    /// Path of the consents below the group.
    pub path: &'static str,
    /// Scope of the tokens under it.
    pub scope: &'static str,
    /// Whether access lasts: it can be authorised again, withdrawn by the PSU and deleted by the TPP.
    pub lasting: bool,
    /// Whether a newer version of the API may use it, too (Release Management of each API profile).
    pub newer_versions: bool,
}

impl ConsentKind {
    /// What is the same for all consents of the kind.
    #[must_use]
    pub fn row(self) -> Row {
        match self {
            Self::AccountAccess => Row {
                group: "aisp",
                path: "account-access-consents",
                scope: "accounts",
                lasting: true,
                newer_versions: true,
            },
            Self::Payment(kind) => Row {
                group: "pisp",
                path: kind.consent_path(),
                scope: "payments",
                lasting: false,
                newer_versions: false,
            },
            Self::VariableRecurringPayments => {
                Row { group: "pisp", path: vrp::CONSENT_PATH, scope: "payments", lasting: true, newer_versions: false }
            }
            Self::FundsConfirmation => Row {
                group: "cbpii",
                path: "funds-confirmation-consents",
                scope: "fundsconfirmations",
                lasting: true,
                newer_versions: true,
            },
        }
    }

    /// A new identifier: the initials of the path and something unique.
    #[must_use]
    pub fn identifier(self, unique: &Uuid) -> String {
        let initials: String = self.row().path.split('-').filter_map(|word| word.chars().next()).collect();
        format!("{initials}-{unique}")
    }

    /// The path of a consent of this kind in that version.
    #[must_use]
    pub fn resource(self, version: ApiVersion, id: &str) -> String {
        let row = self.row();
        format!("{}/{}/{id}", base(version, row.group), row.path)
    }
}
