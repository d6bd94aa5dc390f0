//! States of orders: one table with the names of each family and version.

use crate::code::codes;
use crate::version::ApiVersion;
use serde::{Deserialize, Serialize};

/// Which orders share their statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StatusFamily {
    /// Immediate payments.
    Immediate,
    /// Scheduled payments.
    Scheduled,
    /// Standing orders.
    StandingOrder,
    /// Files.
    File,
    /// Variable recurring payments.
    Vrp,
}

/// State of an order (`ExternalPaymentTransactionStatus1Code`), as v4.0 has them; v3.1 tells fewer apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PaymentStatus {
    /// RCVD.
    Received,
    /// PDNG.
    Pending,
    /// ACTC: technically valid.
    TechnicallyValid,
    /// PATC: more people must authorise it.
    PartiallyAuthorised,
    /// ACCP: the customer's profile was checked.
    ProfileChecked,
    /// ACFC: the funds are there.
    FundsChecked,
    /// ACSP: settlement has begun.
    SettlementInProcess,
    /// ACWC: accepted with a change, such as another date.
    AcceptedWithChange,
    /// ACSC: debited.
    SettlementCompleted,
    /// ACWP: with the payee's bank, and not yet posted there.
    AcceptedWithoutPosting,
    /// ACCC: credited to the payee.
    CreditSettlementCompleted,
    /// BLCK: neither posted nor sent back.
    Blocked,
    /// RJCT.
    Rejected,
    /// CANC.
    Cancelled,
    /// INFA.
    InitiationFailed,
    /// INCO.
    InitiationCompleted,
}

/// Status; its code in v4.0; its name in v3.1 as an immediate payment, as anything else, and in payment-details.
type Row = (PaymentStatus, &'static str, &'static str, &'static str, &'static str);

const TABLE: &[Row] = {
    use PaymentStatus as S;
    const PENDING: &str = "Pending";
    const REJECTED: &str = "Rejected";
    const IN_PROCESS: &str = "AcceptedSettlementInProcess";
    const WITHOUT_POSTING: &str = "AcceptedWithoutPosting";
    const WAITS: &str = "InitiationPending";
    const DONE: &str = "InitiationCompleted";
    const FAILED: &str = "InitiationFailed";
    &[
        (S::Received, "RCVD", PENDING, WAITS, "Received"),
        (S::Pending, "PDNG", PENDING, WAITS, PENDING),
        (S::TechnicallyValid, "ACTC", PENDING, WAITS, "AcceptedTechnicalValidation"),
        (S::PartiallyAuthorised, "PATC", PENDING, WAITS, "PartiallyAcceptedTechnicalCorrect"),
        (S::ProfileChecked, "ACCP", PENDING, WAITS, "AcceptedCustomerProfile"),
        (S::FundsChecked, "ACFC", PENDING, WAITS, "AcceptedFundsChecked"),
        (S::SettlementInProcess, "ACSP", IN_PROCESS, DONE, IN_PROCESS),
        (S::AcceptedWithChange, "ACWC", IN_PROCESS, DONE, "AcceptedWithChange"),
        (S::SettlementCompleted, "ACSC", "AcceptedSettlementCompleted", DONE, "AcceptedSettlementCompleted"),
        (S::AcceptedWithoutPosting, "ACWP", WITHOUT_POSTING, DONE, WITHOUT_POSTING),
        (
            S::CreditSettlementCompleted,
            "ACCC",
            "AcceptedCreditSettlementCompleted",
            DONE,
            "AcceptedCreditSettlementCompleted",
        ),
        (S::Blocked, "BLCK", WITHOUT_POSTING, DONE, WITHOUT_POSTING),
        (S::Rejected, "RJCT", REJECTED, FAILED, REJECTED),
        (S::Cancelled, "CANC", REJECTED, "Cancelled", "Cancelled"),
        (S::InitiationFailed, "INFA", REJECTED, FAILED, REJECTED),
        (S::InitiationCompleted, "INCO", "AcceptedSettlementCompleted", DONE, "Accepted"),
    ]
};

impl StatusFamily {
    /// The states that orders of the family may tell in v4.0.1 (`ExternalPaymentTransactionStatus1Code` to `5Code`).
    pub fn statuses(self) -> impl Iterator<Item = PaymentStatus> {
        use PaymentStatus as S;
        TABLE.iter().map(|row| row.0).filter(move |status| match self {
            Self::StandingOrder => true,
            Self::File => matches!(status, S::Pending | S::InitiationFailed | S::InitiationCompleted),
            Self::Scheduled => !matches!(status, S::InitiationFailed | S::InitiationCompleted),
            Self::Immediate => !matches!(status, S::Cancelled | S::InitiationFailed | S::InitiationCompleted),
            Self::Vrp => {
                !matches!(status, S::PartiallyAuthorised | S::Cancelled | S::InitiationFailed | S::InitiationCompleted)
            }
        })
    }

    /// The state of that family that is nearest: what it has no code of its own for.
    fn nearest(self, status: PaymentStatus) -> PaymentStatus {
        use PaymentStatus as S;
        if self.statuses().any(|known| known == status) {
            return status;
        }
        match (self, status) {
            (Self::File, S::Rejected | S::Cancelled | S::Blocked) => S::InitiationFailed,
            (
                Self::File,
                S::SettlementInProcess
                | S::AcceptedWithChange
                | S::SettlementCompleted
                | S::AcceptedWithoutPosting
                | S::CreditSettlementCompleted,
            ) => S::InitiationCompleted,
            (_, S::Cancelled | S::InitiationFailed) => S::Rejected,
            (_, S::InitiationCompleted) => S::SettlementCompleted,
            _ => S::Pending,
        }
    }
}

impl PaymentStatus {
    fn row(self) -> &'static Row {
        // The table is in the order of the states, as a test makes sure.
        &TABLE[self as usize]
    }

    /// Its name as an order of that family tells it in that version: the nearest that there is.
    pub fn wire(self, family: StatusFamily, version: ApiVersion) -> &'static str {
        match (version, family) {
            (ApiVersion::V4_0, _) => family.nearest(self).row().1,
            (ApiVersion::V3_1, StatusFamily::Immediate | StatusFamily::Vrp) => self.row().2,
            (ApiVersion::V3_1, StatusFamily::File) if self == Self::Cancelled => "InitiationFailed",
            (ApiVersion::V3_1, _) => self.row().3,
        }
    }

    /// Its name in payment-details.
    pub fn in_details(self, version: ApiVersion) -> &'static str {
        match version {
            ApiVersion::V3_1 => self.row().4,
            ApiVersion::V4_0 => self.row().1,
        }
    }

    /// The state of that name, in whichever version and family. Where v3.1 tells several states alike, the one that
    /// bears the name.
    pub fn from_wire(name: &str) -> Option<Self> {
        match name {
            "InitiationPending" => Some(Self::Pending),
            "InitiationCompleted" => Some(Self::InitiationCompleted),
            "InitiationFailed" => Some(Self::InitiationFailed),
            _ => TABLE.iter().find(|row| row.1 == name || row.4 == name).map(|row| row.0),
        }
    }
}

codes! {
    /// How far a payment that several people must authorise has come.
    #[derive(Serialize, Deserialize)]
    pub enum MultiAuthorisationStatus {
        /// Some have not answered.
        AwaitingFurtherAuthorisation = "AwaitingFurtherAuthorisation" / "AWAF",
        /// All said yes.
        Authorised = "Authorised" / "AUTH",
        /// One said no.
        Rejected = "Rejected" / "RJCT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAMILIES: [StatusFamily; 5] = [
        StatusFamily::Immediate,
        StatusFamily::Scheduled,
        StatusFamily::StandingOrder,
        StatusFamily::File,
        StatusFamily::Vrp,
    ];

    #[test]
    fn the_table_is_in_the_order_of_the_states() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, index);
            assert_eq!(PaymentStatus::from_wire(row.1), Some(row.0));
        }
        assert_eq!(PaymentStatus::from_wire("Sleeping"), None);
    }

    #[test]
    fn each_family_tells_its_own() {
        let codes = |family: StatusFamily| {
            family.statuses().map(|status| status.wire(family, ApiVersion::V4_0)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(codes(StatusFamily::File), "PDNG INFA INCO");
        assert_eq!(codes(StatusFamily::Immediate), "RCVD PDNG ACTC PATC ACCP ACFC ACSP ACWC ACSC ACWP ACCC BLCK RJCT");
        assert_eq!(codes(StatusFamily::Vrp), codes(StatusFamily::Immediate).replace(" PATC", ""));
        assert_eq!(codes(StatusFamily::Scheduled), codes(StatusFamily::Immediate) + " CANC");
        assert_eq!(codes(StatusFamily::StandingOrder), codes(StatusFamily::Scheduled) + " INFA INCO");
        for family in FAMILIES {
            for row in TABLE {
                let code = row.0.wire(family, ApiVersion::V4_0);
                assert!(codes(family).contains(code), "{family:?} {code}");
            }
        }
    }

    #[test]
    fn v3_tells_families_apart() {
        use PaymentStatus as S;
        let v3 = |status: S, family| status.wire(family, ApiVersion::V3_1);
        assert_eq!(v3(S::FundsChecked, StatusFamily::Immediate), "Pending");
        assert_eq!(v3(S::FundsChecked, StatusFamily::Scheduled), "InitiationPending");
        assert_eq!(v3(S::SettlementCompleted, StatusFamily::Vrp), "AcceptedSettlementCompleted");
        assert_eq!(v3(S::Cancelled, StatusFamily::StandingOrder), "Cancelled");
        assert_eq!(v3(S::Cancelled, StatusFamily::File), "InitiationFailed");
        assert_eq!(S::Received.in_details(ApiVersion::V3_1), "Received");
        assert_eq!(S::Received.in_details(ApiVersion::V4_0), "RCVD");
    }
}
