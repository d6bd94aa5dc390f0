//! What the pages say about each kind of consent (OB Customer Experience Guidelines). The customer has agreed with the TPP
//! already: no page asks again whether the TPP may, but for the confirmation of funds, for which the law wants it.

use fapi::interaction::Rejection;

use crate::consents::ConsentKind;

/// The words for one kind.
pub(super) struct Wording {
    /// After the TPP's name on the first page.
    pub(super) asked: &'static str,
    /// Heading of the page on which accounts are chosen.
    pub(super) choose: &'static str,
    /// What the chosen accounts are for.
    pub(super) legend: &'static str,
    /// Heading of the page with everything that there is to know.
    pub(super) confirm: &'static str,
    /// The button on it.
    pub(super) button: &'static str,
    /// Heading and text of the last page.
    pub(super) done: (&'static str, &'static str),
    /// The same when nothing came of it.
    pub(super) declined: (&'static str, &'static str),
}

/// Why nothing came of it, where the customer did not choose so.
pub(super) fn unwanted(rejection: Rejection) -> Option<&'static str> {
    match rejection {
        Rejection::Cancelled => None,
        Rejection::AuthenticationFailed => Some("What was typed was wrong too often, so we stopped."),
        Rejection::AnotherCustomer => Some("The company expected another customer."),
        Rejection::TimedOut => Some("It took too long."),
        Rejection::NoEligibleAccount => Some("You have no account that can be used for it."),
        Rejection::TooLate => Some("It is too late for it today."),
        Rejection::AuthorisationType => Some("Your account does not need as many people to agree as the company said."),
    }
}

const ACCOUNTS: Wording = Wording {
    asked: "asked to see your account information.",
    choose: "Choose your accounts",
    legend: "Accounts to share",
    confirm: "Check the details",
    button: "Continue",
    done: ("All done", "We have connected the accounts that you chose."),
    declined: ("Nothing was shared", "We have not shared any information."),
};

const PAYMENT: Wording = Wording {
    asked: "asked us to make a payment for you.",
    choose: "Choose the account to pay from",
    legend: "Pay from",
    confirm: "Check the details",
    button: "Continue",
    done: ("All done", "We have told the company that you confirmed the payment."),
    declined: ("Nothing was paid", "We have not made the payment."),
};

const RECURRING: Wording = Wording {
    asked: "asked us to set up payments of varying amounts for you.",
    choose: "Choose the account to pay from",
    legend: "Pay from",
    confirm: "Check the details",
    button: "Continue",
    done: ("All done", "Payments within the limits that you saw can be made now."),
    declined: ("Nothing was set up", "No payments can be made."),
};

const FUNDS: Wording = Wording {
    asked: "wants to ask us whether there is enough money in your account.",
    choose: "Choose the account",
    legend: "Account",
    confirm: "Do you agree that we answer?",
    button: "I agree",
    done: ("All done", "We will answer yes or no when we are asked. Your balance is never told."),
    declined: ("Nothing was set up", "We will not answer."),
};

/// The words for a kind.
pub(super) fn of(kind: ConsentKind) -> &'static Wording {
    match kind {
        ConsentKind::AccountAccess => &ACCOUNTS,
        ConsentKind::Payment(_) => &PAYMENT,
        ConsentKind::VariableRecurringPayments => &RECURRING,
        ConsentKind::FundsConfirmation => &FUNDS,
    }
}

/// Where no consent is: the client only asks who the customer is.
pub(super) const LOGIN: Wording = Wording {
    asked: "asked you to log in.",
    choose: "",
    legend: "",
    confirm: "",
    button: "Continue",
    done: ("All done", "You are logged in."),
    declined: ("Nothing was shared", "We have not shared any information."),
};
