//! What the bank says by itself: products, offers, statements, and who its customers are.

use ledger::{Account, AccountKind, Customer, Offer, OfferKind, Product, Statement};
use openbanking::{
    money::{ActiveAmount, Money, MoneyError},
    offers::{self, OfferType},
    parties::{AddressType, PostalAddress},
    party::{AccountRole, LegalStructure, Party, PartyType, Related, Relationships, telephone},
    products::{self, ProductType, Terms},
    statements::{
        self, StatementAmount, StatementAmountType, StatementDateTime, StatementDateTimeType, StatementFee,
        StatementFeeType, StatementInterest, StatementInterestType, StatementType,
    },
    version::ApiVersion,
};
use time::{Duration, Time};

use super::super::answers::borrows;

/// Hundredths of a percent as the schemas write rates.
fn percent(hundredths: u32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// An amount without its currency, as the schemas of products write it.
fn decimal(money: Money) -> Option<String> {
    ActiveAmount::magnitude_of(money).ok().map(|amount| amount.amount().to_owned())
}

/// The product of an account.
pub(in super::super) fn product(account: &Account, product: &Product) -> products::Product {
    let r#type = match account.kind {
        AccountKind::Current => ProductType::PersonalCurrentAccount,
        AccountKind::BusinessCurrent => ProductType::BusinessCurrentAccount,
        _ => ProductType::Other,
    };
    let rate = |hundredths: u32| (hundredths > 0).then(|| percent(hundredths));
    let terms = Terms {
        name: product.name.clone(),
        description: product.description.clone(),
        paid_percent: rate(product.paid_percent),
        charged_percent: rate(product.charged_percent),
        limit: account.credit_line.and_then(decimal),
        monthly_fee: product.monthly_fee.and_then(decimal),
        borrowing: borrows(account.kind),
    };
    products::Product::new(account.id.as_str(), product.id.as_str(), r#type, &terms)
}

/// An offer.
pub(in super::super) fn offer(account: &Account, offer: &Offer) -> Result<offers::Offer, MoneyError> {
    let amount = |money: Option<Money>| money.map(ActiveAmount::magnitude_of).transpose();
    let r#type = match offer.kind {
        OfferKind::BalanceTransfer => OfferType::BalanceTransfer,
        OfferKind::LimitIncrease => OfferType::LimitIncrease,
        OfferKind::MoneyTransfer => OfferType::MoneyTransfer,
        OfferKind::PromotionalRate => OfferType::PromotionalRate,
        OfferKind::Other => OfferType::Other,
    };
    Ok(offers::Offer {
        account_id: account.id.to_string(),
        offer_id: Some(offer.id.clone()),
        offer_type: Some(r#type),
        description: Some(offer.description.clone()),
        start_date_time: Some(offer.from.with_time(Time::MIDNIGHT).assume_utc()),
        end_date_time: Some(offer.to.with_time(Time::MIDNIGHT).assume_utc() + Duration::DAY - Duration::SECOND),
        rate: offer.rate.map(percent),
        value: None,
        term: offer.terms.clone(),
        url: None,
        amount: amount(offer.amount)?,
        fee: amount(offer.fee)?,
    })
}

/// A statement.
pub(in super::super) fn statement(
    account: &Account,
    id: String,
    statement: &Statement,
) -> Result<statements::Statement, MoneyError> {
    use StatementAmountType as A;
    let month = statement.month;
    let made = month.next().start();
    let mut amounts = vec![
        StatementAmount::new(A::PreviousClosingBalance, statement.opening)?,
        StatementAmount::new(A::ClosingBalance, statement.closing)?,
        StatementAmount::new(A::TotalCredits, statement.credits)?,
        StatementAmount::new(A::TotalDebits, statement.debits.checked_neg()?)?,
    ];
    if let Some(line) = account.credit_line.filter(|_| borrows(account.kind)) {
        amounts.push(StatementAmount::new(A::CreditLimit, line)?);
        amounts.push(StatementAmount::new(A::AvailableBalance, line.checked_add(statement.closing)?)?);
    }
    let charged = |money: Money| (money.minor() != 0).then_some(money);
    let fees = charged(statement.fees).map(|fees| StatementFee::new(StatementFeeType::Total, fees)).transpose()?;
    let interest = charged(statement.interest)
        .map(|interest| StatementInterest::new(StatementInterestType::Total, interest))
        .transpose()?;
    let moment = |sort, date_time| StatementDateTime { date_time, r#type: ApiVersion::V4_0.code(sort) };
    Ok(statements::Statement {
        account_id: account.id.to_string(),
        statement_id: Some(id),
        statement_reference: Some(month.to_string()),
        r#type: StatementType::RegularPeriodic,
        start_date_time: month.start(),
        end_date_time: month.end(),
        creation_date_time: made,
        statement_description: vec![format!("Statement of {month}")],
        statement_fee: fees.into_iter().collect(),
        statement_interest: interest.into_iter().collect(),
        statement_amount: amounts,
        statement_date_time: vec![
            moment(StatementDateTimeType::LastStatement, month.start()),
            moment(StatementDateTimeType::StatementAvailable, made),
            moment(StatementDateTimeType::NextStatement, month.next().next().start()),
        ],
    })
}

fn address(version: ApiVersion, customer: &Customer) -> PostalAddress {
    let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    PostalAddress {
        address_type: Some(version.code(AddressType::Residential)),
        address_line: customer.address.lines.iter().take(5).map(|line| cut(line, 70)).collect(),
        town_name: Some(cut(&customer.address.town, 35)),
        country_sub_division: customer.address.county.as_ref().map(|county| cut(county, 35)),
        post_code: Some(cut(&customer.address.postcode, 16)),
        country: Some(customer.address.country.clone()),
        ..PostalAddress::default()
    }
}

/// A customer as a person.
pub(in super::super) fn person(version: ApiVersion, customer: &Customer) -> Party {
    let legal = format!("{} {}", customer.title, customer.name());
    Party {
        party_id: customer.id.to_string(),
        party_number: None,
        party_type: Some(PartyType::Sole),
        name: Some(customer.name()),
        full_legal_name: Some(legal.trim().to_owned()),
        legal_structure: Some(version.code(LegalStructure::Individual)),
        beneficial_ownership: None,
        account_role: None,
        email_address: Some(customer.email.clone()).filter(|email| !email.is_empty()),
        phone: telephone(&customer.phone),
        mobile: None,
        relationships: None,
        address: vec![address(version, customer)],
    }
}

/// A customer as an owner of the account at that URL.
pub(in super::super) fn owner(version: ApiVersion, account: &Account, customer: &Customer, url: &str) -> Party {
    let (joint, business) = (account.holders.len() > 1, account.kind.is_business());
    let first = account.holders.first() == Some(&customer.id);
    let person = person(version, customer);
    Party {
        party_type: Some(if joint { PartyType::Joint } else { PartyType::Sole }),
        name: if business { Some(account.holder_name.clone()) } else { person.name },
        legal_structure: if business { Some(version.code(LegalStructure::Sole)) } else { person.legal_structure },
        beneficial_ownership: Some(true),
        account_role: Some(version.code(if first { AccountRole::Principal } else { AccountRole::SecondaryOwner })),
        relationships: Some(Relationships {
            account: Some(Related { related: url.to_owned(), id: account.id.to_string() }),
        }),
        ..person
    }
}
