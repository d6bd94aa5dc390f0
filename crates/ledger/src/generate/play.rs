//! Plays the events in the order of time and writes them into the books.

use super::life::Life;
use super::plan::{Act, Event, Outside};
use super::{GenerateError, Window};
use crate::dice::Dice;
use crate::personas::Interest;
use crate::{
    AccountKind, AccountStatus, Books, Contra, Counterparty, Details, Entry, EntryId, Exchange, Kind, Merchant,
    Posting, Rate, Status, TransactionId,
};
use openbanking::money::{Currency, Money};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// Plays events on books.
pub(super) struct Player<'a> {
    pub(super) life: &'a Life,
    pub(super) books: &'a mut Books,
    /// Where identifiers come from.
    pub(super) ids: Dice,
    /// What is booked before it is booked, anything else is pending.
    pub(super) end: OffsetDateTime,
    /// How long before it is needed help is fetched.
    pub(super) ahead: Duration,
    /// This month's rates; the months come in order.
    pub(super) rates: HashMap<(String, i32, u8), Rate>,
}

pub(super) fn play(books: &mut Books, life: &Life, events: Vec<Event>, window: Window) -> Result<(), GenerateError> {
    let (ids, end) = (Dice::new(life.seed, &["transactions"]), window.end());
    let mut player = Player { life, books, ids, end, ahead: Duration::MINUTE, rates: HashMap::new() };
    for desk in 0..life.desks.len() {
        player.open(desk)?;
    }
    for event in events {
        player.event(event)?;
    }
    Ok(())
}

impl Player<'_> {
    fn details(&mut self, kind: Kind, description: impl Into<String>) -> Details {
        Details::new(TransactionId::new(self.ids.identifier(24)), kind, description)
    }

    fn post(
        &mut self,
        made_at: OffsetDateTime,
        booked_at: OffsetDateTime,
        postings: Vec<Posting>,
    ) -> Result<(), GenerateError> {
        let id = EntryId::new(self.ids.identifier(24));
        let status = if booked_at < self.end { Status::Booked } else { Status::Pending };
        Ok(self.books.post(Entry { id, made_at, booked_at, value_at: booked_at, status, postings })?)
    }

    /// One line on the account and its mirror on the bank's side.
    fn against(
        &mut self,
        desk: usize,
        minor: i64,
        contra: Contra,
        times: (OffsetDateTime, OffsetDateTime),
        details: Details,
    ) -> Result<(), GenerateError> {
        let currency = self.life.desks[desk].currency;
        let postings = vec![
            Posting::on(self.life.desks[desk].id.clone(), Money::new(minor, currency), details),
            Posting::against(contra, Money::new(-minor, currency)),
        ];
        self.post(times.0, times.1, postings)
    }

    /// What the account holds once everything that was made so far is booked.
    fn held(&self, desk: usize) -> i64 {
        self.books.in_the_end(&self.life.desks[desk].id)
    }

    fn open(&mut self, desk: usize) -> Result<(), GenerateError> {
        let (opening, from) = (self.life.desks[desk].opening, self.life.desks[desk].from);
        if opening == 0 {
            return Ok(());
        }
        let details = self.details(Kind::OpeningBalance, "OPENING BALANCE");
        self.against(desk, opening, Contra::Opening, (from, from), details)
    }

    pub(super) fn event(&mut self, event: Event) -> Result<(), GenerateError> {
        let Event { made_at, booked_at, desk, act } = event;
        match act {
            Act::Outside(outside) => self.outside(desk, made_at, booked_at, outside),
            Act::Move { to, minor, reference } => {
                // Nobody borrows in order to move money between accounts.
                if made_at >= self.life.desks[to].from && self.affords(desk, minor, true, made_at)? {
                    self.transfer(desk, to, minor, made_at, Kind::Transfer, reference.as_deref())?;
                }
                Ok(())
            }
            Act::Repay { card, percent } => {
                // What the holder's statement shows: purchases that are still pending come next time.
                let owed = -self.books.balances(&self.life.desks[card].id, made_at)?.booked.minor();
                let minor = owed * i64::from(percent) / 100;
                if minor > 0 && self.affords(desk, minor, false, made_at)? {
                    self.transfer(desk, card, minor, made_at, Kind::CardRepayment, None)?;
                }
                Ok(())
            }
            Act::Interest(interest) => self.interest(desk, made_at, &interest),
        }
    }

    /// Whether the account has the money. What must be paid may use the credit line and fetches help before; what is
    /// optional leaves a current account above zero and above the floor that its holder keeps.
    fn affords(&mut self, desk: usize, minor: i64, optional: bool, at: OffsetDateTime) -> Result<bool, GenerateError> {
        let line = self.life.desks[desk].line;
        let card = self.life.desks[desk].kind == AccountKind::CreditCard;
        if let Some((helper, top_up)) = &self.life.help[desk] {
            let floor = top_up.floor.hundredths();
            let enough = self.held(*helper) >= top_up.amount.hundredths() && at >= self.life.desks[*helper].from;
            if !optional && enough && self.held(desk) - minor < floor {
                self.transfer(*helper, desk, top_up.amount.hundredths(), at - self.ahead, Kind::Transfer, None)?;
            }
        }
        let floor = self.life.help[desk].as_ref().map_or(0, |(_, top_up)| top_up.floor.hundredths().max(0));
        let least = if optional && !card { floor } else { -line };
        Ok(self.held(desk) - minor >= least)
    }

    fn outside(
        &mut self,
        desk: usize,
        made_at: OffsetDateTime,
        booked_at: OffsetDateTime,
        outside: Outside,
    ) -> Result<(), GenerateError> {
        let currency = self.life.desks[desk].currency;
        let instructed = outside.currency.unwrap_or(currency);
        let (minor, rate) = self.convert(outside.minor, instructed, currency, made_at)?;
        if minor == 0 || (minor < 0 && !self.affords(desk, -minor, outside.optional, made_at)?) {
            return Ok(());
        }
        let name = outside.name.to_uppercase();
        let description = match (&outside.reference, outside.kind) {
            (_, Kind::CashWithdrawal) => format!("CASH {name}"),
            (_, Kind::Refund) => format!("REFUND {name}"),
            (Some(reference), _) => format!("{name} {reference}"),
            (None, _) => name,
        };
        let mut details = self.details(outside.kind, description);
        if matches!(outside.kind, Kind::CardPurchase | Kind::Refund | Kind::CashWithdrawal) {
            details.card = Some(self.life.desks[desk].card.clone());
        }
        match outside.category {
            Some(category_code) => details.merchant = Some(Merchant { name: outside.name, category_code }),
            None if matches!(outside.kind, Kind::CashWithdrawal | Kind::Fee) => {}
            None => details.counterparty = Some(Counterparty { name: outside.name, account: outside.account }),
        }
        details.reference = outside.reference;
        details.exchange = rate.map(|rate| Exchange {
            instructed: Money::new(outside.minor.abs(), instructed),
            source: instructed,
            target: currency,
            rate,
        });
        self.against(desk, minor, outside.contra, (made_at, booked_at), details)
    }

    fn interest(&mut self, desk: usize, at: OffsetDateTime, interest: &Interest) -> Result<(), GenerateError> {
        let held = self.held(desk);
        let percent = if held < 0 { interest.charged_percent } else { interest.paid_percent };
        // Hundredths of a percent a year, a twelfth of it each month.
        let minor = i128::from(held) * i128::from(percent.hundredths()) / 120_000;
        let minor = i64::try_from(minor).unwrap_or(0);
        if minor == 0
            || (minor < 0
                && held + minor < -self.life.desks[desk].line
                && self.life.desks[desk].kind != AccountKind::Loan)
        {
            return Ok(());
        }
        let details = self.details(Kind::Interest, if minor < 0 { "INTEREST CHARGED" } else { "INTEREST PAID" });
        self.against(desk, minor, Contra::Earnings, (at, at), details)
    }

    /// Moves money between two accounts of the bank, converting it where their currencies differ.
    fn transfer(
        &mut self,
        from: usize,
        to: usize,
        minor: i64,
        at: OffsetDateTime,
        kind: Kind,
        reference: Option<&str>,
    ) -> Result<(), GenerateError> {
        let (source, target) = (self.life.desks[from].currency, self.life.desks[to].currency);
        let (arrives, rate) = self.convert(minor, source, target, at)?;
        let open = |desk: usize| {
            let account = self.books.account(&self.life.desks[desk].id);
            account.is_some_and(|account| account.status == AccountStatus::Enabled)
        };
        if arrives == 0 || !open(from) || !open(to) {
            return Ok(());
        }
        let kind = if rate.is_some() { Kind::CurrencyExchange } else { kind };
        let exchange = rate.map(|rate| Exchange { instructed: Money::new(minor, source), source, target, rate });
        let mut side = |other: usize, verb: &str| {
            let other = &self.life.desks[other];
            let name = other.holder_name.clone();
            let id = TransactionId::new(self.ids.identifier(24));
            let description = match reference {
                Some(reference) => format!("{verb} {} {reference}", name.to_uppercase()),
                None => format!("{verb} {}", name.to_uppercase()),
            };
            Details {
                counterparty: Some(Counterparty { name, account: Some(other.identification.clone()) }),
                reference: reference.map(str::to_owned),
                exchange: exchange.clone(),
                ..Details::new(id, kind, description)
            }
        };
        let (paid, received) = (side(to, "TO"), side(from, "FROM"));
        let mut postings = vec![
            Posting::on(self.life.desks[from].id.clone(), Money::new(-minor, source), paid),
            Posting::on(self.life.desks[to].id.clone(), Money::new(arrives, target), received),
        ];
        if source != target {
            postings.push(Posting::against(Contra::ForeignExchange, Money::new(minor, source)));
            postings.push(Posting::against(Contra::ForeignExchange, Money::new(-arrives, target)));
        }
        self.post(at, at, postings)
    }

    /// The amount in another currency and the rate, which is `None` when nothing had to be converted.
    fn convert(
        &mut self,
        minor: i64,
        from: Currency,
        to: Currency,
        at: OffsetDateTime,
    ) -> Result<(i64, Option<Rate>), GenerateError> {
        if from == to {
            return Ok((minor, None));
        }
        let (source, target) = (self.rate(from, at)?, self.rate(to, at)?);
        let converted = source.cross(target).and_then(|rate| Some((rate.convert(minor)?, Some(rate))));
        converted.ok_or_else(|| GenerateError::Bank(format!("amounts in {from} cannot be counted in {to}")))
    }

    /// Units of the currency for one of the bank's own, in that month.
    fn rate(&mut self, currency: Currency, at: OffsetDateTime) -> Result<Rate, GenerateError> {
        let code = currency.to_string();
        if code == self.life.currency {
            return Ok(Rate::ONE);
        }
        let month = (code, at.year(), u8::from(at.month()));
        if let Some(rate) = self.rates.get(&month) {
            return Ok(*rate);
        }
        let missing = || GenerateError::Bank(format!("exchange_rates has no {currency}"));
        let usual = *self.life.exchange_rates.get(&month.0).ok_or_else(missing)?;
        let mut dice = Dice::new(self.life.seed, &["rate", &month.0, &month.1.to_string(), &month.2.to_string()]);
        // Up to 2.5 percent either way.
        let factor = 975_000 + dice.below(50_001);
        let wobbled = u128::from(usual.millionths()) * u128::from(factor) / 1_000_000;
        let rate = u64::try_from(wobbled).ok().and_then(Rate::from_millionths).unwrap_or(usual);
        self.rates.insert(month, rate);
        Ok(rate)
    }
}
