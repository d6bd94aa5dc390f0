//! The people and companies behind an account (`OBReadParty2`, `OBReadParty3`).

use crate::code::{Coded, codes};
use crate::parties::PostalAddress;
use crate::payload::{list, payload};
use serde::{Deserialize, Serialize};

payload! {
    /// `Data` of `GET /party` and `GET /accounts/{AccountId}/party`.
    pub struct PartyData {
        /// The party.
        one party: Party,
    }
}

list! {
    /// `Data` of `GET /accounts/{AccountId}/parties`.
    pub struct PartiesData { party: Party }
}

/// `OBExternalPartyType1Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PartyType {
    /// Acts for the owner.
    Delegate,
    /// One of several owners.
    Joint,
    /// The only owner.
    Sole,
}

codes! {
    /// What sort of person it is before the law (`OBInternalLegalStructureType1Code`).
    pub enum LegalStructure {
        /// A person.
        Individual = "UK.OBIE.Individual" / "UK.OBIE.Individual",
        /// A person who trades.
        Sole = "UK.OBIE.Sole" / "UK.OBIE.Sole",
    }
}

codes! {
    /// What the party is to the account (`OBInternalAccountRole1Code`).
    pub enum AccountRole {
        /// The first owner.
        Principal = "UK.OBIE.Principal" / "UK.OBIE.Principal",
        /// A further owner.
        SecondaryOwner = "UK.OBIE.SecondaryOwner" / "UK.OBIE.SecondaryOwner",
    }
}

payload! {
    /// A person or company.
    pub struct Party {
        /// The bank's name for it; at most 40 characters.
        one party_id: String,
        /// The customer's number; at most 35 characters.
        maybe party_number: String,
        /// Whether it is alone.
        maybe party_type: PartyType,
        /// What it is called; at most 350 characters.
        maybe name: String,
        /// The name in its papers; at most 350 characters.
        maybe full_legal_name: String,
        /// What sort of person it is before the law.
        maybe legal_structure: Coded<LegalStructure>,
        /// True when it owns the account for itself.
        maybe beneficial_ownership: bool,
        /// What it is to the account.
        maybe account_role: Coded<AccountRole>,
        /// Electronic mail address; at most 256 characters.
        maybe email_address: String,
        /// Telephone: country code, hyphen, number.
        maybe phone: String,
        /// Mobile telephone, in the same form.
        maybe mobile: String,
        /// What it belongs to.
        maybe relationships: Relationships,
        /// Where it lives.
        many address: PostalAddress,
    }
}

payload! {
    /// What a party belongs to.
    pub struct Relationships {
        /// The account.
        maybe account: Related,
    }
}

payload! {
    /// A resource that belongs to another.
    pub struct Related {
        /// Its URL.
        one related: String,
        /// Its identifier.
        one id: String,
    }
}

/// A telephone number as the schemas want it: `+44 7700 900101` becomes `+44-7700900101`. None when it has no country
/// code, or nothing after it.
pub fn telephone(number: &str) -> Option<String> {
    let (country, rest) = number.trim().split_once([' ', '-'])?;
    let digits = country.strip_prefix('+')?;
    let rest: String = rest.chars().filter(|c| c.is_ascii_digit() || matches!(c, '(' | ')' | '+' | '-')).collect();
    let fits = (1..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=30).contains(&rest.len());
    fits.then(|| format!("{country}-{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_get_their_hyphen() {
        assert_eq!(telephone("+44 7700 900101").as_deref(), Some("+44-7700900101"));
        assert_eq!(telephone("+353-1 55 501").as_deref(), Some("+353-155501"));
        for wrong in ["", "07700 900101", "+44", "+44 ", "+4412345 6", "+4x 12"] {
            assert_eq!(telephone(wrong), None, "{wrong}");
        }
    }
}
