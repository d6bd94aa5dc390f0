//! Accounts and agents as other members name them: schemes, identifications, addresses.

use crate::code::{Coded, codes};
use crate::permissions::PermissionSet;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};

codes! {
    /// How an account is identified (`OBInternalAccountIdentification4Code`).
    pub enum AccountScheme {
        /// Basic bank account number.
        Bban = "UK.OBIE.BBAN" / "UK.OBIE.BBAN",
        /// International bank account number.
        Iban = "UK.OBIE.IBAN" / "UK.OBIE.IBAN",
        /// Card number.
        Pan = "UK.OBIE.PAN" / "UK.OBIE.PAN",
        /// Mobile number.
        Paym = "UK.OBIE.Paym" / "UK.OBIE.Paym",
        /// Six digits of sort code, eight of account number.
        SortCodeAccountNumber = "UK.OBIE.SortCodeAccountNumber" / "UK.OBIE.SortCodeAccountNumber",
        /// Wallet.
        Wallet = "UK.OBIE.Wallet" / "UK.OBIE.Wallet",
    }
}

impl AccountScheme {
    /// The scheme of that name; TPPs may leave the namespace out, banks always answer with it (Namespaced
    /// Enumerations, Release Management).
    pub fn lenient(name: &str) -> Option<Self> {
        use crate::code::Code;
        Self::from_wire(name).or_else(|| Self::from_wire(&format!("UK.OBIE.{name}")))
    }
}

codes! {
    /// How a bank is identified (`OBInternalFinancialInstitutionIdentification4Code`).
    pub enum AgentScheme {
        /// Business identifier code.
        Bicfi = "UK.OBIE.BICFI" / "UK.OBIE.BICFI",
    }
}

/// An account of this or another bank (`OBCashAccount6`, and the items of `Account`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CashAccount {
    /// How it is identified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme_name: Option<Coded<AccountScheme>>,
    /// Its number; at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification: Option<String>,
    /// Its holder; at most 350 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Legal entity identifier; v4.0 only.
    #[serde(rename = "LEI", default, skip_serializing_if = "Option::is_none")]
    pub lei: Option<String>,
    /// Roll number; at most 34 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secondary_identification: Option<String>,
    /// Another name of the account; v4.0 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
}

impl CashAccount {
    /// The account of that number and holder.
    pub fn new(scheme: AccountScheme, identification: impl Into<String>, name: Option<String>) -> Self {
        Self {
            // Both versions write the schemes alike.
            scheme_name: Some(ApiVersion::V4_0.code(scheme)),
            identification: Some(identification.into()),
            name,
            ..Self::default()
        }
    }

    /// Hides the digits in the middle of a card number.
    pub(crate) fn mask(&mut self) {
        let scheme = self.scheme_name.as_ref().and_then(Coded::known);
        if scheme == Some(AccountScheme::Pan)
            && let Some(number) = &mut self.identification
        {
            *number = masked_pan(number);
        }
    }

    /// What of an account that is a member of something else may be shown: card numbers in full with `ReadPAN` only,
    /// and nothing that the version does not know.
    pub(crate) fn show(account: &mut Option<Self>, version: ApiVersion, permissions: PermissionSet) {
        let Some(account) = account else { return };
        if !permissions.can_read_pan() {
            account.mask();
        }
        if version == ApiVersion::V3_1 {
            account.as_in_v3();
        }
    }

    /// Takes away what v3.1 does not know.
    pub(crate) fn as_in_v3(&mut self) {
        (self.lei, self.proxy) = (None, None);
    }
}

/// A card number of which only the last four characters are left; shorter ones are hidden altogether.
pub fn masked_pan(number: &str) -> String {
    let length = number.chars().count();
    let hidden = if length > 8 { length - 4 } else { length };
    number.chars().enumerate().map(|(index, digit)| if index < hidden { 'x' } else { digit }).collect()
}

/// Another name of an account (`OBProxy1`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Proxy {
    /// The name.
    pub identification: String,
    /// What sort (`ExternalProxyAccountType1Code`).
    pub code: String,
    /// What sort, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// A bank (`OBBranchAndFinancialInstitutionIdentification5` and `6`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Agent {
    /// How it is identified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme_name: Option<Coded<AgentScheme>>,
    /// Its identifier; at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification: Option<String>,
    /// Its name; at most 140 characters. A servicer has one in v4.0 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Legal entity identifier; v4.0 only.
    #[serde(rename = "LEI", default, skip_serializing_if = "Option::is_none")]
    pub lei: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_address: Option<PostalAddress>,
}

impl Agent {
    /// The bank of that BIC.
    pub fn of_bic(bic: impl Into<String>) -> Self {
        let scheme_name = Some(ApiVersion::V4_0.code(AgentScheme::Bicfi));
        Self { scheme_name, identification: Some(bic.into()), ..Self::default() }
    }
}

codes! {
    /// What an address is for (`OBAddressTypeCode`, `OBAddressType2Code`). v3.1 tells no private home from another.
    pub enum AddressType {
        /// Of a business.
        Business = "Business" / "BIZZ",
        /// For letters.
        Correspondence = "Correspondence" / "CORR",
        /// For deliveries.
        DeliveryTo = "DeliveryTo" / "DLVY",
        /// For mail.
        MailTo = "MailTo" / "MLTO",
        /// A box at the post office.
        PoBox = "POBox" / "PBOX",
        /// The whole postal address.
        Postal = "Postal" / "ADDR",
        /// A home.
        Residential = "Residential" / "HOME",
        /// For statements.
        Statement = "Statement" / "STAT",
    }
}

/// An address: the members that `OBPostalAddress6` and `OBPostalAddress7` share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PostalAddress {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_type: Option<Coded<AddressType>>,
    /// Street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street_name: Option<String>,
    /// Number of the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building_number: Option<String>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_code: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_name: Option<String>,
    /// County.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country_sub_division: Option<String>,
    /// Two capital letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Anything else, line by line; at most seven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address_line: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_keep_four_digits() {
        assert_eq!(masked_pan("4929123412341234"), "xxxxxxxxxxxx1234");
        assert_eq!(masked_pan("12345678"), "xxxxxxxx");
        assert_eq!(masked_pan(""), "");
        let mut card = CashAccount::new(AccountScheme::Pan, "4929123412341234", None);
        let mut other = CashAccount::new(AccountScheme::SortCodeAccountNumber, "80200112344562", None);
        card.mask();
        other.mask();
        assert_eq!(card.identification.as_deref(), Some("xxxxxxxxxxxx1234"));
        assert_eq!(other.identification.as_deref(), Some("80200112344562"));
    }

    #[test]
    fn schemes_may_come_without_their_namespace() {
        assert_eq!(AccountScheme::lenient("IBAN"), Some(AccountScheme::Iban));
        assert_eq!(AccountScheme::lenient("UK.OBIE.PAN"), Some(AccountScheme::Pan));
        assert_eq!(AccountScheme::lenient("TestingAnInvalidSchemeName"), None);
    }
}
