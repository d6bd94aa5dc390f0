//! Accounts (`OBReadAccount6`).

use crate::code::{Coded, codes};
use crate::dates;
use crate::money::Currency;
use crate::parties::{Agent, CashAccount, PostalAddress};
use crate::permissions::PermissionSet;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

codes! {
    /// What sort of account it is: `AccountSubType` of v3.1, `AccountTypeCode` of v4.0, which has cards of one sort.
    pub enum AccountType {
        /// Credit card.
        CreditCard = "CreditCard" / "CARD",
        /// Charge card: paid off each month.
        ChargeCard = "ChargeCard" / "CARD",
        /// Card that is paid beforehand.
        PrePaidCard = "PrePaidCard" / "CARD",
        /// Current account.
        CurrentAccount = "CurrentAccount" / "CACC",
        /// Wallet.
        Wallet = "Wallet" / "WALT",
        /// Electronic money.
        EMoney = "EMoney" / "WALT",
        /// Loan.
        Loan = "Loan" / "LOAN",
        /// Mortgage.
        Mortgage = "Mortgage" / "MORT",
        /// Savings.
        Savings = "Savings" / "SVGS",
    }
}

/// Whose account it is: `AccountType` of v3.1, `AccountCategory` of v4.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccountCategory {
    /// Of a business.
    Business,
    /// Of a person.
    Personal,
}

/// `OBInternalAccountStatus1Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccountStatus {
    /// In use.
    Enabled,
    /// Blocked.
    Disabled,
    /// Closed.
    Deleted,
    /// Being opened.
    Pending,
    /// Opened with data still missing.
    ProForma,
}

/// `OBInternalSwitchStatusCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SwitchStatus {
    /// Still here.
    #[serde(rename = "UK.CASS.NotSwitched")]
    NotSwitched,
    /// Moved to another bank.
    #[serde(rename = "UK.CASS.SwitchCompleted")]
    SwitchCompleted,
}

/// `Data` of `GET /accounts` and `GET /accounts/{AccountId}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccountData {
    /// The accounts of the consent.
    #[serde(default)]
    pub account: Vec<Account>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    /// The bank's name for it; at most 40 characters.
    pub account_id: String,
    /// Whether it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// When that changed.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub status_update_date_time: Option<OffsetDateTime>,
    /// Absent for switched accounts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Whose it is; v3.1.
    #[serde(rename = "AccountType", default, skip_serializing_if = "Option::is_none")]
    pub account_type: Option<AccountCategory>,
    /// What sort; v3.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_sub_type: Option<Coded<AccountType>>,
    /// Whose it is; v4.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_category: Option<AccountCategory>,
    /// What sort; v4.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_type_code: Option<Coded<AccountType>>,
    /// What the product is called; at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the customer calls it; at most 70 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// When it was opened.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub opening_date: Option<OffsetDateTime>,
    /// When it ends.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub maturity_date: Option<OffsetDateTime>,
    /// Whether it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch_status: Option<SwitchStatus>,
    /// Its numbers; Detail only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<CashAccount>,
    /// Its statements; Detail only, v4.0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statement_frequency_and_format: Vec<StatementFrequencyAndFormat>,
    /// Its bank; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servicer: Option<Agent>,
}

/// How often statements come, and how; codes as in the v4.0 code sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatementFrequencyAndFormat {
    /// `MNTH`, `YEAR`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// `ONLI`, `POST`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub communication_method: Option<String>,
    /// `DPDF`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_address: Option<PostalAddress>,
}

impl Account {
    /// An account with the members that every account has, named as in the version.
    pub fn new(
        version: ApiVersion,
        account_id: impl Into<String>,
        category: AccountCategory,
        r#type: AccountType,
        currency: Currency,
    ) -> Self {
        let old = version == ApiVersion::V3_1;
        let coded = version.code(r#type);
        Self {
            account_id: account_id.into(),
            status: None,
            status_update_date_time: None,
            currency: Some(currency),
            account_type: old.then_some(category),
            account_sub_type: old.then(|| coded.clone()),
            account_category: (!old).then_some(category),
            account_type_code: (!old).then_some(coded),
            description: None,
            nickname: None,
            opening_date: None,
            maturity_date: None,
            switch_status: None,
            account: Vec::new(),
            statement_frequency_and_format: Vec::new(),
            servicer: None,
        }
    }

    /// What of it may be shown with these permissions in this version: numbers and bank with Detail only, card numbers
    /// in full with `ReadPAN` only (Account and Transaction API Profile, Detail Permissions).
    #[must_use]
    pub fn shown(mut self, version: ApiVersion, permissions: PermissionSet) -> Self {
        if !permissions.can_read_accounts_detail() {
            self.account.clear();
            self.statement_frequency_and_format.clear();
            self.servicer = None;
        }
        if !permissions.can_read_pan() {
            self.account.iter_mut().for_each(CashAccount::mask);
        }
        if version == ApiVersion::V3_1 {
            self.statement_frequency_and_format.clear();
            self.account.iter_mut().for_each(CashAccount::as_in_v3);
            if let Some(servicer) = &mut self.servicer {
                (servicer.name, servicer.lei, servicer.postal_address) = (None, None, None);
            }
        }
        self
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::parties::AccountScheme;
    use crate::permissions::Permission as P;
    use time::macros::datetime;

    pub(crate) fn sample(version: ApiVersion) -> Account {
        let mut account =
            Account::new(version, "acc-1", AccountCategory::Personal, AccountType::CreditCard, Currency::GBP);
        account.status = Some(AccountStatus::Enabled);
        account.nickname = Some("Plastic".to_owned());
        account.opening_date = Some(datetime!(2020-02-29 0:00 UTC));
        account.account = vec![CashAccount {
            lei: Some("IZ9Q00LZEVUKWCQY6X15".to_owned()),
            ..CashAccount::new(AccountScheme::Pan, "4929123412341234", Some("Ada Example".to_owned()))
        }];
        account.statement_frequency_and_format = vec![StatementFrequencyAndFormat {
            frequency: Some("MNTH".to_owned()),
            communication_method: Some("ONLI".to_owned()),
            format: Some("DPDF".to_owned()),
            delivery_address: None,
        }];
        account.servicer = Some(Agent { name: Some("Hedge Bank".to_owned()), ..Agent::of_bic("HEDGGB2L") });
        account
    }

    fn set(permissions: &[P]) -> PermissionSet {
        permissions.iter().copied().collect()
    }

    #[test]
    fn each_version_names_its_members() {
        let all = PermissionSet::all();
        insta::assert_json_snapshot!(sample(ApiVersion::V3_1).shown(ApiVersion::V3_1, all), @r##"
        {
          "AccountId": "acc-1",
          "Status": "Enabled",
          "Currency": "GBP",
          "AccountType": "Personal",
          "AccountSubType": "CreditCard",
          "Nickname": "Plastic",
          "OpeningDate": "2020-02-29T00:00:00+00:00",
          "Account": [
            {
              "SchemeName": "UK.OBIE.PAN",
              "Identification": "4929123412341234",
              "Name": "Ada Example"
            }
          ],
          "Servicer": {
            "SchemeName": "UK.OBIE.BICFI",
            "Identification": "HEDGGB2L"
          }
        }
        "##);
        insta::assert_json_snapshot!(sample(ApiVersion::V4_0).shown(ApiVersion::V4_0, all), @r##"
        {
          "AccountId": "acc-1",
          "Status": "Enabled",
          "Currency": "GBP",
          "AccountCategory": "Personal",
          "AccountTypeCode": "CARD",
          "Nickname": "Plastic",
          "OpeningDate": "2020-02-29T00:00:00+00:00",
          "Account": [
            {
              "SchemeName": "UK.OBIE.PAN",
              "Identification": "4929123412341234",
              "Name": "Ada Example",
              "LEI": "IZ9Q00LZEVUKWCQY6X15"
            }
          ],
          "StatementFrequencyAndFormat": [
            {
              "Frequency": "MNTH",
              "CommunicationMethod": "ONLI",
              "Format": "DPDF"
            }
          ],
          "Servicer": {
            "SchemeName": "UK.OBIE.BICFI",
            "Identification": "HEDGGB2L",
            "Name": "Hedge Bank"
          }
        }
        "##);
    }

    #[test]
    fn basic_shows_no_numbers_and_detail_masks_cards() {
        for version in ApiVersion::ALL {
            let basic = sample(version).shown(version, set(&[P::ReadAccountsBasic, P::ReadPan]));
            let json = serde_json::to_value(&basic).unwrap();
            for name in ["Account", "Servicer", "StatementFrequencyAndFormat"] {
                assert!(json.get(name).is_none(), "{name}");
            }
            assert_eq!(json["Nickname"], "Plastic");
            let detail = sample(version).shown(version, set(&[P::ReadAccountsDetail]));
            assert_eq!(detail.account[0].identification.as_deref(), Some("xxxxxxxxxxxx1234"));
            assert!(detail.servicer.is_some());
            let pan = sample(version).shown(version, set(&[P::ReadAccountsDetail, P::ReadPan]));
            assert_eq!(pan.account[0].identification.as_deref(), Some("4929123412341234"));
        }
    }
}
