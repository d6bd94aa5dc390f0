//! How it travels: TLS listeners and clients, the caller's certificate, interaction identifiers, graceful stop.
//!
//! Only this crate names rustls, hyper and reqwest. A party gives [`serve`] a table of routes and gets a [`Request`] with
//! everything extracted; it asks other parties with an [`HttpClient`] that trusts only the authorities it was given.

mod client;
mod message;
mod server;
mod stop;
mod tls;

pub use client::{Answer, CallError, ClientSettings, HttpClient, RequestBuilder};
pub use message::{
    DEFAULT_BODY_LIMIT, Handler, INTERACTION_ID, IntoResponse, Params, Problem, Request, Response, Route, Router,
    RouterError, reply, route,
};
pub use server::{Caller, Observer, serve};
pub use stop::Stop;
pub use tls::{ClientCertificates, Identity, ServerTls, TlsError, TlsFault};
