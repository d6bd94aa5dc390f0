//! Permissions of account access consents: the 21 codes, the rules for sets of them, and their words for people.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

mod wording;

pub use wording::Cluster;

/// Declares the codes once: the enum, the list and the names.
macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $wire:literal),+ $(,)?) => {
        /// A code of `OBInternalPermissions1Code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission { $($(#[$doc])* #[serde(rename = $wire)] $name),+ }

        impl Permission {
            /// Every code, in the order of the specification's list.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code as on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $wire),+ }
            }
        }
    };
}

permissions! {
    /// Accounts without their numbers.
    ReadAccountsBasic = "ReadAccountsBasic",
    /// Accounts with their numbers and names.
    ReadAccountsDetail = "ReadAccountsDetail",
    /// Balances.
    ReadBalances = "ReadBalances",
    /// Payees without their accounts.
    ReadBeneficiariesBasic = "ReadBeneficiariesBasic",
    /// Payees with their accounts.
    ReadBeneficiariesDetail = "ReadBeneficiariesDetail",
    /// Direct debits.
    ReadDirectDebits = "ReadDirectDebits",
    /// Offers.
    ReadOffers = "ReadOffers",
    /// Card numbers in full.
    ReadPan = "ReadPAN",
    /// The owners of the account.
    ReadParty = "ReadParty",
    /// The person who logged in.
    ReadPartyPsu = "ReadPartyPSU",
    /// Products.
    ReadProducts = "ReadProducts",
    /// Scheduled payments without the payee's account.
    ReadScheduledPaymentsBasic = "ReadScheduledPaymentsBasic",
    /// Scheduled payments with the payee's account.
    ReadScheduledPaymentsDetail = "ReadScheduledPaymentsDetail",
    /// Standing orders without the payee's account.
    ReadStandingOrdersBasic = "ReadStandingOrdersBasic",
    /// Standing orders with the payee's account.
    ReadStandingOrdersDetail = "ReadStandingOrdersDetail",
    /// Statements without their amounts.
    ReadStatementsBasic = "ReadStatementsBasic",
    /// Statements with their amounts, and their files.
    ReadStatementsDetail = "ReadStatementsDetail",
    /// Transactions without descriptions and other parties.
    ReadTransactionsBasic = "ReadTransactionsBasic",
    /// Credits.
    ReadTransactionsCredits = "ReadTransactionsCredits",
    /// Debits.
    ReadTransactionsDebits = "ReadTransactionsDebits",
    /// Transactions with everything.
    ReadTransactionsDetail = "ReadTransactionsDetail",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

use Permission as P;

/// A set of permissions, in the order of [`Permission::ALL`]; on the wire an array of codes.
///
/// Sets that come with a request go through [`PermissionSet::requested`]; a set that was stored is taken as it is.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct PermissionSet(u32);

/// Why a consent with these permissions must be refused (Account and Transaction API Profile, Permissions).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PermissionError {
    /// No permission at all.
    #[error("expected at least one permission, found none")]
    Empty,
    /// The bank does not offer this data.
    #[error("expected permissions that are supported here, found {0}")]
    Unsupported(PermissionSet),
    /// Accounts cannot be read, so that no account could be named.
    #[error("expected ReadAccountsBasic or ReadAccountsDetail, found {0}")]
    WithoutAccounts(PermissionSet),
    /// Transactions without a direction.
    #[error(
        "expected ReadTransactionsCredits or ReadTransactionsDebits beside ReadTransactionsBasic or ReadTransactionsDetail, found {0}"
    )]
    TransactionsWithoutDirection(PermissionSet),
    /// A direction without transactions.
    #[error(
        "expected ReadTransactionsBasic or ReadTransactionsDetail beside ReadTransactionsCredits or ReadTransactionsDebits, found {0}"
    )]
    DirectionWithoutTransactions(PermissionSet),
}

impl PermissionError {
    /// What would have been right.
    pub fn expected(&self) -> &'static str {
        match self {
            Self::Empty => "at least one permission",
            Self::Unsupported(_) => "permissions that are supported here",
            Self::WithoutAccounts(_) => "ReadAccountsBasic or ReadAccountsDetail",
            Self::TransactionsWithoutDirection(_) => "ReadTransactionsCredits or ReadTransactionsDebits as well",
            Self::DirectionWithoutTransactions(_) => "ReadTransactionsBasic or ReadTransactionsDetail as well",
        }
    }

    /// What was there instead.
    pub fn found(&self) -> String {
        match self {
            Self::Empty => "none".to_owned(),
            Self::Unsupported(set)
            | Self::WithoutAccounts(set)
            | Self::TransactionsWithoutDirection(set)
            | Self::DirectionWithoutTransactions(set) => set.to_string(),
        }
    }
}

impl PermissionSet {
    /// Every permission.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// The set of a request, checked. Basic and Detail together are fine, and so is Detail alone.
    ///
    /// # Errors
    /// [`PermissionError`], the first that applies.
    pub fn requested(permissions: &[Permission], supported: Self) -> Result<Self, PermissionError> {
        let set: Self = permissions.iter().copied().collect();
        let transactions = set.has_any(&[P::ReadTransactionsBasic, P::ReadTransactionsDetail]);
        let direction = set.has_any(&[P::ReadTransactionsCredits, P::ReadTransactionsDebits]);
        if set.is_empty() {
            Err(PermissionError::Empty)
        } else if set.0 & !supported.0 != 0 {
            Err(PermissionError::Unsupported(Self(set.0 & !supported.0)))
        } else if !set.can_read_accounts() {
            Err(PermissionError::WithoutAccounts(set))
        } else if transactions && !direction {
            Err(PermissionError::TransactionsWithoutDirection(set))
        } else if direction && !transactions {
            Err(PermissionError::DirectionWithoutTransactions(set))
        } else {
            Ok(set)
        }
    }

    /// True when it is in the set; Detail does not count as Basic here.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// True when at least one of them is in the set.
    pub fn has_any(self, permissions: &[Permission]) -> bool {
        permissions.iter().any(|permission| self.has(*permission))
    }

    /// True for the empty set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }

    /// `GET /accounts` is allowed.
    pub fn can_read_accounts(self) -> bool {
        self.has_any(&[P::ReadAccountsBasic, P::ReadAccountsDetail])
    }

    /// Account numbers and servicers may be shown.
    pub fn can_read_accounts_detail(self) -> bool {
        self.has(P::ReadAccountsDetail)
    }

    /// `GET /transactions` is allowed: what to show and at least one direction.
    pub fn can_read_transactions(self) -> bool {
        self.has_any(&[P::ReadTransactionsBasic, P::ReadTransactionsDetail])
            && self.has_any(&[P::ReadTransactionsCredits, P::ReadTransactionsDebits])
    }

    /// Descriptions, merchants and the other party may be shown.
    pub fn can_read_transactions_detail(self) -> bool {
        self.has(P::ReadTransactionsDetail)
    }

    /// Transactions whose `CreditDebitIndicator` is Credit may be shown.
    pub fn can_read_credits(self) -> bool {
        self.has(P::ReadTransactionsCredits)
    }

    /// Transactions whose `CreditDebitIndicator` is Debit may be shown.
    pub fn can_read_debits(self) -> bool {
        self.has(P::ReadTransactionsDebits)
    }

    /// Card numbers may be shown in full.
    pub fn can_read_pan(self) -> bool {
        self.has(P::ReadPan)
    }
}

fn bit(permission: Permission) -> u32 {
    1 << permission as u32
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, permission| set | bit(permission)))
    }
}

impl From<Vec<Permission>> for PermissionSet {
    fn from(permissions: Vec<Permission>) -> Self {
        permissions.into_iter().collect()
    }
}

impl From<PermissionSet> for Vec<Permission> {
    fn from(set: PermissionSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Display for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Permission::name).collect();
        f.pad(&names.join(", "))
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn requested(permissions: &[Permission]) -> Result<PermissionSet, PermissionError> {
        PermissionSet::requested(permissions, PermissionSet::all())
    }

    #[test]
    fn the_codes_are_those_of_the_wire() {
        assert_eq!(Permission::ALL.len(), 21);
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.name());
        }
        assert!(serde_json::from_str::<Permission>("\"ReadPan\"").is_err());
        assert_eq!(serde_json::from_str::<Permission>("\"ReadPartyPSU\"").unwrap(), P::ReadPartyPsu);
    }

    #[test]
    fn sets_that_make_no_sense_are_refused_with_evidence() {
        use PermissionError as E;
        let set = |list: &[Permission]| list.iter().copied().collect::<PermissionSet>();
        for (list, error) in [
            (vec![], E::Empty),
            (vec![P::ReadBalances], E::WithoutAccounts(set(&[P::ReadBalances]))),
            (
                vec![P::ReadAccountsBasic, P::ReadTransactionsDetail],
                E::TransactionsWithoutDirection(set(&[P::ReadAccountsBasic, P::ReadTransactionsDetail])),
            ),
            (
                vec![P::ReadAccountsBasic, P::ReadTransactionsDebits],
                E::DirectionWithoutTransactions(set(&[P::ReadAccountsBasic, P::ReadTransactionsDebits])),
            ),
        ] {
            assert_eq!(requested(&list), Err(error.clone()));
            assert!(error.to_string().contains(&error.found()), "{error}");
        }
        let offers = PermissionSet::requested(&[P::ReadAccountsBasic, P::ReadOffers], set(&[P::ReadAccountsBasic]));
        assert_eq!(offers.unwrap_err().found(), "ReadOffers");
    }

    #[test]
    fn detail_is_enough_and_both_are_fine() {
        let detail = requested(&[P::ReadAccountsDetail]).unwrap();
        assert!(detail.can_read_accounts() && detail.can_read_accounts_detail() && !detail.has(P::ReadBalances));
        let both = [P::ReadAccountsDetail, P::ReadAccountsBasic, P::ReadTransactionsDetail, P::ReadTransactionsBasic];
        let credits = requested(&[both.as_slice(), &[P::ReadTransactionsCredits]].concat()).unwrap();
        assert!(credits.can_read_transactions() && credits.can_read_credits() && !credits.can_read_debits());
        assert_eq!(serde_json::to_string(&detail).unwrap(), r#"["ReadAccountsDetail"]"#);
    }

    proptest! {
        #[test]
        fn an_accepted_set_keeps_what_was_asked(list in prop::collection::vec(prop::sample::select(Permission::ALL), 0..21)) {
            if let Ok(set) = requested(&list) {
                prop_assert!(set.can_read_accounts());
                prop_assert!(list.iter().all(|permission| set.has(*permission)));
                prop_assert!(set.iter().all(|permission| list.contains(&permission)));
                let back: PermissionSet = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
                prop_assert_eq!(back, set);
            }
        }
    }
}
