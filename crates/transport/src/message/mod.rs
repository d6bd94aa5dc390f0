//! What a handler sees: the request, the table of routes, and ways to reply.

mod body;
pub mod reply;
mod request;
mod router;
mod template;

pub(crate) use body::{BodyError, read_bounded};
pub use reply::{IntoResponse, Response};
pub use request::{Params, Request};
pub use router::{DEFAULT_BODY_LIMIT, Handler, Problem, Route, Router, RouterError, route};
pub(crate) use router::{Lookup, allow};

/// The header that carries the interaction identifier (Read/Write Data API, Headers).
pub const INTERACTION_ID: &str = "x-fapi-interaction-id";
