//! What the consent page says: data clusters with the words of the Customer Experience Guidelines (checklist 13a, 13b).

use super::{Permission as P, PermissionSet};

/// Permissions that are shown together, in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its heading.
    pub name: &'static str,
    /// What is in it of this consent, in the order of the guidelines.
    pub wordings: Vec<&'static str>,
}

/// A line: the permission, its words, and the permission beside which it is not shown.
type Line = (P, &'static str, Option<P>);

const CLUSTERS: &[(&str, &[Line])] = &[
    (
        "Your Account Details",
        &[
            (
                P::ReadAccountsBasic,
                "Any other name by which you refer to this account and/or the currency of the account",
                Some(P::ReadAccountsDetail),
            ),
            (P::ReadAccountsDetail, "Your account name, number and sort-code", None),
            (P::ReadBalances, "Your account balance", None),
            (P::ReadPan, "Your card number", None),
        ],
    ),
    (
        "Your Regular Payments",
        &[
            (P::ReadBeneficiariesBasic, "Payee agreements you have set up", Some(P::ReadBeneficiariesDetail)),
            (P::ReadBeneficiariesDetail, "Details of Payee agreements you have set up", None),
            (P::ReadDirectDebits, "Your Direct Debits", None),
            (P::ReadStandingOrdersBasic, "Your Standing Orders", Some(P::ReadStandingOrdersDetail)),
            (P::ReadStandingOrdersDetail, "Details of your Standing Orders", None),
            (
                P::ReadScheduledPaymentsBasic,
                "Recurring and future dated payments",
                Some(P::ReadScheduledPaymentsDetail),
            ),
            (P::ReadScheduledPaymentsDetail, "Details of recurring and future dated payments", None),
        ],
    ),
    (
        "Your Account Transactions",
        &[
            (P::ReadTransactionsBasic, "Your transactions", Some(P::ReadTransactionsDetail)),
            (P::ReadTransactionsDetail, "Details of your transactions", None),
            (P::ReadTransactionsCredits, "Your incoming transactions", None),
            (P::ReadTransactionsDebits, "Your outgoing transactions", None),
        ],
    ),
    (
        "Your Statements",
        &[
            (P::ReadStatementsBasic, "Information contained in your statement", Some(P::ReadStatementsDetail)),
            (P::ReadStatementsDetail, "Details of information contained in your statement", None),
        ],
    ),
    (
        "Your Account Features and Benefits",
        &[
            (P::ReadProducts, "Product details – fees, charges, interest, benefits/rewards", None),
            (P::ReadOffers, "Offers available on your account", None),
        ],
    ),
    (
        "Contact and party details",
        &[
            (
                P::ReadParty,
                "The full legal name(s) of account holder(s). Address(es), telephone number(s) and email address(es)",
                None,
            ),
            // The guidelines have no words for this one; these follow those of ReadParty.
            (
                P::ReadPartyPsu,
                "Your own full legal name. Your address(es), telephone number(s) and email address(es)",
                None,
            ),
        ],
    ),
];

impl PermissionSet {
    /// The clusters of this set, for the PSU to read. Detail hides Basic; clusters with nothing in them are left out.
    pub fn clusters(self) -> Vec<Cluster> {
        CLUSTERS
            .iter()
            .map(|(name, lines)| Cluster {
                name,
                wordings: lines
                    .iter()
                    .filter(|(permission, _, hidden_by)| {
                        self.has(*permission) && !hidden_by.is_some_and(|better| self.has(better))
                    })
                    .map(|(_, words, _)| *words)
                    .collect(),
            })
            .filter(|cluster| !cluster.wordings.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_words_exactly_once() {
        for permission in P::ALL {
            let lines = CLUSTERS.iter().flat_map(|(_, lines)| lines.iter());
            assert_eq!(lines.filter(|(named, ..)| named == permission).count(), 1, "{permission}");
        }
    }

    #[test]
    fn detail_hides_basic_and_directions_are_named() {
        let set: PermissionSet = [
            P::ReadAccountsBasic,
            P::ReadAccountsDetail,
            P::ReadTransactionsBasic,
            P::ReadTransactionsCredits,
            P::ReadTransactionsDebits,
        ]
        .into_iter()
        .collect();
        insta::assert_debug_snapshot!(set.clusters(), @r##"
        [
            Cluster {
                name: "Your Account Details",
                wordings: [
                    "Your account name, number and sort-code",
                ],
            },
            Cluster {
                name: "Your Account Transactions",
                wordings: [
                    "Your transactions",
                    "Your incoming transactions",
                    "Your outgoing transactions",
                ],
            },
        ]
        "##);
        assert!(PermissionSet::default().clusters().is_empty());
    }
}
