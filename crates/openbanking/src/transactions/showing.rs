//! Making transactions, and what of them may be shown (Account and Transaction API Profile, Detail Permissions).

use super::*;

impl Transaction {
    /// A transaction of a signed amount, with the members that every transaction has.
    ///
    /// # Errors
    /// The amount has more digits than the wire can carry.
    pub fn new(
        version: ApiVersion,
        account_id: impl Into<String>,
        status: TransactionStatus,
        booked_at: OffsetDateTime,
        money: Money,
    ) -> Result<Self, MoneyError> {
        Ok(Self {
            account_id: account_id.into(),
            transaction_id: None,
            transaction_reference: None,
            statement_reference: Vec::new(),
            credit_debit_indicator: CreditDebitIndicator::of(money.minor()),
            status: version.code(status),
            transaction_mutability: None,
            booking_date_time: booked_at,
            value_date_time: None,
            transaction_information: None,
            address_line: None,
            amount: ActiveAmount::magnitude_of(money)?,
            charge_amount: None,
            currency_exchange: None,
            bank_transaction_code: None,
            proprietary_bank_transaction_code: None,
            extended_proprietary_bank_transaction_codes: Vec::new(),
            balance: None,
            merchant_details: None,
            creditor_agent: None,
            creditor_account: None,
            debtor_agent: None,
            debtor_account: None,
            card_instrument: None,
            supplementary_data: None,
            category_purpose_code: None,
            payment_purpose_code: None,
            ultimate_creditor: None,
            ultimate_debtor: None,
            intermediary_agent_1: None,
            intermediary_agent_2: None,
            intermediary_agent_3: None,
        })
    }

    /// What of it may be shown with these permissions in this version; `None` when its direction was not consented to.
    #[must_use]
    pub fn shown(mut self, version: ApiVersion, permissions: PermissionSet) -> Option<Self> {
        let direction = match self.credit_debit_indicator {
            CreditDebitIndicator::Credit => permissions.can_read_credits(),
            CreditDebitIndicator::Debit => permissions.can_read_debits(),
        };
        if !direction || !permissions.can_read_transactions() {
            return None;
        }
        if !permissions.can_read_transactions_detail() {
            self.strip_detail();
        }
        if !permissions.can_read_pan() {
            self.mask();
        }
        if version == ApiVersion::V3_1 {
            self.strip_v4();
        }
        Some(self)
    }

    fn strip_detail(&mut self) {
        self.transaction_information = None;
        self.balance = None;
        self.merchant_details = None;
        (self.creditor_agent, self.creditor_account) = (None, None);
        (self.debtor_agent, self.debtor_account) = (None, None);
        (self.ultimate_creditor, self.ultimate_debtor) = (None, None);
        self.strip_intermediaries();
    }

    fn strip_v4(&mut self) {
        self.extended_proprietary_bank_transaction_codes.clear();
        (self.category_purpose_code, self.payment_purpose_code) = (None, None);
        (self.ultimate_creditor, self.ultimate_debtor) = (None, None);
        self.strip_intermediaries();
        for account in [&mut self.creditor_account, &mut self.debtor_account].into_iter().flatten() {
            account.as_in_v3();
        }
        for agent in [&mut self.creditor_agent, &mut self.debtor_agent].into_iter().flatten() {
            agent.lei = None;
        }
    }

    fn strip_intermediaries(&mut self) {
        (self.intermediary_agent_1, self.intermediary_agent_2, self.intermediary_agent_3) = (None, None, None);
    }

    fn mask(&mut self) {
        for account in [&mut self.creditor_account, &mut self.debtor_account].into_iter().flatten() {
            account.mask();
        }
        if let Some(number) = self.card_instrument.as_mut().and_then(|card| card.identification.as_mut()) {
            *number = masked_pan(number);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::parties::AccountScheme;
    use crate::permissions::Permission as P;
    use time::macros::datetime;

    /// A transaction with everything.
    pub(crate) fn sample(version: ApiVersion) -> Transaction {
        let money = |minor| Money::new(minor, Currency::GBP);
        let amount = |minor| ActiveAmount::magnitude_of(money(minor)).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let party = UltimateParty { name: text("Parent plc"), ..UltimateParty::default() };
        Transaction {
            transaction_id: text("tx-1"),
            transaction_reference: text("FP-1"),
            statement_reference: vec!["st-1".to_owned()],
            transaction_mutability: Some(TransactionMutability::Immutable),
            value_date_time: Some(datetime!(2026-03-02 0:00 UTC)),
            transaction_information: text("BOOKS AND MORE"),
            address_line: text("London"),
            charge_amount: Some(amount(15)),
            currency_exchange: Some(CurrencyExchange {
                source_currency: Currency::EUR,
                target_currency: Some(Currency::GBP),
                unit_currency: Some(Currency::EUR),
                exchange_rate: serde_json::Number::from_f64(0.8525).unwrap(),
                contract_identification: None,
                quotation_date: Some(datetime!(2026-03-01 8:00 UTC)),
                instructed_amount: Some(ActiveAmount::parse("14.00", Currency::EUR).unwrap()),
            }),
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
            balance: Some(TransactionBalance::new(version, BalanceType::InterimBooked, money(-2_500)).unwrap()),
            merchant_details: Some(MerchantDetails {
                merchant_name: text("Books and More"),
                merchant_category_code: text("5942"),
            }),
            creditor_agent: Some(Agent { lei: text("IZ9Q00LZEVUKWCQY6X15"), ..Agent::of_bic("HEDGGB2L") }),
            creditor_account: Some(CashAccount::new(AccountScheme::Pan, "4929123412341234", None)),
            debtor_agent: Some(Agent::of_bic("HEDGGB2L")),
            debtor_account: Some(CashAccount::new(AccountScheme::SortCodeAccountNumber, "80200112344562", None)),
            card_instrument: Some(CardInstrument {
                card_scheme_name: "VISA".to_owned(),
                authorisation_type: text("Contactless"),
                name: text("Ada Example"),
                identification: text("4929123412341234"),
            }),
            supplementary_data: Some(serde_json::json!({"Mood": "good"})),
            category_purpose_code: text("SUPP"),
            payment_purpose_code: text("GDDS"),
            ultimate_creditor: Some(party.clone()),
            ultimate_debtor: Some(party),
            intermediary_agent_1: Some(IntermediaryAgent { name: text("Between"), ..IntermediaryAgent::default() }),
            ..Transaction::new(
                version,
                "acc-1",
                TransactionStatus::Booked,
                datetime!(2026-03-01 9:30 UTC),
                money(-1_199),
            )
            .unwrap()
        }
    }

    fn set(permissions: &[P]) -> PermissionSet {
        permissions.iter().copied().collect()
    }

    #[test]
    fn everything_is_written_as_the_version_names_it() {
        let all = PermissionSet::all();
        insta::assert_json_snapshot!(sample(ApiVersion::V4_0).shown(ApiVersion::V4_0, all).unwrap(), @r##"
        {
          "AccountId": "acc-1",
          "TransactionId": "tx-1",
          "TransactionReference": "FP-1",
          "StatementReference": [
            "st-1"
          ],
          "CreditDebitIndicator": "Debit",
          "Status": "BOOK",
          "TransactionMutability": "Immutable",
          "BookingDateTime": "2026-03-01T09:30:00+00:00",
          "ValueDateTime": "2026-03-02T00:00:00+00:00",
          "TransactionInformation": "BOOKS AND MORE",
          "AddressLine": "London",
          "Amount": {
            "Amount": "11.99",
            "Currency": "GBP"
          },
          "ChargeAmount": {
            "Amount": "0.15",
            "Currency": "GBP"
          },
          "CurrencyExchange": {
            "SourceCurrency": "EUR",
            "TargetCurrency": "GBP",
            "UnitCurrency": "EUR",
            "ExchangeRate": 0.8525,
            "QuotationDate": "2026-03-01T08:00:00+00:00",
            "InstructedAmount": {
              "Amount": "14.00",
              "Currency": "EUR"
            }
          },
          "BankTransactionCode": {
            "Code": "CCRD",
            "SubCode": "POSD"
          },
          "ProprietaryBankTransactionCode": {
            "Code": "CARD",
            "Issuer": "Hedge Bank"
          },
          "ExtendedProprietaryBankTransactionCodes": [
            {
              "Code": "CARD-POS",
              "Description": "Card in a shop"
            }
          ],
          "Balance": {
            "CreditDebitIndicator": "Debit",
            "Type": "ITBD",
            "Amount": {
              "Amount": "25.00",
              "Currency": "GBP"
            }
          },
          "MerchantDetails": {
            "MerchantName": "Books and More",
            "MerchantCategoryCode": "5942"
          },
          "CreditorAgent": {
            "SchemeName": "UK.OBIE.BICFI",
            "Identification": "HEDGGB2L",
            "LEI": "IZ9Q00LZEVUKWCQY6X15"
          },
          "CreditorAccount": {
            "SchemeName": "UK.OBIE.PAN",
            "Identification": "4929123412341234"
          },
          "DebtorAgent": {
            "SchemeName": "UK.OBIE.BICFI",
            "Identification": "HEDGGB2L"
          },
          "DebtorAccount": {
            "SchemeName": "UK.OBIE.SortCodeAccountNumber",
            "Identification": "80200112344562"
          },
          "CardInstrument": {
            "CardSchemeName": "VISA",
            "AuthorisationType": "Contactless",
            "Name": "Ada Example",
            "Identification": "4929123412341234"
          },
          "SupplementaryData": {
            "Mood": "good"
          },
          "CategoryPurposeCode": "SUPP",
          "PaymentPurposeCode": "GDDS",
          "UltimateCreditor": {
            "Name": "Parent plc"
          },
          "UltimateDebtor": {
            "Name": "Parent plc"
          },
          "IntermediaryAgent1": {
            "Name": "Between"
          }
        }
        "##);
        let old = sample(ApiVersion::V3_1).shown(ApiVersion::V3_1, all).unwrap();
        assert_eq!(serde_json::from_value::<Transaction>(serde_json::to_value(&old).unwrap()).unwrap(), old);
        insta::assert_json_snapshot!(old, @r##"
        {
          "AccountId": "acc-1",
          "TransactionId": "tx-1",
          "TransactionReference": "FP-1",
          "StatementReference": [
            "st-1"
          ],
          "CreditDebitIndicator": "Debit",
          "Status": "Booked",
          "TransactionMutability": "Immutable",
          "BookingDateTime": "2026-03-01T09:30:00+00:00",
          "ValueDateTime": "2026-03-02T00:00:00+00:00",
          "TransactionInformation": "BOOKS AND MORE",
          "AddressLine": "London",
          "Amount": {
            "Amount": "11.99",
            "Currency": "GBP"
          },
          "ChargeAmount": {
            "Amount": "0.15",
            "Currency": "GBP"
          },
          "CurrencyExchange": {
            "SourceCurrency": "EUR",
            "TargetCurrency": "GBP",
            "UnitCurrency": "EUR",
            "ExchangeRate": 0.8525,
            "QuotationDate": "2026-03-01T08:00:00+00:00",
            "InstructedAmount": {
              "Amount": "14.00",
              "Currency": "EUR"
            }
          },
          "BankTransactionCode": {
            "Code": "CCRD",
            "SubCode": "POSD"
          },
          "ProprietaryBankTransactionCode": {
            "Code": "CARD",
            "Issuer": "Hedge Bank"
          },
          "Balance": {
            "CreditDebitIndicator": "Debit",
            "Type": "InterimBooked",
            "Amount": {
              "Amount": "25.00",
              "Currency": "GBP"
            }
          },
          "MerchantDetails": {
            "MerchantName": "Books and More",
            "MerchantCategoryCode": "5942"
          },
          "CreditorAgent": {
            "SchemeName": "UK.OBIE.BICFI",
            "Identification": "HEDGGB2L"
          },
          "CreditorAccount": {
            "SchemeName": "UK.OBIE.PAN",
            "Identification": "4929123412341234"
          },
          "DebtorAgent": {
            "SchemeName": "UK.OBIE.BICFI",
            "Identification": "HEDGGB2L"
          },
          "DebtorAccount": {
            "SchemeName": "UK.OBIE.SortCodeAccountNumber",
            "Identification": "80200112344562"
          },
          "CardInstrument": {
            "CardSchemeName": "VISA",
            "AuthorisationType": "Contactless",
            "Name": "Ada Example",
            "Identification": "4929123412341234"
          },
          "SupplementaryData": {
            "Mood": "good"
          }
        }
        "##);
    }

    #[test]
    fn basic_shows_neither_descriptions_nor_parties() {
        for version in ApiVersion::ALL {
            let basic = set(&[P::ReadTransactionsBasic, P::ReadTransactionsDebits]);
            let json = serde_json::to_value(sample(version).shown(version, basic).unwrap()).unwrap();
            for name in [
                "TransactionInformation",
                "Balance",
                "MerchantDetails",
                "CreditorAgent",
                "CreditorAccount",
                "DebtorAgent",
                "DebtorAccount",
                "UltimateCreditor",
                "UltimateDebtor",
                "IntermediaryAgent1",
            ] {
                assert!(json.get(name).is_none(), "{name}");
            }
            assert_eq!(json["BankTransactionCode"]["Code"], "CCRD");
            assert_eq!(json["CardInstrument"]["Identification"], "xxxxxxxxxxxx1234");
        }
    }

    #[test]
    fn detail_masks_cards_unless_they_may_be_read() {
        let (v, detail) = (ApiVersion::V4_0, [P::ReadTransactionsDetail, P::ReadTransactionsDebits]);
        let masked = sample(v).shown(v, set(&detail)).unwrap();
        assert_eq!(masked.creditor_account.unwrap().identification.as_deref(), Some("xxxxxxxxxxxx1234"));
        assert_eq!(masked.debtor_account.unwrap().identification.as_deref(), Some("80200112344562"));
        let full = sample(v).shown(v, [detail.as_slice(), &[P::ReadPan]].concat().into()).unwrap();
        assert_eq!(full.card_instrument.unwrap().identification.as_deref(), Some("4929123412341234"));
    }

    #[test]
    fn directions_are_kept_apart() {
        let v = ApiVersion::V4_0;
        assert_eq!(sample(v).shown(v, set(&[P::ReadTransactionsDetail, P::ReadTransactionsCredits])), None);
        assert_eq!(sample(v).shown(v, set(&[P::ReadTransactionsDebits])), None);
        let money = Money::new(1, Currency::GBP);
        let credit =
            Transaction::new(v, "acc-1", TransactionStatus::Pending, datetime!(2026-03-01 9:30 UTC), money).unwrap();
        assert!(credit.clone().shown(v, set(&[P::ReadTransactionsBasic, P::ReadTransactionsCredits])).is_some());
        assert_eq!(credit.shown(v, set(&[P::ReadTransactionsBasic, P::ReadTransactionsDebits])), None);
    }
}
