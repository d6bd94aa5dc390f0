//! Which endpoints of the Read/Write APIs the bank offers, in every version. They are named by their path below the
//! version, such as `/aisp/accounts/{AccountId}/balances`; where the standard leaves single methods of a path to the
//! bank, also by method and path, such as `PUT /pisp/domestic-vrp-consents/{ConsentId}`.
//!
//! What is off answers 404 (OB Read/Write, 404 Not Found), its permissions are refused, and the Directory does not list it.

use http::Method;
use openbanking::{directory::ApiFamily, version::ApiVersion};
use serde::Deserialize;

use crate::{account_information, funds_confirmation, payment_initiation};

/// The endpoints that a bank profile switches off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct EndpointsOff(Vec<String>);

/// An API family and its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its name in paths.
    pub name: &'static str,
    /// Endpoints without which the others could not be used.
    pub always: Vec<String>,
    /// Endpoints that a bank need not offer.
    pub switchable: Vec<String>,
}

/// Every family.
fn families() -> [Family; 3] {
    [account_information::family(), payment_initiation::family(), funds_confirmation::family()]
}

/// The endpoint of a path with a version; none when the path has none.
#[must_use]
pub fn endpoint_of(path: &str) -> Option<String> {
    let (version, endpoint) = path.strip_prefix("/open-banking/")?.split_once('/')?;
    version.parse::<ApiVersion>().ok().map(|_| format!("/{endpoint}"))
}

/// The name of one method of an endpoint.
#[must_use]
pub fn operation(method: &Method, endpoint: &str) -> String {
    format!("{method} {endpoint}")
}

impl EndpointsOff {
    /// True when the endpoint, or the method of one, is offered.
    #[must_use]
    pub fn offers(&self, endpoint: &str) -> bool {
        let path = endpoint.split_once(' ').map_or(endpoint, |(_, path)| path);
        !self.0.iter().any(|off| off == endpoint || off == path)
    }

    /// What is offered, as the Directory lists it.
    #[must_use]
    pub fn offered(&self) -> Vec<ApiFamily> {
        let family = |Family { name, always, switchable }| ApiFamily {
            family: String::from(name),
            versions: ApiVersion::ALL.to_vec(),
            endpoints: always.into_iter().chain(switchable.into_iter().filter(|one| self.offers(one))).collect(),
        };
        families().into_iter().map(family).collect()
    }

    /// The first name that is no endpoint that can be switched off.
    #[must_use]
    pub fn unknown(&self) -> Option<&str> {
        unknown(&self.0)
    }
}

/// The first of the names that is no switchable endpoint.
#[must_use]
pub fn unknown(names: &[String]) -> Option<&str> {
    let known: Vec<String> = families().into_iter().flat_map(|family| family.switchable).collect();
    names.iter().find(|name| !known.contains(name)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off(names: &[&str]) -> EndpointsOff {
        EndpointsOff(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn what_is_off_is_not_listed() {
        let off = off(&["/aisp/offers", "/aisp/accounts/{AccountId}/offers"]);
        assert!(!off.offers("/aisp/offers") && off.offers("/aisp/balances"));
        let listed = &off.offered()[0].endpoints;
        assert!(listed.contains(&"/aisp/accounts/{AccountId}/balances".to_owned()));
        assert!(listed.contains(&"/aisp/account-access-consents".to_owned()));
        assert!(!listed.iter().any(|endpoint| endpoint.contains("offers")), "{listed:?}");
        assert_eq!(off.unknown(), None);
    }

    #[test]
    fn single_methods_are_switched_where_the_standard_leaves_them_to_the_bank() {
        let path = "/pisp/domestic-vrp-consents/{ConsentId}";
        let put = operation(&Method::PUT, path);
        let without = off(&[&put]);
        assert_eq!(without.unknown(), None);
        assert!(!without.offers(&put) && without.offers(path) && without.offers(&operation(&Method::PATCH, path)));
        let listed = &without.offered()[1].endpoints;
        assert!(!listed.contains(&put) && listed.contains(&operation(&Method::PATCH, path)));
        // Without the path there is no method of it.
        assert!(!off(&[path]).offers(&put));
        assert!(off(&["GET /pisp/domestic-vrp-consents/{ConsentId}"]).unknown().is_some());
    }

    #[test]
    fn a_misspelt_endpoint_is_named() {
        assert_eq!(off(&["/aisp/offers", "/aisp/offer"]).unknown(), Some("/aisp/offer"));
        assert_eq!(off(&["/offers"]).unknown(), Some("/offers"));
        let consents = "/aisp/account-access-consents";
        assert_eq!(off(&[consents]).unknown(), Some(consents), "without it nothing could be used");
    }
}
