//! Payloads of every kind, in either version.

mod resources;

use openbanking::accounts::{Account, AccountCategory, AccountData, AccountStatus, AccountType};
use openbanking::balances::{Balance, BalanceData, BalanceType, CreditLine, CreditLineType};
use openbanking::code::Code;
use openbanking::consent::*;
use openbanking::error::{ErrorBody, ErrorCode, ErrorDetail};
use openbanking::links::{Envelope, Links, Meta};
use openbanking::money::{ActiveAmount, Currency, Money};
use openbanking::parties::{AccountScheme, Agent, CashAccount};
use openbanking::permissions::{Permission, PermissionSet};
use openbanking::transactions::*;
use openbanking::version::ApiVersion;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

/// A payload and the schema that it should fit.
pub(crate) struct Sample {
    /// Name in `components/schemas`.
    pub(crate) schema: &'static str,
    /// The payload.
    pub(crate) body: Value,
}

const NOW: OffsetDateTime = datetime!(2026-04-05 10:43:07.250 +1);

fn sample(schema: &'static str, body: &impl Serialize) -> Sample {
    Sample { schema, body: serde_json::to_value(body).unwrap() }
}

fn enveloped<D>(data: D) -> Envelope<D> {
    let meta = Meta { total_pages: Some(3), first_available_date_time: Some(NOW), last_available_date_time: Some(NOW) };
    let next = Some("https://bank.example/open-banking/v4.0/aisp/x?page=2".to_owned());
    Envelope::new(data, Links { next, ..Links::to_self("https://bank.example/open-banking/v4.0/aisp/x") }, meta)
}

/// One sample of each payload.
pub(crate) fn all(version: ApiVersion) -> Vec<Sample> {
    let mut all = vec![
        sample("OBReadConsent1", &request()),
        sample("OBReadConsentResponse1", &response(version)),
        sample("OBReadAccount6", &enveloped(accounts(version))),
        sample("OBReadBalance1", &enveloped(balances(version))),
        sample("OBReadTransaction6", &enveloped(transactions(version))),
        sample("OBErrorResponse1", &errors(version)),
    ];
    all.extend(resources::all(version));
    all
}

fn request() -> AccountAccessConsentRequest {
    AccountAccessConsentRequest::new(AccountAccessConsentData {
        permissions: Permission::ALL.to_vec(),
        expiration_date_time: Some(NOW),
        transaction_from_date_time: Some(NOW),
        transaction_to_date_time: Some(NOW),
    })
}

fn response(version: ApiVersion) -> AccountAccessConsentResponse {
    let reason = StatusReason::new(ErrorCode::OtherReason, "Because");
    AccountAccessConsentResponse {
        data: AccountAccessConsentResponseData {
            state: ConsentState {
                status_reason: vec![reason],
                ..ConsentState::new("consent-1", version.code(ConsentStatus::Cancelled), NOW)
            }
            .in_version(version),
            asked: request().data.into(),
        },
        risk: EmptyRisk {},
        links: Some(Links::to_self("https://bank.example/consent-1")),
        meta: Some(Meta::one_page()),
    }
}

fn accounts(version: ApiVersion) -> AccountData {
    let account = AccountType::TABLE.iter().map(|(kind, ..)| {
        let mut account = Account::new(version, "acc-1", AccountCategory::Business, *kind, Currency::GBP);
        account.status = Some(AccountStatus::Enabled);
        account.status_update_date_time = Some(NOW);
        account.opening_date = Some(NOW);
        account.nickname = Some("Bills".to_owned());
        let holder = Some("Ada Example".to_owned());
        account.account = vec![CashAccount::new(AccountScheme::SortCodeAccountNumber, "80200112344562", holder)];
        account.servicer = Some(Agent { name: Some("Hedge Bank".to_owned()), ..Agent::of_bic("HEDGGB2L") });
        account.shown(version, PermissionSet::all())
    });
    AccountData { account: account.collect() }
}

fn balances(version: ApiVersion) -> BalanceData {
    let money = Money::new(-123_456, Currency::GBP);
    let balance = BalanceType::TABLE.iter().map(|(kind, ..)| {
        let mut balance = Balance::new(version, "acc-1", *kind, money, NOW).unwrap();
        balance.credit_line = vec![CreditLine {
            included: true,
            r#type: Some(CreditLineType::PreAgreed),
            amount: Some(ActiveAmount::magnitude_of(money).unwrap()),
        }];
        balance
    });
    BalanceData { balance: balance.collect(), total_value: None }
}

fn transactions(version: ApiVersion) -> TransactionData {
    let money = Money::new(-1_199, Currency::GBP);
    let text = |text: &str| Some(text.to_owned());
    let transaction = TransactionStatus::TABLE.iter().map(|(status, ..)| {
        let plain = Transaction::new(version, "acc-1", *status, NOW, money).unwrap();
        let full = Transaction {
            transaction_id: text("tx-1"),
            transaction_mutability: Some(TransactionMutability::Mutable),
            value_date_time: Some(NOW),
            transaction_information: text("BOOKS AND MORE"),
            bank_transaction_code: Some(BankTransactionCode { code: "CCRD".to_owned(), sub_code: "POSD".to_owned() }),
            proprietary_bank_transaction_code: Some(ProprietaryBankTransactionCode {
                code: "CARD".to_owned(),
                issuer: text("Hedge Bank"),
            }),
            extended_proprietary_bank_transaction_codes: vec![ExtendedProprietaryBankTransactionCode {
                code: "CARD-POS".to_owned(),
                issuer: None,
                description: text("Card in a shop"),
            }],
            currency_exchange: Some(CurrencyExchange {
                source_currency: Currency::EUR,
                target_currency: Some(Currency::GBP),
                unit_currency: None,
                exchange_rate: serde_json::Number::from_f64(0.8525).unwrap(),
                contract_identification: None,
                quotation_date: Some(NOW),
                instructed_amount: Some(ActiveAmount::parse("14", Currency::EUR).unwrap()),
            }),
            balance: Some(TransactionBalance::new(version, BalanceType::InterimBooked, money).unwrap()),
            merchant_details: Some(MerchantDetails {
                merchant_name: text("Books and More"),
                merchant_category_code: text("5942"),
            }),
            creditor_account: Some(CashAccount::new(AccountScheme::Iban, "GB33BUKB20201555555555", text("Books"))),
            debtor_agent: Some(Agent::of_bic("HEDGGB2L")),
            card_instrument: Some(CardInstrument {
                card_scheme_name: "MasterCard".to_owned(),
                authorisation_type: text("PIN"),
                name: text("Ada Example"),
                identification: text("5300123412341234"),
            }),
            ultimate_creditor: Some(UltimateParty { name: text("Parent plc"), ..UltimateParty::default() }),
            intermediary_agent_2: Some(IntermediaryAgent { name: text("Between"), ..IntermediaryAgent::default() }),
            ..plain
        };
        full.shown(version, PermissionSet::all()).unwrap()
    });
    TransactionData { transaction: transaction.collect() }
}

fn errors(version: ApiVersion) -> ErrorBody {
    let detail = |code| ErrorDetail::new(code, "Expected one thing, found another").at("Data.Permissions");
    ErrorBody::new(version, 400, "6ba7b810-9dad-41d1-80b4-00c04fd430c8", detail(ErrorCode::FieldInvalid))
        .and(version, detail(ErrorCode::FieldMissing))
}
