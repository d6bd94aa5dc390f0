//! The kinds of payments: one table.

use super::schema::{self, AUTHORISATION, DOMESTIC_AUTHORISATION, PERMISSION, READ_REFUND_ACCOUNT, RISK};
use super::status::StatusFamily;
use crate::reading::{Form, Member};
use serde::{Deserialize, Serialize};

/// A kind of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PaymentKind {
    /// Now, in this country.
    Domestic,
    /// Later, in this country.
    DomesticScheduled,
    /// Again and again, in this country.
    DomesticStandingOrder,
    /// Now, abroad or in another currency.
    International,
    /// Later, abroad.
    InternationalScheduled,
    /// Again and again, abroad.
    InternationalStandingOrder,
    /// Many at once.
    File,
}

/// When the money of a payment moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timing {
    /// When it is ordered.
    Immediate,
    /// On a day that it names.
    Scheduled,
    /// On many days.
    Recurring,
    /// As the file says.
    File,
}

/// What is particular about a kind.
struct Row {
    kind: PaymentKind,
    consent_path: &'static str,
    order_path: &'static str,
    order_id: &'static str,
    timing: Timing,
    international: bool,
    funds_confirmation: bool,
    statuses: StatusFamily,
    initiation: &'static [Member],
    consent: &'static [Member],
    order: &'static [Member],
}

const fn initiation(members: &'static [Member]) -> Member {
    Member::required("Initiation", Form::Object(members))
}

const fn data(members: &'static [Member]) -> [Member; 2] {
    [Member::required("Data", Form::Object(members)), RISK]
}

/// `Data` of a consent whose money moves at once.
const fn immediate(members: &'static [Member], authorisation: Member) -> [Member; 4] {
    [READ_REFUND_ACCOUNT, initiation(members), authorisation, schema::SCA_SUPPORT_DATA]
}

/// `Data` of a consent whose money moves later.
const fn later(members: &'static [Member], authorisation: Member) -> [Member; 5] {
    [PERMISSION, READ_REFUND_ACCOUNT, initiation(members), authorisation, schema::SCA_SUPPORT_DATA]
}

/// `Data` of an order.
const fn order(members: &'static [Member]) -> [Member; 2] {
    [schema::CONSENT_ID, initiation(members)]
}

static TABLE: [Row; 7] = [
    Row {
        kind: PaymentKind::Domestic,
        consent_path: "domestic-payment-consents",
        order_path: "domestic-payments",
        order_id: "DomesticPaymentId",
        timing: Timing::Immediate,
        international: false,
        funds_confirmation: true,
        statuses: StatusFamily::Immediate,
        initiation: schema::DOMESTIC,
        consent: &data(&immediate(schema::DOMESTIC, DOMESTIC_AUTHORISATION)),
        order: &data(&order(schema::DOMESTIC)),
    },
    Row {
        kind: PaymentKind::DomesticScheduled,
        consent_path: "domestic-scheduled-payment-consents",
        order_path: "domestic-scheduled-payments",
        order_id: "DomesticScheduledPaymentId",
        timing: Timing::Scheduled,
        international: false,
        funds_confirmation: false,
        statuses: StatusFamily::Scheduled,
        initiation: schema::DOMESTIC_SCHEDULED,
        consent: &data(&later(schema::DOMESTIC_SCHEDULED, DOMESTIC_AUTHORISATION)),
        order: &data(&order(schema::DOMESTIC_SCHEDULED)),
    },
    Row {
        kind: PaymentKind::DomesticStandingOrder,
        consent_path: "domestic-standing-order-consents",
        order_path: "domestic-standing-orders",
        order_id: "DomesticStandingOrderId",
        timing: Timing::Recurring,
        international: false,
        funds_confirmation: false,
        statuses: StatusFamily::StandingOrder,
        initiation: schema::DOMESTIC_STANDING_ORDER,
        consent: &data(&later(schema::DOMESTIC_STANDING_ORDER, DOMESTIC_AUTHORISATION)),
        order: &data(&order(schema::DOMESTIC_STANDING_ORDER)),
    },
    Row {
        kind: PaymentKind::International,
        consent_path: "international-payment-consents",
        order_path: "international-payments",
        order_id: "InternationalPaymentId",
        timing: Timing::Immediate,
        international: true,
        funds_confirmation: true,
        statuses: StatusFamily::Immediate,
        initiation: schema::INTERNATIONAL,
        consent: &data(&immediate(schema::INTERNATIONAL, AUTHORISATION)),
        order: &data(&order(schema::INTERNATIONAL)),
    },
    Row {
        kind: PaymentKind::InternationalScheduled,
        consent_path: "international-scheduled-payment-consents",
        order_path: "international-scheduled-payments",
        order_id: "InternationalScheduledPaymentId",
        timing: Timing::Scheduled,
        international: true,
        funds_confirmation: true,
        statuses: StatusFamily::Scheduled,
        initiation: schema::INTERNATIONAL_SCHEDULED,
        consent: &data(&later(schema::INTERNATIONAL_SCHEDULED, AUTHORISATION)),
        order: &data(&order(schema::INTERNATIONAL_SCHEDULED)),
    },
    Row {
        kind: PaymentKind::InternationalStandingOrder,
        consent_path: "international-standing-order-consents",
        order_path: "international-standing-orders",
        order_id: "InternationalStandingOrderId",
        timing: Timing::Recurring,
        international: true,
        funds_confirmation: false,
        statuses: StatusFamily::StandingOrder,
        initiation: schema::INTERNATIONAL_STANDING_ORDER,
        consent: &data(&later(schema::INTERNATIONAL_STANDING_ORDER, AUTHORISATION)),
        order: &data(&order(schema::INTERNATIONAL_STANDING_ORDER)),
    },
    Row {
        kind: PaymentKind::File,
        consent_path: "file-payment-consents",
        order_path: "file-payments",
        order_id: "FilePaymentId",
        timing: Timing::File,
        international: false,
        funds_confirmation: false,
        statuses: StatusFamily::File,
        initiation: schema::FILE,
        consent: &[Member::required(
            "Data",
            Form::Object(&[initiation(schema::FILE), AUTHORISATION, schema::SCA_SUPPORT_DATA]),
        )],
        order: &[Member::required("Data", Form::Object(&order(schema::FILE)))],
    },
];

impl PaymentKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Domestic,
        Self::DomesticScheduled,
        Self::DomesticStandingOrder,
        Self::International,
        Self::InternationalScheduled,
        Self::InternationalStandingOrder,
        Self::File,
    ];

    fn row(self) -> &'static Row {
        // The table is in the order of the kinds, as a test makes sure.
        &TABLE[self as usize]
    }

    /// Path of its consents, such as `domestic-payment-consents`.
    pub fn consent_path(self) -> &'static str {
        self.row().consent_path
    }

    /// Path of its orders, such as `domestic-payments`.
    pub fn order_path(self) -> &'static str {
        self.row().order_path
    }

    /// The kind whose consents or orders are at that path.
    pub fn at_path(path: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.consent_path == path || row.order_path == path).map(|row| row.kind)
    }

    /// Name of the member with the order's identifier, such as `DomesticPaymentId`.
    pub fn order_id_member(self) -> &'static str {
        self.row().order_id
    }

    /// When its money moves.
    pub fn timing(self) -> Timing {
        self.row().timing
    }

    /// Whether money may go abroad, in another currency.
    pub fn is_international(self) -> bool {
        self.row().international
    }

    /// Whether its consents carry `Permission`.
    pub fn has_permission(self) -> bool {
        matches!(self.row().timing, Timing::Scheduled | Timing::Recurring)
    }

    /// Whether its bodies carry `Risk`.
    pub fn has_risk(self) -> bool {
        self.row().timing != Timing::File
    }

    /// Whether its consents have a `funds-confirmation`.
    pub fn has_funds_confirmation(self) -> bool {
        self.row().funds_confirmation
    }

    /// Whether its answers tell when the payment is expected to be executed and settled.
    pub fn has_expected_dates(self) -> bool {
        matches!(self.row().timing, Timing::Immediate | Timing::Scheduled)
    }

    /// Whether its answers tell an exchange rate.
    pub fn has_exchange_rate(self) -> bool {
        self.row().international && self.has_expected_dates()
    }

    /// The statuses that its orders go through.
    pub fn status_family(self) -> StatusFamily {
        self.row().statuses
    }

    /// Whether its `Initiation` must have that member, in both versions.
    pub(crate) fn demands(self, name: &str) -> bool {
        self.row().initiation.iter().any(|member| member.name == name && member.required && member.only.is_none())
    }

    /// The schema of the body that lodges a consent.
    pub(crate) fn consent_form(self) -> Form {
        Form::Object(self.row().consent)
    }

    /// The schema of the body that orders.
    pub(crate) fn order_form(self) -> Form {
        Form::Object(self.row().order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (index, kind) in PaymentKind::ALL.into_iter().enumerate() {
            assert_eq!((TABLE[index].kind, kind as usize), (kind, index));
            assert_eq!(PaymentKind::at_path(kind.consent_path()), Some(kind));
            assert_eq!(PaymentKind::at_path(kind.order_path()), Some(kind));
        }
        assert_eq!(PaymentKind::at_path("payments"), None);
    }

    #[test]
    fn what_is_particular_follows_from_the_row() {
        use PaymentKind as K;
        let having = |test: fn(K) -> bool| K::ALL.into_iter().filter(|kind| test(*kind)).collect::<Vec<_>>();
        assert_eq!(
            having(K::has_permission),
            [K::DomesticScheduled, K::DomesticStandingOrder, K::InternationalScheduled, K::InternationalStandingOrder]
        );
        assert_eq!(having(|kind| !kind.has_risk()), [K::File]);
        assert_eq!(having(K::has_funds_confirmation), [K::Domestic, K::International, K::InternationalScheduled]);
        assert_eq!(having(K::has_exchange_rate), [K::International, K::InternationalScheduled]);
    }
}
