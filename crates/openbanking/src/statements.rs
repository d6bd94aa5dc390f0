//! Statements (`OBReadStatement2`).

use crate::balances::CreditDebitIndicator;
use crate::code::{Coded, codes};
use crate::money::{ActiveAmount, Money, MoneyError};
use crate::payload::{list, payload};
use crate::permissions::{Permission, PermissionSet};
use serde::{Deserialize, Serialize};

list! {
    /// `Data` of `GET /statements`, `GET /accounts/{AccountId}/statements` and of one statement.
    pub struct StatementData { statement: Statement }
}

/// `OBExternalStatementType1Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StatementType {
    /// The last one.
    AccountClosure,
    /// The first one.
    AccountOpening,
    /// Of a year.
    Annual,
    /// Between two regular ones.
    Interim,
    /// Of a period.
    RegularPeriodic,
}

/// Declares codes that both versions write alike.
macro_rules! alike {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$row:meta])* $code:ident = $wire:literal),+ $(,)? }) => {
        codes! { $(#[$doc])* pub enum $name { $($(#[$row])* $code = $wire / $wire),+ } }
    };
}

alike! {
    /// What an amount counts (`OBInternalStatementAmountType1Code`).
    pub enum StatementAmountType {
        /// The balance at the end.
        ClosingBalance = "UK.OBIE.ClosingBalance",
        /// The balance at the end of the period before.
        PreviousClosingBalance = "UK.OBIE.PreviousClosingBalance",
        /// Everything that came.
        TotalCredits = "UK.OBIE.TotalCredits",
        /// Everything that went.
        TotalDebits = "UK.OBIE.TotalDebits",
        /// The limit of a card or overdraft.
        CreditLimit = "UK.OBIE.CreditLimit",
        /// What could still be borrowed at the end.
        AvailableBalance = "UK.OBIE.AvailableBalance",
    }
}

alike! {
    /// What a fee is for (`OBInternalStatementFeeType1Code`).
    pub enum StatementFeeType {
        /// All of them.
        Total = "UK.OBIE.Total",
    }
}

alike! {
    /// What interest is for (`OBInternalStatementInterestType1Code`).
    pub enum StatementInterestType {
        /// All of it.
        Total = "UK.OBIE.Total",
    }
}

alike! {
    /// What happens at a moment (`OBInternalStatementDateTimeType1Code`).
    pub enum StatementDateTimeType {
        /// The statement before was made.
        LastStatement = "UK.OBIE.LastStatement",
        /// The next statement is made.
        NextStatement = "UK.OBIE.NextStatement",
        /// The statement can be read.
        StatementAvailable = "UK.OBIE.StatementAvailable",
    }
}

/// Declares a signed amount of a sort.
macro_rules! sorted_amount {
    ($(#[$doc:meta])* $name:ident, $sort:ident) => {
        payload! {
            $(#[$doc])*
            pub struct $name {
                /// Sign of the amount.
                one credit_debit_indicator: CreditDebitIndicator,
                /// What it counts.
                one r#type: Coded<$sort>,
                /// How much.
                one amount: ActiveAmount,
            }
        }

        impl $name {
            /// The signed amount.
            ///
            /// # Errors
            /// The amount has more digits than the wire can carry.
            pub fn new(sort: $sort, money: Money) -> Result<Self, MoneyError> {
                Ok(Self {
                    credit_debit_indicator: CreditDebitIndicator::of(money.minor()),
                    // Both versions write these codes alike.
                    r#type: crate::version::ApiVersion::V4_0.code(sort),
                    amount: ActiveAmount::magnitude_of(money)?,
                })
            }
        }
    };
}

sorted_amount!(
    /// A balance or sum; Detail only.
    StatementAmount,
    StatementAmountType
);
sorted_amount!(
    /// Fees of the period.
    StatementFee,
    StatementFeeType
);
sorted_amount!(
    /// Interest of the period.
    StatementInterest,
    StatementInterestType
);

payload! {
    /// A moment of a sort.
    pub struct StatementDateTime {
        /// When.
        moment date_time,
        /// What happens.
        one r#type: Coded<StatementDateTimeType>,
    }
}

payload! {
    /// A statement.
    pub struct Statement {
        /// The account.
        one account_id: String,
        /// The bank's name for it; at most 40 characters.
        maybe statement_id: String,
        /// Its number for people; at most 35 characters.
        maybe statement_reference: String,
        /// What sort of statement it is.
        one r#type: StatementType,
        /// The first moment of its period.
        moment start_date_time,
        /// The last moment of its period.
        moment end_date_time,
        /// When it was made.
        moment creation_date_time,
        /// In words; at most 500 characters each.
        many statement_description: String,
        /// Fees of the period.
        many statement_fee: StatementFee,
        /// Interest of the period.
        many statement_interest: StatementInterest,
        /// Balances and sums; Detail only.
        many statement_amount: StatementAmount,
        /// Moments that belong to it.
        many statement_date_time: StatementDateTime,
    }
}

impl Statement {
    /// What of it may be shown with these permissions: amounts with Detail only.
    #[must_use]
    pub fn shown(mut self, permissions: PermissionSet) -> Self {
        if !permissions.has(Permission::ReadStatementsDetail) {
            self.statement_amount.clear();
        }
        self
    }
}
