//! Transactions (`OBReadTransaction6`).

use crate::balances::{BalanceType, CreditDebitIndicator};
use crate::code::{Coded, codes};
use crate::dates;
use crate::money::{ActiveAmount, Currency, Money, MoneyError};
use crate::parties::{Agent, CashAccount, PostalAddress, masked_pan};
use crate::permissions::PermissionSet;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

codes! {
    /// Whether an entry is on the books (`OBEntryStatus1Code`, `ExternalEntryStatus1Code`). v3.1 has no names for what
    /// is to come or only for information; both are pending there.
    pub enum TransactionStatus {
        /// On the books.
        Booked = "Booked" / "BOOK",
        /// On its way.
        Pending = "Pending" / "PDNG",
        /// Refused.
        Rejected = "Rejected" / "RJCT",
        /// Booked at a later day.
        Future = "Pending" / "FUTR",
        /// For information.
        Information = "Pending" / "INFO",
    }
}

/// Whether a booked entry may still change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TransactionMutability {
    /// It may.
    Mutable,
    /// It may not.
    Immutable,
}

/// `Data` of `GET /transactions` and `GET /accounts/{AccountId}/transactions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionData {
    /// One page of them.
    #[serde(default)]
    pub transaction: Vec<Transaction>,
}

/// Declares a struct whose members are all written in PascalCase and left out when absent.
macro_rules! optional_members {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$row:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $($(#[$row])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $member: Option<$type>,)*
        }
    };
}

/// A transaction as the account's holder sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Transaction {
    /// The account.
    pub account_id: String,
    /// The bank's name for it; immutable, at most 210 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// A reference of the payment system; at most 210 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_reference: Option<String>,
    /// Statements that it is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statement_reference: Vec<String>,
    /// Sign of the amount.
    pub credit_debit_indicator: CreditDebitIndicator,
    /// Whether it is on the books.
    pub status: Coded<TransactionStatus>,
    /// Whether it may still change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_mutability: Option<TransactionMutability>,
    /// When it came onto the books, or is expected to.
    #[serde(with = "dates::serde_form")]
    pub booking_date_time: OffsetDateTime,
    /// From when it counts for interest.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub value_date_time: Option<OffsetDateTime>,
    /// The line on the statement; Detail only, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_information: Option<String>,
    /// Where it was made; at most 70 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_line: Option<String>,
    /// How much.
    pub amount: ActiveAmount,
    /// Fee within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_amount: Option<ActiveAmount>,
    /// How it came out of another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency_exchange: Option<CurrencyExchange>,
    /// ISO 20022 family and sub family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_transaction_code: Option<BankTransactionCode>,
    /// The bank's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proprietary_bank_transaction_code: Option<ProprietaryBankTransactionCode>,
    /// More codes of the bank; v4.0 only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended_proprietary_bank_transaction_codes: Vec<ExtendedProprietaryBankTransactionCode>,
    /// Balance after it; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<TransactionBalance>,
    /// Where a card was used; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_details: Option<MerchantDetails>,
    /// Bank of whom it went to; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor_agent: Option<Agent>,
    /// Account of whom it went to; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creditor_account: Option<CashAccount>,
    /// Bank of whom it came from; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_agent: Option<Agent>,
    /// Account of whom it came from; Detail only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<CashAccount>,
    /// The card that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_instrument: Option<CardInstrument>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplementary_data: Option<Value>,
    /// `ExternalCategoryPurpose1Code`; v4.0 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_purpose_code: Option<String>,
    /// `OBExternalPurpose1Code`; v4.0 only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_purpose_code: Option<String>,
    /// Who gets it in the end; Detail only, v4.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ultimate_creditor: Option<UltimateParty>,
    /// Who owed it at first; Detail only, v4.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ultimate_debtor: Option<UltimateParty>,
    /// A bank between; Detail only, v4.0.1. The three members are `IntermediaryAgent1` to `3`.
    #[serde(rename = "IntermediaryAgent1", default, skip_serializing_if = "Option::is_none")]
    pub intermediary_agent_1: Option<IntermediaryAgent>,
    /// See above.
    #[serde(rename = "IntermediaryAgent2", default, skip_serializing_if = "Option::is_none")]
    pub intermediary_agent_2: Option<IntermediaryAgent>,
    /// See above.
    #[serde(rename = "IntermediaryAgent3", default, skip_serializing_if = "Option::is_none")]
    pub intermediary_agent_3: Option<IntermediaryAgent>,
}

/// `OBBankTransactionCodeStructure1`: ISO 20022 family and sub family, such as `PMNT` parts `ICDT` and `ESCT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BankTransactionCode {
    /// The family.
    pub code: String,
    /// The sub family.
    pub sub_code: String,
}

/// `ProprietaryBankTransactionCodeStructure1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProprietaryBankTransactionCode {
    /// The code; at most 35 characters.
    pub code: String,
    /// Whose code it is; at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// `OBExtendedProprietaryBankTransactionCode` of v4.0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExtendedProprietaryBankTransactionCode {
    /// The code; at most 35 characters.
    pub code: String,
    /// Whose code it is; at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What it means; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

optional_members! {
    /// `OBMerchantDetails1`.
    pub struct MerchantDetails {
        /// Name; at most 350 characters.
        merchant_name: String,
        /// ISO 18245; three or four characters.
        merchant_category_code: String,
    }
}

optional_members! {
    /// `OBUltimateCreditor1` and `OBUltimateDebtor1` of v4.0.
    pub struct UltimateParty {
        /// Name; at most 140 characters.
        name: String,
        /// Identification; at most 256 characters.
        identification: String,
        /// Legal entity identifier.
        #[serde(rename = "LEI")]
        lei: String,
        /// How it is identified.
        scheme_name: String,
        /// Where it is.
        postal_address: PostalAddress,
    }
}

optional_members! {
    /// `OBIntermediaryAgent` of v4.0.1.
    pub struct IntermediaryAgent {
        /// Name; at most 140 characters.
        name: String,
        /// How it is identified.
        scheme_name: String,
        /// Identification; at most 35 characters.
        identification: String,
        /// Legal entity identifier.
        #[serde(rename = "LEI")]
        lei: String,
        /// Where it is.
        postal_address: PostalAddress,
        /// What became of the payment there.
        processing_status: String,
    }
}

/// `OBTransactionCashBalance`: the balance after the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionBalance {
    /// Sign of the amount.
    pub credit_debit_indicator: CreditDebitIndicator,
    /// What it counts.
    pub r#type: Coded<BalanceType>,
    /// How much.
    pub amount: ActiveAmount,
}

impl TransactionBalance {
    /// A balance of a signed amount.
    ///
    /// # Errors
    /// The amount has more digits than the wire can carry.
    pub fn new(version: ApiVersion, r#type: BalanceType, money: Money) -> Result<Self, MoneyError> {
        Ok(Self {
            credit_debit_indicator: CreditDebitIndicator::of(money.minor()),
            r#type: version.code(r#type),
            amount: ActiveAmount::magnitude_of(money)?,
        })
    }
}

/// `OBTransactionCardInstrument1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CardInstrument {
    /// `AmericanExpress`, `Diners`, `Discover`, `MasterCard`, `VISA`.
    pub card_scheme_name: String,
    /// `ConsumerDevice`, `Contactless`, `None`, `PIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorisation_type: Option<String>,
    /// Who used it; at most 70 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its number; at most 34 characters, masked without `ReadPAN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identification: Option<String>,
}

/// `OBCurrencyExchange5`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CurrencyExchange {
    /// Converted from.
    pub source_currency: Currency,
    /// Converted to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_currency: Option<Currency>,
    /// The one of which the rate counts one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_currency: Option<Currency>,
    /// The rate, a number on the wire.
    pub exchange_rate: serde_json::Number,
    /// Names the contract; at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_identification: Option<String>,
    /// When the rate was quoted.
    #[serde(default, with = "dates::serde_form::option", skip_serializing_if = "Option::is_none")]
    pub quotation_date: Option<OffsetDateTime>,
    /// What was asked for, before fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructed_amount: Option<ActiveAmount>,
}

mod showing;
