//! Resources of accounts, beside balances and transactions.

use super::{NOW, Sample, enveloped, sample};
use openbanking::beneficiaries::{Beneficiary, BeneficiaryData, BeneficiaryType};
use openbanking::code::Code;
use openbanking::direct_debits::{DirectDebit, DirectDebitData};
use openbanking::mandates::{MandateClassification, MandateFrequency, MandateStatus, MandateTiming};
use openbanking::money::{ActiveAmount, Currency, Money};
use openbanking::offers::{Offer, OfferData, OfferType};
use openbanking::parties::{AccountScheme, AddressType, CashAccount, PostalAddress};
use openbanking::party::{
    AccountRole, LegalStructure, PartiesData, Party, PartyData, PartyType, Related, Relationships,
};
use openbanking::permissions::PermissionSet;
use openbanking::products::{self, Product, ProductData, ProductType};
use openbanking::scheduled_payments::{ScheduledPayment, ScheduledPaymentData, ScheduledType};
use openbanking::standing_orders::{StandingOrder, StandingOrderData, Terms};
use openbanking::statements::*;
use openbanking::version::ApiVersion;

fn pounds(minor: i64) -> ActiveAmount {
    ActiveAmount::magnitude_of(Money::new(minor, Currency::GBP)).unwrap()
}

fn payee() -> Option<CashAccount> {
    Some(CashAccount::new(AccountScheme::SortCodeAccountNumber, "80200112344562", Some("Ada Example".to_owned())))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// One sample of each.
pub(super) fn all(version: ApiVersion) -> Vec<Sample> {
    let party = party(version);
    vec![
        sample("OBReadBeneficiary5", &enveloped(beneficiaries(version))),
        sample("OBReadDirectDebit2", &enveloped(direct_debits(version))),
        sample("OBReadStandingOrder6", &enveloped(standing_orders(version))),
        sample("OBReadScheduledPayment3", &enveloped(scheduled_payments(version))),
        sample("OBReadProduct2", &enveloped(products())),
        sample("OBReadOffer1", &enveloped(offers())),
        sample("OBReadParty2", &enveloped(PartyData { party: party.clone() })),
        sample("OBReadParty3", &enveloped(PartiesData { party: vec![party] })),
        sample("OBReadStatement2", &enveloped(statements(version))),
    ]
}

fn beneficiaries(version: ApiVersion) -> BeneficiaryData {
    let one = |beneficiary_type| Beneficiary {
        account_id: "acc-1".to_owned(),
        beneficiary_id: text("ben-1"),
        beneficiary_type: Some(beneficiary_type),
        reference: text("DINNER"),
        creditor_agent: None,
        creditor_account: payee(),
    };
    let all = [BeneficiaryType::Trusted, BeneficiaryType::Ordinary].map(one);
    BeneficiaryData { beneficiary: all.map(|one| one.shown(version, PermissionSet::all())).to_vec() }
}

fn direct_debits(version: ApiVersion) -> DirectDebitData {
    let all = MandateStatus::TABLE.iter().flat_map(|(status, ..)| {
        MandateFrequency::TABLE.iter().map(move |(frequency, ..)| {
            let mut one = DirectDebit::new(version, "acc-1", "Tidewheel Energy", "TW-1", *status, *frequency);
            one.direct_debit_id = text("dd-1");
            one.previous_payment_date_time = Some(NOW);
            one.previous_payment_amount = Some(pounds(6_250));
            one
        })
    });
    DirectDebitData { direct_debit: all.collect() }
}

fn standing_orders(version: ApiVersion) -> StandingOrderData {
    let all = (1..=31).map(|day| {
        let terms = Terms {
            frequency: format!("IntrvlMnthDay:01:{day:02}"),
            timing: MandateTiming {
                r#type: "MNTH".to_owned(),
                count_per_period: None,
                point_in_time: Some(format!("{day:02}")),
            },
            first: NOW,
            last: Some(NOW),
            reference: text("RENT"),
            classification: MandateClassification::Fixed,
            status: MandateStatus::Active,
        };
        let mut one = StandingOrder::new(version, "acc-1", terms);
        one.standing_order_id = text("so-1");
        (one.next_payment_date_time, one.last_payment_date_time) = (Some(NOW), Some(NOW));
        (one.next_payment_amount, one.last_payment_amount) = (Some(pounds(95_000)), Some(pounds(95_000)));
        one.creditor_account = payee();
        one.shown(version, PermissionSet::all())
    });
    StandingOrderData { standing_order: all.collect() }
}

fn scheduled_payments(version: ApiVersion) -> ScheduledPaymentData {
    let one = ScheduledPayment {
        account_id: "acc-1".to_owned(),
        scheduled_payment_id: text("sp-1"),
        scheduled_payment_date_time: NOW,
        scheduled_type: ScheduledType::Execution,
        reference: text("INV 1"),
        debtor_reference: text("Dentist"),
        instructed_amount: pounds(14_500),
        creditor_agent: None,
        creditor_account: payee(),
    };
    ScheduledPaymentData { scheduled_payment: vec![one.shown(version, PermissionSet::all())] }
}

fn products() -> ProductData {
    let types = [ProductType::PersonalCurrentAccount, ProductType::BusinessCurrentAccount, ProductType::Other];
    let all = types.into_iter().flat_map(|r#type| {
        [true, false].map(|borrowing| {
            let terms = products::Terms {
                name: "Everyday".to_owned(),
                description: "An account".to_owned(),
                paid_percent: text("1.25"),
                charged_percent: text("19.90"),
                limit: text("500.00"),
                monthly_fee: text("8.50"),
                borrowing,
            };
            Product::new("acc-1", "prod-1", r#type, &terms)
        })
    });
    ProductData { product: all.collect() }
}

fn offers() -> OfferData {
    let types = [
        OfferType::BalanceTransfer,
        OfferType::LimitIncrease,
        OfferType::MoneyTransfer,
        OfferType::Other,
        OfferType::PromotionalRate,
    ];
    let all = types.map(|r#type| Offer {
        account_id: "acc-1".to_owned(),
        offer_id: text("offer-1"),
        offer_type: Some(r#type),
        description: text("Something better"),
        start_date_time: Some(NOW),
        end_date_time: Some(NOW),
        rate: text("4.10"),
        value: Some(500),
        term: text("While it lasts"),
        url: text("https://bank.example/offers"),
        amount: Some(pounds(100_000)),
        fee: Some(pounds(2_500)),
    });
    OfferData { offer: all.to_vec() }
}

fn party(version: ApiVersion) -> Party {
    Party {
        party_id: "party-1".to_owned(),
        party_number: text("4711"),
        party_type: Some(PartyType::Joint),
        name: text("Ada Example"),
        full_legal_name: text("Dr Ada Example"),
        legal_structure: Some(version.code(LegalStructure::Individual)),
        beneficial_ownership: Some(true),
        account_role: Some(version.code(AccountRole::Principal)),
        email_address: text("ada@example.com"),
        phone: openbanking::party::telephone("+44 7700 900101"),
        mobile: None,
        relationships: Some(Relationships {
            account: Some(Related {
                related: "https://bank.example/accounts/acc-1".to_owned(),
                id: "acc-1".to_owned(),
            }),
        }),
        address: vec![PostalAddress {
            address_type: Some(version.code(AddressType::Residential)),
            address_line: vec!["8 Quarry Steps".to_owned()],
            town_name: text("Oxley Tarn"),
            post_code: text("ZZ45 6CD"),
            country: text("GB"),
            ..PostalAddress::default()
        }],
    }
}

fn statements(version: ApiVersion) -> StatementData {
    let money = Money::new(-123_456, Currency::GBP);
    let moments = StatementDateTimeType::TABLE.iter();
    let one = Statement {
        account_id: "acc-1".to_owned(),
        statement_id: text("2026-10.acc-1"),
        statement_reference: text("2026-10"),
        r#type: StatementType::RegularPeriodic,
        start_date_time: NOW,
        end_date_time: NOW,
        creation_date_time: NOW,
        statement_description: vec!["Statement of 2026-10".to_owned()],
        statement_fee: vec![StatementFee::new(StatementFeeType::Total, money).unwrap()],
        statement_interest: vec![StatementInterest::new(StatementInterestType::Total, money).unwrap()],
        statement_amount: StatementAmountType::TABLE
            .iter()
            .map(|(r#type, ..)| StatementAmount::new(*r#type, money).unwrap())
            .collect(),
        statement_date_time: moments
            .map(|(r#type, ..)| StatementDateTime { date_time: NOW, r#type: version.code(*r#type) })
            .collect(),
    };
    StatementData { statement: vec![one.shown(PermissionSet::all())] }
}
