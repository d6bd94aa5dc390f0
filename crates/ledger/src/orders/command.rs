//! What is told to the books: the inputs that a bank keeps, so that it can make the books again.

use crate::orders::{OrderError, OrderId, PaymentOrder, Rejection, Terms};
use crate::{AccountId, AccountStatus, BooksError, CustomerId};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;

/// Something that somebody decided, and when. The same commands in the same order on the same books, with the same
/// [`Terms`] at the beginning, make the same books, whenever [`crate::Books::run_until`] was called between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// When it was decided. Not before [`crate::Books::now`].
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What was decided.
    pub action: Action,
}

/// What can be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new payment order. It may be rejected: that is no error, but the order's state.
    Submit(Box<PaymentOrder>),
    /// A further holder of the account agrees to an order that needs more than one.
    Authorise {
        /// The order.
        order: OrderId,
        /// Who agrees.
        customer: CustomerId,
    },
    /// A holder of the account refuses an order that waits for signatories: it is rejected.
    Refuse {
        /// The order.
        order: OrderId,
        /// Who refuses.
        customer: CustomerId,
    },
    /// What is not yet paid of a scheduled payment, a standing order or an order that waits for signatories, is not
    /// going to be paid.
    Cancel {
        /// The order.
        order: OrderId,
    },
    /// The next step of the order's open payments happens now, whatever the timing says.
    Step {
        /// The order.
        order: OrderId,
    },
    /// The bank, or the payee's, rejects what has not arrived of the order: money that was held for it is free again,
    /// and what was debited comes back.
    Reject {
        /// The order.
        order: OrderId,
        /// The bank's reason.
        reason: Rejection,
    },
    /// An account is blocked, unblocked or closed.
    SetStatus {
        /// The account.
        account: AccountId,
        /// What it is from now on.
        status: AccountStatus,
    },
    /// The bank has other terms from now on; what they decided before stays as it is.
    SetTerms(Terms),
}

/// Why a command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// The books have been run beyond its time.
    #[error("the books stand at {now}; a command of {at} comes too late")]
    Past {
        /// Of the command.
        at: OffsetDateTime,
        /// Of the books.
        now: OffsetDateTime,
    },
    /// Something in it is unknown to the books or there already.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// The order cannot be understood.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// The customer is no holder of the account that pays.
    #[error("{customer} holds no share of the account that pays order {order}")]
    NotAHolder {
        /// The order.
        order: OrderId,
        /// Who wanted to decide.
        customer: CustomerId,
    },
    /// The customer has authorised the order before.
    #[error("{customer} has authorised order {order} already")]
    AuthorisedAlready {
        /// The order.
        order: OrderId,
        /// Who wanted to decide again.
        customer: CustomerId,
    },
    /// The order waits for nobody's authorisation.
    #[error("order {0} does not wait for an authorisation")]
    NotAwaiting(OrderId),
    /// Nothing of the order is left that could be cancelled or rejected.
    #[error("nothing of order {0} is left to be cancelled or rejected")]
    NothingLeft(OrderId),
    /// No payment of the order is under way.
    #[error("no payment of order {0} is under way")]
    NothingUnderWay(OrderId),
}
