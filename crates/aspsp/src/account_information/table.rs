//! The customer's data as one table: a row for each resource, with its paths in bulk and for one account, the permissions
//! that open it, and what it answers. A new resource is a row.

use openbanking::permissions::{Permission as P, PermissionSet};
use transport::Response;

use super::{answers, resources::View, statements, transactions};
use crate::{
    api::{ApiError, JSON},
    endpoints::EndpointsOff,
};

/// Permissions of which one from each group is needed.
pub(super) type Needs = &'static [&'static [P]];

/// A resource of the API.
pub(super) struct Resource {
    /// Paths below the family.
    pub(super) paths: &'static [&'static str],
    /// The permissions that it needs.
    pub(super) needs: Needs,
    /// Media type of what it answers.
    pub(super) produces: &'static str,
    /// What it answers.
    pub(super) answer: fn(&View<'_>) -> Result<Response, ApiError>,
}

const ACCOUNTS: Needs = &[&[P::ReadAccountsBasic, P::ReadAccountsDetail]];
const STATEMENTS: Needs = &[&[P::ReadStatementsBasic, P::ReadStatementsDetail]];
const TRANSACTIONS: Needs =
    &[&[P::ReadTransactionsBasic, P::ReadTransactionsDetail], &[P::ReadTransactionsCredits, P::ReadTransactionsDebits]];
const STATEMENT_TRANSACTIONS: Needs = &[
    &[P::ReadStatementsBasic, P::ReadStatementsDetail],
    &[P::ReadTransactionsBasic, P::ReadTransactionsDetail],
    &[P::ReadTransactionsCredits, P::ReadTransactionsDebits],
];

/// Everything that there is. What the bank's profile switches off answers 404.
pub(super) const RESOURCES: &[Resource] = &[
    json(&["/accounts", "/accounts/{AccountId}"], ACCOUNTS, answers::accounts),
    json(&["/balances", "/accounts/{AccountId}/balances"], &[&[P::ReadBalances]], answers::balances),
    json(&["/transactions", "/accounts/{AccountId}/transactions"], TRANSACTIONS, transactions::page),
    json(
        &["/beneficiaries", "/accounts/{AccountId}/beneficiaries"],
        &[&[P::ReadBeneficiariesBasic, P::ReadBeneficiariesDetail]],
        answers::beneficiaries,
    ),
    json(&["/direct-debits", "/accounts/{AccountId}/direct-debits"], &[&[P::ReadDirectDebits]], answers::direct_debits),
    json(
        &["/standing-orders", "/accounts/{AccountId}/standing-orders"],
        &[&[P::ReadStandingOrdersBasic, P::ReadStandingOrdersDetail]],
        answers::standing_orders,
    ),
    json(
        &["/scheduled-payments", "/accounts/{AccountId}/scheduled-payments"],
        &[&[P::ReadScheduledPaymentsBasic, P::ReadScheduledPaymentsDetail]],
        answers::scheduled_payments,
    ),
    json(&["/products", "/accounts/{AccountId}/product"], &[&[P::ReadProducts]], answers::products),
    json(&["/offers", "/accounts/{AccountId}/offers"], &[&[P::ReadOffers]], answers::offers),
    json(&["/party"], &[&[P::ReadPartyPsu]], answers::psu),
    json(&["/accounts/{AccountId}/party"], &[&[P::ReadParty]], answers::party),
    json(&["/accounts/{AccountId}/parties"], &[&[P::ReadParty]], answers::parties),
    json(&["/statements", "/accounts/{AccountId}/statements"], STATEMENTS, statements::list),
    json(&["/accounts/{AccountId}/statements/{StatementId}"], STATEMENTS, statements::one),
    json(
        &["/accounts/{AccountId}/statements/{StatementId}/transactions"],
        STATEMENT_TRANSACTIONS,
        statements::transactions_of,
    ),
    Resource {
        paths: &["/accounts/{AccountId}/statements/{StatementId}/file"],
        needs: &[&[P::ReadStatementsDetail]],
        produces: statements::FILE,
        answer: statements::file,
    },
];

const fn json(
    paths: &'static [&'static str],
    needs: Needs,
    answer: fn(&View<'_>) -> Result<Response, ApiError>,
) -> Resource {
    Resource { paths, needs, produces: JSON, answer }
}

/// True when a consent with these permissions opens it.
pub(super) fn allowed(needs: Needs, permissions: PermissionSet) -> bool {
    needs.iter().all(|group| permissions.has_any(group))
}

/// The permissions in words.
pub(super) fn in_words(needs: Needs) -> String {
    let group = |group: &&[P]| group.iter().map(|one| one.name()).collect::<Vec<_>>().join(" or ");
    needs.iter().map(group).collect::<Vec<_>>().join(", with ")
}

/// An endpoint's name in the bank's profile and at the Directory.
pub(super) fn endpoint(path: &str) -> String {
    format!("/aisp{path}")
}

/// The permissions that open what is offered. `ReadPAN` opens nothing by itself.
pub(super) fn supported(off: &EndpointsOff) -> PermissionSet {
    let offered = RESOURCES.iter().filter(|row| row.paths.iter().any(|path| off.offers(&endpoint(path))));
    let needed = offered.flat_map(|row| row.needs.iter().flat_map(|group| group.iter().copied()));
    needed.chain([P::ReadPan]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_permissions_are_supported_and_each_opens_something() {
        assert_eq!(supported(&EndpointsOff::default()), PermissionSet::all());
        for row in RESOURCES {
            assert!(allowed(row.needs, PermissionSet::all()), "{:?}", row.paths);
            for group in row.needs {
                let others = PermissionSet::all().iter().filter(|one| !group.contains(one)).collect();
                assert!(!allowed(row.needs, others), "{:?} opens without {group:?}", row.paths);
            }
        }
    }

    #[test]
    fn permissions_of_what_is_off_are_not_supported() {
        let off: EndpointsOff =
            serde_saphyr::from_str("[/aisp/offers, '/aisp/accounts/{AccountId}/offers', /aisp/balances, /aisp/party]")
                .unwrap();
        let supported = supported(&off);
        assert!(!supported.has(P::ReadOffers) && !supported.has(P::ReadPartyPsu));
        assert!(supported.has(P::ReadBalances), "the balances of one account are still offered");
    }

    #[test]
    fn needs_are_told_in_words() {
        let words =
            "ReadTransactionsBasic or ReadTransactionsDetail, with ReadTransactionsCredits or ReadTransactionsDebits";
        assert_eq!(in_words(TRANSACTIONS), words);
        assert_eq!(in_words(&[&[P::ReadOffers]]), "ReadOffers");
    }
}
